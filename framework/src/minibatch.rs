//! What travels from data to model: the features of a few cells, dense or sparse.

use crate::TargetValues;
use anyhow::{Result, ensure};
use serde::{Deserialize, Serialize};
use std::cell::OnceCell;
use tch::{Device, Kind, Tensor};

/// The form of one cell's features.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum FeatureShape {
    /// `n` numbers per cell.
    Vector(i64),
    /// An image of channels × height × width pixels per cell.
    Image {
        /// Channels.
        channels: i64,
        /// Rows of pixels.
        height: i64,
        /// Columns of pixels.
        width: i64,
    },
}

impl FeatureShape {
    /// Numbers per cell.
    pub fn n_features(&self) -> i64 {
        match self {
            FeatureShape::Vector(n) => *n,
            FeatureShape::Image { channels, height, width } => channels * height * width,
        }
    }
}

/// Rows in compressed sparse form, as tensors.
#[derive(Debug)]
pub struct SparseFeatures {
    /// Start of each row in `indices`, and the end of the last: i64, [n_cells + 1].
    pub offsets: Tensor,
    /// Feature of each entry: i64, [n_entries].
    pub indices: Tensor,
    /// Value of each entry: f32, [n_entries].
    pub values: Tensor,
    /// Features per cell.
    pub n_features: i64,
}

impl SparseFeatures {
    /// Number of cells.
    pub fn n_cells(&self) -> i64 {
        self.offsets.size()[0] - 1
    }

    /// A second handle to the same memory.
    pub fn shallow_clone(&self) -> SparseFeatures {
        SparseFeatures {
            offsets: self.offsets.shallow_clone(),
            indices: self.indices.shallow_clone(),
            values: self.values.shallow_clone(),
            n_features: self.n_features,
        }
    }

    /// The row of each entry: i64, [n_entries].
    pub fn rows(&self) -> Tensor {
        let n = self.n_cells();
        let lengths = self.offsets.narrow(0, 1, n) - self.offsets.narrow(0, 0, n);
        Tensor::arange(n, (Kind::Int64, self.offsets.device())).repeat_interleave_self_tensor(&lengths, 0, None)
    }

    /// The same matrix with a row per feature: `indices` are cells, in rising order. On the host.
    ///
    /// # Errors
    /// When offsets, indices and values do not belong together.
    pub(crate) fn transposed(&self) -> Result<SparseFeatures> {
        let (starts, features) = (Vec::<i64>::try_from(&self.offsets)?, Vec::<i64>::try_from(&self.indices)?);
        let mut offsets = vec![0i64; self.n_features as usize + 1];
        features.iter().for_each(|feature| offsets[*feature as usize + 1] += 1);
        for feature in 0..self.n_features as usize {
            offsets[feature + 1] += offsets[feature];
        }
        let mut next = offsets.clone();
        let (mut cells, mut entries) = (vec![0i64; features.len()], vec![0i64; features.len()]);
        for (cell, bounds) in starts.windows(2).enumerate() {
            for entry in bounds[0]..bounds[1] {
                let place = &mut next[features[entry as usize] as usize];
                (cells[*place as usize], entries[*place as usize]) = (cell as i64, entry);
                *place += 1;
            }
        }
        Ok(SparseFeatures {
            offsets: Tensor::from_slice(&offsets),
            indices: Tensor::from_slice(&cells),
            values: self.values.f_index_select(0, &Tensor::from_slice(&entries))?,
            n_features: self.n_cells(),
        })
    }

    /// Some of the rows, in this order, repeated or not (`rows`: i64).
    pub fn select_rows(&self, rows: &Tensor) -> SparseFeatures {
        let n = self.n_cells();
        let starts = self.offsets.narrow(0, 0, n).index_select(0, rows);
        let lengths = self.offsets.narrow(0, 1, n).index_select(0, rows) - &starts;
        let zero = Tensor::zeros([1], (Kind::Int64, self.offsets.device()));
        let offsets = Tensor::cat(&[zero, lengths.cumsum(0, Kind::Int64)], 0);
        let shift = starts - offsets.narrow(0, 0, rows.size()[0]);
        let shift = shift.repeat_interleave_self_tensor(&lengths, 0, None);
        let entries = Tensor::arange(shift.size()[0], (Kind::Int64, shift.device())) + shift;
        SparseFeatures {
            offsets,
            indices: self.indices.index_select(0, &entries),
            values: self.values.index_select(0, &entries),
            n_features: self.n_features,
        }
    }

