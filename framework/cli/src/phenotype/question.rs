//! What is asked of images: which class a cell is of, or which number it has.

use crate::failure::Misuse;
use analysis::{classification, rank_correlation};
use anyhow::Result;
use std::collections::BTreeSet;

/// A column of obs and how it is asked for.
#[derive(Debug)]
pub struct Question {
    /// The column.
    pub column: String,
    /// Its value for each cell of the data set.
    pub values: Vec<Option<String>>,
    /// Whether its values are numbers to be told, not classes.
    pub is_number: bool,
}

/// What is to be told of some cells, one for each.
#[derive(Debug, Clone, PartialEq)]
pub enum Truth {
    /// Places among the names of classes.
    Classes {
        /// Names of all classes that occur, numbers in their order.
        names: Vec<String>,
        /// The class of each cell.
        codes: Vec<u32>,
    },
    /// Numbers.
    Numbers(Vec<f64>),
}

/// What was told of some cells.
#[derive(Debug, Clone, PartialEq)]
pub enum Told {
    /// The most probable class of each.
    Classes(Vec<u32>),
    /// A number for each.
    Numbers(Vec<f64>),
}

impl Question {
    /// Whether a cell has a value.
    pub fn is_known(&self, cell: usize) -> bool {
        self.values[cell].is_some()
    }

    /// What is to be told of these cells, all of which have a value.
    ///
    /// # Errors
    /// When there is one class only, or about as many as cells, or a value is no number where numbers are asked for.
    pub fn truth(&self, cells: &[usize]) -> Result<Truth> {
        let values: Vec<&str> = cells.iter().filter_map(|&cell| self.values[cell].as_deref()).collect();
        match self.is_number {
            true => self.numbers(&values),
            false => self.classes(&values),
        }
    }

    fn numbers(&self, values: &[&str]) -> Result<Truth> {
        let parsed = |text: &&str| {
            let number = text.parse::<f64>().ok().filter(|number| number.is_finite());
            let wrong = || Misuse::new(format!("the column `{}` holds `{text}`, which is no number", self.column));
            number.ok_or_else(|| wrong().help("leave out `--regress` to tell classes").into())
        };
        let numbers: Vec<f64> = values.iter().map(parsed).collect::<Result<_>>()?;
        if numbers.iter().all(|number| *number == numbers[0]) {
            let text = format!("the column `{}` holds the same number for all cells", self.column);
            return Err(Misuse::new(text).into());
        }
        Ok(Truth::Numbers(numbers))
    }

    fn classes(&self, values: &[&str]) -> Result<Truth> {
        let different: BTreeSet<&str> = values.iter().copied().collect();
        let mut names: Vec<&str> = different.into_iter().collect();
        let number = |name: &str| name.parse::<f64>().ok().filter(|number| !number.is_nan());
        if names.iter().all(|name| number(name).is_some()) {
            names.sort_by(|left, right| number(left).partial_cmp(&number(right)).unwrap_or(std::cmp::Ordering::Equal));
        }
        let (n, n_cells) = (names.len(), values.len());
        if n < 2 || n > n_cells / 2 {
            let text = format!("the column `{}` has {n} classes in {n_cells} cells", self.column);
            let help = "name a column with two or more classes of several cells; numbers are told with `--regress`";
            return Err(Misuse::new(text).help(help).into());
        }
        let place = |value: &&str| names.iter().position(|name| name == value).unwrap_or(0) as u32;
        let codes = values.iter().map(place).collect();
        Ok(Truth::Classes { names: names.into_iter().map(str::to_owned).collect(), codes })
    }
}

impl Truth {
    /// Numbers that a network tells of a cell.
    pub fn n_outputs(&self) -> usize {
        match self {
            Truth::Classes { names, .. } => names.len(),
            Truth::Numbers(_) => 1,
        }
    }

    /// Names of classes; none of numbers.
    pub fn names(&self) -> &[String] {
        match self {
            Truth::Classes { names, .. } => names,
            Truth::Numbers(_) => &[],
        }
    }

    /// How answers are scored, the score that is looked at first at the front.
    pub fn scores(&self) -> Vec<&'static str> {
        match self {
            Truth::Classes { .. } => vec!["balanced_accuracy", "accuracy"],
            Truth::Numbers(_) => vec!["pearson", "spearman", "r_squared"],
        }
    }

    /// The same cells, the values of some of them given to each other: the value of `cells[i]` becomes that of `order[i]`.
    pub fn permuted(&self, cells: &[usize], order: &[usize]) -> Truth {
        fn moved<T: Copy>(values: &[T], cells: &[usize], order: &[usize]) -> Vec<T> {
            let mut moved = values.to_vec();
            cells.iter().zip(order).for_each(|(&to, &from)| moved[to] = values[from]);
            moved
        }
        match self {
            Truth::Classes { names, codes } => {
                Truth::Classes { names: names.clone(), codes: moved(codes, cells, order) }
            }
            Truth::Numbers(numbers) => Truth::Numbers(moved(numbers, cells, order)),
        }
    }

    /// What is told without looking: the most frequent class of `learned` (the first of equals), or their mean, for `n` cells.
    pub fn unseen(&self, learned: &[usize], n: usize) -> Told {
        match self {
            Truth::Classes { names, codes } => {
                let counts = counts(codes, learned, names.len());
                let best =
                    (1..names.len()).fold(0, |best, class| if counts[class] > counts[best] { class } else { best });
                Told::Classes(vec![best as u32; n])
            }
            Truth::Numbers(numbers) => Told::Numbers(vec![mean(numbers, learned); n]),
        }
    }

    /// Scores of what was told of `judged`, in the order of [`Truth::scores`]; `learned` gives the mean that R² is measured
    /// against. A correlation is 0 where what is told does not vary, and `None` where the truth does not.
    ///
    /// # Errors
    /// When classes and numbers are compared.
    pub fn score(&self, judged: &[usize], told: &Told, learned: &[usize]) -> Result<Vec<Option<f64>>> {
        match (self, told) {
            (Truth::Classes { names, codes }, Told::Classes(told)) => {
                let truth: Vec<u32> = judged.iter().map(|&cell| codes[cell]).collect();
                let report = classification(&truth, told, names.len())?;
                Ok(vec![Some(report.balanced_accuracy), Some(report.accuracy)])
            }
            (Truth::Numbers(numbers), Told::Numbers(told)) => {
                let truth: Vec<f64> = judged.iter().map(|&cell| numbers[cell]).collect();
                let squares = |of: &dyn Fn(usize) -> f64| (0..truth.len()).map(|at| of(at).powi(2)).sum::<f64>();
                let middle = mean(numbers, learned);
                let (left, all) = (squares(&|at| truth[at] - told[at]), squares(&|at| truth[at] - middle));
                let of = |correlation: fn(&[f64], &[f64]) -> Option<f64>| {
                    varies(&truth).then(|| correlation(&truth, told).unwrap_or(0.0))
                };
                Ok(vec![of(pearson), of(rank_correlation), (all > 0.0).then(|| 1.0 - left / all)])
            }
            _ => anyhow::bail!("classes and numbers cannot be compared"),
        }
    }
}

