//! `cithara ablate`: variants of a spec, run and compared.

use super::model::OfInput;
use crate::ablate::collect::{Terms, comparison, groups, write};
use crate::ablate::comparison::{Comparison, RunState};
use crate::ablate::emit::{Resources, commands, slurm, snakemake};
use crate::ablate::forecast::{Forecast, forecast};
use crate::ablate::ledger::Ledger;
use crate::ablate::metric::{Metric, Subjects};
use crate::ablate::report::table_text;
use crate::ablate::schedule::{Limits, Schedule};
use crate::ablate::study::{Cell, Folder, Study};
use crate::arguments::{AblateArguments, AblateCommand, CollectArguments, Engine};
use crate::console::Console;
use crate::failure::Misuse;
use crate::run::clock;
use anyhow::{Context, Result, ensure};
use registry::{Ablation, Catalogue, WrittenAblation, paper_ablation, read_ablation, read_file};
use std::fmt::Write as _;
use std::fs::File;
use std::path::{Path, PathBuf};

pub(super) fn execute(arguments: &AblateArguments, catalogue: &Catalogue, console: &mut Console<'_>) -> Result<()> {
    if let Some(AblateCommand::Collect(arguments)) = &arguments.command {
        return collect(arguments, catalogue, console);
    }
    let ablation = read(arguments, catalogue)?;
    let study = study_of(&ablation, arguments)?;
    let out = arguments.out.clone().unwrap_or_else(|| PathBuf::from("runs").join(&study.name));
    let wanted = wanted_cells(&study, &arguments.only)?;
    console.note(&grid(&study))?;
    if arguments.dry_run {
        return Ok(());
    }
    let folder = Folder::make(&out, study, &ablation).of_input()?;
    let _lock = lock(&out)?;
    if arguments.force {
        clear_other_specs(&folder)?;
    }
    let ledger = Ledger::read(&folder).of_input()?;
    let cells = missing(&ledger, &wanted, arguments.retry_failed);
    let program = std::env::current_exe().context("this program cannot be found")?;
    let forecasts = forecasts(&folder, &cells, &program, console)?;
    let n_threads = arguments.threads.or_else(|| Some(std::thread::available_parallelism().ok()?.get())).unwrap_or(1);
    if let Some(engine) = arguments.emit {
        return emit(engine, (&folder, &cells), (&forecasts, n_threads), console);
    }
    tell_work(&ledger, &cells, &forecasts, console)?;
    let limits = Limits {
        n_jobs: arguments.jobs,
        n_threads: (n_threads / arguments.jobs).max(1),
        memory_bytes: arguments.max_memory,
    };
    let memory_bytes = forecasts.iter().map(|forecast| forecast.map(|forecast| forecast.memory_bytes)).collect();
    let schedule = Schedule { folder: &folder, program, limits, memory_bytes };
    run(&schedule, &cells, ledger, console)?;
    conclude(&folder, arguments.json, catalogue, console)
}

/// Runs what is missing; says what goes on where it was stopped.
fn run(schedule: &Schedule<'_>, cells: &[Cell], mut ledger: Ledger<'_>, console: &mut Console<'_>) -> Result<()> {
    let outcome = schedule.run(cells, &mut ledger, console);
    if outcome.is_err() {
        let ledger = Ledger::read(schedule.folder)?;
        ledger.write()?;
        let (n_done, n_all) = (ledger.n(RunState::Done), ledger.entries.len());
        console.note(&format!("{n_done} of {n_all} runs are done; the same command goes on"))?;
    }
    outcome
}

fn read(arguments: &AblateArguments, catalogue: &Catalogue) -> Result<Ablation> {
    let file = arguments.file.as_deref().context("no file was named")?;
    let mut ablation = match arguments.paper {
        Some(paper) => paper_ablation(paper.into(), file, &arguments.set, catalogue)?,
        None => {
            let metric = |name: &str, experiment: &framework::spec::Experiment| {
                Metric::named(name, &Subjects::of(experiment)).err()
            };
            read_ablation(&WrittenAblation { path: file, overrides: &arguments.set, metric: &metric }, catalogue)?
        }
    };
    if !arguments.seeds.is_empty() {
        let mut seeds = arguments.seeds.clone();
        seeds.sort_unstable();
        seeds.dedup();
        if seeds.len() < arguments.seeds.len() {
            return Err(Misuse::new("`--seeds` names a seed twice").into());
        }
        ablation.seeds = arguments.seeds.clone();
    }
    ablation.margins.extend(arguments.margin.iter().cloned());
    Ok(ablation)
}

