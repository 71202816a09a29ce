//! Step `highly_variable`: the features that vary more than others of the same mean.

use anyhow::{Result, ensure};
use framework::anndata::Csr;
use framework::component::{Problem, Spec, require};
use framework::{Step, StepSpec, TrainingBlocks, component};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Turns a median absolute deviation into the standard deviation of a normal distribution.
const DEVIATIONS_PER_MAD: f64 = 1.4826;

/// Keeps the features whose dispersion is highest among features of similar mean, in the training cells.
///
/// With mean m and variance v (n − 1) of each feature over the training cells, zeros included, the log dispersion is
/// d = ln(v/m). Features with v > 0 are ranked by m and cut into bins of equal size; the score of a feature is
/// (d − median of its bin) / (1.4826 · median absolute deviation of its bin). The features with the highest scores are
/// kept, in the order of the file; of equal scores the first wins. Features that do not vary come last.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct HighlyVariableSpec {
    /// How many features are kept, at least 1; all where the file has fewer.
    #[schemars(range(min = 1))]
    pub n_features: usize,
    /// Number of bins of similar mean, from 1 to 1000.
    #[schemars(range(min = 1, max = 1000))]
    pub n_bins: usize,
}

impl Default for HighlyVariableSpec {
    fn default() -> Self {
        HighlyVariableSpec { n_features: 2000, n_bins: 20 }
    }
}

impl Spec for HighlyVariableSpec {
    fn validate(&self) -> Vec<Problem> {
        let mut problems = Vec::new();
        require(&mut problems, self.n_features >= 1, "n_features", "is 0, but must be at least 1");
        let (n, fits) = (self.n_bins, (1..=1000).contains(&self.n_bins));
        require(&mut problems, fits, "n_bins", format!("is {n}, but must be from 1 to 1000"));
        problems
    }
}

#[typetag::serialize(name = "highly_variable")]
impl StepSpec for HighlyVariableSpec {
    fn build(&self) -> Result<Box<dyn Step>> {
        Ok(Box::new(HighlyVariable { spec: self.clone(), selected: None }))
    }
}

/// The step of a [`HighlyVariableSpec`].
#[derive(Debug)]
pub struct HighlyVariable {
    spec: HighlyVariableSpec,
    selected: Option<Vec<usize>>,
}

impl Step for HighlyVariable {
    fn fit(&mut self, matrix: &Csr, training: &[usize]) -> Result<()> {
        super::ensure_at_least(matrix, 0.0)?;
        self.fit_blocks(&mut TrainingBlocks::of(matrix, training))
    }

    fn fit_blocks(&mut self, blocks: &mut TrainingBlocks<'_>) -> Result<()> {
        let n_cells = blocks.n_cells();
        ensure!(n_cells >= 2, "a variance needs at least 2 training cells, but there are {n_cells}");
        let scores = scores(&moments(blocks)?, self.spec.n_bins.max(1));
        let mut order: Vec<usize> = (0..scores.len()).collect();
        order.sort_by(|a, b| scores[*b].total_cmp(&scores[*a]).then(a.cmp(b)));
        order.truncate(self.spec.n_features);
        order.sort_unstable();
        self.selected = Some(order);
        Ok(())
    }

    fn selected(&self) -> Option<&[usize]> {
        self.selected.as_deref()
    }
}

/// Mean and variance of each feature over the training cells.
fn moments(blocks: &mut TrainingBlocks<'_>) -> Result<Vec<(f64, f64)>> {
    let n = blocks.n_cells() as f64;
    let mut sums = vec![(0f64, 0f64); blocks.n_columns()];
    for block in blocks {
        let block = block?;
        super::ensure_at_least(&block, 0.0)?;
        for (column, value) in block.indices.iter().zip(&block.values) {
            let (value, (sum, squares)) = (f64::from(*value), &mut sums[*column as usize]);
            *sum += value;
            *squares += value * value;
        }
    }
    Ok(sums.into_iter().map(|(sum, squares)| (sum / n, (squares - sum * sum / n).max(0.0) / (n - 1.0))).collect())
}

