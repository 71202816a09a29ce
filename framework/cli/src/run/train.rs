//! Opening data, learning a model, and leaving what was learned in a run directory.

use super::memory::peak_memory_bytes;
use crate::plan::Sizes;
use anyhow::{Context, Result, bail, ensure};
use framework::data::{Cohort, Dataset, Opened, Split, Subset, files_on_disk};
use framework::fit::{Checkpoint, Checkpoints, Event, Fit, Observer};
use framework::latent::LatentTable;
use framework::libtorch;
use framework::model::{Dimensions, Model, build_model};
use framework::nn::Precision;
use framework::run::{FileDigest, MetricsLog, Provenance, RunDirectory, digest_file, digest_text};
use framework::spec::{Experiment, FitSpec};
use std::path::{Path, PathBuf};
use std::sync::atomic::AtomicBool;
use std::time::{SystemTime, UNIX_EPOCH};
use tch::Device;

/// What is to be run, and where it goes.
pub struct Request<'a> {
    /// The resolved spec.
    pub experiment: &'a Experiment,
    /// Overrides of the spec, as given.
    pub overrides: &'a [String],
    /// Command line, for the provenance.
    pub command: Vec<String>,
    /// The run directory to be made.
    pub out: &'a Path,
    /// Whether an earlier run of that name is replaced.
    pub force: bool,
    /// Components in use, by role, name and crate.
    pub components: Vec<String>,
    /// Set from outside to stop.
    pub interrupted: &'a AtomicBool,
    /// Where prepared data are kept for other runs of the same data.
    pub prepared: Option<&'a Path>,
    /// Bytes that the forecast of memory must not exceed.
    pub max_memory: Option<u64>,
}

/// Data and a model that fit each other, before anything is written.
pub struct Built {
    /// The data.
    pub dataset: Dataset,
    /// Which cell is used for what.
    pub split: Split,
    /// What is known of the training cells.
    pub cohort: Cohort,
    /// What the data say of each modality.
    pub dimensions: Vec<Dimensions>,
    /// The model.
    pub model: Model,
    /// Where the model is.
    pub device: Device,
    /// Seconds since 1970 at the start.
    pub started_secs: u64,
}

/// Data and a fresh model, ready to learn.
pub struct Prepared {
    /// The data.
    pub dataset: Dataset,
    /// Which cell is used for what.
    pub split: Split,
    /// The model.
    pub model: Model,
    run: RunDirectory,
    provenance: Provenance,
    device: Device,
    /// Where learning goes on from, unless at the start.
    checkpoint: Option<Checkpoint>,
}

/// Opens the data of an experiment, builds its model, and makes its run directory.
///
/// # Errors
/// When data cannot be read, the losses cannot use them, too much memory is forecast, or the directory exists.
pub fn prepare(request: &Request<'_>, say: &mut dyn FnMut(&str)) -> Result<Prepared> {
    let built = build_within(request.experiment, request.prepared, request.max_memory, say)?;
    let Built { dataset, dimensions, model, .. } = &built;
    Sizes { experiment: request.experiment, dataset, dimensions, model }.ensure_within(request.max_memory)?;
    begin(request, built)
}

/// Opens the data of a run that has not ended, builds its model, and reads its checkpoint, if it got so far.
///
/// # Errors
/// When data cannot be read or are not those of the run, or a file of the run is damaged.
pub fn resume(request: &Request<'_>, say: &mut dyn FnMut(&str)) -> Result<Prepared> {
    let run = RunDirectory::open_unfinished(request.out)?;
    let mut provenance = run.read_provenance()?;
    ensure_same_files(&provenance.data, &files_on_disk(request.experiment)?)?;
    let Built { dataset, split, model, device, started_secs, .. } = build(request.experiment, request.prepared, say)?;
    run.ensure_same_cells(&dataset, &split)?;
    let checkpoint = match run.checkpoint().is_file() {
        true => Some(Checkpoint::read(&run.checkpoint())?),
        false => None,
    };
    match &checkpoint {
        Some(checkpoint) => {
            let (stage, epoch) = (checkpoint.stage()?.name(), checkpoint.epoch()? + 1);
            say(&format!("going on in epoch {epoch} of `fit.{stage}`"));
        }
        None => say("there is no checkpoint: learning begins anew"),
    }
    if provenance.n_threads != tch::get_num_threads() {
        let (then, now) = (provenance.n_threads, tch::get_num_threads());
        say(&format!(
            "note: the run had {then} threads and has {now} now; its numbers will differ in their last digits"
        ));
    }
    provenance.resumed_secs.push(started_secs);
    provenance.overrides.extend_from_slice(request.overrides);
    run.write_spec(request.experiment)?;
    provenance.spec_sha256 = digest_text(&std::fs::read_to_string(run.file("spec.toml"))?);
    run.write_provenance(&provenance)?;
    Ok(Prepared { dataset, split, model, run, provenance, device, checkpoint })
}

