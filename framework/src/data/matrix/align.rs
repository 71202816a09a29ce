//! Bringing the columns of new data into the order of the features that a model knows.

use crate::modality::Alignment;
use anndata::Csr;
use anyhow::{Result, ensure};
use std::collections::HashMap;

/// Names shown of each side where nothing matches.
const N_EXAMPLES: usize = 3;

/// The matrix with one column per `wanted` feature, in that order; nothing is stored of those that `there` lacks.
///
/// `there` names the columns of the matrix; `feature` is what one is called.
///
/// # Errors
/// When none of the wanted features is there.
pub fn align_features(matrix: &Csr, there: &[String], wanted: &[String], feature: &str) -> Result<(Csr, Alignment)> {
    let (found, alignment) = find_features(there, wanted, feature)?;
    let places: Vec<u32> =
        (0u32..).zip(&found).filter(|(_, column)| column.is_some()).map(|(place, _)| place).collect();
    let mut aligned = matrix.select_columns(&found.into_iter().flatten().collect::<Vec<_>>())?;
    for index in &mut aligned.indices {
        *index = places[*index as usize];
    }
    aligned.n_columns = wanted.len();
    Ok((aligned, alignment))
}

/// The column of each `wanted` feature among those that are `there`.
pub(super) fn find_features(
    there: &[String],
    wanted: &[String],
    feature: &str,
) -> Result<(Vec<Option<usize>>, Alignment)> {
    let columns: HashMap<&str, usize> =
        there.iter().enumerate().map(|(column, name)| (name.as_str(), column)).collect();
    let found: Vec<Option<usize>> = wanted.iter().map(|name| columns.get(name.as_str()).copied()).collect();
    let missing: Vec<String> =
        wanted.iter().zip(&found).filter(|(_, column)| column.is_none()).map(|(name, _)| name.clone()).collect();
    let n_found = wanted.len() - missing.len();
    ensure!(
        n_found > 0,
        "none of the {} {feature}s of the model is in the new data\nhelp: the model knows {}; the data have {}; are they named \
         in the same way?",
        wanted.len(),
        examples(wanted),
        examples(there)
    );
    Ok((found, Alignment { n_found, missing, n_unknown: there.len() - n_found }))
}

impl Alignment {
    /// Refuses new data that lack more than this share of the model's features.
    ///
    /// # Errors
    /// When they do.
    pub fn ensure_enough(&self, max_missing: f64) -> Result<()> {
        let n = self.n_found + self.missing.len();
        let share = self.missing.len() as f64 / n.max(1) as f64;
        ensure!(
            share <= max_missing,
            "the new data lack {} of the {n} features of the model ({} …), {:.1} %, more than the {:.1} % that `max_missing` \
             allows\nhelp: are features named as in the model's data? otherwise `--max-missing` raises the share",
            self.missing.len(),
            examples(&self.missing),
            100.0 * share,
            100.0 * max_missing
        );
        Ok(())
    }
}

fn examples(names: &[String]) -> String {
    let quoted: Vec<String> = names.iter().take(N_EXAMPLES).map(|name| format!("`{name}`")).collect();
    if quoted.is_empty() { "nothing".to_owned() } else { quoted.join(", ") }
}