/// The score of each feature; minus infinity for those that do not vary.
fn scores(moments: &[(f64, f64)], n_bins: usize) -> Vec<f64> {
    let mut varying: Vec<usize> = (0..moments.len()).filter(|feature| moments[*feature].1 > 0.0).collect();
    varying.sort_by(|a, b| moments[*a].0.total_cmp(&moments[*b].0).then(a.cmp(b)));
    let mut scores = vec![f64::NEG_INFINITY; moments.len()];
    for bin in 0..n_bins {
        let features = &varying[bin * varying.len() / n_bins..(bin + 1) * varying.len() / n_bins];
        let dispersions: Vec<f64> =
            features.iter().map(|feature| (moments[*feature].1 / moments[*feature].0).ln()).collect();
        let middle = median(dispersions.clone());
        let spread = median(dispersions.iter().map(|dispersion| (dispersion - middle).abs()).collect());
        for (feature, dispersion) in features.iter().zip(&dispersions) {
            scores[*feature] = (dispersion - middle) / (DEVIATIONS_PER_MAD * spread).max(f64::MIN_POSITIVE);
        }
    }
    scores
}

/// The middle value, or the mean of the two; 0 of none.
fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    match values.len() {
        0 => 0.0,
        n if n % 2 == 1 => values[n / 2],
        n => (values[n / 2 - 1] + values[n / 2]) / 2.0,
    }
}

component! {
    role: Step,
    name: "highly_variable",
    spec: HighlyVariableSpec,
    summary: "keeps the features that vary more than others of the same mean",
    source: "dispersion within bins of similar mean, as Zheng et al. 2017 (Cell Ranger), on log dispersions",
    example: "n_features = 2000",
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::steps::testing::matrix;

    fn selected(rows: &[&[f32]], training: &[usize], n_features: usize, n_bins: usize) -> Vec<usize> {
        let mut step = HighlyVariable { spec: HighlyVariableSpec { n_features, n_bins }, selected: None };
        step.fit(&matrix(rows), training).unwrap();
        step.selected().unwrap().to_vec()
    }

    #[test]
    fn moments_are_those_of_the_training_cells_with_zeros() {
        let matrix = matrix(&[&[1.0, 0.0], &[0.0, 2.0], &[5.0, 4.0], &[9.0, 9.0]]);
        // 1, 0, 5: mean 2, variance (1 + 4 + 9)/2; 0, 2, 4: mean 2, variance 4
        let moments = moments(&mut TrainingBlocks::of(&matrix, &[0, 1, 2])).unwrap();
        assert_eq!(moments, [(2.0, 7.0), (2.0, 4.0)]);
    }

    #[test]
    fn scores_are_robust_deviations_within_a_bin() {
        // dispersions 1, e, e⁴: median 1, deviations 1, 0, 3, so their median is 1
        let e = std::f64::consts::E;
        let scores = scores(&[(1.0, 1.0), (2.0, 2.0 * e), (3.0, 3.0 * e.powi(4)), (4.0, 0.0)], 1);
        let expected = [-1.0 / 1.4826, 0.0, 3.0 / 1.4826];
        assert!(scores[..3].iter().zip(expected).all(|(score, expected)| (score - expected).abs() < 1e-12));
        assert_eq!(scores[3], f64::NEG_INFINITY);
    }

    #[test]
    fn the_most_variable_are_kept_in_order_and_ties_go_to_the_first() {
        let rows: [&[f32]; 4] = [
            &[2.0, 4.0, 2.0, 1.0, 3.0],
            &[2.0, 0.0, 2.0, 3.0, 1.0],
            &[2.0, 4.0, 2.0, 1.0, 3.0],
            &[2.0, 0.0, 2.0, 3.0, 1.0],
        ];
        let training = [0, 1, 2, 3];
        assert_eq!(selected(&rows, &training, 1, 1), [1]);
        assert_eq!(selected(&rows, &training, 2, 1), [1, 3]);
        assert_eq!(selected(&rows, &training, 4, 1), [0, 1, 3, 4]);
        assert_eq!(selected(&rows, &training, 9, 1), [0, 1, 2, 3, 4]);
    }

    #[test]
    fn each_bin_is_scored_by_itself() {
        // two features of mean 1 and two of mean 100; in each bin the second varies more
        let rows: [&[f32]; 2] = [&[1.1, 2.0, 100.0, 150.0], &[0.9, 0.0, 101.0, 50.0]];
        assert_eq!(selected(&rows, &[0, 1], 2, 2), [1, 3]);
    }

    #[test]
    fn a_single_training_cell_is_refused() {
        let mut step = HighlyVariable { spec: HighlyVariableSpec::default(), selected: None };
        let error = step.fit(&matrix(&[&[1.0]]), &[0]).unwrap_err().to_string();
        assert_eq!(error, "a variance needs at least 2 training cells, but there are 1");
    }
}
