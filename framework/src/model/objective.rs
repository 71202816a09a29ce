//! The objective: reconstruction losses of every decoder plus priors of every space (Zhang et al. 2026, eq. 1).

use super::{Branch, Model};
use crate::minibatch::{Minibatch, Part};
use anyhow::{Context, Result};
use tch::{Kind, Tensor};

/// A loss broken into named terms, all scalars on the device.
#[derive(Debug, Default)]
pub struct Terms {
    named: Vec<(String, Tensor, f64)>,
}

impl Terms {
    /// Adds a term with its weight in the total.
    pub fn push(&mut self, name: impl Into<String>, value: Tensor, weight: f64) {
        self.named.push((name.into(), value, weight));
    }

    /// The weighted sum; `None` when there is no term.
    pub fn total(&self) -> Option<Tensor> {
        self.named.iter().map(|(_, value, weight)| value * *weight).reduce(|sum, term| sum + term)
    }

    /// Names, in order.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.named.iter().map(|(name, _, _)| name.as_str())
    }

    /// Unweighted values as one vector without a graph: [n_terms].
    pub fn values(&self) -> Tensor {
        let values: Vec<Tensor> = self.named.iter().map(|(_, value, _)| value.detach().to_kind(Kind::Double)).collect();
        Tensor::stack(&values, 0)
    }
}

/// How the objective is evaluated.
#[derive(Debug, Clone, Copy)]
pub struct Objective {
    /// Networks in training mode (dropout, minibatch statistics).
    pub training: bool,
    /// Noise added to latent rows.
    pub noise: bool,
    /// Priors counted.
    pub priors: bool,
}

impl Objective {
    /// As decoders and rows are learned.
    pub const TRAINING: Objective = Objective { training: true, noise: true, priors: true };
    /// As reconstructions are judged.
    pub const EVALUATION: Objective = Objective { training: false, noise: false, priors: false };

    /// Losses and priors of a minibatch whose cells have these latent rows (one tensor per space, n_cells × dim).
    ///
    /// Every modality counts the mean over its measured cells; cells that it did not measure add nothing.
    ///
    /// # Errors
    /// When a component refuses its input, naming the modality or space.
    pub fn terms(&self, model: &Model, rows: &[Tensor], minibatch: &Minibatch) -> Result<Terms> {
        let noisy: Vec<Tensor> = match self.noise {
            true => model.spaces.iter().zip(rows).map(|(space, rows)| with_noise(rows, space.noise)).collect(),
            false => rows.iter().map(Tensor::shallow_clone).collect(),
        };
        let mut terms = Terms::default();
        for (branch, part) in model.branches.iter().zip(&minibatch.parts) {
            if let Some(part) = part.as_ref().filter(|part| !self.training || part.n_cells() > 1) {
                self.branch_terms(branch, &noisy, part, &mut terms)
                    .with_context(|| format!("modality `{}`", branch.name))?;
            }
        }
        if self.priors {
            prior_terms(model, rows, minibatch, &mut terms)?;
        }
        Ok(terms)
    }

    fn branch_terms(&self, branch: &Branch, rows: &[Tensor], part: &Part, terms: &mut Terms) -> Result<()> {
        let latent = part.measured_rows(&side_by_side(rows, &branch.reads));
        let prediction = branch.decoder.decode(&latent, self.training)?;
        let loss = branch.loss.per_cell(&prediction, &part.target)?.mean(None::<Kind>);
        terms.push(branch.name.clone(), loss, branch.weight);
        if let Some(decoder) = &branch.shared_decoder {
            let latent = part.measured_rows(&side_by_side(rows, &branch.reads_shared));
            let prediction = decoder.decode(&latent, self.training)?;
            let loss = branch.loss.per_cell(&prediction, &part.target)?.mean(None::<Kind>);
            terms.push(format!("{}_from_shared", branch.name), loss, branch.weight);
        }
        Ok(())
    }
}

/// The rows of some spaces, concatenated in this order: n_cells × sum of dims.
pub fn side_by_side(rows: &[Tensor], spaces: &[usize]) -> Tensor {
    let chosen: Vec<&Tensor> = spaces.iter().map(|&space| &rows[space]).collect();
    Tensor::cat(&chosen, 1)
}

fn with_noise(rows: &Tensor, sd: f64) -> Tensor {
    if sd == 0.0 { rows.shallow_clone() } else { rows + rows.detach().randn_like() * sd }
}

fn prior_terms(model: &Model, rows: &[Tensor], minibatch: &Minibatch, terms: &mut Terms) -> Result<()> {
    for (space, rows) in model.spaces.iter().zip(rows) {
        let context = || format!("prior of the latent space `{}`", space.name);
        let rows = match measured_by_any(&space.modalities, minibatch) {
            Measured::All => rows.shallow_clone(),
            Measured::Some(places) => rows.index_select(0, &places),
            Measured::None => continue,
        };
        let mut cost = space.prior.per_cell(&rows).with_context(context)?.mean(None::<Kind>);
        if let Some(own) = space.prior.per_minibatch().with_context(context)? {
            cost += own;
        }
        terms.push(format!("prior_{}", space.name), cost, 1.0);
    }
    Ok(())
}

enum Measured {
    All,
    Some(Tensor),
    None,
}

/// Which cells of a minibatch any of these modalities measured.
fn measured_by_any(modalities: &[usize], minibatch: &Minibatch) -> Measured {
    let mut places = Vec::new();
    for part in modalities.iter().filter_map(|&modality| minibatch.parts[modality].as_ref()) {
        match &part.measured {
            None => return Measured::All,
            Some(some) => places.push(some.shallow_clone()),
        }
    }
    match places.len() {
        0 => Measured::None,
        1 => Measured::Some(places.remove(0)),
        _ => Measured::Some(Tensor::cat(&places, 0).unique_dim(0, true, false, false).0),
    }
}
