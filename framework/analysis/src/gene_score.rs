//! Scores of sets of genes in cells: the mean of the set less that of control genes of like expression.

use std::collections::BTreeSet;

use anyhow::{Result, ensure};
use rand::seq::SliceRandom;
use tch::Tensor;

use crate::matrix::Matrix;
use crate::random::generator;
use crate::tensor::numbers;

/// How control genes are drawn.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct GeneScoreSpec {
    /// Bins of genes by mean expression: 25 as published.
    pub n_bins: usize,
    /// Control genes of each bin that a gene of the set lies in: 50 in scanpy; for phases of the cell cycle the size of the
    /// smaller of the two sets.
    pub n_controls: usize,
    /// Seed of the draw.
    pub seed: u64,
}

impl Default for GeneScoreSpec {
    fn default() -> Self {
        Self { n_bins: 25, n_controls: 50, seed: 0 }
    }
}

/// The bin of each gene by its mean: its rank, counted from 1 and equal means at their first one's, over n / (n_bins − 1) genes,
/// rounded (at least 1), rounded down.
pub fn expression_bins(means: &[f64], n_bins: usize) -> Vec<usize> {
    let n_items = ((means.len() as f64 / (n_bins.max(2) - 1) as f64).round_ties_even() as usize).max(1);
    let mut order: Vec<usize> = (0..means.len()).collect();
    order.sort_by(|&left, &right| means[left].total_cmp(&means[right]));
    let mut bins = vec![0; means.len()];
    let mut rank = 0;
    for ties in order.chunk_by(|&left, &right| means[left] == means[right]) {
        ties.iter().for_each(|&gene| bins[gene] = (rank + 1) / n_items);
        rank += ties.len();
    }
    bins
}

/// Draws control genes of a set, ascending: from each bin that a gene of the set lies in so many of the genes outside the set,
/// or all of them.
///
/// # Errors
/// When a gene does not exist, or no bin of the set has another gene.
pub fn control_genes(means: &[f64], genes: &[usize], spec: GeneScoreSpec) -> Result<Vec<usize>> {
    check(genes, means.len(), "the set")?;
    let bins = expression_bins(means, spec.n_bins);
    let of_set: BTreeSet<usize> = genes.iter().copied().collect();
    let mut generator = generator(spec.seed);
    let mut controls = BTreeSet::new();
    for bin in of_set.iter().map(|&gene| bins[gene]).collect::<BTreeSet<_>>() {
        let mut others: Vec<usize> =
            (0..means.len()).filter(|gene| bins[*gene] == bin && !of_set.contains(gene)).collect();
        let (drawn, _) = others.partial_shuffle(&mut generator, spec.n_controls);
        controls.extend(drawn.iter().copied());
    }
    ensure!(
        !controls.is_empty(),
        "no gene outside the set is expressed like those of the set; {} genes are too few for a score",
        means.len()
    );
    Ok(controls.into_iter().collect())
}

/// The score of each cell: the mean of the genes of a set less the mean of its control genes; sparse values stay sparse.
///
/// # Shapes
/// values: n_cells × n_genes, such as ln(1 + 10⁴ × share of the cell's total); n_cells scores.
///
/// # Errors
/// When either list is empty or names a gene that does not exist, or values were not measured in full.
///
/// # Source
/// Tirosh et al. 2016 (Science 352:189), as `AddModuleScore` of Seurat and `score_genes` of scanpy, but that the genes of the
/// set are left out before controls are drawn.
pub fn gene_score(values: &Matrix<'_>, genes: &[usize], controls: &[usize]) -> Result<Vec<f64>> {
    let n_genes = values.n_columns();
    check(genes, n_genes, "the set")?;
    check(controls, n_genes, "the list of control genes")?;
    let mut weights = vec![0.0; n_genes];
    genes.iter().for_each(|&gene| weights[gene] += 1.0 / genes.len() as f64);
    controls.iter().for_each(|&gene| weights[gene] -= 1.0 / controls.len() as f64);
    let rows: Vec<usize> = (0..values.n_rows()).collect();
    numbers(&values.times(&rows, &Tensor::from_slice(&weights).view([-1, 1]))?)
}

fn check(genes: &[usize], n_genes: usize, what: &str) -> Result<()> {
    ensure!(!genes.is_empty(), "{what} has no gene; a score needs at least one");
    let bad = genes.iter().find(|gene| **gene >= n_genes);
    ensure!(bad.is_none(), "{what} names gene {}, but there are {n_genes}", bad.copied().unwrap_or_default());
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sparse::SparseRows;

    #[test]
    fn bins_are_ranks_and_ties_stay_together() {
        // 12 genes, 5 bins: 3 genes each; ranks 1, 1, 1, 1, 5, 6, 7, …
        let means = [0.0, 0.0, 0.0, 0.0, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8];
        assert_eq!(expression_bins(&means, 5), [0, 0, 0, 0, 1, 2, 2, 2, 3, 3, 3, 4]);
        assert_eq!(expression_bins(&[1.0, 0.0], 25), [2, 1]);
    }

    #[test]
    fn controls_are_of_the_bins_of_the_set() {
        let means: Vec<f64> = (0..240).map(f64::from).collect();
        let genes = [3, 4, 100];
        let draw = |seed| {
            control_genes(&means, &genes, GeneScoreSpec { n_controls: 4, seed, ..GeneScoreSpec::default() }).unwrap()
        };
        let bins = expression_bins(&means, 25);
        let of_bins: Vec<usize> = draw(1).iter().map(|&gene| bins[gene]).collect();
        assert_eq!(of_bins, [0, 0, 0, 0, 10, 10, 10, 10]);
        assert!(draw(1) == draw(1) && draw(1) != draw(2) && !draw(1).iter().any(|gene| genes.contains(gene)));
        let all = control_genes(&means, &genes, GeneScoreSpec::default()).unwrap();
        assert_eq!(all.len(), 7 + 9, "{all:?}");
    }

    #[test]
    fn a_score_is_a_difference_of_means() {
        // cells × genes: [2 0 4 1], [0 0 0 3]
        let sparse = SparseRows::new(&[0, 3, 4], &[0, 2, 3, 3], &[2.0, 4.0, 1.0, 3.0], 4).unwrap();
        assert_eq!(gene_score(&sparse.into(), &[0, 1, 2], &[3]).unwrap(), [1.0, -3.0]);
        let dense = Matrix::dense(&Tensor::from_slice(&[2f32, 0.0, 4.0, 1.0]).view([1, 4])).unwrap();
        assert_eq!(gene_score(&dense, &[2], &[0, 1]).unwrap(), [3.0]);
        let told = |genes: &[usize], controls: &[usize]| gene_score(&dense, genes, controls).unwrap_err().to_string();
        assert!(told(&[], &[0]).contains("no gene") && told(&[0], &[4]).contains("names gene 4, but there are 4"));
        assert!(control_genes(&[1.0, 2.0], &[0, 1], GeneScoreSpec::default()).is_err());
    }
}
