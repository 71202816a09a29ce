//! Simulated nuclei in two panels: a stain of DNA, and a stain of one of the two proteins of the cell's panel.
//!
//! Size, elongation and direction of a nucleus are shared by all of its stains. What only the stain of a protein shows is the
//! number of its foci. Each of the four proteins has its own place in the nucleus. The image of the panel's other protein is
//! drawn, too, and written as a modality of its own: what a model predicts of it can be compared with it.

mod draw;
mod write;

pub use draw::{Nucleus, PROTEINS, Pattern, SIDE, SimulatedNuclei, simulate_nuclei};
