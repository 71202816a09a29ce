//! A linear probe for labels: multinomial logistic regression on standardised inputs.

use anyhow::{Result, ensure};
use tch::{Device, Kind, Tensor};

use crate::lbfgs::minimise;
use crate::tensor::{from_rows, host, numbers, row_mean, shape};

/// Largest gradient component at which fitting stops; the objective is a mean over cells.
const TOLERANCE: f64 = 1e-8;
const MAX_ITERATIONS: usize = 1000;

/// Multinomial logistic regression fitted on standardised inputs.
///
/// Minimises (1/n) Σᵢ −ln pᵢ + ‖W‖² / (2 C n) over W and b, where pᵢ is the entry of softmax(W xᵢ + b)
/// that belongs to cell i's label; b is not penalised. With two classes
/// the first one's logit is fixed at 0, as scikit-learn's `LogisticRegression` does. Inputs are first centred and scaled
/// to unit variance by the *fitted* cells (a column that does not vary is only centred).
#[derive(Debug)]
pub struct LogisticProbe {
    mean: Tensor,
    scale: Tensor,
    /// (n_dimensions + 1) × n_free; the last row is b.
    weights: Tensor,
    /// Classes seen, ascending.
    classes: Vec<u32>,
    n_classes: usize,
    /// Iterations that fitting took.
    pub n_iterations: usize,
    /// Whether fitting reached its tolerance.
    pub converged: bool,
}

impl LogisticProbe {
    /// Fits the probe; `inverse_penalty` is C.
    ///
    /// # Shapes
    /// space: n_cells × n_dimensions, the training cells only; labels: one per cell.
    ///
    /// # Errors
    /// When lengths disagree, fewer than two classes occur, or C is not a positive number.
    pub fn fit(space: &Tensor, labels: &[u32], inverse_penalty: f64) -> Result<Self> {
        let space = host(space, "the space to probe")?;
        let n_cells = space.size()[0] as usize;
        ensure!(labels.len() == n_cells, "{} labels for {n_cells} cells; expected one per cell", labels.len());
        ensure!(
            inverse_penalty > 0.0 && inverse_penalty.is_finite(),
            "the inverse penalty is {inverse_penalty}; expected a positive number such as 1"
        );
        let mut classes = labels.to_vec();
        classes.sort_unstable();
        classes.dedup();
        ensure!(classes.len() > 1, "the training cells have {} class; a probe needs two or more", classes.len());
        let mean = row_mean(&space);
        let scale = spread(&(&space - &mean));
        let inputs = with_ones(&((&space - &mean) / &scale));
        let problem = Problem::new(inputs, one_hot(labels, &classes), inverse_penalty);
        let minimum = minimise(|weights| problem.value(weights), problem.start(), TOLERANCE, MAX_ITERATIONS)?;
        Ok(Self {
            mean,
            scale,
            weights: problem.shaped(&minimum.point),
            n_classes: classes.last().map_or(0, |&last| last as usize + 1),
            classes,
            n_iterations: minimum.n_iterations,
            converged: minimum.converged,
        })
    }

    /// Probability of each class for each cell.
    ///
    /// # Shapes
    /// space: n × n_dimensions; result: n × (largest class fitted + 1), 64-bit; classes never seen get 0.
    ///
    /// # Errors
    /// When dimensions disagree with those fitted.
    pub fn probabilities(&self, space: &Tensor) -> Result<Tensor> {
        let seen = self.seen_probabilities(space)?;
        let size = [seen.size()[0], self.n_classes as i64];
        let columns: Vec<i64> = self.classes.iter().map(|&class| i64::from(class)).collect();
        let all = Tensor::zeros(size, (Kind::Double, Device::Cpu));
        Ok(all.index_copy(1, &Tensor::from_slice(&columns), &seen))
    }

    /// The most probable class of each cell, the lowest of equally probable ones.
    ///
    /// # Errors
    /// When dimensions disagree with those fitted.
    pub fn predict(&self, space: &Tensor) -> Result<Vec<u32>> {
        let n_seen = self.classes.len();
        let all = numbers(&self.seen_probabilities(space)?)?;
        let best = |row: &[f64]| (1..n_seen).fold(0, |best, at| if row[at] > row[best] { at } else { best });
        Ok(all.chunks_exact(n_seen).map(|row| self.classes[best(row)]).collect())
    }

