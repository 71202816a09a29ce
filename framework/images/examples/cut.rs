//! Cuts what a spec describes, says how many cells each field gave and how fast crops are read, and draws a contact sheet.
//!
//! `cargo run -p cithara-images --example cut -- SPEC.json CACHE [COLUMN SHEET.png]`: paths in the spec start at its folder;
//! the sheet has a row for each value of the column.

use std::path::Path;
use std::time::Instant;

use anyhow::{Context, Result, bail};
use images::{CellImagesSpec, ContactSheet, Crops, make_crops};

/// Cells of a minibatch.
const N_TOGETHER: usize = 256;

fn main() -> Result<()> {
    let words: Vec<String> = std::env::args().skip(1).collect();
    let (spec, cache, sheet) = match words.as_slice() {
        [spec, cache] => (Path::new(spec), Path::new(cache), None),
        [spec, cache, column, picture] => (Path::new(spec), Path::new(cache), Some((column, Path::new(picture)))),
        _ => bail!("expected SPEC.json CACHE [COLUMN SHEET.png]"),
    };
    let text = std::fs::read_to_string(spec).with_context(|| format!("cannot read `{}`", spec.display()))?;
    let folder = spec.parent().unwrap_or(Path::new(""));
    let start = Instant::now();
    let described: CellImagesSpec = serde_json::from_str(&text)?;
    let crops = make_crops(&described, folder, cache)?;
    println!("{} cells in {:.2} s", crops.n_cells(), start.elapsed().as_secs_f64());
    let cells = &crops.contents().cells;
    for (field, n_cells) in cells.fields.iter().zip(cells.n_cells_of_fields()) {
        println!("{}\t{n_cells}", field.name);
    }
    for skipped in &crops.contents().skipped {
        println!("skipped: {} (line {}): {}", skipped.field, skipped.line, skipped.reason);
    }
    println!("{} crops without contrast", crops.contents().n_flat_crops);
    println!("{:.0} crops read per second", rate(&crops)?);
    if let Some((column, picture)) = sheet {
        ContactSheet::default().draw(&crops, &cells.column(column)?)?.save(picture)?;
    }
    Ok(())
}

/// Crops of random minibatches that one thread reads in a second.
fn rate(crops: &Crops) -> Result<f64> {
    let start = Instant::now();
    let n_minibatches = 50;
    for minibatch in 0..n_minibatches {
        let place = |at: usize| ((at + N_TOGETHER * minibatch) * 104_729) % crops.n_cells();
        crops.gather(&(0..N_TOGETHER).map(place).collect::<Vec<_>>(), 0)?;
    }
    Ok((N_TOGETHER * n_minibatches) as f64 / start.elapsed().as_secs_f64())
}
