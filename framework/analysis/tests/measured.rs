//! Matrices of which only some entries were measured: every number is that of the list of measured pairs alone.

use analysis::{
    Control, Controls, ControlsSpec, CrossPrediction, Matrix, PairedMoments, PairedReport, SparseRows, block_rows,
};
use proptest::prelude::*;
use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;
use tch::Tensor;

const N_CELLS: usize = 30;
const N_FEATURES: usize = 7;

/// Values of cells × features with `None` where nothing was measured, many of the others exactly 0 or 1. The last feature
/// is measured in two cells at most.
fn observed(seed: u64, share: f64) -> Vec<Vec<Option<f32>>> {
    let mut random = ChaCha8Rng::seed_from_u64(seed);
    let mut entry = |cell: usize, feature: usize| {
        let value = (random.random::<f32>() * 1.6 - 0.3).clamp(0.0, 1.0);
        let is_measured = random.random::<f64>() < share && (feature + 1 < N_FEATURES || cell < 2);
        is_measured.then_some(value)
    };
    (0..N_CELLS).map(|cell| (0..N_FEATURES).map(|feature| entry(cell, feature)).collect()).collect()
}

fn predicted(seed: u64) -> Vec<Vec<f32>> {
    let mut random = ChaCha8Rng::seed_from_u64(seed);
    (0..N_CELLS).map(|_| (0..N_FEATURES).map(|_| random.random::<f32>()).collect()).collect()
}

/// The measured entries as compressed rows: starts, columns, values.
fn stored(observed: &[Vec<Option<f32>>]) -> (Vec<u64>, Vec<u32>, Vec<f32>) {
    let (mut indptr, mut indices, mut values) = (vec![0], Vec::new(), Vec::new());
    for row in observed {
        for (column, value) in row.iter().enumerate() {
            indices.extend(value.map(|_| column as u32));
            values.extend(value);
        }
        indptr.push(indices.len() as u64);
    }
    (indptr, indices, values)
}

fn tensor(rows: &[Vec<f32>]) -> Tensor {
    Tensor::from_slice(&rows.concat()).view([rows.len() as i64, -1])
}

/// Pearson correlation of the pairs, by its definition; `None` for fewer than three or a constant observation,
/// 0 for a constant prediction.
fn pearson(pairs: &[(f64, f64)]) -> Option<f64> {
    let n = pairs.len() as f64;
    if pairs.len() < 3 || pairs.iter().all(|pair| pair.1 == pairs[0].1) {
        return None;
    }
    if pairs.iter().all(|pair| pair.0 == pairs[0].0) {
        return Some(0.0);
    }
    let (p, o) = (pairs.iter().map(|x| x.0).sum::<f64>() / n, pairs.iter().map(|x| x.1).sum::<f64>() / n);
    let sum = |of: &dyn Fn(f64, f64) -> f64| pairs.iter().map(|x| of(x.0 - p, x.1 - o)).sum::<f64>();
    Some(sum(&|p, o| p * o) / (sum(&|p, _| p * p) * sum(&|_, o| o * o)).sqrt())
}

fn rmse(pairs: &[(f64, f64)]) -> f64 {
    (pairs.iter().map(|(p, o)| (p - o).powi(2)).sum::<f64>() / pairs.len() as f64).sqrt()
}

/// The measured ones of some (predicted, observed) pairs.
fn measured<'a>(pairs: impl Iterator<Item = (&'a f32, &'a Option<f32>)>) -> Vec<(f64, f64)> {
    pairs.filter_map(|(p, o)| Some((f64::from(*p), f64::from((*o)?)))).collect()
}

