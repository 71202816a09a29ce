//! What was found, as tables, numbers and a picture in a folder.

use super::answers::Answers;
use super::findings::{Comparison, ModalityFindings, Phenotyped};
use super::picture::scores_picture;
use super::study::Plan;
use crate::results::Results;
use anyhow::Result;
use framework::data::{Dataset, Subset};
use std::fmt::Write as _;
use std::path::{Path, PathBuf};

/// Writes `phenotype.tsv`, `tests.tsv`, and for each modality `answers_MODALITY.tsv`, `confusion_MODALITY.tsv` (of classes) and
/// `scores_MODALITY.svg`; then `phenotype.json`. Returns what was written.
///
/// # Errors
/// When a file cannot be written.
pub fn write(
    found: &Phenotyped,
    answers: &[(Plan, Vec<Answers>)],
    (dataset, subsets): (&Dataset, &[Subset]),
    folder: &Path,
) -> Result<Vec<PathBuf>> {
    let mut results = Results::in_folder(folder)?;
    results.keep("phenotype.tsv", scores(found))?;
    results.keep("tests.tsv", tests(found))?;
    for (one, told) in found.modalities.iter().zip(answers) {
        results.keep(&format!("answers_{}.tsv", one.modality), answers_table(one, told, (dataset, subsets)))?;
        if !one.classes.is_empty() {
            results.keep(&format!("confusion_{}.tsv", one.modality), confusion(one))?;
        }
        results.keep(&format!("scores_{}.svg", one.modality), scores_picture(found, one))?;
    }
    results.end_with("phenotype.json", found)
}

fn number(value: Option<f64>) -> String {
    value.map_or(String::new(), |value| format!("{value:.6}"))
}

/// A line for each split and kind of image.
fn scores(found: &Phenotyped) -> String {
    let mut table = format!(
        "modality\tsplit\tinput\t{}\tn_judged\tn_judged_model_learned\tn_learned\tn_stopping\tn_epochs\tbest_epoch\tgroups\n",
        found.scores.join("\t")
    );
    for one in &found.modalities {
        for input in &one.inputs {
            for (place, (split, facts)) in input.splits.iter().zip(&one.splits).enumerate() {
                let values: Vec<String> = split.scores.iter().map(|score| number(*score)).collect();
                let _ = writeln!(
                    table,
                    "{}\t{}\t{}\t{}\t{}\t{}\t{}\t{}\t{}\t{}\t{}",
                    one.modality,
                    place + 1,
                    input.input,
                    values.join("\t"),
                    facts.n_judged,
                    facts.n_judged_model_learned,
                    facts.n_learned,
                    facts.n_stopping,
                    split.n_epochs,
                    split.best_epoch,
                    facts.groups.join(",")
                );
            }
        }
    }
    table
}

fn tests(found: &Phenotyped) -> String {
    let mut table = String::from(
        "modality\tfirst\tsecond\tunit\tscore\tn_pairs\tgain\tlow\thigh\tp_two_sided\tp_one_sided\tp_holm\tp_resampled\tp_signed_rank\n",
    );
    let exact = |p: Option<f64>| p.map_or(String::new(), |p| format!("{p:.6e}"));
    for one in &found.modalities {
        for test in &one.comparisons {
            let Comparison { first, second, unit, score, n, gain, .. } = test;
            let (low, high) = test.interval.unzip();
            let _ = writeln!(
                table,
                "{}\t{first}\t{second}\t{unit}\t{score}\t{n}\t{gain:.6}\t{}\t{}\t{}\t{}\t{}\t{}\t{}",
                one.modality,
                number(low),
                number(high),
                exact(test.p_two_sided),
                exact(test.p_one_sided),
                exact(test.p_holm),
                exact(test.p_resampled),
                exact(test.p_signed_rank)
            );
        }
    }
    table
}

/// A line for each kind of image and true class, a column for each class that was told.
fn confusion(one: &ModalityFindings) -> String {
    let mut table = format!("input\ttrue\t{}\n", one.classes.join("\t"));
    for input in &one.inputs {
        for (class, row) in one.classes.iter().zip(&input.confusion) {
            let counts: Vec<String> = row.iter().map(u64::to_string).collect();
            let _ = writeln!(table, "{}\t{class}\t{}", input.input, counts.join("\t"));
        }
    }
    table
}

