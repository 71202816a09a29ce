//! A world small enough to know its answers: toy modalities, and a model whose networks are written by hand.

use anndata::{Column, Csr, Frame, NewAnnData, write_new_h5ad};
use anyhow::Result;
use framework::data::{Assay, Dataset, Observations, Split, Subset};
use framework::infer::Trained;
use framework::model::{Branch, Dimensions, Model, Space};
use framework::run::Preparation;
use framework::spec::{DataSpec, EvaluateSpec, Experiment, FitSpec, ModelSpec};
use framework::{
    Alignment, Decoder, Encoder, FeatureShape, Features, Gathered, LatentPrior, Loss, Modality, SparseFeatures,
    Statistics, Target, TargetValues,
};
use indexmap::IndexMap;
use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;
use rand_distr::StandardNormal;
use std::path::PathBuf;
use tch::nn::VarStore;
use tch::{Device, Kind, Tensor};

/// A matrix in memory that hands out dense or sparse rows; counts are the values rounded up.
pub(super) struct Toy {
    cells: Vec<String>,
    features: Vec<String>,
    values: Vec<f32>,
    /// Successes and trials of each value, where there are any.
    trials: Option<[Vec<f32>; 2]>,
    is_sparse: bool,
}

impl Toy {
    pub fn new(values: &[f32], n_columns: usize, is_sparse: bool) -> Toy {
        let names = |prefix: &str, n: usize| (0..n).map(|place| format!("{prefix}{place}")).collect();
        Toy {
            cells: names("cell", values.len() / n_columns),
            features: names("feature", n_columns),
            values: values.to_vec(),
            trials: None,
            is_sparse,
        }
    }

    /// The same, with successes among trials as another target.
    pub fn with_trials(self, successes: &[f32], trials: &[f32]) -> Toy {
        Toy { trials: Some([successes.to_vec(), trials.to_vec()]), ..self }
    }

    fn row(&self, row: usize) -> &[f32] {
        self.row_of(&self.values, row)
    }

    fn row_of<'t>(&self, values: &'t [f32], row: usize) -> &'t [f32] {
        &values[row * self.features.len()..(row + 1) * self.features.len()]
    }

    fn features_of(&self, values: &[f32], rows: &[usize], change: fn(f32) -> f32) -> Features {
        let n_features = self.features.len() as i64;
        let row_of = |row: &usize| self.row_of(values, *row);
        if !self.is_sparse {
            let values: Vec<f32> = rows.iter().flat_map(row_of).map(|value| change(*value)).collect();
            return Features::Dense(Tensor::from_slice(&values).view([-1, n_features]));
        }
        let (mut offsets, mut indices, mut values) = (vec![0i64], Vec::new(), Vec::new());
        for row in rows {
            for (column, value) in row_of(row).iter().enumerate().filter(|(_, value)| **value != 0.0) {
                indices.push(column as i64);
                values.push(change(*value));
            }
            offsets.push(indices.len() as i64);
        }
        let [offsets, indices] = [offsets, indices].map(|numbers| Tensor::from_slice(&numbers));
        Features::Sparse(SparseFeatures { offsets, indices, values: Tensor::from_slice(&values), n_features })
    }
}

impl Modality for Toy {
    fn cells(&self) -> &[String] {
        &self.cells
    }

    fn features(&self) -> &[String] {
        &self.features
    }

    fn shape(&self) -> FeatureShape {
        FeatureShape::Vector(self.features.len() as i64)
    }

    fn keep_cells(&mut self, _rows: &[usize]) -> Result<()> {
        Ok(())
    }

    fn prepare(&mut self, _training: &[usize]) -> Result<()> {
        Ok(())
    }

    fn state(&self) -> serde_json::Value {
        serde_json::Value::Null
    }

    fn restore(&mut self, _state: &serde_json::Value) -> Result<Alignment> {
        Ok(Alignment::default())
    }

