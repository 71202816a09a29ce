//! The catalogue of components and the reader of experiment specs.
//!
//! `framework` declares, this crate finds: [`Catalogue`] lists what linked crates declare, [`read_file`] turns a TOML
//! spec into a [`framework::spec::Experiment`] or into [`Diagnostics`] with every error at its line, [`spec_schema`]
//! describes a spec for editors, [`read_ablation`] turns a base spec and its variants into one experiment each, and [`reference`] describes components for people. Libraries of components are loaded here,
//! and nowhere else. Nothing here opens data or trains.

mod ablation;
mod catalogue;
mod check;
mod components;
mod conditions;
mod diagnostic;
mod document;
mod images;
mod latents;
mod library;
mod modalities;
mod overrides;
mod plugins;
mod preset;
mod read;
pub mod reference;
mod schema;
mod sections;
mod suggest;

#[cfg(test)]
mod testing;

pub use ablation::{Ablation, BASE, MetricCheck, Paper, Variant, WrittenAblation, paper_ablation, read_ablation};
pub use catalogue::Catalogue;
pub use diagnostic::{Diagnostic, Diagnostics, Place, Position};
pub use library::{Library, ensure_same_fingerprint, read_header};
pub use read::{Written, read, read_file};
pub use schema::{ablation_schema, spec_schema};
