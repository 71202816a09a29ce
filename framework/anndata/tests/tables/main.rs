//! Count tables of other formats, written here as their programs write them and read back.

mod arbitrary;
mod delimited;
mod files;
mod fragments;
mod opened;
mod tenx_folder;
mod tenx_h5;

#[path = "../support/mod.rs"]
mod support;
