//! A new MuData, whole: several AnnData and what joins them.

use std::collections::HashMap;
use std::fs::File;
use std::io::Write;
use std::path::Path;

use anyhow::{Context, Result, anyhow, ensure};
use hdf5::Group;
use hdf5_metno as hdf5;
use indexmap::IndexMap;

use super::draft::Draft;
use super::new_anndata::{write_obsm, write_uns};
use super::{NewAnnData, element, frame};
use crate::{Dense, Frame, UnsTree};

/// Bytes before the HDF5 content, in which MuData says what it is.
const USER_BLOCK: u64 = 512;

/// Everything a new MuData is to hold.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct NewMuData {
    /// The modalities by name, in order.
    pub modalities: IndexMap<String, NewAnnData>,
    /// One row for each cell that any modality has; names must be unique.
    pub obs: Frame,
    /// Arrays with one row for each row of `obs`, by name.
    pub obsm: IndexMap<String, Dense>,
    /// Texts about the whole, by name.
    pub uns: IndexMap<String, UnsTree>,
}

/// Writes a new .h5mu file, replacing a file of that name once the new one is whole.
///
/// # Errors
/// If `obs` is not exactly the cells of the modalities, shapes do not agree, or the file cannot be written.
pub fn write_new_h5mu(path: impl AsRef<Path>, mudata: &NewMuData) -> Result<()> {
    let draft = Draft::beside(path.as_ref())?;
    let write = || -> Result<()> {
        let file = hdf5::File::with_options().with_fcpl(|create| create.userblock(USER_BLOCK)).create(draft.path())?;
        mudata.write(&file)?;
        file.close()?;
        let mut user_block = File::options().write(true).open(draft.path())?;
        Ok(user_block.write_all(header().as_bytes())?)
    };
    write().with_context(|| format!("could not write `{}`", path.as_ref().display()))?;
    draft.keep()
}

/// The text at the start of the file, by which mudata knows its own.
fn header() -> String {
    let version = env!("CARGO_PKG_VERSION");
    format!("MuData (format-version=0.1.0;creator=cithara;creator-version={version})")
}

impl NewMuData {
    fn write(&self, root: &Group) -> Result<()> {
        element::mark(root, "MuData", "0.1.0")?;
        element::set_attribute(root, "axis", &0i64)?;
        element::set_text_attribute(root, "encoder", "cithara")?;
        element::set_text_attribute(root, "encoder-version", env!("CARGO_PKG_VERSION"))?;
        let modalities = element::create_group(root, "mod")?;
        element::set_texts_attribute(&modalities, "mod-order", &self.modalities.keys().cloned().collect::<Vec<_>>())?;
        for (name, modality) in &self.modalities {
            let group = element::create_group(&modalities, name)?;
            modality.write(&group).with_context(|| format!("modality `{name}`"))?;
        }
        frame::write(root, "obs", &self.obs)?;
        write_uns(root, &self.uns)?;
        self.write_cells(root)?;
        self.write_features(root)?;
        ["obsp", "varp"].iter().try_for_each(|name| element::dict(root, name).map(drop))
    }

    /// Which modality has which cell: `obsm` as truths, `obsmap` as places counted from 1.
    fn write_cells(&self, root: &Group) -> Result<()> {
        let row_of = self.rows_by_cell()?;
        let map = element::dict(root, "obsmap")?;
        let masks = write_obsm(root, &self.obsm, self.obs.n_rows())?;
        let mut measured = vec![false; self.obs.n_rows()];
        for (name, modality) in &self.modalities {
            let mut places = vec![0u32; self.obs.n_rows()];
            for (place, cell) in (1u32..).zip(modality.obs.index()) {
                let row = *row_of
                    .get(cell.as_str())
                    .ok_or_else(|| anyhow!("cell `{cell}` of modality `{name}` is not a row of the joint `obs`"))?;
                ensure!(places[row] == 0, "modality `{name}` has two cells called `{cell}`; names must be unique");
                places[row] = place;
                measured[row] = true;
            }
            element::array(&map, name, &places)?;
            write_mask(&masks, name, &places)?;
        }
        match measured.iter().position(|measured| !measured) {
            Some(row) => Err(anyhow!("cell `{}` of the joint `obs` is in no modality", self.obs.index()[row])),
            None => Ok(()),
        }
    }

    fn rows_by_cell(&self) -> Result<HashMap<&str, usize>> {
        let mut row_of = HashMap::with_capacity(self.obs.n_rows());
        for (row, cell) in self.obs.index().iter().enumerate() {
            let earlier = row_of.insert(cell.as_str(), row);
            ensure!(earlier.is_none(), "two rows of the joint `obs` are called `{cell}`; cell names must be unique");
        }
        Ok(row_of)
    }

    /// The features of all modalities one after the other, and whose they are.
    fn write_features(&self, root: &Group) -> Result<()> {
        let all = self.modalities.values().flat_map(|modality| modality.var.index().iter().cloned()).collect();
        let var = Frame::new(all);
        frame::write(root, "var", &var)?;
        let map = element::dict(root, "varmap")?;
        let masks = element::dict(root, "varm")?;
        let mut first = 0;
        for (name, modality) in &self.modalities {
            let n_features = modality.var.n_rows();
            let mut places = vec![0u32; var.n_rows()];
            for (place, slot) in (1u32..).zip(&mut places[first..first + n_features]) {
                *slot = place;
            }
            first += n_features;
            element::array(&map, name, &places)?;
            write_mask(&masks, name, &places)?;
        }
        Ok(())
    }
}

/// Writes one column of truths: whether the place is not 0.
fn write_mask(group: &Group, name: &str, places: &[u32]) -> Result<()> {
    element::ensure_name(name)?;
    let mask: Vec<bool> = places.iter().map(|place| *place > 0).collect();
    let view = ndarray::ArrayView2::from_shape((mask.len(), 1), &mask)?;
    let dataset = group.new_dataset_builder().with_data(view).create(name).with_context(|| {
        format!("could not say which rows belong to modality `{name}`; an array of that name exists")
    })?;
    element::mark(&dataset, "array", "0.2.0")
}
