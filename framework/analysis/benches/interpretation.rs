//! What an interpretation costs: 10,000 cells × 27,000 features (8 % stored), a space of 50 dimensions, 36 splits.
//!
//! `cargo bench -p cithara-analysis --bench interpretation --profile dev` (the profile that everything else is compiled with);
//! numbers of cells and features may follow after `--`.

use std::time::Instant;

use analysis::{
    BinSpec, CellSplit, CentreRule, DirectionCount, FeatureScale, InterpretationSpec, Matrix, Reference, SparseRows,
    interpret,
};
use tch::Tensor;

const N_DIMENSIONS: usize = 50;
const N_SPLITS: u64 = 36;
const DENSITY: f32 = 0.08;

/// Numbers from 0 to 1 that look random.
struct Draw(u64);

impl Draw {
    fn next(&mut self) -> f32 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 40) as f32 / (1 << 24) as f32
    }

    fn normal(&mut self) -> f32 {
        (0..12).map(|_| self.next()).sum::<f32>() - 6.0
    }
}

/// The three arrays of a CSR matrix.
#[derive(Default)]
struct Stored {
    indptr: Vec<u64>,
    indices: Vec<u32>,
    values: Vec<f32>,
}

/// Every second feature follows one dimension of the space, some strongly.
fn features(space: &[f32], n_features: usize, draw: &mut Draw) -> Stored {
    let mut stored = Stored { indptr: vec![0], ..Stored::default() };
    for cell in space.chunks(N_DIMENSIONS) {
        for feature in 0..n_features {
            let dimension = feature / 2 % N_DIMENSIONS;
            let strength = if feature % 2 == 0 { (feature % 7) as f32 / 6.0 } else { 0.0 };
            // dimension `d` has a standard deviation of 3 / (1 + d / 10)
            let effect = strength * cell[dimension] * (1.0 + dimension as f32 / 10.0) / 3.0;
            if draw.next() < DENSITY * (1.0 + effect).clamp(0.05, 4.0) {
                stored.indices.push(feature as u32);
                stored.values.push((1.0 + 3.0 * draw.next()).ln_1p());
            }
        }
        stored.indptr.push(stored.values.len() as u64);
    }
    stored
}

fn peak_mib() -> Option<u64> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find(|line| line.starts_with("VmHWM"))?;
    Some(line.split_whitespace().nth(1)?.parse::<u64>().ok()? / 1024)
}

fn main() -> anyhow::Result<()> {
    let sizes: Vec<usize> = std::env::args().filter_map(|word| word.parse().ok()).collect();
    let (n_cells, n_features) = match sizes[..] {
        [n_cells, n_features, ..] => (n_cells, n_features),
        _ => (10_000, 27_000),
    };
    let mut draw = Draw(1);
    let space: Vec<f32> =
        (0..n_cells * N_DIMENSIONS).map(|at| draw.normal() * 3.0 / (1.0 + (at % N_DIMENSIONS) as f32 / 10.0)).collect();
    let stored = features(&space, n_features, &mut draw);
    let n_stored = stored.values.len();
    let matrix: Matrix = SparseRows::new(&stored.indptr, &stored.indices, &stored.values, n_features)?.into();
    let space = Tensor::from_slice(&space).view([n_cells as i64, -1]);
    println!(
        "{n_cells} cells × {n_features} features, {:.1} % stored",
        100.0 * n_stored as f64 / (n_cells * n_features) as f64
    );
    let splits = (0..N_SPLITS).map(|seed| CellSplit::random(n_cells, 0.2, seed)).collect::<anyhow::Result<Vec<_>>>()?;
    let paper = InterpretationSpec::default();
    let code = InterpretationSpec {
        bins: BinSpec { centre: CentreRule::All, ..BinSpec::default() },
        reference: Reference::Rest,
        scale: FeatureScale::UnitVariance,
        ..InterpretationSpec::default()
    };
    for (name, spec) in [("paper's choices", paper), ("the code's choices", code)] {
        let start = Instant::now();
        let found = interpret(&space, &matrix, &splits, &spec)?;
        let secs = start.elapsed().as_secs_f64();
        let n_met: usize = (0..found.n_components()).map(|at| found.curves(at, DirectionCount::Any).len()).sum();
        println!(
            "{name}: {secs:.1} s, {n_met} curves of {} components, peak {:?} MiB",
            found.n_components(),
            peak_mib()
        );
    }
    Ok(())
}
