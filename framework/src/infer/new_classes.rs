//! New classes of a covariate: a component for each, learned with the labels of its cells (Schuster et al. 2024, Methods,
//! "supervised integration"; as the code of the paper's repository).

use super::Trained;
use super::mapping::{best_candidates, candidates_where};
use crate::data::{Classes, Cohort, Dataset, Loader, minibatches};
use crate::fit::{Adam, AdamRule, Frozen, SteppedRows};
use crate::minibatch::Minibatch;
use crate::model::{Dimensions, Model, Objective, build_model, trainable};
use crate::spec::{Experiment, MappingFit, RowStep};
use anyhow::{Context, Result, ensure};
use std::collections::BTreeSet;
use std::ops::ControlFlow;
use tch::{Kind, Tensor, no_grad};

/// Classes of new cells that a cohort does not know, for each latent space; `labels` holds those of each space's covariate.
pub fn unseen_classes(cohort: &Cohort, labels: &[Option<Vec<Option<String>>>]) -> Vec<Vec<String>> {
    let unseen = |(classes, labels): (&Option<Classes>, &Option<Vec<Option<String>>>)| {
        let (Some(classes), Some(labels)) = (classes, labels) else { return Vec::new() };
        let new: BTreeSet<&String> = labels.iter().flatten().filter(|label| !classes.names.contains(label)).collect();
        new.into_iter().cloned().collect()
    };
    cohort.classes.iter().zip(labels).map(unseen).collect()
}

/// The same model with a component for each of these new classes (one list per latent space), not yet learned: everything
/// else as it was.
///
/// # Errors
/// When the model cannot be built again.
pub fn with_classes(experiment: &Experiment, trained: &Trained, new: &[Vec<String>]) -> Result<Trained> {
    let mut cohort = trained.cohort.clone();
    for (classes, new) in cohort.classes.iter_mut().zip(new) {
        if let Some(classes) = classes {
            classes.names.extend(new.iter().cloned());
            classes.n_added += new.len();
        }
    }
    let dimensions: Vec<Dimensions> = trained.preparations.iter().map(|p| p.dimensions.clone()).collect();
    let model = build_model(experiment, &dimensions, &cohort, trained.device)?;
    let old: std::collections::HashMap<String, Tensor> = trained.model.variables().into_iter().collect();
    for (name, tensor) in model.variables() {
        let before = old.get(&name).with_context(|| format!("the model has no `{name}`"))?;
        let fits = before.dim() == tensor.dim() && before.size().first() <= tensor.size().first();
        ensure!(fits, "`{name}` cannot grow from {:?} to {:?}", before.size(), tensor.size());
        no_grad(|| match before.dim() {
            0 => tensor.detach().copy_(before),
            _ => tensor.detach().narrow(0, 0, before.size()[0]).copy_(before),
        });
    }
    Ok(Trained { model, preparations: trained.preparations.clone(), cohort, device: trained.device })
}

/// Learns the components of added classes with the rows of labelled cells, everything else frozen.
///
/// Rows start at the best candidate of the spaces without a covariate, and at their class. Components are stepped at every
/// minibatch, rows once a pass.
pub struct NewClasses<'a> {
    model: &'a Model,
    settings: &'a MappingFit,
    rows: SteppedRows,
    components: Adam,
    /// Parameters that grew, and how many of their rows are not to move.
    grown: Vec<(Tensor, i64)>,
    _frozen: Frozen,
}

impl<'a> NewClasses<'a> {
    /// Learning that starts from these rows, one tensor per space.
    pub fn new(model: &'a Model, cohort: &Cohort, settings: &'a MappingFit, rows: Vec<Tensor>) -> NewClasses<'a> {
        let grown = grown_parameters(model, cohort);
        let is_grown = |tensor: &Tensor| grown.iter().any(|(other, _)| other.data_ptr() == tensor.data_ptr());
        let frozen = Frozen::new(trainable(&model.generative).into_iter().filter(|t| !is_grown(t)).collect());
        let rule = AdamRule { weight_decay: 0.0, ..settings.rule() };
        let components = Adam::new(grown.iter().map(|(tensor, _)| tensor.shallow_clone()).collect(), rule);
        let rows = SteppedRows::new(rows, settings.rule(), RowStep::PerEpoch);
        NewClasses { model, settings, rows, components, grown, _frozen: frozen }
    }

    /// Steps components along the gradients of a minibatch, whose cells have the rows at `places`, and gathers those of its
    /// rows; returns the total.
    ///
    /// # Errors
    /// When a component refuses its input.
    pub fn minibatch(&mut self, places: &Tensor, minibatch: &Minibatch) -> Result<Tensor> {
        let objective = Objective { classes: true, ..Objective::LIKELIHOOD };
        let mut terms = objective.terms(self.model, self.rows.open(places), minibatch)?;
        for space in self.model.spaces.iter().filter(|space| space.is_covariate) {
            terms.scale(&format!("prior_{}", space.name), self.settings.new_component_weight);
        }
        let total = terms.total().context("no modality measured any of these cells")?;
        self.components.zero_gradients();
        total.f_backward().context("the gradient of the loss cannot be computed")?;
        for (parameter, n_known) in &self.grown {
            let gradient = parameter.grad();
            if gradient.defined() {
                let _ = gradient.narrow(0, 0, *n_known).zero_();
            }
        }
        self.components.step();
        self.rows.take_gradients(places);
        Ok(total.detach())
    }

    /// Steps all rows along what they gathered.
    pub fn end_pass(&mut self) {
        self.rows.end_epoch();
    }

    /// The rows, one tensor per space.
    pub fn into_rows(self) -> Vec<Tensor> {
        self.rows.into_tables().iter().map(|table| table.rows().shallow_clone()).collect()
    }
}

