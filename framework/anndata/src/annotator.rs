//! Adding results to a file that exists, leaving everything else in it as it is.

mod array_rows;

use std::path::Path;

use anyhow::{Context, Result, bail, ensure};
use hdf5::Group;
use hdf5_metno as hdf5;

use crate::file::{Kind, detect, modalities, modality_group};
use crate::read::{frame, place};
use crate::write::draft::Draft;
use crate::write::{element, frame as write_frame, matrix};
use crate::{Column, Csr, Dense, File, UnsTree};

pub use array_rows::ArrayId;
use array_rows::ArrayRows;

/// A copy of a file to which results are added; it takes its final name only in [`Annotator::finish`].
///
/// Wherever a `modality` is asked for, `None` means the file as a whole: the joint tables of MuData, or the one
/// AnnData of an .h5ad file.
pub struct Annotator {
    // before `draft`, so that HDF5 lets go of the file before it is removed
    arrays: Vec<ArrayRows>,
    root: Group,
    draft: Draft,
    kind: Kind,
    replaced: Vec<String>,
}

impl Annotator {
    /// Copies a file, byte by byte, into a temporary one beside `destination`.
    ///
    /// # Errors
    /// If the source is neither AnnData nor MuData, or the folder of the destination cannot be written.
    pub fn copy_of(source: impl AsRef<Path>, destination: impl AsRef<Path>) -> Result<Self> {
        let source = source.as_ref();
        ensure!(source.is_file(), "no file `{}`", source.display());
        Self::of_draft(Draft::copy_of(source, destination.as_ref())?, source)
    }

    /// A copy of an open file with all that was added to its `obs`; a table of another format is converted.
    ///
    /// # Errors
    /// If the table cannot be read, or the folder of the destination cannot be written.
    pub fn copy_of_file(file: &File, destination: impl AsRef<Path>) -> Result<Self> {
        let Some(table) = file.table() else {
            let mut copy = Self::copy_of(file.path(), destination)?;
            for name in file.described() {
                copy.set_obs_column(None, name, file.obs().column(name)?)?;
            }
            return Ok(copy);
        };
        let draft = Draft::beside(destination.as_ref())?;
        table.convert(file.obs(), draft.path())?;
        Self::of_draft(draft, file.path())
    }

    fn of_draft(draft: Draft, source: &Path) -> Result<Self> {
        let opened = hdf5::File::open_rw(draft.path());
        let file = opened
            .with_context(|| format!("a copy of `{}` cannot be opened as HDF5; is it whole?", source.display()))?;
        let root = file.as_group()?;
        let kind = detect(&root, source)?;
        Ok(Self { arrays: Vec::new(), root, draft, kind, replaced: Vec::new() })
    }

    /// Works on a copy that replaces the file itself in the end; if anything fails before, the file is as it was.
    ///
    /// # Errors
    /// As [`Annotator::copy_of`].
    pub fn in_place(path: impl AsRef<Path>) -> Result<Self> {
        let path = path.as_ref();
        // a symbolic link stays one: what it points to is replaced
        let target = path.canonicalize().with_context(|| format!("no file `{}`", path.display()))?;
        Self::copy_of(&target, &target)
    }

    /// Sets `obsm[key]`, one row a cell in the order of the file's cells.
    ///
    /// # Errors
    /// If the number of rows is not the number of cells, or the key names a modality's own mask.
    pub fn set_obsm(&mut self, modality: Option<&str>, key: &str, array: &Dense) -> Result<()> {
        let target = self.target(modality)?;
        ensure_rows(&target, &format!("obsm/{key}"), array.n_rows)?;
        let obsm = self.room_in_obsm(&target, modality, key)?;
        matrix::write_dense(&obsm, key, array)
    }

    /// `obsm` without an array of that name, remembering what had to go.
    fn room_in_obsm(&mut self, target: &Group, modality: Option<&str>, key: &str) -> Result<Group> {
        if self.kind == Kind::H5mu && modality.is_none() {
            ensure!(
                !modalities(&self.root, self.kind)?.iter().any(|name| name == key),
                "`obsm/{key}` says which cells modality `{key}` has; choose another name, such as `X_{key}`"
            );
        }
        let obsm = member_dict(target, "obsm")?;
        self.clear(&obsm, key)?;
        Ok(obsm)
    }

