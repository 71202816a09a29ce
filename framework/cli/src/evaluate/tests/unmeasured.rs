//! A world whose targets are successes among trials, most entries of which have none.

use super::*;
use framework::infer::Predictor;
use tch::{Device, Tensor};

fn world() -> World {
    World::make(Making { target: TargetValues::Trials, ..Making::default() })
}

/// Share of successes of every cell and feature of a modality; `None` where there were no trials.
fn shares(world: &World, modality: usize) -> Vec<[Option<f64>; 6]> {
    let assay = &world.dataset.assays[modality];
    let rows: Vec<usize> = (0..world.dataset.cells.len()).collect();
    let gathered = assay.modality.gather(&rows, TargetValues::Trials).unwrap();
    let rows = |tensor: Tensor| Vec::<f32>::try_from(tensor.view(-1)).unwrap();
    let (successes, trials) = (rows(gathered.target.to_dense()), rows(gathered.trials.unwrap().to_dense()));
    let share = |at: usize| (trials[at] > 0.0).then(|| f64::from(successes[at]) / f64::from(trials[at]));
    (0..successes.len() / 6).map(|cell| std::array::from_fn(|feature| share(cell * 6 + feature))).collect()
}

/// What the model predicts of the judged cells.
fn predictions(world: &World, source: usize, target: usize) -> Vec<[f64; 6]> {
    let World { trained, dataset, .. } = world;
    let model = &trained.model;
    let (usual_total, device, minibatch, decoded_as) = (1.0, Device::Cpu, 7, &[][..]);
    let predictor = Predictor { model, dataset, source, target, usual_total, device, minibatch, decoded_as };
    let mut all = Vec::new();
    let judged: Vec<usize> = (0..60).collect();
    predictor
        .for_each(&judged, |block| {
            let values = Vec::<f32>::try_from(block.contiguous().view(-1))?;
            all.extend(values.chunks(6).map(|row| std::array::from_fn(|feature| f64::from(row[feature]))));
            Ok(())
        })
        .unwrap();
    all
}

/// Root mean squared error of (predicted, observed) pairs.
fn rmse(pairs: &[(f64, f64)]) -> f64 {
    (pairs.iter().map(|(p, o)| (p - o).powi(2)).sum::<f64>() / pairs.len() as f64).sqrt()
}

/// `None` for fewer than three pairs or a constant observation, 0 for a constant prediction.
fn pearson(pairs: &[(f64, f64)]) -> Option<f64> {
    let n = pairs.len() as f64;
    let (p, o) = (pairs.iter().map(|x| x.0).sum::<f64>() / n, pairs.iter().map(|x| x.1).sum::<f64>() / n);
    let sum = |of: &dyn Fn(f64, f64) -> f64| pairs.iter().map(|x| of(x.0 - p, x.1 - o)).sum::<f64>();
    let (product, scale) = (sum(&|p, o| p * o), (sum(&|p, _| p * p) * sum(&|_, o| o * o)).sqrt());
    let varies = pairs.len() >= 3 && pairs.iter().any(|pair| pair.1 != pairs[0].1);
    varies.then(|| if pairs.iter().all(|pair| pair.0 == pairs[0].0) { 0.0 } else { product / scale })
}

/// The scores of predictions over the measured entries of the judged cells, by their definitions.
fn check(found: &MethodScores, predicted: &[[f64; 6]], observed: &[[Option<f64>; 6]]) {
    let pair = |cell: usize, feature: usize| Some((predicted[cell][feature], observed[cell][feature]?));
    let of_cell = |cell: usize| (0..6).filter_map(|feature| pair(cell, feature)).collect::<Vec<_>>();
    let of_feature = |feature: usize| (0..60).filter_map(|cell| pair(cell, feature)).collect::<Vec<_>>();
    let expected = rmse(&(0..60).flat_map(of_cell).collect::<Vec<_>>());
    assert!((found.rmse - expected).abs() < 1e-6, "{} {expected}", found.rmse);
    for (found, all) in [
        (&found.by_feature, (0..6).map(|feature| pearson(&of_feature(feature))).collect::<Vec<_>>()),
        (&found.by_cell, (0..60).map(|cell| pearson(&of_cell(cell))).collect()),
    ] {
        let defined: Vec<f64> = all.iter().flatten().copied().collect();
        let mean = defined.iter().sum::<f64>() / defined.len() as f64;
        assert_eq!(found.n_skipped, all.len() - defined.len());
        assert!((found.mean.unwrap() - mean).abs() < 1e-6, "{found:?} {mean}");
    }
    assert_eq!(found.precision, None);
}