    fn to_dense(&self) -> Tensor {
        let n = self.n_cells();
        let mut dense = Tensor::zeros([n * self.n_features], (self.values.kind(), self.values.device()));
        let places = self.rows() * self.n_features + &self.indices;
        let _ = dense.scatter_(0, &places, &self.values);
        dense.view([n, self.n_features])
    }
}

/// The features of a few cells.
#[derive(Debug)]
pub enum Features {
    /// n_cells × n_features, or n_cells × channels × height × width.
    Dense(Tensor),
    /// n_cells rows in compressed sparse form.
    Sparse(SparseFeatures),
}

impl Features {
    /// Number of cells.
    pub fn n_cells(&self) -> i64 {
        match self {
            Features::Dense(tensor) => tensor.size()[0],
            Features::Sparse(sparse) => sparse.n_cells(),
        }
    }

    /// Numbers per cell.
    pub fn n_features(&self) -> i64 {
        match self {
            Features::Dense(tensor) => tensor.size()[1..].iter().product(),
            Features::Sparse(sparse) => sparse.n_features,
        }
    }

    /// Where the numbers are.
    pub fn device(&self) -> Device {
        match self {
            Features::Dense(tensor) => tensor.device(),
            Features::Sparse(sparse) => sparse.values.device(),
        }
    }

    /// The same numbers as one dense tensor (of this minibatch only).
    pub fn to_dense(&self) -> Tensor {
        match self {
            Features::Dense(tensor) => tensor.shallow_clone(),
            Features::Sparse(sparse) => sparse.to_dense(),
        }
    }

    /// The same features on a device; a copy only where they are elsewhere.
    pub fn to_device(&self, device: Device) -> Features {
        match self {
            Features::Dense(tensor) => Features::Dense(tensor.to_device(device)),
            Features::Sparse(sparse) => Features::Sparse(SparseFeatures {
                offsets: sparse.offsets.to_device(device),
                indices: sparse.indices.to_device(device),
                values: sparse.values.to_device(device),
                n_features: sparse.n_features,
            }),
        }
    }

    /// Some of the cells, in this order, repeated or not (`cells`: i64); sparse where they are sparse.
    pub fn select(&self, cells: &Tensor) -> Features {
        match self {
            Features::Dense(tensor) => Features::Dense(tensor.index_select(0, cells)),
            Features::Sparse(sparse) => Features::Sparse(sparse.select_rows(cells)),
        }
    }

    /// A second handle to the same memory.
    pub fn shallow_clone(&self) -> Features {
        match self {
            Features::Dense(tensor) => Features::Dense(tensor.shallow_clone()),
            Features::Sparse(sparse) => Features::Sparse(sparse.shallow_clone()),
        }
    }
}

/// What a loss compares a prediction with.
#[derive(Debug)]
pub struct Target {
    features: Features,
    trials: Option<Features>,
    lacking: Option<Lacking>,
    dense: OnceCell<Tensor>,
}

/// Features that were not measured of any cell.
#[derive(Debug)]
struct Lacking {
    /// Their places: i64, [n_lacking].
    features: Tensor,
    /// The prediction that stands for theirs.
    prediction: f64,
}

impl Lacking {
    fn to_device(&self, device: Device) -> Lacking {
        Lacking { features: self.features.to_device(device), prediction: self.prediction }
    }
}

/// A logarithm, or a logit, of nothing.
const LOG_OF_NOTHING: f64 = -1e4;

impl Target {
    /// A target of these features.
    pub fn new(features: Features) -> Target {
        Target { features, trials: None, lacking: None, dense: OnceCell::new() }
    }