    fn statistics(&self, rows: &[usize]) -> Result<Statistics> {
        let values = || rows.iter().flat_map(|row| self.row(*row));
        Ok(Statistics {
            n_entries: (rows.len() * self.features.len()) as f64,
            n_nonzero: values().filter(|value| **value != 0.0).count() as f64,
            raw_sum: values().map(|value| f64::from(value.ceil())).sum(),
            processed_sum: values().map(|value| f64::from(*value)).sum(),
        })
    }

    fn check_target(&self, _values: TargetValues) -> Result<()> {
        Ok(())
    }

    fn gather(&self, rows: &[usize], values: TargetValues) -> Result<Gathered> {
        let target = if values == TargetValues::Counts { f32::ceil } else { |value| value };
        let input = self.features_of(&self.values, rows, |value| value);
        if let (TargetValues::Trials, Some([successes, trials])) = (values, &self.trials) {
            let [successes, trials] = [successes, trials].map(|of| self.features_of(of, rows, |value| value));
            return Ok(Gathered { input, target: successes, trials: Some(trials) });
        }
        Ok(Gathered::new(input, self.features_of(&self.values, rows, target)))
    }

    fn n_bytes(&self) -> u64 {
        0
    }
}

/// The same matrix handed out sparse and dense.
pub(super) fn sparse_and_dense(values: &[f32], n_columns: usize) -> [Toy; 2] {
    [Toy::new(values, n_columns, true), Toy::new(values, n_columns, false)]
}

/// A modality of a data set.
pub(super) fn assay(modality: Toy, rows: Vec<Option<u32>>) -> Assay {
    Assay { name: "toy".to_owned(), modality: Box::new(modality), rows }
}

/// Takes the first two features as shared rows and the third as specific rows.
struct FirstFeatures;

impl Encoder for FirstFeatures {
    fn encode(&self, input: &Features, _condition: Option<&Tensor>, _training: bool) -> Result<Vec<Tensor>> {
        let input = input.to_dense();
        Ok(vec![input.narrow(1, 0, 2), input.narrow(1, 2, 1)])
    }
}

/// Multiplies rows with a matrix.
struct Product(Tensor);

impl Decoder for Product {
    fn decode(&self, latent: &Tensor, _training: bool) -> Result<Tensor> {
        Ok(latent.f_matmul(&self.0)?)
    }
}

/// Compares numbers as they are, counts as shares of a total, or shares of trials with log odds.
struct AsIs(TargetValues);

impl Loss for AsIs {
    fn target(&self) -> TargetValues {
        self.0
    }

    fn per_cell(&self, prediction: &Tensor, target: &Target) -> Result<Tensor> {
        let squares = (prediction - target.dense()).square();
        Ok(squares.mean_dim([1i64].as_slice(), false, Kind::Float))
    }

    fn expectation(&self, prediction: &Tensor, totals: Option<&Tensor>) -> Result<Tensor> {
        match (self.0, totals) {
            (TargetValues::Counts, Some(totals)) => Ok(prediction.softmax(1, Kind::Float) * totals.view([-1, 1])),
            (TargetValues::Trials, _) => Ok(prediction.sigmoid()),
            _ => Ok(prediction.shallow_clone()),
        }
    }
}

struct NoCost;

impl LatentPrior for NoCost {
    fn per_cell(&self, rows: &Tensor) -> Result<Tensor> {
        Ok(Tensor::zeros([rows.size()[0]], (Kind::Float, Device::Cpu)))
    }
}

/// Cells of two assays, their labels, and a model of them.
pub(super) struct World {
    pub trained: Trained,
    pub experiment: Experiment,
    pub dataset: Dataset,
    pub split: Split,
    pub rows: Vec<(String, Tensor)>,
}

/// How a world is made.
#[derive(Clone, Copy)]
pub(super) struct Making {
    pub n_cells: usize,
    /// Whether both assays see the same shared causes; otherwise those of each are its own.
    pub has_shared_signal: bool,
    pub target: TargetValues,
    pub n_test: usize,
}

