//! Every component against the rules of the framework.

use framework::anndata::Csr;
use framework::testing::{counts, small_h5ad};
use methylation as _;
use std::path::Path;

#[test]
fn declarations_are_complete() {
    framework::testing::declarations("methylation");
}

/// Writes a file of these reads, from none to most of them methylated.
fn write(path: &Path, total: &Csr) {
    let mut methylated = total.clone();
    for (place, reads) in methylated.values.iter_mut().enumerate() {
        *reads = (*reads * 0.2 * (place % 5) as f32).floor();
    }
    small_h5ad(path, total, &[("methylated", &methylated), ("total", total)]).unwrap();
}

#[test]
fn the_modality_conforms() {
    let folder = tempfile::tempdir().unwrap();
    let (dense, sparse) = (folder.path().join("dense.h5ad"), folder.path().join("sparse.h5ad"));
    write(&dense, &counts(12, 7, 1));
    // one region in twenty is ever covered: the rows of a minibatch travel sparse
    let mut rare = counts(14, 3, 1);
    rare.indices.iter_mut().for_each(|region| *region *= 20);
    write(&sparse, &Csr { n_columns: 60, ..rare });
    let all = "min_cells_per_feature = 0\nmin_features_per_cell = 0";
    framework::testing::modality("methylation").on(dense).on(sparse).table("").table(all).check();
}

#[test]
fn the_loss_conforms() {
    framework::testing::loss("beta_binomial").check();
}
