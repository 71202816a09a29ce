//! What must hold whatever the numbers are: order of cells, scale of values, number of threads.

use analysis::{
    Control, Controls, ControlsSpec, CrossPrediction, Distance, LogisticProbe, Matrix, NeighbourSearch, PairedMoments,
    PairedReport, Pca, PcaSpec, Solver, SparseRows, silhouette_of_cells,
};
use proptest::prelude::*;
use tch::{Kind, Tensor};

const N_CELLS: usize = 40;

/// Numbers that look random and depend on the seed alone.
fn numbers(n: usize, seed: u64) -> Vec<f32> {
    let mut state = seed.wrapping_mul(0x9E37_79B9_7F4A_7C15) | 1;
    let mut next = || {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (state >> 40) as f32 / (1u64 << 23) as f32 - 1.0
    };
    (0..n).map(|_| next()).collect()
}

fn tensor(n_columns: usize, seed: u64) -> Tensor {
    Tensor::from_slice(&numbers(N_CELLS * n_columns, seed)).view([N_CELLS as i64, n_columns as i64])
}

fn order(seed: u64) -> Vec<usize> {
    let keys = numbers(N_CELLS, seed);
    let mut order: Vec<usize> = (0..N_CELLS).collect();
    order.sort_by(|&a, &b| keys[a].total_cmp(&keys[b]));
    order
}

fn reordered(tensor: &Tensor, order: &[usize]) -> Tensor {
    let ids: Vec<i64> = order.iter().map(|&cell| cell as i64).collect();
    tensor.index_select(0, &Tensor::from_slice(&ids))
}

fn report(predicted: &Tensor, observed: &Tensor) -> PairedReport {
    let mut moments = PairedMoments::new();
    moments.push(predicted, observed).unwrap();
    moments.report().unwrap()
}

fn close(found: &[f64], expected: &[f64], tolerance: f64) -> bool {
    found.len() == expected.len()
        && found.iter().zip(expected).all(|(a, b)| (a - b).abs() <= tolerance * b.abs().max(1.0))
}

fn defined(values: &[Option<f64>]) -> Vec<f64> {
    values.iter().flatten().copied().collect()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    #[test]
    fn order_of_cells_only_reorders_results(seed in 0u64..1_000_000) {
        let (predicted, observed, order) = (tensor(6, seed), tensor(6, seed + 1), order(seed + 2));
        let (first, second) = (report(&predicted, &observed), report(&reordered(&predicted, &order), &reordered(&observed, &order)));
        prop_assert!(close(&defined(&first.by_feature.values), &defined(&second.by_feature.values), 1e-9));
        let by_cell: Vec<Option<f64>> = order.iter().map(|&cell| first.by_cell.values[cell]).collect();
        prop_assert!(close(&defined(&by_cell), &defined(&second.by_cell.values), 1e-9));

        let groups: Vec<u32> = numbers(N_CELLS, seed + 3).iter().map(|&x| u32::from(x > 0.0)).collect();
        prop_assume!(groups.contains(&0) && groups.contains(&1));
        let regrouped: Vec<u32> = order.iter().map(|&cell| groups[cell]).collect();
        let scores = silhouette_of_cells(&predicted, &groups).unwrap();
        let scores: Vec<f64> = order.iter().map(|&cell| scores[cell]).collect();
        prop_assert!(close(&silhouette_of_cells(&reordered(&predicted, &order), &regrouped).unwrap(), &scores, 1e-7));

        let found = NeighbourSearch::new(&predicted, Distance::Euclidean).unwrap().nearest(&observed, 5).unwrap();
        let again = NeighbourSearch::new(&reordered(&predicted, &order), Distance::Euclidean).unwrap().nearest(&observed, 5).unwrap();
        let back: Vec<u32> = again.positions.iter().map(|&at| order[at as usize] as u32).collect();
        prop_assert_eq!(found.positions, back);
    }

    #[test]
    fn correlation_ignores_units(seed in 0u64..1_000_000, scale in 0.01f64..100.0, shift in -10.0f64..10.0) {
        let (predicted, observed) = (tensor(6, seed).to_kind(Kind::Double), tensor(6, seed + 1));
        let first = report(&predicted, &observed);
        let rescaled = report(&(&predicted * scale + shift), &observed);
        let negated = report(&(&predicted * -scale + shift), &observed);
        let by_feature = defined(&first.by_feature.values);
        prop_assert!(close(&defined(&rescaled.by_feature.values), &by_feature, 1e-9));
        prop_assert!(close(&defined(&rescaled.by_cell.values), &defined(&first.by_cell.values), 1e-9));
        let minus: Vec<f64> = by_feature.iter().map(|r| -r).collect();
        prop_assert!(close(&defined(&negated.by_feature.values), &minus, 1e-9));
    }

    #[test]
    fn blocks_of_any_height_give_one_result(seed in 0u64..1_000_000, height in 1i64..40, far in 0.0f64..1e4) {
        let (predicted, observed) = (tensor(6, seed).to_kind(Kind::Double) + far, tensor(6, seed + 1).to_kind(Kind::Double) - far);
        let mut moments = PairedMoments::new();
        for start in (0..N_CELLS as i64).step_by(height as usize) {
            let n = height.min(N_CELLS as i64 - start);
            moments.push(&predicted.narrow(0, start, n), &observed.narrow(0, start, n)).unwrap();
        }
        let (blocks, whole) = (moments.report().unwrap(), report(&predicted, &observed));
        prop_assert!(close(&defined(&blocks.by_feature.values), &defined(&whole.by_feature.values), 1e-9));
        prop_assert!(close(&blocks.rmse_by_feature, &whole.rmse_by_feature, 1e-9));
    }
}

