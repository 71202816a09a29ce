//! Neighbours, principal components and silhouettes.

use analysis::{
    Distance, Matrix, NeighbourSearch, Pca, PcaSpec, Solver, SparseRows, majority_labels, neighbour_means, silhouette,
    silhouette_of_cells,
};
use tch::Tensor;

use crate::{assert_close, codes, flat, golden, matrix, vector};

#[test]
fn neighbours_and_what_they_predict() {
    let golden = golden("neighbours");
    let (reference, cells) = (matrix(&golden["reference"]), matrix(&golden["cells"]));
    for (name, distance) in [("cosine", Distance::Cosine), ("euclidean", Distance::Euclidean)] {
        let found = NeighbourSearch::new(&reference, distance).unwrap().nearest(&cells, 7).unwrap();
        assert_close(&found.distances, &flat(&matrix(&golden[name])), 1e-7);
        if distance == Distance::Euclidean {
            let predicted = majority_labels(&found, &codes(&golden["labels"])).unwrap();
            assert_eq!(predicted, codes(&golden["predicted"]));
            let target = Matrix::dense(&matrix(&golden["target"])).unwrap();
            let rows: Vec<usize> = (0..50).collect();
            let means = neighbour_means(&found, &target, &rows, 0..20).unwrap();
            // means are 32-bit
            assert_close(&flat(&means), &flat(&matrix(&golden["means"])), 1e-6);
        }
    }
}

/// The arrays of a sparse matrix, from a dense one.
struct Stored {
    indptr: Vec<u64>,
    indices: Vec<u32>,
    values: Vec<f32>,
}

impl Stored {
    fn new(dense: &Tensor) -> Self {
        let n_columns = dense.size()[1] as usize;
        let mut stored = Self { indptr: vec![0], indices: vec![], values: vec![] };
        for row in flat(dense).chunks(n_columns) {
            for (column, &value) in row.iter().enumerate().filter(|pair| *pair.1 != 0.0) {
                stored.indices.push(column as u32);
                stored.values.push(value as f32);
            }
            stored.indptr.push(stored.indices.len() as u64);
        }
        stored
    }

    fn rows(&self, n_columns: usize) -> Matrix<'_> {
        SparseRows::new(&self.indptr, &self.indices, &self.values, n_columns).unwrap().into()
    }
}

#[test]
fn principal_components_dense_and_sparse() {
    let golden = golden("pca");
    let dense = matrix(&golden["matrix"]);
    let stored = Stored::new(&dense);
    let train: Vec<usize> = (0..golden["n_train"].as_u64().unwrap() as usize).collect();
    let all: Vec<usize> = (0..60).collect();
    for matrix_of in [Matrix::dense(&dense).unwrap(), stored.rows(80)] {
        // the randomised solver stops when variances settle to 1e-5, directions then to about its root
        for (solver, near) in [(Solver::Exact, 1e-6), (Solver::Automatic, 1e-6), (Solver::Randomised, 1e-3)] {
            let pca = Pca::fit(&matrix_of, &train, PcaSpec { n_components: 6, seed: 1, solver }).unwrap();
            assert!(pca.converged);
            assert_close(&pca.explained_variance, &vector(&golden["explained_variance"]), near);
            assert_close(&pca.explained_variance_ratio, &vector(&golden["explained_variance_ratio"]), near);
            assert_close(&flat(pca.components()), &flat(&matrix(&golden["components"])), near);
            let scores = pca.transform(&matrix_of, &all).unwrap();
            assert_close(&flat(&scores), &flat(&matrix(&golden["scores"])), near);
        }
    }
}

/// The matrix that `make_golden.py` makes under `sparse_spectrum`: whole numbers from a linear congruence.
fn congruential(n_cells: usize, n_features: usize) -> Tensor {
    let mut numbers = vec![0.0; n_cells * n_features];
    let mut state = 12345u64;
    for row in numbers.chunks_mut(n_features) {
        for _ in 0..60 {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            row[(state >> 33) as usize % n_features] = 1.0 + ((state >> 20) % 7) as f64;
        }
    }
    Tensor::from_slice(&numbers).view([n_cells as i64, n_features as i64])
}

#[test]
fn a_flat_sparse_spectrum_is_found_without_making_the_matrix_dense() {
    let golden = golden("sparse_spectrum");
    let dense = congruential(300, 2500);
    assert_eq!(dense.sum(tch::Kind::Double).double_value(&[]), golden["sum"].as_f64().unwrap());
    let stored = Stored::new(&dense);
    let rows: Vec<usize> = (0..300).collect();
    let spec = PcaSpec { n_components: 20, seed: 7, solver: Solver::Automatic };
    let pca = Pca::fit(&stored.rows(2500), &rows, spec).unwrap();
    assert!(pca.converged);
    assert_close(&pca.explained_variance, &vector(&golden["explained_variance"]), 1e-3);
    let again = Pca::fit(&stored.rows(2500), &rows, spec).unwrap();
    assert_close(&again.explained_variance, &pca.explained_variance, 1e-9);
}

#[test]
fn silhouettes() {
    let golden = golden("spaces");
    let (space, groups) = (matrix(&golden["space"]), codes(&golden["groups"]));
    let of_cells = silhouette_of_cells(&space, &groups).unwrap();
    assert_close(&of_cells, &vector(&golden["silhouette_of_cells"]), 1e-7);
    let mean = silhouette(&space, &groups, 0).unwrap();
    assert_close(&[mean.mean], &[golden["silhouette"].as_f64().unwrap()], 1e-8);
    assert_eq!(mean.n_cells_used, 70);
}
