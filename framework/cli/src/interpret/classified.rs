//! Which features a classifier of a label misses when it is not told them.

use super::features::FeatureTable;
use super::knowledge::LabelColumn;
use super::splits::splits;
use analysis::{CellSplit, FeatureAblation, FeatureClassifier, Labels, Matrix, block_rows, feature_ablation};
use anyhow::{Context, Result};
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;
use std::fmt::Write as _;
use tch::{Kind, Tensor};

/// More features are not left out one by one.
pub const MAX_CLASSIFIED: usize = 200;

/// A classifier of a label by the features of a table.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Classified {
    /// The table of features.
    pub features: String,
    /// The column of obs.
    pub label: String,
    /// Classes.
    pub n_classes: usize,
    /// Cells.
    pub n_cells: usize,
    /// What classifies, in words.
    pub classifier: String,
    /// Balanced accuracy in the test cells of each split, all features told.
    pub full: Vec<f64>,
    /// What is lost without each feature, the greatest loss first.
    pub losses: Vec<Loss>,
}

/// What is lost without a feature.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Loss {
    /// The feature.
    pub feature: String,
    /// Mean balanced accuracy without it.
    pub without: f64,
    /// Mean accuracy with all features less that without this one.
    pub loss: f64,
    /// P-value of the loss (Nadeau and Bengio 2003), where it varies over splits.
    pub p: Option<f64>,
    /// False discovery rate over the features.
    pub q: Option<f64>,
}

/// How labels are classified.
#[derive(Debug)]
pub struct Classify<'a> {
    /// What tells labels from features.
    pub classifier: FeatureClassifier,
    /// Splits, each with a fifth of the cells (or of the groups) for the test.
    pub n_repeats: usize,
    /// Groups of cells that are held out as a whole.
    pub groups: Option<&'a [Option<u32>]>,
}

impl Classify<'_> {
    /// Classifies a label with all features of a table, and without each; `Err` of the inner result says why not.
    ///
    /// # Errors
    /// When a number is not finite.
    pub fn classified(
        &self,
        table: &FeatureTable,
        (label, column): &LabelColumn,
    ) -> Result<std::result::Result<Classified, String>> {
        let n_features = table.names.len();
        if !(2..=MAX_CLASSIFIED).contains(&n_features) {
            return Ok(Err(format!("{n_features} features; from 2 to {MAX_CLASSIFIED} are left out one by one")));
        }
        let is_grouped = |cell: usize| self.groups.is_none_or(|groups| groups[cell].is_some());
        let known: Vec<usize> = (0..table.cells.len())
            .filter(|&row| column[table.cells[row]].is_some() && is_grouped(table.cells[row]))
            .collect();
        let present: Vec<&str> = known.iter().filter_map(|&row| column[table.cells[row]].as_deref()).collect();
        if present.iter().collect::<BTreeSet<_>>().len() < 2 {
            return Ok(Err(format!("`{label}` has fewer than two classes among them")));
        }
        let Labels { names, codes } = Labels::encode(&present)?;
        let groups: Option<Vec<u32>> =
            self.groups.map(|groups| known.iter().filter_map(|&row| groups[table.cells[row]]).collect());
        if groups.as_ref().is_some_and(|groups| groups.iter().collect::<BTreeSet<_>>().len() < 2) {
            return Ok(Err("they are of one group, so that none can be held out".to_owned()));
        }
        let mut splits = splits(known.len(), groups.as_deref(), self.n_repeats)?;
        let n_learned = |split: &CellSplit| split.train.iter().map(|&cell| codes[cell]).collect::<BTreeSet<_>>().len();
        splits.retain(|split| n_learned(split) > 1);
        if splits.is_empty() {
            return Ok(Err(format!("no split leaves two classes of `{label}` to learn from")));
        }
        let rows = dense(&table.matrix()?, &known, n_features)?;
        let found = feature_ablation(&rows, &codes, &splits, self.classifier)
            .with_context(|| format!("`{label}` by features of {}", table.name))?;
        Ok(Ok(Classified {
            features: table.name.clone(),
            label: label.clone(),
            n_classes: names.len(),
            n_cells: known.len(),
            classifier: self.words(),
            losses: losses(&found, &table.names),
            full: found.full,
        }))
    }

    fn words(&self) -> String {
        match self.classifier {
            FeatureClassifier::Logistic(inverse_penalty) => format!("logistic regression, C {inverse_penalty}"),
            FeatureClassifier::Network(spec) => format!("network with a hidden layer of {} units", spec.width),
        }
    }
}

fn dense(matrix: &Matrix<'_>, rows: &[usize], n_columns: usize) -> Result<Tensor> {
    let blocks = rows.chunks(block_rows(n_columns)).map(|block| Ok(matrix.rows(block)?.to_kind(Kind::Double)));
    Ok(Tensor::f_cat(&blocks.collect::<Result<Vec<_>>>()?, 0)?)
}

fn losses(found: &FeatureAblation, names: &[String]) -> Vec<Loss> {
    let mut losses: Vec<Loss> = (found.features.iter().zip(names))
        .map(|(one, feature)| Loss {
            feature: feature.clone(),
            without: one.without.iter().sum::<f64>() / one.without.len().max(1) as f64,
            loss: one.loss,
            p: one.p,
            q: one.q,
        })
        .collect();
    losses.sort_by(|left, right| right.loss.total_cmp(&left.loss).then(left.feature.cmp(&right.feature)));
    losses
}

impl Classified {
    /// Mean balanced accuracy with all features.
    pub fn accuracy(&self) -> f64 {
        self.full.iter().sum::<f64>() / self.full.len().max(1) as f64
    }
}

/// All classifiers as a table, a line per feature left out.
pub fn table(all: &[Classified]) -> String {
    let mut text = String::from("features\tlabel\tclassifier\tn_cells\tn_splits\tfull\tfeature\twithout\tloss\tp\tq\n");
    let written = |value: Option<f64>| value.map_or_else(String::new, |value| format!("{value:.3e}"));
    for one in all {
        for loss in &one.losses {
            let _ = writeln!(
                text,
                "{}\t{}\t{}\t{}\t{}\t{:.6}\t{}\t{:.6}\t{:.6}\t{}\t{}",
                one.features,
                one.label,
                one.classifier,
                one.n_cells,
                one.full.len(),
                one.accuracy(),
                loss.feature,
                loss.without,
                loss.loss,
                written(loss.p),
                written(loss.q)
            );
        }
    }
    text
}

/// All classifiers in a few lines.
pub fn summary(all: &[Classified]) -> String {
    let mut text = String::new();
    for one in all {
        let (accuracy, n_splits, chance) = (one.accuracy(), one.full.len(), 1.0 / one.n_classes as f64);
        let _ = writeln!(
            text,
            "\n{} by {} features of {}, {}: balanced accuracy {accuracy:.3} in test cells of {n_splits} splits (chance {chance:.3})",
            one.label,
            one.losses.len(),
            one.features,
            one.classifier
        );
        for loss in one.losses.iter().take(5) {
            let q = loss.q.map_or_else(|| "–".to_owned(), |q| format!("{q:.1e}"));
            let _ = writeln!(text, "    without {}: {:+.3} (q {q})", loss.feature, -loss.loss);
        }
    }
    text
}
