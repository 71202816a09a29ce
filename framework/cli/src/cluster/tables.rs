//! What was found, as tables, numbers and pictures in a folder.

use super::agreed::{Agreed, Composition};
use super::clustering::{ClusterSpec, Method};
use crate::drawing::heat_map::HeatMap;
use crate::results::Results;
use anyhow::Result;
use serde::{Deserialize, Serialize};
use std::fmt::Write as _;
use std::path::{Path, PathBuf};

/// More classes, or clusters, are not drawn.
const MOST_DRAWN: usize = 60;

/// The clusters of all spaces: `clusters.json` is this, whole.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub struct Clusters {
    /// Version of the program.
    pub version: String,
    /// How cells were grouped, in words.
    pub method: String,
    /// The spaces.
    pub spaces: Vec<SpaceClusters>,
    /// Clusters of spaces and of controls beside each label.
    pub agreement: Vec<Agreed>,
    /// What could not be done, and why.
    pub notes: Vec<String>,
}

impl Clusters {
    /// None yet.
    pub fn new(spec: ClusterSpec) -> Clusters {
        let ClusterSpec { method, resolution, n_clusters, n_neighbours, seed, .. } = spec;
        let method = match method {
            Method::Leiden => format!("Leiden, resolution {resolution}, {n_neighbours} neighbours, seed {seed}"),
            Method::KMeans => format!("k-means, {n_clusters} clusters, seed {seed}"),
        };
        Clusters { version: env!("CARGO_PKG_VERSION").to_owned(), method, ..Clusters::default() }
    }
}

/// The clusters of a space.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub struct SpaceClusters {
    /// The space.
    pub space: String,
    /// Cells of each cluster.
    pub sizes: Vec<usize>,
    /// Modularity (Leiden) or inertia (k-means).
    pub objective: f64,
    /// Mean silhouette of the clusters.
    pub silhouette: Option<f64>,
    /// Cells that the graph joins; the others got the cluster of most of their nearest.
    pub n_drawn: usize,
    /// Cells of each class in each cluster.
    pub compositions: Vec<Composition>,
    /// Name, cluster and place in the picture of each cell.
    #[serde(skip)]
    pub cells: Vec<(String, u32, Option<[f64; 2]>)>,
}

/// Writes `clusters.json`, `clusters.tsv`, `agreement.tsv`, `composition.tsv` and a picture for each space and label; returns what
/// was written.
///
/// # Errors
/// When a file cannot be written.
pub fn write(found: &Clusters, folder: &Path) -> Result<Vec<PathBuf>> {
    let mut results = Results::in_folder(folder)?;
    results.keep("clusters.tsv", cells(found))?;
    if !found.agreement.is_empty() {
        results.keep("agreement.tsv", agreement(found))?;
        results.keep("composition.tsv", composition(found))?;
    }
    for space in &found.spaces {
        for (composition, picture) in pictures(space) {
            results.keep(&format!("composition_{}_{}.svg", space.space, composition.replace('/', "_")), picture)?;
        }
    }
    results.end_with("clusters.json", found)
}

fn cells(found: &Clusters) -> String {
    let mut table = String::from("cell\tspace\tcluster\tx\ty\n");
    for space in &found.spaces {
        for (cell, cluster, point) in &space.cells {
            let [x, y] = point.map_or_else(Default::default, |point| point.map(|one| format!("{one:.4}")));
            let _ = writeln!(table, "{cell}\t{}\t{cluster}\t{x}\t{y}", space.space);
        }
    }
    table
}

fn agreement(found: &Clusters) -> String {
    let mut table = String::from(
        "space\tname\tis_control\tlabel\tn_clusters\tn_classes\tn_cells\tadjusted_rand\tnormalised_mutual_information\n",
    );
    for one in &found.agreement {
        let _ = writeln!(
            table,
            "{}\t{}\t{}\t{}\t{}\t{}\t{}\t{:.6}\t{:.6}",
            one.space,
            one.name,
            one.is_control,
            one.label,
            one.n_clusters,
            one.n_classes,
            one.n_cells,
            one.adjusted_rand,
            one.normalised_mutual_information
        );
    }
    table
}

fn composition(found: &Clusters) -> String {
    let mut table = String::from("space\tlabel\tcluster\tclass\tn_cells\n");
    for space in &found.spaces {
        for composition in &space.compositions {
            for (cluster, counts) in composition.counts.iter().enumerate() {
                for (class, n_cells) in composition.classes.iter().zip(counts) {
                    let _ = writeln!(table, "{}\t{}\t{cluster}\t{class}\t{n_cells}", space.space, composition.label);
                }
            }
        }
    }
    table
}

/// Of each label, which share of each class is in which cluster: labels and pictures.
pub fn pictures(space: &SpaceClusters) -> Vec<(String, String)> {
    let fits = |one: &&Composition| one.classes.len() <= MOST_DRAWN && one.counts.len() <= MOST_DRAWN;
    let drawn = space.compositions.iter().filter(fits).map(|one| (one.label.clone(), picture(&space.space, one)));
    drawn.collect()
}

fn picture(space: &str, composition: &Composition) -> String {
    let of_class = |class: usize| composition.counts.iter().map(|counts| counts[class]).sum::<usize>();
    let row = |class: usize| {
        let n = of_class(class).max(1) as f64;
        let cell = |counts: &Vec<usize>| {
            let share = counts[class] as f64 / n;
            Some((share, format!("{share:.2} ({})", counts[class])))
        };
        (composition.classes[class].clone(), composition.counts.iter().map(cell).collect())
    };
    HeatMap {
        legend: &["share of the cells of each class that are in a cluster,", "and their number"],
        columns: (0..composition.counts.len()).map(|cluster| format!("cluster {cluster}")).collect(),
        rows: (0..composition.classes.len()).map(row).collect(),
    }
    .picture(&format!("{} in clusters of {space}", composition.label))
}

/// What was found in a few lines.
pub fn summary(found: &Clusters) -> String {
    let mut text = format!("clusters by {}\n", found.method);
    for space in &found.spaces {
        let silhouette = space.silhouette.map_or_else(String::new, |value| format!(", silhouette {value:.3}"));
        let sizes: Vec<String> = space.sizes.iter().take(12).map(usize::to_string).collect();
        let more = if space.sizes.len() > 12 { " …" } else { "" };
        let _ = writeln!(
            text,
            "{}: {} clusters of {}{more} cells{silhouette}",
            space.space,
            space.sizes.len(),
            sizes.join(", ")
        );
    }
    let width = |of: fn(&Agreed) -> &String| {
        found.agreement.iter().map(|one| of(one).chars().count()).max().unwrap_or(0).max(12)
    };
    let (name, label) = (width(|one| &one.name), width(|one| &one.label));
    if !found.agreement.is_empty() {
        let head = ["clusters of", "label", "clusters", "ARI", "NMI"];
        let _ =
            writeln!(text, "\n{:<name$}  {:<label$} {:>8} {:>7} {:>7}", head[0], head[1], head[2], head[3], head[4]);
    }
    for one in &found.agreement {
        let _ = writeln!(
            text,
            "{:<name$}  {:<label$} {:>8} {:>7.3} {:>7.3}",
            one.name, one.label, one.n_clusters, one.adjusted_rand, one.normalised_mutual_information
        );
    }
    text
}
