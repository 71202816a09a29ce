//! Names of cells and features: as many as the matrix has; those of features unique.

use anndata::Csr;
use anyhow::{Result, ensure};
use std::collections::{HashMap, HashSet};

/// Refuses names that are not one per row and column of a sound matrix.
pub fn ensure_fit(cells: &[String], features: &[String], matrix: &Csr) -> Result<()> {
    ensure!(
        cells.len() == matrix.n_rows && features.len() == matrix.n_columns,
        "the matrix has {} rows and {} columns, but there are names for {} cells and {} features",
        matrix.n_rows,
        matrix.n_columns,
        cells.len(),
        features.len()
    );
    matrix.validate()
}

/// The names with `-1`, `-2`, … added to all but the first of each repeated one; a number that is taken is passed over.
pub fn unique_names(names: Vec<String>) -> Vec<String> {
    let mut taken: HashSet<String> = names.iter().cloned().collect();
    if taken.len() == names.len() {
        return names;
    }
    let mut counts: HashMap<String, usize> = HashMap::new();
    names
        .into_iter()
        .map(|name| match counts.get_mut(&name) {
            None => {
                counts.insert(name.clone(), 0);
                name
            }
            Some(count) => loop {
                *count += 1;
                let numbered = format!("{name}-{count}");
                if taken.insert(numbered.clone()) {
                    break numbered;
                }
            },
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(names: &[&str]) -> Vec<String> {
        names.iter().map(|name| (*name).to_owned()).collect()
    }

    #[test]
    fn repeated_names_are_numbered_around_taken_ones() {
        let unique = unique_names(names(&["a", "b", "a", "a-1", "a", "b"]));
        assert_eq!(unique, names(&["a", "b", "a-2", "a-1", "a-3", "b-1"]));
        assert_eq!(unique_names(names(&["x", "y"])), names(&["x", "y"]));
    }
}
