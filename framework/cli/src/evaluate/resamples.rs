//! Bootstrap over cells: how much a score would differ had other cells been judged.
//!
//! Cells are drawn with replacement, as many as there are, 400 times (Efron 1979). All methods of a task are scored on the
//! same resamples, so that the difference of two methods is judged cell by cell. A resample is kept as a weight per
//! cell; scores of all resamples are products of the weights with sums per cell. Entries that were not measured count in
//! none of them.

use super::numbers::numbers;
use super::seeds::{Draw, generator};
use anyhow::{Result, ensure};
use framework::Seed;
use rand::Rng;
use serde::{Deserialize, Serialize};
use tch::{Kind, Tensor};

/// Resamples drawn.
pub(super) const N_RESAMPLES: usize = 400;
/// Features whose correlations are resampled at a time.
const COLUMNS_AT_A_TIME: i64 = 256;
/// Weight of the cells that a correlation needs where not all of them were measured.
const MIN_MEASURED: f64 = 3.0;
/// Share of a feature's variance below which a resample holds only one value of it, and the rest is rounding.
const ROUNDING: f64 = 1e-10;

/// A number and its 95 % percentile interval.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Interval {
    /// The number on the judged cells.
    pub estimate: f64,
    /// 2.5 % of the resamples lie below.
    pub lower: f64,
    /// 2.5 % of the resamples lie above.
    pub upper: f64,
}

impl Interval {
    /// Whether the whole interval is above 0.
    pub fn is_above_zero(&self) -> bool {
        self.lower > 0.0
    }

    /// Whether the whole interval is below 0.
    pub fn is_below_zero(&self) -> bool {
        self.upper < 0.0
    }
}

/// A score on the cells as they are, and on each resample.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Resampled {
    /// On the cells as they are.
    pub estimate: f64,
    /// On each resample.
    pub values: Vec<f64>,
}

impl Resampled {
    /// From the score on the cells as they are, followed by those on the resamples; `None` if one is not a number.
    fn new(scores: &[f64]) -> Option<Resampled> {
        let (estimate, values) = scores.split_first()?;
        let all_known = scores.iter().all(|score| score.is_finite());
        all_known.then(|| Resampled { estimate: *estimate, values: values.to_vec() })
    }

    /// The interval of this score.
    pub fn interval(&self) -> Interval {
        percentiles(self.estimate, self.values.clone())
    }

    /// The interval of this score less another's, around `estimate`.
    ///
    /// Percentiles are taken about the mean of the resamples: resamples leave rare features out more often than common
    /// ones, which moves both scores, and scores of some features stand for all where there are many.
    pub fn difference(&self, other: &Resampled, estimate: f64) -> Interval {
        let differences = || self.values.iter().zip(&other.values).map(|(own, other)| own - other);
        let mean = differences().sum::<f64>() / self.values.len().max(1) as f64;
        percentiles(estimate, differences().map(|difference| estimate + difference - mean).collect())
    }
}

fn percentiles(estimate: f64, mut values: Vec<f64>) -> Interval {
    values.sort_unstable_by(f64::total_cmp);
    let at = |share: f64| values.get((share * (values.len() - 1) as f64).round() as usize).copied();
    Interval { estimate, lower: at(0.025).unwrap_or(estimate), upper: at(0.975).unwrap_or(estimate) }
}

/// Weights of some cells in the resamples.
#[derive(Debug)]
pub(super) struct Resamples {
    /// The first row is 1 for every cell: the cells as they are; then one row per resample. 64-bit.
    weights: Tensor,
    n_cells: usize,
}

impl Resamples {
    /// Draws resamples of so many cells.
    ///
    /// # Errors
    /// When there is no cell.
    pub fn draw(n_cells: usize, seed: Seed, place: usize) -> Result<Resamples> {
        ensure!(n_cells > 0, "there is no cell to judge");
        let mut generator = generator(seed, Draw::Resamples, place);
        let mut weights = vec![0f64; (N_RESAMPLES + 1) * n_cells];
        let (as_they_are, drawn) = weights.split_at_mut(n_cells);
        as_they_are.fill(1.0);
        for resample in drawn.chunks_exact_mut(n_cells) {
            for _ in 0..n_cells {
                resample[generator.random_range(0..n_cells as u64) as usize] += 1.0;
            }
        }
        let weights = Tensor::from_slice(&weights).view([-1, n_cells as i64]);
        Ok(Resamples { weights, n_cells })
    }