/// The study, with metrics of the command line, of the file, or the usual ones.
fn study_of(ablation: &Ablation, arguments: &AblateArguments) -> Result<Study> {
    let subjects = ablation.variants.first().map(|base| Subjects::of(&base.experiment)).unwrap_or_default();
    let metrics = match (arguments.metric.is_empty(), ablation.metrics.is_empty()) {
        (false, _) => arguments.metric.clone(),
        (true, false) => ablation.metrics.clone(),
        (true, true) => subjects.usual_metrics(),
    };
    named_metrics(&metrics, ablation.margins.keys(), &subjects)?;
    Ok(Study::of(ablation, metrics))
}

/// Refuses names that are no metrics, and margins of others than those.
///
/// # Errors
/// The first such name.
pub(super) fn named_metrics<'a>(
    metrics: &[String],
    margins: impl Iterator<Item = &'a String>,
    subjects: &Subjects,
) -> Result<()> {
    for name in metrics {
        if let Err(problem) = Metric::named(name, subjects) {
            let wrong = Misuse::new(format!("the metric `{name}` {}", problem.message));
            return Err(match problem.help {
                Some(help) => wrong.help(help),
                None => wrong,
            }
            .into());
        }
    }
    for name in margins {
        if !metrics.contains(name) {
            let wrong = Misuse::new(format!("the margin of `{name}` is of no metric that is compared"));
            return Err(wrong.help(format!("metrics: {}", metrics.join(", "))).into());
        }
    }
    Ok(())
}

/// The cells that `--only` names; all where it names none.
fn wanted_cells(study: &Study, only: &[String]) -> Result<Vec<Cell>> {
    let mut wanted = Vec::new();
    for text in only {
        let (name, seed) = text.split_once('/').map_or((text.as_str(), None), |(name, seed)| (name, Some(seed)));
        let of_text = |cell: &Cell| {
            study.variants[cell.variant].name == name && seed.is_none_or(|seed| seed == cell.seed.to_string())
        };
        let found: Vec<Cell> = study.cells().into_iter().filter(of_text).collect();
        if found.is_empty() {
            let names: Vec<&str> = study.variants.iter().map(|variant| variant.name.as_str()).collect();
            let seeds: Vec<String> = study.seeds.iter().map(u64::to_string).collect();
            let help = format!("variants: {}; seeds: {}", names.join(", "), seeds.join(", "));
            return Err(Misuse::new(format!("`--only {text}` names no run")).help(help).into());
        }
        wanted.extend(found);
    }
    Ok(if only.is_empty() { study.cells() } else { wanted })
}

/// The grid in words.
fn grid(study: &Study) -> String {
    let seeds: Vec<String> = study.seeds.iter().map(u64::to_string).collect();
    let mut text = format!(
        "{}: {} variants × {} seeds ({}) = {} runs\n",
        study.name,
        study.variants.len(),
        study.seeds.len(),
        seeds.join(", "),
        study.cells().len()
    );
    let common: Vec<&String> = study.variants.first().map(|base| base.overrides.iter().collect()).unwrap_or_default();
    let width = study.variants.iter().map(|variant| variant.name.chars().count()).max().unwrap_or(0);
    for variant in &study.variants {
        let own: Vec<String> = (variant.overrides.iter())
            .filter(|one| !common.contains(one))
            .map(|one| one.strip_prefix('!').map_or_else(|| one.clone(), |key| format!("without {key}")))
            .collect();
        let own = if own.is_empty() { study.base.display().to_string() } else { own.join(", ") };
        let _ = writeln!(text, "  {:width$}  {own}", variant.name);
    }
    let _ = write!(text, "metrics: {}", study.metrics.join(", "));
    text
}

/// Keeps others from running the same study at the same time, for as long as it is held.
fn lock(out: &Path) -> Result<File> {
    let path = out.join("lock");
    let file = File::create(&path).with_context(|| format!("`{}` cannot be written", path.display()))?;
    match file.try_lock() {
        Ok(()) => Ok(file),
        Err(std::fs::TryLockError::WouldBlock) => {
            let wrong = Misuse::new(format!("another program runs the ablation in `{}`", out.display()));
            Err(wrong.help("wait for it, or choose another `--out`").into())
        }
        // Where the file system knows no locks, two programs are the user's to keep apart.
        Err(std::fs::TryLockError::Error(_)) => Ok(file),
    }
}

/// Takes away runs of other specs than those of their variants.
fn clear_other_specs(folder: &Folder) -> Result<()> {
    for cell in folder.study.cells() {
        if folder.state(cell).is_err() {
            folder.clear(cell)?;
        }
    }
    Ok(())
}

/// The wanted cells that are to be run.
fn missing(ledger: &Ledger<'_>, wanted: &[Cell], retry_failed: bool) -> Vec<Cell> {
    let is_missing = |state: RunState| match state {
        RunState::Done => false,
        RunState::Failed => retry_failed,
        RunState::Pending | RunState::Running => true,
    };
    let cells = ledger.entries.iter().filter(|(cell, state)| wanted.contains(cell) && is_missing(*state));
    cells.map(|(cell, _)| *cell).collect()
}

