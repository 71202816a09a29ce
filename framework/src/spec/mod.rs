//! The typed experiment: what a spec file says once every default is filled in. No TOML text, no component names.

mod condition;
mod data;
mod dgd;
mod evaluate;
mod evaluate_images;
mod experiment;
mod fit;
mod model;
mod plugins;
mod table;
mod trunk;

pub use condition::{ConditionSpec, EncoderTable};
pub use data::{CellSet, DataSpec, SplitSpec, Storage};
pub use dgd::{DgdFit, MappingFit, RowStep, Search, UnseenClasses};
pub use evaluate::EvaluateSpec;
pub use evaluate_images::{EvaluateImages, ThresholdOf, ThresholdOver, UnshownImages};
pub use experiment::{Experiment, LatentEntry, ModalityEntry, SPEC_VERSION};
pub use fit::{EncodersFit, FitSpec, LatentFit, LatentOptimizer, OneStepFit, Order, Schedule, TargetScaling};
pub use model::{ModelKind, ModelSpec, Settings};
pub use plugins::PluginsSpec;
pub use table::{ColumnPlace, FeaturesIn, TableSpec};
pub use trunk::TrunkSpec;
