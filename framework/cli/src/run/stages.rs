//! How learning went, stage by stage, from `metrics.jsonl`.

use framework::run::RunDirectory;
use indexmap::IndexMap;
use serde::Serialize;
use serde_json::Value;

/// The terms of one epoch.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Epoch {
    /// Counted from 0.
    pub epoch: u64,
    /// Each term by its name.
    pub terms: IndexMap<String, f64>,
}

/// The log of one stage.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
pub struct Stage {
    /// Its name, such as `latent`.
    pub name: String,
    /// Terms over the training cells.
    pub training: Vec<Epoch>,
    /// Terms over the validation cells, where they were judged.
    pub validation: Vec<Epoch>,
    /// The epoch whose state was kept; `None` while the stage has not ended.
    pub kept_epoch: Option<u64>,
    /// Why the stage ended.
    pub reason: Option<String>,
}

/// Epochs and losses.
pub type Losses = Vec<(u64, f64)>;

/// The stages of a run in their order; none where there is no log.
pub fn stages(run: &RunDirectory) -> Vec<Stage> {
    parse(&std::fs::read_to_string(run.file("metrics.jsonl")).unwrap_or_default())
}

fn parse(text: &str) -> Vec<Stage> {
    let mut stages: Vec<Stage> = Vec::new();
    // The last line of a run that was killed may be cut.
    for event in text.lines().filter_map(|line| serde_json::from_str::<Value>(line).ok()) {
        let Some(name) = event["stage"].as_str() else { continue };
        let place = stages.iter().position(|stage| stage.name == name).unwrap_or_else(|| {
            stages.push(Stage { name: name.to_owned(), ..Stage::default() });
            stages.len() - 1
        });
        let stage = &mut stages[place];
        let epoch = |terms: &Value| epoch(&event, terms);
        stage.training.extend(epoch(&event["terms"]));
        stage.validation.extend(epoch(&event["validation"]));
        if event["finished"].is_u64() {
            stage.kept_epoch = event["kept_epoch"].as_u64();
            stage.reason = event["reason"].as_str().map(str::to_owned);
        }
    }
    stages
}

/// Whether encoders were taught in any stage.
pub fn has_taught_encoders(stages: &[Stage]) -> bool {
    stages.iter().any(|stage| matches!(stage.name.as_str(), "encoders" | "one_step") && !stage.training.is_empty())
}

fn epoch(event: &Value, terms: &Value) -> Option<Epoch> {
    let terms = terms.as_object()?.iter().filter_map(|(name, value)| Some((name.clone(), value.as_f64()?))).collect();
    Some(Epoch { epoch: event["epoch"].as_u64()?, terms })
}

impl Stage {
    /// All terms, those of training first.
    pub fn terms(&self) -> Vec<&str> {
        let mut names: Vec<&str> = Vec::new();
        for name in self.training.iter().chain(&self.validation).flat_map(|epoch| epoch.terms.keys()) {
            if !names.contains(&name.as_str()) {
                names.push(name);
            }
        }
        names
    }

    /// The terms that training and validation both have, so that their sums can be compared.
    pub fn common_terms(&self) -> Vec<&str> {
        let has = |epochs: &[Epoch], name: &str| epochs.first().is_some_and(|epoch| epoch.terms.contains_key(name));
        let both = |name: &&str| has(&self.training, name) && has(&self.validation, name);
        self.terms().into_iter().filter(both).collect()
    }

    /// Sums of some terms in training and in validation; epochs without any of them are left out.
    pub fn sums(&self, terms: &[&str]) -> (Losses, Losses) {
        let sum = |epoch: &Epoch| {
            let known: Vec<f64> = terms.iter().filter_map(|name| epoch.terms.get(*name)).copied().collect();
            (!known.is_empty()).then(|| (epoch.epoch, known.iter().sum()))
        };
        (self.training.iter().filter_map(sum).collect(), self.validation.iter().filter_map(sum).collect())
    }

    /// The stage for readers.
    pub fn title(&self) -> String {
        match self.name.as_str() {
            "latent" => "Step 1: latent rows and decoders".to_owned(),
            "encoders" => "Step 2: encoders".to_owned(),
            "one_step" => "Encoders and decoders together".to_owned(),
            "dgd" => "Latent rows and decoders".to_owned(),
            "rows" => "Rows of validation and test cells".to_owned(),
            name => format!("Stage {name}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_log_is_read_to_its_cut_end() {
        let text = "{\"stage\":\"latent\",\"epoch\":0,\"terms\":{\"a\":1.0,\"prior\":2.0}}\n\
                    {\"stage\":\"latent\",\"epoch\":0,\"validation\":{\"a\":1.5}}\n\
                    {\"stage\":\"latent\",\"finished\":1,\"kept_epoch\":0,\"reason\":\"all epochs done\"}\n\
                    {\"stage\":\"encoders\",\"epo";
        let stages = parse(text);
        assert_eq!(stages.len(), 1);
        let stage = &stages[0];
        assert_eq!((stage.terms(), stage.common_terms(), stage.kept_epoch), (vec!["a", "prior"], vec!["a"], Some(0)));
        assert_eq!(stage.sums(&["a"]), (vec![(0, 1.0)], vec![(0, 1.5)]));
        assert_eq!(stage.sums(&["a", "prior"]).0, [(0, 3.0)]);
    }
}