/// A sparse source and a dense target that depends on it.
fn cross_prediction(run: impl FnOnce(CrossPrediction)) {
    let n_features = 30;
    let values: Vec<f32> = numbers(N_CELLS * n_features, 5).iter().map(|x| x.max(0.0)).collect();
    let (mut indptr, mut indices, mut stored) = (vec![0u64], Vec::new(), Vec::new());
    for row in values.chunks(n_features) {
        for (column, &value) in row.iter().enumerate().filter(|pair| *pair.1 > 0.0) {
            indices.push(column as u32);
            stored.push(value);
        }
        indptr.push(indices.len() as u64);
    }
    let source = SparseRows::new(&indptr, &indices, &stored, n_features).unwrap().into();
    let dense = Tensor::from_slice(&values).view([N_CELLS as i64, n_features as i64]);
    let target = Matrix::dense(&dense.matmul(&tensor(4, 9).narrow(0, 0, 30)).contiguous()).unwrap();
    let (train, test): (Vec<usize>, Vec<usize>) = (0..N_CELLS).partition(|cell| cell % 4 != 0);
    run(CrossPrediction { source: &source, target: &target, train: &train, test: &test });
}

#[test]
fn controls_predict_every_test_cell_and_rank_as_they_should() {
    cross_prediction(|task| {
        let spec = ControlsSpec { n_components: 30, n_neighbours: 5, seed: 3 };
        let controls = Controls::fit(task, spec).unwrap();
        let rmse = Control::ALL.map(|control| {
            let mut n_seen = 0;
            controls
                .predictions(control, |cells, block| {
                    assert_eq!((cells.start, block.size()), (n_seen, vec![cells.len() as i64, 4]));
                    n_seen = cells.end;
                    Ok(())
                })
                .unwrap();
            assert_eq!(n_seen, task.test.len());
            controls.report(control).unwrap().rmse
        });
        let [mean, random, neighbours, ridge] = rmse;
        // the target is linear in the source; 30 cells determine 29 directions
        assert!(ridge < neighbours && neighbours < random && mean < random, "{rmse:?}");
        let constant = controls.report(Control::FeatureMean).unwrap();
        assert_eq!((constant.by_feature.mean, constant.by_feature.n_constant_predicted), (Some(0.0), 4));
        let again = Controls::fit(task, spec).unwrap().report(Control::RandomCell).unwrap();
        assert_eq!(again, controls.report(Control::RandomCell).unwrap());
    });
}

#[test]
fn controls_refuse_cells_on_both_sides() {
    cross_prediction(|task| {
        let both = CrossPrediction { test: &task.train[..2], ..task };
        let error = Controls::fit(both, ControlsSpec::default()).unwrap_err().to_string();
        assert_eq!(error, "cell 1 is both a training and a test cell; expected each cell in one of them");
        let other = Matrix::dense(&tensor(4, 1).narrow(0, 0, 39)).unwrap();
        let error = Controls::fit(CrossPrediction { target: &other, ..task }, ControlsSpec::default()).unwrap_err();
        assert!(error.to_string().contains("the source has 40 cells and the target 39"));
    });
}

/// Numbers from every heavy part of the crate.
fn everything() -> Vec<f64> {
    let mut all = Vec::new();
    cross_prediction(|task| {
        let controls = Controls::fit(task, ControlsSpec { n_components: 8, ..Default::default() }).unwrap();
        for control in Control::ALL {
            all.extend(defined(&controls.report(control).unwrap().by_feature.values));
        }
        let spec = PcaSpec { n_components: 3, seed: 0, solver: Solver::Randomised };
        all.extend(Pca::fit(task.source, task.train, spec).unwrap().explained_variance);
    });
    let space = tensor(5, 77);
    let groups: Vec<u32> = (0..N_CELLS as u32).map(|cell| cell % 3).collect();
    all.extend(silhouette_of_cells(&space, &groups).unwrap());
    let probe = LogisticProbe::fit(&space, &groups, 1.0).unwrap();
    all.extend(Vec::<f64>::try_from(probe.probabilities(&space).unwrap().view(-1)).unwrap());
    all
}

#[test]
fn the_number_of_threads_changes_nothing() {
    let with = |n_threads: usize| {
        tch::set_num_threads(n_threads as i32);
        rayon::ThreadPoolBuilder::new().num_threads(n_threads).build().unwrap().install(everything)
    };
    let (one, two) = (with(1), with(2));
    assert!(close(&two, &one, 1e-6));
    assert!(one.len() > 100);
}
