//! Step 2: encoders learn the rows of step 1; here those that it starts from.

use crate::case::{Case, NAMES};
use framework::fit::Encoders;
use framework::infer::encode;
use framework::testing::golden::PRECISIONS;
use tch::Kind;

#[test]
fn minibatches_of_step_two_are_those_of_the_golden_program() {
    let _alone = crate::alone();
    for case in NAMES.iter().flat_map(|name| PRECISIONS.map(|precision| Case::new(name, precision))) {
        let expected = &case.expected["step_two"];
        let (tables, all) = (case.tables(), (0..12).collect::<Vec<usize>>());
        let mut learned = Encoders::new(&case.model, &tables, &all, &case.experiment.fit.encoders);
        for (place, order) in case.orders().iter().enumerate() {
            let terms = learned.terms(&case.minibatch(order)).unwrap();
            let total = terms.total().unwrap();
            if place == 0 {
                case.compare_terms(&terms, expected);
                let n_compared = case.compare_gradients(&total, expected);
                assert_eq!(n_compared, expected["gradients"].as_object().unwrap().len(), "{}", case.title);
            }
            learned.advance(&total).unwrap();
        }
        let n_compared = case.compare_parameters(&expected["after"]);
        assert_eq!(n_compared, expected["after"].as_object().unwrap().len(), "{}", case.title);
        let decoders = case.model.generative.trainable_variables();
        assert!(decoders.iter().all(|decoder| !decoder.requires_grad()), "decoders are frozen");
        case.compare_rows(&tables, &case.file["parameters"]);
    }
}

#[test]
fn agreement_is_how_far_apart_two_encoders_rows_are() {
    let _alone = crate::alone();
    let mut case = Case::new("three", PRECISIONS[0]);
    case.experiment.fit.encoders.agreement_weight = 2.0;
    let (tables, all) = (case.tables(), (0..12).collect::<Vec<usize>>());
    let minibatch = case.minibatch(&case.orders()[0]);
    let shared = case.model.spaces.iter().position(|space| space.modalities.len() == 3).unwrap();
    let row = |place: usize| {
        let observed = minibatch.parts[place].as_ref().unwrap().observed();
        let estimate = encode(&case.model, &case.model.branches[place], observed, true).unwrap();
        estimate.rows[shared].as_ref().unwrap().detach()
    };
    let rows = [0, 1, 2].map(row);
    let mut learned = Encoders::new(&case.model, &tables, &all, &case.experiment.fit.encoders);
    let terms = learned.terms(&minibatch).unwrap();
    let named: Vec<(String, f64)> =
        terms.names().map(str::to_owned).zip(Vec::<f64>::try_from(terms.values()).unwrap()).collect();
    for (a, b) in [(0, 1), (0, 2), (1, 2)] {
        let [first, second] = [a, b].map(|place: usize| case.model.branches[place].name.as_str());
        let name = format!("{first}_{second}_{}_agreement", case.model.spaces[shared].name);
        let found = named.iter().find(|(other, _)| *other == name).unwrap_or_else(|| panic!("no `{name}`")).1;
        let expected = (&rows[a] - &rows[b]).square().mean(Kind::Double).double_value(&[]);
        assert!((found - expected).abs() < 1e-12 * expected.max(1.0), "{name} is {found}, not {expected}");
    }
    let weighed: f64 =
        named.iter().map(|(name, value)| if name.ends_with("agreement") { 2.0 * value } else { *value }).sum();
    assert!((terms.total().unwrap().double_value(&[]) - weighed).abs() < 1e-12 * weighed);
}
