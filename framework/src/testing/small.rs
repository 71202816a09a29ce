//! Small data to test on: the same for the same seed, whatever else draws random numbers.

use crate::loss::TargetValues;
use crate::minibatch::{Features, SparseFeatures, Target};
use crate::seed::{Purpose, Seed};
use anndata::{Csr, Frame, NewAnnData, write_new_h5ad};
use anyhow::Result;
use rand::Rng;
use rand_chacha::ChaCha8Rng;
use std::path::Path;
use tch::{Kind, Tensor};

/// Share of entries that are not zero.
const SHARE: f64 = 0.5;

fn draws(seed: u64) -> ChaCha8Rng {
    Seed(seed).generator(Purpose::Evaluation, 0, 0)
}

/// Counts from 1 to 9 at about half of the entries; every cell has at least one.
pub fn counts(n_cells: usize, n_features: usize, seed: u64) -> Csr {
    matrix([n_cells, n_features], SHARE, seed, |draws| f32::from(draws.random_range(1..=9u8)))
}

/// Counts at few entries, as in wide assays; every cell has at least one.
pub(super) fn rare_counts(n_cells: usize, n_features: usize, seed: u64) -> Csr {
    matrix([n_cells, n_features], 0.02, seed, |draws| f32::from(draws.random_range(1..=9u8)))
}

/// Values in (0, 1] at about half of the entries; every cell has at least one.
pub(super) fn shares(n_cells: usize, n_features: usize, seed: u64) -> Csr {
    matrix([n_cells, n_features], SHARE, seed, |draws| 1.0 - draws.random_range(0.0..1.0f32))
}

fn matrix(
    [n_rows, n_columns]: [usize; 2],
    share: f64,
    seed: u64,
    mut value: impl FnMut(&mut ChaCha8Rng) -> f32,
) -> Csr {
    let mut draws = draws(seed);
    let mut matrix = Csr::zeros(0, n_columns);
    for _ in 0..n_rows {
        let sure = draws.random_range(0..n_columns.max(1));
        for column in 0..n_columns {
            if draws.random_bool(share) || column == sure {
                matrix.indices.push(column as u32);
                matrix.values.push(value(&mut draws));
            }
        }
        matrix.indptr.push(matrix.indices.len() as u64);
    }
    Csr { n_rows, ..matrix }
}

/// Numbers from ±[0.1, 1.5] at about half of the entries and zeros elsewhere, n_cells × n_features; every cell has at
/// least one that is not zero.
pub fn values(n_cells: usize, n_features: usize, seed: u64) -> Tensor {
    dense(&matrix([n_cells, n_features], SHARE, seed, |draws| {
        draws.random_range(0.1..1.5f32) * if draws.random_bool(0.5) { 1.0 } else { -1.0 }
    }))
}

/// Numbers uniform in [low, high).
pub(super) fn uniform(size: &[i64], [low, high]: [f64; 2], seed: u64) -> Tensor {
    let (n, mut draws) = (size.iter().product::<i64>(), draws(seed));
    let numbers: Vec<f32> = (0..n).map(|_| draws.random_range(low..high) as f32).collect();
    Tensor::from_slice(&numbers).view(size)
}

/// The whole matrix as a tensor, n_cells × n_features.
pub(super) fn dense(matrix: &Csr) -> Tensor {
    let mut numbers = vec![0f32; matrix.n_rows * matrix.n_columns];
    for row in 0..matrix.n_rows {
        let (columns, values) = matrix.row(row);
        for (column, value) in columns.iter().zip(values) {
            numbers[row * matrix.n_columns + *column as usize] = *value;
        }
    }
    Tensor::from_slice(&numbers).view([matrix.n_rows as i64, matrix.n_columns as i64])
}

/// The numbers that are not zero of a dense table (n_cells × n_features), in compressed sparse form.
pub fn sparse(dense: &Tensor) -> Features {
    let present = dense.ne(0.0);
    let lengths = present.sum_dim_intlist([1i64].as_slice(), false, Kind::Int64);
    let start = Tensor::zeros([1], (Kind::Int64, dense.device()));
    Features::Sparse(SparseFeatures {
        offsets: Tensor::cat(&[start, lengths.cumsum(0, Kind::Int64)], 0),
        indices: present.nonzero().select(1, 1).contiguous(),
        values: dense.masked_select(&present),
        n_features: dense.size()[1],
    })
}

