//! The sizes that are timed, and models and minibatches of them.

use crate::data::Counts;
use framework::data::Cohort;
use framework::model::{Dimensions, Model, build_model};
use framework::spec::Experiment;
use framework::tch::{Device, Kind, Tensor};
use framework::{FeatureShape, Features, Minibatch, Part, SparseFeatures, Statistics, Target};
use std::fmt::Write as _;
use std::path::Path;

/// Minibatches that are visited in turn.
const N_MINIBATCHES: usize = 2;

/// One assay of a setting.
#[derive(Debug, Clone, Copy)]
pub enum Assay {
    /// Features and the share of them that is not zero in a cell.
    Counts(i64, f64),
    /// Side of the crop.
    Image(i64),
}

/// A size that is timed.
pub struct Setting {
    /// Its name on the command line.
    pub name: &'static str,
    /// Cells a minibatch, as published.
    pub minibatch: usize,
    /// Cells that have rows.
    pub n_cells: i64,
    /// What is measured.
    pub assays: Vec<Assay>,
}

/// A model and what it learns from.
pub struct Made {
    pub experiment: Experiment,
    pub model: Model,
    pub minibatches: Vec<Minibatch>,
    n_cells: i64,
    /// Side of the images, where there are any.
    side: f64,
}

impl Setting {
    /// SHARE-seq of mouse skin, CITE-seq of blood cells, and images of chromatin with a protein.
    pub fn all() -> [Setting; 3] {
        [
            Setting {
                name: "share_seq",
                minibatch: 512,
                n_cells: 28_098,
                assays: vec![Assay::Counts(9_153, 0.08), Assay::Counts(58_170, 0.03)],
            },
            Setting {
                name: "cite_seq",
                minibatch: 512,
                n_cells: 6_855,
                assays: vec![Assay::Counts(4_000, 0.1), Assay::Counts(14, 0.9)],
            },
            Setting { name: "images", minibatch: 128, n_cells: 29_174, assays: vec![Assay::Image(128); 2] },
        ]
    }

    /// What is measured, in words.
    pub fn describe(&self) -> String {
        let assay = |assay: &Assay| match assay {
            Assay::Counts(n, density) => format!("{n} features of which {:.0} % are not zero", 100.0 * density),
            Assay::Image(side) => format!("images of {side} × {side}"),
        };
        self.assays.iter().map(assay).collect::<Vec<_>>().join(", ")
    }

    /// A model with its first minibatches.
    pub fn make(&self) -> Made {
        let experiment = self.experiment();
        let dimensions: Vec<Dimensions> = self.assays.iter().map(dimensions).collect();
        let classes = experiment.latents.values().map(|_| None).collect();
        let cohort = Cohort { n_cells: self.n_cells as usize, n_labels: None, classes, conditions: Vec::new() };
        let model = build_model(&experiment, &dimensions, &cohort, Device::Cpu).expect("a model");
        let minibatches = (0..N_MINIBATCHES).map(|place| self.minibatch(place)).collect();
        let side = (model.branches[0].n_features as f64).sqrt();
        Made { experiment, model, minibatches, n_cells: self.minibatch as i64, side }
    }

    fn experiment(&self) -> Experiment {
        let mut text = String::from("spec_version = 1\nname = \"bench\"\nseed = 0\n[data]\npath = \"cells.h5mu\"\n");
        text.push_str("[model]\nkind = \"apollo\"\nsettings = \"published\"\n");
        for (place, assay) in self.assays.iter().enumerate() {
            let _ = match assay {
                Assay::Counts(..) => writeln!(text, "[modality.m{place}]\nkind = \"atac\""),
                Assay::Image(_) => writeln!(text, "[modality.m{place}]\nkind = \"chromatin_image\""),
            };
        }
        let written = registry::Written { path: Path::new("bench.toml"), text: &text, overrides: &[] };
        let catalogue = registry::Catalogue::linked().expect("components");
        registry::read(&written, &catalogue).unwrap_or_else(|wrong| panic!("{}", wrong.render(false)))
    }

    fn minibatch(&self, place: usize) -> Minibatch {
        let part = |assay: &Assay| {
            let features = match *assay {
                Assay::Counts(n, density) => {
                    unit_interval(&Counts::new(self.minibatch, n, density, place as u64), self.minibatch)
                }
                Assay::Image(side) => {
                    Features::Dense(Tensor::rand([self.minibatch as i64, 1, side, side], (Kind::Float, Device::Cpu)))
                }
            };
            let target = Target::new(features.shallow_clone());
            Some(Part { measured: None, input: features, target, categories: Vec::new() })
        };
        let first = (place * self.minibatch) as i64;
        Minibatch {
            cells: Tensor::arange_start(first, first + self.minibatch as i64, (Kind::Int64, Device::Cpu)),
            parts: self.assays.iter().map(part).collect(),
            classes: Vec::new(),
        }
    }
}

/// Counts scaled to [0, 1], zeros stay zeros.
fn unit_interval(counts: &Counts, n_cells: usize) -> Features {
    let target = counts.target(&(0..n_cells).collect::<Vec<_>>());
    let Features::Sparse(sparse) = target.features() else { unreachable!("counts are sparse") };
    let values = &sparse.values / sparse.values.max();
    let (offsets, indices) = (sparse.offsets.shallow_clone(), sparse.indices.shallow_clone());
    Features::Sparse(SparseFeatures { offsets, indices, values, n_features: sparse.n_features })
}

fn dimensions(assay: &Assay) -> Dimensions {
    let (shape, density) = match *assay {
        Assay::Counts(n, density) => (FeatureShape::Vector(n), density),
        Assay::Image(side) => (FeatureShape::Image { channels: 1, height: side, width: side }, 1.0),
    };
    let n_entries = 1000.0 * shape.n_features() as f64;
    let all = Statistics {
        n_entries,
        n_nonzero: density * n_entries,
        raw_sum: 2.0 * density * n_entries,
        processed_sum: density * n_entries,
    };
    Dimensions { shape, training: all.clone(), all }
}

impl Made {
    /// Billions of operations of a minibatch of step 1: every weight is multiplied with every cell's numbers forward, and twice
    /// backward.
    pub fn gflop_step_one(&self) -> f64 {
        self.gflop("decoder")
    }

    /// The same of step 2, where the first layer of an encoder of counts, whose work follows what is stored, is left out.
    pub fn gflop_step_two(&self) -> f64 {
        self.gflop("encoder")
    }

    fn gflop(&self, networks: &str) -> f64 {
        let variables = self.model.variables().into_iter();
        let of_networks =
            variables.filter(|(name, _)| name.contains(networks) && !name.ends_with("trunk.0.linear.weight"));
        let n_products: f64 =
            of_networks.map(|(name, tensor)| tensor.numel() as f64 * self.n_places(&name, &tensor)).sum();
        3.0 * 2.0 * self.n_cells as f64 * n_products / 1e9
    }

    /// How often the numbers of a tensor are multiplied with those of a cell: kernels at every pixel of the smaller of their
    /// maps, weights of linear layers once, others never.
    fn n_places(&self, name: &str, tensor: &Tensor) -> f64 {
        match tensor.dim() {
            2 => 1.0,
            4 => {
                let place = name.split('.').find_map(|part| part.parse::<i32>().ok()).expect("the layer's number");
                let is_decoder = name.contains("decoder");
                let side = if is_decoder { 4.0 * 2f64.powi(place) } else { self.side / 2f64.powi(place + 1) };
                side.powi(2)
            }
            _ => 0.0,
        }
    }
}
