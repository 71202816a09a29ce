//! Paired-cell inpainting, a baseline for images predicted from another stain: a network is shown chromatin and protein of one cell,
//! and paints the protein of another cell of the same protein into its chromatin (Lu et al. 2019; Zhang et al. 2026, Fig. 3c).
//!
//! It learns from the cells that the model of a run learned from and is judged with it, in the same cells, by the same numbers.
//! The cell that is shown is always a training cell and always of the protein that is painted. In the authors' code it is of the
//! protein that the judged cell was assigned, whichever is asked for, so that the network is asked for a stain that it was not
//! shown; and predictions are scaled row by row, and minibatches without a finite loss are skipped but counted. None of this is
//! repeated here: predictions are taken as they are, and a loss that is not finite ends the command.

mod findings;
mod images;
mod learner;
mod partners;
mod picture;

pub use findings::{Inpainted, write};
pub use images::{Grouping, Stains};
pub use learner::{Inpainter, InpaintingSpec, LearnedEpoch, Lesson};
pub use picture::picture;
