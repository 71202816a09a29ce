//! Step 2: encoders learn the rows of step 1; here those that it starts from.

use crate::case::{Case, NAMES};
use framework::fit::Encoders;
use framework::testing::golden::PRECISIONS;

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
                let n_compared = case.compare_gradients(|by| learned.gradients(&total, by).unwrap(), expected);
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