/// Opens the data of an experiment and builds its model.
///
/// # Errors
/// When data cannot be read or the losses cannot use them.
pub(crate) fn build(experiment: &Experiment, prepared: Option<&Path>, say: &mut dyn FnMut(&str)) -> Result<Built> {
    build_within(experiment, prepared, None, say)
}

/// The same, unless the data alone need more bytes of memory than `max_memory`.
fn build_within(
    experiment: &Experiment,
    prepared: Option<&Path>,
    max_memory: Option<u64>,
    say: &mut dyn FnMut(&str),
) -> Result<Built> {
    let device = start_device(&experiment.fit)?;
    if let Some(note) = note_on_precision(experiment.fit.precision, device)? {
        say(&note);
    }
    let started_secs = now_secs();
    let Opened { dataset, split, cohort } = match prepared {
        Some(folder) => Dataset::open_kept(experiment, folder, max_memory)?,
        None => Dataset::open_within(experiment, max_memory)?,
    };
    describe(&dataset, &split, say);
    let dimensions = dataset.dimensions(&split.of(Subset::Training))?;
    let model = build_model(experiment, &dimensions, &cohort, device)?;
    check_targets(&model, &dataset)?;
    let (n_generative, n_inference) = model.n_parameters();
    say(&format!(
        "model: {n_generative} parameters in decoders, {n_inference} in encoders, on {}",
        experiment.fit.device
    ));
    Ok(Built { dataset, split, cohort, dimensions, model, device, started_secs })
}

/// Refuses data files with other bytes than those that a run was made from.
///
/// # Errors
/// When they have.
pub(crate) fn ensure_same_files(then: &[FileDigest], now: &[PathBuf]) -> Result<()> {
    ensure!(then.len() == now.len(), "the run was made from {} data files, not from {}", then.len(), now.len());
    for (then, now) in then.iter().zip(now) {
        ensure!(
            digest_file(now)?.sha256 == then.sha256,
            "`{}` is not the file that the run was made from: its bytes are others; put it back, or run the spec anew",
            now.display()
        );
    }
    Ok(())
}

/// Makes the run directory of data and a model; weights and rows are not yet written.
///
/// # Errors
/// When the directory exists or cannot be written.
pub fn begin(request: &Request<'_>, built: Built) -> Result<Prepared> {
    let Built { dataset, split, cohort, dimensions, model, device, started_secs } = built;
    let experiment = request.experiment;
    ensure_data_are_elsewhere(request)?;
    let run = RunDirectory::create(request.out, request.force)?;
    run.write_spec(experiment)?;
    run.write_data(&dataset, &split, &dimensions)?;
    run.write_cohort(&cohort)?;
    let provenance = provenance_of(request, &run, started_secs)?;
    run.write_provenance(&provenance)?;
    Ok(Prepared { dataset, split, model, run, provenance, device, checkpoint: None })
}

impl Prepared {
    /// Writes a model that was learned elsewhere, and rows of its cells.
    ///
    /// # Errors
    /// When a file cannot be written.
    pub fn keep(mut self, tables: &[LatentTable]) -> Result<()> {
        self.run.write_model(&self.model, tables)?;
        self.provenance.fit_secs = Some(0.0);
        self.run.write_provenance(&self.provenance)
    }
}

/// Seconds since 1970.
pub(crate) fn now_secs() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |time| time.as_secs())
}

/// How learning ended.
#[derive(Debug, Clone, Copy)]
pub struct Ending {
    /// Whether it came to its end; if not, it was interrupted.
    pub is_whole: bool,
    /// Seconds of learning in earlier processes.
    pub secs_before: f64,
}

/// Learns the model and writes weights, rows and log.
///
/// # Errors
/// When learning fails or a file cannot be written.
pub fn train(request: &Request<'_>, prepared: Prepared, progress: &mut dyn Observer) -> Result<Ending> {
    let Prepared { dataset, split, model, run, mut provenance, device, checkpoint } = prepared;
    let log = run.file("metrics.jsonl");
    let mut log = match &checkpoint {
        Some(checkpoint) => MetricsLog::resume(&log, checkpoint.stage()?, checkpoint.epoch()?)?,
        None => MetricsLog::create(&log)?,
    };
    let checkpoints = Checkpoints::at(run.checkpoint(), request.experiment.fit.checkpoint_every_secs);
    let checkpoints = match checkpoint {
        Some(checkpoint) => checkpoints.from(checkpoint)?,
        None => checkpoints,
    };
    let mut fit = Fit {
        experiment: request.experiment,
        dataset: &dataset,
        split: &split,
        model: &model,
        device,
        observer: &mut Both { log: &mut log, progress },
        interrupted: request.interrupted,
        checkpoints,
    };
    let learned = fit.run()?;
    let (secs, secs_before) = (fit.checkpoints.secs(), fit.checkpoints.secs_before());
    log.finish()?;
    run.write_model(&model, &learned.tables)?;
    provenance.peak_memory_bytes = peak_memory_bytes();
    if learned.is_whole {
        provenance.fit_secs = Some(secs);
    }
    run.write_provenance(&provenance)?;
    Ok(Ending { is_whole: learned.is_whole, secs_before })
}

