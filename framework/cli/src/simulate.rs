//! The paper's simulated cells: five settings of causal factors behind two modalities (Zhang et al. 2026, Methods).

mod design;
mod draw;

pub use design::{Design, Factor};
pub use draw::{Simulation, simulate};
