//! The whole evaluation of small worlds whose answers are known.

mod unmeasured;

use super::testing::{Making, World, temporary_file};
use super::*;
use framework::data::Split;
use framework::data::Subset;
use framework::run::RunDirectory;
use framework::{Seed, TargetValues};

fn task(world: &World, seed: u64) -> EvaluationTask<'_> {
    let World { trained, experiment, dataset, split, rows } = world;
    EvaluationTask { trained, experiment, dataset, split, rows: Some(rows), seed: Seed(seed), beside_controls: true }
}

fn evaluated(world: &World, seed: u64) -> Evaluation {
    evaluate(&task(world, seed), &mut |_| {}).unwrap()
}

fn method<'e>(scores: &'e PredictionScores, name: &str) -> &'e MethodScores {
    scores.methods.iter().find(|scores| scores.method.name == name).unwrap()
}

fn verdict<'e>(evaluation: &'e Evaluation, subject: &str, against: &str) -> &'e Verdict {
    evaluation.verdicts.iter().find(|verdict| verdict.subject == subject && verdict.against == against).unwrap()
}

#[test]
fn a_shared_signal_is_found_and_stands_beside_its_controls() {
    let evaluation = evaluated(&World::make(Making::default()), 1);
    assert_eq!(
        (evaluation.cells.subset.as_str(), evaluation.cells.n_judged, evaluation.cells.n_training),
        ("test", 60, 140)
    );
    // only noise of sd 0.1, and what it adds on its way through the model, is left
    let reconstruction = &evaluation.reconstructions[0];
    assert!(method(reconstruction, "model").rmse < 0.2 && method(reconstruction, "feature_mean").rmse > 1.0);
    assert!(method(reconstruction, "model_shared_decoder").rmse > method(reconstruction, "model").rmse);
    assert!(method(reconstruction, "pca").rmse < 0.2);
    let cross = &evaluation.cross_predictions[0];
    assert_eq!((cross.source.as_str(), cross.target.as_str(), cross.n_cells, cross.n_training), ("x", "y", 60, 140));
    let model = method(cross, "model");
    // five features follow from the shared causes (the last by half), the specific one from nothing
    assert_eq!((model.by_feature.n_constant_predicted, model.by_feature.n_skipped), (1, 0));
    assert!((0.70..0.85).contains(&model.by_feature.mean.unwrap()), "{model:?}");
    assert_eq!(method(cross, "feature_mean").by_feature.mean, Some(0.0));
    assert!(method(cross, "random_cell").by_feature.mean.unwrap().abs() < 0.3);
    assert!(method(cross, "ridge").by_feature.mean.unwrap() > 0.7);
    assert!(cross.methods.iter().all(|scores| scores.precision.is_none()), "most values are not 0");
    assert_eq!(verdict(&evaluation, "x → y", "feature_mean").outcome, Outcome::Better);
    assert!(verdict(&evaluation, "x → y", "neighbours").sentence.contains("x → y "));
    assert_eq!(evaluation.notes, Vec::<String>::new());
}

#[test]
fn without_controls_the_model_has_the_same_scores() {
    let world = World::make(Making::default());
    let alone = evaluate(&EvaluationTask { beside_controls: false, ..task(&world, 1) }, &mut |_| {}).unwrap();
    let own = |text: &str| -> Vec<String> {
        text.lines().filter(|line| line.split('\t').nth(5) == Some("false")).map(str::to_owned).collect()
    };
    let (alone, beside) = (alone.to_tsv(), evaluated(&world, 1).to_tsv());
    assert_eq!(own(&alone), own(&beside));
    assert!(own(&alone).len() > 50 && !alone.contains("\ttrue\t") && beside.contains("\ttrue\t"));
}

#[test]
fn without_a_shared_signal_nothing_is_better_than_the_mean() {
    let making = Making { has_shared_signal: false, ..Making::default() };
    for seed in 0..3 {
        let evaluation = evaluated(&World::make(making), seed);
        for subject in ["x → y", "y → x"] {
            let verdict = verdict(&evaluation, subject, "feature_mean");
            assert_ne!(verdict.outcome, Outcome::Better, "{verdict:?}");
            assert!(verdict.sentence.contains("is not better than the mean per feature"), "{}", verdict.sentence);
            assert!(verdict.sentence.ends_with("no control is either"), "{}", verdict.sentence);
        }
    }
}

