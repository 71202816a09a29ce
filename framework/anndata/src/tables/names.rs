//! Names of cells, features and modalities.

use std::collections::{HashMap, HashSet};

use anyhow::{Result, ensure};

/// Renames what is called like something before it by `-1`, `-2`, …, as anndata's `var_names_make_unique` does.
pub(crate) fn make_unique(names: &mut [String]) {
    let mut seen = HashSet::with_capacity(names.len());
    let repeated: Vec<usize> = (0..names.len()).filter(|place| !seen.insert(names[*place].clone())).collect();
    let mut n_renamed: HashMap<String, usize> = HashMap::new();
    for place in repeated {
        let n_renamed = n_renamed.entry(names[place].clone()).or_default();
        loop {
            *n_renamed += 1;
            let name = format!("{}-{n_renamed}", names[place]);
            if seen.insert(name.clone()) {
                names[place] = name;
                break;
            }
        }
    }
}

/// Checks that no two cells have the same name.
///
/// # Errors
/// Names the first name that comes twice, and where.
pub(crate) fn ensure_unique_cells(cells: &[String]) -> Result<()> {
    let mut place_of = HashMap::with_capacity(cells.len());
    for (place, cell) in cells.iter().enumerate() {
        if let Some(earlier) = place_of.insert(cell.as_str(), place) {
            anyhow::bail!(
                "cells {} and {} are both called `{cell}`; cell names must be unique, so rename or remove one",
                earlier + 1,
                place + 1
            );
        }
    }
    ensure!(!cells.is_empty(), "there are no cells; expected at least one");
    Ok(())
}

/// The modality in which features of a 10x feature type are kept; other types in lower snake case.
pub(crate) fn modality(feature_type: &str) -> String {
    match feature_type {
        "Gene Expression" => "rna".to_owned(),
        "Antibody Capture" => "protein".to_owned(),
        "Peaks" => "atac".to_owned(),
        other => lower_snake_case(other),
    }
}

/// Letters and digits in lower case, everything between them as one `_`; `features` if there are none.
pub(crate) fn lower_snake_case(text: &str) -> String {
    let words: Vec<String> =
        text.split(|c: char| !c.is_alphanumeric()).filter(|word| !word.is_empty()).map(str::to_lowercase).collect();
    if words.is_empty() { "features".to_owned() } else { words.join("_") }
}

#[cfg(test)]
mod tests {
    use super::{ensure_unique_cells, make_unique, modality};

    fn unique(names: &[&str]) -> Vec<String> {
        let mut names: Vec<String> = names.iter().map(|name| (*name).to_owned()).collect();
        make_unique(&mut names);
        names
    }

    #[test]
    fn repeated_names_are_numbered_and_never_meet_others() {
        assert_eq!(unique(&["a", "b", "a", "a", "b"]), ["a", "b", "a-1", "a-2", "b-1"]);
        assert_eq!(unique(&["a", "a-1", "a", "a"]), ["a", "a-1", "a-2", "a-3"]);
        assert_eq!(unique(&["a", "a", "a-1"]), ["a", "a-2", "a-1"]);
    }

    #[test]
    fn feature_types_become_modalities() {
        assert_eq!(modality("Gene Expression"), "rna");
        assert_eq!(modality("Antibody Capture"), "protein");
        assert_eq!(modality("Peaks"), "atac");
        assert_eq!(modality("CRISPR Guide/Capture "), "crispr_guide_capture");
        assert_eq!(modality(" "), "features");
    }

    #[test]
    fn cells_of_one_name_are_refused() {
        let error = ensure_unique_cells(&["a".into(), "b".into(), "a".into()]).unwrap_err();
        assert!(error.to_string().starts_with("cells 1 and 3 are both called `a`"), "{error}");
        assert!(ensure_unique_cells(&[]).is_err());
    }
}