    /// Mean over cells of one number each.
    ///
    /// # Errors
    /// When there is not one finite number per cell.
    pub fn mean(&self, of_cells: &[f64]) -> Result<Resampled> {
        let sums = numbers(&self.weights.f_matmul(&Tensor::from_slice(of_cells).view([-1, 1]))?)?;
        let scores: Vec<f64> = sums.into_iter().map(|sum| sum / self.n_cells as f64).collect();
        Resampled::new(&scores).ok_or_else(|| anyhow::anyhow!("a number of a cell is not finite"))
    }

    /// Root mean squared error, from the squared errors of each cell summed over its features.
    ///
    /// # Errors
    /// When there is not one number per cell.
    pub fn rmse(&self, squared_errors: &[f64], n_features: usize) -> Result<Resampled> {
        let sums = numbers(&self.weights.f_matmul(&Tensor::from_slice(squared_errors).view([-1, 1]))?)?;
        let n_entries = (self.n_cells * n_features) as f64;
        let scores: Vec<f64> = sums.into_iter().map(|sum| (sum / n_entries).sqrt()).collect();
        Resampled::new(&scores).ok_or_else(|| anyhow::anyhow!("a squared error is not finite"))
    }

    /// The same over what was measured: `squared_errors` and `n_measured` are sums over the measured features of each
    /// cell. Resamples that hold nothing measured are left out: the same ones for all methods.
    ///
    /// # Errors
    /// When there is not one number per cell, or nothing was measured.
    pub fn rmse_of_measured(&self, squared_errors: &[f64], n_measured: &[f64]) -> Result<Resampled> {
        let weighted = |of: &[f64]| numbers(&self.weights.f_matmul(&Tensor::from_slice(of).view([-1, 1]))?);
        let (sums, counts) = (weighted(squared_errors)?, weighted(n_measured)?);
        ensure!(counts[0] > 0.0, "nothing was measured of the judged cells");
        let known = sums.iter().zip(&counts).filter(|(_, n)| **n > 0.0);
        let scores: Vec<f64> = known.map(|(sum, n)| (sum / n).sqrt()).collect();
        Resampled::new(&scores).ok_or_else(|| anyhow::anyhow!("a squared error is not finite"))
    }

    /// Mean over features of the Pearson correlation over cells; `None` when a resample leaves no feature that varies.
    ///
    /// As elsewhere, features whose observed values are constant are left out, and constant predictions count as 0. Where
    /// an observed value is NaN nothing was measured: such a feature is judged over the other cells, and left out where a
    /// resample holds fewer than 3 of them.
    ///
    /// # Shapes
    /// both: n_cells × n_features.
    ///
    /// # Errors
    /// When shapes disagree.
    pub fn mean_pearson(&self, predicted: &Tensor, observed: &Tensor) -> Result<Option<Resampled>> {
        let n_scores = self.weights.size()[0];
        let sum = Tensor::zeros([n_scores], (Kind::Double, tch::Device::Cpu));
        let count = sum.zeros_like();
        let (mut sum, mut count) = (sum, count);
        let n_columns = observed.size()[1];
        for start in (0..n_columns).step_by(COLUMNS_AT_A_TIME as usize) {
            let width = COLUMNS_AT_A_TIME.min(n_columns - start);
            let column = |of: &Tensor| of.narrow(1, start, width).to_kind(Kind::Double);
            let (values, is_defined) = self.pearson(&column(predicted), &column(observed))?;
            sum += values.sum_dim_intlist([1i64].as_slice(), false, Kind::Double);
            count += is_defined.sum_dim_intlist([1i64].as_slice(), false, Kind::Double);
        }
        Ok(Resampled::new(&numbers(&(sum / count))?))
    }

