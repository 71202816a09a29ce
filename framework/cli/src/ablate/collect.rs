//! The runs of a study, or any runs, as one comparison.

use super::changes::changes;
use super::comparison::{ComparedRun, ComparedVariant, Comparison, RunState};
use super::ledger::Ledger;
use super::metric::{Metric, Subjects};
use super::numbers::{Numbers, curves};
use super::report::{report_html, table_csv};
use super::study::{Cell, Folder};
use super::verdicts::{Values, compare};
use anyhow::{Context, Result};
use framework::run::{RunDirectory, write_atomically, write_json};
use indexmap::IndexMap;
use std::path::Path;
use toml::Table;

/// A group of runs that differ in nothing but their seeds.
#[derive(Debug)]
pub struct Group {
    /// Its name.
    pub name: String,
    /// Its resolved spec.
    pub spec: Table,
    /// Its runs.
    pub runs: Vec<GroupRun>,
}

/// A run of a group, and what it tells if it is done.
#[derive(Debug)]
pub struct GroupRun {
    /// The run as it is shown.
    pub run: ComparedRun,
    /// Its numbers.
    pub numbers: Option<Numbers>,
}

/// What is compared in groups of runs.
#[derive(Debug)]
pub struct Terms<'a> {
    /// Name of the comparison.
    pub name: &'a str,
    /// Names of the metrics.
    pub metrics: &'a [String],
    /// Metrics that are better the lower they are, beside those of which the program knows it.
    pub lower_is_better: &'a [String],
    /// Margins of equivalence.
    pub margins: &'a IndexMap<String, f64>,
    /// What the base has.
    pub subjects: &'a Subjects,
}

/// Gathers the runs of a study.
///
/// # Errors
/// When a run was made from another spec, or a file of a finished run is damaged.
pub fn groups(folder: &Folder, ledger: &Ledger<'_>) -> Result<Vec<Group>> {
    let mut groups = Vec::new();
    for (place, variant) in folder.study.variants.iter().enumerate() {
        let of_variant = ledger.entries.iter().filter(|(cell, _)| cell.variant == place);
        let runs = of_variant.map(|(cell, state)| run_of(folder, *cell, *state)).collect::<Result<_>>()?;
        groups.push(Group { name: variant.name.clone(), spec: folder.resolved(place).clone(), runs });
    }
    Ok(groups)
}

fn run_of(folder: &Folder, cell: Cell, state: RunState) -> Result<GroupRun> {
    let directory = folder.run(cell);
    let mut run = ComparedRun {
        seed: cell.seed,
        directory: directory.display().to_string(),
        state,
        reason: (state == RunState::Failed).then(|| folder.reason(cell)),
        curves: Vec::new(),
    };
    let mut numbers = None;
    if state == RunState::Done {
        let opened = RunDirectory::open(&folder.path().join(&directory))?;
        numbers = Some(Numbers::of(&opened)?);
        run.curves = curves(&opened);
    }
    Ok(GroupRun { run, numbers })
}

/// Compares groups of runs with the first of them.
///
/// # Errors
/// When a metric has no meaning for the base.
pub fn comparison(terms: &Terms<'_>, groups: Vec<Group>) -> Result<Comparison> {
    let mut metrics = Vec::new();
    for name in terms.metrics {
        let mut metric = Metric::named(name, terms.subjects)
            .map_err(|problem| anyhow::anyhow!("the metric `{name}` {}", problem.message))?;
        metric.higher_is_better &= !terms.lower_is_better.contains(name);
        let values: Vec<Values> = groups.iter().map(|group| values(&metric, group)).collect();
        metrics.push(compare(&metric, terms.margins.get(name).copied(), &values));
    }
    let notes = notes(&groups);
    let base = groups.first().map(|group| group.spec.clone()).unwrap_or_default();
    let variant = |group: Group| {
        let mut changed = changes(&base, &group.spec);
        changed.retain(|change| !["name", "seed"].contains(&change.key.as_str()));
        let runs = group.runs.into_iter().map(|run| run.run).collect();
        ComparedVariant { name: group.name, changes: changed, runs }
    };
    let variants = groups.into_iter().map(variant).collect();
    Ok(Comparison { name: terms.name.to_owned(), variants, metrics, notes })
}

/// Which groups have runs of other data or other judged cells than the run of the base with the same seed.
fn notes(groups: &[Group]) -> Vec<String> {
    let Some((base, others)) = groups.split_first() else { return Vec::new() };
    let of_seed = |seed: u64| base.runs.iter().find(|run| run.run.seed == seed)?.numbers.as_ref();
    let differs = |group: &&Group, what: fn(&Numbers, &Numbers) -> bool| {
        let pairs = group.runs.iter().filter_map(|run| Some((run.numbers.as_ref()?, of_seed(run.run.seed)?)));
        pairs.into_iter().any(|(own, base)| what(own, base))
    };
    let named = |what: fn(&Numbers, &Numbers) -> bool| -> String {
        let found = others.iter().filter(|group| differs(group, what)).map(|group| group.name.as_str());
        found.collect::<Vec<_>>().join(", ")
    };
    let other_data = named(|own, base| own.data != base.data);
    let other_cells = named(|own, base| own.judged_cells != base.judged_cells);
    [("learned from other data than the base", other_data), ("judged by other cells than the base", other_cells)]
        .into_iter()
        .filter(|(_, names)| !names.is_empty())
        .map(|(what, names)| format!("{what}: {names}"))
        .collect()
}

fn values(metric: &Metric, group: &Group) -> Values {
    let mut found = Values { variant: group.name.clone(), ..Values::default() };
    for run in &group.runs {
        match run.numbers.as_ref().map(|numbers| metric.value(numbers)) {
            Some(Ok(value)) => found.values.push((run.run.seed, value)),
            Some(Err(reason)) => found.not_applicable = Some(reason),
            None => {}
        }
    }
    found.values.sort_by_key(|(seed, _)| *seed);
    found
}

/// Writes `ablation.csv`, `ablation.json` and `report.html`.
///
/// # Errors
/// When a file cannot be written.
pub fn write(comparison: &Comparison, folder: &Path) -> Result<()> {
    std::fs::create_dir_all(folder).with_context(|| format!("`{}` cannot be made", folder.display()))?;
    let made_by = concat!("cithara ", env!("CARGO_PKG_VERSION"));
    write_atomically(&folder.join("ablation.csv"), table_csv(comparison).as_bytes())?;
    write_json(&folder.join("ablation.json"), comparison)?;
    write_atomically(&folder.join("report.html"), report_html(comparison, made_by)?.as_bytes())
}
