//! What a run would take: shapes, parameters, memory and time, before it is started.

mod memory;

pub(crate) use memory::Sizes;

use crate::run::{check_targets, start_device};
use anyhow::Result;
use framework::data::{Dataset, Opened, Subset};
use framework::fit::{Checkpoints, Event, Fit, Observer, Stage};
use framework::model::{Model, build_model};
use framework::spec::{Experiment, ModelKind};
use serde::{Deserialize, Serialize};
use std::fmt::Write as _;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Instant;

/// Steps before timing starts, and steps timed.
const N_WARM: u64 = 2;
const N_TIMED: u64 = 6;

/// The forecast of a run.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Plan {
    /// Cells in training, validation and test.
    pub n_cells: [usize; 3],
    /// Cells by the modalities that measured them.
    pub patterns: Vec<(String, usize)>,
    /// The same in training, validation and test.
    #[serde(default)]
    pub patterns_by_subset: Vec<(String, [usize; 3])>,
    /// The modalities.
    pub modalities: Vec<PlannedModality>,
    /// Latent spaces: name, width, modalities.
    pub spaces: Vec<(String, i64, Vec<String>)>,
    /// Trainable numbers in decoders, losses and priors.
    pub n_generative_parameters: usize,
    /// Trainable numbers in encoders.
    pub n_inference_parameters: usize,
    /// Predicted peak memory, from sizes.
    pub peak_memory_bytes: u64,
    /// Steps of an epoch of the first stage.
    pub n_steps: u64,
    /// Seconds of an epoch of the first stage, from a few timed steps.
    pub epoch_secs: f64,
    /// Epochs of the first stage, at most.
    pub n_epochs: u64,
    /// Epochs of the stages after it, at most.
    pub n_later_epochs: u64,
}

/// One modality of a plan.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct PlannedModality {
    /// Its name.
    pub name: String,
    /// Cells that it measured.
    pub n_cells: usize,
    /// Features after filtering and selection.
    pub n_features: i64,
    /// Share of the entries that are not zero.
    pub density: f64,
    /// Memory that its measurements hold.
    pub n_bytes: u64,
}

/// Opens the data, builds the model, takes a few steps, and forecasts; with `max_memory`, not beyond the point where more is needed.
///
/// # Errors
/// Whatever would stop the run before it starts to learn, and where the data alone need more memory than there may be.
pub fn plan(experiment: &Experiment, max_memory: Option<u64>) -> Result<Plan> {
    let device = start_device(&experiment.fit)?;
    let Opened { dataset, split, cohort } = Dataset::open_within(experiment, max_memory)?;
    let dimensions = dataset.dimensions(&split.of(Subset::Training))?;
    let model = build_model(experiment, &dimensions, &cohort, device)?;
    check_targets(&model, &dataset)?;
    let sizes = Sizes { experiment, dataset: &dataset, dimensions: &dimensions, model: &model };
    sizes.ensure_within(max_memory)?;
    let peak_memory_bytes = sizes.peak_memory();
    let stop = AtomicBool::new(false);
    let mut watch = StopWatch { stop: &stop, n_steps: 0, done: 0, start: None, secs_per_step: 0.0, n_epochs: 0 };
    Fit {
        experiment,
        dataset: &dataset,
        split: &split,
        model: &model,
        device,
        observer: &mut watch,
        interrupted: &stop,
        checkpoints: Checkpoints::none(),
    }
    .run()?;
    let (n_generative_parameters, n_inference_parameters) = model.n_parameters();
    let patterns = dataset.patterns_by_split(&split);
    let modality = |(assay, dimensions): (&framework::data::Assay, &framework::model::Dimensions)| PlannedModality {
        name: assay.name.clone(),
        n_cells: assay.modality.cells().len(),
        n_features: dimensions.shape.n_features(),
        density: dimensions.all.n_nonzero / dimensions.all.n_entries.max(1.0),
        n_bytes: assay.modality.n_bytes(),
    };
    Ok(Plan {
        n_cells: [Subset::Training, Subset::Validation, Subset::Test].map(|subset| split.of(subset).len()),
        patterns: patterns.iter().map(|pattern| (pattern.name(), pattern.n_cells)).collect(),
        patterns_by_subset: patterns.iter().map(|pattern| (pattern.name(), pattern.by_subset)).collect(),
        modalities: dataset.assays.iter().zip(&dimensions).map(modality).collect(),
        spaces: spaces_of(&model),
        n_generative_parameters,
        n_inference_parameters,
        peak_memory_bytes,
        n_steps: watch.n_steps,
        epoch_secs: watch.secs_per_step * watch.n_steps as f64,
        n_epochs: watch.n_epochs,
        n_later_epochs: match experiment.model.kind {
            ModelKind::Apollo => experiment.fit.encoders.n_epochs,
            ModelKind::Dgd | ModelKind::Autoencoder => 0,
        },
    })
}

