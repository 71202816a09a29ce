//! What is cut, from where and how: the whole of it as one table.

use std::path::PathBuf;

use anyhow::{Result, bail};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::crops::Stored;
use crate::cut::Cutting;
use crate::fields::FieldsSpec;
use crate::normalise::{Normalisation, Reach};
use crate::problem::{Problem, require, within};
use crate::segment::Segmentation;

/// The channel that holds the mask of each nucleus, where it is kept.
pub const MASK_CHANNEL: &str = "nucleus_mask";

/// What is done with a field that gives no cells: unreadable, of another depth, constant, without nuclei.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum OnBadField {
    /// Nothing is made, and the field is named.
    #[default]
    Error,
    /// The others are used; the field and what is wrong with it are listed in the cache.
    Skip,
}

/// What is done with images of another size than crops.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Fit {
    /// They are refused.
    #[default]
    Exact,
    /// Their middle is cut out; smaller ones are filled up with 0 on all sides.
    Centre,
}

/// A stack of images of single cells, N×C×H×W in a `.npy`, a `.npz` or an `.h5sc` of scPortrait.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct StackSpec {
    /// The `.npy`, `.npz` or `.h5sc` (also `.h5` and `.hdf5`).
    pub path: PathBuf,
    /// Which array of a `.npz`; left out: it holds one.
    #[serde(default)]
    pub entry: Option<String>,
    /// Names of the channels, in the order of the array. Of an `.h5sc`, which names its own: those that are taken; left out: all
    /// that are no masks.
    #[serde(default)]
    pub channels: Vec<String>,
    /// The one of the channels that is the mask of the nucleus: kept as `nucleus_mask`, from which shapes are measured.
    #[serde(default)]
    pub mask: Option<String>,
    /// What is done with images of another size than `crops.side`.
    #[serde(default)]
    pub fit: Fit,
    /// A `.csv` or `.tsv` with one row a cell, in the order of the array; left out: what an `.h5sc` says, else nothing is known
    /// of the cells.
    #[serde(default)]
    pub cells: Option<PathBuf>,
    /// The column of that table that names the cells; left out: name of the file and number, from 0.
    #[serde(default)]
    pub name: Option<String>,
}

impl StackSpec {
    /// Whether the file is of HDF5, by its name.
    pub fn is_hdf5(&self) -> bool {
        let extension = self.path.extension().and_then(|extension| extension.to_str()).unwrap_or_default();
        matches!(extension.to_ascii_lowercase().as_str(), "h5sc" | "h5" | "hdf5")
    }

    /// Whether a channel, by its place, is the mask.
    pub(crate) fn is_mask(&self, place: usize) -> bool {
        self.mask.is_some() && self.channels.get(place) == self.mask.as_ref()
    }
}

/// Images of cells: `fields` or `stack`, one of the two, and how crops are made of them.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct CellImagesSpec {
    /// Fields of view, from which crops are cut.
    pub fields: Option<FieldsSpec>,
    /// Images of single cells, cut elsewhere.
    pub stack: Option<StackSpec>,
    /// The channel in which nuclei are found, for fields without masks.
    pub nucleus_channel: Option<String>,
    /// How nuclei are found there.
    pub segmentation: Segmentation,
    /// How crops are cut.
    pub crops: Cutting,
    /// How intensities become numbers from 0 to 1.
    pub normalisation: Normalisation,
    /// The whole numbers that crops are stored as: 8 or 16 bits.
    pub stored: Stored,
    /// What is done with a field that gives no cells.
    pub on_bad_field: OnBadField,
}

impl CellImagesSpec {
    /// Ranges and combinations that types cannot express; empty when all is well.
    pub fn validate(&self) -> Vec<Problem> {
        let mut problems = Vec::new();
        within(&mut problems, "segmentation", self.segmentation.validate());
        within(&mut problems, "crops", self.crops.validate());
        within(&mut problems, "normalisation", self.normalisation.validate());
        match (&self.fields, &self.stack) {
            (Some(fields), None) => self.validate_fields(&mut problems, fields),
            (None, Some(stack)) => self.validate_stack(&mut problems, stack),
            _ => require(&mut problems, false, "", "needs one of `fields` (of view) and `stack` (of single cells)"),
        }
        let names = self.channel_names();
        for (place, name) in names.iter().enumerate() {
            require(&mut problems, !name.is_empty(), "channels", "one has no name");
            require(&mut problems, !names[..place].contains(name), "channels", format!("two are called `{name}`"));
        }
        problems
    }

