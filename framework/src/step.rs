//! Steps: what is done to the values of a modality before a model sees them.

use crate::component::Spec;
use anndata::Csr;
use anyhow::Result;

/// One preparation of a matrix of cells × features, fitted on training cells and applied to any cells.
///
/// A step either changes values in place or selects features; zeros stay zeros, so that sparse stays sparse.
pub trait Step: Send + Sync {
    /// Learns what it needs from the rows of the training cells.
    ///
    /// `matrix` holds the values as the steps before left them.
    ///
    /// # Errors
    /// When the values are not what the step expects.
    fn fit(&mut self, matrix: &Csr, training: &[usize]) -> Result<()> {
        let (_, _) = (matrix, training);
        Ok(())
    }

    /// Columns to keep, ascending, if the step selects features.
    fn selected(&self) -> Option<&[usize]> {
        None
    }

    /// Changes the stored values of any rows in place.
    ///
    /// # Errors
    /// When the values are not what the step expects.
    fn apply(&self, matrix: &mut Csr) -> Result<()> {
        let _ = matrix;
        Ok(())
    }

    /// What was learnt, for the run directory.
    fn state(&self) -> serde_json::Value {
        serde_json::Value::Null
    }

    /// Takes up what an earlier `state` gave; selections need no state: the features that are left are kept by name.
    ///
    /// # Errors
    /// When the state is not this step's.
    fn restore(&mut self, state: &serde_json::Value) -> Result<()> {
        let _ = state;
        Ok(())
    }
}

/// The table that a step is built from.
#[typetag::serialize(tag = "kind")]
pub trait StepSpec: Spec {
    /// Makes the step, not yet fitted.
    ///
    /// # Errors
    /// When it cannot be made, as where it needs a file that is not there.
    fn build(&self) -> Result<Box<dyn Step>>;
}