#[test]
fn spaces_tell_the_labels_that_they_hold() {
    let mut world = World::make(Making::default());
    world.experiment.evaluate.labels = ["type", "depth", "name", "cluster"].map(str::to_owned).to_vec();
    let evaluation = evaluated(&world, 1);
    let probe = |label: &str, source: &str| {
        evaluation.probes.iter().find(|probe| probe.label == label && probe.source == source).unwrap()
    };
    let space =
        |probe: &LabelProbe, name: &str| probe.spaces.iter().find(|space| space.method.name == name).unwrap().clone();
    let of_x = probe("type", "x");
    let names: Vec<&str> = of_x.spaces.iter().map(|space| space.method.name.as_str()).collect();
    assert_eq!(names, ["shared", "specific", "all", "pca_2", "pca_1", "pca_3", "random", "permuted"]);
    assert_eq!(of_x.n_classes, Some(2));
    let accuracy = |name: &str| space(of_x, name).neighbours.unwrap().balanced_accuracy;
    assert!(
        accuracy("shared") > 0.9
            && accuracy("specific") < 0.7
            && accuracy("permuted") < 0.7
            && accuracy("random") < 0.7
    );
    assert!(space(of_x, "shared").linear.unwrap().balanced_accuracy > 0.9);
    assert!(space(probe("type", "combined"), "shared").neighbours.unwrap().balanced_accuracy > 0.9);
    let depth = probe("depth", "x");
    assert_eq!(depth.n_classes, None);
    assert!(space(depth, "shared").r_squared.unwrap() > 0.95);
    assert!(space(depth, "specific").r_squared.unwrap() < 0.2 && space(depth, "permuted").r_squared.unwrap() < 0.2);
    assert!(evaluation.notes.iter().any(|note| note.contains("`name` has 200 different values that are not numbers")));
    assert!(evaluation.notes.iter().any(|note| note.contains("`cluster` of obs was not read")));
    let learned = &evaluation.learned_rows[0];
    assert_eq!((learned.n_training, learned.n_cells, learned.source.as_str()), (112, 28, "learned"));
    assert!(space(learned, "shared").neighbours.unwrap().balanced_accuracy > 0.9);
    assert!(
        evaluation.verdicts.iter().any(|verdict| verdict.subject == "x: type in shared" && verdict.against == "pca_2")
    );
}

#[test]
fn everything_follows_from_the_seed() {
    let world = World::make(Making::default());
    let (first, again, other) = (evaluated(&world, 1), evaluated(&world, 1), evaluated(&world, 2));
    assert_eq!(first, again);
    assert_ne!(first.verdicts, other.verdicts);
    let model = |evaluation: &Evaluation| method(&evaluation.cross_predictions[0], "model").clone();
    assert_eq!(model(&first), model(&other), "scores of the model do not depend on the seed");
}

#[test]
fn without_test_cells_the_cells_of_the_training_are_judged_and_said_to_be() {
    let mut world = World::make(Making { n_test: 0, ..Making::default() });
    let evaluation = evaluated(&world, 1);
    assert!(evaluation.cells.in_sample && evaluation.notes[0].contains("no forecast"));
    let own = method(&evaluation.cross_predictions[0], "neighbours").by_feature.mean.unwrap();
    assert!(own < 0.85, "neighbours of a cell must not be the cell itself: {own}");
    assert!(evaluation.to_text(false).contains("in sample"));
    world.split =
        Split::new((0..200).map(|cell| if cell < 40 { Subset::Validation } else { Subset::Training }).collect());
    let evaluation = evaluated(&world, 1);
    assert_eq!((evaluation.cells.subset.as_str(), evaluation.cells.in_sample), ("validation", false));
    assert!(evaluation.notes[0].contains("no test cells"));
}

