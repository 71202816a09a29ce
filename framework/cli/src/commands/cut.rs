//! `cithara cut`: from fields of view, or stacks of images, to crops of single cells and a file of cells.

use super::model::OfInput;
use crate::arguments::CutArguments;
use crate::console::Console;
use crate::cut::{
    CELLS, CROPS, CutSpec, Measured, PairedCells, ProteinsSpec, SHEET, crops_of, measure, write_cells, write_pairs,
};
use crate::failure::Misuse;
use anyhow::{Context, Result};
use images::{ContactSheet, Crops, MASK_CHANNEL};
use std::path::Path;

pub(super) fn execute(arguments: &CutArguments, console: &mut Console<'_>) -> Result<()> {
    let spec = CutSpec::read(&arguments.spec)?;
    let out = &arguments.out;
    if out.join(CELLS).exists() && !arguments.force {
        let error = Misuse::new(format!("`{}` exists already", out.join(CELLS).display()));
        return Err(error.help("choose another folder or say `--force`").into());
    }
    std::fs::create_dir_all(out).with_context(|| format!("`{}` cannot be made", out.display())).of_input()?;
    let folder = arguments.spec.parent().unwrap_or(Path::new(""));
    let crops = crops_of(&spec.images, folder, &out.join(CROPS)).of_input()?;
    tell(&crops, console)?;
    draw(&crops, &spec, &out.join(SHEET)).of_input()?;
    console.note(&format!("contact sheet: {}", out.join(SHEET).display()))?;
    let nuclei = spec.images.nucleus_channel.clone();
    let mut measured = Vec::new();
    let channels = crops.contents().channels.iter().enumerate().filter(|(_, name)| *name != MASK_CHANNEL);
    for (order, (place, name)) in channels.enumerate() {
        // shapes are of the nucleus: they stand with its channel, or with the first where masks are given
        let shapes = nuclei.as_ref().map_or(order == 0, |nuclei| nuclei == name);
        let found = measure(&crops, place, shapes, &spec.features)?;
        console.note(&format!("{name}: {} cells × {} features", found.rows.len(), found.names.len()))?;
        if found.n_undefined > 0 {
            let n_values = found.values.len();
            console
                .note(&format!("note: {} of {n_values} values are not defined and stand as 0", found.n_undefined))?;
        }
        measured.push((name.clone(), found));
    }
    match &spec.proteins {
        Some(proteins) => pair(proteins, (&spec, &crops, out), measured, console)?,
        None => write_cells(&out.join(CELLS), &crops, measured)?,
    }
    console.note(&format!("wrote {}", out.join(CELLS).display()))
}

/// Writes pairs of cells and proteins.
fn pair(
    proteins: &ProteinsSpec,
    (spec, crops, out): (&CutSpec, &Crops, &Path),
    measured: Vec<(String, Measured)>,
    console: &mut Console<'_>,
) -> Result<()> {
    let contents = crops.contents();
    let places = proteins.places(&contents.channels, spec.images.nucleus_channel.as_deref())?;
    let pairs = proteins.pairs(contents, &places)?;
    let n_shown = pairs.chunk_by(|one, next| one.row == next.row).count();
    let n_without = crops.n_cells() - n_shown;
    if n_without > 0 {
        console.note(&format!("note: {n_without} cells have none of the proteins and are left out"))?;
    }
    let (pairs, measured) = (pairs.as_slice(), &measured.into_iter().collect());
    let modalities =
        write_pairs(&out.join(CELLS), &PairedCells { crops, spec: proteins, pairs, measured }).of_input()?;
    let told: Vec<String> = modalities.iter().map(|(name, n)| format!("{name} ({n})")).collect();
    console.note(&format!("{} observations of {n_shown} cells: {}", pairs.len(), told.join(", ")))?;
    if pairs.len() > n_shown {
        console.note("several observations are of one cell: keep them together in splits, by `group_by = \"cell\"`")?;
    }
    Ok(())
}

fn tell(crops: &Crops, console: &mut Console<'_>) -> Result<()> {
    let contents = crops.contents();
    let (n_cells, n_fields, side) = (crops.n_cells(), contents.cells.fields.len(), contents.side);
    console.note(&format!("{n_cells} cells of {n_fields} fields, crops of {side} × {side} pixels"))?;
    for skipped in &contents.skipped {
        console.note(&format!("skipped: {} (line {}): {}", skipped.field, skipped.line, skipped.reason))?;
    }
    if contents.n_flat_crops > 0 {
        console.note(&format!("note: {} crops have no contrast and are all 0", contents.n_flat_crops))?;
    }
    Ok(())
}

fn draw(crops: &Crops, spec: &CutSpec, path: &Path) -> Result<()> {
    let cells = &crops.contents().cells;
    let conditions = match &spec.sheet.by {
        Some(column) => cells.column(column)?,
        None => vec![""; cells.n_cells()],
    };
    let sheet = ContactSheet { n_cells: spec.sheet.n_cells, seed: 0, merged: spec.sheet.merged };
    sheet.draw(crops, &conditions)?.save(path)
}
