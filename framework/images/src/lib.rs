//! Images of cells: fields read, nuclei found, crops cut and kept on disk, and what can be measured of them.
//!
//! | from | to | by |
//! |---|---|---|
//! | PNG, TIFF, OME-TIFF, `.npy`, `.npz` | planes of pixels | [`read_planes`], [`read_chosen_planes`], [`Stack`] |
//! | images of cells from elsewhere | the same, a block at a time | [`CellStack`] |
//! | a table of fields of view | fields, masks, metadata | [`FieldsSpec`], [`Fields`] |
//! | a plane of stained DNA | nuclei | [`Segmentation`], and its steps |
//! | all of it, as one spec | named cells and their crops in a cache | [`make_crops`], [`CellImagesSpec`], [`Crops`] |
//! | crops | a picture of what was cut | [`ContactSheet`] |
//! | crops of a nucleus | shape, brightness, texture | [`features`] |
//!
//! Nothing here knows tensors, models or experiments.

mod cells;
mod crops;
mod cut;
pub mod features;
mod fields;
mod labels;
mod make;
mod nearest;
mod normalise;
mod plane;
mod problem;
mod read;
mod segment;
mod sheet;
mod spec;
mod stack;
#[cfg(test)]
mod testing;

pub use cells::{Cell, Cells, FieldOfCells};
pub use crops::{Contents, Crops, Gathered, Skipped, Stored};
pub use cut::{Cutting, Surroundings};
pub use fields::{FieldRow, Fields, FieldsSpec, ImageFile, Pattern, Table};
pub use labels::{Labels, MaskKind, Region};
pub use make::{make_crops, make_crops_of};
pub use normalise::{Normalisation, Reach};
pub use plane::{Field, PixelKind, Pixels, Plane};
pub use problem::Problem;
pub use read::{Stack, plane_names, read_chosen_planes, read_planes};
pub use segment::{Segmentation, distance_to_background, fill_holes, gaussian, otsu, seeds, watershed};
pub use sheet::{ContactSheet, Picture};
pub use spec::{CellImagesSpec, Fit, MASK_CHANNEL, OnBadField, StackSpec};
pub use stack::{CellStack, StackCells, Visit};
