//! How well each space joins the classes of a covariate and keeps a label apart, beside controls.

use crate::run::SpaceRows;
use analysis::{Integration, IntegrationReport, Labels};
use anyhow::{Context, Result};
use framework::spec::Experiment;
use serde::Serialize;
use std::collections::BTreeSet;
use tch::Tensor;

/// Fewer cells cannot be judged: neighbourhoods hold up to 90.
const MIN_CELLS: usize = 100;

/// All spaces judged by a label and a covariate.
#[derive(Debug, Serialize)]
pub struct Integrated {
    /// The label, such as the cell type.
    pub label: String,
    /// The covariate, such as the batch.
    pub covariate: String,
    /// The spaces, then controls.
    pub rows: Vec<IntegratedSpace>,
    /// Spaces that could not be judged, and why.
    pub notes: Vec<String>,
}

/// One space judged.
#[derive(Debug, Serialize)]
pub struct IntegratedSpace {
    /// The space, or the control.
    pub name: String,
    /// Whether it is a control.
    pub is_control: bool,
    /// Whether it stands for the covariate, and so is meant to keep its classes apart.
    pub is_of_covariate: bool,
    /// What was found.
    pub report: IntegrationReport,
}

/// Rows to be judged.
pub struct Candidate<'a> {
    /// Their name.
    pub name: String,
    /// Whether they are a control.
    pub is_control: bool,
    /// The covariate that the space stands for.
    pub covariate: Option<&'a str>,
    /// Cells of the run.
    pub cells: &'a [usize],
    /// Their rows.
    pub rows: &'a Tensor,
}

impl<'a> Candidate<'a> {
    /// A space of the model.
    pub fn of_space(space: &'a SpaceRows) -> Candidate<'a> {
        Candidate {
            name: space.facts.name.clone(),
            is_control: false,
            covariate: space.facts.covariate.as_deref(),
            cells: &space.cells,
            rows: &space.rows,
        }
    }
}

impl Candidate<'_> {
    /// Rows, labels and batches of the cells that have both.
    fn known(
        &self,
        labels: &[Option<String>],
        batches: &[Option<String>],
    ) -> Result<(Tensor, Vec<String>, Vec<String>)> {
        let has_both = |row: &usize| labels[self.cells[*row]].is_some() && batches[self.cells[*row]].is_some();
        let known: Vec<usize> = (0..self.cells.len()).filter(has_both).collect();
        let of = |column: &[Option<String>]| known.iter().filter_map(|&row| column[self.cells[row]].clone()).collect();
        let places = Tensor::from_slice(&known.iter().map(|&row| row as i64).collect::<Vec<_>>());
        Ok((self.rows.f_index_select(0, &places)?, of(labels), of(batches)))
    }
}

/// Columns of obs that say where a cell comes from: covariates of latent spaces, and the groups that the split keeps whole.
pub fn covariates(experiment: &Experiment) -> Vec<String> {
    let of_spaces = experiment.latents.values().filter_map(|latent| latent.covariate.clone());
    let mut columns: Vec<String> = of_spaces.chain(experiment.data.split.group_by.clone()).collect();
    let mut met = BTreeSet::new();
    columns.retain(|column| met.insert(column.clone()));
    columns
}

/// Values of all cells of a run.
pub type Column<'a> = (&'a str, &'a [Option<String>]);

