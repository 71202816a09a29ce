//! Simulated cells whose causes are known: the paper's five settings of causal factors behind two modalities (Zhang et al. 2026,
//! Methods), three modalities with a factor for each of their subsets, and images of nuclei in two panels.

mod design;
mod draw;
mod images;
mod subsets;

pub use design::{Design, Factor};
pub use draw::{Simulation, simulate};
pub use images::{Nucleus, PROTEINS, Pattern, SIDE, SimulatedNuclei, simulate_nuclei};
pub use subsets::{SubsetFactor, Subsets, simulate_subsets};
