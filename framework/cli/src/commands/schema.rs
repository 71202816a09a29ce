//! `cithara schema`: the JSON Schema of specs and ablations, for editors that complete and check while one types.

use crate::arguments::SchemaArguments;
use crate::console::Console;
use anyhow::{Context, Result};
use registry::{Catalogue, ablation_schema, spec_schema};

pub(super) fn execute(arguments: &SchemaArguments, catalogue: &Catalogue, console: &mut Console<'_>) -> Result<()> {
    let schema = if arguments.ablation { ablation_schema() } else { spec_schema(catalogue) };
    let Some(path) = &arguments.out else { return console.print_json(&schema) };
    let text = serde_json::to_string_pretty(&schema)? + "\n";
    std::fs::write(path, text).with_context(|| format!("`{}` cannot be written", path.display()))?;
    console.note(&format!("wrote {path}; begin such a file with `#:schema {path}`", path = path.display()))
}
