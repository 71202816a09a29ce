//! What a reader sees, letter by letter.

use super::super::evaluation::{ClassScores, CorrelationSummary, MeasuredEntries, Method, Precision};
use super::super::resamples::Interval;
use super::*;

#[test]
fn numbers_have_the_digits_that_matter() {
    let text: Vec<String> = [0.0, 0.000_012_3, 0.012_345, 0.5, 12.345, 12_345.6].map(significant).to_vec();
    assert_eq!(text, ["0", "1.2e-5", "0.01235", "0.5000", "12.35", "12346"]);
    assert_eq!([three(-0.0001), signed(0.25, three), signed(-0.25, three)], ["0.000", "+0.250", "-0.250"]);
}

fn scores(method: Method, rmse: f64, pearson: f64) -> MethodScores {
    let summary =
        |mean| CorrelationSummary { mean: Some(mean), median: Some(mean), n_skipped: 3, n_constant_predicted: 0 };
    let precision = Precision {
        pooled: Some(pearson / 2.0),
        base_rate: 0.05,
        mean_by_feature: Some(pearson / 4.0),
        mean_base_rate: Some(0.04),
        n_features: 97,
        exact: true,
    };
    MethodScores { method, rmse, by_feature: summary(pearson), by_cell: summary(0.5), precision: Some(precision) }
}

fn space(method: Method, dim: usize, accuracy: f64) -> SpaceScores {
    let interval = Interval { estimate: accuracy, lower: accuracy, upper: accuracy };
    let classes = ClassScores {
        balanced_accuracy: accuracy,
        accuracy: accuracy + 0.1,
        macro_f1: accuracy - 0.1,
        balanced_accuracy_interval: interval,
    };
    let empty = SpaceScores {
        method,
        dim,
        neighbours: None,
        linear: None,
        silhouette: Some(-0.02),
        r_squared: None,
        adjusted_r_squared: None,
    };
    SpaceScores { neighbours: Some(classes), ..empty }
}

fn verdict(outcome: Outcome, sentence: &str) -> Verdict {
    Verdict {
        subject: String::new(),
        against: String::new(),
        n_cells: 40,
        outcome,
        rmse_difference: None,
        pearson_difference: None,
        balanced_accuracy_difference: None,
        sentence: sentence.to_owned(),
    }
}

fn evaluation() -> Evaluation {
    let model = || Method::of_model("model", "model");
    let ridge = || Method::control("ridge", "ridge (on 50 PCs)");
    Evaluation {
        name: "toy".to_owned(),
        cells: JudgedCells { subset: "test".to_owned(), in_sample: false, n_judged: 40, n_training: 160 },
        notes: vec!["the label `x` is empty".to_owned()],
        reconstructions: Vec::new(),
        cross_predictions: vec![PredictionScores {
            section: Section::CrossPrediction,
            source: "rna".to_owned(),
            target: "atac".to_owned(),
            values: "processed".to_owned(),
            n_cells: 40,
            n_training: 160,
            n_features: 100,
            measured: None,
            methods: vec![scores(model(), 0.1234, 0.8), scores(ridge(), 0.04321, 0.5)],
        }],
        probes: vec![LabelProbe {
            label: "cell_type".to_owned(),
            source: "rna".to_owned(),
            n_classes: Some(3),
            n_training: 160,
            n_cells: 40,
            spaces: vec![
                space(Method::of_model("shared", "shared space"), 50, 0.74),
                space(Method::control("pca_50", "PCA (50)"), 50, 0.71),
            ],
        }],
        images: Vec::new(),
        learned_rows: Vec::new(),
        clusterings: Vec::new(),
        verdicts: vec![
            verdict(Outcome::Better, "better"),
            verdict(Outcome::Level, "level"),
            verdict(Outcome::Worse, "worse"),
            verdict(Outcome::Undecided, "undecided"),
        ],
    }
}

const SHOWN: &str = "\
Evaluation of toy: 40 test cells, learned from 160
note: the label `x` is empty

Prediction rna → atac (40 cells × 100 features, processed values)
                        RMSE   Pearson/feature   median   Pearson/cell   median   AUPRC   AUPRC/feature
  model               0.1234             0.800*   0.800*         0.500*   0.500*  0.400*          0.200*
  controls
  ridge (on 50 PCs)  0.04321*            0.500    0.500          0.500*   0.500*  0.250           0.125
  * best of its column · constant, so left out of Pearson: 3 features, 3 cells · random AUPRC: 0.050, by feature 0.040 (over 97 features)

Label cell_type from rna (3 classes; 40 cells, learned from 160)
                dim   kNN balanced   kNN accuracy   kNN macro F1   silhouette
  shared space   50          0.740*         0.840*         0.640*      -0.020*
  controls
  PCA (50)       50          0.710          0.810          0.610       -0.020*

In words
  + better
  = level
  - worse
  ? undecided
intervals: paired bootstrap over cells, 400 resamples
";

#[test]
fn tables_and_sentences_are_shown_as_written_here() {
    let text = evaluation().to_text(false);
    assert_eq!(text, SHOWN, "{text}");
}

#[test]
fn colour_is_written_only_where_it_is_asked_for() {
    let evaluation = evaluation();
    assert!(!evaluation.to_text(false).contains('\u{1b}'));
    let coloured = evaluation.to_text(true);
    assert!(coloured.contains("\u{1b}[32m+\u{1b}[0m better") && coloured.contains("\u{1b}[31m-\u{1b}[0m worse"));
}

#[test]
fn entries_that_were_not_measured_are_told() {
    let mut evaluation = evaluation();
    let task = &mut evaluation.cross_predictions[0];
    task.values = "share of trials".to_owned();
    task.measured = Some(MeasuredEntries { n_entries: 1234, share: 0.3085 });
    let title = "Prediction rna → atac (40 cells × 100 features, share of trials; 1234 entries measured, 30.9 %)";
    assert_eq!(title_of_task(task), title);
    assert!(footnote(task).contains("constant or measured fewer than 3 times, so left out of Pearson: 3 features"));
    let tsv = evaluation.to_tsv();
    assert!(tsv.contains("cross_prediction\trna\tatac\t\tmodel\tfalse\tn_measured\t1234\t40\n"), "{tsv}");
    assert!(tsv.contains("\tshare_measured\t0.3085\t40\n"), "{tsv}");
    let json = serde_json::to_string(&evaluation).unwrap();
    assert!(json.contains(r#""measured":{"n_entries":1234,"share":0.3085}"#), "{json}");
    assert_eq!(serde_json::from_str::<Evaluation>(&json).unwrap(), evaluation);
}

#[test]
fn titles_say_where_rows_come_from() {
    let mut probe = evaluation().probes.remove(0);
    let mut title = |source: &str| {
        probe.source = source.to_owned();
        title_of_probe(&probe)
    };
    assert_eq!(
        title("learned"),
        "Label cell_type in the learned rows of shared (3 classes; 40 cells, learned from 160)"
    );
    assert!(title("combined").starts_with("Label cell_type in shared of all modalities ("));
}
