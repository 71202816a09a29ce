//! Synthetic cells, written some at a time.
//!
//! Counts are Poisson: rate of the feature (log-normal, twice or half as high in some of eight classes) times depth of the cell
//! (log-normal). Points of a Poisson process over the rates side by side fall in order of the features, so that a cell costs as
//! much as it has counts.

use hdf5_metno as hdf5;
use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;
use rand_distr::{Distribution, Exp1, LogNormal};
use std::path::Path;
use std::sync::mpsc::sync_channel;
use std::time::Instant;

/// Name, features, and share of entries that are not zero.
const ASSAYS: [(&str, &str, usize, f64); 2] = [("rna", "gene", 20_000, 0.08), ("atac", "peak", 200_000, 0.03)];
const N_CLASSES: usize = 8;
/// Cells that are drawn at a time.
const TOGETHER: usize = 500;
/// Values in a chunk of an array.
const CHUNK: usize = 1 << 18;

/// Writes cells of both assays.
pub fn write(path: &Path, n_cells: usize) {
    let start = Instant::now();
    let part = path.with_extension("part");
    skeleton(&part, n_cells);
    let file = hdf5::File::open_rw(&part).expect("the file that was begun");
    let thin: f64 = std::env::var("THIN").map_or(1.0, |times| times.parse().expect("a number"));
    for (name, _, n_features, density) in ASSAYS.map(|(name, one, n, density)| (name, one, n, density / thin)) {
        let n_stored = fill(&file.group(&format!("mod/{name}/X")).expect("a matrix"), n_cells, (n_features, density));
        let share = n_stored as f64 / (n_cells * n_features) as f64;
        println!("{name}: {n_cells} cells × {n_features} features, {n_stored} not zero ({:.2} %)", 100.0 * share);
    }
    file.close().expect("a whole file");
    std::fs::rename(&part, path).expect("a new name");
    println!("writing took {:.0} s", start.elapsed().as_secs_f64());
}

/// All but the values of the matrices.
fn skeleton(path: &Path, n_cells: usize) {
    let names = |prefix: &str, n: usize| anndata::Frame::new((0..n).map(|place| format!("{prefix}{place}")).collect());
    let mut whole = anndata::NewMuData { obs: names("cell", n_cells), ..anndata::NewMuData::default() };
    for (name, feature, n_features, _) in ASSAYS {
        let empty = anndata::Csr::zeros(n_cells, n_features);
        whole.modalities.insert(
            name.to_owned(),
            anndata::NewAnnData::new(names("cell", n_cells), names(feature, n_features), empty),
        );
    }
    anndata::write_new_h5mu(path, &whole).expect("a new file");
}

/// Replaces the arrays of an empty matrix; returns how many values it has then.
fn fill(matrix: &hdf5::Group, n_cells: usize, (n_features, density): (usize, f64)) -> u64 {
    for name in ["data", "indices", "indptr"] {
        matrix.unlink(name).expect("an array");
    }
    let array = |name: &str, builder: hdf5::DatasetBuilderEmptyShape| {
        builder.chunk(CHUNK).shuffle().deflate(1).create(name).expect("an array")
    };
    let data = array("data", matrix.new_dataset::<u8>().shape(0..));
    let indices = array("indices", matrix.new_dataset::<i32>().shape(0..));
    let rates = Rates::of(n_features, density);
    let mut starts = vec![0i64];
    // one thread draws while the other packs
    std::thread::scope(|scope| {
        let (sender, receiver) = sync_channel::<Drawn>(2);
        let rates = &rates;
        scope.spawn(move || {
            for first in (0..n_cells).step_by(TOGETHER) {
                let mut drawn = Drawn::default();
                (first..(first + TOGETHER).min(n_cells)).for_each(|cell| rates.draw(cell as u64, &mut drawn));
                sender.send(drawn).expect("someone who writes");
            }
        });
        for drawn in receiver {
            let before = *starts.last().expect("a start") as usize;
            let after = before + drawn.counts.len();
            data.resize(after).expect("room");
            data.write_slice(&drawn.counts, before..after).expect("values");
            indices.resize(after).expect("room");
            indices.write_slice(&drawn.features, before..after).expect("columns");
            starts.extend(drawn.ends.iter().map(|end| (before + end) as i64));
        }
    });
    matrix.new_dataset_builder().with_data(&starts).create("indptr").expect("an array");
    *starts.last().expect("an end") as u64
}

/// Counts of some cells.
#[derive(Default)]
struct Drawn {
    ends: Vec<usize>,
    features: Vec<i32>,
    counts: Vec<u8>,
}

/// Rates of the features in each class, added up; and for equal steps of the sum the feature that is reached.
struct Rates {
    sums: Vec<Vec<f64>>,
    guides: Vec<Vec<u32>>,
}

impl Rates {
    fn of(n_features: usize, density: f64) -> Rates {
        let mut draws = ChaCha8Rng::seed_from_u64(n_features as u64);
        let popularity = LogNormal::new(0.0, 1.0).expect("a distribution");
        let rates: Vec<f64> = (0..n_features).map(|_| popularity.sample(&mut draws)).collect();
        // the scale at which the wanted share of the features is seen in a cell of depth 1
        let seen = |scale: f64| rates.iter().map(|rate| 1.0 - (-scale * rate).exp()).sum::<f64>() / n_features as f64;
        let (mut low, mut high) = (0.0, 10.0);
        for _ in 0..60 {
            let middle = (low + high) / 2.0;
            if seen(middle) < density { low = middle } else { high = middle }
        }
        let of_class = |_| {
            let mut sum = 0.0;
            let add = |rate: &f64| {
                let factor = [1.0, 1.0, 1.0, 2.0, 0.5][draws.random_range(0..5)];
                sum += low * rate * factor;
                sum
            };
            rates.iter().map(add).collect::<Vec<f64>>()
        };
        let sums: Vec<Vec<f64>> = (0..N_CLASSES).map(of_class).collect();
        let guides = sums.iter().map(|sums| guide(sums)).collect();
        Rates { sums, guides }
    }

    fn draw(&self, cell: u64, drawn: &mut Drawn) {
        let mut draws = ChaCha8Rng::seed_from_u64(cell);
        let class = draws.random_range(0..N_CLASSES);
        let depth: f64 = LogNormal::new(-0.045, 0.3).expect("a distribution").sample(&mut draws);
        let (sums, guide) = (&self.sums[class], &self.guides[class]);
        let total = sums[sums.len() - 1];
        let (mut place, mut last) = (0.0, -1i32);
        loop {
            let gap: f64 = Exp1.sample(&mut draws);
            place += gap / depth;
            if place >= total {
                break;
            }
            let mut feature = guide[(place / total * guide.len() as f64) as usize] as usize;
            while sums[feature] <= place {
                feature += 1;
            }
            if feature as i32 == last {
                let count = drawn.counts.last_mut().expect("a count before");
                *count = count.saturating_add(1);
            } else {
                last = feature as i32;
                drawn.features.push(last);
                drawn.counts.push(1);
            }
        }
        drawn.ends.push(drawn.counts.len());
    }
}

/// For equal steps of the sum the first feature whose sum is beyond it.
fn guide(sums: &[f64]) -> Vec<u32> {
    let (n, total) = (sums.len(), sums[sums.len() - 1]);
    let mut feature = 0;
    let at = |step: usize| {
        while sums[feature] <= step as f64 / n as f64 * total {
            feature += 1;
        }
        feature as u32
    };
    (0..n).map(at).collect()
}
