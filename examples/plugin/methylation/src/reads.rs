//! Counts of methylated and of all reads on one sparse structure: what is not stored was not covered.

use framework::anndata::Csr;
use framework::anyhow::{Result, bail};

/// Reads of each cell and region, an entry for each that is covered.
#[derive(Debug, Clone, PartialEq)]
pub struct Reads {
    /// All reads, and the structure of both: cells × regions.
    pub total: Csr,
    /// Methylated ones, one number per entry of `total`.
    pub methylated: Vec<f32>,
}

impl Reads {
    /// Pairs the two matrices; `names` are those of cells and of regions.
    ///
    /// # Errors
    /// When a number is no count, or more reads are methylated than there are; the first cell and region are named.
    pub fn pair(methylated: &Csr, total: Csr, names: [&[String]; 2]) -> Result<Reads> {
        let mut paired = Vec::with_capacity(total.n_stored());
        for row in 0..total.n_rows {
            let (columns, totals) = total.row(row);
            let (own, values) = methylated.row(row);
            let mut left = own.iter().zip(values).peekable();
            for (column, n) in columns.iter().zip(totals) {
                let uncovered = left.next_if(|(other, _)| *other < column).map(|(other, m)| (*other, *m, 0.0));
                let m = left.next_if(|(other, _)| *other == column).map_or(0.0, |(_, m)| *m);
                let wrong = uncovered.or_else(|| (!is_pair(m, *n)).then_some((*column, m, *n)));
                refuse(wrong, row, names)?;
                paired.push(m);
            }
            refuse(left.next().map(|(column, m)| (*column, *m, 0.0)), row, names)?;
        }
        Ok(Reads { total, methylated: paired })
    }

    /// Replaces both by rows or columns of them.
    ///
    /// # Errors
    /// When they cannot be chosen; both are left as they were.
    pub fn choose(&mut self, mut choose: impl FnMut(&Csr) -> Result<Csr>) -> Result<()> {
        let total = choose(&self.total)?;
        // The same structure again, so what went well once goes well.
        std::mem::swap(&mut self.total.values, &mut self.methylated);
        self.methylated = choose(&self.total)?.values;
        self.total = total;
        Ok(())
    }

    /// Bounds of a row in the entries.
    pub fn entries(&self, row: usize) -> std::ops::Range<usize> {
        self.total.indptr[row] as usize..self.total.indptr[row + 1] as usize
    }

    /// Methylated and all reads of each region in these rows.
    pub fn per_region(&self, rows: &[usize]) -> Vec<[f64; 2]> {
        let mut sums = vec![[0.0; 2]; self.total.n_columns];
        for entry in rows.iter().flat_map(|row| self.entries(*row)) {
            let [methylated, total] = &mut sums[self.total.indices[entry] as usize];
            *methylated += f64::from(self.methylated[entry]);
            *total += f64::from(self.total.values[entry]);
        }
        sums
    }
}

fn is_pair(methylated: f32, total: f32) -> bool {
    let are_counts = methylated >= 0.0 && methylated.fract() == 0.0 && total.fract() == 0.0;
    are_counts && methylated <= total
}

/// Tells the first place that is wrong: its column, methylated and all reads.
fn refuse(wrong: Option<(u32, f32, f32)>, row: usize, [cells, regions]: [&[String]; 2]) -> Result<()> {
    let Some((column, methylated, total)) = wrong else { return Ok(()) };
    let (cell, region) = (&cells[row], &regions[column as usize]);
    bail!(
        "cell `{cell}`, region `{region}` has {methylated} methylated of {total} reads; expected integers of at least 0, \
         methylated ones not above all\nhelp: name the layers of raw counts with `methylated` and `total`"
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use framework::anndata::Dense;

    fn csr(values: [f32; 6]) -> Csr {
        Csr::from_dense(&Dense::new(2, 3, values.to_vec()).unwrap()).unwrap()
    }

    fn pair(methylated: [f32; 6], total: [f32; 6]) -> Result<Reads> {
        let names = |letter: char, n: usize| (0..n).map(|place| format!("{letter}{place}")).collect::<Vec<_>>();
        Reads::pair(&csr(methylated), csr(total), [&names('c', 2), &names('r', 3)])
    }

    #[test]
    fn covered_regions_without_methylated_reads_are_entries() {
        let mut reads = pair([0.0, 2.0, 0.0, 1.0, 0.0, 0.0], [3.0, 2.0, 0.0, 1.0, 0.0, 4.0]).unwrap();
        assert_eq!(reads.methylated, [0.0, 2.0, 1.0, 0.0]);
        assert_eq!(reads.total.values, [3.0, 2.0, 1.0, 4.0]);
        assert_eq!(reads.per_region(&[0, 1]), [[1.0, 4.0], [2.0, 2.0], [0.0, 4.0]]);
        reads.choose(|matrix| matrix.select_columns(&[1, 2])).unwrap();
        assert_eq!((reads.methylated.as_slice(), reads.total.values.as_slice()), (&[2.0f32, 0.0][..], &[2.0, 4.0][..]));
        let before = reads.clone();
        assert!(reads.choose(|matrix| matrix.select_rows(&[7])).is_err());
        assert_eq!(reads, before);
    }

    #[test]
    fn the_first_wrong_pair_is_told() {
        let told = |methylated, total| pair(methylated, total).unwrap_err().to_string();
        let start = |cell, region, m, n| format!("cell `{cell}`, region `{region}` has {m} methylated of {n} reads; ");
        let total = [3.0, 2.0, 0.0, 1.0, 0.0, 4.0];
        for (place, value, expected) in [
            (0, 4.0, start("c0", "r0", "4", "3")),
            (2, 1.0, start("c0", "r2", "1", "0")),
            (4, 1.0, start("c1", "r1", "1", "0")),
            (5, 0.5, start("c1", "r2", "0.5", "4")),
            (3, -1.0, start("c1", "r0", "-1", "1")),
        ] {
            let mut methylated = [0.0, 2.0, 0.0, 1.0, 0.0, 0.0];
            methylated[place] = value;
            let told = told(methylated, total);
            assert!(told.starts_with(&expected), "{told}");
        }
        assert!(told([0.0; 6], [0.0, 0.0, 1.5, 0.0, 0.0, 0.0]).starts_with(&start("c0", "r2", "0", "1.5")));
        assert!(told([0.0; 6], [-1.0, 0.0, 0.0, 0.0, 0.0, 0.0]).starts_with(&start("c0", "r0", "0", "-1")));
    }
}
