//! The objective: reconstruction losses of every decoder plus priors of every space (Zhang et al. 2026, eq. 1).

use super::{Branch, EarlyGradients, Model};
use crate::minibatch::{Minibatch, Part};
use anyhow::{Context, Result};
use tch::{Kind, Tensor};

/// A loss broken into named terms, all scalars on the device.
#[derive(Debug, Default)]
pub struct Terms {
    named: Vec<(String, Tensor, f64)>,
    /// Numbers that are 0 and have the gradients of terms whose own were taken early.
    pulls: Vec<Tensor>,
}

impl Terms {
    /// Adds a term with its weight in the total.
    pub fn push(&mut self, name: impl Into<String>, value: Tensor, weight: f64) {
        self.named.push((name.into(), value, weight));
    }

    /// Adds a term whose gradient by parameters was taken, with its weight in the total, and what stands for it there.
    pub fn push_taken(&mut self, name: impl Into<String>, (value, pull): (Tensor, Option<Tensor>), weight: f64) {
        self.push(name, value, weight);
        self.pulls.extend(pull);
    }

    /// The weighted sum; `None` when there is no term.
    pub fn total(&self) -> Option<Tensor> {
        self.total_times(1.0)
    }

    /// The weighted sum times a factor, by which gradients taken early were multiplied; `None` when there is no term.
    pub fn total_times(&self, factor: f64) -> Option<Tensor> {
        let sum = self.named.iter().map(|(_, value, weight)| value * *weight).reduce(|sum, term| sum + term)?;
        Some(self.pulls.iter().fold(sum * factor, |sum, pull| sum + pull))
    }

    /// Multiplies the weight of a term whose gradient was not taken early.
    pub fn scale(&mut self, name: &str, factor: f64) {
        self.named.iter_mut().filter(|(other, _, _)| other == name).for_each(|(_, _, weight)| *weight *= factor);
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

/// What is added up over cells and features.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reduction {
    /// Means over cells and features, every modality and prior alike (Zhang et al. 2026, eq. 1).
    Mean,
    /// Sums over cells and features: a log-likelihood (Schuster et al. 2024, Methods). Terms are told as means all the same.
    Sum,
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
    /// Among them those of spaces that stand for a covariate.
    pub covariate_priors: bool,
    /// Priors told the classes of covariates.
    pub classes: bool,
    /// What is added up.
    pub reduction: Reduction,
}

impl Objective {
    /// As decoders and rows are learned.
    pub const TRAINING: Objective = Objective {
        training: true,
        noise: true,
        priors: true,
        covariate_priors: true,
        classes: true,
        reduction: Reduction::Mean,
    };
    /// As reconstructions are judged.
    pub const EVALUATION: Objective = Objective {
        training: false,
        noise: false,
        priors: false,
        covariate_priors: false,
        classes: false,
        reduction: Reduction::Mean,
    };
    /// As a log-likelihood with priors, networks in evaluation mode: rows of cells whose classes are not looked at.
    pub const LIKELIHOOD: Objective = Objective {
        training: false,
        noise: false,
        priors: true,
        covariate_priors: true,
        classes: false,
        reduction: Reduction::Sum,
    };

    /// Losses and priors of a minibatch whose cells have these latent rows (one tensor per space, n_cells × dim).
    ///
    /// Cells that a modality did not measure add nothing to its terms.
    ///
    /// # Errors
    /// When a component refuses its input, naming the modality or space.
    pub fn terms(&self, model: &Model, rows: &[Tensor], minibatch: &Minibatch) -> Result<Terms> {
        self.terms_of(model, rows, minibatch, None)
    }

    /// The same, where the gradient of each decoder's loss is taken before the next one decodes.
    ///
    /// # Errors
    /// When a component refuses its input, naming the modality or space, or a gradient cannot be computed.
    pub fn terms_taken(
        &self,
        model: &Model,
        rows: &[Tensor],
        minibatch: &Minibatch,
        early: &mut EarlyGradients,
    ) -> Result<Terms> {
        self.terms_of(model, rows, minibatch, Some(early))
    }