    /// Correlations (0 where undefined), and 1 where the observed values vary; both n_resamples × n_features.
    fn pearson(&self, predicted: &Tensor, observed: &Tensor) -> Result<(Tensor, Tensor)> {
        let missing = observed.isnan();
        let all_measured = missing.any().int64_value(&[]) == 0;
        let (x, y, n) = match all_measured {
            true => {
                let n = Tensor::from_slice(&[self.n_cells as f64]).view([1, 1]);
                (Columns::complete(predicted), Columns::complete(observed), n)
            }
            false => {
                let n = self.weights.f_matmul(&missing.logical_not().to_kind(Kind::Double))?;
                (Columns::measured(predicted, &missing), Columns::measured(observed, &missing), n)
            }
        };
        let divisor = n.clamp_min(1.0);
        let mean = |of: &Tensor| -> Result<Tensor> { Ok(self.weights.f_matmul(of)? / &divisor) };
        let (mean_x, mean_y) = (mean(&x.centred)?, mean(&y.centred)?);
        let variance_x = mean(&(&x.centred * &x.centred))? - &mean_x * &mean_x;
        let variance_y = mean(&(&y.centred * &y.centred))? - &mean_y * &mean_y;
        let covariance = mean(&(&x.centred * &y.centred))? - mean_x * mean_y;
        let (x_varies, mut y_varies) = (x.varies(&variance_x), y.varies(&variance_y));
        if !all_measured {
            y_varies *= n.ge(MIN_MEASURED).to_kind(Kind::Double);
        }
        let scale = (variance_x * variance_y).clamp_min(f64::MIN_POSITIVE).sqrt();
        let r = (covariance / scale).clamp(-1.0, 1.0);
        Ok((r * x_varies * &y_varies, y_varies))
    }

    /// Balanced accuracy of predicted classes: mean over the classes that a resample holds of the share found.
    ///
    /// # Errors
    /// When there is not one class per cell.
    pub fn balanced_accuracy(&self, truth: &[u32], predicted: &[u32], n_classes: usize) -> Result<Resampled> {
        let mut members = vec![0f64; truth.len() * n_classes];
        let mut found = members.clone();
        for (cell, (&truth, &predicted)) in truth.iter().zip(predicted).enumerate() {
            let place = cell * n_classes + truth as usize;
            members[place] = 1.0;
            found[place] = f64::from(u8::from(truth == predicted));
        }
        let count = |of: &[f64]| self.weights.f_matmul(&Tensor::from_slice(of).view([-1, n_classes as i64]));
        let (members, found) = (numbers(&count(&members)?)?, numbers(&count(&found)?)?);
        let classes = members.chunks_exact(n_classes).zip(found.chunks_exact(n_classes));
        let scores: Vec<f64> = classes.map(|(members, found)| mean_recall(members, found)).collect();
        Resampled::new(&scores).ok_or_else(|| anyhow::anyhow!("a resample holds no class"))
    }
}

/// Features over cells, as they are before cells are drawn.
struct Columns {
    /// n_cells × n_features about the mean of each; 0 where nothing was measured.
    centred: Tensor,
    /// Variance of each.
    variance: Tensor,
    /// Whether all values of a feature are the same.
    is_constant: Tensor,
}

impl Columns {
    fn complete(values: &Tensor) -> Columns {
        Columns {
            centred: values - values.mean_dim([0i64].as_slice(), true, Kind::Double),
            variance: values.var_dim([0i64].as_slice(), false, true),
            is_constant: values.amax([0i64].as_slice(), true).eq_tensor(&values.amin([0i64].as_slice(), true)),
        }
    }

    fn measured(values: &Tensor, missing: &Tensor) -> Columns {
        let sum = |of: &Tensor| of.sum_dim_intlist([0i64].as_slice(), true, Kind::Double);
        let n = sum(&missing.logical_not()).clamp_min(1.0);
        let mean = sum(&values.masked_fill(missing, 0.0)) / &n;
        let centred = (values - mean).masked_fill(missing, 0.0);
        let largest = values.masked_fill(missing, f64::NEG_INFINITY).amax([0i64].as_slice(), true);
        let smallest = values.masked_fill(missing, f64::INFINITY).amin([0i64].as_slice(), true);
        Columns { variance: sum(&(&centred * &centred)) / n, is_constant: largest.le_tensor(&smallest), centred }
    }

    /// 1 where a feature has different values in a resample, else 0.
    fn varies(&self, variance: &Tensor) -> Tensor {
        let varies = variance.gt_tensor(&(&self.variance * ROUNDING)).logical_and(&self.is_constant.logical_not());
        varies.to_kind(Kind::Double)
    }
}

fn mean_recall(members: &[f64], found: &[f64]) -> f64 {
    let present = members.iter().zip(found).filter(|(members, _)| **members > 0.0);
    let (sum, n) = present.fold((0.0, 0.0), |(sum, n), (members, found)| (sum + found / members, n + 1.0));
    sum / n
}

#[cfg(test)]
mod tests {
    use super::*;

    fn columns(values: &[f64], width: i64) -> Tensor {
        Tensor::from_slice(values).view([-1, width])
    }

