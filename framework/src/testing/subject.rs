//! A component at one size, seen as a function of cells: what encoders, decoders, losses and priors have in common.

use anyhow::Result;
use std::collections::BTreeMap;
use tch::nn::VarStore;
use tch::{Device, Kind, Tensor, no_grad};

use super::small::uniform;

/// Cells of a minibatch that is large enough to tell cells apart.
pub(super) const N_CELLS: i64 = 5;

/// How a function is evaluated.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Mode {
    /// As in training (dropout, minibatch statistics).
    pub(super) training: bool,
    /// With sparse features or a sparse target.
    pub(super) sparse: bool,
}

impl Mode {
    pub(super) const EVALUATION: Mode = Mode { training: false, sparse: false };
    pub(super) const TRAINING: Mode = Mode { training: true, sparse: false };
    pub(super) const SPARSE: Mode = Mode { training: false, sparse: true };

    pub(super) fn name(self) -> &'static str {
        if self.training { "in training" } else { "in evaluation" }
    }
}

/// From tensors of n_cells rows to tensors of n_cells rows.
pub(super) type Function = Box<dyn Fn(&[Tensor], Mode) -> Result<Vec<Tensor>>>;

/// A component at one size.
pub(super) trait Subject {
    /// The size, for messages.
    fn size(&self) -> String;

    /// Builds the component, with its parameters in `store`.
    fn build(&self, store: &VarStore) -> Result<Function>;

    /// Plausible inputs, each of n_cells rows; others for another seed.
    fn inputs(&self, n_cells: i64, seed: u64) -> Vec<Tensor>;

    /// The sizes of what comes out.
    fn outputs(&self, n_cells: i64) -> Vec<Vec<i64>>;

    /// How many of the first inputs are learned, so that gradients must be right there, too.
    fn n_learned(&self) -> usize {
        1
    }

    /// Whether a learned input must change what comes out.
    fn needs_gradient(&self) -> bool {
        true
    }

    /// Whether training differs from evaluation.
    fn has_training(&self) -> bool {
        false
    }

    /// Whether inputs may be sparse.
    fn takes_sparse(&self) -> bool {
        false
    }

    /// The modes with dense inputs.
    fn modes(&self) -> Vec<Mode> {
        if self.has_training() { vec![Mode::EVALUATION, Mode::TRAINING] } else { vec![Mode::EVALUATION] }
    }
}

/// A component that is built, with its parameters.
pub(super) struct Built {
    pub(super) store: VarStore,
    pub(super) function: Function,
}

impl Built {
    /// Builds with parameters drawn from a seed.
    pub(super) fn new(subject: &dyn Subject, seed: i64) -> Result<Built> {
        let store = VarStore::new(Device::Cpu);
        tch::manual_seed(seed);
        let function = subject.build(&store)?;
        Ok(Built { store, function })
    }

    /// Parameters and running averages, sorted by name.
    pub(super) fn variables(&self) -> BTreeMap<String, Tensor> {
        self.store.variables().into_iter().collect()
    }

    /// Moves every parameter a little, so that nothing rests on the special values that networks start from.
    pub(super) fn shake(&self) {
        for (place, parameter) in self.variables().values().filter(|variable| variable.requires_grad()).enumerate() {
            let draw = uniform(&parameter.size(), [-0.1, 0.1], 1000 + place as u64).to_kind(parameter.kind());
            no_grad(|| {
                let by = draw * (parameter.abs() + 0.1);
                let _ = parameter.shallow_clone().g_add_(&by);
            });
        }
    }

    /// What comes out, without a graph.
    pub(super) fn evaluate(&self, inputs: &[Tensor], mode: Mode) -> Result<Vec<Tensor>> {
        no_grad(|| (self.function)(inputs, mode))
    }
}

/// The rows of some cells of every tensor.
pub(super) fn rows(tensors: &[Tensor], cells: &[i64]) -> Vec<Tensor> {
    let cells = Tensor::from_slice(cells);
    tensors.iter().map(|tensor| tensor.index_select(0, &cells)).collect()
}

/// The same numbers in another precision.
pub(super) fn to_kind(tensors: &[Tensor], kind: Kind) -> Vec<Tensor> {
    tensors.iter().map(|tensor| tensor.to_kind(kind)).collect()
}

/// Repeats a check of seeded draws: libtorch has one generator per process, and another test's draws may come in
/// between. What never holds does not hold.
pub(super) fn undisturbed<E>(check: impl Fn() -> Result<(), E>) -> Result<(), E> {
    const N_TRIES: usize = 20;
    let mut result = check();
    for _ in 1..N_TRIES {
        if result.is_ok() {
            break;
        }
        result = check();
    }
    result
}
