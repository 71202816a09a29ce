//! The trunk of a model, and what decoders read where there is one.

use super::{Model, Space, objective::side_by_side};
use crate::nn::Trunk;
use crate::spec::Experiment;
use anyhow::{Context, Result, ensure};
use tch::Tensor;
use tch::nn::Path;

/// The layers that the decoders of all modalities share.
#[derive(Debug)]
pub struct SharedTrunk {
    /// Indices of the spaces that it reads, in order: those that every modality reads.
    pub reads: Vec<usize>,
    /// Numbers per cell that it gives.
    pub width: i64,
    network: Trunk,
}

impl SharedTrunk {
    /// The trunk that an experiment asks for.
    ///
    /// # Errors
    /// When no space is read by every modality.
    pub(super) fn of(experiment: &Experiment, spaces: &[Space], root: &Path<'_>) -> Result<Option<SharedTrunk>> {
        let spec = &experiment.trunk;
        if spec.n_layers == 0 {
            return Ok(None);
        }
        let n_modalities = experiment.modalities.len();
        let reads: Vec<usize> = (0..spaces.len()).filter(|&s| spaces[s].modalities.len() == n_modalities).collect();
        ensure!(
            !reads.is_empty(),
            "the trunk has nothing to read: no latent space is read by every modality; set `model.shared` or `trunk.n_layers = 0`"
        );
        let n_inputs = reads.iter().map(|&space| spaces[space].dim).sum();
        let network = Trunk::new(&(root / "trunk"), n_inputs, spec.n_layers, spec.width).context("trunk")?;
        Ok(Some(SharedTrunk { reads, width: spec.width, network }))
    }

    /// What it makes of the rows of a minibatch (one tensor per space of the model): n_cells × width.
    ///
    /// # Errors
    /// When the rows do not have the widths that it was built for.
    pub fn forward(&self, rows: &[Tensor]) -> Result<Tensor> {
        self.network.forward(&side_by_side(rows, &self.reads))
    }

    /// Those of some spaces that it does not read.
    pub fn others(&self, spaces: &[usize]) -> Vec<usize> {
        spaces.iter().copied().filter(|space| !self.reads.contains(space)).collect()
    }
}

impl Model {
    /// What a decoder of these spaces reads, given their rows in the same order: n_cells × its width.
    ///
    /// # Errors
    /// When a row that the trunk reads is not among them.
    pub fn decoder_input(&self, spaces: &[usize], rows: &[Tensor]) -> Result<Tensor> {
        let Some(trunk) = &self.trunk else { return Ok(Tensor::f_cat(rows, 1)?) };
        let row_of = |space: &usize| {
            let place = spaces.iter().position(|other| other == space);
            place.map(|place| rows[place].shallow_clone()).context("the decoder does not read all that its trunk reads")
        };
        let read: Vec<Tensor> = trunk.reads.iter().map(row_of).collect::<Result<_>>()?;
        let mut all = vec![trunk.network.forward(&Tensor::f_cat(&read, 1)?)?];
        for space in trunk.others(spaces) {
            all.push(row_of(&space)?);
        }
        Ok(Tensor::f_cat(&all, 1)?)
    }
}
