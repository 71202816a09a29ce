//! Which component of the prior each cell belongs to.

use super::{BASAL, Scene, in_file_order};
use anndata::{Annotator, Categorical, Column};
use anyhow::{Context, Result};
use tch::{Kind, Tensor, no_grad};

/// Writes `obs["dgd_component"]` (the most probable component, counted from 0) and `obsm["dgd_proba"]` (the probability of
/// each) where rows are found by optimisation and their prior has components.
///
/// # Errors
/// When the prior refuses the rows or the file cannot be written.
pub(super) fn annotate(
    annotator: &mut Annotator,
    scene: &Scene<'_>,
    rows: &[Tensor],
    in_file: &[Option<usize>],
) -> Result<()> {
    let Some(place) = scene.model.spaces.iter().position(|space| scene.model.mapping.is_some() && space.name == BASAL)
    else {
        return Ok(());
    };
    let space = &scene.model.spaces[place];
    let device = scene.model.generative.device();
    let probabilities = no_grad(|| space.prior.responsibilities(&rows[place].to_device(device)));
    let probabilities = probabilities.with_context(|| format!("prior of the latent space `{}`", space.name))?;
    let Some(probabilities) = probabilities.map(|all| all.to_device(tch::Device::Cpu)) else { return Ok(()) };
    annotator.set_obsm(None, "dgd_proba", &in_file_order(&probabilities, in_file)?)?;
    let is_known = Vec::<bool>::try_from(rows[place].isfinite().all_dim(1, false))?;
    let best = Vec::<i64>::try_from(probabilities.argmax(1, false).to_kind(Kind::Int64))?;
    let name = |row: &Option<usize>| row.filter(|&row| is_known[row]).map(|row| best[row].to_string());
    let names: Vec<Option<String>> = in_file.iter().map(name).collect();
    annotator.set_obs_column(None, "dgd_component", &Column::Categorical(Categorical::from_labels(&names)))
}
