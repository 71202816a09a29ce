//! Small decoder-only models with the parameters that a published model had, for numbers that it gave
//! (multiDGD 0.0.1; `golden/dgd`): 12 and 30 features, a basal space of 4 numbers, and beside it one of 2 for a covariate.

use crate::files::{json, repository};
use framework::data::{Classes, Cohort};
use framework::model::{Dimensions, Model, build_model};
use framework::spec::Experiment;
pub use framework::testing::golden::{PRECISIONS, close, close_to_largest, numbers, tensor};
use framework::{FeatureShape, Features, Minibatch, Part, SparseFeatures, Statistics, Target};
use plugins as _;
use serde_json::Value;
use std::path::Path;
use tch::{Device, Kind, Tensor, no_grad};

/// Features of each modality, in order: `rna` and `atac`.
pub const N_FEATURES: [i64; 2] = [12, 30];

/// Name of the latent space that stands for the covariate.
pub const COVARIATE_SPACE: &str = "cov_site";

/// A golden file of `tests/golden/dgd`.
///
/// # Panics
/// When there is none of that name.
pub fn golden(name: &str) -> Value {
    json(&repository().join("tests/golden/dgd").join(name))
}

/// A published model as one of ours.
pub struct Published {
    /// The spec that it was built from.
    pub experiment: Experiment,
    /// The model, its parameters the published ones.
    pub model: Model,
}

impl Published {
    /// The model of a block of parameters (`gmm.mean`, `decoder.main.0.weight`, …); with a covariate of two classes where
    /// the block has a `correction_gmm`. Overrides are those of `--set`.
    ///
    /// # Panics
    /// When a parameter is missing or has another shape.
    pub fn new(parameters: &Value, kind: Kind, overrides: &[&str]) -> Published {
        let has_covariate = parameters.get("correction_gmm.mean").is_some();
        let experiment = experiment(has_covariate, overrides);
        let classes = |column: &str| Classes {
            column: column.to_owned(),
            names: vec!["a".to_owned(), "b".to_owned()],
            n_added: 0,
        };
        let classes = experiment.latents.values().map(|entry| entry.covariate.as_deref().map(classes)).collect();
        let cohort = Cohort { n_cells: 24, n_labels: None, classes, conditions: Vec::new() };
        let dimensions = N_FEATURES.map(|n| Dimensions {
            shape: FeatureShape::Vector(n),
            training: Statistics::default(),
            all: Statistics::default(),
        });
        let mut model = build_model(&experiment, &dimensions, &cohort, Device::Cpu).expect("a model");
        if kind == Kind::Double {
            model.generative.double();
        }
        for (name, mut variable) in model.generative.variables() {
            let theirs = published_name(&name);
            let values = parameters.get(&theirs).unwrap_or_else(|| panic!("`{theirs}` for `{name}`"));
            let values = tensor(values, kind);
            assert_eq!(values.size(), variable.size(), "{name}");
            no_grad(|| variable.copy_(&values));
        }
        Published { experiment, model }
    }

    /// Place of a latent space.
    ///
    /// # Panics
    /// When there is none of that name.
    pub fn space(&self, name: &str) -> usize {
        self.model.spaces.iter().position(|space| space.name == name).expect("a space")
    }

    /// Names of our parameters with what the published model calls them, ascending.
    pub fn names(&self) -> Vec<(String, String)> {
        let mut names: Vec<_> = self.model.generative.variables().into_keys().collect();
        names.sort();
        names.into_iter().map(|name| (published_name(&name), name)).map(|(theirs, ours)| (ours, theirs)).collect()
    }
}

