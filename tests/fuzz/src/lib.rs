//! What the fuzz targets share: input of odd structure, and what must hold of whatever a reader makes of it.
//!
//! A target hands a reader some input. The reader may refuse it; it may neither panic, hang nor ask for memory without
//! bounds, and what it accepts must be sound. How targets are run stands in `docs/CONTRIBUTING.md`.

pub mod h5;
pub mod pictures;
mod scratch;
pub mod sound;
pub mod spec;
pub mod tables;

pub use scratch::Scratch;