    #[test]
    fn the_cells_as_they_are_give_the_plain_scores() {
        let resamples = Resamples::draw(4, Seed(1), 0).unwrap();
        // r = 1 in the first feature, 0.6 in the second; the third is constant where it was observed
        let observed = columns(&[1.0, 1.0, 5.0, 2.0, 2.0, 5.0, 3.0, 3.0, 5.0, 4.0, 4.0, 5.0], 3);
        let predicted = columns(&[2.0, 2.0, 1.0, 4.0, 1.0, 2.0, 6.0, 4.0, 3.0, 8.0, 3.0, 4.0], 3);
        let (r, defined) = resamples.pearson(&predicted, &observed).unwrap();
        let (r, defined) = (numbers(&r.narrow(0, 0, 1)).unwrap(), numbers(&defined.narrow(0, 0, 1)).unwrap());
        assert!((r[0] - 1.0).abs() < 1e-12 && (r[1] - 0.6).abs() < 1e-12, "{r:?}");
        assert_eq!(defined, [1.0, 1.0, 0.0]);
        let mean = resamples.mean(&[1.0, 2.0, 3.0, 6.0]).unwrap();
        assert!((mean.estimate - 3.0).abs() < 1e-12 && mean.values.iter().all(|value| (1.0..=6.0).contains(value)));
        assert!(resamples.mean(&[1.0, f64::NAN, 3.0, 6.0]).is_err() && resamples.mean(&[1.0]).is_err());
        let rmse = resamples.rmse(&[4.0, 4.0, 4.0, 4.0], 1).unwrap();
        assert!((rmse.estimate - 2.0).abs() < 1e-12 && rmse.values.iter().all(|value| (value - 2.0).abs() < 1e-12));
        let accuracy = resamples.balanced_accuracy(&[0, 0, 0, 1], &[0, 0, 1, 1], 2).unwrap();
        assert!((accuracy.estimate - 5.0 / 6.0).abs() < 1e-12);
    }

    /// Pearson correlation of pairs, each as often as its weight says; 0 for a constant prediction, `None` for fewer than
    /// 3 pairs or a constant observation.
    fn by_hand(pairs: &[(f64, f64, f64)]) -> Option<f64> {
        let all: Vec<(f64, f64)> =
            pairs.iter().flat_map(|&(p, o, weight)| std::iter::repeat_n((p, o), weight as usize)).collect();
        if all.len() < 3 || all.iter().all(|pair| pair.1 == all[0].1) {
            return None;
        }
        if all.iter().all(|pair| pair.0 == all[0].0) {
            return Some(0.0);
        }
        let n = all.len() as f64;
        let (p, o) = (all.iter().map(|x| x.0).sum::<f64>() / n, all.iter().map(|x| x.1).sum::<f64>() / n);
        let sum = |of: &dyn Fn(f64, f64) -> f64| all.iter().map(|x| of(x.0 - p, x.1 - o)).sum::<f64>();
        Some(sum(&|p, o| p * o) / (sum(&|p, _| p * p) * sum(&|_, o| o * o)).sqrt())
    }