#[test]
fn cells_that_one_assay_lacks_are_left_out_of_pairs_only() {
    let mut world = World::make(Making::default());
    // y lacks 20 test cells and 100 training cells; x has all
    for cell in (0..20).chain(60..160) {
        world.dataset.assays[1].rows[cell] = None;
    }
    let evaluation = evaluated(&world, 1);
    let sizes = |scores: &PredictionScores| (scores.n_cells, scores.n_training);
    assert_eq!(evaluation.reconstructions.iter().map(sizes).collect::<Vec<_>>(), [(60, 140), (40, 40)]);
    assert_eq!(evaluation.cross_predictions.iter().map(sizes).collect::<Vec<_>>(), [(40, 40), (40, 40)]);
    assert!(method(&evaluation.cross_predictions[1], "ridge").by_feature.mean.unwrap() > 0.6);
    let cells: Vec<(&str, usize)> =
        evaluation.probes.iter().map(|probe| (probe.source.as_str(), probe.n_cells)).collect();
    assert_eq!(cells, [("x", 60), ("y", 40), ("combined", 60)]);
    world.dataset.assays[1].rows[20..60].fill(None);
    let evaluation = evaluated(&world, 1);
    assert!(evaluation.cross_predictions.is_empty());
    assert!(evaluation.notes.iter().any(|note| note.contains("measured together in 40 training and 0 judged cells")));
}

#[test]
fn controls_are_told_the_totals_that_the_model_is_told() {
    let mut world = World::make(Making { target: TargetValues::Counts, ..Making::default() });
    world.dataset.assays.iter_mut().for_each(|assay| assay.rows.truncate(200));
    let evaluation = evaluated(&world, 1);
    let cross = &evaluation.cross_predictions[0];
    assert_eq!(cross.values, "counts");
    assert!(evaluation.notes.iter().any(|note| note.contains("told the measured totals")));
    // the mean of each feature, brought to the total of each cell, is no longer constant
    let mean = method(cross, "feature_mean");
    assert_eq!(mean.by_feature.n_constant_predicted, 0);
    assert!(mean.by_feature.mean.unwrap() > 0.1, "{mean:?}");
    assert!(evaluation.reconstructions[0].methods.iter().all(|scores| scores.method.name != "pca"));
}

#[test]
fn what_does_not_belong_together_is_refused() {
    let mut world = World::make(Making::default());
    let refused = |world: &World| format!("{:#}", evaluate(&task(world, 1), &mut |_| {}).unwrap_err());
    world.rows[0].1 = world.rows[0].1.narrow(0, 0, 10);
    assert!(refused(&world).contains("learned rows of `shared` have shape [10, 2]"));
    world.split = Split::new(vec![Subset::Training; 7]);
    assert!(refused(&world).contains("the split is of 7 cells but the data hold 200"));
}

#[test]
fn files_hold_all_and_are_read_back() {
    let evaluation = evaluated(&World::make(Making::default()), 1);
    let path = temporary_file("run");
    let run = RunDirectory::create(&path, false).unwrap();
    evaluation.write(&run).unwrap();
    let json = std::fs::read_to_string(run.file("evaluation.json")).unwrap();
    let read = serde_json::from_str::<Evaluation>(&json).unwrap();
    assert_eq!(read.to_text(false), evaluation.to_text(false));
    let tsv = std::fs::read_to_string(run.file("evaluation.tsv")).unwrap();
    std::fs::remove_dir_all(path).unwrap();
    let n_fields: Vec<usize> = tsv.lines().map(|line| line.split('\t').count()).collect();
    assert!(n_fields.len() > 100 && n_fields.iter().all(|n| *n == 9), "{n_fields:?}");
    let rmse = method(&evaluation.cross_predictions[0], "ridge").rmse;
    assert!(tsv.contains(&format!("cross_prediction\tx\ty\t\tridge\ttrue\trmse\t{rmse}\t60\n")), "{tsv}");
    assert!(
        tsv.lines()
            .any(|line| line.starts_with("probe\tx\tshared\ttype\tmodel\tfalse\tneighbours_balanced_accuracy\t"))
    );
    assert!(
        tsv.lines().any(|line| line.starts_with("difference\tx → y\t\t\tridge\ttrue\tpearson_by_feature_mean_lower\t"))
    );
}

#[test]
fn progress_names_what_is_computed() {
    let world = World::make(Making::default());
    let task = EvaluationTask { rows: None, ..task(&world, 1) };
    let mut said = Vec::new();
    let evaluation = evaluate(&task, &mut |what| said.push(what.to_owned())).unwrap();
    assert!(evaluation.learned_rows.is_empty());
    for expected in ["reconstruction of x", "x → y: ridge", "type in the spaces of y"] {
        assert!(said.iter().any(|what| what == expected), "{expected} is not in {said:?}");
    }
}
