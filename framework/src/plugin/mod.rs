//! What a crate of components needs to be loaded by a program that was compiled without it.
//!
//! The crate says [`export_plugin!`](crate::export_plugin!) once; compiled as a `cdylib` it then exports one symbol, an [`Entry`]: a
//! [header](header) of plain bytes that can be read without running anything, and the function that lists the components.
//! The program compares the header with [its own](OWN) first, for the rest is Rust calling Rust, which is sound only
//! between libraries that one compiler made from the same sources. Opening libraries is the registry's business.

mod entry;
pub mod header;
mod log;

pub use entry::{Entry, Host, Plugin, SYMBOL_PREFIX, start};
pub use header::{HEADER_BYTES, Header, OWN};
pub use log::LogLine;
