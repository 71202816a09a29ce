//! What a minibatch of APOLLO costs: seconds of both steps with all their parts, in 32 and in 16 bits, and how far from the
//! products alone.
//!
//! `cargo bench -p cithara-tests --bench apollo_step --profile dev -- share_seq` (or `cite_seq`, `images`), two threads.
//! Networks are the published ones; what cells measure is made up. `products` are the multiplications of the networks, counted;
//! `peak` is what this machine does of them in one large product, measured at the end.

mod setting;

#[path = "../dgd_step/data.rs"]
mod data;

use framework::fit::{Encoders, RowsAndDecoders};
use framework::latent::LatentTable;
use framework::nn::Precision;
use framework::spec::LatentOptimizer;
use framework::tch::{self, Device, Kind, Tensor};
use plugins as _;
use setting::Setting;
use std::time::Instant;
use tests_support::processor_secs;

const N_THREADS: i32 = 2;
/// Minibatches of each kind, of which the first is not counted.
const N_STEPS: usize = 6;

fn main() {
    framework::libtorch::apply_performance_environment();
    tch::set_num_threads(N_THREADS);
    let wanted: Vec<String> = std::env::args().skip(1).filter(|argument| !argument.starts_with("--")).collect();
    for setting in Setting::all().iter().filter(|setting| wanted.is_empty() || wanted.iter().any(|w| w == setting.name))
    {
        println!("{}: {} cells a minibatch, {}", setting.name, setting.minibatch, setting.describe());
        for precision in [Precision::Float32, Precision::Bf16] {
            measure(setting, precision);
        }
    }
    for (name, precision) in [("float32", Precision::Float32), ("bf16", Precision::Bf16)] {
        println!("peak, {name}: {:.0} GFLOP/s", precision.gflops().expect("numbers"));
    }
}

/// Times both steps.
fn measure(setting: &Setting, precision: Precision) {
    let made = setting.make();
    let (model, minibatches) = (&made.model, &made.minibatches);
    let table = |dim: i64| {
        LatentTable::new(Tensor::randn([setting.n_cells, dim], (Kind::Float, Device::Cpu)), LatentOptimizer::DenseAdam)
    };
    let tables = || model.spaces.iter().map(|space| table(space.dim)).collect::<Vec<_>>();
    let fit = &made.experiment.fit;
    precision.during(|| {
        let mut rows = RowsAndDecoders::new(model, tables(), &fit.latent);
        let step = |place: usize| {
            let minibatch = &minibatches[place % minibatches.len()];
            let (terms, forward) = timed(|| rows.terms(minibatch).expect("terms"));
            let total = terms.total().expect("a total");
            let ((), backward) = timed(|| rows.advance(minibatch, &total).expect("a step"));
            assert!(total.double_value(&[]).is_finite());
            [forward, backward]
        };
        report(&format!("{precision:?}, step 1"), step, made.gflop_step_one());
    });
    let (tables, cells) = (tables(), (0..setting.n_cells as usize).collect::<Vec<_>>());
    precision.during(|| {
        let mut encoders = Encoders::new(model, &tables, &cells, &fit.encoders);
        let step = |place: usize| {
            let minibatch = &minibatches[place % minibatches.len()];
            let (terms, forward) = timed(|| encoders.terms(minibatch).expect("terms"));
            let total = terms.total().expect("a total");
            let ((), backward) = timed(|| encoders.advance(&total).expect("a step"));
            assert!(total.double_value(&[]).is_finite());
            [forward, backward]
        };
        report(&format!("{precision:?}, step 2"), step, made.gflop_step_two());
    });
}

fn timed<T>(work: impl FnOnce() -> T) -> (T, f64) {
    let start = Instant::now();
    let result = work();
    (result, start.elapsed().as_secs_f64())
}

/// Takes the steps and tells their least and median seconds; each has a forward part and the rest.
fn report(name: &str, mut step: impl FnMut(usize) -> [f64; 2], gflop: f64) {
    step(0);
    let before = processor_secs();
    let mut steps: Vec<[f64; 2]> = (1..N_STEPS).map(step).collect();
    let busy = processor_secs().zip(before).map_or(f64::NAN, |(after, before)| (after - before) / steps.len() as f64);
    steps.sort_by(|a, b| (a[0] + a[1]).total_cmp(&(b[0] + b[1])));
    let ([forward, backward], middle) = (steps[0], steps[steps.len() / 2]);
    let secs = forward + backward;
    println!(
        "  {name:<18} least {secs:.3} s (forward and losses {forward:.3}, backward and Adam {backward:.3}), median {:.3} s, \
         processor {busy:.3} s; products {gflop:.0} GFLOP: {:.0} GFLOP/s",
        middle[0] + middle[1],
        gflop / secs
    );
}