/// Judges candidates on those of their cells that have a label and a covariate.
///
/// # Errors
/// When rows are not finite.
pub fn integrated(
    candidates: &[Candidate<'_>],
    (label, labels): Column<'_>,
    (covariate, batches): Column<'_>,
    seed: u64,
) -> Result<Integrated> {
    let mut found =
        Integrated { label: label.to_owned(), covariate: covariate.to_owned(), rows: Vec::new(), notes: Vec::new() };
    for candidate in candidates {
        let (space, labels, batches) = candidate.known(labels, batches)?;
        let n_different = |values: &[String]| values.iter().collect::<BTreeSet<_>>().len();
        let counts = [labels.len(), n_different(&labels), n_different(&batches)];
        if counts[0] < MIN_CELLS || counts[1] < 2 || counts[2] < 2 {
            let [n_cells, n_labels, n_classes] = counts;
            let told = format!("{n_cells} cells with {n_labels} labels and {n_classes} classes of {covariate}");
            found.notes.push(format!("{}: {told}; at least {MIN_CELLS}, 2 and 2 are needed", candidate.name));
            continue;
        }
        let (labels, batches) = (Labels::encode(&labels)?.codes, Labels::encode(&batches)?.codes);
        let judged = Integration { space: &space, labels: &labels, batches: &batches, before: None };
        found.rows.push(IntegratedSpace {
            name: candidate.name.clone(),
            is_control: candidate.is_control,
            is_of_covariate: candidate.covariate == Some(covariate),
            report: judged.report(seed).with_context(|| format!("integration metrics of {}", candidate.name))?,
        });
    }
    Ok(found)
}

/// A metric of a report and what it says; all are better when higher.
pub type Metric = (&'static str, &'static str, fn(&IntegrationReport) -> Option<f64>);

/// The metrics in the order of the table.
pub const METRICS: [Metric; 13] = [
    ("isolated labels", "label", |report| report.isolated_labels),
    ("k‑means NMI", "label", |report| {
        report.k_means.as_ref().map(|found| found.agreement.normalised_mutual_information)
    }),
    ("k‑means ARI", "label", |report| report.k_means.as_ref().map(|found| found.agreement.adjusted_rand)),
    ("Leiden ARI", "label", |report| report.leiden.as_ref().map(|found| found.agreement.adjusted_rand)),
    ("ASW label", "label", |report| report.silhouette_label),
    ("cLISI", "label", |report| report.clisi),
    ("BRAS", "covariate", |report| report.bras),
    ("iLISI", "covariate", |report| report.ilisi),
    ("kBET", "covariate", |report| report.kbet),
    ("graph connectivity", "covariate", |report| report.graph_connectivity),
    ("label kept", "mean", |report| report.bio_conservation),
    ("covariate joined", "mean", |report| report.batch_correction),
    ("total", "mean", |report| report.total),
];

/// The label of all cells, where the run has one of classes.
pub fn label_of(experiment: &Experiment) -> Option<&str> {
    experiment.data.label.as_deref().or_else(|| experiment.evaluate.labels.first().map(String::as_str))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::evaluate::random_rows;

    fn some(texts: impl Iterator<Item = &'static str>) -> Vec<Option<String>> {
        texts.map(|text| Some(text.to_owned())).collect()
    }

    #[test]
    fn spaces_that_keep_labels_apart_beat_random_ones() {
        let cells: Vec<usize> = (0..240).collect();
        let labels = some(cells.iter().map(|cell| if cell % 2 == 0 { "T" } else { "B" }));
        let batches = some(cells.iter().map(|cell| if cell % 3 == 0 { "one" } else { "two" }));
        let noise = random_rows(240, 3, 1);
        let shift: Vec<f64> = cells.iter().map(|cell| 20.0 * (cell % 2) as f64).collect();
        let apart = &noise + Tensor::from_slice(&shift).view([240, 1]);
        let candidate = |name: &str, rows, is_control| Candidate {
            name: name.to_owned(),
            is_control,
            covariate: None,
            cells: &cells,
            rows,
        };
        let candidates = [candidate("shared", &apart, false), candidate("random", &noise, true)];
        let found = integrated(&candidates, ("type", &labels), ("batch", &batches), 0).unwrap();
        let kept: Vec<f64> = found.rows.iter().map(|row| row.report.bio_conservation.unwrap()).collect();
        assert!(kept[0] > 0.8 && kept[1] < 0.6, "{kept:?}");
        let few = integrated(&candidates[..1], ("type", &labels), ("batch", &vec![None; 240]), 0).unwrap();
        assert!(few.rows.is_empty() && few.notes[0].contains("0 cells"));
    }
}
