//! Images of fields or of single cells, cut into crops, with a file of cells beside them: what was known of each field, and
//! what can be measured of each nucleus.

mod cells;
mod h5sc;
mod measured;
mod pairs;
mod proteins;

pub use cells::write_cells;
pub use h5sc::crops_of;
pub use measured::{Measured, measure};
pub use pairs::{PairedCells, write_pairs};
pub use proteins::{Assign, Pair, ProteinsSpec};

use crate::failure::Misuse;
use anyhow::{Context, Result};
use images::CellImagesSpec;
use images::features::FeatureSettings;
use serde::Deserialize;
use serde::de::DeserializeOwned;
use std::path::Path;
use toml::Table;

/// Name of the file of crops, beside the file of cells.
pub const CROPS: &str = "crops.cells";
/// Name of the file of cells.
pub const CELLS: &str = "cells.h5mu";
/// Name of the contact sheet.
pub const SHEET: &str = "sheet.png";

/// What is cut and measured, as one TOML file says it.
#[derive(Debug, Clone)]
pub struct CutSpec {
    /// Images, nuclei, crops.
    pub images: CellImagesSpec,
    /// What is measured of nuclei: `[features]`.
    pub features: FeatureSettings,
    /// The contact sheet: `[sheet]`.
    pub sheet: SheetSpec,
    /// Proteins as one modality: `[proteins]`. Where it is left out, each channel is a modality of its own.
    pub proteins: Option<ProteinsSpec>,
}

/// `[sheet]`: a picture of random crops.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct SheetSpec {
    /// The column of the table of fields whose values have a row each; left out: one row for all.
    pub by: Option<String>,
    /// Cells of each.
    pub n_cells: usize,
    /// Channels on top of each other in colours, instead of a row for each.
    pub merged: bool,
}

impl Default for SheetSpec {
    fn default() -> Self {
        SheetSpec { by: None, n_cells: 12, merged: false }
    }
}

impl CutSpec {
    /// Reads a spec.
    ///
    /// # Errors
    /// When it is no TOML, has an unknown key or a value that does not fit, as an error of input.
    pub fn read(path: &Path) -> Result<CutSpec> {
        let text = std::fs::read_to_string(path).with_context(|| format!("`{}` cannot be read", path.display()));
        let text = text.map_err(|error| Misuse::new(format!("{error:#}")))?;
        // the whole first, for the place of a slip in the text
        let whole: Table =
            toml::from_str(&text).map_err(|error| Misuse::new(format!("{}: {error}", path.display())))?;
        let mut images = whole;
        let (features, sheet) = (images.remove("features"), images.remove("sheet"));
        let proteins = images.remove("proteins");
        let spec = CutSpec {
            images: table(images.into(), path, "")?,
            features: table(features.unwrap_or_else(|| Table::new().into()), path, "features.")?,
            sheet: table(sheet.unwrap_or_else(|| Table::new().into()), path, "sheet.")?,
            proteins: proteins.map(|proteins| table(proteins, path, "proteins.")).transpose()?,
        };
        let mut problems: Vec<String> = spec
            .images
            .validate()
            .into_iter()
            .map(|problem| format!("`{}` {}", problem.key, problem.message))
            .collect();
        let features = spec.features.problems().into_iter();
        problems.extend(features.map(|(key, message)| format!("`features.{key}` {message}")));
        match problems.is_empty() {
            true => spec.ensure_proteins().map(|()| spec),
            false => Err(Misuse::new(format!("{}: {}", path.display(), problems.join("\n  and "))).into()),
        }
    }
}

impl CutSpec {
    /// Refuses proteins that are none of the channels, where the spec names these.
    fn ensure_proteins(&self) -> Result<()> {
        let (Some(proteins), channels) = (&self.proteins, self.images.channel_names()) else { return Ok(()) };
        if !channels.is_empty() {
            proteins.places(&channels, self.images.nucleus_channel.as_deref())?;
        }
        Ok(())
    }
}

fn table<T: DeserializeOwned>(value: toml::Value, path: &Path, within: &str) -> Result<T> {
    serde_path_to_error::deserialize(value).map_err(|error| {
        let (key, message) = (error.path().to_string(), error.inner().to_string());
        let message = message.trim().replace('\n', " ");
        Misuse::new(format!("{}: `{within}{key}`: {message}", path.display())).into()
    })
}
