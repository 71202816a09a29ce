//! The same loss in libtorch's operations, for predictions that are not in the processor's memory.

use super::entry::EPSILON;
use crate::losses::stored::{Stored, sum_features};
use anyhow::Result;
use framework::{Features, Target};
use tch::Tensor;

/// Loss of each cell, summed over its features: [n_cells].
///
/// # Errors
/// When prediction and target differ in shape.
pub(super) fn summed(prediction: &Tensor, target: &Target, dispersion: &Tensor) -> Result<Tensor> {
    let shares = Stored::new(&prediction.f_softmax(1, None::<tch::Kind>)?, target)?;
    let totals = shares.sum_entries(&shares.values)?;
    let r = dispersion.f_view([1, -1])?;
    let odds = shares.prediction.f_mul(&totals.f_view([-1, 1])?)?.f_add_scalar(EPSILON)?.f_div(&r)?;
    let as_if_zero = sum_features(&odds.f_log1p()?.f_mul(&r)?)?;
    let of_entries = |by_feature: &Tensor, by_cell: &Tensor| -> Result<(Tensor, Tensor)> {
        Ok(match target.features() {
            Features::Dense(_) => (by_feature.f_expand_as(&shares.values)?, by_cell.f_view([-1, 1])?),
            Features::Sparse(sparse) => {
                let by_feature = by_feature.f_flatten(0, -1)?.f_index_select(0, &sparse.indices)?;
                (by_feature, by_cell.f_index_select(0, &sparse.rows())?)
            }
        })
    };
    let (r, totals) = of_entries(&r, &totals)?;
    let correction = entries(&shares.values, &shares.predicted.f_mul(&totals)?, &r)?;
    Ok(as_if_zero.f_add(&shares.sum_entries(&correction)?)?)
}

/// −ln p(k) + ln p(0) of counts k with means m and dispersions r, elementwise; 0 where k is 0.
pub(in crate::losses) fn entries(k: &Tensor, m: &Tensor, r: &Tensor) -> Result<Tensor> {
    let odds = m.f_div(&r.f_add(m)?.f_add_scalar(EPSILON)?)?.f_add_scalar(EPSILON)?;
    let gammas = k.f_add(r)?.f_lgamma()?.f_sub(&r.f_lgamma()?)?.f_sub(&k.f_add_scalar(1.0)?.f_lgamma()?)?;
    Ok(gammas.f_add(&k.f_mul(&odds.f_log()?)?)?.f_neg()?)
}
