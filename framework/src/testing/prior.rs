//! What is checked of a prior.

use super::cells::{check_cells, permuted, same};
use super::close::{flat, not_finite};
use super::gradients::check_gradients;
use super::mismatch::{Checked, Examined, Fault, expect, legal_refusal};
use super::seeds::check_seeds;
use super::small::uniform;
use super::subject::{Built, Function, Mode, N_CELLS, Subject, undisturbed};
use crate::prior::{CellFacts, LatentPrior, LatentPriorSpec, PriorContext};
use anyhow::Result;
use tch::nn::VarStore;
use tch::{Device, Kind, Tensor, no_grad};

/// Widths of latent rows.
const DIMS: [i64; 3] = [1, 5, 130];
/// What the prior is told of its cells.
const CELLS: CellFacts = CellFacts { n_cells: 100, n_labels: Some(4), n_classes: Some(3), n_added: 0 };
/// Rows this far out are unusual but legal.
const FAR: f64 = 1e3;

/// Checks a prior at every width.
pub(super) fn check(examined: &Examined<'_>, spec: &dyn LatentPriorSpec) -> Result<(), Fault> {
    for dim in DIMS {
        let subject = Sized { spec, dim, of: Of::Rows };
        let size = subject.size();
        examined.check("the prior's own cost is one finite number", &size, || own_cost(&subject))?;
        check_cells(examined, &subject)?;
        check_seeds(examined, &subject)?;
        check_gradients(examined, &subject)?;
        examined.check("far rows cost a finite number, with a finite gradient", &size, || far(&subject))?;
        let name = "initial rows are finite and those of the seed";
        examined.check(name, &size, || undisturbed(|| initial_rows(&subject)))?;
        check_divergence(examined, &Sized { spec, dim, of: Of::Posterior })?;
    }
    Ok(())
}

/// What is asked of the prior.
#[derive(Clone, Copy, PartialEq)]
enum Of {
    /// The cost of rows, the prior's own cost included.
    Rows,
    /// The divergence of posteriors.
    Posterior,
}

/// A prior of one width.
struct Sized<'a> {
    spec: &'a dyn LatentPriorSpec,
    dim: i64,
    of: Of,
}

impl Sized<'_> {
    fn prior(&self, store: &VarStore) -> Result<Box<dyn LatentPrior>> {
        self.spec.build(&PriorContext { vars: store.root(), dim: self.dim, cells: CELLS })
    }
}

impl Subject for Sized<'_> {
    fn size(&self) -> String {
        format!("latent rows of {}", self.dim)
    }

    fn build(&self, store: &VarStore) -> Result<Function> {
        let (prior, of) = (self.prior(store)?, self.of);
        Ok(Box::new(move |inputs, _| {
            Ok(vec![match (of, prior.per_minibatch()?) {
                (Of::Posterior, _) => prior.divergence(&inputs[0], &inputs[1])?,
                (Of::Rows, None) => prior.per_cell(&inputs[0])?,
                (Of::Rows, Some(own)) => prior.per_cell(&inputs[0])?.f_add(&own)?,
            }])
        }))
    }

    fn inputs(&self, n_cells: i64, seed: u64) -> Vec<Tensor> {
        let draw = |range, seed| uniform(&[n_cells, self.dim], range, seed);
        match self.of {
            Of::Rows => vec![draw([-2.0, 2.0], seed)],
            Of::Posterior => vec![draw([-2.0, 2.0], seed), draw([-2.0, 1.0], seed + 100)],
        }
    }

    fn outputs(&self, n_cells: i64) -> Vec<Vec<i64>> {
        vec![vec![n_cells]]
    }

    fn n_learned(&self) -> usize {
        if self.of == Of::Rows { 1 } else { 2 }
    }

    /// A prior may cost nothing.
    fn needs_gradient(&self) -> bool {
        false
    }
}

fn far(subject: &Sized<'_>) -> Checked {
    let built = Built::new(subject, 1)?;
    let sides = uniform(&[N_CELLS, subject.dim], [-1.0, 1.0], 1).sign();
    for rows in [&sides * FAR, &sides * -FAR, sides.zeros_like()] {
        let rows = rows.set_requires_grad(true);
        let cost = (built.function)(&[rows.shallow_clone()], Mode::EVALUATION)?.remove(0);
        let wrong = not_finite(&cost);
        expect(wrong.is_none(), format!("finite costs of rows of ±{FAR} and 0"), wrong.unwrap_or_default())?;
        if cost.requires_grad() {
            cost.sum(Kind::Float).f_backward()?;
            let wrong = not_finite(&super::differences::gradient_of(&rows));
            expect(wrong.is_none(), format!("finite gradients at rows of ±{FAR} and 0"), wrong.unwrap_or_default())?;
        }
    }
    Ok(())
}

fn own_cost(subject: &Sized<'_>) -> Checked {
    let store = VarStore::new(Device::Cpu);
    let Some(cost) = subject.prior(&store)?.per_minibatch()? else { return Ok(()) };
    expect(cost.numel() == 1, "one number", format!("the shape {:?}", cost.size()))?;
    let wrong = not_finite(&cost);
    expect(wrong.is_none(), "a finite number", wrong.unwrap_or_default())
}

fn initial_rows(subject: &Sized<'_>) -> Checked {
    for n_cells in [1, 7] {
        let store = VarStore::new(Device::Cpu);
        let prior = subject.prior(&store)?;
        let draw = || {
            tch::manual_seed(5);
            no_grad(|| prior.initial_rows(n_cells, subject.dim, Device::Cpu))
        };
        let (rows, again) = (draw()?, draw()?);
        let (expected, found) = (vec![n_cells, subject.dim], rows.size());
        expect(found == expected, format!("rows of size {expected:?}"), format!("{found:?}"))?;
        let wrong = not_finite(&rows);
        expect(wrong.is_none(), "finite rows", wrong.unwrap_or_default())?;
        same(&[again], &[rows], 0.0, "the same rows from the same seed")?;
    }
    Ok(())
}

/// A prior need not have a divergence; one that it has is never below 0.
fn check_divergence(examined: &Examined<'_>, subject: &Sized<'_>) -> Result<(), Fault> {
    let size = subject.size();
    let (mut has_one, name) = (false, "the divergence of posteriors is finite and at least 0, or refused");
    examined.check(name, &size, || {
        match Built::new(subject, 1)?.evaluate(&subject.inputs(N_CELLS, 1), Mode::EVALUATION) {
            Err(error) => legal_refusal(&error),
            Ok(divergence) => {
                has_one = true;
                let (expected, found) = (vec![N_CELLS], divergence[0].size());
                expect(found == expected, format!("a divergence of size {expected:?}"), format!("{found:?}"))?;
                let wrong = flat(&divergence[0]).into_iter().find(|one| !one.is_finite() || *one < -1e-5);
                expect(wrong.is_none(), "a finite number of at least 0", format!("{wrong:?}"))
            }
        }
    })?;
    if has_one {
        examined.check("the order of the cells is that of the divergences", &size, || permuted(subject))?;
        check_gradients(examined, subject)?;
    }
    Ok(())
}
