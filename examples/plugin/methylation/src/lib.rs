//! The assay `methylation`: methylated among all reads per region of single cells, as bisulfite or enzymatic conversion
//! sequencing gives them.
//!
//! The modality reads two layers, the loss `beta_binomial` compares shares of successes among trials, whatever they are
//! of.

mod loss;
mod measurements;
mod modality;
mod reads;

pub use loss::{BetaBinomialSpec, Likelihood};
pub use modality::MethylationSpec;

framework::export_plugin!();
