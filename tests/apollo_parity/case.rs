//! A case of the golden values: the same model with the same numbers.

use framework::data::Cohort;
use framework::latent::LatentTable;
use framework::model::{Dimensions, Model, Terms, build_model};
use framework::spec::Experiment;
use framework::testing::golden::{close, close_to_largest, numbers, tensor};
use framework::{FeatureShape, Features, Minibatch, Part, SparseFeatures, Statistics, Target};
use plugins as _;
use serde_json::Value;
use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::path::Path;
use tch::{Device, Kind, Tensor, no_grad};
use tests_support::{json, repository};

/// The golden files, one per model.
pub const NAMES: [&str; 7] = [
    "one_squared_error",
    "one_cross_entropy",
    "two",
    "two_without_shared_decoders",
    "two_with_noise",
    "three",
    "three_without_shared_decoders",
];

/// A case in one precision.
pub struct Case {
    /// The golden file.
    pub file: Value,
    /// Its block of this precision.
    pub expected: Value,
    /// The spec that the model was built from.
    pub experiment: Experiment,
    /// The model, its parameters those of the file.
    pub model: Model,
    /// The precision.
    pub kind: Kind,
    /// Largest relative difference.
    pub tolerance: f64,
    /// What messages call it.
    pub title: String,
}

impl Case {
    /// A case by name and precision.
    pub fn new(name: &str, (block, kind, tolerance): (&str, Kind, f64)) -> Case {
        let file = json(&repository().join("tests/golden/apollo").join(format!("{name}.json")));
        let experiment = experiment(&file);
        let dimensions: Vec<Dimensions> = modalities(&file).iter().map(|name| dimensions(&file, name)).collect();
        let classes = experiment.latents.values().map(|_| None).collect();
        let cohort = Cohort { n_cells: 12, n_labels: None, classes, conditions: Vec::new() };
        let mut model = build_model(&experiment, &dimensions, &cohort, Device::Cpu).expect("a model");
        if kind == Kind::Double {
            model.generative.double();
            model.inference.double();
        }
        let variables = model.variables();
        let n_told = file["parameters"].as_object().unwrap().keys().filter(|name| !name.starts_with("rows.")).count();
        assert_eq!(variables.len(), n_told, "{name}: as many parameters and running averages");
        for (ours, mut variable) in variables {
            let values = oriented(&ours, tensor(&file["parameters"][&ours], kind));
            assert_eq!(values.size(), variable.size(), "{ours}");
            no_grad(|| variable.copy_(&values));
        }
        let (expected, title) = (file[block].clone(), format!("{name}, {block}"));
        Case { file, expected, experiment, model, kind, tolerance, title }
    }

    /// The rows of each space as they are at the start.
    pub fn tables(&self) -> Vec<LatentTable> {
        let optimizer = self.experiment.fit.latent.latent_optimizer;
        let rows = |name: &str| tensor(&self.file["parameters"][&row_name(name)], self.kind);
        self.model.spaces.iter().map(|space| LatentTable::new(rows(&space.name), optimizer)).collect()
    }

    /// The cells of each minibatch.
    pub fn orders(&self) -> Vec<Vec<i64>> {
        let cells = |cells: &Value| cells.as_array().unwrap().iter().map(|cell| cell.as_i64().unwrap()).collect();
        self.file["minibatches"].as_array().unwrap().iter().map(cells).collect()
    }

    /// Some cells, what is mostly zero in sparse form.
    pub fn minibatch(&self, cells: &[i64]) -> Minibatch {
        let part = |branch: &framework::model::Branch| {
            let all = self.file["values"][&branch.name].as_array().unwrap();
            let rows: Vec<Vec<f64>> = cells.iter().map(|&cell| numbers(&all[cell as usize])).collect();
            let features = || match branch.name.as_str() {
                "x" => Features::Dense(Tensor::from_slice2(&rows).to_kind(self.kind)),
                _ => Features::Sparse(sparse(&rows, self.kind)),
            };
            Some(Part { measured: None, input: features(), target: Target::new(features()), categories: Vec::new() })
        };
        let parts = self.model.branches.iter().map(part).collect();
        Minibatch { cells: Tensor::from_slice(cells), parts, classes: Vec::new() }
    }

    /// Wants the terms, and their sum, to be those of a step's first minibatch.
    pub fn compare_terms(&self, terms: &Terms, expected: &Value) {
        let named = expected["terms"].as_object().unwrap();
        for (name, value) in terms.names().zip(terms.values().unbind(0)) {
            close(&value, &named[name], self.tolerance, &format!("{}, {name}", self.title));
        }
        let names = |names: &mut dyn Iterator<Item = &str>| names.map(str::to_owned).collect::<BTreeSet<String>>();
        let (found, told) = (names(&mut terms.names()), names(&mut named.keys().map(String::as_str)));
        assert_eq!(found, told, "{}", self.title);
        close(&terms.total().unwrap(), &expected["total"], self.tolerance, &format!("{}, total", self.title));
    }

