//! A matrix on disk against the same in memory, through everything that a run asks of it.

use super::*;
use crate::TargetValues;
use crate::data::matrix::{MatrixModality, MatrixReading, open_matrix};
use crate::minibatch::Features;
use crate::modality::{Alignment, Gathered, Holding, Modality, Source};
use crate::testing::counts;
use anndata::{Dense, Frame, NewAnnData, write_new_h5ad};
use anyhow::bail;
use serde_json::{Value, json};
use std::path::{Path, PathBuf};

/// Divides by the mean over the training cells, of each feature; selects where it is told to.
struct ByMean {
    means: Vec<f64>,
    n_kept: Option<usize>,
    selected: Option<Vec<usize>>,
    /// Whether it learns from blocks.
    in_blocks: bool,
}

impl Step for ByMean {
    fn fit(&mut self, matrix: &Csr, training: &[usize]) -> Result<()> {
        let mut blocks = TrainingBlocks::of(matrix, training);
        self.learn(&mut blocks)
    }

    fn fit_blocks(&mut self, blocks: &mut TrainingBlocks<'_>) -> Result<()> {
        match self.in_blocks {
            true => self.learn(blocks),
            false => NoBlocks.fit_blocks(blocks),
        }
    }

    fn selected(&self) -> Option<&[usize]> {
        self.selected.as_deref()
    }

    fn apply(&self, matrix: &mut Csr) -> Result<()> {
        ensure!(self.means.len() == matrix.n_columns, "{} means of {}", self.means.len(), matrix.n_columns);
        for (column, value) in matrix.indices.iter().zip(&mut matrix.values) {
            *value = (f64::from(*value) / (0.1 + self.means[*column as usize])) as f32;
        }
        Ok(())
    }

    fn state(&self) -> Value {
        json!(self.means)
    }

    fn restore(&mut self, state: &Value) -> Result<()> {
        let Some(means) = state.as_array() else { bail!("not a list") };
        self.means = means.iter().filter_map(Value::as_f64).collect();
        Ok(())
    }
}

impl ByMean {
    fn learn(&mut self, blocks: &mut TrainingBlocks<'_>) -> Result<()> {
        let mut sums = vec![0.0; blocks.n_columns()];
        let n_cells = blocks.n_cells() as f64;
        for block in blocks {
            let block = block?;
            block
                .indices
                .iter()
                .zip(&block.values)
                .for_each(|(column, value)| sums[*column as usize] += f64::from(*value));
        }
        self.means = sums.into_iter().map(|sum| sum / n_cells).collect();
        let n_columns = self.means.len();
        self.selected = self.n_kept.map(|n| (0..n_columns).filter(|column| column % 3 != 1).take(n).collect());
        Ok(())
    }
}

/// A step that says nothing of blocks.
struct NoBlocks;

impl Step for NoBlocks {}

fn steps() -> Vec<Box<dyn Step>> {
    let step = |n_kept| Box::new(ByMean { means: Vec::new(), n_kept, selected: None, in_blocks: true });
    vec![step(Some(40)), step(None), step(Some(11))]
}

/// Cells `start` on of 300 × 90 counts, features turned by `turn` and the first `n_features` of them.
fn written(folder: &Path, start: usize, turn: usize, n_features: usize) -> PathBuf {
    let whole = counts(300, 90, 4);
    let rows: Vec<usize> = (start..300).collect();
    let columns: Vec<usize> = (0..n_features).map(|column| (column + turn) % 90).collect();
    let matrix = whole.select_rows(&rows).unwrap().select_columns(&columns).unwrap();
    let names = |prefix: &str, of: &[usize]| Frame::new(of.iter().map(|place| format!("{prefix}{place}")).collect());
    let path = folder.join(format!("{start}-{turn}.h5ad"));
    write_new_h5ad(&path, &NewAnnData::new(names("c", &rows), names("g", &columns), matrix)).unwrap();
    path
}

fn reading() -> MatrixReading {
    MatrixReading { counts: true, min_cells_per_feature: 146, min_features_per_cell: 29, ..MatrixReading::default() }
}

