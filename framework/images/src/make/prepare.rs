//! One field made ready for cutting: read, checked, searched for nuclei, its ranges known.

use anyhow::{Context, Result, bail, ensure};

use super::Plates;
use super::inputs::sha256_of;
use crate::fields::{FieldRow, Fields};
use crate::labels::{Labels, Region};
use crate::normalise::{Range, Reach};
use crate::plane::{Field, PixelKind, Plane};
use crate::spec::CellImagesSpec;

/// A field whose crops can be cut.
pub(super) struct Prepared {
    pub(super) field: Field,
    pub(super) labels: Labels,
    pub(super) regions: Vec<Region>,
    /// The range of each channel of the field; none: each crop has its own.
    pub(super) ranges: Vec<Option<Range>>,
    /// Of the content of its files.
    pub(super) sha256: Vec<u8>,
}

impl Prepared {
    /// About what it took to prepare: images and labels of four bytes, and four of eight bytes to find nuclei.
    pub(super) fn n_bytes(&self) -> usize {
        let n_pixels = self.field.height() * self.field.width();
        n_pixels * (4 * (self.field.planes().len() + 1) + 32)
    }

    /// The channels of the field and what their pixels are.
    pub(super) fn kinds(&self) -> Vec<(&str, PixelKind)> {
        let kinds = self.field.planes().iter().map(|plane| plane.pixels().kind());
        self.field.names().iter().map(String::as_str).zip(kinds).collect()
    }
}

/// What every field is prepared with.
pub(super) struct Preparer<'a> {
    pub(super) spec: &'a CellImagesSpec,
    pub(super) fields: &'a Fields,
    pub(super) plates: &'a Plates,
}

impl Preparer<'_> {
    pub(super) fn prepare(&self, row: &FieldRow) -> Result<Prepared> {
        let (field, mask) = self.fields.read(row)?;
        self.spec.crops.ensure_fits(field.height(), field.width())?;
        let channels = || field.names().iter().zip(field.planes());
        for (name, plane) in channels() {
            ensure_intensities(plane).with_context(|| format!("channel `{name}`"))?;
        }
        let labels = match (mask, &self.spec.nucleus_channel) {
            (Some(mask), _) => mask,
            (None, Some(name)) => {
                let labels = self.spec.segmentation.segment(field.channel(name)?);
                labels.with_context(|| format!("channel `{name}`"))?
            }
            (None, None) => bail!("neither a mask nor `nucleus_channel` says where nuclei are"),
        };
        let regions = labels.regions();
        ensure!(!regions.is_empty(), "{}", self.nothing_found());
        let range = |(name, plane): (&String, &Plane)| {
            self.range(row, name, plane).with_context(|| format!("channel `{name}`"))
        };
        let ranges = channels().map(range).collect::<Result<_>>()?;
        let sha256 = sha256_of(&row.files())?;
        Ok(Prepared { field, labels, regions, ranges, sha256 })
    }

    fn nothing_found(&self) -> String {
        match &self.spec.nucleus_channel {
            Some(name) => {
                let smallest = self.spec.segmentation.min_area_pixels;
                format!(
                    "no nucleus was found in channel `{name}`; if there are some, look at `segmentation` (they must have \
                     at least {smallest} pixels)"
                )
            }
            None => "the mask names no nucleus: all its pixels are 0".to_owned(),
        }
    }

    fn range(&self, row: &FieldRow, name: &str, plane: &Plane) -> Result<Option<Range>> {
        match self.spec.normalisation.per {
            Reach::Crop => Ok(None),
            Reach::Field => Ok(Some(self.spec.normalisation.range_of_plane(plane)?)),
            Reach::Plate => Ok(self.plates.range(row, name)),
            Reach::None => Ok(Some(whole_range(plane)?)),
        }
    }
}

/// Refuses what is no image of intensities.
pub(super) fn ensure_intensities(plane: &Plane) -> Result<()> {
    ensure!(
        plane.pixels().kind() != PixelKind::U32,
        "it holds 32-bit whole numbers, as masks do; expected 8- or 16-bit images, or real numbers"
    );
    let (low, high) = plane.extremes();
    ensure!(low < high, "it is constant: every pixel is {low}; expected an image with contrast");
    Ok(())
}

/// The range where nothing is normalised.
pub(super) fn whole_range(plane: &Plane) -> Result<Range> {
    let kind = plane.pixels().kind();
    let (low, high) = plane.extremes();
    ensure!(
        kind != PixelKind::F32 || (low >= 0.0 && high <= 1.0),
        "its real numbers go from {low} to {high}, but `normalisation.per = \"none\"` takes them to be from 0 to 1"
    );
    Ok(Range::whole(kind))
}
