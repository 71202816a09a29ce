//! Cells do not influence each other: the division into minibatches changes no row.

use framework::data::Cohort;
use framework::infer::map_cells;
use framework::model::{Dimensions, Model, build_model};
use framework::{FeatureShape, Features, Minibatch, Part, Statistics, Target};
use serde_json::Value;
use std::path::Path;
use tch::{Device, Kind, Tensor};
use tests_support::dgd::{Published, golden, minibatch};

/// Rows of cells that come a few at a time, one tensor per space.
fn rows(model: &Model, chunks: impl Iterator<Item = Minibatch>) -> Vec<Tensor> {
    let chunks: Vec<Vec<Tensor>> = chunks.map(|cells| map_cells(model, &cells).unwrap()).collect();
    let whole = |space: usize| Tensor::cat(&chunks.iter().map(|rows| &rows[space]).collect::<Vec<_>>(), 0);
    (0..model.spaces.len()).map(whole).collect()
}

/// The largest difference between two sets of rows.
fn difference(left: &[Tensor], right: &[Tensor]) -> f64 {
    left.iter().zip(right).map(|(left, right)| (left - right).abs().max().double_value(&[])).fold(0.0, f64::max)
}

#[test]
fn rows_are_those_of_any_division_in_64_bits() {
    let _alone = crate::alone();
    let file = golden("predict.json");
    let published = Published::new(&file["params"]["covariate"], Kind::Double, &[]);
    let counts = file["counts_test"].as_array().unwrap();
    let divided = |size: usize| {
        let chunks = counts.chunks(size).map(|chunk| minibatch(&Value::Array(chunk.to_vec()), None, Kind::Double));
        rows(&published.model, chunks)
    };
    let whole = divided(6);
    for size in 1..6 {
        let off = difference(&divided(size), &whole);
        assert!(off <= 1e-12, "{size} cells at a time: off by {off}");
    }
}

/// Features of each modality of the wide model.
const WIDE: [i64; 2] = [700, 1500];

/// A model 512 wide, with fresh parameters.
fn wide() -> Model {
    let text = "spec_version = 1\nname = \"wide\"\nseed = 5\n[data]\npath = \"cells.h5mu\"\n\
                [modality.rna]\nkind = \"values\"\ndecoder = { kind = \"branched\", width = 512 }\n\
                [modality.atac]\nkind = \"values\"\ndecoder = { kind = \"branched\", width = 512 }\n\
                [model]\nkind = \"dgd\"\nspecific = 0\n\
                [latent.shared]\nprior = { kind = \"gaussian_mixture\", n_components = 5 }\n[trunk]\nwidth = 512\n";
    let written = registry::Written { path: Path::new("wide.toml"), text, overrides: &[] };
    let catalogue = registry::Catalogue::linked().unwrap();
    let experiment = registry::read(&written, &catalogue).unwrap_or_else(|wrong| panic!("{}", wrong.render(false)));
    let dimensions = WIDE.map(|n| Dimensions {
        shape: FeatureShape::Vector(n),
        training: Statistics::default(),
        all: Statistics::default(),
    });
    let cohort = Cohort { n_cells: 64, n_labels: None, classes: vec![None], conditions: Vec::new() };
    build_model(&experiment, &dimensions, &cohort, Device::Cpu).unwrap()
}

/// Some of 64 cells whose counts are drawn from a seed.
fn some(counts: &[Tensor; 2], start: i64, n: i64) -> Minibatch {
    let features = |counts: &Tensor| Features::Dense(counts.narrow(0, start, n));
    let part = |counts: &Tensor| {
        let (input, target) = (features(counts), Target::new(features(counts)));
        Part { measured: None, input, target, categories: Vec::new() }
    };
    let parts = counts.iter().map(|counts| Some(part(counts))).collect();
    Minibatch { cells: Tensor::arange(n, (Kind::Int64, Device::Cpu)), parts, classes: vec![None] }
}

/// A product of matrices rounds otherwise for other numbers of rows; rows are moved in blocks of a fixed number, so that
/// every bit is the same.
#[test]
fn rows_are_those_of_any_division_of_a_wide_model() {
    let _alone = crate::alone();
    let model = wide();
    tch::manual_seed(3);
    let counts =
        WIDE.map(|n| Tensor::rand([64, n], (Kind::Float, Device::Cpu)).pow_tensor_scalar(8).g_mul_scalar(9.0).floor());
    let divided = |size: i64| {
        let chunks = (0..64).step_by(size as usize).map(|start| some(&counts, start, size.min(64 - start)));
        rows(&model, chunks)
    };
    let whole = divided(64);
    for size in [64, 1, 7, 33] {
        assert_eq!(difference(&divided(size), &whole), 0.0, "{size} cells at a time");
    }
}