/// Forecasts of the variants that have cells to be run; so an impossible one is found before any is started.
fn forecasts(
    folder: &Folder,
    cells: &[Cell],
    program: &Path,
    console: &mut Console<'_>,
) -> Result<Vec<Option<Forecast>>> {
    let mut found = vec![None; folder.study.variants.len()];
    let mut wrong = Vec::new();
    for (place, slot) in found.iter_mut().enumerate() {
        if cells.iter().all(|cell| cell.variant != place) {
            continue;
        }
        console.note(&format!("planning {}", folder.study.variants[place].name))?;
        match forecast(folder, place, program) {
            Ok(forecast) => *slot = Some(forecast),
            Err(error) => wrong.push(format!("{error:#}")),
        }
    }
    if wrong.is_empty() { Ok(found) } else { Err(Misuse::new(wrong.join("\nerror: ")).into()) }
}

fn tell_work(
    ledger: &Ledger<'_>,
    cells: &[Cell],
    forecasts: &[Option<Forecast>],
    console: &mut Console<'_>,
) -> Result<()> {
    let n_done = ledger.n(RunState::Done);
    let (n_failed, n_all) = (ledger.n(RunState::Failed), ledger.entries.len());
    let secs: f64 = cells.iter().filter_map(|cell| forecasts[cell.variant]).map(|forecast| forecast.secs).sum();
    let memory = forecasts.iter().flatten().map(|forecast| forecast.memory_bytes).max();
    let mut text = format!("{n_done} of {n_all} runs are done, {} to be run", cells.len());
    if n_failed > 0 {
        let _ = write!(text, ", {n_failed} failed before (`--retry-failed` runs them again)");
    }
    if let Some(memory) = memory {
        let _ = write!(
            text,
            "; learning takes at most about {}, a run up to about {:.1} GB",
            clock(secs),
            memory as f64 / 1e9
        );
    }
    console.note(&text)
}

fn emit(
    engine: Engine,
    (folder, cells): (&Folder, &[Cell]),
    (forecasts, n_threads): (&[Option<Forecast>], usize),
    console: &mut Console<'_>,
) -> Result<()> {
    let memory_bytes = forecasts.iter().flatten().map(|forecast| forecast.memory_bytes).max();
    let resources = Resources { n_threads, memory_bytes };
    let (path, how) = match engine {
        Engine::Commands => (commands(folder, cells, resources)?, "run each of its lines in its folder"),
        Engine::Slurm => (slurm(folder, cells, resources)?, "in its folder: sbatch array.sbatch"),
        Engine::Snakemake => (snakemake(folder, cells, resources)?, "in its folder: snakemake --cores 2 --keep-going"),
    };
    console.print(&path.display().to_string())?;
    let folder = folder.path().display();
    console.note(&format!("{} runs; {how}; then: cithara ablate collect {folder}", cells.len()))
}

fn collect(arguments: &CollectArguments, catalogue: &Catalogue, console: &mut Console<'_>) -> Result<()> {
    let folder = Folder::open(&arguments.folder).of_input()?;
    conclude(&folder, arguments.json, catalogue, console)
}

/// Gathers what is done, writes and prints the comparison; an error where runs failed.
fn conclude(folder: &Folder, json: bool, catalogue: &Catalogue, console: &mut Console<'_>) -> Result<()> {
    let ledger = Ledger::read(folder).of_input()?;
    ledger.write()?;
    let compared = gather(folder, &ledger, catalogue)?;
    write(&compared, folder.path())?;
    match json {
        true => console.print_json(&compared)?,
        false => console.print(&table_text(&compared, console.colour))?,
    }
    console.note(&format!("report: {}", folder.path().join("report.html").display()))?;
    let (n_failed, n_all) = (ledger.n(RunState::Failed), ledger.entries.len());
    if ledger.n(RunState::Done) == n_all {
        folder.forget_prepared()?;
    }
    ensure!(
        n_failed == 0,
        "{n_failed} of {n_all} runs failed; what they said is in `{}`; `--retry-failed` runs them again",
        folder.path().join("logs").display()
    );
    Ok(())
}

fn gather(folder: &Folder, ledger: &Ledger<'_>, catalogue: &Catalogue) -> Result<Comparison> {
    let base = read_file(&folder.path().join(folder.spec(0)), &[], catalogue)?;
    let study = &folder.study;
    let terms = Terms {
        name: &study.name,
        metrics: &study.metrics,
        lower_is_better: &study.lower_is_better,
        margins: &study.margins,
        subjects: &Subjects::of(&base),
    };
    comparison(&terms, groups(folder, ledger)?)
}
