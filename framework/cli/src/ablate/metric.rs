//! Metrics by name: what `rna_to_protein.pearson` or `probe.shared.cell_type` is in the evaluation of a run.
//!
//! | name | what |
//! |---|---|
//! | `A_to_B.SCORE` | predictions of the modality B from A |
//! | `reconstruction.A.SCORE` | predictions of A from itself |
//! | `probe.SPACE.LABEL[.SCORE][.from_SOURCE]` | what a space knows of a label; from one encoder, or from all where nothing is said |
//! | `learned_rows.SPACE.LABEL[.SCORE]` | the same of the rows of step 1 |
//! | `clustering.LABEL.SCORE` | agreement of mixture components with a label: `ari`, `nmi`, `ari_training`, `nmi_training` |
//! | `mixing.COVARIATE` | 1 − silhouette of the classes of a covariate |
//! | `fit_secs`, `peak_memory_bytes` | what learning took |
//! | `total_secs` | what the run took; runs of an ablation's base judge controls, too |
//!
//! Scores are those of `evaluation.tsv`; `pearson`, `auprc`, `balanced_accuracy` and `linear` stand for the usual ones.

mod scores;
mod subjects;

pub use subjects::Subjects;

use super::numbers::{Line, Numbers};
use framework::component::Problem;

/// A metric whose name was understood.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Metric {
    /// Its name.
    pub name: String,
    /// What it is, in words.
    pub title: String,
    /// Whether larger values are better.
    pub higher_is_better: bool,
    of: Of,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Of {
    Evaluation(Wanted),
    FitSecs,
    TotalSecs,
    PeakMemory,
}

/// Fields of a line of `evaluation.tsv`.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
struct Wanted {
    section: &'static str,
    source: Option<String>,
    target: Option<String>,
    label: Option<String>,
    method: &'static str,
    /// The first of these that there is.
    scores: Vec<&'static str>,
}

impl Metric {
    /// The metric of a name, for runs like that of these subjects.
    ///
    /// # Errors
    /// What is wrong with the name, and what it could be.
    pub fn named(name: &str, subjects: &Subjects) -> Result<Metric, Problem> {
        let plain = |title: &str, of: Of| {
            Ok(Metric { name: name.to_owned(), title: title.to_owned(), higher_is_better: false, of })
        };
        match (name, name.split_once('.')) {
            ("fit_secs", _) => plain("seconds of learning", Of::FitSecs),
            ("total_secs", _) => plain("seconds of the whole run (of the base with controls)", Of::TotalSecs),
            ("peak_memory_bytes", _) => plain("most memory held until the model was learned, in bytes", Of::PeakMemory),
            (_, Some((first, rest))) => subjects.metric(name, first, rest),
            (_, None) => Err(refusal("is not known".to_owned(), &subjects.usual_metrics())),
        }
    }

    /// The metric's value in a run.
    ///
    /// # Errors
    /// Why the run has none.
    pub fn value(&self, numbers: &Numbers) -> Result<f64, String> {
        let told = |value: Option<f64>| value.ok_or_else(|| "the run does not tell".to_owned());
        match &self.of {
            Of::FitSecs => told(numbers.fit_secs),
            Of::TotalSecs => told(numbers.total_secs),
            Of::PeakMemory => told(numbers.peak_memory_bytes),
            Of::Evaluation(wanted) => wanted.find(&numbers.lines),
        }
    }
}

/// What is wrong with the name of a metric, and what there is.
fn refusal(message: String, known: &[String]) -> Problem {
    let known = if known.is_empty() { "there is none".to_owned() } else { format!("there are: {}", known.join(", ")) };
    Problem::new("", message).help(known)
}

/// Sources of rows that stand for a cell as a whole.
const WHOLE_CELL: [&str; 3] = ["combined", "mapped", "learned"];

