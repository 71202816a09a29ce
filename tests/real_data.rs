//! Public data that are not in the repository: what must be found in them, and what must not.
//!
//! They are read from `$CITHARA_TEST_DATA` or `../shared/data`; without them these checks say that they were skipped.

use serde_json::Value;
use tests_support::{cithara_ok, example, json, real_data};

/// Runs an example on its data with few epochs and gives back the evaluation and what was printed.
fn run(name: &str, overrides: &[&str]) -> Option<(Value, String)> {
    let data = real_data(&format!("{name}.h5mu"))?;
    let folder = tempfile::tempdir().unwrap();
    let out = folder.path().join("run");
    let (spec, set) = (example(&format!("{name}.toml")), format!("data.path=\"{data}\""));
    let mut words = vec!["run", &spec, "--out", out.to_str().unwrap(), "--set", &set];
    overrides.iter().for_each(|value| words.extend(["--set", value]));
    let printed = cithara_ok(&words).out;
    Some((json(&out.join("evaluation.json")), printed))
}

/// The scores of a method on a cross-prediction.
fn scores<'a>(evaluation: &'a Value, source: &str, target: &str, method: &str) -> &'a Value {
    let mut tasks = evaluation["cross_predictions"].as_array().unwrap().iter();
    let task = tasks.find(|task| task["source"] == source && task["target"] == target).unwrap();
    let mut methods = task["methods"].as_array().unwrap().iter();
    methods.find(|one| one["name"] == method).unwrap_or_else(|| panic!("{method}: {task}"))
}

/// The sentence that judges a cross-prediction against the mean of each feature.
fn against_the_mean<'a>(evaluation: &'a Value, source: &str, target: &str) -> &'a str {
    let subject = format!("{source} → {target}");
    let mut verdicts = evaluation["verdicts"].as_array().unwrap().iter();
    let verdict = verdicts.find(|one| one["subject"] == subject.as_str() && one["against"] == "feature_mean");
    verdict.unwrap_or_else(|| panic!("{subject}: {evaluation}"))["sentence"].as_str().unwrap()
}

#[test]
fn proteins_are_predicted_from_rna_in_cite_seq() {
    let few = ["fit.n_threads=2", "fit.latent.n_epochs=14", "fit.encoders.n_epochs=5"];
    let Some((evaluation, printed)) = run("pbmc10k_cite", &few) else { return };
    let pearson = |method| scores(&evaluation, "rna", "protein", method)["by_feature"]["mean"].as_f64().unwrap();
    // Ridge on 50 principal components reaches 0.80 and 25 neighbours 0.82.
    assert!(pearson("model") >= 0.75, "Pearson per protein {}, ridge {}", pearson("model"), pearson("ridge"));
    let sentence = against_the_mean(&evaluation, "rna", "protein");
    assert!(sentence.starts_with("rna → protein is better than the mean per feature"), "{sentence}");
    assert!(printed.contains(sentence), "the verdict is not printed: {printed}");
}

#[test]
fn nothing_is_found_where_modalities_share_nothing() {
    let few = ["fit.n_threads=2", "fit.latent.n_epochs=10", "fit.encoders.n_epochs=8"];
    let Some((evaluation, printed)) = run("snare_h1_control", &few) else { return };
    for (source, target) in [("rna", "atac"), ("atac", "rna")] {
        let sentence = against_the_mean(&evaluation, source, target);
        assert!(sentence.contains("not better than the mean per feature"), "{sentence}");
        assert!(printed.contains(sentence), "the verdict is not printed: {printed}");
    }
}
