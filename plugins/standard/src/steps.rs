//! Steps: what is done to the values of a modality before a model sees them. Zeros stay zeros.

mod binarize;
mod clr;
mod highly_variable;
mod log1p;
mod log_min_max;
mod normalize_total;
mod tf_idf;

pub use binarize::{Binarize, BinarizeSpec};
pub use clr::{CentredLogRatio, ClrMargin, ClrSpec};
pub use highly_variable::{HighlyVariable, HighlyVariableSpec};
pub use log_min_max::{LogMinMax, LogMinMaxSpec};
pub use log1p::{Log1p, Log1pSpec};
pub use normalize_total::{NormalizeTotal, NormalizeTotalSpec, TargetSum, TargetSumRule};
pub use tf_idf::{TfIdf, TfIdfSpec};

use anyhow::{Result, ensure};
use framework::TrainingBlocks;
use framework::anndata::Csr;
use rayon::prelude::*;

#[cfg(test)]
mod testing;

/// Lets `change` rewrite the stored values of every row; it is given the columns and the values.
fn each_row(matrix: &mut Csr, change: impl Fn(&[u32], &mut [f32]) + Sync) {
    let (mut indices, mut values) = (matrix.indices.as_slice(), matrix.values.as_mut_slice());
    let mut rows = Vec::with_capacity(matrix.n_rows);
    for bounds in matrix.indptr.windows(2) {
        let n = (bounds[1] - bounds[0]) as usize;
        let (of_row, rest) = values.split_at_mut(n);
        rows.push((&indices[..n], of_row));
        (indices, values) = (&indices[n..], rest);
    }
    rows.into_par_iter().for_each(|(columns, values)| change(columns, values));
}

/// Sum of `of` of the stored values of each feature, over the training cells in their order; values below 0 are refused.
fn column_sums(blocks: &mut TrainingBlocks<'_>, of: impl Fn(f64) -> f64) -> Result<Vec<f64>> {
    let mut sums = vec![0.0; blocks.n_columns()];
    for block in blocks {
        let block = block?;
        ensure_at_least(&block, 0.0)?;
        for (column, value) in block.indices.iter().zip(&block.values) {
            sums[*column as usize] += of(f64::from(*value));
        }
    }
    Ok(sums)
}

/// Refuses stored values below `least`.
fn ensure_at_least(matrix: &Csr, least: f32) -> Result<()> {
    let wrong = matrix.values.par_iter().find_first(|value| **value < least);
    ensure!(
        wrong.is_none(),
        "found the value {}, but the step needs values of at least {least}; give it raw counts or the output of a step \
         that leaves none below",
        wrong.copied().unwrap_or_default()
    );
    Ok(())
}

/// Refuses what was learnt from another number of features.
fn ensure_one_per_feature(learnt: &[f64], matrix: &Csr) -> Result<()> {
    ensure!(
        learnt.len() == matrix.n_columns,
        "the step was fitted on {} features, but the matrix has {}",
        learnt.len(),
        matrix.n_columns
    );
    Ok(())
}
