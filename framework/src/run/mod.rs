//! The directory that a run leaves: what was asked, what was learned, and how it went.
//!
//! | file | what |
//! |---|---|
//! | `spec.toml` | the resolved spec |
//! | `weights.safetensors` | every parameter and running average |
//! | `latents.safetensors` | the learned rows of each space, in the order of `cells.tsv` |
//! | `cells.tsv` | cells, their split, and which modalities measured them |
//! | `features/NAME.tsv` | features of each modality, in the order of its decoder |
//! | `preparation.json` | fitted steps, shapes and totals |
//! | `checkpoint.safetensors` | the state of learning, from which it goes on; gone when learning has ended |
//! | `metrics.jsonl` | every term of every epoch |
//! | `provenance.json` | program, data, machine and time |

mod cells;
mod directory;
mod log;
mod provenance;
mod tensors;

pub use cells::RunCells;
pub use directory::{Preparation, RunDirectory, write_atomically, write_json};
pub use log::{MetricsLog, log_line};
pub use provenance::{FileDigest, Provenance, digest_file, digest_text};
pub(crate) use tensors::read_stored;
pub use tensors::{read_tensors, write_tensors};
