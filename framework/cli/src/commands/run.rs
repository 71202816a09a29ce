//! `cithara run`: from a spec to a run directory with an annotated copy of the data and an evaluation.

use super::evaluate::{evaluate_run, show};
use super::model::{OfInput, OpenRun};
use crate::arguments::{RunArguments, ThenArguments};
use crate::console::Console;
use crate::failure::Interrupted;
use crate::interrupt;
use crate::run::{
    CELLS_AT_A_TIME, Progress, Request, Scene, annotate_embedding, annotate_prediction, annotated_names,
    predicted_cells, prepare, resume, train,
};
use anndata::{Annotator, File};
use anyhow::{Result, bail};
use framework::data::{Dataset, data_files};
use framework::fit::NonFinite;
use framework::infer::{Embeddings, Predictor, embed};
use framework::run::RunDirectory;
use framework::spec::Experiment;
use registry::{Catalogue, read_file};
use std::path::{Path, PathBuf};
use std::time::Instant;

/// Predictions of more numbers than this are left to `cithara predict`.
const MAX_PREDICTED_NUMBERS: usize = 64 << 20;

pub(super) fn execute(arguments: &RunArguments, catalogue: &Catalogue, console: &mut Console<'_>) -> Result<()> {
    let purpose = Purpose::of(&arguments.then);
    let overrides = &arguments.spec.overrides();
    let experiment = read_file(&arguments.spec.spec, overrides, catalogue)?;
    let out = arguments.out.clone().unwrap_or_else(|| PathBuf::from("runs").join(&experiment.name));
    let start = Start::Anew { force: arguments.force };
    let prepared = arguments.then.prepared.as_deref();
    let max_memory = arguments.max_memory;
    let task = Task { experiment: &experiment, overrides, out: &out, start, prepared, max_memory };
    make(&task, purpose, catalogue, console)
}

/// What is learned, and where it goes.
#[derive(Debug)]
pub struct Task<'a> {
    /// The resolved spec.
    pub experiment: &'a Experiment,
    /// Overrides of the spec, as given.
    pub overrides: &'a [String],
    /// The run directory.
    pub out: &'a Path,
    /// From where.
    pub start: Start,
    /// Where prepared data are kept for other runs of the same data.
    pub prepared: Option<&'a Path>,
    /// Bytes that the forecast of memory must not exceed.
    pub max_memory: Option<u64>,
}

/// From where a run is made.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Start {
    /// From nothing.
    Anew {
        /// Whether an earlier run of that name is replaced.
        force: bool,
    },
    /// From what a run that was stopped has kept: its checkpoint, or its whole model.
    Kept,
}

/// Makes a whole run: learns, uses the model for a purpose if there is one, and notes that the run is whole.
///
/// # Errors
/// When the spec's data do not suit it, learning fails or is interrupted, or a file cannot be written.
pub fn make(task: &Task<'_>, purpose: Option<Purpose>, catalogue: &Catalogue, console: &mut Console<'_>) -> Result<()> {
    let start = Instant::now();
    let learned_secs = match task.start {
        Start::Anew { .. } => None,
        Start::Kept => RunDirectory::open_unfinished(task.out)?.read_provenance()?.fit_secs,
    };
    let secs_before = match learned_secs {
        Some(secs) => secs,
        None => learn(task, catalogue, console)?,
    };
    if let Some(purpose) = purpose {
        use_model(task.out, purpose, catalogue, console)?;
    }
    finish(task.out, secs_before + start.elapsed().as_secs_f64())?;
    console.note(&format!("run: {}", task.out.display()))
}

/// Notes in the run that it has ended, what it took, and so that it is whole; it needs its checkpoint no more.
fn finish(out: &Path, total_secs: f64) -> Result<()> {
    let directory = RunDirectory::open(out)?;
    let mut provenance = directory.read_provenance()?;
    provenance.total_secs = Some(total_secs);
    directory.write_provenance(&provenance)?;
    directory.remove_checkpoint()
}

/// Learns the model of a spec into a run directory; fails where the data do not suit the spec, and where learning fails or is
/// interrupted (what was learned is kept). Returns the seconds of learning in earlier processes.
fn learn(task: &Task<'_>, catalogue: &Catalogue, console: &mut Console<'_>) -> Result<f64> {
    let Task { experiment, overrides, out, start, prepared, max_memory } = *task;
    let request = Request {
        experiment,
        overrides,
        command: std::env::args().collect(),
        out,
        force: start == Start::Anew { force: true },
        components: components(experiment, catalogue)?,
        interrupted: interrupt::flag(),
        prepared,
        max_memory,
    };
    let mut notes = Vec::new();
    let mut say = |text: &str| notes.push(text.to_owned());
    let prepared = match start {
        Start::Kept => resume(&request, &mut say),
        Start::Anew { .. } => prepare(&request, &mut say),
    };
    let prepared = prepared.of_input()?;
    for note in &notes {
        console.note(note)?;
    }
    let mut progress = match (console.quiet, console.is_terminal) {
        (true, _) => Progress::silent(),
        (false, true) => Progress::bar(),
        (false, false) => Progress::lines(&mut *console.err),
    };
    let ending = train(&request, prepared, &mut progress);
    drop(progress);
    let go_on = format!("cithara resume {}", out.display());
    let is_kept = |error: &anyhow::Error| error.downcast_ref::<NonFinite>().is_some_and(|told| told.is_kept);
    match ending {
        Ok(ending) if ending.is_whole => Ok(ending.secs_before),
        Ok(_) => {
            console
                .note(&format!("interrupted; the best state so far is in `{}`; go on with: {go_on}", out.display()))?;
            Err(Interrupted.into())
        }
        Err(error) if is_kept(&error) => {
            bail!("{error:#}; the state before it is kept: go on with `{go_on} --set fit.…=…`")
        }
        Err(error) => Err(error),
    }
}

