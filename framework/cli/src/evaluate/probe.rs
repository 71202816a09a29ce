//! What one space knows of one label.

use super::controls::Spaces;
use super::evaluation::{ClassScores, Method, SpaceScores};
use super::numbers::select;
use super::resamples::{Resampled, Resamples};
use super::seeds::{Draw, generator, key, subset};
use analysis::{LogisticProbe, classification, linear_r2, majority_labels, silhouette};
use anyhow::Result;
use framework::Seed;
use rand::seq::SliceRandom;
use std::collections::BTreeSet;
use tch::Tensor;

/// A linear probe learns from at most so many cells, drawn by the seed.
const MAX_PROBE_CELLS: usize = 20_000;
/// C of the logistic regression: the penalty of scikit-learn's default.
const INVERSE_PENALTY: f64 = 1.0;

/// The label of training and judged cells.
#[derive(Debug, Clone)]
pub(super) enum Truth {
    /// Classes.
    Classes {
        /// Of the training cells.
        train: Vec<u32>,
        /// Of the judged cells.
        judged: Vec<u32>,
        /// Number of classes.
        n_classes: usize,
    },
    /// Numbers of the judged cells.
    Numbers(Vec<f64>),
}

impl Truth {
    /// The same labels dealt to the cells anew.
    pub fn permuted(&self, seed: Seed) -> Truth {
        let mut generator = generator(seed, Draw::Permutation, 0);
        let mut permuted = self.clone();
        match &mut permuted {
            Truth::Classes { train, judged, .. } => {
                train.shuffle(&mut generator);
                judged.shuffle(&mut generator);
            }
            Truth::Numbers(numbers) => numbers.shuffle(&mut generator),
        }
        permuted
    }
}

/// How spaces are probed.
#[derive(Debug)]
pub(super) struct Prober<'a> {
    /// The labels.
    pub truth: &'a Truth,
    /// Neighbours that vote.
    pub n_neighbours: usize,
    /// Whether judged cells are training cells.
    pub in_sample: bool,
    /// Whether the silhouette is that of training and judged cells together.
    pub silhouette_of_all: bool,
    /// Resamples of the judged cells.
    pub resamples: &'a Resamples,
    /// Seed of everything drawn.
    pub seed: Seed,
}

/// A probed space, and what is needed to compare it with another.
#[derive(Debug)]
pub(super) struct Probed {
    /// The scores.
    pub scores: SpaceScores,
    /// Balanced accuracy of neighbours on the resamples.
    pub accuracy: Option<Resampled>,
}

impl Prober<'_> {
    /// Probes one space.
    ///
    /// # Errors
    /// When coordinates are not finite.
    pub fn probe(&self, method: Method, spaces: &Spaces) -> Result<Probed> {
        match self.truth {
            Truth::Classes { train, judged, n_classes } => {
                self.probe_classes(method, spaces, (train, judged, *n_classes))
            }
            Truth::Numbers(numbers) => Ok(Probed { scores: with_r_squared(method, spaces, numbers), accuracy: None }),
        }
    }

    /// Probes a space for the labels dealt anew: what chance reaches.
    ///
    /// # Errors
    /// When coordinates are not finite.
    pub fn probe_permuted(&self, spaces: &Spaces) -> Result<Probed> {
        let method = Method::control("permuted", "permuted labels");
        let permuted = self.truth.permuted(self.seed);
        match (&permuted, self.truth) {
            (Truth::Classes { train, judged, n_classes }, Truth::Classes { judged: truth, .. }) => {
                let mut probed = self.probe_classes(method, spaces, (train, truth, *n_classes))?;
                probed.scores.silhouette = self.silhouette(spaces, train, judged)?;
                Ok(probed)
            }
            _ => Prober { truth: &permuted, ..*self }.probe(method, spaces),
        }
    }

    fn probe_classes(
        &self,
        method: Method,
        spaces: &Spaces,
        (train, judged, n_classes): (&[u32], &[u32], usize),
    ) -> Result<Probed> {
        let neighbours = spaces.neighbours(self.n_neighbours, self.in_sample)?;
        let voted = majority_labels(&neighbours, train)?;
        let (neighbours, accuracy) = self.class_scores(judged, &voted, n_classes)?;
        let linear = match self.linear(spaces, train)? {
            Some(predicted) => Some(self.class_scores(judged, &predicted, n_classes)?.0),
            None => None,
        };
        let scores = SpaceScores {
            dim: spaces.dim(),
            neighbours: Some(neighbours),
            linear,
            silhouette: self.silhouette(spaces, train, judged)?,
            ..empty(method)
        };
        Ok(Probed { scores, accuracy: Some(accuracy) })
    }

    fn linear(&self, spaces: &Spaces, train: &[u32]) -> Result<Option<Vec<u32>>> {
        let chosen = subset(train.len(), MAX_PROBE_CELLS, &mut generator(self.seed, Draw::ProbeCells, 0));
        let labels: Vec<u32> = chosen.iter().map(|&cell| train[cell]).collect();
        if n_groups(&labels) < 2 {
            return Ok(None);
        }
        let probe = LogisticProbe::fit(&select(&spaces.train, &chosen), &labels, INVERSE_PENALTY)?;
        Ok(Some(probe.predict(&spaces.judged)?))
    }

    fn class_scores(&self, truth: &[u32], predicted: &[u32], n_classes: usize) -> Result<(ClassScores, Resampled)> {
        let report = classification(truth, predicted, n_classes)?;
        let resampled = self.resamples.balanced_accuracy(truth, predicted, n_classes)?;
        let scores = ClassScores {
            balanced_accuracy: report.balanced_accuracy,
            accuracy: report.accuracy,
            macro_f1: report.macro_f1,
            balanced_accuracy_interval: resampled.interval(),
        };
        Ok((scores, resampled))
    }

    fn silhouette(&self, spaces: &Spaces, train: &[u32], judged: &[u32]) -> Result<Option<f64>> {
        let (rows, labels) = match self.silhouette_of_all {
            true => (Tensor::cat(&[&spaces.train, &spaces.judged], 0), [train, judged].concat()),
            false => (spaces.judged.shallow_clone(), judged.to_vec()),
        };
        let n = n_groups(&labels);
        if n < 2 || n >= labels.len() {
            return Ok(None);
        }
        Ok(Some(silhouette(&rows, &labels, key(self.seed, Draw::Silhouette, 0))?.mean))
    }
}

