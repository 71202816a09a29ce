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
    /// Values of the entries, of the predictions' kind.
    pub values: Tensor,
    /// Where the entries are; `None`: every place is an entry, as a table of n_cells × n_features.
    places: Option<Places>,
}

/// Where the entries of a sparse target are.
pub struct Places {
    /// The cell of each entry.
    rows: Tensor,
    /// The feature of each entry.
    pub features: Tensor,
    /// The first entry of each cell, and the number of entries: n_cells + 1.
    pub offsets: Tensor,
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
        ensure_same_images(prediction, features)?;
        let prediction = prediction.f_reshape([n_cells, n_features])?;
        let kind = prediction.kind();
        Ok(match features {
            Features::Dense(values) => {
                Stored { values: values.f_reshape([n_cells, n_features])?.f_to_kind(kind)?, places: None, prediction }
            }
            Features::Sparse(sparse) => {
                let rows = sparse.rows();
                Stored {
                    values: sparse.values.f_to_kind(kind)?,
                    places: Some(Places {
                        rows,
                        features: sparse.indices.shallow_clone(),
                        offsets: sparse.offsets.shallow_clone(),
                    }),
                    prediction,
                }
            }
        })
    }

    /// Predictions at the places of the entries.
    ///
    /// # Errors
    /// When an entry is of a feature that is not there.
    pub fn predicted(&self) -> Result<Tensor> {
        let Some(Places { rows, features, .. }) = &self.places else { return Ok(self.prediction.shallow_clone()) };
        let places = (rows * self.prediction.size()[1]).f_add(features)?;
        Ok(self.prediction.f_reshape([-1])?.f_index_select(0, &places)?)
    }

    /// Whether every place is an entry.
    pub fn is_dense(&self) -> bool {
        self.places.is_none()
    }

    /// Where the entries are; `None` where every place is an entry.
    pub fn places(&self) -> Option<&Places> {
        self.places.as_ref()
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
        match &self.places {
            None => sum_features(per_entry),
            Some(Places { rows, .. }) => {
                let form = (per_entry.kind(), per_entry.device());
                Ok(Tensor::f_zeros([self.prediction.size()[0]], form)?.f_index_add(0, rows, per_entry)?)
            }
        }
    }
}

/// Refuses images of another form but as many pixels.
fn ensure_same_images(prediction: &Tensor, features: &Features) -> Result<()> {
    let Features::Dense(target) = features else { return Ok(()) };
    ensure!(
        prediction.dim() != target.dim() || prediction.size() == target.size(),
        "the prediction has shape {:?}, but the target has {:?}; the decoder must return one value per pixel, in the form of \
         the images",
        prediction.size(),
        target.size()
    );
    Ok(())
}

/// Adds up the features of each cell: n_cells × n_features to [n_cells].
pub fn sum_features(values: &Tensor) -> Result<Tensor> {
    Ok(values.f_sum_dim_intlist([1i64].as_slice(), false, None::<Kind>)?)
}

#[cfg(test)]
mod tests {
    use super::*;
    use tch::Device;

    fn images(size: &[i64]) -> Tensor {
        Tensor::rand(size, (Kind::Float, Device::Cpu))
    }

    #[test]
    fn images_are_rows_of_pixels() {
        let (prediction, target) = (images(&[3, 2, 4, 4]), images(&[3, 2, 4, 4]));
        // as convolutions leave them: the channels of a pixel side by side
        let channels_last = prediction.permute([0, 2, 3, 1]).contiguous().permute([0, 3, 1, 2]);
        let stored = Stored::new(&channels_last, &Target::new(Features::Dense(target.shallow_clone()))).unwrap();
        assert_eq!((stored.n_features(), stored.is_dense()), (32.0, true));
        assert_eq!(stored.prediction, prediction.view([3, 32]));
        assert_eq!(stored.values, target.view([3, 32]));
        let sums = stored.sum_entries(&stored.values).unwrap();
        assert!(sums.allclose(&target.sum_dim_intlist([1i64, 2, 3].as_slice(), false, Kind::Float), 1e-6, 0.0, false));
    }

    #[test]
    fn images_of_another_form_are_refused() {
        let target = Target::new(Features::Dense(images(&[3, 2, 4, 4])));
        for size in [vec![3, 1, 8, 4], vec![3, 4, 4, 2], vec![2, 2, 4, 4], vec![3, 31]] {
            assert!(Stored::new(&images(&size), &target).is_err(), "{size:?}");
        }
        assert!(Stored::new(&images(&[3, 32]), &target).is_ok());
    }
}