/// All components that the spec could have named.
pub(super) fn components(experiment: &Experiment, catalogue: &Catalogue) -> Result<Vec<String>> {
    let mut catalogue = catalogue.clone();
    for library in &experiment.plugins.libraries {
        catalogue.load(library)?;
    }
    Ok(catalogue.iter().map(|info| format!("{} {} ({})", info.role, info.name, info.origin)).collect())
}

/// What is made with a model.
#[derive(Debug, Clone, Copy)]
pub struct Purpose {
    /// Whether the evaluation is printed as JSON.
    pub json: bool,
    /// Whether rows and predictions are written into a copy of the data.
    pub annotate: bool,
    /// Whether controls are judged beside the model.
    pub beside_controls: bool,
}

impl Purpose {
    /// What is asked for, if anything is.
    pub(super) fn of(arguments: &ThenArguments) -> Option<Purpose> {
        if arguments.stop_with_stdin {
            interrupt::end_with_stdin();
        }
        let ThenArguments { json, no_annotation, no_controls, .. } = *arguments;
        (!arguments.only_fit).then_some(Purpose { json, annotate: !no_annotation, beside_controls: !no_controls })
    }
}

/// Embeds, predicts and judges with the model of a run directory.
fn use_model(out: &Path, purpose: Purpose, catalogue: &Catalogue, console: &mut Console<'_>) -> Result<()> {
    let run = OpenRun::open(out, catalogue)?;
    if purpose.annotate {
        let (dataset, _) = run.trained.data(&run.experiment, None)?;
        annotate(&run, &dataset, console)?;
    }
    let evaluation = evaluate_run(&run, purpose.beside_controls, console)?;
    show(&evaluation, purpose.json, console)
}

/// Writes rows and predictions into copies of the data files.
fn annotate(run: &OpenRun, dataset: &Dataset, console: &mut Console<'_>) -> Result<()> {
    let model = &run.trained.model;
    let rows = if model.mapping.is_some() { run.rows(&dataset.cells)? } else { None };
    let embeddings = match rows {
        Some(rows) => Embeddings::Joint(rows.into_iter().map(|(_, rows)| rows).collect()),
        None => embed(model, dataset, run.trained.device, CELLS_AT_A_TIME)?,
    };
    let files = data_files(&run.experiment)?;
    let scene = Scene { experiment: &run.experiment, model, dataset, only_modality: None };
    for (source, name) in files.iter().zip(annotated_names(&files)?) {
        let out = run.directory.file(&name);
        let file = source.open()?;
        let mut annotator = Annotator::copy_of_file(&file, &out)?;
        annotate_embedding(&mut annotator, &file, &scene, &embeddings)?;
        if files.len() == 1 {
            annotate_predictions(run, &scene, (&file, &mut annotator), console)?;
        }
        annotator.finish()?;
        console.note(&format!("annotated: {}", out.display()))?;
    }
    Ok(())
}

fn annotate_predictions(
    run: &OpenRun,
    scene: &Scene<'_>,
    (file, annotator): (&File, &mut Annotator),
    console: &mut Console<'_>,
) -> Result<()> {
    let (model, dataset, device) = (scene.model, scene.dataset, run.trained.device);
    let n = model.branches.len();
    for (source, target) in (0..n).flat_map(|source| (0..n).map(move |target| (source, target))) {
        if source == target || !model.share_a_space(source, target) {
            continue;
        }
        let (from, to) = (&model.branches[source].name, &model.branches[target].name);
        let features = run.directory.read_features(to)?;
        if dataset.cells.len() * features.len() > MAX_PREDICTED_NUMBERS {
            let (run, data) = (run.directory.path().display(), file.path().display());
            let command = format!("cithara predict {run} {data} --from {from} --to {to}");
            console.note(&format!("{to} predicted from {from} is large and was not written; ask for it: {command}"))?;
            continue;
        }
        let (usual_total, minibatch, decoded_as) = (run.trained.usual_total(target), CELLS_AT_A_TIME, &[][..]);
        let predictor = Predictor { model, dataset, source, target, usual_total, device, minibatch, decoded_as };
        if let Err(error) = predictor.ensure_categories(&predicted_cells(dataset, source, target)) {
            let why = format!("{error}; `cithara predict` has `--condition`");
            console.note(&format!("{to} predicted from {from} was not written: {why}"))?;
            continue;
        }
        annotate_prediction(annotator, file, scene, &predictor, &features)?;
    }
    Ok(())
}