/// A line for each split and judged cell: what the model used it for, the truth, and what was told from each kind of image.
fn answers_table(
    one: &ModalityFindings,
    (plan, answers): &(Plan, Vec<Answers>),
    (dataset, subsets): (&Dataset, &[Subset]),
) -> String {
    let inputs: Vec<&str> = answers.iter().map(|answer| answer.input.as_str()).collect();
    let mut table = format!("split\tcell\tmodel\ttrue\t{}\n", inputs.join("\t"));
    for (repeat, split) in plan.splits.iter().enumerate() {
        for (place, &row) in split.judged.iter().enumerate() {
            let cell = plan.cells[row];
            let told: Vec<String> = answers.iter().map(|answer| answer.words(repeat, place, &one.classes)).collect();
            let _ = writeln!(
                table,
                "{}\t{}\t{}\t{}\t{}",
                repeat + 1,
                dataset.cells[cell],
                subsets[cell].name(),
                plan.truth.words(row),
                told.join("\t")
            );
        }
    }
    table
}

#[cfg(test)]
pub(super) mod testing {
    use super::super::classifier::ClassifierSpec;
    use super::super::comparisons::comparisons;
    use super::super::findings::{InputFindings, InputKind, SplitFacts, SplitScores};
    use super::super::splits::Judged;
    use super::*;

    /// Two splits of made-up numbers.
    pub fn found() -> Phenotyped {
        let split = |(value, epochs): (f64, usize)| SplitScores {
            scores: vec![Some(value), Some(value / 2.0)],
            n_epochs: epochs,
            best_epoch: epochs.saturating_sub(1),
        };
        let input = |words: &str, kind, values: [f64; 2], epochs| InputFindings {
            input: words.to_owned(),
            kind,
            splits: values.map(|value| split((value, epochs))).to_vec(),
            groups: Vec::new(),
            confusion: vec![vec![3, 1], vec![0, 4]],
        };
        let facts = |group: &str, n_judged_model_learned| SplitFacts {
            n_learned: 40,
            n_stopping: 5,
            n_judged: 10,
            n_judged_model_learned,
            n_judged_model_stopped: 0,
            groups: vec![group.to_owned()],
            n_groups_model_learned: 0,
            n_unlearned_classes: 0,
        };
        let splits = vec![facts("A-01", 0), facts("B-02", 3)];
        let inputs = vec![
            input("real", InputKind::Real, [0.7, 0.8], 5),
            input("shared only", InputKind::SharedOnly, [0.5, 0.55], 7),
            input("from dna", InputKind::Predicted, [0.5, 0.52], 7),
            input("no image: most frequent class", InputKind::Unseen, [0.5, 0.5], 0),
        ];
        Phenotyped {
            version: "0".into(),
            label: "dose".into(),
            is_number: false,
            hold_out: Some("well".into()),
            only: None,
            judged: Judged::Unseen,
            n_repeats: 2,
            n_folds: 2,
            stop_share: 0.1,
            max_cells: None,
            classifier: ClassifierSpec { width: 64, learning_rate: 1e-3, minibatch: 256, max_epochs: 9, patience: 3 },
            seed: 1,
            scores: vec!["balanced_accuracy".into(), "accuracy".into()],
            modalities: vec![ModalityFindings {
                modality: "gfp".into(),
                n_cells: 55,
                classes: vec!["0".into(), "1".into()],
                comparisons: comparisons(&inputs, &["balanced_accuracy", "accuracy"], &splits),
                splits,
                inputs,
            }],
            notes: Vec::new(),
        }
    }

    #[test]
    fn tables_have_a_line_for_each_thing() {
        let found = found();
        let lines = |table: &str| table.lines().map(|line| line.split('\t').count()).collect::<Vec<_>>();
        let scores = scores(&found);
        assert_eq!(lines(&scores), [12; 9]);
        assert!(scores.contains("gfp\t2\treal\t0.800000\t0.400000\t10\t3\t40\t5\t5\t4\tB-02\n"), "{scores}");
        let tests = tests(&found);
        // real and shared against predicted, by two scores
        assert_eq!(lines(&tests), [14; 5]);
        assert!(tests.contains("gfp\treal\tfrom dna\tsplit\tbalanced_accuracy\t2\t0.240000\t"), "{tests}");
        assert_eq!(lines(&confusion(&found.modalities[0])), [4; 9]);
    }
}
