//! One prediction task and all methods on it: the same cells, features and resamples for each.
//!
//! Methods hand over their predictions a block of cells at a time. What needs all cells of a feature at once (its
//! average precision, its correlation on every resample) is computed on a *panel* of features: all of them, or a seeded
//! choice where cells × features would be too many to keep.

use super::evaluation::{CorrelationSummary, Method, MethodScores, Precision};
use super::numbers::{ids, numbers};
use super::resamples::{Resampled, Resamples};
use super::seeds::{Draw, generator, subset};
use analysis::{
    Correlations, Matrix, PairedMoments, PairedReport, PooledPrecision, average_precision_by_feature, block_rows,
};
use anyhow::{Context, Result, ensure};
use framework::Seed;
use tch::{Kind, Tensor};

/// Predictions kept at most (cells × features of the panel; 16 MiB).
const MAX_PANEL_ENTRIES: usize = 4 << 20;
/// Features of the panel at least, however many cells there are.
const MIN_PANEL_FEATURES: usize = 100;
/// Scores kept exactly for the pooled average precision.
const MAX_EXACT_SCORES: usize = 20_000_000;
/// Modalities of which this share of the entries or more is not 0 are not judged by finding values above 0.
const MAX_SHARE_NONZERO: f64 = 0.5;
/// Features whose average precision is computed at a time.
const FEATURES_AT_A_TIME: usize = 256;

/// Takes blocks of predictions (n × n_features), in the order of the cells.
pub(super) type Receive<'r> = dyn FnMut(&Tensor) -> Result<()> + 'r;

/// What is predicted, and in which cells; entries that were not measured count in no score.
#[derive(Debug)]
pub(super) struct Judge<'a> {
    observed: &'a Matrix<'a>,
    rows: &'a [usize],
    resamples: Resamples,
    panel: Tensor,
    observed_panel: Tensor,
    has_precision: bool,
}

/// A method's scores on the measured entries, and what is needed to compare it with another.
#[derive(Debug)]
pub(super) struct Judged {
    /// The scores.
    pub scores: MethodScores,
    /// Root mean squared error on the resamples.
    pub rmse: Resampled,
    /// Mean correlation by feature of the panel on the resamples; `None` if no feature varies.
    pub pearson: Option<Resampled>,
}

