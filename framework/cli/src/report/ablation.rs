//! The ablation that a run belongs to, on its page: every metric of every variant, with verdicts.

use super::written::three;
use crate::ablate::comparison::{ComparedMetric, Comparison, MetricRow};
use crate::drawing::lettering::plain;
use anyhow::{Context, Result};
use serde::Serialize;
use std::path::{Path, PathBuf};

/// The part of the page.
#[derive(Debug, Serialize)]
pub struct AblationPart {
    lead: String,
    variants: Vec<String>,
    /// Title of a metric, and what each variant reaches.
    rows: Vec<(String, Vec<String>)>,
    notes: Vec<String>,
}

/// The ablation in a folder, or that of which a run is a cell (`cells/VARIANT/seed-N` of its folder); `None` where there is
/// none.
///
/// # Errors
/// When its numbers cannot be read.
pub fn ablation_of(run: &Path, named: Option<&Path>) -> Result<Option<Comparison>> {
    let of_cell = || -> Option<PathBuf> {
        let whole = run.canonicalize().ok()?;
        let study = whole.ancestors().nth(3)?.to_owned();
        (whole.ancestors().nth(2)?.file_name()? == "cells").then_some(study)
    };
    let path = match named {
        Some(folder) => folder.join("ablation.json"),
        None => match of_cell().map(|folder| folder.join("ablation.json")).filter(|path| path.is_file()) {
            Some(path) => path,
            None => return Ok(None),
        },
    };
    let text = std::fs::read_to_string(&path)
        .with_context(|| format!("`{}` cannot be read; `cithara ablate collect` writes it", path.display()))?;
    let found = serde_json::from_str(&text);
    found.map(Some).with_context(|| format!("`{}` is no result of an ablation of this version", path.display()))
}

impl AblationPart {
    /// The part of an ablation.
    pub fn of(found: &Comparison) -> AblationPart {
        let base = found.variants.first().map_or("", |variant| variant.name.as_str());
        let n_seeds = found.variants.iter().map(|variant| variant.runs.len()).max().unwrap_or(0);
        let of_variant = |metric: &ComparedMetric, variant: &str| {
            metric.rows.iter().find(|row| row.variant == variant).map_or_else(|| "–".to_owned(), cell)
        };
        let row = |metric: &ComparedMetric| {
            let arrow = if metric.higher_is_better { "↑" } else { "↓" };
            let cells = found.variants.iter().map(|variant| of_variant(metric, &variant.name)).collect();
            (format!("{} {arrow}", plain(&metric.title)), cells)
        };
        AblationPart {
            lead: format!(
                "{}: variants of {}, up to {n_seeds} seeds each; mean and standard deviation over seeds, and the verdict on the \
                 difference to it (paired t-test and equivalence test, Holm's correction over variants).",
                plain(&found.name),
                plain(base)
            ),
            variants: found.variants.iter().map(|variant| plain(&variant.name)).collect(),
            rows: found.metrics.iter().map(row).collect(),
            notes: found.notes.iter().map(|note| plain(note)).collect(),
        }
    }
}

fn cell(row: &MetricRow) -> String {
    let Some(mean) = row.mean else { return "–".to_owned() };
    let spread = row.sd.map_or_else(String::new, |sd| format!(" ± {}", three(Some(sd))));
    let verdict = row.difference.as_ref().map_or_else(String::new, |one| format!(", {}", one.verdict.word()));
    format!("{}{spread}{verdict}", three(Some(mean)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_run_of_a_study_knows_it() {
        let folder = tempfile::tempdir().unwrap();
        let run = folder.path().join("cells/base/seed-0");
        std::fs::create_dir_all(&run).unwrap();
        assert!(ablation_of(&run, None).unwrap().is_none());
        assert!(ablation_of(&run, Some(folder.path())).unwrap_err().to_string().contains("ablate collect"));
        let text = r#"{"name":"sizes","variants":[{"name":"base","changes":[],"runs":[]}],"metrics":[{"name":"a","title":"Pearson",
            "higher_is_better":true,"margin":null,"rows":[{"variant":"base","values":[[0,0.5]],"mean":0.5,"sd":null}]}]}"#;
        std::fs::write(folder.path().join("ablation.json"), text).unwrap();
        let found = ablation_of(&run, None).unwrap().unwrap();
        let part = AblationPart::of(&found);
        assert_eq!(
            (part.variants, part.rows),
            (vec!["base".to_owned()], vec![("Pearson ↑".to_owned(), vec!["0.500".into()])])
        );
        std::fs::write(folder.path().join("ablation.json"), "{}").unwrap();
        assert!(ablation_of(&run, None).is_err());
    }
}
