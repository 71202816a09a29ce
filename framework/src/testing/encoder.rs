//! What is checked of an encoder, with and without a condition.

use super::cells::check_cells;
use super::forms::{accepted_shapes, is_last_of_its_form, larger, name_of, size_of};
use super::gradients::check_gradients;
use super::mismatch::{Checked, Examined, Fault, legal_refusal, refused};
use super::seeds::check_seeds;
use super::small::uniform;
use super::small::{dense, shares, sparse};
use super::subject::{Built, Function, Mode, N_CELLS, Subject};
use crate::encoder::{EncoderContext, EncoderSpec, Head};
use crate::minibatch::{FeatureShape, Features};
use anyhow::Result;
use tch::nn::VarStore;
use tch::{Device, Tensor};

/// Names and widths of the outputs asked for.
const HEADS: [(&str, i64); 4] = [("shared", 3), ("own", 1), ("shared_log_sd", 3), ("own_log_sd", 1)];

/// Numbers per cell that say of which category it is: none, and some, unless the encoder refuses them.
const N_CONDITION: [i64; 2] = [0, 3];

/// Checks an encoder at every shape that it accepts.
pub(super) fn check(examined: &Examined<'_>, spec: &dyn EncoderSpec) -> Result<(), Fault> {
    let mut shapes = Vec::new();
    let sized = |shape: &FeatureShape, n_condition: i64| Sized { spec, shape: shape.clone(), n_condition };
    let build = |shape: &FeatureShape| sized(shape, 0).build(&VarStore::new(Device::Cpu)).map(drop);
    examined.check("it builds", "", || {
        shapes = accepted_shapes(build)?;
        Ok(())
    })?;
    let all = N_CONDITION.into_iter().flat_map(|n_condition| shapes.iter().map(move |shape| (shape, n_condition)));
    for (shape, n_condition) in all {
        let subject = sized(shape, n_condition);
        if n_condition > 0 && is_refused(examined, &subject)? {
            continue;
        }
        check_cells(examined, &subject)?;
        examined.check("features of another form are refused", &subject.size(), || refuses_others(&subject))?;
        if is_last_of_its_form(shape, &shapes) {
            check_seeds(examined, &subject)?;
            check_gradients(examined, &subject)?;
        }
    }
    Ok(())
}

/// Whether an encoder refuses to be told a condition, in words.
fn is_refused(examined: &Examined<'_>, subject: &Sized<'_>) -> Result<bool, Fault> {
    let mut is_refused = false;
    examined.check("it is told a condition, or refuses it", &subject.size(), || {
        if let Err(error) = subject.build(&VarStore::new(Device::Cpu)) {
            legal_refusal(&error)?;
            is_refused = true;
        }
        Ok(())
    })?;
    Ok(is_refused)
}

/// An encoder for one shape of features and one width of a condition.
struct Sized<'a> {
    spec: &'a dyn EncoderSpec,
    shape: FeatureShape,
    n_condition: i64,
}

impl Subject for Sized<'_> {
    fn size(&self) -> String {
        match self.n_condition {
            0 => name_of(&self.shape),
            n => format!("{}, a condition of {n}", name_of(&self.shape)),
        }
    }

    fn build(&self, store: &VarStore) -> Result<Function> {
        let heads = HEADS.iter().map(|(name, dim)| Head { name: (*name).to_owned(), dim: *dim }).collect();
        let (vars, input, n_condition) = (store.root(), self.shape.clone(), self.n_condition);
        let encoder = self.spec.build(&EncoderContext { vars, input, heads, n_condition })?;
        Ok(Box::new(move |inputs, mode| {
            let (condition, values) = match inputs {
                [condition, values] => (Some(condition), values),
                _ => (None, &inputs[0]),
            };
            let features = if mode.sparse { sparse(values) } else { Features::Dense(values.shallow_clone()) };
            encoder.encode(&features, condition, mode.training)
        }))
    }

    fn inputs(&self, n_cells: i64, seed: u64) -> Vec<Tensor> {
        // What steps usually leave; an encoder may take the logarithm of it.
        let values = dense(&shares(n_cells as usize, self.shape.n_features() as usize, seed)) * 1.5;
        let values = values.view(size_of(&self.shape, n_cells).as_slice());
        match self.n_condition {
            0 => vec![values],
            n => vec![uniform(&[n_cells, n], [-2.0, 2.0], seed), values],
        }
    }

    fn outputs(&self, n_cells: i64) -> Vec<Vec<i64>> {
        HEADS.iter().map(|(_, dim)| vec![n_cells, *dim]).collect()
    }

    /// What says of which category a cell is comes first, and is learned.
    fn n_learned(&self) -> usize {
        usize::from(self.n_condition > 0)
    }

    fn has_training(&self) -> bool {
        true
    }

    fn takes_sparse(&self) -> bool {
        matches!(self.shape, FeatureShape::Vector(_))
    }
}

fn refuses_others(subject: &Sized<'_>) -> Checked {
    let built = Built::new(subject, 1)?;
    let other = Sized { shape: larger(&subject.shape), ..*subject };
    let found = built.evaluate(&other.inputs(N_CELLS, 1), Mode::EVALUATION);
    refused(found, &format!("an input of {}", other.size()))
}
