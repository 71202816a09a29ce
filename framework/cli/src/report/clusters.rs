//! What `cithara cluster` found, on the page: clusters beside labels and controls, and which classes they hold.

use super::written::{counted_of, three};
use crate::cluster::{Clusters, pictures};
use crate::drawing::lettering::plain;
use serde::Serialize;

/// The part of the page.
#[derive(Debug, Serialize)]
pub struct ClustersPart {
    lead: String,
    /// Name, label, clusters, adjusted Rand index, normalised mutual information; and whether it is a control.
    rows: Vec<([String; 5], bool)>,
    /// Titles and pictures of which classes are in which cluster.
    pictures: Vec<(String, String)>,
    notes: Vec<String>,
}

impl ClustersPart {
    /// The part of what was found.
    pub fn of(found: &Clusters) -> ClustersPart {
        let sizes = found.spaces.iter().map(|space| {
            let silhouette =
                space.silhouette.map_or_else(String::new, |value| format!(" (silhouette {})", three(Some(value))));
            format!("{}: {}{silhouette}", plain(&space.space), counted_of(space.sizes.len(), "cluster"))
        });
        let titled = found.spaces.iter().flat_map(|space| {
            let title = |label: &str| format!("{} in clusters of {}", plain(label), plain(&space.space));
            pictures(space).into_iter().map(move |(label, picture)| (title(&label), picture))
        });
        ClustersPart {
            lead: format!("{}. {}.", found.method, sizes.collect::<Vec<_>>().join("; ")),
            rows: found
                .agreement
                .iter()
                .map(|one| {
                    let numbers = [one.adjusted_rand, one.normalised_mutual_information].map(|one| three(Some(one)));
                    let [rand, information] = numbers;
                    let row = [plain(&one.name), plain(&one.label), one.n_clusters.to_string(), rand, information];
                    (row, one.is_control)
                })
                .collect(),
            pictures: titled.collect(),
            notes: found.notes.iter().map(|note| plain(note)).collect(),
        }
    }
}
