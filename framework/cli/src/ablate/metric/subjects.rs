//! What an experiment has that metrics can be of, and how their names are read.

use super::scores::{CLUSTERING_SCORES, PREDICTION_SCORES, PROBE_SCORES, named, usual_probe_scores};
use super::{Metric, Of, Wanted, refusal};
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
        names.extend(["fit_secs", "peak_memory_bytes"].map(str::to_owned));
        names
    }
}

impl Subjects {
    /// The metric of a name with a dot: its first part says what it is of.
    pub(super) fn metric(&self, name: &str, first: &str, rest: &str) -> Result<Metric, Problem> {
        match first {
            "reconstruction" => self.reconstruction(name, rest),
            "probe" => self.probe(name, "probe", rest),
            "learned_rows" => self.probe(name, "learned_rows", rest),
            "clustering" => self.clustering(name, rest),
            "mixing" => self.mixing(name, rest),
            pair => match self.pair(pair) {
                Some(pair) => prediction(name, pair, rest),
                None => Err(refusal("is not known".to_owned(), &self.usual_metrics())),
            },
        }
    }

    /// Source and target of `A_to_B`.
    fn pair(&self, text: &str) -> Option<(String, String)> {
        let of = |source: &String| -> Option<(String, String)> {
            let target = text.strip_prefix(source.as_str())?.strip_prefix("_to_")?;
            let is_known = target != source && self.modalities.iter().any(|known| known == target);
            is_known.then(|| (source.clone(), target.to_owned()))
        };
        self.modalities.iter().find_map(of)
    }

    /// `A[.SCORE]`.
    fn reconstruction(&self, name: &str, rest: &str) -> Result<Metric, Problem> {
        let (modality, score) = rest.split_once('.').unwrap_or((rest, "pearson"));
        if !self.modalities.iter().any(|known| known == modality) {
            let message = format!("is of the modality `{modality}`, which the spec does not have");
            return Err(refusal(message, &self.modalities));
        }
        prediction(name, (modality.to_owned(), modality.to_owned()), score)
    }

    /// `SPACE.LABEL[.SCORE][.from_SOURCE]`.
    fn probe(&self, name: &str, section: &'static str, rest: &str) -> Result<Metric, Problem> {
        let (space, rest) = rest.split_once('.').unwrap_or((rest, ""));
        if !self.spaces.iter().any(|known| known == space) {
            return Err(refusal(format!("is of the space `{space}`, which the model does not have"), &self.spaces));
        }
        let (label, rest) = self.label(rest)?;
        let (score, source) = match rest.split_once("from_") {
            Some((score, source)) => (score.trim_end_matches('.'), Some(source.to_owned())),
            None => (rest, None),
        };
        if let Some(source) = source.as_ref().filter(|source| !self.modalities.contains(source)) {
            return Err(refusal(format!("is from `{source}`, which is no modality of the spec"), &self.modalities));
        }
        let (scores, title) = match score {
            "" => usual_probe_scores(),
            written => named(&PROBE_SCORES, written, "probes").map(|(full, title)| (vec![full], title))?,
        };
        let from = source.as_ref().map(|source| format!(" from {source}")).unwrap_or_default();
        let rows = if section == "probe" { "space" } else { "learned rows of" };
        let title = format!("{label} in the {rows} {space}{from}: {title}");
        let target = Some(space.to_owned());
        Ok(evaluated(name, title, Wanted { section, source, target, label: Some(label), method: "model", scores }))
    }

    /// The label that a text begins with, and what follows its dot.
    fn label<'t>(&self, text: &'t str) -> Result<(String, &'t str), Problem> {
        let after = |label: &String| match text.strip_prefix(label.as_str()) {
            Some("") => Some((label.clone(), "")),
            Some(rest) => rest.strip_prefix('.').map(|rest| (label.clone(), rest)),
            None => None,
        };
        let message = || format!("is of the label `{text}`, which the spec does not name");
        self.labels.iter().find_map(after).ok_or_else(|| refusal(message(), &self.labels))
    }

    /// `LABEL[.SCORE]`.
    fn clustering(&self, name: &str, rest: &str) -> Result<Metric, Problem> {
        let (label, score) = self.label(rest)?;
        let (full, title) = named(&CLUSTERING_SCORES, if score.is_empty() { "ari" } else { score }, "groupings")?;
        let title = format!("components and {label}: {title}");
        Ok(evaluated(name, title, of_grouping("components", label, full)))
    }

    fn mixing(&self, name: &str, covariate: &str) -> Result<Metric, Problem> {
        if !self.covariates.iter().any(|known| known == covariate) {
            let message = format!("is of the covariate `{covariate}`, which the model does not have");
            return Err(refusal(message, &self.covariates));
        }
        let title = format!("classes of {covariate} mixed: 1 − silhouette");
        Ok(evaluated(name, title, of_grouping("rows", covariate.to_owned(), "one_minus_silhouette")))
    }
}

/// A score of predictions; from itself where source and target are the same.
fn prediction(name: &str, (source, target): (String, String), score: &str) -> Result<Metric, Problem> {
    let (full, title) = named(&PREDICTION_SCORES, score, "predictions")?;
    let (section, subject) = match source == target {
        true => ("reconstruction", format!("{source} from itself")),
        false => ("cross_prediction", format!("{source} → {target}")),
    };
    let (source, target) = (Some(source), Some(target));
    let wanted = Wanted { section, source, target, label: None, method: "model", scores: vec![full] };
    Ok(evaluated(name, format!("{subject}: {title}"), wanted))
}

fn of_grouping(method: &'static str, label: String, score: &'static str) -> Wanted {
    Wanted { section: "clustering", label: Some(label), method, scores: vec![score], ..Wanted::default() }
}

fn evaluated(name: &str, title: String, wanted: Wanted) -> Metric {
    let higher_is_better = wanted.scores != ["rmse"];
    Metric { name: name.to_owned(), title, higher_is_better, of: Of::Evaluation(wanted) }
}