impl Default for Making {
    fn default() -> Self {
        Making { n_cells: 200, has_shared_signal: true, target: TargetValues::Processed, n_test: 60 }
    }
}

/// What the model knows: features 3 … 5 are mixtures of the first three.
const MIXTURE: [f32; 18] = [
    1.0, 0.0, 0.0, 1.0, 1.0, 0.5, // first shared number
    0.0, 1.0, 0.0, 1.0, -1.0, 0.0, // second shared number
    0.0, 0.0, 1.0, 0.0, 0.0, 0.5, // specific number
];

impl World {
    /// Two assays of 6 features: what the decoder gives for (shared, shared, specific) causes, plus noise of sd 0.1. The
    /// label `type` is the sign of the first shared cause of `x`, `depth` its value, `name` the name of the cell.
    pub fn make(making: Making) -> World {
        let mut random = ChaCha8Rng::seed_from_u64(5);
        let mut normal = move || random.sample::<f64, _>(StandardNormal) as f32;
        let causes: Vec<[f32; 6]> = (0..making.n_cells).map(|_| std::array::from_fn(|_| normal())).collect();
        let own = if making.has_shared_signal { [[0, 1, 2], [0, 1, 3]] } else { [[0, 1, 2], [4, 5, 3]] };
        let mut assays = Vec::new();
        for (name, places) in ["x", "y"].into_iter().zip(own) {
            let row = |causes: &[f32; 6]| mixed(places.map(|place| causes[place]));
            let values: Vec<f32> = causes.iter().flat_map(row).map(|value| value + 0.1 * normal()).collect();
            let rows = (0..making.n_cells as u32).map(Some).collect();
            let toy = Toy::new(&values, 6, name == "x");
            let toy = if making.target == TargetValues::Trials { tried(toy, &values) } else { toy };
            assays.push(Assay { name: name.to_owned(), modality: Box::new(toy), rows });
        }
        let cells: Vec<String> = (0..making.n_cells).map(|cell| format!("cell{cell}")).collect();
        let observations = observations(&cells, &causes);
        let shared: Vec<f32> = causes.iter().flat_map(|causes| [causes[0], causes[1]]).collect();
        let dataset = Dataset { cells, assays, observations, classes: Vec::new(), categories: Vec::new() };
        let subset = |cell| if cell < making.n_test { Subset::Test } else { Subset::Training };
        World {
            trained: trained(making, &dataset),
            experiment: experiment(),
            split: Split::new((0..making.n_cells).map(subset).collect()),
            rows: vec![("shared".to_owned(), Tensor::from_slice(&shared).view([-1, 2]))],
            dataset,
        }
    }
}

/// Successes among 1 to 20 trials of 35 % of the entries, whose chance has the value as log odds. Nothing was measured of
/// cell 3, and of the last feature what two of the first 60 cells and the others hold.
fn tried(toy: Toy, values: &[f32]) -> Toy {
    let mut random = ChaCha8Rng::seed_from_u64(17);
    let (mut successes, mut trials) = (Vec::new(), Vec::new());
    for (place, value) in values.iter().enumerate() {
        let (cell, feature) = (place / 6, place % 6);
        let n = if random.random_bool(0.35) { random.random_range(1..=20) } else { 0 };
        let n = if cell == 3 || (feature == 5 && (2..60).contains(&cell)) { 0 } else { n };
        let n = if feature == 5 && cell < 2 { 4 } else { n };
        let chance = 1.0 / (1.0 + f64::from(-value).exp());
        successes.push((0..n).filter(|_| random.random_bool(chance)).count() as f32);
        trials.push(n as f32);
    }
    toy.with_trials(&successes, &trials)
}

fn mixed(causes: [f32; 3]) -> [f32; 6] {
    std::array::from_fn(|feature| (0..3).map(|cause| causes[cause] * MIXTURE[cause * 6 + feature]).sum())
}

