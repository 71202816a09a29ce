//! Scores, as metrics call them and as the evaluation does.

use super::refusal;
use framework::component::Problem;

/// Short name, name in the evaluation, and title.
pub(super) type Score = (&'static str, &'static str, &'static str);

/// Scores of predictions.
pub(super) const PREDICTION_SCORES: [Score; 7] = [
    ("pearson", "pearson_by_feature_mean", "Pearson correlation by feature, mean"),
    ("pearson_median", "pearson_by_feature_median", "Pearson correlation by feature, median"),
    ("pearson_by_cell", "pearson_by_cell_mean", "Pearson correlation by cell, mean"),
    ("rmse", "rmse", "root mean squared error"),
    ("auprc", "auprc_by_feature_mean", "area under precision–recall by feature, mean"),
    ("auprc_pooled", "auprc_pooled", "area under precision–recall, pooled"),
    ("pearson_by_cell_median", "pearson_by_cell_median", "Pearson correlation by cell, median"),
];

/// Scores of probes, likewise.
pub(super) const PROBE_SCORES: [Score; 8] = [
    ("balanced_accuracy", "neighbours_balanced_accuracy", "balanced accuracy of nearest neighbours"),
    ("accuracy", "neighbours_accuracy", "accuracy of nearest neighbours"),
    ("macro_f1", "neighbours_macro_f1", "macro F1 of nearest neighbours"),
    ("linear", "linear_balanced_accuracy", "balanced accuracy of logistic regression"),
    ("linear_accuracy", "linear_accuracy", "accuracy of logistic regression"),
    ("silhouette", "silhouette", "silhouette"),
    ("r_squared", "r_squared", "R² of a linear fit"),
    ("adjusted_r_squared", "adjusted_r_squared", "adjusted R² of a linear fit"),
];

/// Scores of groupings, likewise.
pub(super) const CLUSTERING_SCORES: [Score; 5] = [
    ("ari", "ari", "adjusted Rand index, judged cells"),
    ("nmi", "nmi", "normalised mutual information, judged cells"),
    ("ari_training", "ari_training", "adjusted Rand index, training cells"),
    ("nmi_training", "nmi_training", "normalised mutual information, training cells"),
    ("n_groups", "n_groups", "components in use"),
];

/// A score of a list by its short or its full name: full name and title.
pub(super) fn named(scores: &[Score], name: &str, of: &str) -> Result<(&'static str, &'static str), Problem> {
    let found = scores.iter().find(|(short, full, _)| *short == name || *full == name);
    found.map(|(_, full, title)| (*full, *title)).ok_or_else(|| {
        let known: Vec<String> = scores.iter().map(|(short, ..)| (*short).to_owned()).collect();
        refusal(format!("asks for the score `{name}`, which {of} do not have"), &known)
    })
}

/// What a probe is asked where nothing is said: accuracy for classes, else R².
pub(super) fn usual_probe_scores() -> (Vec<&'static str>, &'static str) {
    let [(_, accuracy, title), ..] = PROBE_SCORES;
    (vec![accuracy, "r_squared"], title)
}
