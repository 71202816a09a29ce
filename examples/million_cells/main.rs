//! A million cells of 20,000 genes and 200,000 peaks on a small machine: the matrices stay on disk.
//!
//! `cargo run -p cithara-tests --example million_cells FOLDER [CELLS [STEPS]]` writes synthetic cells into `FOLDER/cells.h5mu`
//! (once; 1,000,000 by default), of which as many entries are not zero as in the SHARE-seq data of Ma et al. 2020 as Zhang
//! et al. 2026 filter them (8 % of genes, 3 % of peaks), opens them with `data.storage = "disk"`, reads minibatches in random
//! order and in blocks, and takes some steps of step 1 and of step 2. It prints seconds, and the most memory that the process held.
//!
//! `STORAGE=memory` opens the same cells in memory instead, to compare; `DELETE=1` removes the cells once their cache is made, `THIN=40`
//! writes a fortieth of the values, where time or room lack for all.

mod cells;
mod learn;

use plugins as _;
use std::path::PathBuf;

fn main() {
    let mut words = std::env::args().skip(1);
    let folder = PathBuf::from(words.next().expect("a folder for the cells"));
    let mut number = |usual: usize| words.next().map_or(usual, |word| word.parse().expect("a number"));
    let (n_cells, n_steps) = (number(1_000_000), number(20));

    std::fs::create_dir_all(&folder).expect("a folder");
    let path = folder.join("cells.h5mu");
    if !path.is_file() {
        cells::write(&path, n_cells);
    }
    println!("cells.h5mu: {:.2} GB", bytes_of(&path) as f64 / 1e9);
    learn::learn(&folder, n_steps as u64);
}

/// Bytes of a file or of the files of a folder.
fn bytes_of(path: &std::path::Path) -> u64 {
    match std::fs::read_dir(path) {
        Ok(entries) => entries.flatten().map(|entry| bytes_of(&entry.path())).sum(),
        Err(_) => std::fs::metadata(path).map_or(0, |about| about.len()),
    }
}

/// Most memory that this process held so far, in bytes (Linux).
fn peak_bytes() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    let kibibytes = line.and_then(|line| line.trim().strip_suffix("kB")?.trim().parse::<u64>().ok());
    kibibytes.map_or(0, |kibibytes| kibibytes * 1024)
}
