//! The loss against scipy's beta-binomial distribution, and its gradients against finite differences.

use framework::component::{AnySpec, declared};
use framework::serde_json::{self, Value};
use framework::tch::nn::VarStore;
use framework::tch::{Device, Kind, Tensor, no_grad};
use framework::testing::{central_differences, close, gradient, sparse};
use framework::{FeatureShape, Features, Loss, LossContext, Statistics, Target};
use methylation as _;

/// Numbers of the file that `golden/make_beta_binomial.py` wrote.
fn golden(key: &str) -> Tensor {
    let all: Value = serde_json::from_str(include_str!("golden/beta_binomial.json")).unwrap();
    let rows = all[key].as_array().unwrap();
    let row = |value: &Value| value.as_array().cloned().unwrap_or_else(|| vec![value.clone()]);
    let numbers: Vec<f64> = rows.iter().flat_map(row).map(|number| number.as_f64().unwrap()).collect();
    let size = if rows[0].is_array() { vec![rows.len() as i64, -1] } else { vec![-1] };
    Tensor::from_slice(&numbers).view(size.as_slice())
}

/// The loss with the concentrations of the file, in double precision.
fn loss(store: &mut VarStore, table: &str) -> Box<dyn Loss> {
    let info = declared().find(|info| info.name == "beta_binomial").unwrap();
    let Ok(AnySpec::Loss(spec)) = (info.parse)(table.parse().unwrap()) else { panic!("`{table}` reads") };
    let (training, all) = (Statistics::default(), Statistics::default());
    let output = FeatureShape::Vector(5);
    let loss = spec.build(&LossContext { vars: store.root(), output, training, all }).unwrap();
    store.double();
    no_grad(|| store.variables().remove("log_concentration").unwrap().copy_(&golden("concentrations").log()));
    loss
}

fn targets() -> [Target; 2] {
    let of = |make: &dyn Fn(Tensor) -> Features| {
        let numbers = |key| make(golden(key).to_kind(Kind::Float));
        Target::new(numbers("successes")).with_trials(Some(numbers("trials")))
    };
    [of(&Features::Dense), of(&|numbers| sparse(&numbers))]
}

#[test]
fn the_likelihood_is_scipys() {
    for form in ["full", "without_constant"] {
        let mut store = VarStore::new(Device::Cpu);
        let loss = loss(&mut store, &format!("likelihood = \"{form}\""));
        for target in targets() {
            let found = loss.per_cell(&golden("logits"), &target).unwrap();
            close(&found, &golden(form), 1e-10);
            assert_eq!(found.double_value(&[2]), 0.0, "a cell that nothing covers");
            let in_single = loss.per_cell(&golden("logits").to_kind(Kind::Float), &target).unwrap();
            close(&in_single, &golden(form), 1e-6);
        }
    }
}

#[test]
fn gradients_are_those_of_finite_differences() {
    let mut store = VarStore::new(Device::Cpu);
    let loss = loss(&mut store, "");
    let parameter = store.variables().remove("log_concentration").unwrap();
    for target in targets() {
        let total = |logits: &Tensor| loss.per_cell(logits, &target).unwrap().sum(Kind::Double);
        let logits = golden("logits");
        close(&gradient(total, &logits), &central_differences(total, &logits, 1e-5), 1e-7);
        parameter.shallow_clone().zero_grad();
        total(&logits).backward();
        let found = parameter.grad().copy();
        let at = parameter.detach().copy();
        let of_parameter = |moved: &Tensor| {
            no_grad(|| parameter.shallow_clone().copy_(moved));
            total(&logits)
        };
        let expected = central_differences(of_parameter, &at, 1e-5);
        no_grad(|| parameter.shallow_clone().copy_(&at));
        close(&found, &expected, 1e-7);
    }
}

#[test]
fn the_expected_share_is_the_logistic_of_the_prediction() {
    let mut store = VarStore::new(Device::Cpu);
    let loss = loss(&mut store, "");
    close(&loss.expectation(&golden("logits"), None).unwrap(), &golden("expectation"), 1e-12);
}

#[test]
fn a_target_without_trials_is_refused() {
    let mut store = VarStore::new(Device::Cpu);
    let counts = Target::new(Features::Dense(golden("successes")));
    let error = loss(&mut store, "").per_cell(&golden("logits"), &counts).unwrap_err().to_string();
    assert!(error.contains("the target has no trials"), "{error}");
}
