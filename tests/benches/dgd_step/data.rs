//! Made-up counts.

use framework::tch::Tensor;
use framework::{Features, SparseFeatures, Target};

/// Rows of counts, sparse.
pub struct Counts {
    rows: Vec<(Vec<i64>, Vec<f32>)>,
    n_features: i64,
}

/// Numbers in [0, 1) that repeat with the seed (xorshift).
struct Draws(u64);

impl Draws {
    fn next(&mut self) -> f64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 >> 11) as f64 / (1u64 << 53) as f64
    }
}

impl Counts {
    /// Each entry is above zero with probability `density`, and then 1 more than a geometric number from 1 (p = 0.6).
    pub fn new(n_cells: usize, n_features: i64, density: f64, seed: u64) -> Counts {
        let mut draws = Draws(0x9E37_79B9_7F4A_7C15 ^ seed);
        let mut row = || {
            let indices: Vec<i64> = (0..n_features).filter(|_| draws.next() < density).collect();
            let count = |draw: f64| 2.0 + ((1.0 - draw).ln() / 0.4f64.ln()).floor();
            let values = indices.iter().map(|_| count(draws.next()) as f32).collect();
            (indices, values)
        };
        Counts { rows: (0..n_cells).map(|_| row()).collect(), n_features }
    }

    /// The counts of some cells.
    pub fn target(&self, cells: &[usize]) -> Target {
        let (mut offsets, mut indices, mut values) = (vec![0], Vec::new(), Vec::new());
        for cell in cells {
            let (of, counts) = &self.rows[*cell];
            indices.extend_from_slice(of);
            values.extend_from_slice(counts);
            offsets.push(indices.len() as i64);
        }
        Target::new(Features::Sparse(SparseFeatures {
            offsets: Tensor::from_slice(&offsets),
            indices: Tensor::from_slice(&indices),
            values: Tensor::from_slice(&values),
            n_features: self.n_features,
        }))
    }
}
