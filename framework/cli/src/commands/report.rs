//! `cithara report`: a page of a run for readers.

use super::model::{OfInput, OpenRun};
use crate::arguments::ReportArguments;
use crate::console::Console;
use crate::failure::Misuse;
use crate::report::{Request, Setting, Subject, find, write};
use anyhow::Result;
use framework::run::{RunCells, RunDirectory};
use registry::{Catalogue, read_file};

pub(super) fn execute(arguments: &ReportArguments, catalogue: &Catalogue, console: &mut Console<'_>) -> Result<()> {
    let run = RunDirectory::open_unfinished(&arguments.run).of_input()?;
    let page = arguments.out.clone().unwrap_or_else(|| run.file("report.html"));
    if page.extension().is_none_or(|extension| extension != "html") {
        let wrong = format!("`{}` is no name of a page", page.display());
        return Err(Misuse::new(wrong).help("let `--out` end in `.html`").into());
    }
    let experiment = read_file(&run.file("spec.toml"), &[], catalogue)?;
    let is_learned = run.file("weights.safetensors").is_file();
    let opened = if is_learned { Some(OpenRun::open(&arguments.run, catalogue)?) } else { None };
    let has_cells = run.file("cells.tsv").is_file();
    let cells = if has_cells { run.read_cells().of_input()? } else { RunCells::default() };
    let learned = opened.as_ref().map(|opened| opened.rows(&cells.names)).transpose()?.flatten();
    let trained = opened.as_ref().map(|opened| &opened.trained);
    let subject = Subject { run: &run, experiment: &experiment, trained, learned: learned.as_deref(), cells: &cells };
    let request = Request {
        columns: &arguments.color,
        has_pictures: !arguments.no_umap,
        max_cells: arguments.max_cells,
        ablation: arguments.ablation.as_deref(),
    };
    let mut unheard = None;
    let found = find(&subject, &request, &mut |text| {
        unheard = console.note(&format!("reporting: {text}")).err().or(unheard.take());
    })
    .of_input()?;
    unheard.map_or(Ok(()), Err)?;
    let spec = std::fs::read_to_string(run.file("spec.toml"))?;
    let directory = arguments.run.display().to_string();
    let made_by = concat!("cithara ", env!("CARGO_PKG_VERSION"));
    let written = write(&found, &cells.names, Setting { made_by, run: &directory, spec: &spec }, &page)?;
    if found.evaluation.is_none() {
        console.note(&format!(
            "`{directory}` was not judged, so the page has no predictions, probes or verdicts: `cithara evaluate {directory}` \
             judges it, then make the report again"
        ))?;
    }
    for path in written {
        console.note(&format!("written: {}", path.display()))?;
    }
    Ok(())
}
