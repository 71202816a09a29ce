//! Prints what an .h5ad or .h5mu file holds, and how long and how much memory reading each matrix takes.
//!
//! `cargo run --release -p cithara-anndata --example inspect -- cells.h5mu`

use std::time::Instant;

use anndata::{File, Frame};
use anyhow::{Context, Result};

fn main() -> Result<()> {
    let path = std::env::args().nth(1).context("give the path of an .h5ad or .h5mu file")?;
    let started = Instant::now();
    let file = File::open(&path)?;
    println!("{path}: {} cells, {:.3} s", file.cells().len(), started.elapsed().as_secs_f64());
    print_frame("obs", file.obs());
    for name in file.modalities()? {
        let modality = file.modality(&name)?;
        println!("modality `{name}`: {} cells, {} features", modality.cells().len(), modality.features().len());
        print_frame("obs", modality.obs());
        print_frame("var", modality.var());
        println!("  obsm {:?}", modality.obsm_names()?);
        for layer in modality.layers()? {
            let started = Instant::now();
            let matrix = modality.matrix(&layer)?;
            println!(
                "  {layer}: {} x {}, {} stored, sum {}, {:.3} s, peak memory so far {}",
                matrix.n_rows,
                matrix.n_columns,
                matrix.n_stored(),
                matrix.row_sums().iter().sum::<f64>(),
                started.elapsed().as_secs_f64(),
                peak_memory()
            );
            matrix.validate()?;
        }
    }
    Ok(())
}

fn print_frame(name: &str, frame: &Frame) {
    for (column_name, column) in frame.columns() {
        println!("  {name}[{column_name:?}]: {}", column.kind());
    }
}

fn peak_memory() -> String {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find(|line| line.starts_with("VmHWM:"));
    line.map_or("unknown".to_owned(), |line| line["VmHWM:".len()..].trim().to_owned())
}