fn check(report: &PairedReport, predicted: &[Vec<f32>], observed: &[Vec<Option<f32>>]) {
    let of_cell = |cell: usize| measured(predicted[cell].iter().zip(&observed[cell]));
    let of_feature = |feature: usize| {
        measured(predicted.iter().zip(observed).map(|(predicted, observed)| (&predicted[feature], &observed[feature])))
    };
    let all: Vec<(f64, f64)> = (0..observed.len()).flat_map(of_cell).collect();
    assert_eq!(report.n_measured as usize, all.len());
    assert!((report.rmse - rmse(&all)).abs() < 1e-12, "{} {}", report.rmse, rmse(&all));
    let same = |found: &[Option<f64>], expected: Vec<Option<f64>>| {
        assert_eq!(found.len(), expected.len());
        for (found, expected) in found.iter().zip(&expected) {
            let is_near = found.unwrap_or(0.0) - expected.unwrap_or(0.0);
            assert!(found.is_some() == expected.is_some() && is_near.abs() < 1e-9, "{found:?} {expected:?}");
        }
    };
    same(&report.by_feature.values, (0..N_FEATURES).map(|feature| pearson(&of_feature(feature))).collect());
    same(&report.by_cell.values, (0..observed.len()).map(|cell| pearson(&of_cell(cell))).collect());
    assert_eq!(report.by_feature.n_skipped, report.by_feature.values.iter().filter(|r| r.is_none()).count());
    for (feature, found) in report.rmse_by_feature.iter().enumerate() {
        let expected = rmse(&of_feature(feature));
        assert!((found - expected).abs() < 1e-12 || (found.is_nan() && expected.is_nan()), "{found} {expected}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn reports_are_those_of_the_measured_pairs(seed in 0u64..1_000_000, share in 0.1f64..1.0, height in 1usize..31) {
        let (predicted, observed) = (predicted(seed), observed(seed + 1, share));
        let (indptr, indices, values) = stored(&observed);
        let matrix = Matrix::Measured(SparseRows::new(&indptr, &indices, &values, N_FEATURES).unwrap());
        let cells: Vec<usize> = (0..N_CELLS).collect();
        let mut moments = PairedMoments::new();
        for cells in cells.chunks(height) {
            let block = tensor(&predicted[cells[0]..cells[0] + cells.len()]);
            moments.push_measured(&block, &matrix.rows(cells).unwrap()).unwrap();
        }
        let report = moments.report().unwrap();
        check(&report, &predicted, &observed);
        prop_assert!(report.by_feature.values[N_FEATURES - 1].is_none(), "two cells are too few");
    }

    #[test]
    fn where_everything_was_measured_both_ways_agree(seed in 0u64..1_000_000, height in 1usize..31) {
        let (predicted, observed) = (tensor(&predicted(seed)), tensor(&predicted(seed + 1)));
        let (mut complete, mut measured) = (PairedMoments::new(), PairedMoments::new());
        for start in (0..N_CELLS).step_by(height) {
            let block = |of: &Tensor| of.narrow(0, start as i64, height.min(N_CELLS - start) as i64);
            complete.push(&block(&predicted), &block(&observed)).unwrap();
            measured.push_measured(&block(&predicted), &block(&observed)).unwrap();
        }
        let (complete, measured) = (complete.report().unwrap(), measured.report().unwrap());
        prop_assert_eq!(complete.n_measured, measured.n_measured);
        prop_assert!((complete.rmse - measured.rmse).abs() < 1e-12);
        for (a, b) in complete.by_feature.values.iter().zip(&measured.by_feature.values) {
            prop_assert!((a.unwrap() - b.unwrap()).abs() < 1e-12);
        }
    }
}

#[test]
fn what_is_not_a_number_is_refused_unless_it_was_not_measured() {
    let [good, nan, infinite] =
        [0.5f32, f32::NAN, f32::INFINITY].map(|value| Tensor::from_slice(&[1.0, value]).view([1, 2]));
    let push = |predicted: &Tensor, observed: &Tensor| PairedMoments::new().push_measured(predicted, observed);
    assert!(push(&good, &nan).is_ok());
    assert!(push(&good, &infinite).unwrap_err().to_string().contains("the observation"));
    assert!(push(&nan, &nan).unwrap_err().to_string().contains("the prediction"), "also where nothing was measured");
    assert!(PairedMoments::new().push(&good, &nan).is_err(), "complete matrices hold no NaN");
    let mut nothing = PairedMoments::new();
    nothing.push_measured(&good, &(&good * f64::NAN)).unwrap();
    assert!(nothing.report().unwrap_err().to_string().contains("no entry"));
}

#[test]
fn controls_learn_from_what_was_measured() {
    let (source, target) = (tensor(&predicted(1)), observed(2, 0.4));
    let (indptr, indices, values) = stored(&target);
    let matrix = Matrix::Measured(SparseRows::new(&indptr, &indices, &values, N_FEATURES).unwrap());
    let source = Matrix::dense(&source).unwrap();
    let (train, test): (Vec<usize>, Vec<usize>) = (0..N_CELLS).partition(|cell| *cell >= 8);
    let task = CrossPrediction { source: &source, target: &matrix, train: &train, test: &test };
    let spec = ControlsSpec { n_components: 3, n_neighbours: 2, seed: 3 };
    let controls = Controls::fit(task, spec).unwrap();
    let learned = |feature: usize| -> Vec<f32> { train.iter().filter_map(|&cell| target[cell][feature]).collect() };
    let all: Vec<f32> = (0..N_FEATURES).flat_map(learned).collect();
    let average = |of: &[f32]| of.iter().map(|x| f64::from(*x)).sum::<f64>() / of.len() as f64;
    let mean = |feature: usize| match learned(feature).as_slice() {
        [] => average(&all) as f32,
        measured => average(measured) as f32,
    };
    assert!(learned(N_FEATURES - 1).is_empty() && test.len() < block_rows(N_FEATURES));
    for control in Control::ALL {
        let mut predictions = Vec::new();
        controls
            .predictions(control, |_, block| {
                predictions.extend(Vec::<f32>::try_from(block.contiguous().view(-1))?);
                Ok(())
            })
            .unwrap();
        let rows: Vec<Vec<f32>> = predictions.chunks(N_FEATURES).map(<[f32]>::to_vec).collect();
        assert!(predictions.iter().all(|value| value.is_finite()), "{control:?}");
        for (cell, row) in rows.iter().enumerate() {
            for (feature, &value) in row.iter().enumerate() {
                let near = |other: f32| (value - other).abs() < 1e-6;
                let holds = match control {
                    Control::FeatureMean => near(mean(feature)),
                    Control::RandomCell | Control::Neighbours => {
                        near(mean(feature))
                            || learned(feature).iter().any(|a| learned(feature).iter().any(|b| near((a + b) / 2.0)))
                    }
                    Control::Ridge => true,
                };
                assert!(holds, "{control:?} {cell} {feature}: {value}");
            }
        }
        check(&controls.report(control).unwrap(), &rows, &target[..8]);
    }
}
