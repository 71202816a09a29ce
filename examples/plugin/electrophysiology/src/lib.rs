//! The assay `electrophysiology`: electrical properties of single cells (spike width, rheobase, …), as Patch-seq gives them.

mod loss;
mod modality;
mod step;

pub use loss::StudentTSpec;
pub use modality::ElectrophysiologySpec;
pub use step::StandardiseSpec;

framework::export_plugin!();