#[test]
fn entries_without_trials_count_nowhere() {
    let world = world();
    let evaluation = evaluated(&world, 1);
    for (section, source, target) in [
        (&evaluation.reconstructions[0], 0, 0),
        (&evaluation.reconstructions[1], 1, 1),
        (&evaluation.cross_predictions[0], 0, 1),
        (&evaluation.cross_predictions[1], 1, 0),
    ] {
        let observed = shares(&world, target);
        check(method(section, "model"), &predictions(&world, source, target), &observed);
        assert_eq!(section.values, "share of trials");
        let n_entries = observed[..60].iter().flatten().flatten().count();
        assert_eq!(section.measured, Some(MeasuredEntries { n_entries, share: n_entries as f64 / 360.0 }));
        // one feature was measured in two of the judged cells, which is too few
        assert_eq!(method(section, "model").by_feature.n_skipped, 1);
        let learned = |feature: usize| observed[60..].iter().filter_map(move |row| row[feature]);
        let mean = |feature: usize| learned(feature).sum::<f64>() / learned(feature).count() as f64;
        let means: [f64; 6] = std::array::from_fn(mean);
        let pairs = observed[..60].iter().flat_map(|row| means.iter().zip(row).filter_map(|(m, o)| Some((*m, (*o)?))));
        let expected = rmse(&pairs.collect::<Vec<_>>());
        let found = method(section, "feature_mean");
        assert!((found.rmse - expected).abs() < 1e-6 && found.by_feature.mean == Some(0.0), "{found:?} {expected}");
    }
    assert!(evaluation.reconstructions.iter().all(|task| task.methods.iter().all(|one| one.method.name != "pca")));
}

#[test]
fn a_signal_is_found_through_the_holes() {
    let evaluation = evaluated(&world(), 1);
    let cross = &evaluation.cross_predictions[0];
    for name in ["model", "ridge", "neighbours"] {
        assert!(method(cross, name).rmse < method(cross, "feature_mean").rmse, "{name}");
        assert!(method(cross, name).by_feature.mean.unwrap() > 0.3, "{name}");
    }
    assert!(method(cross, "random_cell").by_feature.mean.unwrap().abs() < 0.3);
    let against_mean = verdict(&evaluation, "x → y", "feature_mean");
    assert_eq!(against_mean.outcome, Outcome::Better, "{}", against_mean.sentence);
    let difference = method(cross, "model").rmse - method(cross, "feature_mean").rmse;
    let interval = against_mean.rmse_difference.unwrap();
    assert!((interval.estimate - difference).abs() < 1e-12 && interval.lower < interval.upper);
    let notes: Vec<&String> = evaluation.notes.iter().filter(|note| note.contains("not every entry")).collect();
    assert!(notes.len() == 2 && notes[0].contains("ridge is fitted with that mean"), "{notes:?}");
    let text = evaluation.to_text(false);
    assert!(
        text.contains("(60 cells × 6 features, share of trials; ") && text.contains(" entries measured, "),
        "{text}"
    );
    assert!(evaluation.to_tsv().contains("\tshare_measured\t0."));
}

#[test]
fn complete_targets_say_nothing_of_unmeasured_entries() {
    let evaluation = evaluated(&World::make(Making::default()), 1);
    assert!(evaluation.cross_predictions.iter().all(|task| task.measured.is_none()));
    assert!(!serde_json::to_string(&evaluation).unwrap().contains("measured\":"));
    assert!(!evaluation.to_tsv().contains("measured") && !evaluation.to_text(false).contains("entries measured"));
}

#[test]
fn where_nothing_was_measured_nothing_is_compared() {
    let mut world = world();
    // of the cells that `y` keeps, cell 3 is the only one to judge beside one without trials of its own
    for cell in (0..60).filter(|cell| *cell != 3 && *cell != 4) {
        world.dataset.assays[1].rows[cell] = None;
    }
    world.dataset.assays[1].rows[4] = world.dataset.assays[1].rows[3];
    let evaluation = evaluated(&world, 1);
    assert_eq!(evaluation.reconstructions.len(), 1, "x alone");
    assert!(evaluation.cross_predictions.iter().all(|task| task.target == "x"));
    let said = "and 0 of judged cells were measured that `x` was measured in, so there is nothing to compare";
    assert!(evaluation.notes.iter().any(|note| note.contains(said)), "{:?}", evaluation.notes);
}