    #[test]
    fn resamples_see_the_measured_pairs_only() {
        const N_CELLS: usize = 12;
        const N_FEATURES: usize = 5;
        for seed in 0..20 {
            let mut random = generator(Seed(seed), Draw::Panel, 0);
            let n = N_CELLS * N_FEATURES;
            let predicted: Vec<f64> = (0..n).map(|_| random.random::<f64>()).collect();
            // few different values, so that resamples are often constant; the last feature was measured in two cells
            let is_measured: Vec<bool> =
                (0..n).map(|at| random.random_bool(0.5) && (at % N_FEATURES < 4 || at < 2 * N_FEATURES)).collect();
            let observed: Vec<f64> = (0..n).map(|_| f64::from(random.random_range(0..3u8)) / 2.0).collect();
            let with_holes: Vec<f64> = observed
                .iter()
                .zip(&is_measured)
                .map(|(value, known)| if *known { *value } else { f64::NAN })
                .collect();
            let resamples = Resamples::draw(N_CELLS, Seed(seed), 0).unwrap();
            let width = N_FEATURES as i64;
            let (r, defined) = resamples.pearson(&columns(&predicted, width), &columns(&with_holes, width)).unwrap();
            let (r, defined) = (numbers(&r).unwrap(), numbers(&defined).unwrap());
            let weights = numbers(&resamples.weights).unwrap();
            let known = |cell: usize| (0..N_FEATURES).map(move |f| cell * N_FEATURES + f).filter(|at| is_measured[*at]);
            let squares = |cell: usize| known(cell).map(|at| (predicted[at] - observed[at]).powi(2)).sum::<f64>();
            let errors: Vec<f64> = (0..N_CELLS).map(squares).collect();
            let counts: Vec<f64> = (0..N_CELLS).map(|cell| known(cell).count() as f64).collect();
            let rmse = resamples.rmse_of_measured(&errors, &counts).unwrap();
            for (draw, weights) in weights.chunks(N_CELLS).enumerate() {
                for feature in 0..N_FEATURES {
                    let cells = (0..N_CELLS).filter(|cell| is_measured[cell * N_FEATURES + feature]);
                    let place = |cell: usize| cell * N_FEATURES + feature;
                    let pairs: Vec<_> =
                        cells.map(|cell| (predicted[place(cell)], observed[place(cell)], weights[cell])).collect();
                    let (expected, at) = (by_hand(&pairs), draw * N_FEATURES + feature);
                    assert_eq!(defined[at] == 1.0, expected.is_some(), "{pairs:?}");
                    assert!((r[at] - expected.unwrap_or(0.0)).abs() < 1e-9, "{} {expected:?}", r[at]);
                }
                let sum = |of: &[f64]| weights.iter().zip(of).map(|(weight, x)| weight * x).sum::<f64>();
                let expected = (sum(&errors) / sum(&counts)).sqrt();
                let found = if draw == 0 { rmse.estimate } else { rmse.values[draw - 1] };
                assert!((found - expected).abs() < 1e-12, "{found} {expected}");
            }
        }
    }

    #[test]
    fn resamples_of_nothing_measured_are_left_out() {
        let resamples = Resamples::draw(2, Seed(1), 0).unwrap();
        let rmse = resamples.rmse_of_measured(&[8.0, 0.0], &[2.0, 0.0]).unwrap();
        assert!(rmse.estimate == 2.0 && rmse.values.iter().all(|value| *value == 2.0));
        // a quarter of the resamples hold the second cell alone
        assert!((200..390).contains(&rmse.values.len()), "{}", rmse.values.len());
        assert!(resamples.rmse_of_measured(&[0.0; 2], &[0.0; 2]).is_err());
    }

    #[test]
    fn constant_predictions_correlate_with_nothing() {
        let resamples = Resamples::draw(50, Seed(1), 0).unwrap();
        let observed: Vec<f64> = (0..50).map(f64::from).collect();
        let mean = resamples.mean_pearson(&columns(&[0.1; 50], 1), &columns(&observed, 1)).unwrap().unwrap();
        assert_eq!(mean.estimate, 0.0);
        assert!(mean.values.iter().all(|value| *value == 0.0));
        assert_eq!(resamples.mean_pearson(&columns(&observed, 1), &columns(&[0.1; 50], 1)).unwrap(), None);
    }

    #[test]
    fn intervals_are_as_wide_as_the_theory_says() {
        // 400 cells, squared errors 0 or 2 in turn: their mean has standard error 1/√400 = 0.05
        let errors: Vec<f64> = (0..400).map(|cell| f64::from(cell % 2) * 2.0).collect();
        let resamples = Resamples::draw(400, Seed(3), 0).unwrap();
        let mut squares = resamples.rmse(&errors, 1).unwrap();
        squares.values.iter_mut().for_each(|value| *value *= *value);
        let interval = squares.interval();
        let width = interval.upper - interval.lower;
        assert!((0.16..0.24).contains(&width), "{interval:?}");
    }

    #[test]
    fn differences_are_paired_and_move_to_the_estimate() {
        let resampled = |estimate: f64, shift: f64| Resampled {
            estimate,
            values: (0..401).map(|at| shift + f64::from(at)).collect(),
        };
        // the resamples differ by exactly 1 each, however much they vary themselves
        let interval = resampled(3.0, 1.0).difference(&resampled(2.0, 0.0), 1.5);
        assert_eq!((interval.lower, interval.estimate, interval.upper), (1.5, 1.5, 1.5));
        let constant = Resampled { estimate: 0.0, values: vec![0.0; 401] };
        let interval = resampled(0.0, 7.0).difference(&constant, 0.0);
        assert_eq!((interval.lower, interval.upper), (-190.0, 190.0));
        let own = resampled(200.0, 0.0).interval();
        assert_eq!((own.lower, own.upper), (10.0, 390.0));
    }
}
