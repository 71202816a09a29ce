//! Losses: how far a prediction is from what was measured.

use crate::component::Spec;
use crate::minibatch::{FeatureShape, Target};
use anyhow::{Result, bail};
use serde::{Deserialize, Serialize};
use tch::{Tensor, nn};

/// Which numbers a loss compares predictions with.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum TargetValues {
    /// The values after the modality's steps, whatever they are.
    Processed,
    /// The values after the modality's steps, which must lie in [0, 1].
    UnitInterval,
    /// The raw counts.
    Counts,
    /// Whether the raw count is above 0, as 1 and 0.
    Presence,
    /// Successes among trials, such as methylated among covered reads: the target holds the successes, its
    /// [`trials`](crate::Target::trials) how many there could have been. An entry without trials was not measured, and
    /// the expected value is the share of successes.
    Trials,
}

/// Totals over a modality's cells and features that a loss may need when it is built.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Statistics {
    /// Entries of the matrix: cells × features.
    pub n_entries: f64,
    /// Entries that are not zero.
    pub n_nonzero: f64,
    /// Sum of the raw values (counts where the modality has counts).
    pub raw_sum: f64,
    /// Sum of the values after the steps.
    pub processed_sum: f64,
}

/// What a loss is told when it is built.
#[derive(Debug)]
pub struct LossContext<'a> {
    /// Where its parameters are kept, if it has any.
    pub vars: nn::Path<'a>,
    /// The form of one cell's features.
    pub output: FeatureShape,
    /// Totals over the training cells.
    pub training: Statistics,
    /// Totals over all cells.
    pub all: Statistics,
}

/// Compares predictions of one modality with what was measured.
pub trait Loss: Send {
    /// The numbers that predictions are compared with.
    fn target(&self) -> TargetValues;

    /// Loss of each cell: mean over its features, [n_cells].
    ///
    /// # Errors
    /// When prediction and target differ in shape.
    fn per_cell(&self, prediction: &Tensor, target: &Target) -> Result<Tensor>;

    /// The expected value of each feature, in the units of the target (of [`TargetValues::Trials`]: the share of
    /// successes).
    ///
    /// `totals` is the sum over features of each cell ([n_cells]) for losses whose prediction is a share of it; without
    /// it the shares are returned.
    ///
    /// # Errors
    /// When the prediction does not have the shape that it was built for.
    fn expectation(&self, prediction: &Tensor, totals: Option<&Tensor>) -> Result<Tensor>;

    /// −ln of the probability that one feature of each cell is zero, whatever the others are: [n_cells].
    ///
    /// `features` names the feature of each cell (i64, [n_cells]), `totals` is the sum over features of each cell
    /// ([n_cells]). Features are silenced along its gradient
    /// ([`Silencing`](crate::infer::Silencing)).
    ///
    /// # Errors
    /// When the loss has no such probability, or the shapes differ.
    fn silence(&self, _prediction: &Tensor, _features: &Tensor, _totals: &Tensor) -> Result<Tensor> {
        bail!(
            "this loss has no probability of a zero, so no feature can be silenced; use one of counts, such as `negative_binomial`"
        )
    }
}

/// The table that a loss is built from.
#[typetag::serialize(tag = "kind")]
pub trait LossSpec: Spec {
    /// Makes the loss.
    ///
    /// # Errors
    /// When the data do not suit it.
    fn build(&self, context: &LossContext<'_>) -> Result<Box<dyn Loss>>;
}
