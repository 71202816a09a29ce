//! What the guard around components and the loaded door cost: nanoseconds per call, and as a share of a minibatch.
//!
//! `cargo bench -p cithara-tests --bench doors --profile dev` (the profile that everything else is compiled with)

use framework::component::AnySpec;
use framework::tch::nn::VarStore;
use framework::tch::{Device, Kind, Tensor};
use framework::{DecoderContext, FeatureShape, Features, Loss, LossContext, Role, Statistics, Target, TargetValues};
use plugins as _;
use registry::Catalogue;
use std::hint::black_box;
use std::path::PathBuf;
use std::time::Instant;
use tests_support::{command_in, repository};

const N_CALLS: u32 = 1_000_000;
const N_ROUNDS: usize = 7;
/// Guarded calls of a minibatch of APOLLO with two modalities: rows gathered (2), decoders (4), losses (4), priors (6).
const N_CALLS_PER_MINIBATCH: f64 = 16.0;

/// A loss that nothing guards.
struct Bare;

impl Loss for Bare {
    fn target(&self) -> TargetValues {
        TargetValues::Processed
    }

    fn per_cell(&self, prediction: &Tensor, _target: &Target) -> framework::anyhow::Result<Tensor> {
        Ok(prediction.shallow_clone())
    }

    fn expectation(&self, prediction: &Tensor, _totals: Option<&Tensor>) -> framework::anyhow::Result<Tensor> {
        Ok(prediction.shallow_clone())
    }
}

fn parsed(catalogue: &Catalogue, role: Role, name: &str) -> AnySpec {
    (catalogue.get(role, name).expect("a component").parse)(toml::Table::new()).expect("its defaults")
}

fn loss(catalogue: &Catalogue, name: &str, vars: &VarStore) -> Box<dyn Loss> {
    let AnySpec::Loss(spec) = parsed(catalogue, Role::Loss, name) else { panic!("a loss") };
    let (training, all) = (Statistics::default(), Statistics::default());
    spec.build(&LossContext { vars: vars.root(), output: FeatureShape::Vector(500), training, all }).expect("a loss")
}

fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    values[values.len() / 2]
}

/// Nanoseconds of a call that does next to nothing.
fn nanoseconds(loss: &dyn Loss) -> f64 {
    let start = Instant::now();
    for _ in 0..N_CALLS {
        black_box(black_box(loss).target());
    }
    start.elapsed().as_nanos() as f64 / f64::from(N_CALLS)
}

/// Nanoseconds of one decoder and one loss, forward and backward: 256 cells, 500 features, hidden layers of 256.
fn minibatch(catalogue: &Catalogue) -> f64 {
    let vars = VarStore::new(Device::Cpu);
    let AnySpec::Decoder(spec) = parsed(catalogue, Role::Decoder, "mlp") else { panic!("a decoder") };
    let context = DecoderContext { vars: vars.root(), n_latent: 70, output: FeatureShape::Vector(500) };
    let (decoder, loss) = (spec.build(&context).expect("a decoder"), loss(catalogue, "mse", &vars));
    let normal = |n: i64| Tensor::randn([256, n], (Kind::Float, Device::Cpu));
    let (rows, target) = (normal(70), Target::new(Features::Dense(normal(500))));
    let once = || {
        let start = Instant::now();
        let prediction = decoder.decode(&rows, true).expect("a prediction");
        loss.per_cell(&prediction, &target).expect("a loss").mean(None::<Kind>).backward();
        start.elapsed().as_nanos() as f64
    };
    median((0..30).map(|_| once()).collect())
}

fn main() {
    let folder = repository().join("examples/plugin/electrophysiology");
    let built = command_in(&folder, "cithara").args(["plugins", "build", "."]).output().expect("cithara starts");
    let library = PathBuf::from(String::from_utf8_lossy(&built.stdout).trim());
    let mut catalogue = Catalogue::linked().expect("components");
    catalogue.load(&library).expect("the plugin loads");
    let vars = VarStore::new(Device::Cpu);
    let losses: [(&str, Box<dyn Loss>); 3] = [
        ("bare", Box::new(Bare)),
        ("guarded, compiled in", loss(&catalogue, "mse", &vars)),
        ("guarded, loaded", loss(&catalogue, "student_t", &vars)),
    ];
    let mut times = vec![Vec::new(); losses.len()];
    for _ in 0..N_ROUNDS {
        for ((_, loss), times) in losses.iter().zip(&mut times) {
            times.push(nanoseconds(loss.as_ref()));
        }
    }
    let minibatch = minibatch(&catalogue);
    let bytes = std::fs::metadata(&library).expect("the library").len();
    println!("one decoder and loss, 256 cells × 500 features: {:.2} ms", minibatch / 1e6);
    for ((name, _), times) in losses.iter().zip(times) {
        let time = median(times);
        let share = 100.0 * time * N_CALLS_PER_MINIBATCH / minibatch;
        println!("{name:<22} {time:6.1} ns a call; {share:.5} % of that for {N_CALLS_PER_MINIBATCH} calls");
    }
    println!("the library: {:.1} MB", bytes as f64 / 1e6);
}
