//! Crops from a stack of images of single cells.

use std::path::Path;

use anyhow::{Context, Result, anyhow, ensure};
use rayon::prelude::*;

use super::inputs::{Contents as InputContents, files_sha256, sha256_of};
use super::prepare::whole_range;
use super::reusable;
use super::write::{CellWriter, Records};
use crate::cells::{Cell, FieldOfCells};
use crate::crops::Crops;
use crate::cut::Window;
use crate::fields::Table;
use crate::nearest;
use crate::normalise::Reach;
use crate::plane::{PixelKind, Plane};
use crate::spec::{CellImagesSpec, Fit, StackSpec};
use crate::stack::{CellStack, StackCells};

/// Cells whose images are in memory at once.
const N_TOGETHER: usize = 256;

pub(super) fn make(
    spec: &CellImagesSpec,
    (of_spec, stack): (&StackSpec, &dyn CellStack),
    folder: &Path,
    cache: &Path,
) -> Result<Crops> {
    let path = folder.join(&of_spec.path);
    let table_path = of_spec.cells.as_ref().map(|table| folder.join(table));
    ensure_fits(stack, spec, of_spec).with_context(|| format!("`{}`", path.display()))?;
    let cells = cell_table(table_path.as_deref(), of_spec, &path, stack)?;
    let table = table_path.as_deref();
    let files_sha256 = files_sha256(spec, table.unwrap_or(&path), [path.as_path()].into_iter())?;
    if let Some(crops) = reusable(cache, &files_sha256)? {
        return Ok(crops);
    }
    let mut inputs = InputContents::new(spec, table.unwrap_or(&path))?;
    inputs.add("stack", &sha256_of(&[&path])?);
    let mut writer = CellWriter::create(spec, cache, cells.columns)?;
    let mut origins = cells.rows.into_iter();
    stack.each_block(N_TOGETHER, &mut |block| {
        let first = writer.n_cells();
        let records: Vec<Result<Records>> = block.par_iter().map(|planes| records(spec, planes)).collect();
        for (place, records) in records.into_iter().enumerate() {
            let records = records.with_context(|| format!("cell {} (counted from 0)", first + place))?;
            let (name, values) = origins.next().ok_or_else(|| anyhow!("the stack has grown while it was read"))?;
            let field = writer.add_origin(FieldOfCells { name, values, has: vec![true; of_spec.channels.len()] });
            let middle = (spec.crops.side / 2) as f64;
            writer.add_cell(Cell { field, label: 0, centroid: [middle; 2], n_pixels: 0 }, &records)?;
        }
        Ok(())
    })?;
    writer.finish(inputs.finish(), files_sha256, Vec::new())?;
    Crops::open(cache)
}

fn ensure_fits(stack: &dyn CellStack, spec: &CellImagesSpec, of_spec: &StackSpec) -> Result<()> {
    let (n_found, n_named) = (stack.n_channels(), of_spec.channels.len());
    ensure!(n_found == n_named, "it has {n_found} channels, but `stack.channels` names {n_named}");
    let (side, (height, width)) = (spec.crops.side, stack.size());
    ensure!(
        of_spec.fit == Fit::Centre || (height, width) == (side, side),
        "its images have {height} × {width} pixels, but `crops.side` is {side}; expected the same: a power of two; \
         `stack.fit = \"centre\"` cuts their middle, or fills up with 0"
    );
    Ok(())
}

fn records(spec: &CellImagesSpec, planes: &[Plane]) -> Result<Records> {
    let mut records = Records::none();
    for (place, plane) in planes.iter().enumerate() {
        let window = Window::middle(plane.height(), plane.width(), spec.crops.side);
        let shown = window.inside(plane.height(), plane.width());
        if spec.stack.as_ref().is_some_and(|stack| stack.is_mask(place)) {
            records.add_mask(&window.pixels(plane), spec.stored);
            continue;
        }
        let kind = plane.pixels().kind();
        ensure!(kind != PixelKind::U32, "it holds 32-bit whole numbers; expected 8 or 16 bits, or real numbers");
        let range = match spec.normalisation.per {
            Reach::None => Some(whole_range(plane)?),
            _ => None,
        };
        records.add(window.pixels(plane), &shown, range, (&spec.normalisation, spec.stored));
    }
    Ok(records)
}

/// What is known of the cells: what the table says, else what the file of images does, else their numbers.
fn cell_table(table: Option<&Path>, of_spec: &StackSpec, path: &Path, stack: &dyn CellStack) -> Result<StackCells> {
    let stem = path.file_stem().map_or(String::new(), |stem| stem.to_string_lossy().into_owned());
    let (n_cells, numbered) = (stack.n_cells(), |cell: usize| format!("{stem}:{cell}"));
    let Some(table_path) = table else {
        let unknown = || StackCells {
            columns: Vec::new(),
            rows: (0..n_cells).map(|cell| (cell.to_string(), Vec::new())).collect(),
        };
        let mut known = stack.cells().unwrap_or_else(unknown);
        ensure!(known.rows.len() == n_cells, "`{}` does not tell of each of its {n_cells} cells", path.display());
        known.rows.iter_mut().for_each(|(name, _)| *name = format!("{stem}:{name}"));
        return Ok(known);
    };
    let table = Table::read(table_path)?;
    let (n_rows, path) = (table.rows.len(), table_path.display());
    ensure!(
        n_rows == n_cells,
        "`{path}` has {n_rows} rows, but the stack has {n_cells} cells; expected one row a cell"
    );
    let place = |name: &String| {
        let place = table.columns.iter().position(|column| column == name);
        place.ok_or_else(|| anyhow!("`{path}`: {}", nearest::unknown("column", name, &table.columns)))
    };
    let place = of_spec.name.as_ref().map(place).transpose()?;
    let mut met = std::collections::HashSet::new();
    let named = |(cell, (line, values)): (usize, (u64, Vec<String>))| {
        let name = place.map_or_else(|| numbered(cell), |place| values[place].clone());
        ensure!(!name.is_empty(), "`{path}`, line {line}: the cell has no name");
        ensure!(met.insert(name.clone()), "`{path}`, line {line}: two cells are called `{name}`");
        Ok((name, values))
    };
    let rows = table.rows.into_iter().enumerate().map(named).collect::<Result<_>>()?;
    Ok(StackCells { columns: table.columns, rows })
}
