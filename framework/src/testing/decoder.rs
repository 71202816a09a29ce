//! What is checked of a decoder.

use super::cells::check_cells;
use super::forms::{accepted_shapes, is_last_of_its_form, name_of, size_of};
use super::gradients::check_gradients;
use super::mismatch::{Checked, Examined, Fault, refused};
use super::seeds::check_seeds;
use super::small::uniform;
use super::subject::{Built, Function, Mode, N_CELLS, Subject};
use crate::decoder::{DecoderContext, DecoderSpec};
use crate::minibatch::FeatureShape;
use anyhow::Result;
use tch::nn::VarStore;
use tch::{Device, Tensor};

/// Widths of latent rows.
const N_LATENT: [i64; 3] = [1, 5, 130];

/// Checks a decoder at every shape that it accepts.
pub(super) fn check(examined: &Examined<'_>, spec: &dyn DecoderSpec) -> Result<(), Fault> {
    let mut shapes = Vec::new();
    let sized = |n_latent: i64, shape: &FeatureShape| Sized { spec, n_latent, shape: shape.clone() };
    examined.check("it builds", "", || {
        shapes = accepted_shapes(|shape| sized(5, shape).build(&VarStore::new(Device::Cpu)).map(drop))?;
        Ok(())
    })?;
    for shape in &shapes {
        let is_last = is_last_of_its_form(shape, &shapes);
        for n_latent in N_LATENT.into_iter().filter(|n_latent| is_last || *n_latent == 5) {
            check_cells(examined, &sized(n_latent, shape))?;
        }
        if is_last {
            let subject = sized(5, shape);
            let name = "rows of another width are refused";
            examined.check(name, &subject.size(), || refuses_others(&subject))?;
            check_seeds(examined, &subject)?;
            check_gradients(examined, &subject)?;
        }
    }
    Ok(())
}

/// A decoder from one width to one shape.
struct Sized<'a> {
    spec: &'a dyn DecoderSpec,
    n_latent: i64,
    shape: FeatureShape,
}

impl Subject for Sized<'_> {
    fn size(&self) -> String {
        format!("latent rows of {}, {}", self.n_latent, name_of(&self.shape))
    }

    fn build(&self, store: &VarStore) -> Result<Function> {
        let (vars, output) = (store.root(), self.shape.clone());
        let decoder = self.spec.build(&DecoderContext { vars, n_latent: self.n_latent, output })?;
        Ok(Box::new(move |inputs, mode| Ok(vec![decoder.decode(&inputs[0], mode.training)?])))
    }

    fn inputs(&self, n_cells: i64, seed: u64) -> Vec<Tensor> {
        vec![uniform(&[n_cells, self.n_latent], [-2.0, 2.0], seed)]
    }

    fn outputs(&self, n_cells: i64) -> Vec<Vec<i64>> {
        vec![size_of(&self.shape, n_cells)]
    }

    fn has_training(&self) -> bool {
        true
    }
}

fn refuses_others(subject: &Sized<'_>) -> Checked {
    let built = Built::new(subject, 1)?;
    let other = uniform(&[N_CELLS, subject.n_latent + 1], [-2.0, 2.0], 1);
    let found = built.evaluate(&[other], Mode::EVALUATION);
    refused(found, &format!("rows of {} numbers", subject.n_latent + 1))
}