/// Parameters of the priors of spaces to whose covariates classes were added, and how many rows of each were there before.
fn grown_parameters(model: &Model, cohort: &Cohort) -> Vec<(Tensor, i64)> {
    let mut grown = Vec::new();
    for (place, space) in model.spaces.iter().enumerate() {
        let facts = cohort.facts(place);
        let Some(n_classes) = facts.n_classes.filter(|_| facts.n_added > 0) else { continue };
        let prefix = format!("prior.{}.", space.name);
        let own = model.variables().into_iter().filter(|(name, _)| name.starts_with(&prefix));
        let own = own.filter(|(_, tensor)| tensor.requires_grad() && tensor.size().first() == Some(&n_classes));
        grown.extend(own.map(|(_, tensor)| (tensor, n_classes - facts.n_added)));
    }
    grown
}

/// Rows from which cells with known classes start: the best candidate of the spaces without a covariate, beside zeros, and
/// the component of their class.
///
/// # Errors
/// When a component refuses its input.
pub fn starting_rows(model: &Model, minibatch: &Minibatch, settings: &MappingFit) -> Result<Vec<Tensor>> {
    let device = minibatch.cells.device();
    let candidates = candidates_where(model, device, &|place| !model.spaces[place].is_covariate)?;
    let best = best_candidates(model, minibatch, &candidates, settings.search)?;
    let row = |(place, candidates): (usize, &Tensor)| -> Result<Tensor> {
        let of_class = match minibatch.classes_of(place) {
            Some(classes) => no_grad(|| model.spaces[place].prior.rows_of_classes(classes))?,
            None => None,
        };
        Ok(of_class.unwrap_or_else(|| candidates.index_select(0, &best)).detach().copy())
    };
    candidates.iter().enumerate().map(row).collect()
}

/// Learns the components of added classes from some cells of a data set whose classes are known; returns their rows.
///
/// # Errors
/// When data cannot be read or a component refuses its input.
pub fn learn_new_classes(trained: &Trained, dataset: &Dataset, cells: &[usize]) -> Result<Vec<Tensor>> {
    let model = &trained.model;
    let settings = model.mapping.as_ref().context("the model has encoders; it has no components for classes")?;
    let targets = model.target_values();
    let size = NEW_CLASS_MINIBATCH;
    let loader = Loader { dataset, minibatch: size, targets: &targets, device: trained.device };
    let mut pieces: Vec<Vec<Tensor>> = Vec::new();
    loader.for_each(cells, |_, minibatch| {
        pieces.push(starting_rows(model, &minibatch, settings)?);
        Ok(ControlFlow::Continue(()))
    })?;
    let rows = (0..model.spaces.len())
        .map(|space| Tensor::cat(&pieces.iter().map(|piece| piece[space].shallow_clone()).collect::<Vec<_>>(), 0));
    let mut fit = NewClasses::new(model, &trained.cohort, settings, rows.collect());
    let ranges = minibatches(cells.len(), size);
    for _ in 0..settings.n_new_component_steps {
        loader.for_each(cells, |step, minibatch| {
            let range = &ranges[step as usize];
            let form = (Kind::Int64, trained.device);
            let places = Tensor::arange_start(range.start as i64, range.end as i64, form);
            let _ = fit.minibatch(&places, &minibatch)?;
            Ok(ControlFlow::Continue(()))
        })?;
        fit.end_pass();
    }
    Ok(fit.into_rows())
}

/// Cells by which components of new classes are stepped (the loader of the published code).
const NEW_CLASS_MINIBATCH: usize = 8;
