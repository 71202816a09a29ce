//! From count tables in other formats to new AnnData and MuData; one file per format.
//!
//! `features` is where the two 10x formats meet: it splits a matrix by the kinds of its features. Memory follows the
//! values that are not zero in all of them.

mod delimited;
mod features;
mod fragments;
mod matrix_market;
mod names;
mod opened;
mod tenx_folder;
mod tenx_h5;
mod text_file;
mod triplets;

pub use delimited::{ColumnPlace, DelimitedSpec, read_delimited, read_frame};
pub use fragments::{Counted, FragmentSpec, FragmentTotals, Peak, Regions, read_fragments, read_peaks};
pub(crate) use opened::Table;
pub use opened::{files_of, is_delimited};
pub use tenx_folder::{read_matrix_market, read_names};
pub use tenx_h5::read_tenx_h5;
