//! Initial values: the same draws in the same order.

use framework::nn::Trunk;
use framework::{CellFacts, DecoderContext, FeatureShape, LossContext, PriorContext, Statistics};
use tch::nn::VarStore;
use tch::{Device, Kind};
use tests_support::dgd::{COVARIATE_SPACE, N_FEATURES, Published, close_to_largest, golden};

/// Priors, trunk, then the decoders, as a model is built; `build_model` draws them from a seed of its own.
#[test]
fn initial_values_are_those_of_the_published_seed() {
    let _alone = crate::alone();
    let expected = &golden("init_seed0.json")["f32"];
    let published = Published::new(expected, Kind::Float, &[]);
    let experiment = &published.experiment;
    tch::manual_seed(0);
    let drawn = VarStore::new(Device::Cpu);
    for (name, entry) in &experiment.latents {
        let n_classes = (name == COVARIATE_SPACE).then_some(2);
        let cells = CellFacts { n_cells: 24, n_labels: None, n_classes, n_added: 0 };
        let context = PriorContext { vars: drawn.root() / "prior" / name, dim: entry.dim, cells };
        let _ = entry.prior.build(&context).unwrap();
    }
    let n_inputs = experiment.latents.values().map(|entry| entry.dim).sum();
    let trunk = &experiment.trunk;
    let _ = Trunk::new(&(drawn.root() / "trunk"), n_inputs, trunk.n_layers, trunk.width).unwrap();
    for ((name, entry), n_features) in experiment.modalities.iter().zip(N_FEATURES) {
        let vars = drawn.root() / "decoder" / name;
        let output = FeatureShape::Vector(n_features);
        let _ = entry.decoder.build(&DecoderContext { vars, n_latent: trunk.width, output: output.clone() }).unwrap();
        let (training, all) = (Statistics::default(), Statistics::default());
        let vars = drawn.root() / "loss" / name;
        let _ = entry.loss.build(&LossContext { vars, output, training, all }).unwrap();
    }
    let drawn = drawn.variables();
    for (ours, theirs) in published.names() {
        close_to_largest(&drawn[&ours], &expected[&theirs], 1e-6, &theirs);
    }
}
