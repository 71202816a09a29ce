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
//! | `fit_secs`, `total_secs`, `peak_memory_bytes` | what the run took |
//!
//! Scores are those of `evaluation.tsv`; `pearson`, `auprc`, `balanced_accuracy` and `linear` stand for the usual ones.

use super::numbers::{Line, Numbers};
use framework::component::Problem;
use framework::spec::{Experiment, ModelKind};

/// What an experiment has that metrics can be of.
#[derive(Debug, Clone, Default)]
pub struct Subjects {
    modalities: Vec<String>,
    labels: Vec<String>,
    covariates: Vec<String>,
    spaces: Vec<String>,
    is_grouped: bool,
    is_apollo: bool,
}

impl Subjects {
    /// Those of an experiment.
    pub fn of(experiment: &Experiment) -> Subjects {
        let evaluate = &experiment.evaluate.labels;
        let labels =
            if evaluate.is_empty() { experiment.data.label.iter().cloned().collect() } else { evaluate.clone() };
        let mut spaces: Vec<String> = experiment.latents.keys().cloned().collect();
        spaces.extend(["specific".to_owned(), "all".to_owned()]);
        Subjects {
            modalities: experiment.modalities.keys().cloned().collect(),
            covariates: experiment.latents.values().filter_map(|latent| latent.covariate.clone()).collect(),
            labels,
            spaces,
            is_grouped: experiment.model.kind == ModelKind::Dgd,
            is_apollo: experiment.model.kind == ModelKind::Apollo,
        }
    }

    /// Metrics that are compared where none is named: predictions of each modality from each other (or from itself where there
    /// is one only), what the shared space knows of labels, how components agree with them, time and memory.
    pub fn usual_metrics(&self) -> Vec<String> {
        let mut names = Vec::new();
        for source in &self.modalities {
            for target in &self.modalities {
                if source != target {
                    names.extend(["pearson", "rmse"].map(|score| format!("{source}_to_{target}.{score}")));
                } else if self.modalities.len() == 1 {
                    names.push(format!("reconstruction.{source}.pearson"));
                }
            }
        }
        if let Some(space) = self.spaces.first() {
            names.extend(self.labels.iter().map(|label| format!("probe.{space}.{label}")));
            if self.is_apollo {
                names.extend(self.labels.iter().map(|label| format!("learned_rows.{space}.{label}.silhouette")));
            }
        }
        if self.is_grouped {
            let of = |label: &String| ["ari_training", "ari"].map(|score| format!("clustering.{label}.{score}"));
            names.extend(self.labels.iter().flat_map(of));
            names.extend(self.covariates.iter().map(|covariate| format!("mixing.{covariate}")));
        }
        names.extend(["total_secs", "peak_memory_bytes"].map(str::to_owned));
        names
    }
}

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
    scores: Vec<String>,
}

/// Scores of predictions, as metrics call them and as the evaluation does.
const PREDICTION_SCORES: [(&str, &str, &str); 7] = [
    ("pearson", "pearson_by_feature_mean", "Pearson correlation by feature, mean"),
    ("pearson_median", "pearson_by_feature_median", "Pearson correlation by feature, median"),
    ("pearson_by_cell", "pearson_by_cell_mean", "Pearson correlation by cell, mean"),
    ("rmse", "rmse", "root mean squared error"),
    ("auprc", "auprc_by_feature_mean", "area under precision–recall by feature, mean"),
    ("auprc_pooled", "auprc_pooled", "area under precision–recall, pooled"),
    ("pearson_by_cell_median", "pearson_by_cell_median", "Pearson correlation by cell, median"),
];

/// Scores of probes, likewise.
const PROBE_SCORES: [(&str, &str, &str); 8] = [
    ("balanced_accuracy", "neighbours_balanced_accuracy", "balanced accuracy of nearest neighbours"),
    ("accuracy", "neighbours_accuracy", "accuracy of nearest neighbours"),
    ("macro_f1", "neighbours_macro_f1", "macro F1 of nearest neighbours"),
    ("linear", "linear_balanced_accuracy", "balanced accuracy of logistic regression"),
    ("linear_accuracy", "linear_accuracy", "accuracy of logistic regression"),
    ("silhouette", "silhouette", "silhouette"),
    ("r_squared", "r_squared", "R² of a linear fit"),
    ("adjusted_r_squared", "adjusted_r_squared", "adjusted R² of a linear fit"),
];