    /// Wants the gradient of a total by every trainable tensor of the model that the file has one of to be that one; returns
    /// how many.
    pub fn compare_gradients(&self, by: impl Fn(&[Tensor]) -> Vec<Tensor>, expected: &Value) -> usize {
        let gradients = expected["gradients"].as_object().unwrap();
        let trained: Vec<_> =
            self.model.variables().into_iter().filter(|(name, _)| gradients.contains_key(name)).collect();
        let variables: Vec<Tensor> = trained.iter().map(|(_, variable)| variable.shallow_clone()).collect();
        for ((name, _), gradient) in trained.iter().zip(by(&variables)) {
            let gradient = oriented(name, gradient);
            close_to_largest(
                &gradient,
                &gradients[name],
                self.tolerance,
                &format!("{}, gradient of {name}", self.title),
            );
        }
        trained.len()
    }

    /// Wants every parameter and running average that the file tells of to be as it says; returns how many.
    pub fn compare_parameters(&self, expected: &Value) -> usize {
        let after = expected.as_object().unwrap();
        let told: Vec<_> = self.model.variables().into_iter().filter(|(name, _)| after.contains_key(name)).collect();
        for (name, variable) in &told {
            close_to_largest(
                &oriented(name, variable.detach()),
                &after[name],
                self.tolerance,
                &format!("{}, {name}", self.title),
            );
        }
        told.len()
    }

    /// Wants the rows of every space to be as the file says.
    pub fn compare_rows(&self, tables: &[LatentTable], expected: &Value) {
        for (space, table) in self.model.spaces.iter().zip(tables) {
            let name = row_name(&space.name);
            close_to_largest(table.rows(), &expected[&name], self.tolerance, &format!("{}, {name}", self.title));
        }
    }
}

/// What the golden files call the rows of a space.
pub fn row_name(space: &str) -> String {
    format!("rows.{space}.weight")
}

/// Between [outputs, inputs], as PyTorch keeps every weight, and [inputs, outputs], as first layers of encoders do.
fn oriented(name: &str, values: Tensor) -> Tensor {
    let is_first = name.starts_with("encoder.") && name.ends_with("trunk.0.linear.weight");
    if is_first { values.tr().contiguous() } else { values }
}

/// Names of the modalities of a file, in order.
pub fn modalities(file: &Value) -> Vec<&str> {
    file["modalities"].as_array().unwrap().iter().map(|name| name.as_str().unwrap()).collect()
}

/// Rows of one modality.
pub fn rows(file: &Value, modality: &str) -> Vec<Vec<f64>> {
    file["values"][modality].as_array().unwrap().iter().map(numbers).collect()
}

fn dimensions(file: &Value, modality: &str) -> Dimensions {
    let rows = rows(file, modality);
    let sum: f64 = rows.iter().flatten().sum();
    let n_entries = (rows.len() * rows[0].len()) as f64;
    let n_nonzero = rows.iter().flatten().filter(|value| **value != 0.0).count() as f64;
    let all = Statistics { n_entries, n_nonzero, raw_sum: sum, processed_sum: sum };
    Dimensions { shape: FeatureShape::Vector(rows[0].len() as i64), training: all.clone(), all }
}

fn sparse(rows: &[Vec<f64>], kind: Kind) -> SparseFeatures {
    let stored =
        |row: &Vec<f64>| row.iter().enumerate().filter(|(_, v)| **v != 0.0).map(|(f, v)| (f as i64, *v)).collect();
    let stored: Vec<Vec<(i64, f64)>> = rows.iter().map(stored).collect();
    let mut offsets = vec![0i64];
    stored.iter().for_each(|row| offsets.push(offsets[offsets.len() - 1] + row.len() as i64));
    let (indices, values): (Vec<i64>, Vec<f64>) = stored.into_iter().flatten().unzip();
    SparseFeatures {
        offsets: Tensor::from_slice(&offsets),
        indices: Tensor::from_slice(&indices),
        values: Tensor::from_slice(&values).to_kind(kind),
        n_features: rows[0].len() as i64,
    }
}

/// The resolved spec of a file's model; of one modality, shared decoders are asked for and must not be there.
fn experiment(file: &Value) -> Experiment {
    let names = modalities(file);
    let shared_decoders = names.len() == 1 || file["shared_decoders"].as_bool().unwrap();
    let mut text = String::from("spec_version = 1\nname = \"golden\"\nseed = 0\n[data]\npath = \"cells.h5mu\"\n");
    text.push_str("[model]\nkind = \"apollo\"\nsettings = \"published\"\nshared = 3\nspecific = 2\n");
    let _ = writeln!(text, "shared_decoders = {shared_decoders}");
    for name in &names {
        let loss = match *name {
            "x" => "mse\" }",
            "y" => "bce\", pos_weight = 2.5 }",
            _ => "bce\", pos_weight = \"raw_sum_training\" }",
        };
        let _ = writeln!(text, "[modality.{name}]\nkind = \"values\"\nloss = {{ kind = \"{loss}");
        text.push_str(
            "encoder = { hidden = [6, 5], dropout = 0.0 }\ndecoder = { hidden = [6, 5, 4], dropout = 0.0 }\n",
        );
    }
    let spaces = file["parameters"].as_object().unwrap().keys().filter_map(|name| name.strip_prefix("rows."));
    for space in spaces.filter_map(|name| name.strip_suffix(".weight")) {
        let _ = writeln!(text, "[latent.{space}]\nnoise = {:?}", file["noise"].as_f64().unwrap());
    }
    let written = registry::Written { path: Path::new("golden.toml"), text: &text, overrides: &[] };
    let catalogue = registry::Catalogue::linked().expect("components");
    registry::read(&written, &catalogue).unwrap_or_else(|wrong| panic!("{}", wrong.render(false)))
}
