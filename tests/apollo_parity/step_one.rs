//! Step 1: latent rows and decoders.

use crate::case::{Case, NAMES};
use framework::fit::RowsAndDecoders;
use framework::testing::golden::{PRECISIONS, close_to_largest, tensor};
use tch::{Kind, Tensor};

/// Has the engine draw, in this minibatch, the numbers that the golden program drew; that they are the same is checked first.
fn seed_noise(case: &Case, place: usize) {
    let seed = case.file["noise_seed"].as_i64().unwrap() + place as i64;
    let Some(drawn) = case.expected.get("noise") else { return };
    tch::manual_seed(seed);
    for space in &case.model.spaces {
        let expected = tensor(&drawn[place][&space.name], case.kind);
        let difference = (expected.randn_like() - &expected).abs().max().double_value(&[]);
        let bound = if case.kind == Kind::Double { 1e-12 } else { 1e-6 };
        assert!(difference <= bound, "this libtorch draws other noise from seed {seed}: off by {difference}");
    }
    tch::manual_seed(seed);
}

#[test]
fn a_minibatch_of_step_one_is_that_of_the_golden_program() {
    let _alone = crate::alone();
    for case in NAMES.iter().flat_map(|name| PRECISIONS.map(|precision| Case::new(name, precision))) {
        let expected = &case.expected["step_one"];
        let mut learned = RowsAndDecoders::new(&case.model, case.tables(), &case.experiment.fit.latent);
        let order = &case.orders()[0];
        let minibatch = case.minibatch(order);
        seed_noise(&case, 0);
        let terms = learned.terms(&minibatch).unwrap();
        case.compare_terms(&terms, expected);
        let total = terms.total().unwrap();
        let n_networks = case.compare_gradients(|by| learned.gradients(&total, by).unwrap(), expected);
        learned.advance(&minibatch, &total).unwrap();
        for (space, gradient) in case.model.spaces.iter().zip(learned.row_gradients()) {
            let all = tensor(&expected["gradients"][&crate::case::row_name(&space.name)], case.kind);
            let name = format!("{}, gradient of the rows of {}", case.title, space.name);
            let of_cells =
                Vec::<f64>::try_from(all.index_select(0, &minibatch.cells).flatten(0, -1).to_kind(Kind::Double));
            close_to_largest(&gradient.flatten(0, -1), &of_cells.unwrap().into(), case.tolerance, &name);
        }
        let n_spaces = case.model.spaces.len();
        assert_eq!(n_networks + n_spaces, expected["gradients"].as_object().unwrap().len(), "{}", case.title);
    }
}

#[test]
fn three_minibatches_of_step_one_leave_what_they_leave_there() {
    let _alone = crate::alone();
    for case in NAMES.iter().flat_map(|name| PRECISIONS.map(|precision| Case::new(name, precision))) {
        let mut learned = RowsAndDecoders::new(&case.model, case.tables(), &case.experiment.fit.latent);
        for (place, order) in case.orders().iter().enumerate() {
            let minibatch = case.minibatch(order);
            seed_noise(&case, place);
            let terms = learned.terms(&minibatch).unwrap();
            learned.advance(&minibatch, &terms.total().unwrap()).unwrap();
        }
        let after = &case.expected["step_one"]["after"];
        let n_compared = case.compare_parameters(after);
        assert_eq!(n_compared + case.model.spaces.len(), after.as_object().unwrap().len(), "{}", case.title);
        case.compare_rows(learned.tables(), after);
    }
}

/// The comparison must be able to fail: a learning rate of the rows that is off by a thousandth is seen.
#[test]
fn a_slightly_wrong_step_is_noticed() {
    let _alone = crate::alone();
    let mut case = Case::new("two", PRECISIONS[0]);
    case.experiment.fit.latent.learning_rate_latent *= 1.001;
    let mut learned = RowsAndDecoders::new(&case.model, case.tables(), &case.experiment.fit.latent);
    for order in case.orders() {
        let minibatch = case.minibatch(&order);
        let terms = learned.terms(&minibatch).unwrap();
        learned.advance(&minibatch, &terms.total().unwrap()).unwrap();
    }
    let name = crate::case::row_name("shared");
    let expected = tensor(&case.expected["step_one"]["after"][&name], Kind::Double);
    let largest: Tensor = expected.abs().max();
    let off = (learned.tables()[0].rows() - &expected).abs().max() / largest;
    assert!(off.double_value(&[]) > 10.0 * case.tolerance, "{off}");
}