const CLUSTERING_SCORES: [(&str, &str, &str); 5] = [
    ("ari", "ari", "adjusted Rand index, judged cells"),
    ("nmi", "nmi", "normalised mutual information, judged cells"),
    ("ari_training", "ari_training", "adjusted Rand index, training cells"),
    ("nmi_training", "nmi_training", "normalised mutual information, training cells"),
    ("n_groups", "n_groups", "components in use"),
];

impl Metric {
    /// The metric of a name, for runs like that of these subjects.
    ///
    /// # Errors
    /// What is wrong with the name, and what it could be.
    pub fn named(name: &str, subjects: &Subjects) -> Result<Metric, Problem> {
        let plain = |title: &str, of: Of| {
            Ok(Metric { name: name.to_owned(), title: title.to_owned(), higher_is_better: false, of })
        };
        let wrong = |message: String, known: &[String]| Err(Problem::new("", message).help(list(known)));
        match name.split_once('.') {
            None if name == "fit_secs" => plain("seconds of learning", Of::FitSecs),
            None if name == "total_secs" => plain("seconds of the whole run", Of::TotalSecs),
            None if name == "peak_memory_bytes" => plain("most memory held, in bytes", Of::PeakMemory),
            Some(("reconstruction", rest)) => {
                subjects.prediction(name, rest, &|of| Some((of.to_owned(), of.to_owned())))
            }
            Some(("probe", rest)) => subjects.probe(name, "probe", rest),
            Some(("learned_rows", rest)) => subjects.probe(name, "learned_rows", rest),
            Some(("clustering", rest)) => subjects.clustering(name, rest),
            Some(("mixing", covariate)) if subjects.covariates.iter().any(|known| known == covariate) => {
                Ok(subjects.mixing(name, covariate))
            }
            Some(("mixing", covariate)) => {
                wrong(format!("is of the covariate `{covariate}`, which the model does not have"), &subjects.covariates)
            }
            Some((pair, _)) if subjects.pair(pair).is_some() => {
                subjects.prediction(name, name, &|of| subjects.pair(of))
            }
            _ => wrong("is not known".to_owned(), &subjects.usual_metrics()),
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

/// Advice that lists what there is.
fn list(known: &[String]) -> String {
    if known.is_empty() { "there is none".to_owned() } else { format!("there are: {}", known.join(", ")) }
}

fn scores_of(scores: &[(&str, &str, &str)]) -> Vec<String> {
    scores.iter().map(|(name, _, _)| (*name).to_owned()).collect()
}

/// A score of a list by its short or its full name: full name and title.
fn score(scores: &[(&'static str, &'static str, &'static str)], name: &str) -> Option<(&'static str, &'static str)> {
    scores.iter().find(|(short, full, _)| *short == name || *full == name).map(|(_, full, title)| (*full, *title))
}

impl Subjects {
    /// Source and target of `A_to_B`.
    fn pair(&self, text: &str) -> Option<(String, String)> {
        let of = |source: &String| -> Option<(String, String)> {
            let target = text.strip_prefix(source.as_str())?.strip_prefix("_to_")?;
            let known = target != source && self.modalities.iter().any(|known| known == target);
            known.then(|| (source.clone(), target.to_owned()))
        };
        self.modalities.iter().find_map(of)
    }

    /// `SUBJECT.SCORE`, where the subject is a pair of modalities.
    fn prediction(
        &self,
        name: &str,
        rest: &str,
        pair: &dyn Fn(&str) -> Option<(String, String)>,
    ) -> Result<Metric, Problem> {
        let (subject, written) = rest.split_once('.').unwrap_or((rest, "pearson"));
        let known = |name: &String| self.modalities.contains(name);
        let Some((source, target)) = pair(subject).filter(|(source, target)| known(source) && known(target)) else {
            let message = format!("is of the modality `{subject}`, which the spec does not have");
            return Err(Problem::new("", message).help(list(&self.modalities)));
        };
        let Some((full, title)) = score(&PREDICTION_SCORES, written) else {
            let message = format!("asks for the score `{written}`, which predictions do not have");
            return Err(Problem::new("", message).help(list(&scores_of(&PREDICTION_SCORES))));
        };
        let section = if source == target { "reconstruction" } else { "cross_prediction" };
        let subject = if source == target { format!("{source} from itself") } else { format!("{source} → {target}") };
        let wanted = Wanted {
            section,
            source: Some(source),
            target: Some(target),
            label: None,
            method: "model",
            scores: vec![full.to_owned()],
        };
        Ok(Metric {
            name: name.to_owned(),
            title: format!("{subject}: {title}"),
            higher_is_better: full != "rmse",
            of: Of::Evaluation(wanted),
        })
    }

    /// `SPACE.LABEL[.SCORE][.from_SOURCE]`.
    fn probe(&self, name: &str, section: &'static str, rest: &str) -> Result<Metric, Problem> {
        let wrong = |message: String, known: &[String]| Err(Problem::new("", message).help(list(known)));
        let (space, rest) = rest.split_once('.').unwrap_or((rest, ""));
        if !self.spaces.iter().any(|known| known == space) {
            return wrong(format!("is of the space `{space}`, which the model does not have"), &self.spaces);
        }
        let is_label = |label: &&String| {
            rest == *label || rest.strip_prefix(label.as_str()).is_some_and(|end| end.starts_with('.'))
        };
        let Some(label) = self.labels.iter().find(is_label) else {
            return wrong(format!("is of the label `{rest}`, which the spec does not name"), &self.labels);
        };
        let mut parts: Vec<&str> = rest[label.len()..].split('.').filter(|part| !part.is_empty()).collect();
        let source = parts.last().and_then(|part| part.strip_prefix("from_")).map(str::to_owned);
        if let Some(source) = &source {
            parts.pop();
            if !self.modalities.contains(source) {
                return wrong(format!("is from `{source}`, which is no modality of the spec"), &self.modalities);
            }
        }
        let (scores, title) = match parts.as_slice() {
            [] => (vec!["neighbours_balanced_accuracy".to_owned(), "r_squared".to_owned()], PROBE_SCORES[0].2),
            [one] if score(&PROBE_SCORES, one).is_some() => {
                let (full, title) = score(&PROBE_SCORES, one).unwrap_or_default();
                (vec![full.to_owned()], title)
            }
            other => {
                let message = format!("asks for the score `{}`, which probes do not have", other.join("."));
                return wrong(message, &scores_of(&PROBE_SCORES));
            }
        };
        let from = source.as_ref().map(|source| format!(" from {source}")).unwrap_or_default();
        let rows = if section == "probe" { "space" } else { "learned rows of" };
        let wanted = Wanted {
            section,
            source,
            target: Some(space.to_owned()),
            label: Some(label.clone()),
            method: "model",
            scores,
        };
        Ok(Metric {
            name: name.to_owned(),
            title: format!("{label} in the {rows} {space}{from}: {title}"),
            higher_is_better: true,
            of: Of::Evaluation(wanted),
        })
    }

    /// `LABEL.SCORE`.
    fn clustering(&self, name: &str, rest: &str) -> Result<Metric, Problem> {
        let (label, written) = rest.rsplit_once('.').unwrap_or((rest, "ari"));
        if !self.labels.iter().any(|known| known == label) {
            let message = format!("is of the label `{label}`, which the spec does not name");
            return Err(Problem::new("", message).help(list(&self.labels)));
        }
        let Some((full, title)) = score(&CLUSTERING_SCORES, written) else {
            let message = format!("asks for the score `{written}`, which groupings do not have");
            return Err(Problem::new("", message).help(list(&scores_of(&CLUSTERING_SCORES))));
        };
        let wanted = Wanted {
            section: "clustering",
            label: Some(label.to_owned()),
            method: "components",
            scores: vec![full.to_owned()],
            ..Wanted::default()
        };
        Ok(Metric {
            name: name.to_owned(),
            title: format!("components and {label}: {title}"),
            higher_is_better: true,
            of: Of::Evaluation(wanted),
        })
    }

    fn mixing(&self, name: &str, covariate: &str) -> Metric {
        let wanted = Wanted {
            section: "clustering",
            label: Some(covariate.to_owned()),
            method: "rows",
            scores: vec!["one_minus_silhouette".to_owned()],
            ..Wanted::default()
        };
        Metric {
            name: name.to_owned(),
            title: format!("classes of {covariate} mixed: 1 − silhouette"),
            higher_is_better: true,
            of: Of::Evaluation(wanted),
        }
    }
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
