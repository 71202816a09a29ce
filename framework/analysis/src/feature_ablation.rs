//! How much a classifier of cells loses when it is not told one feature.

use anyhow::{Result, ensure};
use serde::Serialize;
use tch::Tensor;

use crate::classification::classification;
use crate::logistic::LogisticProbe;
use crate::mlp_probe::{MlpProbe, MlpProbeSpec};
use crate::multiple_testing::benjamini_hochberg;
use crate::paired::Paired;
use crate::splits::CellSplit;
use crate::tensor::{host, ids};

/// What tells labels from features.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum FeatureClassifier {
    /// Multinomial logistic regression with this C.
    Logistic(f64),
    /// A network, such as [`FeatureClassifier::published`].
    Network(MlpProbeSpec),
}

impl FeatureClassifier {
    /// One hidden layer of 8 units, half of which are dropped in training (Zhang et al. 2026, code). Features are brought to
    /// unit variance first, where the code takes them as they are.
    pub fn published(seed: u64) -> Self {
        Self::Network(MlpProbeSpec { width: 8, n_hidden: 1, dropout: 0.5, seed, ..MlpProbeSpec::default() })
    }

    fn balanced_accuracy(self, features: &Tensor, labels: &[u32], split: &CellSplit) -> Result<f64> {
        let of = |cells: &[usize]| cells.iter().map(|&cell| labels[cell]).collect::<Vec<u32>>();
        let (train, test) = (features.index_select(0, &ids(&split.train)), features.index_select(0, &ids(&split.test)));
        let (known, truth) = (of(&split.train), of(&split.test));
        let predicted = match self {
            Self::Logistic(inverse_penalty) => LogisticProbe::fit(&train, &known, inverse_penalty)?.predict(&test)?,
            Self::Network(spec) => {
                let mean = train.mean_dim([0i64].as_slice(), true, None);
                let scale = train.std_dim([0i64].as_slice(), false, true);
                let scale = scale.where_self(&scale.gt(0.0), &scale.ones_like());
                let scaled = |of: &Tensor| (of - &mean) / &scale;
                MlpProbe::fit(&scaled(&train), &known, spec)?.predict(&scaled(&test))?
            }
        };
        let n_classes = labels.iter().max().map_or(0, |&last| last as usize + 1);
        Ok(classification(&truth, &predicted, n_classes)?.balanced_accuracy)
    }
}

/// A classifier with all features, and without each.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct FeatureAblation {
    /// Balanced accuracy in the test cells of each split, all features told.
    pub full: Vec<f64>,
    /// Of each feature, what is lost without it.
    pub features: Vec<FeatureLoss>,
}

/// What a classifier loses without a feature.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct FeatureLoss {
    /// Balanced accuracy of each split without it.
    pub without: Vec<f64>,
    /// Mean of accuracy with less accuracy without it, over the splits.
    pub loss: f64,
    /// Two-sided p-value of the loss by the t-test for splits that share cells (Nadeau and Bengio 2003): its variance is s²
    /// (1 / n_splits + n_test / n_train). `None` for a single split or where nothing varies.
    pub p: Option<f64>,
    /// False discovery rate over the features (Benjamini and Hochberg).
    pub q: Option<f64>,
}

/// Trains a classifier on the training cells of every split with all features, and with all but each one.
///
/// # Shapes
/// features: n_cells × n_features, at least 2; labels: one per cell.
///
/// # Errors
/// When shapes disagree, a number is not finite, or a split has a single class to learn from.
///
/// # Source
/// Zhang et al. 2026, Methods (features of proteins that tell the phenotype).
pub fn feature_ablation(
    features: &Tensor,
    labels: &[u32],
    splits: &[CellSplit],
    classifier: FeatureClassifier,
) -> Result<FeatureAblation> {
    let features = host(features, "the features")?;
    let (n_cells, n_features) = (features.size()[0] as usize, features.size()[1]);
    ensure!(labels.len() == n_cells, "{} labels for {n_cells} cells; expected one per cell", labels.len());
    ensure!(n_features > 1, "there is {n_features} feature; without it nothing is left to classify by");
    ensure!(!splits.is_empty(), "no split was given");
    splits.iter().try_for_each(|split| split.check(n_cells))?;
    let over_splits = |features: &Tensor| -> Result<Vec<f64>> {
        splits.iter().map(|split| classifier.balanced_accuracy(features, labels, split)).collect()
    };
    let full = over_splits(&features)?;
    let mut losses = Vec::new();
    for left_out in 0..n_features {
        let kept: Vec<usize> = (0..n_features).filter(|feature| *feature != left_out).map(|one| one as usize).collect();
        losses.push(FeatureLoss::of(&full, over_splits(&features.index_select(1, &ids(&kept)))?, splits));
    }
    let tested: Vec<usize> = (0..losses.len()).filter(|&feature| losses[feature].p.is_some()).collect();
    let p: Vec<f64> = tested.iter().filter_map(|&feature| losses[feature].p).collect();
    for (&feature, q) in tested.iter().zip(benjamini_hochberg(&p)) {
        losses[feature].q = Some(q);
    }
    Ok(FeatureAblation { full, features: losses })
}

