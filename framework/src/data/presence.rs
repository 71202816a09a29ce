//! Which cells an assay measured, where its file has rows of others, too.

use super::Observations;
use super::files::DataFile;
use crate::Modality;
use anyhow::{Context, Result, bail, ensure};

/// Leaves out the rows of cells that were not measured, as a column of obs says.
///
/// # Errors
/// When there is no such column, it holds other words than those below, or no cell was measured.
pub(super) fn keep_measured(modality: &mut dyn Modality, file: &DataFile, column: &str) -> Result<()> {
    let rows = measured_rows(modality.cells(), file, column)?;
    if rows.len() < modality.cells().len() {
        modality.keep_cells(&rows).context("the rows of cells that were not measured cannot be left out")?;
    }
    Ok(())
}

/// The rows of the cells that were measured.
///
/// # Errors
/// The same.
pub(super) fn measured_rows(cells: &[String], file: &DataFile, column: &str) -> Result<Vec<usize>> {
    let observations = Observations::read(std::slice::from_ref(file), cells, &[column.to_owned()])?;
    let mut rows = Vec::new();
    for (row, (cell, said)) in cells.iter().zip(observations.column(column)?).enumerate() {
        let said = said.as_deref().map(str::to_lowercase);
        match said.as_deref() {
            Some("true" | "1" | "yes") => rows.push(row),
            Some("false" | "0" | "no") => {}
            Some(other) => bail!(
                "the column `{column}` of obs says `{other}` of the cell `{cell}`; expected `true` or `false`, `1` or `0`, `yes` or \
                 `no`: whether it was measured"
            ),
            None => bail!("the column `{column}` of obs does not say whether the cell `{cell}` was measured"),
        }
    }
    ensure!(!rows.is_empty(), "the column `{column}` of obs says that no cell was measured");
    Ok(rows)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::data::{MatrixModality, MatrixReading};
    use anndata::{Csr, Dense};

    fn kept(obs: &str) -> Result<Vec<String>> {
        let folder = tempfile::tempdir().unwrap();
        let (path, table) = (folder.path().join("x.csv"), folder.path().join("obs.csv"));
        std::fs::write(&path, "cell,f\na,1\nb,0\nc,2\n").unwrap();
        std::fs::write(&table, obs).unwrap();
        let columns = toml::from_str("features_in = \"columns\"").unwrap();
        let file = DataFile { path, table: Some(columns), obs: Some(table) };
        let cells = ["a", "b", "c"].map(str::to_owned).to_vec();
        let matrix = Csr::from_dense(&Dense::new(3, 1, vec![1.0, 0.0, 2.0])?)?;
        let measured = super::super::matrix::Measured { origin: None, cells, features: vec!["f".into()], matrix };
        let mut modality = MatrixModality::new(measured, &MatrixReading::default(), Vec::new())?;
        keep_measured(&mut modality, &file, "has_f")?;
        Ok(modality.cells().to_vec())
    }

    #[test]
    fn rows_of_cells_that_were_not_measured_are_left_out() {
        assert_eq!(kept("cell,has_f\na,true\nb,false\nc,true\n").unwrap(), ["a", "c"]);
        assert_eq!(kept("cell,has_f\na,1\nb,1\nc,0\n").unwrap(), ["a", "b"]);
    }

    #[test]
    fn other_words_and_no_words_are_refused() {
        let told = |obs: &str| kept(obs).unwrap_err().to_string();
        assert!(told("cell,has_f\na,perhaps\nb,no\nc,yes\n").contains("says `perhaps` of the cell `a`"));
        assert!(told("cell,has_f\na,yes\nc,no\n").contains("does not say whether the cell `b` was measured"));
        assert!(told("cell,has_f\na,no\nb,no\nc,no\n").contains("no cell was measured"));
        assert!(told("cell,other\na,no\nb,no\nc,no\n").contains("no column `has_f` in obs"));
    }
}
