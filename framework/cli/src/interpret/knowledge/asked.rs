//! One question asked of rows: what they tell of numbers, or of classes, in cells that were not learned from.

use crate::evaluate::select;
use analysis::{CellSplit, LogisticProbe, MlpProbe, MlpProbeSpec, classification, predictability};
use anyhow::Result;
use std::collections::BTreeSet;
use tch::{Kind, Tensor};

/// C of the logistic regression, as in the evaluation.
const INVERSE_PENALTY: f64 = 1.0;

/// What is to be told of some cells.
pub(super) enum Target {
    /// Numbers: n_cells × any.
    Numbers(Tensor),
    /// The class of each cell, and how many there are.
    Classes(Vec<u32>, usize),
}

/// A score's name and value.
pub(super) type Scores = Vec<(&'static str, f64)>;

impl Target {
    /// The same in another order.
    pub(super) fn reordered(&self, order: &[usize]) -> Target {
        match self {
            Target::Numbers(numbers) => Target::Numbers(select(numbers, order)),
            Target::Classes(codes, n) => Target::Classes(order.iter().map(|&cell| codes[cell]).collect(), *n),
        }
    }

    /// Whether there is something to be told: numbers that vary in the judged cells; at least two classes to learn from, cells
    /// enough for each, and most judged cells of a class that was learned from.
    pub(super) fn is_question(&self, split: &CellSplit) -> bool {
        match self {
            Target::Numbers(numbers) => varies(numbers, &split.test),
            Target::Classes(codes, n_classes) => {
                let known: BTreeSet<u32> = split.train.iter().map(|&cell| codes[cell]).collect();
                let n_met = split.test.iter().filter(|&&cell| known.contains(&codes[cell])).count();
                known.len() > 1 && *n_classes <= split.train.len() / 2 && 2 * n_met > split.test.len()
            }
        }
    }

    /// What rows tell: of numbers R² by ridge regression (and Spearman's correlation of a single column), of classes
    /// balanced accuracy by logistic regression and, if a seed is given, by the paper's network. Nothing where rows do not vary.
    ///
    /// # Errors
    /// When rows are not finite.
    pub(super) fn told_by(&self, rows: &Tensor, split: &CellSplit, network: Option<u64>) -> Result<Scores> {
        if !varies(rows, &split.train) {
            return Ok(Vec::new());
        }
        match self {
            Target::Numbers(numbers) => {
                let found = predictability(rows, numbers, split)?;
                let mut scores = vec![("r_squared", found.r_squared)];
                if let [spearman] = found.spearman.as_slice() {
                    // predictions that do not vary order nothing
                    scores.push(("spearman", spearman.unwrap_or_default()));
                }
                Ok(scores)
            }
            Target::Classes(codes, n_classes) => {
                let of = |cells: &[usize]| cells.iter().map(|&cell| codes[cell]).collect::<Vec<u32>>();
                let (known, truth) = (of(&split.train), of(&split.test));
                let rows = rows.to_kind(Kind::Float);
                let (from, judged) = (select(&rows, &split.train), select(&rows, &split.test));
                let accuracy = |predicted: &[u32]| -> Result<f64> {
                    Ok(classification(&truth, predicted, *n_classes)?.balanced_accuracy)
                };
                let linear = LogisticProbe::fit(&from, &known, INVERSE_PENALTY)?.predict(&judged)?;
                let mut scores = vec![("balanced_accuracy", accuracy(&linear)?)];
                if let Some(seed) = network {
                    let spec = MlpProbeSpec { seed, ..MlpProbeSpec::default() };
                    let told = MlpProbe::fit(&from, &known, spec)?.predict(&judged)?;
                    scores.push(("balanced_accuracy_network", accuracy(&told)?));
                }
                Ok(scores)
            }
        }
    }

    /// What rows of zeros tell: the mean of the training cells, or their most frequent class.
    ///
    /// # Errors
    /// When the target holds no numbers.
    pub(super) fn told_by_nothing(&self, split: &CellSplit) -> Result<Scores> {
        match self {
            Target::Numbers(numbers) => {
                let (train, test) = (select(numbers, &split.train), select(numbers, &split.test));
                let mean = |of: &Tensor| of.mean_dim([0i64].as_slice(), true, Kind::Double);
                let squares = |from: &Tensor| (&test - from).square().sum(Kind::Double).double_value(&[]);
                Ok(vec![("r_squared", 1.0 - squares(&mean(&train)) / squares(&mean(&test)))])
            }
            Target::Classes(codes, n_classes) => {
                let mut counts = vec![0usize; *n_classes];
                split.train.iter().for_each(|&cell| counts[codes[cell] as usize] += 1);
                let most = (0..*n_classes).rev().max_by_key(|&class| counts[class]).unwrap_or_default() as u32;
                let truth: Vec<u32> = split.test.iter().map(|&cell| codes[cell]).collect();
                let accuracy = classification(&truth, &vec![most; truth.len()], *n_classes)?.balanced_accuracy;
                Ok(vec![("balanced_accuracy", accuracy), ("balanced_accuracy_network", accuracy)])
            }
        }
    }
}

/// Whether any column varies over some cells.
fn varies(of: &Tensor, cells: &[usize]) -> bool {
    select(of, cells).var_dim([0i64].as_slice(), true, false).max().double_value(&[]) > 0.0
}

#[cfg(test)]
mod tests {
    use super::*;
    use tch::Device;

    #[test]
    fn zeros_tell_the_mean_and_the_most_frequent_class() {
        let split = CellSplit { train: vec![0, 1, 2], test: vec![3, 4] };
        let numbers = Target::Numbers(Tensor::from_slice(&[0.0, 3.0, 6.0, 2.0, 4.0]).view([-1, 1]));
        assert_eq!(numbers.told_by_nothing(&split).unwrap(), [("r_squared", 0.0)]);
        let classes = Target::Classes(vec![1, 1, 0, 0, 1], 2);
        assert_eq!(classes.told_by_nothing(&split).unwrap()[0], ("balanced_accuracy", 0.5));
    }

    #[test]
    fn rows_that_do_not_vary_tell_nothing() {
        let split = CellSplit { train: vec![0, 1, 2], test: vec![3, 4] };
        let numbers = Target::Numbers(Tensor::arange(5, (Kind::Double, Device::Cpu)).view([-1, 1]));
        let rows = Tensor::ones([5, 2], (Kind::Double, Device::Cpu));
        assert!(numbers.is_question(&split) && numbers.told_by(&rows, &split, None).unwrap().is_empty());
        let flat = Target::Numbers(Tensor::from_slice(&[0.0, 1.0, 2.0, 5.0, 5.0]).view([-1, 1]));
        assert!(!flat.is_question(&split));
    }
}
