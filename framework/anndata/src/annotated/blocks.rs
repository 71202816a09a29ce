//! A whole matrix without holding it: some rows at a time.

use anyhow::Result;

use super::{Annotated, Store};
use crate::read::{matrix, place};
use crate::{Csr, Frame, Layer};

/// Stored values of the rows that are read at a time (8 bytes each).
const VALUES_AT_A_TIME: u64 = 1 << 22;
/// Rows of a table of another format that are read at a time.
const ROWS_AT_A_TIME: usize = 1024;

impl Annotated {
    /// Hands all rows of a matrix to `each`, in order, about four million stored values at a time; text is read whole.
    ///
    /// # Errors
    /// As [`Annotated::matrix`], where the matrix is kept column by column (`csc_matrix`), and the first error of `each`.
    pub fn for_each_block(&self, layer: &Layer, each: &mut dyn FnMut(Csr) -> Result<()>) -> Result<()> {
        self.ensure_layer(layer)?;
        let group = match &self.store {
            Store::Hdf5(group) => group,
            Store::Table(..) => {
                let n_rows = self.cells().len();
                let starts = (0..n_rows).step_by(ROWS_AT_A_TIME);
                let blocks = starts.map(|start| start..(start + ROWS_AT_A_TIME).min(n_rows));
                return blocks.into_iter().try_for_each(|rows| each(self.matrix_rows(layer, rows)?));
            }
        };
        let (parent, name, var) = match layer {
            Layer::Raw => (place::group(group, "raw")?, "X".to_owned(), Some(self.raw_var()?)),
            Layer::X | Layer::Named(_) => (group.clone(), layer.to_string(), None),
        };
        let features = var.as_ref().map_or_else(|| self.features(), Frame::index);
        let label = format!("`{layer}` of {}", self.label());
        let naming = matrix::Naming { label, cells: self.cells(), features };
        matrix::read_blocks(&parent, &name, &naming, VALUES_AT_A_TIME, each)
    }

    /// How many values a sparse matrix stores, without reading it; `None` where it is not known.
    ///
    /// # Errors
    /// If there is no such matrix, or the file is damaged.
    pub fn n_stored(&self, layer: &Layer) -> Result<Option<u64>> {
        self.ensure_layer(layer)?;
        match (&self.store, layer) {
            (Store::Table(..), _) => Ok(None),
            (Store::Hdf5(group), Layer::Raw) => matrix::n_stored(&place::group(group, "raw")?, "X"),
            (Store::Hdf5(group), Layer::X | Layer::Named(_)) => matrix::n_stored(group, &layer.to_string()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Dense, File, Matrix, NewAnnData, write_new_h5ad};

    /// 5,000 × 2,000 with one value in a hundred: more than fits one block of a dense array.
    fn written(layer: &str) -> (tempfile::TempDir, Annotated, Csr) {
        let mut dense = Dense::zeros(5000, 2000);
        for place in (0..dense.values.len()).step_by(97) {
            dense.values[place] = (place % 11) as f32;
        }
        let sparse = Csr::from_dense(&dense).unwrap();
        let named = |prefix: &str, n: usize| Frame::new((0..n).map(|place| format!("{prefix}{place}")).collect());
        let mut new = NewAnnData::new(named("c", 5000), named("g", 2000), sparse.clone());
        if layer == "dense" {
            new.layers.insert("dense".into(), Matrix::Dense(dense));
        }
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("x.h5ad");
        write_new_h5ad(&path, &new).unwrap();
        (folder, File::open(&path).unwrap().modality("").unwrap(), sparse)
    }

    fn blocks(opened: &Annotated, layer: &Layer) -> Vec<Csr> {
        let mut blocks = Vec::new();
        let mut take = |block| {
            blocks.push(block);
            Ok(())
        };
        opened.for_each_block(layer, &mut take).unwrap();
        blocks
    }

    #[test]
    fn blocks_are_the_rows_in_order() {
        for layer in ["X", "dense"] {
            let (_folder, opened, whole) = written(layer);
            let layer = Layer::parse(layer);
            let blocks = blocks(&opened, &layer);
            assert_eq!(blocks.len() > 1, layer != Layer::X);
            let mut first = 0;
            for block in blocks {
                assert_eq!(block, whole.select_rows(&(first..first + block.n_rows).collect::<Vec<_>>()).unwrap());
                first += block.n_rows;
            }
            assert_eq!(first, 5000);
        }
    }

    #[test]
    fn few_values_at_a_time_give_at_least_a_row() {
        let (_folder, opened, whole) = written("X");
        let Store::Hdf5(group) = &opened.store else { panic!("an .h5ad is HDF5") };
        let naming = matrix::Naming { label: "it".into(), cells: opened.cells(), features: opened.features() };
        let (mut n_rows, mut n_blocks) = (0, 0);
        let mut take = |block: Csr| {
            assert!(block.n_rows == 1 || block.n_stored() <= 30);
            (n_rows, n_blocks) = (n_rows + block.n_rows, n_blocks + 1);
            Ok(())
        };
        matrix::read_blocks(group, "X", &naming, 30, &mut take).unwrap();
        assert_eq!(n_rows, 5000);
        assert!(n_blocks >= 2500);
        assert_eq!(opened.n_stored(&Layer::X).unwrap(), Some(whole.n_stored() as u64));
    }
}