    fn terms_of(
        &self,
        model: &Model,
        rows: &[Tensor],
        minibatch: &Minibatch,
        mut early: Option<&mut EarlyGradients>,
    ) -> Result<Terms> {
        let noisy: Vec<Tensor> = match self.noise {
            true => model.spaces.iter().zip(rows).map(|(space, rows)| with_noise(rows, space.noise)).collect(),
            false => rows.iter().map(Tensor::shallow_clone).collect(),
        };
        let trunk = model.trunk.as_ref().map(|trunk| trunk.forward(&noisy)).transpose().context("trunk")?;
        let latent = LatentRows { model, rows: &noisy, trunk };
        let mut terms = Terms::default();
        for (branch, part) in model.branches.iter().zip(&minibatch.parts) {
            if let Some(part) = part.as_ref().filter(|part| self.counts(part)) {
                self.branch_terms(branch, &latent, part, (&mut terms, early.as_deref_mut()))
                    .with_context(|| format!("modality `{}`", branch.name))?;
            }
        }
        if self.priors {
            self.prior_terms(model, rows, minibatch, &mut terms)?;
        }
        Ok(terms)
    }

    /// Networks that normalise a minibatch cannot learn from a single cell.
    fn counts(&self, part: &Part) -> bool {
        !self.training || self.reduction == Reduction::Sum || part.n_cells() > 1
    }

    fn branch_terms(
        &self,
        branch: &Branch,
        latent: &LatentRows<'_>,
        part: &Part,
        (terms, mut early): (&mut Terms, Option<&mut EarlyGradients>),
    ) -> Result<()> {
        let n_summed = match self.reduction {
            Reduction::Mean => 1.0,
            Reduction::Sum => part.n_cells() as f64 * branch.n_features as f64,
        };
        let mut push = |name: String, decoder: &dyn crate::Decoder, reads: &[usize]| -> Result<()> {
            let loss = |rows: &Tensor| {
                let rows = latent.model.conditioned(branch, rows.shallow_clone(), &part.categories)?;
                let prediction = part.target.of_measured(decoder.decode(&rows, self.training)?)?;
                Ok(branch.loss.per_cell(&prediction, &part.target)?.mean(None::<Kind>))
            };
            let (rows, weight) = (part.measured_rows(&latent.read(reads)), branch.weight * n_summed);
            match &mut early {
                Some(early) => terms.push_taken(name, early.take(&[&rows], weight, |rows| loss(&rows[0]))?, weight),
                None => terms.push(name, loss(&rows)?, weight),
            }
            Ok(())
        };
        push(branch.name.clone(), branch.decoder.as_ref(), &branch.reads)?;
        match &branch.shared_decoder {
            Some(decoder) => push(format!("{}_from_shared", branch.name), decoder.as_ref(), &branch.reads_shared),
            None => Ok(()),
        }
    }

    fn prior_terms(&self, model: &Model, rows: &[Tensor], minibatch: &Minibatch, terms: &mut Terms) -> Result<()> {
        for (place, (space, rows)) in model.spaces.iter().zip(rows).enumerate() {
            if space.is_covariate && !self.covariate_priors {
                continue;
            }
            let context = || format!("prior of the latent space `{}`", space.name);
            let places = match measured_by_any(&space.modalities, minibatch) {
                Measured::All => None,
                Measured::Some(places) => Some(places),
                Measured::None => continue,
            };
            let select = |all: &Tensor| match &places {
                None => all.shallow_clone(),
                Some(places) => all.index_select(0, places),
            };
            let rows = select(rows);
            let cost = match minibatch.classes_of(place).filter(|_| self.classes) {
                Some(classes) => space.prior.per_labelled_cell(&rows, &select(classes)),
                None => space.prior.per_cell(&rows),
            };
            let mut cost = cost.with_context(context)?.mean(None::<Kind>);
            let n_summed = if self.reduction == Reduction::Sum { rows.size()[0] as f64 } else { 1.0 };
            if let Some(own) = space.prior.per_minibatch().with_context(context)? {
                cost += own / n_summed;
            }
            terms.push(format!("prior_{}", space.name), cost, n_summed);
        }
        Ok(())
    }
}

/// The rows of a minibatch as decoders read them.
struct LatentRows<'a> {
    model: &'a Model,
    rows: &'a [Tensor],
    trunk: Option<Tensor>,
}

impl LatentRows<'_> {
    /// The rows of some spaces side by side, those of the trunk replaced by what it made of them.
    fn read(&self, spaces: &[usize]) -> Tensor {
        match (&self.model.trunk, &self.trunk) {
            (Some(trunk), Some(output)) => {
                let others = trunk.others(spaces).into_iter().map(|space| self.rows[space].shallow_clone());
                let all: Vec<Tensor> = std::iter::once(output.shallow_clone()).chain(others).collect();
                Tensor::cat(&all, 1)
            }
            _ => side_by_side(self.rows, spaces),
        }
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
