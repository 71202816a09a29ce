//! What is checked of an encoder.

use super::cells::check_cells;
use super::forms::{accepted_shapes, is_last_of_its_form, larger, name_of, size_of};
use super::gradients::check_gradients;
use super::mismatch::{Checked, Examined, Fault, refused};
use super::seeds::check_seeds;
use super::small::{dense, shares, sparse};
use super::subject::{Built, Function, Mode, N_CELLS, Subject};
use crate::encoder::{EncoderContext, EncoderSpec, Head};
use crate::minibatch::{FeatureShape, Features};
use anyhow::Result;
use tch::nn::VarStore;
use tch::{Device, Tensor};

/// Names and widths of the outputs asked for.
const HEADS: [(&str, i64); 4] = [("shared", 3), ("own", 1), ("shared_log_sd", 3), ("own_log_sd", 1)];

/// Checks an encoder at every shape that it accepts.
pub(super) fn check(examined: &Examined<'_>, spec: &dyn EncoderSpec) -> Result<(), Fault> {
    let mut shapes = Vec::new();
    let build =
        |shape: &FeatureShape| Sized { spec, shape: shape.clone() }.build(&VarStore::new(Device::Cpu)).map(drop);
    examined.check("it builds", "", || {
        shapes = accepted_shapes(build)?;
        Ok(())
    })?;
    for shape in &shapes {
        let subject = Sized { spec, shape: shape.clone() };
        check_cells(examined, &subject)?;
        examined.check("features of another form are refused", &subject.size(), || refuses_others(&subject))?;
        if is_last_of_its_form(shape, &shapes) {
            check_seeds(examined, &subject)?;
            check_gradients(examined, &subject)?;
        }
    }
    Ok(())
}

/// An encoder for one shape of features.
struct Sized<'a> {
    spec: &'a dyn EncoderSpec,
    shape: FeatureShape,
}

impl Subject for Sized<'_> {
    fn size(&self) -> String {
        name_of(&self.shape)
    }

    fn build(&self, store: &VarStore) -> Result<Function> {
        let heads = HEADS.iter().map(|(name, dim)| Head { name: (*name).to_owned(), dim: *dim }).collect();
        let encoder = self.spec.build(&EncoderContext { vars: store.root(), input: self.shape.clone(), heads })?;
        Ok(Box::new(move |inputs, mode| {
            let features = if mode.sparse { sparse(&inputs[0]) } else { Features::Dense(inputs[0].shallow_clone()) };
            encoder.encode(&features, mode.training)
        }))
    }

    fn inputs(&self, n_cells: i64, seed: u64) -> Vec<Tensor> {
        // What steps usually leave; an encoder may take the logarithm of it.
        let values = dense(&shares(n_cells as usize, self.shape.n_features() as usize, seed)) * 1.5;
        vec![values.view(size_of(&self.shape, n_cells).as_slice())]
    }

    fn outputs(&self, n_cells: i64) -> Vec<Vec<i64>> {
        HEADS.iter().map(|(_, dim)| vec![n_cells, *dim]).collect()
    }

    fn n_learned(&self) -> usize {
        0
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
    let other = Sized { spec: subject.spec, shape: larger(&subject.shape) };
    let found = built.evaluate(&other.inputs(N_CELLS, 1), Mode::EVALUATION);
    refused(found, &format!("an input of {}", other.size()))
}