fn open(path: &Path, holding: Holding<'_>, steps: Vec<Box<dyn Step>>) -> Result<MatrixModality> {
    open_matrix(&Source { name: "it", path, key: None, table: None, holding }, &reading(), steps)
}

fn on_disk(path: &Path, steps: Vec<Box<dyn Step>>) -> Result<MatrixModality> {
    open(path, Holding::Disk(None), steps)
}

fn bits(features: &Features) -> (bool, Vec<u32>) {
    let values = Vec::<f32>::try_from(features.to_dense().flatten(0, -1)).unwrap();
    (matches!(features, Features::Sparse(_)), values.into_iter().map(f32::to_bits).collect())
}

fn same(memory: &MatrixModality, disk: &MatrixModality, rows: &[usize]) {
    assert_eq!(memory.cells(), disk.cells());
    assert_eq!(memory.features(), disk.features());
    assert_eq!(memory.state(), disk.state());
    assert_eq!(memory.statistics(rows).unwrap(), disk.statistics(rows).unwrap());
    for values in [TargetValues::Processed, TargetValues::Counts, TargetValues::Presence] {
        let [one, other] = [memory, disk].map(|modality| modality.gather(rows, values).unwrap());
        let Gathered { input, target, .. } = one;
        assert_eq!(bits(&input), bits(&other.input));
        assert_eq!(bits(&target), bits(&other.target));
    }
}

/// Filters in two rounds, keeps what is left, and prepares on every other cell.
fn prepared(mut modality: MatrixModality) -> MatrixModality {
    let mut kept = vec![true; modality.cells().len()];
    for _ in 0..2 {
        kept = modality.filter_round(&kept).unwrap();
    }
    let rows: Vec<usize> = (0..kept.len()).rev().filter(|row| kept[*row]).collect();
    modality.keep_cells(&rows).unwrap();
    let training: Vec<usize> = (0..rows.len()).step_by(2).collect();
    modality.prepare(&training).unwrap();
    modality
}

#[test]
fn everything_is_as_in_memory_to_the_bit() {
    let folder = tempfile::tempdir().unwrap();
    let path = written(folder.path(), 0, 0, 90);
    let memory = prepared(open(&path, Holding::Memory(None), steps()).unwrap());
    let disk = prepared(on_disk(&path, steps()).unwrap());
    assert!(memory.cells().len() < 300 && memory.features().len() == 11, "{memory:?}");
    same(&memory, &disk, &[3, 0, 3, 200, 17]);
    for modality in [&memory, &disk] {
        let error = modality.check_target(TargetValues::UnitInterval).unwrap_err().to_string();
        assert!(error.starts_with("the values after the steps are not in [0, 1] (cell `c"), "{error}");
    }
    let told =
        [&memory, &disk].map(|modality| modality.check_target(TargetValues::UnitInterval).unwrap_err().to_string());
    assert_eq!(told[0], told[1]);
    let [mut memory, mut disk] = [memory, disk];
    [&mut memory, &mut disk].into_iter().for_each(|modality| modality.keep_cells(&[5, 9, 1]).unwrap());
    same(&memory, &disk, &[2, 0]);
    let error = disk.gather(&[3], TargetValues::Counts).unwrap_err().to_string();
    assert_eq!(error, memory.gather(&[3], TargetValues::Counts).unwrap_err().to_string());
}

#[test]
fn other_data_are_aligned_as_in_memory() {
    let folder = tempfile::tempdir().unwrap();
    let path = written(folder.path(), 0, 0, 90);
    let state = prepared(on_disk(&path, steps()).unwrap()).state();
    // other features, some of which lack, in another order
    let other = written(folder.path(), 100, 31, 70);
    let restored = |holding| -> (MatrixModality, Alignment) {
        let mut modality = open(&other, holding, steps()).unwrap();
        let alignment = modality.restore(&state).unwrap();
        (modality, alignment)
    };
    let (memory, alignment) = restored(Holding::Memory(None));
    let (disk, on_disk) = restored(Holding::Disk(None));
    assert!(!alignment.missing.is_empty() && alignment.n_unknown > 0);
    assert_eq!(alignment, on_disk);
    same(&memory, &disk, &[0, 120, 7]);
}

