//! Every built-in component keeps the promises of its trait: one line each, with further tables where it has variants.

use framework::component::{AnySpec, Role, declared};
use framework::testing::{Conformance, all_declarations, small_images};
use plugins as _;
use std::collections::BTreeSet;

/// A network whose hidden numbers are not normalised, with every bias, and one that normalises within each cell.
const ENCODERS: [&str; 2] = [
    "hidden = [16]\nhead_hidden = \"none\"\nnorm = \"none\"\nbias = true\noutput_bias = true",
    "hidden = [16, 8]\nhead_hidden = 5\nnorm = \"layer\"\norder = \"activation_norm\"\ninput_dropout = 0.2",
];
const DECODERS: [&str; 2] = [
    "hidden = [16]\nnorm = \"none\"\nbias = true\noutput_bias = true",
    "hidden = [16, 8]\nnorm = \"layer\"\norder = \"activation_norm\"\ninput_dropout = 0.2",
];
const BRANCHED: [&str; 2] = ["n_hidden = 0", "n_hidden = 1\nwidth = 4\nwidth_factor = 2"];
/// Every way in which the prior over the parameters of a mixture counts.
const MIXTURES: [&str; 2] = [
    "n_components = { at_most = 5 }\ncovariance = \"isotropic\"\nprior_count = \"per_minibatch\"",
    "prior_count = \"once\"\nadaptive = true\ndirichlet_alpha = 2.0",
];
const LABELLED_MIXTURES: [&str; 2] =
    ["class_factor = \"none\"\nprior_count = \"once\"", "prior_count = \"per_minibatch\"\nsd = 0.3"];

/// Few channels, which heads share; no slope.
const CONV_ENCODERS: [&str; 2] = [
    "channels = [3]\nn_channels_out = 4\nhead_channels = \"all\"\nslope = 0.0",
    "n_channels_out = 7\nhead_channels = [3, 4]",
];
const CONV_DECODERS: [&str; 2] =
    ["channels = [3]\nn_channels_in = 4\nslope = 0.0", "n_channels_in = 7\nsigmoid = true"];

/// Role, name, and tables beside the empty one and the example.
const COMPONENTS: &[(Role, &str, &[&str])] = &[
    (Role::Modality, "atac", &[]),
    (Role::Modality, "chromatin_image", &[]),
    (Role::Modality, "protein_image", &[]),
    (Role::Modality, "rna", &[]),
    (Role::Modality, "surface_protein", &[]),
    (Role::Modality, "values", &["standardize = true"]),
    (Role::Encoder, "conv", &CONV_ENCODERS),
    (Role::Encoder, "mlp", &ENCODERS),
    (Role::Decoder, "branched", &BRANCHED),
    (Role::Decoder, "conv", &CONV_DECODERS),
    (Role::Decoder, "mlp", &DECODERS),
    (Role::LatentPrior, "gaussian_mixture", &MIXTURES),
    (Role::LatentPrior, "l2", &["scaling = \"published\""]),
    (Role::LatentPrior, "labelled_mixture", &LABELLED_MIXTURES),
    (Role::LatentPrior, "none", &[]),
    (Role::LatentPrior, "standard_normal", &["kl_scaling = \"published\""]),
    (Role::Loss, "bce", &["pos_weight = 7.5\nundo_pos_weight = false", "pos_weight = \"nonzero_training\""]),
    (Role::Loss, "bernoulli", &[]),
    (Role::Loss, "mse", &[]),
    (Role::Loss, "negative_binomial", &["dispersion = \"exp\""]),
    (Role::Loss, "poisson", &["likelihood = \"without_constant\""]),
    (Role::Loss, "zinb", &["dispersion = \"exp\""]),
    (Role::Step, "binarize", &[]),
    (Role::Step, "clr", &["margin = \"feature\""]),
    (Role::Step, "highly_variable", &["n_features = 3\nn_bins = 2"]),
    (Role::Step, "log1p", &[]),
    (Role::Step, "log_min_max", &[]),
    (Role::Step, "normalize_total", &[]),
    (Role::Step, "tf_idf", &["scale = 1.0"]),
];

/// Modalities that open images.
const OF_IMAGES: [&str; 2] = ["chromatin_image", "protein_image"];

fn check(role: Role) {
    let folder = tempfile::tempdir().unwrap();
    let images = small_images(folder.path(), 13, 16).unwrap();
    for (_, name, tables) in COMPONENTS.iter().filter(|(of, ..)| *of == role) {
        let mut conformance = tables.iter().fold(Conformance::of(role, name), |of, table| of.table(table));
        if OF_IMAGES.contains(name) {
            conformance = conformance.on(&images);
        }
        conformance.check();
    }
}

#[test]
fn modalities_conform() {
    check(Role::Modality);
}

#[test]
fn encoders_conform() {
    check(Role::Encoder);
}

#[test]
fn decoders_conform() {
    check(Role::Decoder);
}

#[test]
fn priors_conform() {
    check(Role::LatentPrior);
}

#[test]
fn losses_conform() {
    check(Role::Loss);
}

#[test]
fn steps_conform() {
    check(Role::Step);
}

#[test]
fn every_component_is_declared_well_and_has_its_line() {
    all_declarations();
    let declared: BTreeSet<_> = declared().map(|info| (info.role, info.name)).collect();
    let lines: BTreeSet<_> = COMPONENTS.iter().map(|(role, name, _)| (*role, *name)).collect();
    assert_eq!(lines, declared);
}

#[test]
fn built_in_components_are_from_here() {
    for info in declared() {
        assert!(info.origin.starts_with("cithara-"), "{} `{}` is from `{}`", info.role, info.name, info.origin);
    }
}

/// The kit checks the tables of those that are linked; here all are.
#[test]
fn what_modalities_use_by_default_is_built_in() {
    for info in declared() {
        let Ok(AnySpec::Modality(spec)) = (info.parse)(toml::Table::new()) else { continue };
        for defaults in [spec.defaults(), spec.published_defaults()] {
            let steps = defaults.steps.iter().map(|(kind, _)| (Role::Step, *kind));
            let (encoder, decoder, loss) = (defaults.encoder.0, defaults.decoder.0, defaults.loss.0);
            let networks = [(Role::Encoder, encoder), (Role::Decoder, decoder), (Role::Loss, loss)];
            for (role, kind) in steps.chain(networks) {
                let is_there = COMPONENTS.iter().any(|(of, name, _)| (*of, *name) == (role, kind));
                assert!(is_there, "the modality `{}` uses the {role} `{kind}`, which is not there", info.name);
            }
        }
    }
}

#[test]
fn a_name_that_is_not_known_is_answered_with_those_that_are() {
    let bce = declared().find(|info| info.name == "bce").unwrap();
    let problem = (bce.parse)("pos_weight = \"raw\"".parse().unwrap()).unwrap_err();
    assert_eq!(problem.key, "pos_weight");
    assert!(problem.message.contains("expected `none`, `raw_sum_all`"), "{problem:?}");
}
