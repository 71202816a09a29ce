//! The cells of a minibatch, spread over the processor's threads, one row at a time.

use super::row::{Counts, Dispersions, Row, Wanted};
use crate::losses::by_row::{read, write};
use crate::losses::number::Number;
use anyhow::{Result, ensure};
use framework::{Features, Target};
use rayon::prelude::*;
use tch::{Kind, Tensor};

/// What a minibatch costs and what changes it.
pub(super) struct Slopes {
    /// Loss of each cell, summed over its features: [n_cells].
    pub loss: Tensor,
    /// Slopes of it by predictions, if wanted: n_cells × n_features.
    pub by_prediction: Option<Tensor>,
    /// Slopes of it by dispersions, if wanted: n_cells × n_features.
    pub by_dispersion: Option<Tensor>,
}

/// Views of what belongs to one cell.
struct Cell {
    prediction: Tensor,
    counts: Source,
    by_prediction: Option<Tensor>,
    by_dispersion: Option<Tensor>,
}

/// Where the counts of one cell are.
enum Source {
    /// One per feature.
    All(Tensor),
    /// Features and counts of what is stored.
    Stored(Tensor, Tensor),
}

/// Loss and slopes of these predictions (n_cells × n_features, of kind `T`) with these dispersions ([n_features]).
///
/// # Errors
/// When the target names a feature that is not there, or a count is below zero or not finite.
pub(super) fn slopes<T: Number>(
    prediction: &Tensor,
    target: &Target,
    dispersion: &Tensor,
    wanted: Wanted,
) -> Result<Slopes> {
    let prediction = prediction.detach().f_contiguous()?;
    let n_features = prediction.size()[1] as usize;
    let dispersions = dispersions::<T>(dispersion, prediction.kind())?;
    let table = |is_wanted: bool| is_wanted.then(|| prediction.empty_like());
    let by_prediction = table(wanted != Wanted::Loss);
    let by_dispersion = table(wanted == Wanted::ByAll);
    let sources = sources(target.features())?;
    let cell = |(place, counts): (usize, Source)| {
        let row = |table: &Tensor| table.get(place as i64);
        Cell {
            prediction: row(&prediction),
            counts,
            by_prediction: by_prediction.as_ref().map(row),
            by_dispersion: by_dispersion.as_ref().map(row),
        }
    };
    let cells: Vec<Cell> = sources.into_iter().enumerate().map(cell).collect();
    let losses = cells.into_par_iter().map_init(
        || (Row::new(n_features), Counts::default()),
        |(row, counts), cell| cell.run(row, counts, &dispersions, wanted),
    );
    let losses: Vec<f64> = losses.collect::<Result<_>>()?;
    let loss = Tensor::f_from_slice(&losses)?.f_to_kind(prediction.kind())?;
    Ok(Slopes { loss, by_prediction, by_dispersion })
}

fn dispersions<T: Number>(dispersion: &Tensor, kind: Kind) -> Result<Dispersions<T>> {
    let dispersion = dispersion.detach().f_to_kind(kind)?.f_flatten(0, -1)?;
    let mut r = vec![T::ZERO; dispersion.numel()];
    dispersion.f_copy_data(&mut r, dispersion.numel())?;
    Ok(Dispersions { inverse: r.iter().map(|r| T::ONE / *r).collect(), r })
}

/// The counts of every cell.
fn sources(features: &Features) -> Result<Vec<Source>> {
    let n_cells = features.n_cells();
    match features {
        Features::Dense(all) => {
            let all = all.f_reshape([n_cells, -1])?;
            Ok((0..n_cells).map(|cell| Source::All(all.get(cell))).collect())
        }
        Features::Sparse(sparse) => {
            let offsets = Vec::<i64>::try_from(&sparse.offsets)?;
            let stored = |ends: &[i64]| {
                let of = |all: &Tensor| all.f_narrow(0, ends[0], ends[1] - ends[0]);
                Ok(Source::Stored(of(&sparse.indices)?, of(&sparse.values)?))
            };
            offsets.windows(2).map(stored).collect()
        }
    }
}

impl Cell {
    fn run<T: Number>(
        self,
        row: &mut Row<T>,
        counts: &mut Counts,
        dispersions: &Dispersions<T>,
        wanted: Wanted,
    ) -> Result<f64> {
        let n_features = row.prediction.len();
        self.counts.read(n_features, counts)?;
        read(&self.prediction, &mut row.prediction)?;
        let loss = row.loss(counts, dispersions, wanted);
        if let Some(place) = self.by_prediction {
            write(&row.prediction, &place)?;
        }
        if let Some(place) = self.by_dispersion {
            write(&row.by_dispersion, &place)?;
        }
        Ok(loss)
    }
}

impl Source {
    fn read(&self, n_features: usize, counts: &mut Counts) -> Result<()> {
        let entries = &mut counts.entries;
        entries.clear();
        let numbers = |tensor: &Tensor| Ok::<_, anyhow::Error>(Vec::<f64>::try_from(tensor.f_to_kind(Kind::Double)?)?);
        match self {
            Source::All(all) => entries.extend(numbers(all)?.into_iter().enumerate()),
            Source::Stored(features, values) => {
                let features = Vec::<i64>::try_from(features)?;
                let features = features.into_iter().map(|feature| feature as usize);
                entries.extend(features.zip(numbers(values)?));
            }
        }
        entries.retain(|(_, count)| *count != 0.0);
        for (feature, count) in entries.iter() {
            ensure!(*feature < n_features, "the target has a count of feature {feature}, but there are {n_features}");
            ensure!(
                count.is_finite() && *count > 0.0,
                "feature {feature} has the count {count}, but a negative binomial counts from 0; give it the raw counts"
            );
        }
        counts.total = entries.iter().map(|(_, count)| count).sum();
        Ok(())
    }
}
