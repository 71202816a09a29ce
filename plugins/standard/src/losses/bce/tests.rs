use super::*;
use crate::losses::testing::{bce_by_formula, close, context, dense_target, gradient_error, logits, sparse_target};
use tch::nn::VarStore;
use tch::{Device, Tensor};

fn spec(pos_weight: PosWeight) -> BceSpec {
    BceSpec { pos_weight, ..BceSpec::default() }
}

fn loss(pos_weight: PosWeight) -> Box<dyn Loss> {
    spec(pos_weight).build(&context(&VarStore::new(Device::Cpu))).unwrap()
}

#[test]
fn sparse_and_dense_targets_follow_the_formula() {
    for weight in [1.0, 3.5, 0.1] {
        let loss = loss(PosWeight::Number(weight));
        for target in [sparse_target(), dense_target()] {
            let expected = bce_by_formula(&logits(), target.dense(), weight);
            assert!(close(&loss.per_cell(&logits(), &target).unwrap(), &expected), "{weight}");
            assert!(gradient_error(loss.as_ref(), &target) < 1e-7, "{weight}");
        }
    }
}

#[test]
fn images_are_averaged_over_their_pixels() {
    let image = |table: &Tensor| table.view([3, 1, 2, 2]);
    let target = Target::new(framework::Features::Dense(image(dense_target().dense())));
    let expected = bce_by_formula(&logits(), dense_target().dense(), 2.0);
    let found = loss(PosWeight::Number(2.0)).per_cell(&image(&logits()), &target).unwrap();
    assert!(found.size() == [3] && close(&found, &expected));
}

#[test]
fn one_number_by_hand() {
    // y = 1, w = 2, x = 0: 2 ln 2 at one feature, ln 2 at the other
    let target = Target::new(framework::Features::Dense(Tensor::from_slice(&[1f32, 0.0]).view([1, 2])));
    let value = loss(PosWeight::Number(2.0)).per_cell(&Tensor::from_slice(&[0f32, 0.0]).view([1, 2]), &target).unwrap();
    assert!((value.double_value(&[0]) - 1.039_720_8).abs() < 1e-6);
}

#[test]
fn rules_give_their_ratios() {
    let store = VarStore::new(Device::Cpu);
    let weight = |rule| spec(PosWeight::Rule(rule)).weight(&context(&store)).unwrap();
    assert_eq!(weight(PosWeightRule::None), 1.0);
    assert_eq!(weight(PosWeightRule::RawSumAll), (10.0 - 4.0) / 4.0);
    assert_eq!(weight(PosWeightRule::RawSumTraining), (4.0 - 2.0) / 2.0);
    assert_eq!(weight(PosWeightRule::NonzeroTraining), (4.0 - 1.0) / 1.0);
}

#[test]
fn a_rule_never_gives_less_than_the_floor() {
    let store = VarStore::new(Device::Cpu);
    let mut context = context(&store);
    context.all.raw_sum = 25.0;
    let rule = PosWeight::Rule(PosWeightRule::RawSumAll);
    assert_eq!(spec(rule).weight(&context).unwrap(), 0.1);
    context.all.raw_sum = 0.0;
    let error = spec(rule).weight(&context).unwrap_err().to_string();
    assert!(error.starts_with("no value is above 0"), "{error}");
}

#[test]
fn predictions_undo_the_weight_unless_told_otherwise() {
    // where ones weigh w, the logit of least loss for a value y is ln w + ln(y / (1 − y)): its slope is 0 there
    let (weight, value) = (4.0f64, 0.3f64);
    let best = Tensor::from_slice(&[weight.ln() + (value / (1.0 - value)).ln()]).view([1, 1]).set_requires_grad(true);
    let target = Target::new(framework::Features::Dense(Tensor::from_slice(&[value]).view([1, 1])));
    let undone = loss(PosWeight::Number(weight));
    undone.per_cell(&best, &target).unwrap().sum(tch::Kind::Double).backward();
    assert!(best.grad().double_value(&[0, 0]).abs() < 1e-12);
    assert!((undone.expectation(&best, None).unwrap().double_value(&[0, 0]) - value).abs() < 1e-12);
    let published = BceSpec { undo_pos_weight: false, ..spec(PosWeight::Number(weight)) };
    let published = published.build(&context(&VarStore::new(Device::Cpu))).unwrap();
    let expected = weight * value / (weight * value + 1.0 - value);
    assert!((published.expectation(&best, None).unwrap().double_value(&[0, 0]) - expected).abs() < 1e-12);
}

#[test]
fn the_order_of_cells_does_not_matter() {
    let loss = loss(PosWeight::Number(2.0));
    let order = Tensor::from_slice(&[2i64, 0, 1]);
    let permuted = Target::new(framework::Features::Dense(sparse_target().dense().index_select(0, &order)));
    let values = loss.per_cell(&logits(), &sparse_target()).unwrap().index_select(0, &order);
    assert!(close(&loss.per_cell(&logits().index_select(0, &order), &permuted).unwrap(), &values));
}

#[test]
fn a_prediction_of_another_shape_is_refused() {
    let prediction = Tensor::zeros([3, 5], (tch::Kind::Float, Device::Cpu));
    let error = loss(PosWeight::Number(1.0)).per_cell(&prediction, &sparse_target()).unwrap_err().to_string();
    assert!(error.starts_with("the prediction has shape [3, 5], but the target has 3 cells × 4 features"), "{error}");
}

#[test]
fn weights_outside_their_range_are_problems() {
    let spec = BceSpec { pos_weight: PosWeight::Number(-1.0), pos_weight_floor: 0.0, ..BceSpec::default() };
    let keys: Vec<String> = spec.validate().into_iter().map(|problem| problem.key).collect();
    assert_eq!(keys, ["pos_weight", "pos_weight_floor"]);
}