    fn validate_fields(&self, problems: &mut Vec<Problem>, fields: &FieldsSpec) {
        within(problems, "fields", fields.validate());
        let key = "nucleus_channel";
        match (&self.nucleus_channel, &fields.mask) {
            (Some(_), Some(_)) => require(problems, false, key, "is set, but `fields.mask` says where nuclei are"),
            (None, None) => {
                require(problems, false, key, "is left out, and there is no `fields.mask`; set one of them");
            }
            (Some(name), None) => match fields.channels.get(name) {
                None => require(problems, false, key, format!("is `{name}`, but no channel is called so")),
                Some(file) => require(problems, !file.may_be_missing, key, format!("`{name}` may be missing")),
            },
            (None, Some(_)) => {}
        }
    }

    fn validate_stack(&self, problems: &mut Vec<Problem>, stack: &StackSpec) {
        let holds = stack.is_hdf5() || !stack.channels.is_empty();
        require(problems, holds, "stack.channels", "is empty; name the channels of the array");
        let holds = stack.mask.as_ref().is_none_or(|mask| stack.is_hdf5() || stack.channels.contains(mask));
        require(problems, holds, "stack.mask", "is none of `stack.channels`");
        let holds = stack.name.is_none() || stack.cells.is_some();
        require(problems, holds, "stack.name", "is a column of the table `stack.cells`, which is left out");
        let holds = matches!(self.normalisation.per, Reach::None | Reach::Crop);
        let message = "must be `none` or `crop`: images of single cells are of no field and no plate";
        require(problems, holds, "normalisation.per", message);
        let holds = self.nucleus_channel.is_none();
        require(problems, holds, "nucleus_channel", "is set, but images of single cells are not searched for nuclei");
    }

    /// Names of the channels of the cache, in order: those of the source, then the mask where it is kept.
    pub fn channel_names(&self) -> Vec<String> {
        match (&self.fields, &self.stack) {
            (Some(fields), _) => {
                let mask = self.crops.keep_mask.then(|| MASK_CHANNEL.to_owned());
                fields.channels.keys().cloned().chain(mask).collect()
            }
            (None, Some(stack)) => {
                let name = |(place, name): (usize, &String)| match stack.is_mask(place) {
                    true => MASK_CHANNEL.to_owned(),
                    false => name.clone(),
                };
                stack.channels.iter().enumerate().map(name).collect()
            }
            (None, None) => Vec::new(),
        }
    }

    /// Refuses a spec with problems.
    pub(crate) fn ensure_valid(&self) -> Result<()> {
        let problems = self.validate();
        if !problems.is_empty() {
            let told = problems.iter().map(|one| format!("`{}` {}", one.key, one.message));
            bail!("{}", told.collect::<Vec<_>>().join("; "));
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fields::ImageFile;
    use crate::labels::MaskKind;

    fn fields() -> FieldsSpec {
        let channels = [("dna", "dna"), ("lamin", "lamin")];
        FieldsSpec {
            table: "fields.csv".into(),
            name: None,
            channels: channels
                .map(|(name, column)| (name.to_owned(), ImageFile::by_column(column)))
                .into_iter()
                .collect(),
            mask: None,
            mask_kind: MaskKind::Labels,
        }
    }

    fn keys(spec: &CellImagesSpec) -> Vec<String> {
        spec.validate().into_iter().map(|problem| problem.key).collect()
    }

    #[test]
    fn one_source_and_one_way_to_nuclei() {
        let none = CellImagesSpec::default();
        assert_eq!(keys(&none), [""]);
        let mut spec = CellImagesSpec { fields: Some(fields()), ..none };
        assert_eq!(keys(&spec), ["nucleus_channel"]);
        spec.nucleus_channel = Some("dan".into());
        assert_eq!(keys(&spec), ["nucleus_channel"]);
        spec.nucleus_channel = Some("dna".into());
        assert!(keys(&spec).is_empty());
        assert_eq!(spec.channel_names(), ["dna", "lamin", MASK_CHANNEL]);
        spec.crops.side = 100;
        spec.segmentation.threshold_factor = -1.0;
        assert_eq!(keys(&spec), ["segmentation.threshold_factor", "crops.side"]);
    }

    #[test]
    fn a_stack_has_no_field() {
        let text = r#"{"stack": {"path": "a.npy", "channels": ["dna", "dna"], "name": "id"}}"#;
        let spec: CellImagesSpec = serde_json::from_str(text).unwrap();
        assert_eq!(keys(&spec), ["stack.name", "normalisation.per", "channels"]);
        let unknown = r#"{"stack": {"path": "a.npy", "channels": [], "nam": "id"}}"#;
        assert!(
            serde_json::from_str::<CellImagesSpec>(unknown).unwrap_err().to_string().contains("unknown field `nam`")
        );
    }
}
