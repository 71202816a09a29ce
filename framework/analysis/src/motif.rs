//! Motifs in sequences: matrices of counts as scores, what score chance reaches, and which sequences have a motif.
//!
//! Sequences and matrices come from whoever reads files; sets of sequences that have a motif go to the tests of sets
//! ([`crate::over_representation_within`], [`crate::rank_sum`]).

mod frequencies;
mod lack;
mod scanner;
mod sequence;
mod words;

pub use frequencies::FrequencyMatrix;
pub use scanner::{MotifHit, MotifScanner, MotifSpec};
pub use sequence::{Sequence, symmetric_background};
