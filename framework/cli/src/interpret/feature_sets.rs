//! The sets that features are tested for: of genes, and of peaks with a motif.

use super::gene_sets::GeneSets;
use super::motifs::MotifSets;
use super::set_tests::PlacedSets;
use anyhow::Result;

/// Sets that were asked for, of either kind.
#[derive(Debug)]
pub struct FeatureSets {
    /// Sets of genes.
    pub genes: Option<GeneSets>,
    /// Motifs.
    pub motifs: Option<MotifSets>,
}

impl FeatureSets {
    /// The sets that hold any of a table's features, kind by kind (each corrects for its own number), and words for how many.
    ///
    /// # Errors
    /// When sequences lack a letter.
    pub fn among(&self, table: &str, names: &[String]) -> Result<(Vec<PlacedSets>, Vec<String>)> {
        let (mut all, mut told) = (Vec::new(), Vec::new());
        if let Some(genes) = &self.genes {
            let placed = genes.among(names);
            told.push(format!("gene sets: {} of {} hold features of {table}", placed.names.len(), genes.n_sets()));
            all.push(placed);
        }
        let motifs = self.motifs.as_ref().map(|motifs| motifs.among(table, names)).transpose()?.flatten();
        if let Some((placed, words)) = motifs {
            told.push(words);
            all.push(placed);
        }
        Ok((all, told))
    }
}
