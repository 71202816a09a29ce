//! Features that say much the same, found on the graph of their correlations.

use std::collections::VecDeque;

use anyhow::{Result, ensure};
use serde::Serialize;
use tch::{Kind, Tensor};

use crate::matrix::{Matrix, block_rows};
use crate::tensor::{host, numbers, row_mean};

/// Features above which the matrix of correlations would not be small.
const MAX_FEATURES: usize = 10_000;

/// Which correlations join two features.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum CorrelationSign {
    /// Those above the threshold (published).
    #[default]
    Signed,
    /// Those above the threshold or below its negative.
    Absolute,
}

/// What becomes of features that are joined to no other.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Singletons {
    /// Each is a group of its own (the authors' code, for proteins).
    #[default]
    Kept,
    /// They are left out (the authors' code, for chromatin).
    Dropped,
}

/// How features are grouped.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct FeatureGroupSpec {
    /// Pearson correlation above which two features are joined (published: 0.7; the authors' code has 0.8 for proteins).
    pub threshold: f64,
    /// Whether the sign of a correlation matters.
    pub sign: CorrelationSign,
    /// What becomes of features that are joined to no other.
    pub singletons: Singletons,
}

impl Default for FeatureGroupSpec {
    fn default() -> Self {
        Self { threshold: 0.7, sign: CorrelationSign::default(), singletons: Singletons::default() }
    }
}

/// Features joined to one another, directly or by way of others.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct FeatureGroup {
    /// The feature joined to most others, the first of several.
    pub representative: usize,
    /// Features of the group, ascending.
    pub features: Vec<usize>,
}

/// Groups of correlated features: connected components of the graph that joins two features whose Pearson correlation over
/// cells is above a threshold; in the order of their first features.
///
/// A feature that does not vary is joined to none.
///
/// # Shapes
/// values: n_cells × n_features, at most 10,000 features.
///
/// # Errors
/// When there are fewer than two cells, too many features, entries were not measured, a number is not finite, or the
/// threshold is not from 0 to below 1.
///
/// # Source
/// Zhang et al. 2026, Methods (features of images).
pub fn feature_groups(values: &Matrix, spec: FeatureGroupSpec) -> Result<Vec<FeatureGroup>> {
    let (n_cells, n_features) = (values.n_rows(), values.n_columns());
    ensure!((0.0..1.0).contains(&spec.threshold), "the threshold is {}; expected from 0 to below 1", spec.threshold);
    ensure!(n_cells > 1, "{n_cells} cells have no correlations; expected two or more");
    ensure!(
        n_features <= MAX_FEATURES,
        "{n_features} features are too many to be correlated with one another; at most {MAX_FEATURES} are"
    );
    let correlations = numbers(&correlations(values)?)?;
    let is_joined = |left: usize, right: usize| {
        let r = correlations[left * n_features + right];
        left != right && (r > spec.threshold || spec.sign == CorrelationSign::Absolute && -r > spec.threshold)
    };
    let edges: Vec<Vec<usize>> =
        (0..n_features).map(|left| (0..n_features).filter(|&right| is_joined(left, right)).collect()).collect();
    let mut groups = connected(&edges);
    if spec.singletons == Singletons::Dropped {
        groups.retain(|features| features.len() > 1);
    }
    let first_of_most = |features: &[usize]| {
        features.iter().copied().reduce(|best, next| if edges[next].len() > edges[best].len() { next } else { best })
    };
    let group =
        |features: Vec<usize>| first_of_most(&features).map(|representative| FeatureGroup { representative, features });
    Ok(groups.into_iter().filter_map(group).collect())
}

