//! Learning a model: latent rows with decoders (step 1), encoders (step 2), or all at once (one step).

mod adam;
mod dgd;
mod encoders;
mod events;
mod one_step;
mod rows;
mod stage;
mod step_one;
mod stopping;
mod sums;

pub use adam::{Adam, AdamRule};
pub(crate) use dgd::SteppedRows;
pub use dgd::{DecoderOnly, TriedRows, learn_decoder_only};
pub use encoders::learn_encoders;
pub use events::{Event, NonFinite, Observer, Stage};
pub use one_step::learn_at_once;
pub(crate) use rows::Frozen;
pub use rows::fit_rows;
pub use step_one::learn_rows;
pub use stopping::Window;

use crate::data::{Dataset, Split, Subset};
use crate::latent::LatentTable;
use crate::model::Model;
use crate::seed::Seed;
use crate::spec::{Experiment, ModelKind};
use anyhow::Result;
use std::sync::atomic::{AtomicBool, Ordering};
use tch::Device;

/// Everything that learning works with.
pub struct Fit<'a> {
    /// What is to be done.
    pub experiment: &'a Experiment,
    /// The cells.
    pub dataset: &'a Dataset,
    /// Which cell is used for what.
    pub split: &'a Split,
    /// The model; its parameters change in place.
    pub model: &'a Model,
    /// Where the model is.
    pub device: Device,
    /// Is told what happens.
    pub observer: &'a mut dyn Observer,
    /// Set from outside to stop after the present step.
    pub interrupted: &'a AtomicBool,
}

impl Fit<'_> {
    /// Learns the model as its experiment says; returns the latent rows of step 1, if there is one.
    ///
    /// # Errors
    /// When data cannot be read, a component refuses its input, or a loss is not finite.
    pub fn run(&mut self) -> Result<Vec<LatentTable>> {
        match self.experiment.model.kind {
            ModelKind::Apollo => {
                let tables = learn_rows(self)?;
                if !self.is_interrupted() {
                    learn_encoders(self, &tables)?;
                }
                Ok(tables)
            }
            ModelKind::Dgd => learn_decoder_only(self),
            ModelKind::Autoencoder => {
                learn_at_once(self)?;
                Ok(Vec::new())
            }
        }
    }

    fn seed(&self) -> Seed {
        Seed(self.experiment.seed)
    }

    fn training(&self) -> Vec<usize> {
        self.split.of(Subset::Training)
    }

    fn validation(&self) -> Vec<usize> {
        self.split.of(Subset::Validation)
    }

    fn is_interrupted(&self) -> bool {
        self.interrupted.load(Ordering::Relaxed)
    }
}
