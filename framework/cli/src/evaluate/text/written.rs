//! The tables of an evaluation for other media than the terminal: the same numbers, written alike.

use super::super::evaluation::Evaluation;
use super::images::{image_predictions, title_of_images};
use super::table::Table;
use super::{footnote, groupings, predictions, spaces, three, title_of_clustering, title_of_probe, title_of_task};
use serde::Serialize;

/// What a table is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Part {
    /// Predictions of features.
    Predictions,
    /// What spaces know of labels.
    Probes,
    /// Groupings beside labels.
    Clusterings,
}

/// A table as it is to be read.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub(crate) struct WrittenTable {
    /// What it is about.
    pub part: Part,
    /// Its title.
    pub title: String,
    /// Headers of its columns of numbers.
    pub headers: Vec<String>,
    /// Methods, the model's first.
    pub rows: Vec<WrittenRow>,
    /// What to know when reading it.
    pub note: String,
}

/// The numbers of one method.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub(crate) struct WrittenRow {
    /// The method.
    pub label: String,
    /// Whether it is a control.
    pub is_control: bool,
    /// The number of each column, and whether it is the best of it.
    pub cells: Vec<(String, bool)>,
}

impl Evaluation {
    /// All tables, in the order of the text.
    pub(crate) fn written_tables(&self) -> Vec<WrittenTable> {
        let tasks = self.reconstructions.iter().chain(&self.cross_predictions).map(|task| {
            let note = footnote(task).trim_start_matches("* best of its column").trim_start_matches(" · ").to_owned();
            written(Part::Predictions, title_of_task(task), &predictions(task), note)
        });
        let images = self.images.iter().map(|images| {
            written(Part::Predictions, title_of_images(images), &image_predictions(images), String::new())
        });
        let probes = self.probes.iter().chain(&self.learned_rows);
        let probes = probes.map(|probe| written(Part::Probes, title_of_probe(probe), &spaces(probe), String::new()));
        let clusterings = self.clusterings.iter().map(|clustering| {
            let mixing = clustering.mixing.iter();
            let mixing = mixing.map(|(covariate, mixing)| {
                format!("1 − silhouette of {covariate} over training cells: {}", three(*mixing))
            });
            let note = mixing.collect::<Vec<_>>().join(" · ");
            written(Part::Clusterings, title_of_clustering(clustering), &groupings(clustering), note)
        });
        tasks.chain(images).chain(probes).chain(clusterings).collect()
    }
}

fn written(part: Part, title: String, table: &Table, note: String) -> WrittenTable {
    let (headers, rows) = table.written();
    WrittenTable { part, title, headers, rows, note }
}