impl Wanted {
    fn find(&self, lines: &[Line]) -> Result<f64, String> {
        let fits = |wanted: &Option<String>, found: &str| wanted.as_ref().is_none_or(|wanted| wanted == found);
        let of_subject: Vec<&Line> = (lines.iter())
            .filter(|line| line.section == self.section && line.method == self.method)
            .filter(|line| fits(&self.target, &line.target) && fits(&self.label, &line.label))
            .filter(|line| fits(&self.source, &line.source))
            .collect();
        if of_subject.is_empty() {
            return Err("the run's evaluation has no such part".to_owned());
        }
        let Some(score) = self.scores.iter().find(|score| of_subject.iter().any(|line| line.score == **score)) else {
            return Err(format!("the run's evaluation has no `{}` there", self.scores.join("` or `")));
        };
        let found: Vec<&&Line> = of_subject.iter().filter(|line| line.score == *score).collect();
        let whole = found.iter().find(|line| WHOLE_CELL.contains(&line.source.as_str()));
        match (found.as_slice(), whole) {
            ([one], _) => Ok(one.value),
            (_, Some(line)) => Ok(line.value),
            _ => {
                let sources: Vec<String> = found.iter().map(|line| format!("`.from_{}`", line.source)).collect();
                Err(format!("rows come from several modalities: add {}", sources.join(" or ")))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use framework::spec::Experiment;

    fn experiment() -> Experiment {
        let text = "spec_version = 1\n[data]\npath = \"x.h5mu\"\nlabel = \"cell_type\"\n[modality.rna]\n[modality.atac]\n\
                    [model]\nkind = \"dgd\"\ncovariates = [\"batch\"]\n";
        let catalogue = registry::Catalogue::linked().unwrap();
        let path = std::path::Path::new("spec.toml");
        registry::read(&registry::Written { path, text, overrides: &[] }, &catalogue).unwrap()
    }

    fn line(fields: [&str; 6], value: f64) -> Line {
        let [section, source, target, label, method, score] = fields.map(str::to_owned);
        Line { section, source, target, label, method, score, value }
    }

    fn value(name: &str, lines: &[Line]) -> Result<f64, String> {
        let metric = Metric::named(name, &Subjects::of(&experiment())).map_err(|problem| problem.message)?;
        metric.value(&Numbers { lines: lines.to_vec(), total_secs: Some(9.0), ..Numbers::default() })
    }

    #[test]
    fn names_find_their_lines() {
        let accuracy = "neighbours_balanced_accuracy";
        let lines = [
            line(["cross_prediction", "rna", "atac", "", "model", "rmse"], 0.1),
            line(["cross_prediction", "rna", "atac", "", "ridge", "rmse"], 0.2),
            line(["cross_prediction", "atac", "rna", "", "model", "pearson_by_feature_mean"], 0.3),
            line(["reconstruction", "rna", "rna", "", "model", "auprc_by_feature_mean"], 0.4),
            line(["probe", "rna", "shared", "cell_type", "model", accuracy], 0.5),
            line(["probe", "combined", "shared", "cell_type", "model", accuracy], 0.6),
            line(["probe", "rna", "all", "cell_type", "model", accuracy], 0.65),
            line(["probe", "atac", "all", "cell_type", "model", accuracy], 0.66),
            line(["clustering", "", "shared", "cell_type", "components", "ari"], 0.7),
            line(["clustering", "", "shared", "batch", "rows", "one_minus_silhouette"], 0.8),
        ];
        for (name, expected) in [
            ("rna_to_atac.rmse", 0.1),
            ("atac_to_rna.pearson", 0.3),
            ("reconstruction.rna.auprc", 0.4),
            ("probe.shared.cell_type", 0.6),
            ("probe.shared.cell_type.from_rna", 0.5),
            ("probe.shared.cell_type.balanced_accuracy.from_rna", 0.5),
            ("clustering.cell_type", 0.7),
            ("mixing.batch", 0.8),
            ("total_secs", 9.0),
        ] {
            assert_eq!(value(name, &lines), Ok(expected), "{name}");
        }
        for (name, said) in [
            ("rna_to_atac.pearson", "has no `pearson_by_feature_mean` there"),
            ("learned_rows.shared.cell_type", "has no such part"),
            ("probe.all.cell_type", "add `.from_rna` or `.from_atac`"),
            ("fit_secs", "does not tell"),
        ] {
            assert!(value(name, &lines).is_err_and(|found| found.contains(said)), "{name}: {:?}", value(name, &lines));
        }
    }

    #[test]
    fn names_that_mean_nothing_are_refused() {
        for (name, said) in [
            ("rna_to_protein.rmse", "is not known"),
            ("nonsense", "is not known"),
            ("rna_to_atac.beauty", "asks for the score `beauty`, which predictions do not have"),
            ("reconstruction.protein.rmse", "the modality `protein`, which the spec does not have"),
            ("probe.hidden.cell_type", "the space `hidden`, which the model does not have"),
            ("probe.shared.cell_types", "the label `cell_types`, which the spec does not name"),
            ("probe.shared.cell_type.from_protein", "from `protein`, which is no modality"),
            ("mixing.donor", "the covariate `donor`"),
            ("clustering.cell_type.beauty", "which groupings do not have"),
        ] {
            assert!(value(name, &[]).is_err_and(|found| found.contains(said)), "{name}: {:?}", value(name, &[]));
        }
    }

    #[test]
    fn usual_metrics_are_metrics() {
        let subjects = Subjects::of(&experiment());
        let names = subjects.usual_metrics();
        assert!(names.contains(&"mixing.batch".to_owned()) && names.contains(&"rna_to_atac.pearson".to_owned()));
        assert!(names.iter().all(|name| Metric::named(name, &subjects).is_ok()), "{names:?}");
        let is_up = |name: &str| Metric::named(name, &subjects).unwrap().higher_is_better;
        assert!(is_up("rna_to_atac.auprc") && !is_up("rna_to_atac.rmse") && !is_up("peak_memory_bytes"));
    }
}
