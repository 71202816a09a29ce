//! What a step of a decoder-only model with negative binomial losses costs: seconds per minibatch, part by part, at the
//! widths of the bone marrow data (13,431 genes, 116,490 peaks; Schuster et al. 2024), and over widths and densities.
//!
//! `cargo bench -p cithara-tests --bench dgd_step --profile dev`; two threads. Counts are made up. The table of the
//! sweep is printed, and plotted in `target/dgd_step.svg`; `-- --no-sweep` leaves it out.

mod data;
mod network;
mod plot;

use data::Counts;
use framework::tch::{self, Tensor};
use network::{Gradients, MINIBATCH, Step};
use plot::Point;
use std::time::Instant;
use tests_support::{processor_secs, repository};

const N_THREADS: i32 = 2;
const N_CELLS: usize = 1024;
const N_STEPS: usize = 9;
/// Steps at each width and density of the sweep, of which the least time counts: what else the machine does only adds.
const N_SWEPT: usize = 12;
const MARROW: [(i64, f64); 2] = [(13_431, 0.1), (116_490, 0.03)];
const WIDTHS: [i64; 3] = [5_000, 20_000, 80_000];
const DENSITIES: [f64; 4] = [0.01, 0.03, 0.1, 0.3];

/// Seconds of the parts of a step, in this order.
const PARTS: [&str; 6] =
    ["counts gathered", "decoder forward", "loss: value, slopes", "loss: backward", "decoder backward", "Adam"];

fn main() {
    framework::libtorch::apply_performance_environment();
    tch::set_num_threads(N_THREADS);
    let widths = MARROW.map(|(width, _)| width);
    let counts = MARROW.map(|(width, density)| Counts::new(N_CELLS, width, density, 1));
    let mut step = Step::new(&widths);
    println!("{} parameters, {MINIBATCH} cells × {widths:?} features", step.n_parameters());
    for gradients in [Gradients::Held, Gradients::Handed] {
        let busy = processor_secs();
        let times = (0..N_STEPS).map(|place| timed(|| step.run(&rows(place), &counts, gradients)));
        println!("a minibatch, gradients {gradients:?}: {}", summary(&times.collect::<Vec<_>>()));
        if let (Some(before), Some(after)) = (busy, processor_secs()) {
            println!("  {:.3} s of processor time", (after - before) / N_STEPS as f64);
        }
    }
    let profiles: Vec<_> = (0..N_STEPS).map(|place| step.profile(&rows(place), &counts)).collect();
    for (part, name) in PARTS.iter().enumerate() {
        println!("  {name:<20} {}", summary(&profiles.iter().map(|profile| profile[part]).collect::<Vec<_>>()));
    }
    if std::env::args().all(|argument| argument != "--no-sweep") {
        sweep();
    }
}

/// Least seconds per minibatch with one modality: of the loss with its backward pass, and of everything.
fn sweep() {
    println!("\nfeatures  density  loss        everything");
    let mut lines = Vec::new();
    for width in WIDTHS {
        let mut line = Vec::new();
        for density in DENSITIES {
            let counts = [Counts::new(N_CELLS, width, density, 2)];
            let mut step = Step::new(&[width]);
            let times: Vec<f64> =
                (0..N_SWEPT).map(|place| timed(|| step.run(&rows(place), &counts, Gradients::Handed))).collect();
            let profiles: Vec<_> = (0..N_SWEPT).map(|place| step.profile(&rows(place), &counts)).collect();
            let losses: Vec<f64> = profiles.iter().map(|profile| profile[2] + profile[3]).collect();
            let (loss_secs, step_secs) = (sorted(&losses)[0], sorted(&times)[0]);
            println!("{width:>8}  {density:>7}  {loss_secs:.4} s    {step_secs:.4} s");
            let n_above_zero = density * (MINIBATCH * width) as f64;
            line.push(Point { n_above_zero, loss_secs, step_secs });
        }
        lines.push((format!("{width} features"), line));
    }
    let file = repository().join("target/dgd_step.svg");
    std::fs::write(&file, plot::svg(&lines)).expect("the plot is written");
    println!("plotted in {}", file.display());
}

/// The cells of a minibatch.
fn rows(place: usize) -> Vec<usize> {
    (0..MINIBATCH as usize).map(|row| (place * 331 + row * 7) % N_CELLS).collect()
}

fn timed(work: impl FnOnce() -> Tensor) -> f64 {
    let start = Instant::now();
    assert!(work().double_value(&[]).is_finite(), "the loss is finite");
    start.elapsed().as_secs_f64()
}

fn sorted(times: &[f64]) -> Vec<f64> {
    // The first step allocates.
    let mut times = times[1..].to_vec();
    times.sort_by(f64::total_cmp);
    times
}

fn median(times: &[f64]) -> f64 {
    let times = sorted(times);
    times[times.len() / 2]
}

fn summary(times: &[f64]) -> String {
    format!("median {:.4} s, least {:.4} s", median(times), sorted(times)[0])
}