    /// The same target, each entry of it successes among so many trials.
    pub fn with_trials(self, trials: Option<Features>) -> Target {
        Target { trials, ..self }
    }

    /// The same target, these features of it not measured.
    pub fn without(self, features: &[i64], values: TargetValues) -> Target {
        let prediction = match values {
            TargetValues::Counts | TargetValues::Presence | TargetValues::UnitInterval => LOG_OF_NOTHING,
            TargetValues::Processed | TargetValues::Trials => 0.0,
        };
        let lacking = || Lacking { features: Tensor::from_slice(features), prediction };
        Target { lacking: (!features.is_empty()).then(lacking), ..self }
    }

    /// A prediction (n_cells × n_features) in which features that were not measured say the same of every cell, whatever its
    /// row: they move no row and prefer none. Of counts and presences they are predicted to be nothing, so that shares of a
    /// total are those among the measured features.
    ///
    /// # Errors
    /// When the prediction is of fewer features.
    pub fn of_measured(&self, prediction: Tensor) -> Result<Tensor> {
        match &self.lacking {
            None => Ok(prediction),
            Some(Lacking { features, prediction: instead }) => Ok(prediction.f_index_fill(1, features, *instead)?),
        }
    }

    /// How many trials each entry is the successes of; `None` unless the loss asked for them
    /// ([`TargetValues::Trials`](crate::TargetValues::Trials)).
    pub fn trials(&self) -> Option<&Features> {
        self.trials.as_ref()
    }

    /// The features as they came, sparse where they are sparse.
    pub fn features(&self) -> &Features {
        &self.features
    }

    /// The features of this minibatch as one dense tensor, made once: n_cells × n_features (images keep their shape).
    pub fn dense(&self) -> &Tensor {
        self.dense.get_or_init(|| self.features.to_dense())
    }

    /// The target of some of its cells, by place; `None`: of all.
    pub fn select(&self, cells: Option<&Tensor>) -> Target {
        let of = |features: &Features| match cells {
            None => features.shallow_clone(),
            Some(cells) => features.select(cells),
        };
        let lacking = self.lacking.as_ref().map(|lacking| lacking.to_device(lacking.features.device()));
        Target { lacking, ..Target::new(of(&self.features)).with_trials(self.trials.as_ref().map(of)) }
    }

    /// The same target on a device.
    pub fn to_device(&self, device: Device) -> Target {
        let trials = self.trials.as_ref().map(|trials| trials.to_device(device));
        let lacking = self.lacking.as_ref().map(|lacking| lacking.to_device(device));
        Target { lacking, ..Target::new(self.features.to_device(device)).with_trials(trials) }
    }

    /// Sum over the features of each cell: [n_cells].
    pub fn totals(&self) -> Tensor {
        self.dense().flatten(1, -1).sum_dim_intlist([1i64].as_slice(), false, Kind::Float)
    }
}

/// One assay's share of a minibatch.
#[derive(Debug)]
pub struct Part {
    /// Places in the minibatch of the cells that were measured; `None`: all of them.
    pub measured: Option<Tensor>,
    /// What encoders see: preprocessed values of the measured cells.
    pub input: Features,
    /// What the loss compares with: preprocessed values or counts of the measured cells.
    pub target: Target,
    /// For each condition of the model the category of each measured cell: i64, [n_cells]; −1 where it is not known, which only
    /// modalities that are not told the condition may have. Empty where there is no condition.
    pub categories: Vec<Tensor>,
}

/// What an encoder is asked about.
#[derive(Debug, Clone, Copy)]
pub struct Observed<'a> {
    /// What was measured of some cells.
    pub features: &'a Features,
    /// For each condition of the model the category of each of them.
    pub categories: &'a [Tensor],
}

