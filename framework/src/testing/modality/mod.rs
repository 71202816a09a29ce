//! What is checked of a modality.

mod defaults;
mod file;
mod gather;
mod open;

use super::mismatch::{Check, Examined, Fault};
use super::small::{counts, rare_counts, small_h5ad};
use crate::modality::ModalitySpec;
use anyhow::{Context, Result};
use file::OnFile;
use std::path::{Path, PathBuf};
use tempfile::TempDir;

/// Checks a modality on these files, or on small ones of counts where there are none.
pub(super) fn check(examined: &Examined<'_>, spec: &dyn ModalitySpec, files: &[PathBuf]) -> Result<(), Fault> {
    examined.check("what it uses by default exists", "", || defaults::check(spec))?;
    let mut made = None;
    let mut paths = files.to_vec();
    if files.is_empty() {
        examined.check("small files can be written", "", || {
            let folder = tempfile::tempdir().context("no temporary folder could be made")?;
            paths = made_up_files(&folder)?;
            made = Some(folder);
            Ok(())
        })?;
    }
    paths.iter().try_for_each(|path| check_on(examined, spec, path))
}

/// A dense matrix of counts and a sparse one.
fn made_up_files(folder: &TempDir) -> Result<Vec<PathBuf>> {
    let write = |name: &str, matrix: anndata::Csr| -> Result<PathBuf> {
        let path = folder.path().join(name);
        small_h5ad(&path, &matrix, &[])?;
        Ok(path)
    };
    Ok(vec![write("dense.h5ad", counts(12, 7, 1))?, write("sparse.h5ad", rare_counts(25, 301, 2))?])
}

fn check_on(examined: &Examined<'_>, spec: &dyn ModalitySpec, path: &Path) -> Result<(), Fault> {
    let checks: [Check<OnFile<'_>>; 11] = [
        ("it opens, and names, rows and columns agree", open::names),
        ("a file that is not there is refused by name", open::absent_file),
        ("filtering answers for every cell", open::filter),
        ("rows are kept in the order asked for", open::keep_cells),
        ("steps are fitted on the training cells", open::training_cells),
        ("some target can be gathered, and targets are what they are asked to be", gather::targets),
        ("any rows can be gathered, in any order", gather::any_rows),
        ("a row that does not exist is refused", gather::absent_row),
        ("rows that were kept are gathered as before", gather::kept),
        ("statistics are finite and add up", gather::statistics),
        ("what is saved and restored gives the same rows", gather::restored),
    ];
    let mut subject = OnFile { spec, path, takes_steps: true };
    let on = format!("the file `{}`", path.display());
    examined.check("it opens", &on, || {
        subject.takes_steps = subject.accepts_steps()?;
        Ok(())
    })?;
    checks.into_iter().try_for_each(|(name, check)| examined.check(name, &on, || check(&subject)))
}