/// The resolved spec of a model with the published form.
fn experiment(has_covariate: bool, overrides: &[&str]) -> Experiment {
    let covariates = if has_covariate { "[\"site\"]" } else { "[]" };
    let text = format!(
        "spec_version = 1\nname = \"published\"\nseed = 0\n[data]\npath = \"cells.h5mu\"\n\
         [modality.rna]\nkind = \"values\"\ndecoder = {{ kind = \"branched\", width = 4 }}\n\
         [modality.atac]\nkind = \"values\"\ndecoder = {{ kind = \"branched\", width = 4 }}\n\
         [model]\nkind = \"dgd\"\nsettings = \"published\"\nshared = 4\nspecific = 0\ncovariates = {covariates}\n\
         [latent.shared]\nprior = {{ kind = \"gaussian_mixture\", n_components = 3 }}\n\
         [trunk]\nn_layers = 2\nwidth = 4\n"
    );
    let overrides: Vec<String> = overrides.iter().map(|&text| text.to_owned()).collect();
    let written = registry::Written { path: Path::new("published.toml"), text: &text, overrides: &overrides };
    let catalogue = registry::Catalogue::linked().expect("components");
    registry::read(&written, &catalogue).unwrap_or_else(|wrong| panic!("{}", wrong.render(false)))
}

/// What the published model calls a parameter of ours.
fn published_name(ours: &str) -> String {
    let modality = |name: &str| if name == "rna" { 0 } else { 1 };
    let parts: Vec<&str> = ours.split('.').collect();
    match parts.as_slice() {
        ["prior", "shared", rest] => format!("gmm.{rest}"),
        ["prior", _, rest] => format!("correction_gmm.{rest}"),
        ["trunk", layer, rest] => format!("decoder.main.{}.{rest}", 2 * place_of(layer)),
        ["decoder", name, layer, rest] => {
            format!("decoder.out_modules.{}.fc.{}.{rest}", modality(name), 2 * place_of(layer))
        }
        ["loss", name, rest] => format!("decoder.out_modules.{}.distribution.{rest}", modality(name)),
        _ => panic!("no published name of `{ours}`"),
    }
}

/// Place of a layer among those of its network; a branch has two hidden layers.
fn place_of(layer: &str) -> usize {
    match layer.strip_prefix("hidden_") {
        Some(place) => place.parse().expect("a number"),
        None => 2,
    }
}

/// A minibatch of cells × 42 counts, both modalities side by side; `classes` of the covariate where they are known.
///
/// # Panics
/// When a row has another length.
pub fn minibatch(counts: &Value, classes: Option<&[i64]>, kind: Kind) -> Minibatch {
    let rows: Vec<Vec<f64>> = counts.as_array().expect("rows").iter().map(numbers).collect();
    let part = |first: usize, n: usize| {
        let rows = rows.iter().map(|row| &row[first..first + n]);
        let (input, target) = (sparse(rows.clone(), n as i64, kind), sparse(rows, n as i64, kind));
        Some(Part { measured: None, input, target: Target::new(target), categories: Vec::new() })
    };
    let [n_rna, n_atac] = N_FEATURES.map(|n| n as usize);
    let of_covariate = classes.map(Tensor::from_slice);
    Minibatch {
        cells: Tensor::arange(rows.len() as i64, (Kind::Int64, Device::Cpu)),
        parts: vec![part(0, n_rna), part(n_rna, n_atac)],
        classes: vec![None, of_covariate],
    }
}

/// Rows in compressed sparse form.
fn sparse<'a>(rows: impl Iterator<Item = &'a [f64]>, n_features: i64, kind: Kind) -> Features {
    let (mut offsets, mut indices, mut values) = (vec![0i64], Vec::new(), Vec::new());
    for row in rows {
        let stored = row.iter().enumerate().filter(|(_, value)| **value != 0.0);
        for (feature, &value) in stored {
            indices.push(feature as i64);
            values.push(value);
        }
        offsets.push(values.len() as i64);
    }
    Features::Sparse(SparseFeatures {
        offsets: Tensor::from_slice(&offsets),
        indices: Tensor::from_slice(&indices),
        values: Tensor::from_slice(&values).to_kind(kind),
        n_features,
    })
}
