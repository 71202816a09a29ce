//! The same loss in libtorch's operations with autograd: for predictions that are not in the processor's memory, and
//! for losses that are built upon it.

use super::entry::EPSILON;
use crate::losses::stored::{Stored, sum_features};
use anyhow::Result;
use framework::{Features, Target};
use tch::{Kind, Tensor};

/// Negative log-likelihoods, as zeros and what counts above zero add.
pub(in crate::losses) struct Terms {
    /// −ln p(0) of every feature, beside the target.
    pub zeros: Stored,
    /// −ln p(k) + ln p(0) of each entry; 0 where the count is 0.
    pub corrections: Tensor,
}

/// Loss of each cell, summed over its features: [n_cells].
///
/// # Errors
/// When prediction and target differ in shape.
pub(super) fn summed(prediction: &Tensor, target: &Target, dispersion: &Tensor) -> Result<Tensor> {
    let terms = terms(prediction, target, dispersion)?;
    Ok(sum_features(&terms.zeros.prediction)?.f_add(&terms.zeros.sum_entries(&terms.corrections)?)?)
}

/// The terms for predictions of n_cells × n_features and n_features dispersions.
///
/// # Errors
/// When prediction and target differ in shape.
pub(in crate::losses) fn terms(prediction: &Tensor, target: &Target, dispersion: &Tensor) -> Result<Terms> {
    let shares = Stored::new(&prediction.f_softmax(1, None::<Kind>)?, target)?;
    let totals = shares.sum_entries(&shares.values)?;
    let r = dispersion.f_view([1, -1])?;
    let odds = shares.prediction.f_mul(&totals.f_view([-1, 1])?)?.f_add_scalar(EPSILON)?.f_div(&r)?;
    let zeros = Stored::new(&odds.f_log1p()?.f_mul(&r)?, target)?;
    let totals = match target.features() {
        Features::Dense(_) => totals.f_view([-1, 1])?,
        Features::Sparse(sparse) => totals.f_index_select(0, &sparse.rows())?,
    };
    let means = shares.predicted()?.f_mul(&totals)?;
    let corrections = corrections(&shares.values, &means, &of_features(&r, target)?)?;
    Ok(Terms { zeros, corrections })
}

/// One number per feature, beside the entries of a target.
pub(in crate::losses) fn of_features(numbers: &Tensor, target: &Target) -> Result<Tensor> {
    Ok(match target.features() {
        Features::Dense(_) => numbers.f_view([1, -1])?,
        Features::Sparse(sparse) => numbers.f_flatten(0, -1)?.f_index_select(0, &sparse.indices)?,
    })
}

/// In double precision, where lnΓ of large counts loses no digits that matter.
fn corrections(k: &Tensor, m: &Tensor, r: &Tensor) -> Result<Tensor> {
    let [k, means, r] = [k, m, r].map(|tensor| tensor.f_to_kind(Kind::Double));
    let (k, means, r) = (k?, means?, r?);
    let odds = means.f_div(&r.f_add(&means)?.f_add_scalar(EPSILON)?)?.f_add_scalar(EPSILON)?;
    let gammas = k.f_add(&r)?.f_lgamma()?.f_sub(&r.f_lgamma()?)?.f_sub(&k.f_add_scalar(1.0)?.f_lgamma()?)?;
    Ok(gammas.f_add(&k.f_mul(&odds.f_log()?)?)?.f_neg()?.f_to_kind(m.kind())?)
}
