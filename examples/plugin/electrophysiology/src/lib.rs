//! The assay `electrophysiology`: electrical properties of single cells (spike width, rheobase, …), as Patch-seq gives them.

mod loss;
mod modality;
mod standardise;

pub use loss::StudentTSpec;
pub use modality::ElectrophysiologySpec;

framework::export_plugin!();