#[test]
fn the_cache_is_made_once_and_again_when_the_file_changes() {
    let folder = tempfile::tempdir().unwrap();
    let path = written(folder.path(), 0, 0, 90);
    let cache = folder.path().join("elsewhere").join("cache");
    let files = || -> Vec<PathBuf> { std::fs::read_dir(&cache).unwrap().map(|entry| entry.unwrap().path()).collect() };
    let open = || open(&path, Holding::Disk(Some(&cache)), Vec::new());
    drop(open().unwrap());
    let [first] = files().try_into().unwrap();
    let made = std::fs::metadata(&first).unwrap().modified().unwrap();
    drop(open().unwrap());
    assert_eq!(std::fs::metadata(&first).unwrap().modified().unwrap(), made);
    // cut short: it is made again
    let whole = std::fs::read(&first).unwrap();
    std::fs::write(&first, &whole[..whole.len() / 2]).unwrap();
    drop(open().unwrap());
    assert_eq!(std::fs::read(&first).unwrap(), whole);
    // a row that is damaged is told when it is read
    let mut damaged = whole.clone();
    damaged[20] ^= 1;
    std::fs::write(&first, &damaged).unwrap();
    let mut modality = open().unwrap();
    let error = format!("{:#}", modality.prepare(&[0, 1]).unwrap_err());
    assert!(error.starts_with("row 0 of `") && error.ends_with("delete the file to have it made again"), "{error}");
    // the old cache of a file that changed goes
    std::fs::remove_file(&path).unwrap();
    std::fs::rename(written(folder.path(), 10, 0, 90), &path).unwrap();
    drop(open().unwrap());
    let [second] = files().try_into().unwrap();
    assert_ne!(first, second);
}

#[test]
fn values_that_cannot_be_used_are_told_as_in_memory() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("x.h5ad");
    let values = vec![0.0, 2.0, 1.0, 0.0, 0.5, 3.0];
    let names = |names: &[&str]| Frame::new(names.iter().map(|name| (*name).to_owned()).collect());
    let matrix = Csr::from_dense(&Dense::new(2, 3, values).unwrap()).unwrap();
    write_new_h5ad(&path, &NewAnnData::new(names(&["a", "b"]), names(&["x", "y", "z"]), matrix)).unwrap();
    let told = [Holding::Memory(None), Holding::Disk(None)]
        .map(|holding| open(&path, holding, Vec::new()).unwrap_err().to_string());
    assert!(told[0].contains("not counts (cell `b`, feature `y`: 0.5)"), "{}", told[0]);
    assert_eq!(told[0], told[1]);
}

#[test]
fn a_step_that_needs_all_cells_at_once_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let path = written(folder.path(), 0, 0, 90);
    let step = ByMean { means: Vec::new(), n_kept: None, selected: None, in_blocks: false };
    let mut modality = on_disk(&path, vec![Box::new(step)]).unwrap();
    let error = format!("{:#}", modality.prepare(&[0, 1]).unwrap_err());
    assert_eq!(
        error,
        "step 1 of 1: it learns from all training cells at once, which matrices on disk do not give\nhelp: set `data.storage = \
         \"memory\"` or leave the step out"
    );
}

#[test]
fn a_matrix_that_memory_cannot_hold_is_refused_before_it_is_read() {
    let folder = tempfile::tempdir().unwrap();
    let path = written(folder.path(), 0, 0, 90);
    let error = open(&path, Holding::Memory(Some(1000)), Vec::new()).unwrap_err().to_string();
    assert!(error.ends_with("of `--max-memory` are left for them\nhelp: set `data.storage = \"disk\"`"), "{error}");
    assert!(open(&path, Holding::Memory(Some(1 << 20)), Vec::new()).is_ok());
}

#[test]
fn a_folder_that_cannot_be_written_is_told() {
    let folder = tempfile::tempdir().unwrap();
    let path = written(folder.path(), 0, 0, 90);
    let error = format!("{:#}", open(&path, Holding::Disk(Some(&path)), Vec::new()).unwrap_err());
    assert!(error.contains("cannot be written; set `data.cache` to a folder that can be"), "{error}");
}
