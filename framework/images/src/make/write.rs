//! Crops cut, brought to whole numbers and written, a block of cells at a time.

use std::path::Path;

use anyhow::Result;
use rayon::prelude::*;

use super::prepare::Prepared;
use crate::cells::{Cell, Cells, FieldOfCells};
use crate::crops::{Contents, Skipped, Stored, Writer};
use crate::cut::{Window, normalised};
use crate::fields::FieldRow;
use crate::labels::Region;
use crate::normalise::{Normalisation, Range};
use crate::spec::CellImagesSpec;

/// Cells whose crops are in memory at once.
const N_TOGETHER: usize = 64;

/// A cache of cells that is being written.
pub(super) struct CellWriter<'a> {
    spec: &'a CellImagesSpec,
    writer: Writer,
    cells: Cells,
    n_flat_crops: u64,
}

/// The records of one cell, and how many of them have no contrast.
pub(super) struct Records {
    bytes: Vec<Vec<u8>>,
    n_flat: u64,
}

impl Records {
    pub(super) fn none() -> Self {
        Self { bytes: Vec::new(), n_flat: 0 }
    }

    /// Adds the crop of one channel.
    pub(super) fn add(
        &mut self,
        mut pixels: Vec<f32>,
        shown: &[bool],
        range: Option<Range>,
        how: (&Normalisation, Stored),
    ) {
        let has_contrast = normalised(&mut pixels, shown, range, how.0);
        self.n_flat += u64::from(!has_contrast);
        self.bytes.push(how.1.bytes(&pixels));
    }
}

impl Records {
    /// Adds the mask of a nucleus: 1 where a pixel is above 0.
    pub(super) fn add_mask(&mut self, pixels: &[f32], stored: Stored) {
        let mask: Vec<f32> = pixels.iter().map(|pixel| f32::from(u8::from(*pixel > 0.0))).collect();
        self.bytes.push(stored.bytes(&mask));
    }
}

impl<'a> CellWriter<'a> {
    /// Starts a cache; `columns` are those of the table that the cells come from.
    pub(super) fn create(spec: &'a CellImagesSpec, cache: &Path, columns: Vec<String>) -> Result<Self> {
        let record_bytes = spec.crops.side.pow(2) * spec.stored.n_bytes();
        let cells = Cells { columns, ..Cells::default() };
        Ok(Self { spec, writer: Writer::create(cache, record_bytes)?, cells, n_flat_crops: 0 })
    }

    pub(super) fn n_cells(&self) -> usize {
        self.cells.n_cells()
    }

    /// Adds all nuclei of a field.
    pub(super) fn add_field(&mut self, row: &FieldRow, prepared: &Prepared) -> Result<()> {
        let mask = self.spec.crops.keep_mask.then_some(true);
        let has = row.present().into_iter().chain(mask).collect();
        let field = self.add_origin(FieldOfCells { name: row.name.clone(), values: row.values.clone(), has });
        for regions in prepared.regions.chunks(N_TOGETHER) {
            let spec = self.spec;
            let records: Vec<Records> = regions.par_iter().map(|region| cut(spec, prepared, region)).collect();
            for (region, records) in regions.iter().zip(records) {
                let Region { label, centroid, n_pixels, .. } = *region;
                self.add_cell(Cell { field, label, centroid, n_pixels }, &records)?;
            }
        }
        Ok(())
    }

    /// Adds a field, or an image of a stack, that cells come from; its number.
    pub(super) fn add_origin(&mut self, field: FieldOfCells) -> u32 {
        self.cells.fields.push(field);
        self.cells.fields.len() as u32 - 1
    }

    /// Adds one cell.
    pub(super) fn add_cell(&mut self, cell: Cell, records: &Records) -> Result<()> {
        records.bytes.iter().try_for_each(|record| self.writer.push(record))?;
        self.cells.cells.push(cell);
        self.n_flat_crops += records.n_flat;
        Ok(())
    }

    /// Completes the cache.
    pub(super) fn finish(self, inputs_sha256: String, files_sha256: String, skipped: Vec<Skipped>) -> Result<()> {
        let contents = Contents {
            channels: self.spec.channel_names(),
            side: self.spec.crops.side,
            stored: self.spec.stored,
            scale: self.spec.stored.scale(),
            inputs_sha256,
            files_sha256,
            skipped,
            n_flat_crops: self.n_flat_crops,
            cells: self.cells,
        };
        self.writer.finish(&contents)
    }
}

/// The crops of one nucleus.
fn cut(spec: &CellImagesSpec, prepared: &Prepared, region: &Region) -> Records {
    let window = Window::around(region.centroid, spec.crops.side);
    let shown = spec.crops.shown(&window, &prepared.labels, region);
    let mut records = Records::none();
    for (plane, range) in prepared.field.planes().iter().zip(&prepared.ranges) {
        records.add(window.pixels(plane), &shown, *range, (&spec.normalisation, spec.stored));
    }
    if spec.crops.keep_mask {
        records.bytes.push(spec.stored.bytes(&window.mask(&prepared.labels, region)));
    }
    records
}
