//! Cells that an assay did not measure add nothing to its loss, through the objective itself.

use super::{Sized, target_of};
use crate::decoder::Decoder;
use crate::minibatch::{Features, Minibatch, Part};
use crate::model::{Branch, Model, Objective, Space};
use crate::prior::LatentPrior;
use crate::testing::close::difference;
use crate::testing::differences::gradient_of;
use crate::testing::forms::size_of;
use crate::testing::mismatch::{Checked, expect};
use crate::testing::subject::{Mode, rows};
use anyhow::{Context, Result};
use tch::nn::VarStore;
use tch::{Device, Kind, Tensor};

/// Cells of the minibatch, and those of them that the assay measured.
const N_CELLS: i64 = 6;
const MEASURED: [i64; 3] = [1, 3, 4];

/// The loss of a minibatch with cells that were not measured is that of the measured cells alone, and rows of the
/// others have no gradient.
pub(super) fn check(subject: &Sized<'_>) -> Checked {
    let model = model(subject)?;
    let latent = subject.prediction(N_CELLS, 1).flatten(1, -1).set_requires_grad(true);
    let target = rows(&subject.target(N_CELLS, 1), &MEASURED);
    let measured = Tensor::from_slice(&MEASURED);
    let masked = value(&model, &latent, part(&target, Some(measured.shallow_clone())))?;
    let only = value(&model, &latent.index_select(0, &measured), part(&target, None))?;
    let found = difference(&masked, &only, 1e-5);
    expect(found.is_none(), "the loss of a minibatch of the measured cells", found.unwrap_or_default())?;
    masked.f_backward()?;
    let others: Vec<i64> = (0..N_CELLS).filter(|cell| !MEASURED.contains(cell)).collect();
    let gradient = rows(&[gradient_of(&latent)], &others).remove(0);
    let found = difference(&gradient, &gradient.zeros_like(), 0.0);
    expect(found.is_none(), "no gradient at cells that were not measured", found.unwrap_or_default())
}

/// Of successes among trials, entries without any trial were not measured: what is predicted there changes nothing.
pub(super) fn entries(subject: &Sized<'_>) -> Checked {
    let target = subject.target(N_CELLS, 1);
    let Some(trials) = target.get(1) else { return Ok(()) };
    let loss = subject.loss(&VarStore::new(Device::Cpu))?;
    let prediction = subject.prediction(N_CELLS, 1);
    let other = &prediction + trials.eq(0.0).to_kind(Kind::Float);
    let per_cell = |prediction: &Tensor| loss.per_cell(prediction, &target_of(&target, Mode::EVALUATION));
    let found = difference(&per_cell(&other)?, &per_cell(&prediction)?, 1e-6);
    expect(found.is_none(), "the same when predictions of entries without trials change", found.unwrap_or_default())
}

fn value(model: &Model, latent: &Tensor, part: Part) -> Result<Tensor> {
    let cells = Tensor::arange(latent.size()[0], (Kind::Int64, Device::Cpu));
    let minibatch = Minibatch { cells, parts: vec![Some(part)], classes: Vec::new() };
    let terms = Objective::EVALUATION.terms(model, &[latent.shallow_clone()], &minibatch)?;
    terms.total().context("the objective has no term")
}

fn part(target: &[Tensor], measured: Option<Tensor>) -> Part {
    let input = Features::Dense(target[0].shallow_clone());
    Part { measured, input, target: target_of(target, Mode::EVALUATION), categories: Vec::new() }
}

/// A model whose latent rows are the predictions.
fn model(subject: &Sized<'_>) -> Result<Model> {
    let generative = VarStore::new(Device::Cpu);
    let loss = subject.loss(&generative)?;
    let n_features = subject.shape.n_features();
    let space = Space {
        name: "it".into(),
        dim: n_features,
        modalities: vec![0],
        noise: 0.0,
        is_covariate: false,
        prior: Box::new(AnyRow),
    };
    let branch = Branch {
        name: "it".into(),
        reads: vec![0],
        decoder: Box::new(AsItIs { size: size_of(&subject.shape, -1) }),
        reads_shared: Vec::new(),
        shared_decoder: None,
        loss,
        weight: 1.0,
        encoder: None,
        n_features,
        conditions: Vec::new(),
    };
    let inference = VarStore::new(Device::Cpu);
    Ok(Model {
        spaces: vec![space],
        branches: vec![branch],
        conditions: Vec::new(),
        trunk: None,
        mapping: None,
        generative,
        inference,
        variational: false,
    })
}

/// Latent rows in the shape of features.
struct AsItIs {
    size: Vec<i64>,
}

impl Decoder for AsItIs {
    fn decode(&self, latent: &Tensor, _training: bool) -> Result<Tensor> {
        Ok(latent.f_reshape(self.size.as_slice())?)
    }
}

struct AnyRow;

impl LatentPrior for AnyRow {
    fn per_cell(&self, rows: &Tensor) -> Result<Tensor> {
        Ok(Tensor::f_zeros([rows.size()[0]], (rows.kind(), rows.device()))?)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::component::{AnySpec, Role, declared};
    use crate::{FeatureShape, TargetValues};

    fn checked(fault: &str) -> Checked {
        let info = declared().find(|info| info.role == Role::Loss && info.name == "toy_loss").unwrap();
        let table = format!("fault = \"{fault}\"").parse().unwrap();
        let AnySpec::Loss(spec) = (info.parse)(table).unwrap() else { panic!("not a loss") };
        check(&Sized { spec: spec.as_ref(), shape: FeatureShape::Vector(3), values: TargetValues::UnitInterval })
    }

    #[test]
    fn a_loss_that_knows_more_than_the_measured_cells_is_caught() {
        checked("").unwrap();
        assert_eq!(checked("remembers").unwrap_err().expected, "the loss of a minibatch of the measured cells");
    }
}
