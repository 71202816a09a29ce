//! A new AnnData, whole.

use std::path::Path;

use anyhow::{Context, Result, ensure};
use hdf5::Group;
use hdf5_metno as hdf5;
use indexmap::IndexMap;

use super::draft::Draft;
use super::matrix::{Matrix, write_dense};
use super::{element, frame};
use crate::{Dense, Frame, UnsTree};

/// Everything a new AnnData is to hold; cells are the rows of `obs`, features the rows of `var`.
#[derive(Debug, Clone, PartialEq)]
pub struct NewAnnData {
    /// One row a cell.
    pub obs: Frame,
    /// One row a feature.
    pub var: Frame,
    /// The main matrix, cells × features.
    pub x: Matrix,
    /// More matrices of the same shape, by name.
    pub layers: IndexMap<String, Matrix>,
    /// Arrays with one row a cell, by name.
    pub obsm: IndexMap<String, Dense>,
    /// Texts about the whole, by name.
    pub uns: IndexMap<String, UnsTree>,
}

impl NewAnnData {
    /// An AnnData with a matrix and nothing else.
    pub fn new(obs: Frame, var: Frame, x: impl Into<Matrix>) -> Self {
        Self { obs, var, x: x.into(), layers: IndexMap::new(), obsm: IndexMap::new(), uns: IndexMap::new() }
    }

    /// Writes everything into a group.
    pub(crate) fn write(&self, group: &Group) -> Result<()> {
        let shape = [self.obs.n_rows(), self.var.n_rows()];
        element::mark(group, "anndata", "0.1.0")?;
        self.x.write(group, "X", shape)?;
        frame::write(group, "obs", &self.obs)?;
        frame::write(group, "var", &self.var)?;
        let layers = element::dict(group, "layers")?;
        self.layers.iter().try_for_each(|(name, layer)| layer.write(&layers, name, shape))?;
        write_obsm(group, &self.obsm, shape[0])?;
        write_uns(group, &self.uns)?;
        ["obsp", "varm", "varp"].iter().try_for_each(|name| element::dict(group, name).map(drop))
    }
}

/// Writes per-cell arrays and gives back their group.
pub(crate) fn write_obsm(parent: &Group, obsm: &IndexMap<String, Dense>, n_cells: usize) -> Result<Group> {
    let group = element::dict(parent, "obsm")?;
    for (name, array) in obsm {
        ensure!(
            array.n_rows == n_cells,
            "the array `obsm/{name}` has {} rows, but there are {n_cells} cells",
            array.n_rows
        );
        write_dense(&group, name, array)?;
    }
    Ok(group)
}

/// Writes texts by name.
pub(crate) fn write_uns(parent: &Group, uns: &IndexMap<String, UnsTree>) -> Result<()> {
    let group = element::dict(parent, "uns")?;
    uns.iter().try_for_each(|(name, tree)| element::tree(&group, name, tree))
}

/// Writes a new .h5ad file, replacing a file of that name once the new one is whole.
///
/// # Errors
/// If shapes do not agree, a sparse matrix breaks its invariants, or the file cannot be written.
pub fn write_new_h5ad(path: impl AsRef<Path>, anndata: &NewAnnData) -> Result<()> {
    let draft = Draft::beside(path.as_ref())?;
    let write = || -> Result<()> {
        let file = hdf5::File::create(draft.path())?;
        anndata.write(&file)?;
        Ok(file.close()?)
    };
    write().with_context(|| format!("could not write `{}`", path.as_ref().display()))?;
    draft.keep()
}
