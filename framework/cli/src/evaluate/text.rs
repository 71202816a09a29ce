//! The evaluation for a terminal: aligned tables, controls set apart, the best of each column marked, and sentences.

mod images;
mod table;
#[cfg(test)]
mod tests;
mod written;

pub(crate) use written::{Part, WrittenRow, WrittenTable};

use super::evaluation::{
    Clustering, ClusteringScores, Evaluation, JudgedCells, LabelProbe, MethodScores, PredictionScores, Section,
    SpaceScores,
};
use super::verdict::{Outcome, Verdict};
use images::{image_predictions, title_of_images};
use std::fmt::Write as _;
use table::{Best, Column, Style, Table};

/// Three decimals, for correlations and shares.
pub(super) fn three(value: f64) -> String {
    let text = format!("{value:.3}");
    if text == "-0.000" { "0.000".to_owned() } else { text }
}

/// Four significant digits, for errors in units of the values.
pub(super) fn significant(value: f64) -> String {
    match value.abs() {
        0.0 => "0".to_owned(),
        size if size < 1e-4 => format!("{value:.1e}"),
        size => {
            let n_decimals = (3.0 - size.log10().floor()).clamp(0.0, 7.0) as usize;
            format!("{value:.n_decimals$}")
        }
    }
}

/// A number with its sign, as `format` writes it.
pub(super) fn signed(value: f64, format: fn(f64) -> String) -> String {
    let text = format(value);
    if text.starts_with('-') { text } else { format!("+{text}") }
}

impl Evaluation {
    /// Tables and sentences for a reader; `colour` for terminals that show it.
    pub fn to_text(&self, colour: bool) -> String {
        let style = Style { colour };
        let mut text = format!("{}\n", style.bold(&heading(&self.name, &self.cells)));
        for note in &self.notes {
            let _ = writeln!(text, "note: {note}");
        }
        for task in self.reconstructions.iter().chain(&self.cross_predictions) {
            let _ = write!(text, "\n{}\n{}", style.bold(&title_of_task(task)), predictions(task).render(&style));
            let _ = writeln!(text, "  {}", style.faint(&footnote(task)));
        }
        for images in &self.images {
            let title = title_of_images(images);
            let _ = write!(text, "\n{}\n{}", style.bold(&title), image_predictions(images).render(&style));
        }
        for probe in self.probes.iter().chain(&self.learned_rows) {
            let _ = write!(text, "\n{}\n{}", style.bold(&title_of_probe(probe)), spaces(probe).render(&style));
        }
        for clustering in &self.clusterings {
            let title = title_of_clustering(clustering);
            let _ = write!(text, "\n{}\n{}", style.bold(&title), groupings(clustering).render(&style));
            for (covariate, mixing) in &clustering.mixing {
                let line = format!("1 − silhouette of {covariate} over training cells: {}", three(*mixing));
                let _ = writeln!(text, "  {}", style.faint(&line));
            }
        }
        if !self.verdicts.is_empty() {
            let _ = writeln!(text, "\n{}", style.bold("In words"));
            self.verdicts.iter().for_each(|verdict| add_verdict(&mut text, verdict, &style));
            let _ = writeln!(text, "{}", style.faint("intervals: paired bootstrap over cells, 400 resamples"));
        }
        text
    }
}

fn heading(name: &str, cells: &JudgedCells) -> String {
    let JudgedCells { subset, in_sample, n_judged, n_training } = cells;
    match in_sample {
        true => format!("Evaluation of {name}: {n_judged} cells that the model learned from (in sample)"),
        false => format!("Evaluation of {name}: {n_judged} {subset} cells, learned from {n_training}"),
    }
}

fn title_of_task(task: &PredictionScores) -> String {
    let what = match task.section {
        Section::Reconstruction => format!("Reconstruction of {}", task.target),
        Section::CrossPrediction => format!("Prediction {} → {}", task.source, task.target),
    };
    let unit = match task.values.as_str() {
        "processed" => "processed values",
        "presence" => "counts above 0",
        other => other,
    };
    let measured = task
        .measured
        .map(|measured| format!("; {} entries measured, {:.1} %", measured.n_entries, 100.0 * measured.share));
    format!("{what} ({} cells × {} features, {unit}{})", task.n_cells, task.n_features, measured.unwrap_or_default())
}

