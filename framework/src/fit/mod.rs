//! Learning a model: latent rows with decoders (step 1), encoders (step 2), or all at once (one step).

mod adam;
mod checkpoint;
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
pub(crate) use checkpoint::Remember;
pub use checkpoint::{Checkpoint, Checkpoints};
pub(crate) use dgd::SteppedRows;
pub use dgd::{DecoderOnly, TriedRows, learn_decoder_only};
pub use encoders::{Encoders, learn_encoders};
pub use events::{Event, NonFinite, Observer, Stage};
pub use one_step::learn_at_once;
pub(crate) use rows::Frozen;
pub use rows::fit_rows;
pub use step_one::{RowsAndDecoders, learn_rows};
pub use stopping::Window;

use crate::data::{Dataset, Split, Subset};
use crate::latent::LatentTable;
use crate::model::Model;
use crate::seed::Seed;
use crate::spec::{Experiment, ModelKind};
use anyhow::Result;
use std::sync::atomic::AtomicBool;
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
    /// What is kept on the way, and from where learning goes on.
    pub checkpoints: Checkpoints,
}

/// What was learned, beside the model's parameters.
pub struct Learned {
    /// The rows of each space; none where a model has none.
    pub tables: Vec<LatentTable>,
    /// Whether learning came to its end; if not, it was interrupted and can go on from its checkpoint.
    pub is_whole: bool,
}

impl Fit<'_> {
    /// Learns the model as its experiment says.
    ///
    /// # Errors
    /// When data cannot be read, a component refuses its input, or a loss is not finite.
    pub fn run(&mut self) -> Result<Learned> {
        self.experiment.fit.precision.during(|| self.learn())
    }

    fn learn(&mut self) -> Result<Learned> {
        match self.experiment.model.kind {
            ModelKind::Apollo => {
                let mut learned = match self.rows_of_step_one()? {
                    Some(tables) => Learned { tables, is_whole: true },
                    None => learn_rows(self)?,
                };
                if learned.is_whole {
                    learned.is_whole = learn_encoders(self, &learned.tables)?;
                }
                Ok(learned)
            }
            ModelKind::Dgd => learn_decoder_only(self),
            ModelKind::Autoencoder => learn_at_once(self),
        }
    }

    /// The rows of step 1, where learning goes on in step 2.
    fn rows_of_step_one(&self) -> Result<Option<Vec<LatentTable>>> {
        let Some(checkpoint) = self.checkpoints.resumed() else { return Ok(None) };
        match checkpoint.stage()? {
            Stage::Encoders => encoders::recall_rows(self.model, self.device, checkpoint).map(Some),
            _ => Ok(None),
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
}