fn n_groups(labels: &[u32]) -> usize {
    labels.iter().collect::<BTreeSet<_>>().len()
}

/// Too few cells for the width of the space leave the score empty.
fn with_r_squared(method: Method, spaces: &Spaces, numbers: &[f64]) -> SpaceScores {
    let fit = linear_r2(&spaces.judged, numbers).ok();
    SpaceScores {
        dim: spaces.dim(),
        r_squared: fit.map(|fit| fit.r_squared),
        adjusted_r_squared: fit.map(|fit| fit.adjusted),
        ..empty(method)
    }
}

fn empty(method: Method) -> SpaceScores {
    SpaceScores {
        method,
        dim: 0,
        neighbours: None,
        linear: None,
        silhouette: None,
        r_squared: None,
        adjusted_r_squared: None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Two classes far apart, and a second dimension that tells nothing.
    fn far_apart() -> (Spaces, Truth) {
        let row = |cell: usize| [(cell % 2) as f64 * 10.0 + (cell % 5) as f64 * 0.1, (cell % 7) as f64];
        let of = |cells: std::ops::Range<usize>| {
            Tensor::from_slice(&cells.flat_map(row).collect::<Vec<f64>>()).view([-1, 2])
        };
        let labels = |cells: std::ops::Range<usize>| cells.map(|cell| (cell % 2) as u32).collect();
        let truth = Truth::Classes { train: labels(0..60), judged: labels(60..100), n_classes: 2 };
        (Spaces { train: of(0..60), judged: of(60..100) }, truth)
    }

    fn with_prober<T>(truth: &Truth, n_judged: usize, work: impl FnOnce(&Prober<'_>) -> T) -> T {
        let resamples = Resamples::draw(n_judged, Seed(1), 0).unwrap();
        work(&Prober {
            truth,
            n_neighbours: 5,
            in_sample: false,
            silhouette_of_all: false,
            resamples: &resamples,
            seed: Seed(1),
        })
    }

    #[test]
    fn classes_are_found_where_they_are_and_not_where_labels_are_permuted() {
        let (spaces, truth) = far_apart();
        let (own, permuted) = with_prober(&truth, 40, |prober| {
            let own = prober.probe(Method::of_model("all", "all"), &spaces).unwrap().scores;
            (own, prober.probe_permuted(&spaces).unwrap().scores)
        });
        assert_eq!((own.neighbours.unwrap().balanced_accuracy, own.linear.unwrap().accuracy), (1.0, 1.0));
        assert!(own.silhouette.unwrap() > 0.5 && own.dim == 2);
        assert!(permuted.neighbours.unwrap().balanced_accuracy < 0.8 && permuted.silhouette.unwrap() < 0.2);
        assert!(permuted.method.is_control);
    }

    #[test]
    fn a_cell_does_not_vote_for_itself() {
        // neighbours in pairs of unlike classes: whoever asked itself would be right
        let rows = Tensor::from_slice(&[0.0, 0.1, 10.0, 10.1, 20.0, 20.1]).view([6, 1]);
        let labels = vec![0, 1, 0, 1, 0, 1];
        let truth = Truth::Classes { train: labels.clone(), judged: labels, n_classes: 2 };
        let spaces = Spaces { train: rows.shallow_clone(), judged: rows };
        let resamples = Resamples::draw(6, Seed(1), 0).unwrap();
        let prober = Prober {
            truth: &truth,
            n_neighbours: 1,
            in_sample: true,
            silhouette_of_all: false,
            resamples: &resamples,
            seed: Seed(1),
        };
        let scores = prober.probe(Method::of_model("all", "all"), &spaces).unwrap().scores;
        assert_eq!(scores.neighbours.unwrap().accuracy, 0.0);
    }

    #[test]
    fn numbers_are_explained_by_their_own_space_only() {
        let (spaces, _) = far_apart();
        let numbers: Vec<f64> = (60..100).map(|cell| 3.0 * (cell % 7) as f64).collect();
        let truth = Truth::Numbers(numbers);
        let (own, permuted) = with_prober(&truth, 40, |prober| {
            let own = prober.probe(Method::of_model("all", "all"), &spaces).unwrap().scores;
            (own, prober.probe_permuted(&spaces).unwrap().scores)
        });
        assert!((own.r_squared.unwrap() - 1.0).abs() < 1e-9 && own.neighbours.is_none());
        assert!(permuted.adjusted_r_squared.unwrap() < 0.3, "{permuted:?}");
    }
}
