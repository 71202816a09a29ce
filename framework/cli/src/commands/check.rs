//! `cithara check`: reads a spec and says all that is wrong with it.

use crate::arguments::CheckArguments;
use crate::console::Console;
use crate::failure::one_line;
use anyhow::Result;
use framework::data::{Pattern, patterns_of_files};
use framework::spec::Experiment;
use registry::{Catalogue, read_file};
use std::path::Path;

pub(super) fn execute(arguments: &CheckArguments, catalogue: &Catalogue, console: &mut Console<'_>) -> Result<()> {
    let path = &arguments.spec.spec;
    let experiment = read_file(path, &arguments.spec.overrides(), catalogue)?;
    let resolved = experiment.to_toml()?;
    if arguments.resolved {
        console.print(&toml::to_string(&resolved)?)?;
    } else {
        console.print(&summary(path, &experiment, &resolved))?;
    }
    let missing = missing_files(&experiment);
    for path in &missing {
        console.note(&format!("note: the file `{}` does not exist here", path.display()))?;
    }
    if missing.is_empty() && !arguments.resolved {
        console.print(&measured(&experiment))?;
    }
    Ok(())
}

/// Which modalities measured how many cells, as the files have them.
fn measured(experiment: &Experiment) -> String {
    match patterns_of_files(experiment) {
        Ok(patterns) => {
            let row = |pattern: &Pattern| format!("  {} cells by {}\n", pattern.n_cells, pattern.name());
            format!("measured, before filters\n{}", patterns.iter().map(row).collect::<String>())
        }
        Err(error) => format!("note: the data cannot be read: {}\n", one_line(&error)),
    }
}

/// What the spec describes, in a few lines.
fn summary(spec: &Path, experiment: &Experiment, resolved: &toml::Table) -> String {
    let kind = |path: &[&str]| {
        let found = path.iter().try_fold(resolved.get("modality")?, |value, key| value.get(key));
        found.and_then(|value| value.get("kind")?.as_str())
    };
    let modalities = experiment.modalities.keys().map(|name| {
        let of = |part: &str| kind(&[name, part]).unwrap_or("?");
        let assay = kind(&[name]).unwrap_or("?");
        format!("  {name}: {assay}; encoder {}, decoder {}, loss {}\n", of("encoder"), of("decoder"), of("loss"))
    });
    let latents = experiment.latents.iter().map(|(name, latent)| {
        format!("  {name}: {} numbers per cell, read by {}\n", latent.dim, latent.modalities.join(", "))
    });
    let conditions = experiment.conditions.iter().map(|(name, condition)| {
        let (column, told) = (&condition.column, condition.modalities.join(", "));
        format!("  {name}: column `{column}` of obs as {} numbers, told to {told}\n", condition.n_dims)
    });
    let conditions = conditions.collect::<String>();
    let title = if conditions.is_empty() { "" } else { "conditions\n" };
    format!(
        "{}: no errors\nmodalities\n{}latent spaces\n{}{title}{conditions}",
        spec.display(),
        modalities.collect::<String>(),
        latents.collect::<String>()
    )
}

/// The measurements that are not where the spec says.
fn missing_files(experiment: &Experiment) -> Vec<&Path> {
    let mut paths: Vec<&Path> = experiment.modalities.values().filter_map(|entry| entry.path.as_deref()).collect();
    if experiment.modalities.values().any(|entry| entry.path.is_none()) {
        paths.extend(experiment.data.path.as_deref());
    }
    paths.extend(experiment.data.obs.as_deref());
    paths.sort_unstable();
    paths.dedup();
    paths.retain(|path| !path.exists());
    paths
}
