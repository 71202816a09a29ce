//! The metrics that multiDGD's published code computes (Schuster et al. 2024; `published.json` holds what its version 0.0.1
//! gave), as far as this crate has them.

use analysis::{PairedMoments, PooledPrecision, agreement, silhouette};
use serde_json::Value;

use crate::{assert_close, codes, matrix};

fn published() -> Value {
    serde_json::from_str(include_str!("published.json")).unwrap()
}

fn number(value: &Value) -> f64 {
    value.as_f64().unwrap()
}

#[test]
fn error_of_counts() {
    let published = published();
    let observed = matrix(&published["counts_test"]).narrow(1, 0, 12);
    let mut moments = PairedMoments::new();
    moments.push(&matrix(&published["pred_rna_scaled"]), &observed).unwrap();
    let expected = number(&published["testset_reconstruction_evaluation_threshold_0.2"]["RMSE (rna)"]);
    // the published code computes in 32 bits
    assert_close(&[moments.report().unwrap().rmse], &[expected], 1e-6);
}

#[test]
fn precision_of_all_peaks_of_all_cells() {
    let published = published();
    let observed = matrix(&published["counts_test"]).narrow(1, 12, 30);
    let mut precision = PooledPrecision::new();
    precision.push(&matrix(&published["pred_atac_scaled"]), &observed).unwrap();
    let found = precision.report().unwrap().value.unwrap();
    assert_close(&[found], &[number(&published["auprc_pooled_sklearn"])], 1e-12);
}

#[test]
fn agreement_and_silhouette_of_groups() {
    let published = published();
    let (first, second) = (codes(&published["labels_a"]), codes(&published["labels_b"]));
    let rand = agreement(&first, &second).unwrap().adjusted_rand;
    assert_close(&[rand], &[number(&published["ari_a_b"])], 1e-12);
    let mixing = silhouette(&matrix(&published["latent"]), &first, 0).unwrap().mean;
    assert_close(&[mixing], &[number(&published["silhouette_latent_a"])], 1e-12);
}
