//! Clusters beside labels.

use analysis::{Labels, agreement};
use anyhow::Result;
use serde::{Deserialize, Serialize};

/// A column of labels: its name and a label per cell of the data set.
pub type LabelColumn = (String, Vec<Option<String>>);

/// How clusters agree with a label.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Agreed {
    /// The space, or the control.
    pub name: String,
    /// Whether it is a control.
    pub is_control: bool,
    /// The space it is of, or stands beside.
    pub space: String,
    /// The column of obs.
    pub label: String,
    /// Clusters.
    pub n_clusters: usize,
    /// Classes of the label.
    pub n_classes: usize,
    /// Cells with a label.
    pub n_cells: usize,
    /// Adjusted Rand index.
    pub adjusted_rand: f64,
    /// Normalised mutual information.
    pub normalised_mutual_information: f64,
}

/// How many cells of each class are in each cluster.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Composition {
    /// The column of obs.
    pub label: String,
    /// The classes.
    pub classes: Vec<String>,
    /// Cells by cluster and class.
    pub counts: Vec<Vec<usize>>,
}

/// Agreement and composition of clusters; `None` where fewer than two classes are there.
///
/// # Errors
/// When lengths differ.
pub fn agreed(
    (name, space, is_control): (&str, &str, bool),
    (cells, groups): (&[usize], &[u32]),
    (label, column): &LabelColumn,
) -> Result<Option<(Agreed, Composition)>> {
    let known: Vec<(u32, &str)> =
        cells.iter().zip(groups).filter_map(|(&cell, &group)| Some((group, column[cell].as_deref()?))).collect();
    let (groups, labels): (Vec<u32>, Vec<&str>) = known.into_iter().unzip();
    if labels.is_empty() {
        return Ok(None);
    }
    let Labels { names, codes } = Labels::encode(&labels)?;
    if names.len() < 2 {
        return Ok(None);
    }
    let n_clusters = groups.iter().max().map_or(0, |&last| last as usize + 1);
    let mut counts = vec![vec![0; names.len()]; n_clusters];
    groups.iter().zip(&codes).for_each(|(&group, &code)| counts[group as usize][code as usize] += 1);
    let found = agreement(&codes, &groups)?;
    let agreed = Agreed {
        name: name.to_owned(),
        is_control,
        space: space.to_owned(),
        label: label.clone(),
        n_clusters,
        n_classes: names.len(),
        n_cells: codes.len(),
        adjusted_rand: found.adjusted_rand,
        normalised_mutual_information: found.normalised_mutual_information,
    };
    Ok(Some((agreed, Composition { label: label.clone(), classes: names, counts })))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cells_without_a_label_are_left_aside() {
        let column: LabelColumn =
            ("type".to_owned(), ["T", "T", "B", "", "B"].map(|name| (!name.is_empty()).then(|| name.into())).to_vec());
        let (found, composition) =
            agreed(("shared", "shared", false), (&[0, 1, 2, 3, 4], &[0, 0, 1, 1, 1]), &column).unwrap().unwrap();
        assert_eq!((found.adjusted_rand, found.n_cells, found.n_classes), (1.0, 4, 2));
        assert_eq!(composition.counts, [[0, 2], [2, 0]]);
        assert!(agreed(("shared", "shared", false), (&[0, 1], &[0, 1]), &column).unwrap().is_none());
    }
}
