//! The cells of a minibatch, spread over the processor's threads, one row at a time.

use super::row::{Entry, Row};
use crate::losses::by_row::{read, write};
use crate::losses::number::Number;
use crate::losses::stored::Places;
use anyhow::{Result, ensure};
use rayon::prelude::*;
use tch::Tensor;

/// What a minibatch costs and what changes it.
pub(super) struct Slopes {
    /// Loss of each cell, summed over its features: [n_cells].
    pub loss: Tensor,
    /// Slopes of it by predictions, if wanted: n_cells × n_features.
    pub by_prediction: Option<Tensor>,
}

/// Views of what belongs to one cell.
struct Cell<'a, T> {
    prediction: Tensor,
    features: &'a [i64],
    targets: &'a [T],
    slopes: Option<Tensor>,
}

/// Loss and slopes of these predictions (n_cells × n_features, of kind `T`) for entries with these targets, of which those of
/// ones weigh so much.
///
/// # Errors
/// When there is not one target per entry, or a feature is not there.
pub(super) fn slopes<T: Number>(
    prediction: &Tensor,
    places: &Places,
    (targets, weight): (&Tensor, f64),
    wants_slopes: bool,
) -> Result<Slopes> {
    let prediction = prediction.detach().f_contiguous()?;
    let n_features = prediction.size()[1] as usize;
    let by_prediction = wants_slopes.then(|| prediction.empty_like());
    let features = Vec::<i64>::try_from(&places.features)?;
    let offsets = Vec::<i64>::try_from(&places.offsets)?;
    let mut values = vec![T::default(); targets.numel()];
    targets.f_copy_data(&mut values, targets.numel())?;
    let is_there = |feature: &i64| usize::try_from(*feature).is_ok_and(|feature| feature < n_features);
    ensure!(values.len() == features.len(), "{} targets are given for {} entries", values.len(), features.len());
    ensure!(features.iter().all(is_there), "the target has an entry of a feature beyond the last, {n_features}");
    let cell = |(place, ends): (usize, &[i64])| {
        let of = ends[0] as usize..ends[1] as usize;
        let slopes = by_prediction.as_ref().map(|table| table.get(place as i64));
        Cell { prediction: prediction.get(place as i64), features: &features[of.clone()], targets: &values[of], slopes }
    };
    let cells: Vec<Cell<'_, T>> = offsets.windows(2).enumerate().map(cell).collect();
    let losses = cells.into_par_iter().map_init(|| Row::new(n_features), |row, cell| cell.run(row, weight));
    // all are gathered first, so that of several errors the first is told
    let losses: Vec<Result<f64>> = losses.collect();
    let losses = losses.into_iter().collect::<Result<Vec<f64>>>()?;
    Ok(Slopes { loss: Tensor::f_from_slice(&losses)?.f_to_kind(prediction.kind())?, by_prediction })
}

impl<T: Number> Cell<'_, T> {
    fn run(self, row: &mut Row<T>, weight: f64) -> Result<f64> {
        read(&self.prediction, &mut row.logits)?;
        let mut loss = row.as_if_zero();
        for (&feature, &target) in self.features.iter().zip(self.targets) {
            let feature = feature as usize;
            let entry = Entry::new(row.logits[feature].double(), target.double(), weight);
            loss += entry.value;
            row.slopes[feature] += T::of(entry.slope);
        }
        if let Some(slopes) = self.slopes {
            write(&row.slopes, &slopes)?;
        }
        Ok(loss)
    }
}
