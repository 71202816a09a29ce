//! A file of cells opened for reading.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use anyhow::{Context, Result, bail, ensure};
use hdf5::Group;
use hdf5_metno as hdf5;

use crate::annotated::read_obsm;
use crate::read::{frame, place};
use crate::tables::Table;
use crate::{Annotated, DelimitedSpec, Dense, Frame, nearest};

/// What kind of file it is; a table of another format is the kind that it would be converted to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// AnnData, or a table that does not say what its features are: one modality without a name.
    H5ad,
    /// MuData, or a 10x matrix with feature types: modalities by name.
    H5mu,
}

/// A file of cells opened for reading: an .h5ad or .h5mu, or a table of another format, which is read as if it had been
/// converted. What an HDF5 file is shows in its content, not in its name; text is told by its name.
#[derive(Debug, Clone)]
pub struct File {
    path: PathBuf,
    kind: Kind,
    store: Store,
    obs: Frame,
    /// Columns of `obs` that came from elsewhere.
    described: Vec<String>,
}

/// What is behind a file.
#[derive(Debug, Clone)]
enum Store {
    Hdf5(Group),
    Table(Arc<Table>),
}

impl File {
    /// Opens a file and reads the table of all its cells.
    ///
    /// # Errors
    /// If there is no such file, it is of no known format, or it is separated text, of which more must be known: see
    /// [`File::open_as`].
    pub fn open(path: impl AsRef<Path>) -> Result<Self> {
        Self::open_as(path, &DelimitedSpec::default())
    }

    /// Opens a file and reads the table of all its cells; `spec` says how separated text is to be understood.
    ///
    /// # Errors
    /// If there is no such file, or it is of no known format.
    pub fn open_as(path: impl AsRef<Path>, spec: &DelimitedSpec) -> Result<Self> {
        let path = path.as_ref();
        if let Some(table) = Table::open_text(path, spec)? {
            return Ok(Self::of_table(path, table));
        }
        ensure!(path.is_file(), "no file `{}`", path.display());
        let opened = hdf5::File::open(path);
        let file = opened.with_context(|| format!("`{}` cannot be opened as HDF5; is it whole?", path.display()))?;
        let root = file.as_group()?;
        if is_tenx(&root) {
            return Ok(Self::of_table(path, Table::open_tenx_h5(path)?));
        }
        let kind = detect(&root, path)?;
        let obs = frame::read(&root, "obs")?;
        Ok(Self { path: path.to_owned(), kind, store: Store::Hdf5(root), obs, described: Vec::new() })
    }

    fn of_table(path: &Path, table: Table) -> Self {
        let kind = if table.are_named { Kind::H5mu } else { Kind::H5ad };
        let obs = table.obs();
        Self { path: path.to_owned(), kind, store: Store::Table(Arc::new(table)), obs, described: Vec::new() }
    }

    /// Adds what a table says of cells of these names to `obs`; returns how many of them it describes. A column of the
    /// same name is replaced.
    ///
    /// # Errors
    /// If a column cannot be held.
    pub fn describe(&mut self, table: &Frame) -> Result<usize> {
        self.described.extend(table.column_names().into_iter().map(str::to_owned));
        self.obs.describe(table)
    }

    /// Columns of `obs` that [`File::describe`] added.
    pub(crate) fn described(&self) -> &[String] {
        &self.described
    }

    /// The table of another format that the file is; none for AnnData and MuData.
    pub(crate) fn table(&self) -> Option<&Table> {
        match &self.store {
            Store::Hdf5(_) => None,
            Store::Table(table) => Some(table),
        }
    }

    /// Whether the file is a table of another format, to which nothing can be added.
    pub fn is_table(&self) -> bool {
        self.table().is_some()
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
        match &self.store {
            Store::Hdf5(root) => modalities(root, self.kind),
            Store::Table(table) if table.are_named => Ok(table.parts.iter().map(|part| part.name.clone()).collect()),
            Store::Table(_) => Ok(vec![String::new()]),
        }
    }

    /// One modality by name; the empty name is the one modality of AnnData.
    ///
    /// # Errors
    /// If there is none of that name, or its tables cannot be read.
    pub fn modality(&self, name: &str) -> Result<Annotated> {
        match &self.store {
            Store::Hdf5(root) => Annotated::open(modality_group(root, self.kind, name)?),
            Store::Table(table) => {
                let there = self.modalities()?;
                let place = there.iter().position(|known| known == name);
                let place = place.with_context(|| {
                    format!("`{}`: {}", self.path.display(), nearest::unknown("modality", name, &there))
                })?;
                Ok(Annotated::of_table(table, place))
            }
        }
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
        match &self.store {
            Store::Hdf5(root) => place::member_names(root, "obsm"),
            Store::Table(_) => Ok(Vec::new()),
        }
    }

    /// A per-cell array of all cells.
    ///
    /// # Errors
    /// As [`Annotated::obsm`].
    pub fn obsm(&self, name: &str) -> Result<Dense> {
        match &self.store {
            Store::Hdf5(root) => read_obsm(root, name, self.obs.n_rows()),
            Store::Table(_) => bail!("`{}` is a table without arrays beside it", self.path.display()),
        }
    }

    /// A text below the `uns` of the whole file; none if it is absent or not text.
    pub fn uns_text(&self, path: &str) -> Option<String> {
        match &self.store {
            Store::Hdf5(root) => frame::optional_text(root, &format!("uns/{path}")),
            Store::Table(_) => None,
        }
    }
}

/// Whether it is a 10x matrix, of Cell Ranger 2 or later.
fn is_tenx(root: &Group) -> bool {
    let is_annotated = root.link_exists("mod") || (root.link_exists("obs") && root.link_exists("var"));
    let is_matrix = |name: &str| root.group(name).is_ok_and(|group| group.link_exists("barcodes"));
    !is_annotated && place::members(root).unwrap_or_default().iter().any(|name| is_matrix(name))
}

/// Tells AnnData from MuData by what is inside.
pub(crate) fn detect(root: &Group, path: &Path) -> Result<Kind> {
    if root.group("mod").is_ok() {
        return Ok(Kind::H5mu);
    }
    if root.link_exists("obs") && root.link_exists("var") {
        return Ok(Kind::H5ad);
    }
    bail!(
        "`{}` is HDF5, but neither AnnData (no `obs` and `var`) nor MuData (no `mod`) nor a 10x matrix (no `matrix`); it holds: {}",
        path.display(),
        place::members(root).unwrap_or_default().join(", ")
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
