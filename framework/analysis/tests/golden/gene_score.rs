//! Scores of sets of genes against scanpy's.

use super::{assert_close, vector};
use analysis::{GeneScoreSpec, Matrix, SparseRows, control_genes, expression_bins, gene_score};
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};
use tch::Tensor;

fn golden() -> Value {
    serde_json::from_str(include_str!("gene_score.json")).unwrap()
}

fn places(value: &Value) -> Vec<usize> {
    value.as_array().unwrap().iter().map(|place| place.as_u64().unwrap() as usize).collect()
}

/// Cells × genes.
fn values(golden: &Value) -> Vec<Vec<f32>> {
    let rows = golden["values"].as_array().unwrap().iter();
    rows.map(|row| vector(row).into_iter().map(|value| (value / 1024.0) as f32).collect()).collect()
}

#[test]
fn scores_are_those_of_scanpy() {
    let golden = golden();
    let rows = values(&golden);
    let (genes, controls) = (places(&golden["genes"]), places(&golden["controls"]));
    let dense = Tensor::from_slice(&rows.concat()).view([rows.len() as i64, -1]);
    let expected = vector(&golden["score"]);
    assert_close(&gene_score(&Matrix::dense(&dense).unwrap(), &genes, &controls).unwrap(), &expected, 1e-9);
    let (mut indptr, mut indices, mut stored) = (vec![0u64], Vec::new(), Vec::new());
    for row in &rows {
        for (gene, value) in (0u32..).zip(row).filter(|(_, value)| **value != 0.0) {
            indices.push(gene);
            stored.push(*value);
        }
        indptr.push(stored.len() as u64);
    }
    let sparse = SparseRows::new(&indptr, &indices, &stored, rows[0].len()).unwrap();
    assert_close(&gene_score(&sparse.into(), &genes, &controls).unwrap(), &expected, 1e-9);
}

#[test]
fn control_genes_come_from_the_bins_of_scanpy() {
    let golden = golden();
    let rows = values(&golden);
    let genes = places(&golden["genes"]);
    let mean = |gene: usize| rows.iter().map(|row| f64::from(row[gene])).sum::<f64>() / rows.len() as f64;
    let means: Vec<f64> = (0..rows[0].len()).map(mean).collect();
    let n_bins = golden["n_bins"].as_u64().unwrap() as usize;
    let bins = expression_bins(&means, n_bins);
    let of_set: BTreeSet<usize> = genes.iter().map(|&gene| bins[gene]).collect();
    let others = |bin: &usize| -> Vec<usize> {
        (0..means.len()).filter(|gene| bins[*gene] == *bin && !genes.contains(gene)).collect()
    };
    let found: Vec<Vec<usize>> = of_set.iter().map(others).collect();
    let expected: Vec<Vec<usize>> = golden["bins"].as_array().unwrap().iter().map(places).collect();
    assert_eq!(found, expected);
    // as many of each bin as scanpy drew, and of the same bins
    let n_controls = golden["n_controls"].as_u64().unwrap() as usize;
    let drawn = control_genes(&means, &genes, GeneScoreSpec { n_bins, n_controls, seed: 0 }).unwrap();
    let by_bin = |of: &[usize]| {
        let mut counts = BTreeMap::new();
        of.iter().for_each(|&gene| *counts.entry(bins[gene]).or_insert(0) += 1);
        counts
    };
    assert_eq!(by_bin(&drawn), by_bin(&places(&golden["controls"])));
}
