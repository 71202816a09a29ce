//! A few steps of step 1 and of step 2 on cells that stay on disk, with what each part of it took.

use crate::{bytes_of, peak_bytes};
use framework::data::{Dataset, Loader, Opened, Split, Subset, visiting_order};
use framework::fit::{Checkpoints, Event, Fit, Observer, learn_encoders};
use framework::model::{Model, build_model};
use framework::spec::{Experiment, Order};
use framework::{Seed, TargetValues};
use registry::{Catalogue, read_file};
use std::ops::ControlFlow;
use std::path::Path;
use std::process::Command;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Instant;
use tch::Device;

/// Cells that are read to measure how fast.
const N_READ: usize = 20_000;

const SPEC: &str = r#"
spec_version = 1
name = "million_cells"
seed = 1

[data]
path = "cells.h5mu"
storage = "disk"
filter_rounds = 1

[modality.rna]
kind = "rna"
min_features_per_cell = 10
encoder = { hidden = [128] }
decoder = { hidden = [128] }

[modality.atac]
kind = "atac"
min_features_per_cell = 10
encoder = { hidden = [128] }
decoder = { hidden = [128] }

[model]
shared = 30
specific = 20

[fit.latent]
n_epochs = 1
minibatch = 256
# costs only the rows of a minibatch, where Adam over the table costs all of them at every step
latent_optimizer = "rowwise_adam"
"#;

/// Opens the cells, reads some of them in two orders, and takes some steps of each kind.
pub fn learn(folder: &Path, n_steps: u64) {
    let storage = std::env::var("STORAGE").unwrap_or_else(|_| "disk".to_owned());
    let spec = folder.join("spec.toml");
    std::fs::write(&spec, SPEC.replace("storage = \"disk\"", &format!("storage = \"{storage}\""))).expect("a spec");
    let catalogue = Catalogue::linked().expect("components");
    let experiment = read_file(&spec, &[], &catalogue).expect("a sound spec");

    let cache = folder.join("cells.h5mu.rows");
    let is_new = !cache.is_dir();
    let start = Instant::now();
    let Opened { dataset, split, cohort } = Dataset::open_for_training(&experiment).expect("cells");
    println!(
        "opened from {storage} in {:.0} s{}, cache {:.2} GB",
        start.elapsed().as_secs_f64(),
        if is_new && storage == "disk" { ", the cache made" } else { "" },
        bytes_of(&cache) as f64 / 1e9
    );
    memory("opening");
    if std::env::var_os("DELETE").is_some() {
        std::fs::remove_file(folder.join("cells.h5mu")).expect("cells to remove");
    }
    let training = split.of(Subset::Training);
    let start = Instant::now();
    let dimensions = dataset.dimensions(&training).expect("statistics");
    let model = build_model(&experiment, &dimensions, &cohort, Device::Cpu).expect("a model");
    println!("model of {} cells in {:.0} s", dataset.cells.len(), start.elapsed().as_secs_f64());
    memory("the model");
    for order in [Order::Reshuffled, Order::BlockShuffled] {
        forget(&cache);
        let secs = read(&dataset, &model, &visiting_order(&training, order, Seed(1), 0));
        let n_read = N_READ.min(training.len());
        println!("reading {order:?}: {n_read} cells in {secs:.1} s, {:.0} a second", n_read as f64 / secs);
    }
    memory("reading");
    let took = Took { experiment: &experiment, opened: (&dataset, &split), model: &model, n_steps };
    let rows = took.steps("step 1", |fit| fit.run().expect("some steps").tables);
    took.steps("step 2", |fit| learn_encoders(fit, &rows).expect("some steps"));
    tell_rest(&experiment, &dataset, &model);
}

/// Steps of learning, each kind of them as many.
struct Took<'a> {
    experiment: &'a Experiment,
    opened: (&'a Dataset, &'a Split),
    model: &'a Model,
    n_steps: u64,
}

impl Took<'_> {
    /// Takes some steps; says what each of them took, and the most memory held until then.
    fn steps<T>(&self, name: &str, learn: impl FnOnce(&mut Fit<'_>) -> T) -> T {
        let stop = AtomicBool::new(false);
        let mut steps = Steps { left: self.n_steps, n_done: 0, stop: &stop, start: Instant::now(), secs: 0.0 };
        let mut fit = Fit {
            experiment: self.experiment,
            dataset: self.opened.0,
            split: self.opened.1,
            model: self.model,
            device: Device::Cpu,
            observer: &mut steps,
            interrupted: &stop,
            checkpoints: Checkpoints::none(),
        };
        let learned = learn(&mut fit);
        println!("{name}: {} steps, {:.2} s each", steps.n_done, steps.secs / (steps.n_done.max(2) - 1) as f64);
        memory(name);
        learned
    }
}

/// Has the system forget what it holds of the cache, so that the disk is measured.
fn forget(cache: &Path) {
    for entry in std::fs::read_dir(cache).into_iter().flatten().flatten() {
        let file = format!("if={}", entry.path().display());
        let _ = Command::new("dd").args([&file, "iflag=nocache", "count=0", "status=none"]).status();
    }
}

/// Seconds in which some cells are read as minibatches.
fn read(dataset: &Dataset, model: &Model, cells: &[usize]) -> f64 {
    let targets: Vec<TargetValues> = model.target_values();
    let loader = Loader { dataset, minibatch: 256, targets: &targets, device: Device::Cpu };
    let start = Instant::now();
    let go_on = |_, _| Ok(ControlFlow::Continue(()));
    loader.for_each(&cells[..N_READ.min(cells.len())], go_on).expect("minibatches");
    start.elapsed().as_secs_f64()
}

fn memory(when: &str) {
    println!("memory after {when}: at most {:.2} GiB", peak_bytes() as f64 / (1u64 << 30) as f64);
}

/// Memory beyond weights and rows, each with gradient, two moments and the best copy.
fn tell_rest(experiment: &Experiment, dataset: &Dataset, model: &Model) {
    let (generative, inference) = model.n_parameters();
    let weights = (generative + inference) as u64 * 4 * 5;
    let dims: i64 = model.spaces.iter().map(|space| space.dim).sum();
    let rows = dims as u64 * dataset.cells.len() as u64 * 4 * 5;
    let gibibytes = |bytes: u64| bytes as f64 / (1u64 << 30) as f64;
    println!(
        "of {:.2} GiB, weights may take {:.2} and rows {:.2}; minibatches of {} cells, the data and the program at least {:.2}",
        gibibytes(peak_bytes()),
        gibibytes(weights),
        gibibytes(rows),
        experiment.fit.latent.minibatch,
        gibibytes(peak_bytes().saturating_sub(weights + rows))
    );
}

struct Steps<'a> {
    left: u64,
    n_done: u64,
    stop: &'a AtomicBool,
    start: Instant,
    secs: f64,
}

impl Observer for Steps<'_> {
    fn observe(&mut self, event: &Event<'_>) {
        let Event::Step { .. } = event else { return };
        self.n_done += 1;
        // the first one is not timed
        if self.n_done == 1 {
            self.start = Instant::now();
        }
        self.secs = self.start.elapsed().as_secs_f64();
        if self.n_done >= self.left {
            self.stop.store(true, Ordering::Relaxed);
        }
    }
}