    fn seen_probabilities(&self, space: &Tensor) -> Result<Tensor> {
        let (_, n_dimensions) = shape(space, "the space to predict from")?;
        let fitted = self.mean.size()[1] as usize;
        ensure!(n_dimensions == fitted, "the space has {n_dimensions} dimensions; the probe was fitted on {fitted}");
        let inputs = (host(space, "the space to predict from")? - &self.mean) / &self.scale;
        Ok(logits(&with_ones(&inputs), &self.weights)?.softmax(1, Kind::Double))
    }
}

/// Standard deviation of centred columns (over n, not n − 1), 1 where a column does not vary.
fn spread(centred: &Tensor) -> Tensor {
    let deviation = row_mean(&(centred * centred)).sqrt();
    deviation.where_self(&deviation.gt(1e-12), &deviation.ones_like())
}

fn with_ones(inputs: &Tensor) -> Tensor {
    Tensor::cat(&[inputs, &Tensor::ones([inputs.size()[0], 1], (Kind::Double, Device::Cpu))], 1)
}

/// n × n_classes; a single column of weights is the second class's against a first fixed at 0.
fn logits(inputs: &Tensor, weights: &Tensor) -> Result<Tensor> {
    let free = inputs.f_matmul(weights)?;
    Ok(if weights.size()[1] == 1 { Tensor::cat(&[&free.zeros_like(), &free], 1) } else { free })
}

fn one_hot(labels: &[u32], classes: &[u32]) -> Tensor {
    let mut hot = vec![0.0; labels.len() * classes.len()];
    for (row, label) in hot.chunks_exact_mut(classes.len()).zip(labels) {
        row[classes.partition_point(|class| class < label)] = 1.0;
    }
    from_rows(&hot, classes.len())
}

/// What is minimised, as a function of the flattened weights.
struct Problem {
    inputs: Tensor,
    truth: Tensor,
    n_free: i64,
    /// 1 / (C n) for weights, 0 for b; (n_dimensions + 1) × 1.
    penalty: Tensor,
}

impl Problem {
    fn new(inputs: Tensor, truth: Tensor, inverse_penalty: f64) -> Self {
        let size = inputs.size();
        let mut penalty = vec![1.0 / (inverse_penalty * size[0] as f64); size[1] as usize];
        if let Some(intercept) = penalty.last_mut() {
            *intercept = 0.0;
        }
        let n_free = if truth.size()[1] == 2 { 1 } else { truth.size()[1] };
        Self { inputs, truth, n_free, penalty: from_rows(&penalty, 1) }
    }

    fn start(&self) -> Tensor {
        Tensor::zeros([self.inputs.size()[1] * self.n_free], (Kind::Double, Device::Cpu))
    }

    fn shaped(&self, weights: &Tensor) -> Tensor {
        weights.view([-1, self.n_free])
    }

    fn value(&self, weights: &Tensor) -> Result<(f64, Tensor)> {
        let weights = self.shaped(weights);
        let n = self.inputs.size()[0] as f64;
        let log_probabilities = logits(&self.inputs, &weights)?.log_softmax(1, Kind::Double);
        let loss = -(&log_probabilities * &self.truth).sum(Kind::Double) / n;
        let penalised = &weights * &self.penalty;
        let value = loss + (&penalised * &weights).sum(Kind::Double) / 2.0;
        let residual =
            (log_probabilities.exp() - &self.truth).narrow(1, self.truth.size()[1] - self.n_free, self.n_free);
        let gradient = self.inputs.tr().f_matmul(&residual)? / n + penalised;
        Ok((value.double_value(&[]), gradient.view(-1)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn classes_without_cells_get_no_probability() {
        let space = Tensor::from_slice(&[0.0, 1.0, 10.0, 11.0]).view([4, 1]);
        let probe = LogisticProbe::fit(&space, &[1, 1, 4, 4], 1.0).unwrap();
        assert_eq!(probe.predict(&space).unwrap(), [1, 1, 4, 4]);
        let p = Vec::<Vec<f64>>::try_from(probe.probabilities(&space).unwrap()).unwrap();
        assert_eq!((p[0][0], p[0][2], p[0][3]), (0.0, 0.0, 0.0));
        assert!((p[0][1] + p[0][4] - 1.0).abs() < 1e-12);
    }

    #[test]
    fn bad_input_is_explained() {
        let space = Tensor::from_slice(&[0.0, 1.0]).view([2, 1]);
        let of = |labels: &[u32], c: f64| LogisticProbe::fit(&space, labels, c).unwrap_err().to_string();
        assert!(of(&[1, 1], 1.0).contains("two or more"));
        assert!(of(&[1], 1.0).contains("one per cell"));
        assert!(of(&[0, 1], 0.0).contains("positive"));
    }
}