/// A dense target of the kind that a loss asks for, with zeros among its entries, n_cells × n_features.
pub fn target(values: TargetValues, n_cells: usize, n_features: usize, seed: u64) -> Target {
    let (target, trials) = target_tensors(values, n_cells, n_features, seed);
    Target::new(Features::Dense(target)).with_trials(trials.map(Features::Dense))
}

/// The target and, where the kind has them, its trials.
pub(super) fn target_tensors(
    values: TargetValues,
    n_cells: usize,
    n_features: usize,
    seed: u64,
) -> (Tensor, Option<Tensor>) {
    let counts = || dense(&counts(n_cells, n_features, seed));
    match values {
        TargetValues::Processed => (self::values(n_cells, n_features, seed), None),
        TargetValues::UnitInterval => (dense(&shares(n_cells, n_features, seed)), None),
        TargetValues::Counts => (counts(), None),
        TargetValues::Presence => (counts().gt(0.0).to_kind(Kind::Float), None),
        TargetValues::Trials => {
            let trials = counts();
            let share = uniform(&trials.size(), [0.0, 1.0], seed);
            (((&trials + 1.0) * share).floor(), Some(trials))
        }
    }
}

/// Writes an .h5ad file of cells `c0`, `c1`, … and features `f0`, `f1`, … with a main matrix and named layers.
///
/// # Errors
/// When the matrices differ in shape, or the file cannot be written.
pub fn small_h5ad(path: impl AsRef<Path>, x: &Csr, layers: &[(&str, &Csr)]) -> Result<()> {
    let names = |letter: char, n: usize| Frame::new((0..n).map(|place| format!("{letter}{place}")).collect());
    let mut file = NewAnnData::new(names('c', x.n_rows), names('f', x.n_columns), x.clone());
    file.layers = layers.iter().map(|(name, matrix)| ((*name).to_owned(), (*matrix).clone().into())).collect();
    write_new_h5ad(path, &file)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::close::flat;

    #[test]
    fn a_seed_gives_one_matrix_with_a_count_in_every_cell() {
        let matrix = counts(20, 7, 1);
        matrix.validate().unwrap();
        assert_eq!(matrix, counts(20, 7, 1));
        assert_ne!(matrix, counts(20, 7, 2));
        assert!(matrix.row_nonzeros().into_iter().all(|n| n > 0));
        assert!(matrix.values.iter().all(|value| value.fract() == 0.0 && (1.0..=9.0).contains(value)));
        assert!(shares(20, 7, 1).values.iter().all(|value| *value > 0.0 && *value <= 1.0));
        assert!((rare_counts(50, 200, 1).n_stored() as f64) < 0.04 * 10_000.0);
    }

    #[test]
    fn sparse_features_are_the_dense_ones() {
        let table = values(5, 7, 3);
        let Features::Sparse(sparse) = sparse(&table) else { panic!("not sparse") };
        assert!(sparse.values.numel() < 35);
        assert_eq!(Features::Sparse(sparse).to_dense(), table);
    }

    #[test]
    fn targets_are_what_their_kind_says() {
        let numbers = |values| flat(target(values, 6, 5, 1).dense());
        assert!(numbers(TargetValues::Processed).iter().any(|value| *value < 0.0));
        assert!(numbers(TargetValues::UnitInterval).iter().all(|value| (0.0..=1.0).contains(value)));
        assert!(numbers(TargetValues::Counts).iter().any(|value| *value > 1.0));
        assert!(numbers(TargetValues::Presence).iter().all(|value| [0.0, 1.0].contains(value)));
        let among = target(TargetValues::Trials, 6, 5, 1);
        let trials = flat(&among.trials().unwrap().to_dense());
        assert!(flat(among.dense()).iter().zip(&trials).all(|(successes, trials)| successes <= trials));
        assert!(trials.contains(&0.0) && flat(among.dense()).iter().any(|successes| *successes > 0.0));
    }

    #[test]
    fn a_written_file_is_read_back() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("small.h5ad");
        let (x, total) = (counts(4, 3, 1), counts(4, 3, 2));
        small_h5ad(&path, &x, &[("total", &total)]).unwrap();
        let file = anndata::File::open(&path).unwrap();
        let read = file.modality("").unwrap();
        assert_eq!(read.cells(), ["c0", "c1", "c2", "c3"]);
        assert_eq!(read.matrix(&anndata::Layer::X).unwrap(), x);
        assert_eq!(read.matrix(&anndata::Layer::Named("total".into())).unwrap(), total);
    }
}