    /// Sets a column of `obs`, one value a cell in the order of the file's cells.
    ///
    /// # Errors
    /// If the number of values is not the number of cells, or the name is reserved.
    pub fn set_obs_column(&mut self, modality: Option<&str>, name: &str, column: &Column) -> Result<()> {
        let target = self.target(modality)?;
        let Some(n_rows) = column.n_rows() else {
            bail!("column `{name}` was skipped when it was read, so it cannot be written");
        };
        ensure_rows(&target, &format!("obs/{name}"), n_rows)?;
        let table = place::group(&target, "obs")?;
        write_frame::ensure_column_name(&table, name)?;
        self.clear(&table, name)?;
        write_frame::add_column(&table, name, column)
    }

    /// Sets `obsp[key]`, a sparse matrix of cells × cells in the order of the file's cells.
    ///
    /// # Errors
    /// If the matrix has not as many rows and columns as there are cells.
    pub fn set_obsp(&mut self, modality: Option<&str>, key: &str, matrix: &Csr) -> Result<()> {
        let target = self.target(modality)?;
        let name = format!("obsp/{key}");
        ensure_rows(&target, &name, matrix.n_rows)?;
        ensure_rows(&target, &name, matrix.n_columns)?;
        let obsp = member_dict(&target, "obsp")?;
        self.clear(&obsp, key)?;
        matrix::write_sparse(&obsp, key, matrix)
    }

    /// Sets `varm[key]`, one row a feature in the order of the file's features.
    ///
    /// # Errors
    /// If the number of rows is not the number of features.
    pub fn set_varm(&mut self, modality: Option<&str>, key: &str, array: &Dense) -> Result<()> {
        let target = self.target(modality)?;
        let n_features = frame::n_rows(&target, "var")?;
        ensure!(
            array.n_rows == n_features,
            "`varm/{key}` has {} rows, but `{}` has {n_features} features; give one row for each, in the file's order",
            array.n_rows,
            target.name()
        );
        let varm = member_dict(&target, "varm")?;
        self.clear(&varm, key)?;
        matrix::write_dense(&varm, key, array)
    }

    /// Sets `uns[key]` to a text, or to texts and numbers nested by name.
    ///
    /// # Errors
    /// If a name contains `/`, or a text a zero byte.
    pub fn set_uns(&mut self, modality: Option<&str>, key: &str, tree: &UnsTree) -> Result<()> {
        let target = self.target(modality)?;
        let uns = member_dict(&target, "uns")?;
        self.clear(&uns, key)?;
        element::tree(&uns, key, tree)
    }

    /// Puts everything on disk and gives the file its final name.
    ///
    /// Returns the objects that were there before and were replaced, by their path in the file. HDF5 does not give
    /// their space back; `h5repack` does.
    ///
    /// # Errors
    /// If an array misses rows, or the file cannot be written.
    pub fn finish(self) -> Result<Vec<String>> {
        self.arrays.iter().try_for_each(ArrayRows::ensure_complete)?;
        let Self { arrays, root, draft, replaced, .. } = self;
        drop(arrays);
        let file = root.file()?;
        drop(root);
        file.flush()?;
        file.close()?;
        draft.keep()?;
        Ok(replaced)
    }

    fn target(&self, modality: Option<&str>) -> Result<Group> {
        match modality {
            Some(name) => modality_group(&self.root, self.kind, name),
            None => Ok(self.root.clone()),
        }
    }

    /// Makes room for a new object of that name, remembering what had to go.
    fn clear(&mut self, parent: &Group, name: &str) -> Result<()> {
        element::ensure_name(name)?;
        if parent.link_exists(name) {
            parent.unlink(name)?;
            self.replaced.push(format!("{}/{name}", parent.name()));
        }
        Ok(())
    }
}

/// A group that Python reads as a dictionary, created if it is missing.
fn member_dict(parent: &Group, name: &str) -> Result<Group> {
    if parent.link_exists(name) {
        return place::group(parent, name);
    }
    element::dict(parent, name)
}

fn ensure_rows(target: &Group, what: &str, n_rows: usize) -> Result<()> {
    let n_cells = frame::n_rows(target, "obs")?;
    ensure!(
        n_rows == n_cells,
        "`{what}` has {n_rows} rows, but `{}` has {n_cells} cells; give one row for each cell, in the file's order",
        target.name()
    );
    Ok(())
}