/// What the numbers of a prediction leave out, and what chance reaches.
fn footnote(task: &PredictionScores) -> String {
    let Some(first) = task.methods.first() else { return String::new() };
    let mut parts = vec!["* best of its column".to_owned()];
    let (n_features, n_cells) = (first.by_feature.n_skipped, first.by_cell.n_skipped);
    if n_features + n_cells > 0 {
        let why = if task.measured.is_some() { "constant or measured fewer than 3 times" } else { "constant" };
        parts.push(format!("{why}, so left out of Pearson: {n_features} features, {n_cells} cells"));
    }
    if let Some(precision) = &first.precision {
        let by_feature = precision.mean_base_rate.map_or("none".to_owned(), three);
        let rounded = if precision.exact { "" } else { "; pooled scores rounded to 13 bits" };
        parts.push(format!(
            "random AUPRC: {}, by feature {by_feature} (over {} features){rounded}",
            three(precision.base_rate),
            precision.n_features
        ));
    }
    parts.join(" · ")
}

fn predictions(task: &PredictionScores) -> Table {
    let mut table = Table::new(vec![
        Column::new("RMSE", Best::Lowest, significant),
        Column::new("Pearson/feature", Best::Highest, three),
        Column::new("median", Best::Highest, three),
        Column::new("Pearson/cell", Best::Highest, three),
        Column::new("median", Best::Highest, three),
        Column::new("AUPRC", Best::Highest, three),
        Column::new("AUPRC/feature", Best::Highest, three),
    ]);
    for scores in &task.methods {
        table.add(&scores.method, prediction_cells(scores));
    }
    table
}

fn prediction_cells(scores: &MethodScores) -> Vec<Option<f64>> {
    let (feature, cell) = (&scores.by_feature, &scores.by_cell);
    let precision = scores.precision.as_ref();
    vec![
        Some(scores.rmse),
        feature.mean,
        feature.median,
        cell.mean,
        cell.median,
        precision.and_then(|precision| precision.pooled),
        precision.and_then(|precision| precision.mean_by_feature),
    ]
}

fn title_of_probe(probe: &LabelProbe) -> String {
    let first = probe.spaces.first().map_or("", |space| &space.method.name);
    let what = match probe.source.as_str() {
        "learned" => format!("Label {} in the learned rows of {first}", probe.label),
        "combined" => format!("Label {} in {first} of all modalities", probe.label),
        source => format!("Label {} from {source}", probe.label),
    };
    let classes = probe.n_classes.map_or("a number".to_owned(), |n| format!("{n} classes"));
    format!("{what} ({classes}; {} cells, learned from {})", probe.n_cells, probe.n_training)
}

fn spaces(probe: &LabelProbe) -> Table {
    let mut table = Table::new(vec![
        Column::new("dim", Best::None, |dim| format!("{dim}")),
        Column::new("kNN balanced", Best::Highest, three),
        Column::new("kNN accuracy", Best::Highest, three),
        Column::new("kNN macro F1", Best::Highest, three),
        Column::new("linear balanced", Best::Highest, three),
        Column::new("silhouette", Best::Highest, three),
        Column::new("R²", Best::Highest, three),
        Column::new("adjusted R²", Best::Highest, three),
    ]);
    for scores in &probe.spaces {
        table.add(&scores.method, space_cells(scores));
    }
    table
}

fn space_cells(scores: &SpaceScores) -> Vec<Option<f64>> {
    let neighbours = scores.neighbours.as_ref();
    vec![
        Some(scores.dim as f64),
        neighbours.map(|scores| scores.balanced_accuracy),
        neighbours.map(|scores| scores.accuracy),
        neighbours.map(|scores| scores.macro_f1),
        scores.linear.as_ref().map(|scores| scores.balanced_accuracy),
        scores.silhouette,
        scores.r_squared,
        scores.adjusted_r_squared,
    ]
}

fn title_of_clustering(clustering: &Clustering) -> String {
    let Clustering { space, label, n_classes, .. } = clustering;
    format!("Components of {space} beside {label} ({n_classes} classes)")
}

fn groupings(clustering: &Clustering) -> Table {
    let mut table = Table::new(vec![
        Column::new("groups", Best::None, |n| format!("{n}")),
        Column::new("ARI train", Best::Highest, three),
        Column::new("NMI train", Best::Highest, three),
        Column::new("ARI", Best::Highest, three),
        Column::new("NMI", Best::Highest, three),
    ]);
    for scores in &clustering.methods {
        let ClusteringScores { n_groups, ari_training, nmi_training, ari, nmi, .. } = scores;
        let cells = [*n_groups as f64, *ari_training, *nmi_training, *ari, *nmi].map(Some);
        table.add(&scores.method, cells.to_vec());
    }
    table
}

fn add_verdict(text: &mut String, verdict: &Verdict, style: &Style) {
    let mark = match verdict.outcome {
        Outcome::Better => style.green("+"),
        Outcome::Level => style.yellow("="),
        Outcome::Worse => style.red("-"),
        Outcome::Undecided => style.faint("?"),
    };
    let _ = writeln!(text, "  {mark} {}", verdict.sentence);
}
