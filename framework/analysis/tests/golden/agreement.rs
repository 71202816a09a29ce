//! Metrics that compare predictions with what was measured.

use analysis::{PairedMoments, PooledPrecision, agreement, average_precision_by_feature, classification, r_squared};

use crate::{assert_close, assert_close_or_none, codes, flat, golden, matrix, optional, vector};

#[test]
fn correlations_and_errors() {
    let golden = golden("correlation");
    let (predicted, observed) = (matrix(&golden["predicted"]), matrix(&golden["observed"]));
    for heights in [vec![40], vec![1, 25, 14], vec![13, 13, 13, 1]] {
        let mut moments = PairedMoments::new();
        let mut start = 0;
        for height in heights {
            moments.push(&predicted.narrow(0, start, height), &observed.narrow(0, start, height)).unwrap();
            start += height;
        }
        let report = moments.report().unwrap();
        assert_close_or_none(&report.by_feature.values, &optional(&golden["by_feature"]), 1e-9);
        assert_close_or_none(&report.by_cell.values, &optional(&golden["by_cell"]), 1e-9);
        assert_close(&report.rmse_by_feature, &vector(&golden["rmse_by_feature"]), 1e-9);
        let found = [report.rmse, report.by_feature.mean.unwrap(), report.by_feature.median.unwrap()];
        let expected = ["rmse", "mean", "median"].map(|name| golden[name].as_f64().unwrap());
        assert_close(&found, &expected, 1e-9);
        assert_eq!((report.by_feature.n_skipped, report.by_feature.n_constant_predicted), (1, 1));
    }
    let explained = r_squared(&predicted, &observed).unwrap();
    assert_close_or_none(&explained.values, &optional(&golden["r_squared"]), 1e-9);
}

#[test]
fn average_precision_with_ties() {
    let golden = golden("average_precision");
    let (scores, positive) = (matrix(&golden["scores"]), matrix(&golden["positive"]));
    for width in [1, 2, 5] {
        let by_feature = average_precision_by_feature(5, width, |range| {
            let columns = |all: &tch::Tensor| all.narrow(1, range.start as i64, range.len() as i64);
            Ok((columns(&scores), columns(&positive)))
        });
        let by_feature = by_feature.unwrap();
        assert_close_or_none(&by_feature.values, &optional(&golden["by_feature"]), 1e-9);
        assert_eq!(by_feature.n_skipped, 1);
    }
    // scores of one decimal fall into different bins, so that counting in bins is exact here too
    for limit in [1000, 150] {
        let mut pooled = PooledPrecision::with_limit(limit);
        pooled.push(&scores.narrow(0, 0, 25), &positive.narrow(0, 0, 25)).unwrap();
        pooled.push(&scores.narrow(0, 25, 35), &positive.narrow(0, 25, 35)).unwrap();
        let report = pooled.report().unwrap();
        assert_eq!((report.n_entries, report.exact), (300, limit == 1000));
        let expected = ["pooled", "base_rate"].map(|name| golden[name].as_f64().unwrap());
        assert_close(&[report.value.unwrap(), report.base_rate], &expected, 1e-9);
    }
    assert_eq!(flat(&positive.narrow(1, 3, 1)).iter().sum::<f64>(), 0.0);
}

#[test]
fn labels_and_groups() {
    let golden = golden("labels");
    let (truth, predicted) = (codes(&golden["truth"]), codes(&golden["predicted"]));
    let report = classification(&truth, &predicted, 5).unwrap();
    let groups = agreement(&truth, &predicted).unwrap();
    let found = [
        report.accuracy,
        report.balanced_accuracy,
        report.macro_f1,
        groups.adjusted_rand,
        groups.normalised_mutual_information,
    ];
    let names = ["accuracy", "balanced_accuracy", "macro_f1", "adjusted_rand", "normalised_mutual_information"];
    assert_close(&found, &names.map(|name| golden[name].as_f64().unwrap()), 1e-9);
    let confusion: Vec<f64> = report.confusion.iter().flatten().map(|&n| n as f64).collect();
    assert_close(&confusion, &flat(&matrix(&golden["confusion"])), 0.0);
}
