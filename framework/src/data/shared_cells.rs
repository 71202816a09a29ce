//! Rows that are of one cell, as pairs of a cell and a protein are: no split divides them.

use super::dataset::Assay;
use super::{Dataset, Split, Subset};
use anyhow::{Result, bail};
use std::collections::HashMap;

impl Dataset {
    /// Refuses a split that learns from a cell and judges it, too, by another of its rows.
    ///
    /// # Errors
    /// Naming the first two rows.
    pub(super) fn ensure_whole(&self, split: &Split) -> Result<()> {
        self.assays.iter().try_for_each(|assay| ensure_whole(assay, &self.cells, split.subsets()))
    }
}

fn ensure_whole(assay: &Assay, names: &[String], subsets: &[Subset]) -> Result<()> {
    let Some(cells) = assay.modality.cell_of_rows() else { return Ok(()) };
    let mut first: HashMap<usize, usize> = HashMap::new();
    for (place, row) in assay.rows.iter().enumerate() {
        let Some(row) = row else { continue };
        if subsets[place] == Subset::Unused {
            continue;
        }
        let other = *first.entry(cells[*row as usize]).or_insert(place);
        if subsets[other] != subsets[place] {
            bail!(
                "the split divides a cell: `{}` and `{}` of the modality `{}` are of the same one, but the first is for {} and \
                 the second for {}\nhelp: set `group_by = \"cell\"` in `[data.split]`, or a column of donors, wells or fields",
                names[other],
                names[place],
                assay.name,
                subsets[other].name(),
                subsets[place].name()
            );
        }
    }
    Ok(())
}