/// Cells of each class.
pub(super) fn counts(codes: &[u32], cells: &[usize], n_classes: usize) -> Vec<usize> {
    let mut counts = vec![0; n_classes];
    cells.iter().for_each(|&cell| counts[codes[cell] as usize] += 1);
    counts
}

pub(super) fn mean(numbers: &[f64], cells: &[usize]) -> f64 {
    cells.iter().map(|&cell| numbers[cell]).sum::<f64>() / cells.len().max(1) as f64
}

fn varies(values: &[f64]) -> bool {
    values.iter().any(|value| *value != values[0])
}

/// Pearson's correlation; `None` where one list does not vary.
fn pearson(left: &[f64], right: &[f64]) -> Option<f64> {
    if !varies(left) || !varies(right) {
        return None;
    }
    let centre = |values: &[f64]| values.iter().sum::<f64>() / values.len() as f64;
    let (a, b) = (centre(left), centre(right));
    let sum = |of: &dyn Fn(f64, f64) -> f64| left.iter().zip(right).map(|(x, y)| of(x - a, y - b)).sum::<f64>();
    let scale = (sum(&|x, _| x * x) * sum(&|_, y| y * y)).sqrt();
    (scale > 0.0).then(|| sum(&|x, y| x * y) / scale)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn question(values: &[&str], is_number: bool) -> Question {
        let values = values.iter().map(|value| Some((*value).to_owned())).collect();
        Question { column: "dose".into(), values, is_number }
    }

    #[test]
    fn classes_that_are_numbers_are_in_their_order() {
        let all: Vec<usize> = (0..6).collect();
        let truth = question(&["10", "2", "2", "10", "1", "1"], false).truth(&all).unwrap();
        assert_eq!(truth.names(), ["1", "2", "10"]);
        assert_eq!(truth, Truth::Classes { names: truth.names().to_vec(), codes: vec![2, 1, 1, 2, 0, 0] });
        let told = Told::Classes(vec![2, 1, 0]);
        let scores = truth.score(&[0, 1, 2], &told, &all).unwrap();
        assert_eq!(scores, [Some(0.75), Some(2.0 / 3.0)]);
        assert_eq!(truth.unseen(&[1, 2, 3], 2), Told::Classes(vec![1, 1]));
        let Truth::Classes { codes, .. } = truth.permuted(&[0, 4, 5], &[4, 5, 0]) else { panic!() };
        assert_eq!(codes, [0, 1, 1, 2, 0, 2]);
        let one = question(&["a"; 6], false).truth(&all).unwrap_err().to_string();
        assert!(one.starts_with("the column `dose` has 1 classes in 6 cells"), "{one}");
        assert!(question(&["a", "b", "c", "d", "a", "b"], false).truth(&all).is_err());
    }

    #[test]
    fn numbers_are_scored_by_their_correlation() {
        let truth = question(&["1", "2", "3", "5"], true).truth(&[0, 1, 2, 3]).unwrap();
        let scores = truth.score(&[0, 1, 3], &Told::Numbers(vec![1.0, 1.5, 9.0]), &[0, 1, 2, 3]).unwrap();
        // numpy.corrcoef([1, 2, 5], [1, 1.5, 9])[0, 1]
        assert!((scores[0].unwrap() - 0.982_612_969_426_886_8).abs() < 1e-12, "{scores:?}");
        assert!((scores[1].unwrap() - 1.0).abs() < 1e-12);
        // 1 - (0 + .25 + 16) / (1.75² + .75² + 2.25²)
        assert!((scores[2].unwrap() - (1.0 - 16.25 / 8.6875)).abs() < 1e-12);
        let flat = truth.unseen(&[0, 1, 2, 3], 3);
        assert_eq!(truth.score(&[0, 1, 3], &flat, &[0, 1, 2, 3]).unwrap(), [Some(0.0), Some(0.0), Some(0.0)]);
        assert_eq!(truth.score(&[2], &Told::Numbers(vec![1.0]), &[0, 1, 2, 3]).unwrap()[0], None);
        let word = question(&["1", "two"], true).truth(&[0, 1]).unwrap_err().to_string();
        assert!(word.contains("`two`, which is no number"), "{word}");
    }
}
