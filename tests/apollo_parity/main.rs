//! Whole minibatches of both steps against a plain PyTorch program of our own (`golden/apollo`): every term, every gradient,
//! and what three minibatches leave of parameters, running averages and rows.
//!
//! The program is told the same numbers and shares no code with the engine. Input dropout is 0, normalisation is over the
//! minibatch, regulariser, order and optimizers are those of `settings = "published"`.

mod case;
mod run;
mod step_one;
mod step_two;

use std::sync::{Mutex, MutexGuard, PoisonError};

/// libtorch's generator belongs to the process, so tests must not draw from it at once.
static ONE_AT_A_TIME: Mutex<()> = Mutex::new(());

/// Waits until no other test runs.
fn alone() -> MutexGuard<'static, ()> {
    ONE_AT_A_TIME.lock().unwrap_or_else(PoisonError::into_inner)
}