fn trained(making: Making, dataset: &Dataset) -> Trained {
    let space = |name: &str, dim, modalities: &[usize]| Space {
        name: name.to_owned(),
        dim,
        modalities: modalities.to_vec(),
        noise: 0.0,
        is_covariate: false,
        prior: Box::new(NoCost),
    };
    let mixture = || Tensor::from_slice(&MIXTURE).view([3, 6]);
    let branch = |name: &str, specific: usize| Branch {
        name: name.to_owned(),
        reads: vec![0, specific],
        decoder: Box::new(Product(mixture())),
        reads_shared: vec![0],
        shared_decoder: (name == "x").then(|| Box::new(Product(mixture().narrow(0, 0, 2))) as Box<dyn Decoder>),
        loss: Box::new(AsIs(making.target)),
        weight: 1.0,
        encoder: Some(Box::new(FirstFeatures)),
        n_features: 6,
        conditions: Vec::new(),
    };
    let model = Model {
        spaces: vec![space("shared", 2, &[0, 1]), space("x", 1, &[0]), space("y", 1, &[1])],
        branches: vec![branch("x", 1), branch("y", 2)],
        conditions: Vec::new(),
        trunk: None,
        mapping: None,
        generative: VarStore::new(Device::Cpu),
        inference: VarStore::new(Device::Cpu),
        variational: false,
    };
    let all: Vec<usize> = (0..making.n_cells).collect();
    let preparation = |(name, dimensions): (&str, Dimensions)| Preparation {
        modality: name.to_owned(),
        dimensions,
        state: serde_json::Value::Null,
    };
    let preparations = ["x", "y"].into_iter().zip(dataset.dimensions(&all).unwrap()).map(preparation).collect();
    Trained { model, preparations, cohort: framework::data::Cohort::default(), device: Device::Cpu }
}

fn experiment() -> Experiment {
    Experiment {
        name: "toy".to_owned(),
        seed: 1,
        plugins: framework::spec::PluginsSpec::default(),
        data: DataSpec { label: Some("type".to_owned()), ..DataSpec::default() },
        modalities: IndexMap::new(),
        model: ModelSpec::default(),
        latents: IndexMap::new(),
        conditions: IndexMap::new(),
        trunk: framework::spec::TrunkSpec::default(),
        fit: FitSpec::default(),
        evaluate: EvaluateSpec { n_components: 3, ..EvaluateSpec::default() },
    }
}

/// Labels go through a file, as those of users do.
fn observations(cells: &[String], causes: &[[f32; 6]]) -> Observations {
    let text = |of: &dyn Fn(usize) -> String| Column::Text((0..cells.len()).map(|cell| Some(of(cell))).collect());
    let mut obs = Frame::new(cells.to_vec());
    obs.insert("type", text(&|cell| if causes[cell][0] > 0.0 { "up" } else { "down" }.to_owned())).unwrap();
    obs.insert("depth", text(&|cell| causes[cell][0].to_string())).unwrap();
    obs.insert("name", text(&|cell| cells[cell].clone())).unwrap();
    let var = Frame::new(vec!["feature".to_owned()]);
    let path = temporary_file("labels.h5ad");
    write_new_h5ad(&path, &NewAnnData::new(obs, var, Csr::zeros(cells.len(), 1))).unwrap();
    let wanted = ["type", "depth", "name"].map(str::to_owned);
    let observations = Observations::read(&[framework::data::DataFile::new(path.clone())], cells, &wanted).unwrap();
    std::fs::remove_file(path).unwrap();
    observations
}

/// A path that no other test uses.
pub(super) fn temporary_file(name: &str) -> PathBuf {
    use std::sync::atomic::{AtomicUsize, Ordering};
    static NEXT: AtomicUsize = AtomicUsize::new(0);
    let number = NEXT.fetch_add(1, Ordering::Relaxed);
    std::env::temp_dir().join(format!("cithara-evaluate-{}-{number}-{name}", std::process::id()))
}
