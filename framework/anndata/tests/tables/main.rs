//! Count tables of other formats, written here as their programs write them and read back.

mod arbitrary;
mod delimited;
mod files;
mod tenx_folder;
mod tenx_h5;

#[path = "../support/mod.rs"]
mod support;