/// n_features × n_features; 0 for features that do not vary.
fn correlations(values: &Matrix) -> Result<Tensor> {
    values.check_complete()?;
    let cells: Vec<usize> = (0..values.n_rows()).collect();
    let n_features = values.n_columns() as i64;
    // a first guess at the means, so that features far from 0 keep their digits
    let shift = host(&values.rows(&cells[..1])?, "the matrix of features")?;
    let mut mean = Tensor::zeros([1, n_features], (Kind::Double, tch::Device::Cpu));
    for chunk in cells.chunks(block_rows(values.n_columns())) {
        let block = host(&values.rows(chunk)?, "the matrix of features")? - &shift;
        mean += row_mean(&block) * (chunk.len() as f64 / cells.len() as f64);
    }
    let mut products = Tensor::zeros([n_features, n_features], (Kind::Double, tch::Device::Cpu));
    for chunk in cells.chunks(block_rows(values.n_columns())) {
        let block = values.rows(chunk)?.to_kind(Kind::Double) - &shift - &mean;
        products = products.f_addmm(&block.tr(), &block)?;
    }
    let spread = products.diag(0).sqrt();
    let inverse = spread.reciprocal().where_self(&spread.gt(0.0), &spread.zeros_like());
    Ok(products * inverse.view([1, -1]) * inverse.view([-1, 1]))
}

/// Connected components, each ascending, in the order of their first members.
fn connected(edges: &[Vec<usize>]) -> Vec<Vec<usize>> {
    let mut met = vec![false; edges.len()];
    let mut groups = Vec::new();
    for start in 0..edges.len() {
        if met[start] {
            continue;
        }
        met[start] = true;
        let (mut group, mut next) = (Vec::new(), VecDeque::from([start]));
        while let Some(feature) = next.pop_front() {
            group.push(feature);
            for &other in edges[feature].iter().filter(|&&other| !std::mem::replace(&mut met[other], true)) {
                next.push_back(other);
            }
        }
        group.sort_unstable();
        groups.push(group);
    }
    groups
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Features 1, 3 and 5 in a chain by way of 3; 0 the opposite of 1; 2 on its own; 4 does not vary.
    fn values() -> Matrix<'static> {
        let row = |cell: i32| {
            let (first, second, third) = ((cell % 2) as f64, (cell / 2 % 2) as f64, (cell / 4 % 2) as f64);
            [1e4 - first, 3.0 * first, third, first + second, 7.3, second]
        };
        Matrix::dense(&Tensor::from_slice(&(0..16).flat_map(row).collect::<Vec<f64>>()).view([16, 6])).unwrap()
    }

    fn groups(sign: CorrelationSign, singletons: Singletons, threshold: f64) -> Vec<(usize, Vec<usize>)> {
        let spec = FeatureGroupSpec { threshold, sign, singletons };
        let found = feature_groups(&values(), spec).unwrap();
        found.into_iter().map(|group| (group.representative, group.features)).collect()
    }

    #[test]
    fn chains_are_groups_and_their_middle_represents_them() {
        // r of features 3 and 1, 3 and 5 is √½
        let chain = (3, vec![1, 3, 5]);
        let alone = |feature: usize| (feature, vec![feature]);
        let kept = groups(CorrelationSign::Signed, Singletons::Kept, 0.7);
        assert_eq!(kept, [alone(0), chain.clone(), alone(2), alone(4)]);
        assert_eq!(groups(CorrelationSign::Signed, Singletons::Dropped, 0.7), [chain]);
        // above the chain's correlations nothing is joined
        assert!(groups(CorrelationSign::Signed, Singletons::Dropped, 0.71).is_empty());
        // 0 and 1 and 3 are joined, 5 to 3 alone: 3 has three
        assert_eq!(groups(CorrelationSign::Absolute, Singletons::Dropped, 0.7), [(3, vec![0, 1, 3, 5])]);
        // the first of equals
        assert_eq!(groups(CorrelationSign::Absolute, Singletons::Dropped, 0.9), [(0, vec![0, 1])]);
    }

    #[test]
    fn what_cannot_be_grouped_is_explained() {
        let of = |spec| feature_groups(&values(), spec).unwrap_err().to_string();
        assert!(of(FeatureGroupSpec { threshold: 1.0, ..FeatureGroupSpec::default() }).contains("below 1"));
        let one = Matrix::dense(&Tensor::from_slice(&[1.0, 2.0]).view([1, 2])).unwrap();
        assert!(feature_groups(&one, FeatureGroupSpec::default()).unwrap_err().to_string().contains("1 cells"));
    }
}
