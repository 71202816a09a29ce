//! Cells of each latent space in clusters, beside labels and beside what principal components and random numbers give.

mod agreed;
mod clustering;
mod graph;
mod tables;

pub use agreed::{Agreed, Composition, LabelColumn, agreed};
pub use clustering::{ClusterSpec, Clustered, Method, clustered};
pub use graph::{annotate, picture_of};
pub use tables::{Clusters, SpaceClusters, pictures, summary, write};
