//! What learning tells the outside: progress, values, and why it stopped.

use std::fmt;

/// A part of learning.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stage {
    /// Step 1: latent rows and decoders.
    Rows,
    /// Step 2: encoders.
    Encoders,
    /// Everything at once.
    OneStep,
    /// Rows, priors and decoders, without encoders.
    DecoderOnly,
}

impl Stage {
    /// The stage as written in logs.
    pub fn name(self) -> &'static str {
        match self {
            Stage::Rows => "latent",
            Stage::Encoders => "encoders",
            Stage::OneStep => "one_step",
            Stage::DecoderOnly => "dgd",
        }
    }

    /// The stage of a name.
    pub fn of_name(name: &str) -> Option<Stage> {
        [Stage::Rows, Stage::Encoders, Stage::OneStep, Stage::DecoderOnly]
            .into_iter()
            .find(|stage| stage.name() == name)
    }
}

/// Something that happened.
#[derive(Debug, Clone)]
pub enum Event<'a> {
    /// A stage begins.
    Started {
        /// Which.
        stage: Stage,
        /// Epochs at most.
        n_epochs: u64,
        /// Minibatches per epoch.
        n_steps: u64,
        /// Minibatches that were done before, where learning goes on from a checkpoint.
        n_steps_done: u64,
    },
    /// A minibatch is done.
    Step {
        /// Which stage.
        stage: Stage,
        /// Epoch, from 0.
        epoch: u64,
        /// Minibatch in the epoch, from 0.
        step: u64,
    },
    /// An epoch is done.
    Epoch {
        /// Which stage.
        stage: Stage,
        /// Epoch, from 0.
        epoch: u64,
        /// Minibatches done in this stage.
        n_steps_done: u64,
        /// Mean of each term over the epoch.
        terms: &'a [(String, f64)],
        /// Seconds of the epoch.
        secs: f64,
    },
    /// Validation cells were tried.
    Validation {
        /// Which stage.
        stage: Stage,
        /// Epoch, from 0.
        epoch: u64,
        /// Mean of each term over the validation cells.
        terms: &'a [(String, f64)],
        /// The number that decides when to stop: their sum.
        score: f64,
        /// Whether it is the lowest so far.
        is_best: bool,
    },
    /// A stage ends.
    Finished {
        /// Which.
        stage: Stage,
        /// Epochs done.
        n_epochs: u64,
        /// Epoch of the state that was kept.
        kept_epoch: u64,
        /// Why it ended.
        reason: &'static str,
    },
}

/// Is told what happens while a model is learned.
pub trait Observer {
    /// Called from the training thread; must be quick.
    fn observe(&mut self, event: &Event<'_>);
}

/// A loss that is no number: learning stops before any weight moves.
#[derive(Debug)]
pub struct NonFinite {
    /// Which stage.
    pub stage: Stage,
    /// Epoch, from 0.
    pub epoch: u64,
    /// Minibatch in the epoch, from 0.
    pub step: u64,
    /// Every term and its value.
    pub terms: Vec<(String, f64)>,
    /// First cell of the minibatch whose features are not finite, or whose minibatch it was.
    pub first_cell: String,
    /// Whether the state before the step was kept as a checkpoint.
    pub is_kept: bool,
}

impl fmt::Display for NonFinite {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let terms: Vec<String> = self.terms.iter().map(|(name, value)| format!("{name} {value}")).collect();
        write!(
            formatter,
            "the loss is not finite at epoch {}, step {} of `fit.{}`; the weights were not changed (terms: {}; first cell: `{}`); \
             lower the learning rate or look at the values of this cell",
            self.epoch,
            self.step,
            self.stage.name(),
            terms.join(", "),
            self.first_cell
        )
    }
}

impl std::error::Error for NonFinite {}
