//! An .h5ad or .h5mu file opened for reading.

use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail, ensure};
use hdf5::Group;
use hdf5_metno as hdf5;

use crate::annotated::read_obsm;
use crate::read::{frame, place};
use crate::{Annotated, Dense, Frame, nearest};

/// What kind of file it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// AnnData: one modality.
    H5ad,
    /// MuData: several modalities by name.
    H5mu,
}

/// An .h5ad or .h5mu file opened for reading. What it is shows in its content, not in its name.
#[derive(Debug, Clone)]
pub struct File {
    path: PathBuf,
    kind: Kind,
    root: Group,
    obs: Frame,
}

impl File {
    /// Opens a file and reads the table of all its cells.
    ///
    /// # Errors
    /// If there is no such file, or it is neither AnnData nor MuData.
    pub fn open(path: impl AsRef<Path>) -> Result<Self> {
        let path = path.as_ref();
        ensure!(path.is_file(), "no file `{}`", path.display());
        let opened = hdf5::File::open(path);
        let file = opened.with_context(|| format!("`{}` cannot be opened as HDF5; is it whole?", path.display()))?;
        let root = file.as_group()?;
        let kind = detect(&root, path)?;
        let obs = frame::read(&root, "obs")?;
        Ok(Self { path: path.to_owned(), kind, root, obs })
    }

    /// Where the file is.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Whether the file is AnnData or MuData.
    pub fn kind(&self) -> Kind {
        self.kind
    }

    /// Names of the modalities in the order the file states; a single empty name for AnnData.
    ///
    /// # Errors
    /// If the file cannot be read.
    pub fn modalities(&self) -> Result<Vec<String>> {
        modalities(&self.root, self.kind)
    }

    /// One modality by name; the empty name is the one modality of AnnData.
    ///
    /// # Errors
    /// If there is none of that name, or its tables cannot be read.
    pub fn modality(&self, name: &str) -> Result<Annotated> {
        Annotated::open(modality_group(&self.root, self.kind, name)?)
    }

    /// What is known about each cell of the file, whichever modalities it was measured in.
    pub fn obs(&self) -> &Frame {
        &self.obs
    }

    /// Names of all cells, in order.
    pub fn cells(&self) -> &[String] {
        self.obs.index()
    }

    /// Names of the arrays in the `obsm` of all cells; MuData also keeps there which modality has which cell.
    ///
    /// # Errors
    /// If the file cannot be read.
    pub fn obsm_names(&self) -> Result<Vec<String>> {
        place::member_names(&self.root, "obsm")
    }

    /// A per-cell array of all cells.
    ///
    /// # Errors
    /// As [`Annotated::obsm`].
    pub fn obsm(&self, name: &str) -> Result<Dense> {
        read_obsm(&self.root, name, self.obs.n_rows())
    }

    /// A text below the `uns` of the whole file; none if it is absent or not text.
    pub fn uns_text(&self, path: &str) -> Option<String> {
        frame::optional_text(&self.root, &format!("uns/{path}"))
    }
}

/// Tells AnnData from MuData by what is inside.
pub(crate) fn detect(root: &Group, path: &Path) -> Result<Kind> {
    if root.group("mod").is_ok() {
        return Ok(Kind::H5mu);
    }
    if root.link_exists("obs") && root.link_exists("var") {
        return Ok(Kind::H5ad);
    }
    if root.link_exists("matrix") {
        bail!(
            "`{}` looks like a 10x Genomics matrix, not AnnData; read it in Python with scanpy and write it as .h5ad",
            path.display()
        );
    }
    bail!(
        "`{}` is HDF5, but neither AnnData (no `obs` and `var`) nor MuData (no `mod`); it holds: {}",
        path.display(),
        root.member_names().unwrap_or_default().join(", ")
    )
}

/// Names of the modalities, in `mod-order` where the file states it for all of them.
pub(crate) fn modalities(root: &Group, kind: Kind) -> Result<Vec<String>> {
    if kind == Kind::H5ad {
        return Ok(vec![String::new()]);
    }
    let group = place::group(root, "mod")?;
    let members = place::member_names(root, "mod")?;
    let order = place::texts_attribute(&group, "mod-order").unwrap_or_default();
    let complete = order.len() == members.len() && order.iter().all(|name| members.contains(name));
    Ok(if complete { order } else { members })
}

/// The group of a modality by name.
pub(crate) fn modality_group(root: &Group, kind: Kind, name: &str) -> Result<Group> {
    let names = modalities(root, kind)?;
    if !names.iter().any(|known| known == name) {
        if kind == Kind::H5ad {
            bail!("`{}` is an .h5ad file: its one modality has no name, but `{name}` was asked for", root.filename());
        }
        bail!("`{}`: {}", root.filename(), nearest::unknown("modality", name, &names));
    }
    match kind {
        Kind::H5ad => Ok(root.clone()),
        Kind::H5mu => place::group(&place::group(root, "mod")?, name),
    }
}
