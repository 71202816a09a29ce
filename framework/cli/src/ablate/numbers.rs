//! What a finished run tells of itself: the lines of its evaluation, its time and memory, and how its losses went.

use super::comparison::Curve;
use crate::run::{Stage, stages};
use anyhow::{Context, Result, ensure};
use framework::data::Subset;
use framework::run::{RunDirectory, digest_text};
use std::path::Path;

/// One line of `evaluation.tsv`.
#[derive(Debug, Clone, PartialEq)]
pub struct Line {
    /// The part, such as `probe`.
    pub section: String,
    /// The modality that is read.
    pub source: String,
    /// The modality that is predicted, or the space.
    pub target: String,
    /// The label.
    pub label: String,
    /// The method.
    pub method: String,
    /// The score.
    pub score: String,
    /// Its value.
    pub value: f64,
}

/// The numbers of a run.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Numbers {
    /// Its evaluation.
    pub lines: Vec<Line>,
    /// Seconds of learning.
    pub fit_secs: Option<f64>,
    /// Seconds of the whole run.
    pub total_secs: Option<f64>,
    /// Most memory held.
    pub peak_memory_bytes: Option<f64>,
    /// SHA-256 of each of its data files.
    pub data: Vec<String>,
    /// SHA-256 of the names of its validation and test cells.
    pub judged_cells: String,
}

impl Numbers {
    /// Reads those of a run.
    ///
    /// # Errors
    /// When the run was not judged, or a file is damaged.
    pub fn of(run: &RunDirectory) -> Result<Numbers> {
        let provenance = run.read_provenance()?;
        Ok(Numbers {
            lines: read_lines(&run.file("evaluation.tsv"))?,
            fit_secs: provenance.fit_secs,
            total_secs: provenance.total_secs,
            peak_memory_bytes: provenance.peak_memory_bytes.map(|bytes| bytes as f64),
            data: provenance.data.into_iter().map(|file| file.sha256).collect(),
            judged_cells: judged_cells(run)?,
        })
    }
}

/// SHA-256 of the names of validation and test cells, in the order of their names.
fn judged_cells(run: &RunDirectory) -> Result<String> {
    let mut cells: Vec<String> = (run.read_split()?.into_iter())
        .filter(|(_, (_, subset))| matches!(subset, Subset::Validation | Subset::Test))
        .map(|(cell, (_, subset))| format!("{cell}\t{}", subset.name()))
        .collect();
    cells.sort_unstable();
    Ok(digest_text(&cells.join("\n")))
}

fn read_lines(path: &Path) -> Result<Vec<Line>> {
    let text = std::fs::read_to_string(path).with_context(|| format!("`{}` cannot be read", path.display()))?;
    let line = |text: &str| -> Option<Line> {
        let fields: Vec<&str> = text.split('\t').collect();
        let [section, source, target, label, method, _, score, value, _] = fields.as_slice() else { return None };
        let own = |text: &&str| (*text).to_owned();
        Some(Line {
            section: own(section),
            source: own(source),
            target: own(target),
            label: own(label),
            method: own(method),
            score: own(score),
            value: value.parse().ok()?,
        })
    };
    let lines: Option<Vec<Line>> = text.lines().skip(1).map(line).collect();
    let lines = lines.with_context(|| format!("`{}` is damaged", path.display()))?;
    ensure!(!lines.is_empty(), "`{}` holds no evaluation", path.display());
    Ok(lines)
}

/// The losses of a run by stage, from its log; nothing where there is no log.
pub fn curves(run: &RunDirectory) -> Vec<Curve> {
    let curve = |stage: Stage| {
        let (training, validation) = stage.sums(&stage.terms());
        Curve { stage: stage.name, training, validation }
    };
    stages(run).into_iter().map(curve).collect()
}