impl<'a> Judge<'a> {
    /// Prepares to judge predictions of some rows of a matrix.
    ///
    /// # Errors
    /// When there is no row.
    pub fn new(observed: &'a Matrix<'a>, rows: &'a [usize], share_nonzero: f64, seed: Seed) -> Result<Judge<'a>> {
        let n_kept = (MAX_PANEL_ENTRIES / rows.len().max(1)).max(MIN_PANEL_FEATURES);
        let panel = subset(observed.n_columns(), n_kept, &mut generator(seed, Draw::Panel, observed.n_columns()));
        let resamples = Resamples::draw(rows.len(), seed, rows.len())?;
        let panel = ids(&panel);
        let mut blocks = Vec::new();
        for block in rows.chunks(block_rows(observed.n_columns())) {
            blocks.push(observed.rows(block)?.index_select(1, &panel));
        }
        // shares of trials are neither above 0 nor not: how many trials there were decides
        let has_precision = observed.is_complete() && share_nonzero > 0.0 && share_nonzero < MAX_SHARE_NONZERO;
        Ok(Judge { observed, rows, resamples, panel, observed_panel: Tensor::cat(&blocks, 0), has_precision })
    }

    /// Judges one method; `predict` hands all predictions to the function that it is given.
    ///
    /// # Errors
    /// When `predict` fails, or hands over something else than one row of numbers per cell.
    pub fn method(&self, method: Method, predict: impl FnOnce(&mut Receive<'_>) -> Result<()>) -> Result<Judged> {
        let name = method.label.clone();
        self.judge(method, predict).with_context(|| format!("prediction by `{name}`"))
    }

    fn judge(&self, method: Method, predict: impl FnOnce(&mut Receive<'_>) -> Result<()>) -> Result<Judged> {
        let mut tally = Tally::new(self);
        predict(&mut |block| tally.push(block))?;
        ensure!(
            tally.squared_errors.len() == self.rows.len(),
            "{} of {} cells were predicted",
            tally.squared_errors.len(),
            self.rows.len()
        );
        let report = tally.moments.report()?;
        let panel = Tensor::cat(&tally.panel, 0);
        let precision = match tally.precision {
            Some(pooled) => Some(self.precision(pooled, &panel)?),
            None => None,
        };
        Ok(Judged {
            rmse: self.rmse(&tally.squared_errors)?,
            pearson: self.resamples.mean_pearson(&panel, &self.observed_panel)?,
            scores: scores(method, &report, precision),
        })
    }

    fn rmse(&self, squared_errors: &[f64]) -> Result<Resampled> {
        if self.observed.is_complete() {
            return self.resamples.rmse(squared_errors, self.observed.n_columns());
        }
        let n_measured: Vec<f64> = self.rows.iter().map(|&row| self.observed.n_measured(row) as f64).collect();
        self.resamples.rmse_of_measured(squared_errors, &n_measured)
    }

    fn precision(&self, pooled: PooledPrecision, panel: &Tensor) -> Result<Precision> {
        let pooled = pooled.report()?;
        let n_features = panel.size()[1] as usize;
        let by_feature = average_precision_by_feature(n_features, FEATURES_AT_A_TIME, |range| {
            let of = |whole: &Tensor| whole.narrow(1, range.start as i64, range.len() as i64);
            Ok((of(panel), of(&self.observed_panel)))
        })?;
        Ok(Precision {
            pooled: pooled.value,
            base_rate: pooled.base_rate,
            mean_by_feature: by_feature.mean,
            mean_base_rate: by_feature.mean_base_rate,
            n_features: n_features - by_feature.n_skipped,
            exact: pooled.exact,
        })
    }
}

/// What has been met of a method's predictions.
struct Tally<'a> {
    judge: &'a Judge<'a>,
    moments: PairedMoments,
    squared_errors: Vec<f64>,
    panel: Vec<Tensor>,
    precision: Option<PooledPrecision>,
}

impl<'a> Tally<'a> {
    fn new(judge: &'a Judge<'a>) -> Tally<'a> {
        Tally {
            judge,
            moments: PairedMoments::new(),
            squared_errors: Vec::with_capacity(judge.rows.len()),
            panel: Vec::new(),
            precision: judge.has_precision.then(|| PooledPrecision::with_limit(MAX_EXACT_SCORES)),
        }
    }

    fn push(&mut self, predicted: &Tensor) -> Result<()> {
        let predicted = predicted.flatten(1, -1);
        let start = self.squared_errors.len();
        let end = start + predicted.size()[0] as usize;
        let n_cells = self.judge.rows.len();
        ensure!(end <= n_cells, "more than {n_cells} cells were predicted");
        let observed = self.judge.observed.rows(&self.judge.rows[start..end])?;
        let is_complete = self.judge.observed.is_complete();
        match is_complete {
            true => self.moments.push(&predicted, &observed)?,
            false => self.moments.push_measured(&predicted, &observed)?,
        }
        let errors = (&predicted - &observed).to_kind(Kind::Double).square();
        let of_cells = match is_complete {
            true => errors.sum_dim_intlist([1i64].as_slice(), false, Kind::Double),
            false => errors.nansum([1i64].as_slice(), false, Kind::Double),
        };
        self.squared_errors.extend(numbers(&of_cells)?);
        self.panel.push(predicted.index_select(1, &self.judge.panel).to_kind(Kind::Float));
        if let Some(precision) = &mut self.precision {
            precision.push(&predicted, &observed)?;
        }
        Ok(())
    }
}

fn scores(method: Method, report: &PairedReport, precision: Option<Precision>) -> MethodScores {
    MethodScores {
        method,
        rmse: report.rmse,
        by_feature: summary(&report.by_feature),
        by_cell: summary(&report.by_cell),
        precision,
    }
}

fn summary(correlations: &Correlations) -> CorrelationSummary {
    CorrelationSummary {
        mean: correlations.mean,
        median: correlations.median,
        n_skipped: correlations.n_skipped,
        n_constant_predicted: correlations.n_constant_predicted,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use analysis::SparseRows;

    fn matrix(values: &[f32], width: i64) -> Matrix<'static> {
        Matrix::dense(&Tensor::from_slice(values).view([-1, width])).unwrap()
    }

    fn method() -> Method {
        Method::of_model("model", "model")
    }

    #[test]
    fn scores_are_those_of_all_blocks_together() {
        let observed = matrix(&[1.0, 0.0, 2.0, 0.0, 3.0, 0.0, 4.0, 7.0], 2);
        let rows = [0, 1, 2, 3];
        let judge = Judge::new(&observed, &rows, 0.4, Seed(0)).unwrap();
        let judged = judge
            .method(method(), |receive| {
                receive(&Tensor::from_slice(&[2f32, 0.0, 3.0, 0.0]).view([2, 2]))?;
                receive(&Tensor::from_slice(&[4f32, 0.0, 5.0, 7.0]).view([2, 1, 2, 1]))
            })
            .unwrap();
        let scores = judged.scores;
        assert!((scores.rmse - 0.5f64.sqrt()).abs() < 1e-7);
        assert!((scores.by_feature.mean.unwrap() - 1.0).abs() < 1e-9);
        let precision = scores.precision.unwrap();
        assert_eq!((precision.pooled, precision.n_features, precision.base_rate), (Some(1.0), 2, 0.625));
        assert!((judged.rmse.estimate - scores.rmse).abs() < 1e-9);
    }

    #[test]
    fn what_was_not_measured_counts_in_no_score() {
        // [[0 ·], [1 1], [· 0], [.5 ·], [0 1]], a zero among what was measured
        let values = [0.0, 1.0, 1.0, 0.0, 0.5, 0.0, 1.0];
        let stored = SparseRows::new(&[0, 1, 3, 4, 5, 7], &[0, 0, 1, 1, 0, 0, 1], &values, 2).unwrap();
        let (observed, rows) = (Matrix::Measured(stored), [0, 1, 2, 3, 4]);
        let judge = Judge::new(&observed, &rows, 0.4, Seed(0)).unwrap();
        // far off wherever nothing was measured
        let predicted = [0.1f32, 99.0, 0.9, 0.8, 99.0, 0.2, 0.5, 99.0, 0.1, 0.8];
        let judged = judge
            .method(method(), |receive| {
                let predicted = Tensor::from_slice(&predicted).view([5, 2]);
                receive(&predicted.narrow(0, 0, 3))?;
                receive(&predicted.narrow(0, 3, 2))
            })
            .unwrap();
        let scores = judged.scores;
        let squares = [0.1f64, 0.1, 0.2, 0.2, 0.0, 0.1, 0.2].map(|error| error * error);
        let rmse = (squares.iter().sum::<f64>() / 7.0).sqrt();
        assert!((scores.rmse - rmse).abs() < 1e-7 && (judged.rmse.estimate - rmse).abs() < 1e-7, "{scores:?}");
        // (0 .1) (1 .9) (.5 .5) (0 .1) and (1 .8) (0 .2) (1 .8) both lie on lines; no cell has three features
        assert!((scores.by_feature.mean.unwrap() - 1.0).abs() < 1e-6, "{scores:?}");
        assert!(judged.pearson.is_none(), "some resamples of five cells hold no feature three times");
        assert_eq!((scores.by_cell.mean, scores.by_cell.n_skipped), (None, 5));
        assert_eq!(scores.precision, None, "a share of trials is neither above 0 nor not");
        let lost = judge.method(method(), |receive| receive(&(Tensor::from_slice(&predicted).view([5, 2]) * f64::NAN)));
        assert!(format!("{:#}", lost.unwrap_err()).contains("the prediction holds numbers that are not finite"));
    }

    #[test]
    fn cells_left_out_or_added_are_refused() {
        let observed = matrix(&[1.0, 2.0, 3.0], 1);
        let rows = [0, 1];
        let judge = Judge::new(&observed, &rows, 1.0, Seed(0)).unwrap();
        let predict = |n: i64| {
            let result =
                judge.method(method(), |receive| receive(&Tensor::zeros([n, 1], (Kind::Float, tch::Device::Cpu))));
            format!("{:#}", result.unwrap_err())
        };
        assert!(predict(1).contains("1 of 2 cells"), "{}", predict(1));
        assert!(predict(3).contains("more than 2 cells"), "{}", predict(3));
    }
}