impl Part {
    /// What an encoder is asked about the measured cells.
    pub fn observed(&self) -> Observed<'_> {
        Observed { features: &self.input, categories: &self.categories }
    }

    /// Number of measured cells.
    pub fn n_cells(&self) -> i64 {
        self.input.n_cells()
    }

    /// The rows of `all` (one per cell of the minibatch) that belong to measured cells.
    pub fn measured_rows(&self, all: &Tensor) -> Tensor {
        match &self.measured {
            None => all.shallow_clone(),
            Some(places) => all.index_select(0, places),
        }
    }

    /// Rows of this part and of another that belong to the same cells, in the same order; `None`: all rows of both.
    pub fn common_with(&self, other: &Part, n_cells: i64) -> Option<(Tensor, Tensor)> {
        if self.measured.is_none() && other.measured.is_none() {
            return None;
        }
        let all = Tensor::arange(n_cells, (Kind::Int64, self.input.device()));
        let places = |part: &Part| part.measured.as_ref().unwrap_or(&all).shallow_clone();
        let (own, theirs) = (places(self), places(other));
        let within = |own: &Tensor, other: &Tensor| Tensor::isin(own, other, true, false).nonzero().squeeze_dim(1);
        Some((within(&own, &theirs), within(&theirs, &own)))
    }

    /// The part on a device.
    pub fn to_device(&self, device: Device) -> Part {
        Part {
            measured: self.measured.as_ref().map(|places| places.to_device(device)),
            input: self.input.to_device(device),
            target: self.target.to_device(device),
            categories: self.categories.iter().map(|codes| codes.to_device(device)).collect(),
        }
    }
}

/// A few cells and what each assay measured of them.
#[derive(Debug)]
pub struct Minibatch {
    /// Row of each cell in the latent tables: i64, [n_cells].
    pub cells: Tensor,
    /// One part per modality, in the model's order; `None` where no cell of the minibatch was measured.
    pub parts: Vec<Option<Part>>,
    /// For each latent space the class of each cell in the covariate that the space stands for: i64, [n_cells], −1 where
    /// it is not known; `None` for spaces of no covariate. Empty where no classes are known.
    pub classes: Vec<Option<Tensor>>,
}

impl Minibatch {
    /// Number of cells.
    pub fn n_cells(&self) -> i64 {
        self.cells.size()[0]
    }

    /// The classes of the cells in the covariate of a latent space, where they are known.
    pub fn classes_of(&self, space: usize) -> Option<&Tensor> {
        self.classes.get(space)?.as_ref()
    }

    /// The minibatch on a device.
    pub fn to_device(&self, device: Device) -> Minibatch {
        Minibatch {
            classes: self.classes.iter().map(|all| all.as_ref().map(|all| all.to_device(device))).collect(),
            cells: self.cells.to_device(device),
            parts: self.parts.iter().map(|part| part.as_ref().map(|part| part.to_device(device))).collect(),
        }
    }
}

/// Refuses a prediction whose shape is not the target's, before libtorch would.
///
/// # Errors
/// When the sizes differ.
pub fn ensure_same_shape(prediction: &Tensor, target: &Tensor) -> Result<()> {
    ensure!(
        prediction.size() == target.size(),
        "the prediction has shape {:?} but the target has {:?}; the decoder must return one value per feature",
        prediction.size(),
        target.size()
    );
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sparse() -> Features {
        Features::Sparse(SparseFeatures {
            offsets: Tensor::from_slice(&[0i64, 2, 2, 3]),
            indices: Tensor::from_slice(&[0i64, 3, 1]),
            values: Tensor::from_slice(&[1f32, 2.0, 3.0]),
            n_features: 4,
        })
    }

    #[test]
    fn sparse_rows_become_the_dense_matrix() {
        let features = sparse();
        assert_eq!((features.n_cells(), features.n_features()), (3, 4));
        let dense = Vec::<f32>::try_from(features.to_dense().flatten(0, -1)).unwrap();
        assert_eq!(dense, [1.0, 0.0, 0.0, 2.0, 0.0, 0.0, 0.0, 0.0, 0.0, 3.0, 0.0, 0.0]);
    }

    #[test]
    fn chosen_rows_are_those_of_the_dense_matrix() {
        let features = sparse();
        for rows in [vec![2i64, 0, 0, 1], vec![1], vec![]] {
            let rows = Tensor::from_slice(&rows);
            assert_eq!(features.select(&rows).to_dense(), features.to_dense().index_select(0, &rows));
        }
    }
}