struct Both<'a> {
    log: &'a mut MetricsLog,
    progress: &'a mut dyn Observer,
}

impl Observer for Both<'_> {
    fn observe(&mut self, event: &Event<'_>) {
        self.log.observe(event);
        self.progress.observe(event);
    }
}

fn describe(dataset: &Dataset, split: &Split, say: &mut dyn FnMut(&str)) {
    let n = |subset| split.of(subset).len();
    say(&format!(
        "cells: {} ({} train, {} validation, {} test)",
        dataset.cells.len(),
        n(Subset::Training),
        n(Subset::Validation),
        n(Subset::Test)
    ));
    for assay in &dataset.assays {
        say(&format!(
            "modality {}: {} cells × {} features",
            assay.name,
            assay.modality.cells().len(),
            assay.modality.shape().n_features()
        ));
    }
    let patterns = dataset.patterns_by_split(split);
    if patterns.len() > 1 {
        patterns.iter().for_each(|pattern| say(&pattern.sentence()));
    }
}

/// Refuses a run directory that holds the data: replacing it would delete them.
fn ensure_data_are_elsewhere(request: &Request<'_>) -> Result<()> {
    let Ok(out) = request.out.canonicalize() else { return Ok(()) };
    for path in files_on_disk(request.experiment)? {
        ensure!(
            !path.canonicalize()?.starts_with(&out),
            "the data `{}` are in the run directory `{}`, which would be replaced; choose another `--out`",
            path.display(),
            request.out.display()
        );
    }
    Ok(())
}

/// Refuses data that the losses cannot use, before a directory is made.
pub(crate) fn check_targets(model: &Model, dataset: &Dataset) -> Result<()> {
    for (branch, assay) in model.branches.iter().zip(&dataset.assays) {
        assay.modality.check_target(branch.loss.target()).with_context(|| format!("modality `{}`", assay.name))?;
    }
    Ok(())
}

/// Gives libtorch the threads that a spec asks for, and returns its device.
///
/// # Errors
/// When there is no such GPU.
pub fn start_device(fit: &FitSpec) -> Result<Device> {
    match (fit.deterministic, fit.n_threads) {
        (true, _) => tch::set_num_threads(1),
        (false, 0) => {}
        (false, n_threads) => tch::set_num_threads(n_threads as i32),
    }
    let device = device_of(&fit.device)?;
    ensure!(
        fit.precision != Precision::Bf16 || device != Device::Cpu || libtorch::has_bf16(),
        "the spec asks for `fit.precision = \"bf16\"`, but this processor does not multiply such numbers itself and would be \
         slower with them; set `fit.precision = \"float32\"`"
    );
    Ok(device)
}

/// What to know of a precision that the processor multiplies no faster than 32 bits.
fn note_on_precision(precision: Precision, device: Device) -> Result<Option<String>> {
    if precision == Precision::Float32 || device != Device::Cpu {
        return Ok(None);
    }
    let ratio = Precision::Float32.gflops()? / precision.gflops()?;
    Ok((ratio > 1.0).then(|| {
        format!("on this processor products in bf16 take {ratio:.1} times as long as in float32: `fit.precision = \"float32\"` is faster here")
    }))
}

/// The device of a name that the spec's check let through.
///
/// # Errors
/// When there is no such GPU.
fn device_of(name: &str) -> Result<Device> {
    let number = match name {
        "cpu" => return Ok(Device::Cpu),
        "cuda" => 0,
        other => other.trim_start_matches("cuda:").parse().with_context(|| format!("no device is called `{other}`"))?,
    };
    let n_devices = libtorch::cuda().n_devices();
    if number >= n_devices {
        bail!(
            "the spec asks for the device `{name}`, but {n_devices} GPUs were found; set `fit.device = \"cpu\"` or see `cithara doctor`"
        );
    }
    Ok(Device::Cuda(number))
}

fn provenance_of(request: &Request<'_>, run: &RunDirectory, started_secs: u64) -> Result<Provenance> {
    let experiment = request.experiment;
    let spec = std::fs::read_to_string(run.file("spec.toml"))?;
    Ok(Provenance {
        version: env!("CARGO_PKG_VERSION").to_owned(),
        command: request.command.clone(),
        overrides: request.overrides.to_vec(),
        spec_sha256: digest_text(&spec),
        data: files_on_disk(experiment)?.iter().map(|path| digest_file(path)).collect::<Result<_>>()?,
        seed: experiment.seed,
        device: experiment.fit.device.clone(),
        n_threads: tch::get_num_threads(),
        started_secs,
        resumed_secs: Vec::new(),
        fit_secs: None,
        total_secs: None,
        peak_memory_bytes: None,
        components: request.components.clone(),
        plugins: experiment.plugins.libraries.iter().map(|path| digest_file(path)).collect::<Result<_>>()?,
    })
}