impl FeatureLoss {
    fn of(full: &[f64], without: Vec<f64>, splits: &[CellSplit]) -> Self {
        let differences: Vec<f64> = full.iter().zip(&without).map(|(full, without)| full - without).collect();
        let ratio = splits.iter().map(|split| split.test.len() as f64 / split.train.len() as f64).sum::<f64>();
        let paired = Paired::of(&differences);
        let varying = paired.as_ref().filter(|paired| paired.sd.is_some_and(|sd| sd > 0.0));
        let p = varying.and_then(|paired| paired.resampled(ratio / splits.len() as f64));
        let loss = paired.map_or(0.0, |paired| paired.mean);
        Self { without, loss, p, q: None }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::random::normal;
    use tch::Kind;

    /// Three features, of which the second alone tells the class.
    fn told_by_the_second() -> (Tensor, Vec<u32>, Vec<CellSplit>) {
        let labels: Vec<u32> = (0..300).map(|cell| cell % 2).collect();
        let shift = Tensor::from_slice(&labels.iter().map(|&label| 3.0 * f64::from(label)).collect::<Vec<_>>());
        let features = normal(300, 3, 1);
        let second = features.select(1, 1) + shift;
        features.select(1, 1).copy_(&second);
        let splits = (0..6).map(|seed| CellSplit::random(300, 0.2, seed).unwrap()).collect();
        (features, labels, splits)
    }

    #[test]
    fn the_feature_that_tells_the_class_is_missed() {
        let (features, labels, splits) = told_by_the_second();
        for classifier in [FeatureClassifier::Logistic(1.0), FeatureClassifier::published(1)] {
            let found = feature_ablation(&features, &labels, &splits, classifier).unwrap();
            let mean = found.full.iter().sum::<f64>() / 6.0;
            assert!(mean > 0.85, "{classifier:?}: {mean}");
            let losses: Vec<f64> = found.features.iter().map(|feature| feature.loss).collect();
            assert!(losses[1] > 0.3 && losses[0].abs() < 0.08 && losses[2].abs() < 0.08, "{classifier:?}: {losses:?}");
            assert!(found.features[1].q.unwrap() < 1e-3 && found.features[0].q.is_none_or(|q| q > 0.05));
        }
    }

    #[test]
    fn splits_that_share_cells_do_not_count_as_independent() {
        let splits = vec![CellSplit { train: vec![0, 1, 2, 3], test: vec![4] }; 2];
        let loss = FeatureLoss::of(&[0.9, 0.8], vec![0.7, 0.5], &splits);
        // differences .2 and .3: mean .25, s .0707, variance s² (1/2 + 1/4): t = 4.0825, one degree of freedom
        assert!((loss.loss - 0.25).abs() < 1e-12);
        let expected = 1.0 - 2.0 / std::f64::consts::PI * (0.25 / (0.005f64 * 0.75).sqrt()).atan();
        assert!((loss.p.unwrap() - expected).abs() < 1e-10, "{loss:?}");
    }

    #[test]
    fn what_cannot_be_ablated_is_explained() {
        let (features, labels, splits) = told_by_the_second();
        let wrong = |features: &Tensor, labels: &[u32], splits: &[CellSplit]| {
            feature_ablation(features, labels, splits, FeatureClassifier::Logistic(1.0)).unwrap_err().to_string()
        };
        assert!(wrong(&features.narrow(1, 0, 1), &labels, &splits).contains("nothing is left"));
        assert!(wrong(&features, &labels[1..], &splits).contains("299 labels for 300 cells"));
        assert!(wrong(&features, &labels, &[]).contains("no split"));
        assert!(wrong(&(features.to_kind(Kind::Double) / 0.0), &labels, &splits).contains("finite"));
    }
}