fn spaces_of(model: &Model) -> Vec<(String, i64, Vec<String>)> {
    let names = |modalities: &[usize]| modalities.iter().map(|&m| model.branches[m].name.clone()).collect();
    model.spaces.iter().map(|space| (space.name.clone(), space.dim, names(&space.modalities))).collect()
}

struct StopWatch<'a> {
    stop: &'a AtomicBool,
    n_steps: u64,
    n_epochs: u64,
    done: u64,
    start: Option<Instant>,
    secs_per_step: f64,
}

impl Observer for StopWatch<'_> {
    fn observe(&mut self, event: &Event<'_>) {
        match event {
            Event::Started { stage: Stage::Rows | Stage::OneStep | Stage::DecoderOnly, n_steps, n_epochs, .. } => {
                (self.n_steps, self.n_epochs) = (*n_steps, *n_epochs);
            }
            Event::Step { .. } => {
                self.done += 1;
                let n_warm = N_WARM.min(self.n_steps.saturating_sub(1));
                if self.done == n_warm {
                    self.start = Some(Instant::now());
                } else if let Some(start) = self.start {
                    self.secs_per_step = start.elapsed().as_secs_f64() / (self.done - n_warm) as f64;
                }
                if self.done >= N_WARM + N_TIMED || self.done >= self.n_steps {
                    self.stop.store(true, Ordering::Relaxed);
                }
            }
            _ => {}
        }
    }
}

impl Plan {
    /// Seconds of learning at most, if an epoch of later stages takes as long as one of the first.
    pub fn fit_secs(&self) -> f64 {
        self.epoch_secs * (self.n_epochs + self.n_later_epochs) as f64
    }

    /// The plan as lines of text.
    pub fn to_text(&self) -> String {
        let mut text = String::new();
        let [training, validation, test] = self.n_cells;
        let _ = writeln!(text, "cells       {training} train, {validation} validation, {test} test");
        for ((pattern, n_cells), (_, [training, validation, test])) in
            self.patterns.iter().zip(&self.patterns_by_subset)
        {
            let _ = write!(text, "measured    {n_cells} cells by {pattern}");
            let _ = match self.patterns.len() {
                1 => writeln!(text),
                _ => writeln!(text, " ({training} train, {validation} validation, {test} test)"),
            };
        }
        for modality in &self.modalities {
            let PlannedModality { name, n_cells, n_features, density, n_bytes } = modality;
            let size = bytes(*n_bytes);
            let _ = writeln!(
                text,
                "modality    {name}: {n_cells} cells × {n_features} features, {:.1} % not zero, {size}",
                100.0 * density
            );
        }
        for (name, dim, modalities) in &self.spaces {
            let _ = writeln!(text, "latent      {name}: {dim} wide, read by {}", modalities.join(", "));
        }
        let _ = writeln!(
            text,
            "parameters  {} in decoders, losses and priors; {} in encoders",
            self.n_generative_parameters, self.n_inference_parameters
        );
        let _ = writeln!(text, "memory      about {} at the peak", bytes(self.peak_memory_bytes));
        let _ = writeln!(
            text,
            "time        about {:.2} s an epoch ({} steps), at most {:.0} s for the {} epochs of the first stage",
            self.epoch_secs,
            self.n_steps,
            self.epoch_secs * self.n_epochs as f64,
            self.n_epochs
        );
        text
    }
}

fn bytes(n: u64) -> String {
    match n {
        0..1_000_000 => format!("{:.1} kB", n as f64 / 1e3),
        1_000_000..1_000_000_000 => format!("{:.1} MB", n as f64 / 1e6),
        _ => format!("{:.2} GB", n as f64 / 1e9),
    }
}
