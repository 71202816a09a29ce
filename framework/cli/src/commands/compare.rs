//! `cithara compare`: any runs, grouped by their specs, compared over their seeds.

use super::ablate::named_metrics;
use super::model::OfInput;
use crate::ablate::changes::{portable, read_resolved};
use crate::ablate::collect::{Group, GroupRun, Terms, comparison, write};
use crate::ablate::comparison::{ComparedRun, RunState};
use crate::ablate::metric::Subjects;
use crate::ablate::numbers::{Numbers, curves};
use crate::ablate::report::table_text;
use crate::arguments::CompareArguments;
use crate::console::Console;
use crate::failure::Misuse;
use anyhow::Result;
use framework::run::RunDirectory;
use registry::{Catalogue, read_file};
use std::collections::HashMap;
use std::path::{Path, PathBuf};
use toml::Table;

/// A run that is to be compared.
struct Opened {
    path: PathBuf,
    spec: Table,
    run: ComparedRun,
    numbers: Numbers,
}

pub(super) fn execute(arguments: &CompareArguments, catalogue: &Catalogue, console: &mut Console<'_>) -> Result<()> {
    let runs: Vec<Opened> = arguments.runs.iter().map(|path| open(path)).collect::<Result<_>>().of_input()?;
    if !arguments.other_data {
        ensure_same_data(&runs)?;
    }
    if !arguments.other_split {
        ensure_same_split(&runs)?;
    }
    let Some(first) = arguments.runs.first() else { return Ok(()) };
    let base = read_file(&first.join("spec.toml"), &[], catalogue)?;
    let subjects = Subjects::of(&base);
    let metrics = if arguments.metric.is_empty() { subjects.usual_metrics() } else { arguments.metric.clone() };
    let margins = arguments.margin.iter().cloned().collect();
    named_metrics(&metrics, arguments.margin.iter().map(|(name, _)| name), &subjects)?;
    let terms = Terms {
        name: "comparison",
        metrics: &metrics,
        lower_is_better: &arguments.lower_is_better,
        margins: &margins,
        subjects: &subjects,
    };
    let compared = comparison(&terms, grouped(runs)?)?;
    if let Some(folder) = &arguments.out {
        write(&compared, folder)?;
        console.note(&format!("report: {}", folder.join("report.html").display()))?;
    }
    if arguments.json { console.print_json(&compared) } else { console.print(&table_text(&compared, console.colour)) }
}

fn open(path: &Path) -> Result<Opened> {
    let run = RunDirectory::open(path)?;
    let judged = run.file("evaluation.tsv").is_file();
    anyhow::ensure!(judged, "`{0}` was not judged; run `cithara evaluate {0}` first", path.display());
    let spec = read_resolved(&run.file("spec.toml"))?;
    let shown = ComparedRun {
        seed: run.read_provenance()?.seed,
        directory: path.display().to_string(),
        state: RunState::Done,
        reason: None,
        curves: curves(&run),
    };
    Ok(Opened { path: path.to_owned(), spec, numbers: Numbers::of(&run)?, run: shown })
}

fn ensure_same_data(runs: &[Opened]) -> Result<()> {
    let Some(first) = runs.first() else { return Ok(()) };
    match runs.iter().find(|run| run.numbers.data != first.numbers.data) {
        None => Ok(()),
        Some(other) => {
            let wrong = format!("`{}` and `{}` learned from other data", first.path.display(), other.path.display());
            Err(Misuse::new(wrong)
                .help("numbers of other cells do not compare; `--other-data` compares them all the same")
                .into())
        }
    }
}

fn ensure_same_split(runs: &[Opened]) -> Result<()> {
    let mut of_seed: HashMap<u64, &Opened> = HashMap::new();
    for run in runs {
        let first = *of_seed.entry(run.run.seed).or_insert(run);
        if first.numbers.judged_cells != run.numbers.judged_cells {
            let wrong = format!(
                "`{}` and `{}` have the seed {}, but other validation and test cells",
                first.path.display(),
                run.path.display(),
                run.run.seed
            );
            let help = "numbers of other cells do not compare; `--other-split` compares them all the same";
            return Err(Misuse::new(wrong).help(help).into());
        }
    }
    Ok(())
}

/// Groups of runs whose specs differ in nothing but the seed, in the order in which they are met.
fn grouped(runs: Vec<Opened>) -> Result<Vec<Group>> {
    let mut groups: Vec<(Table, Group)> = Vec::new();
    for run in runs {
        let mut key = run.spec.clone();
        portable(&mut key);
        key.remove("seed");
        let place = match groups.iter().position(|(other, _)| *other == key) {
            Some(place) => place,
            None => {
                let name = group_name(&run, &groups);
                groups.push((key, Group { name, spec: run.spec.clone(), runs: Vec::new() }));
                groups.len() - 1
            }
        };
        let group = &mut groups[place].1;
        if let Some(other) = group.runs.iter().find(|other| other.run.seed == run.run.seed) {
            let wrong = format!("`{}` and `{}` are the same spec and seed", other.run.directory, run.path.display());
            return Err(Misuse::new(wrong).help("name one of them").into());
        }
        group.runs.push(GroupRun { run: run.run, numbers: Some(run.numbers) });
    }
    Ok(groups.into_iter().map(|(_, group)| group).collect())
}

/// The name that the spec has; where that is taken, the path of the run.
fn group_name(run: &Opened, groups: &[(Table, Group)]) -> String {
    let name = run.spec.get("name").and_then(toml::Value::as_str).map(str::to_owned);
    let is_free = |name: &String| groups.iter().all(|(_, group)| group.name != *name);
    name.filter(is_free).unwrap_or_else(|| run.path.display().to_string())
}
