//! The stored entries of a target beside the predictions at their places.
//!
//! A loss is written as its sum over all features as if every target were zero, plus a correction for each entry that
//! is not: so a sparse target is never made dense.

use anyhow::{Result, ensure};
use framework::{Features, Target};
use tch::{Kind, Tensor};

/// Predictions of a few cells, and the entries of their target.
pub struct Stored {
    /// All predictions: n_cells × n_features.
    pub prediction: Tensor,
    /// Predictions at the places of the entries.
    pub predicted: Tensor,
    /// Values of the entries, of the predictions' kind.
    pub values: Tensor,
    /// The cell of each entry; `None`: every place is an entry, as a table of n_cells × n_features.
    rows: Option<Tensor>,
}

impl Stored {
    /// Pairs predictions with a target.
    ///
    /// # Errors
    /// When they differ in shape.
    pub fn new(prediction: &Tensor, target: &Target) -> Result<Stored> {
        let features = target.features();
        let (n_cells, n_features) = (features.n_cells(), features.n_features());
        let n_values: i64 = prediction.size().iter().product();
        ensure!(
            prediction.dim() >= 2 && prediction.size()[0] == n_cells && n_values == n_cells * n_features,
            "the prediction has shape {:?}, but the target has {n_cells} cells × {n_features} features; the decoder must \
             return one value per feature",
            prediction.size()
        );
        let prediction = prediction.f_reshape([n_cells, n_features])?;
        let kind = prediction.kind();
        Ok(match features {
            Features::Dense(values) => Stored {
                predicted: prediction.shallow_clone(),
                values: values.f_reshape([n_cells, n_features])?.f_to_kind(kind)?,
                rows: None,
                prediction,
            },
            Features::Sparse(sparse) => {
                let rows = sparse.rows();
                let places = (&rows * n_features).f_add(&sparse.indices)?;
                Stored {
                    predicted: prediction.f_reshape([-1])?.f_index_select(0, &places)?,
                    values: sparse.values.f_to_kind(kind)?,
                    rows: Some(rows),
                    prediction,
                }
            }
        })
    }

    /// Number of features, as a divisor.
    pub fn n_features(&self) -> f64 {
        self.prediction.size()[1].max(1) as f64
    }

    /// Adds up one number per entry for each cell: [n_cells].
    ///
    /// # Errors
    /// When there is not one number per entry.
    pub fn sum_entries(&self, per_entry: &Tensor) -> Result<Tensor> {
        match &self.rows {
            None => sum_features(per_entry),
            Some(rows) => {
                let form = (per_entry.kind(), per_entry.device());
                Ok(Tensor::f_zeros([self.prediction.size()[0]], form)?.f_index_add(0, rows, per_entry)?)
            }
        }
    }
}

/// Adds up the features of each cell: n_cells × n_features to [n_cells].
pub fn sum_features(values: &Tensor) -> Result<Tensor> {
    Ok(values.f_sum_dim_intlist([1i64].as_slice(), false, None::<Kind>)?)
}
