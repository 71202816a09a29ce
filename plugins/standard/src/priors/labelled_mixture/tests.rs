use super::*;
use crate::priors::golden::{self, DOUBLE, PRECISIONS, close, close_to_largest, tensor};
use framework::CellFacts;
use serde_json::Value;
use tch::nn::VarStore;

const CELLS: CellFacts = CellFacts { n_cells: 8, n_labels: None, n_classes: Some(3), n_added: 0 };

fn build(spec: &LabelledMixtureSpec, cells: CellFacts) -> (VarStore, LabelledMixture) {
    let store = VarStore::new(Device::Cpu);
    let prior = LabelledMixture::new(spec, &PriorContext { vars: store.root(), dim: 2, cells }).unwrap();
    (store, prior)
}

fn refusal(cells: CellFacts) -> String {
    let store = VarStore::new(Device::Cpu);
    let context = PriorContext { vars: store.root(), dim: 2, cells };
    LabelledMixtureSpec::default().build(&context).err().unwrap().to_string()
}

fn block() -> Value {
    golden::mixtures()["supervised_isotropic"].clone()
}

/// The published mixture of 3 classes in 2 dimensions.
fn published(spec: &LabelledMixtureSpec, kind: Kind) -> (VarStore, LabelledMixture) {
    let (mut store, prior) = build(spec, CELLS);
    golden::set(&mut store, &block(), kind);
    (store, prior)
}

fn classes(block: &Value) -> Tensor {
    tensor(&block["labels"], Kind::Int64)
}

/// In both precisions: mixture, rows, classes, expected numbers, tolerance.
fn in_both_precisions(check: impl Fn(&LabelledMixture, &Tensor, &Value, f64)) {
    let golden = block();
    for (name, kind, tolerance) in PRECISIONS {
        let (_store, prior) = published(&LabelledMixtureSpec::default(), kind);
        check(&prior, &tensor(&golden["x"], kind), &golden[name], tolerance);
    }
}

#[test]
fn costs_are_the_published_ones() {
    let classes = classes(&block());
    in_both_precisions(|prior, rows, expected, tolerance| {
        let labelled = prior.per_labelled_cell(rows, &classes).unwrap();
        close(&labelled, &expected["supervised_neg_log_prob"], tolerance, "classes known");
        let unlabelled = prior.per_cell(rows).unwrap();
        close(&unlabelled, &expected["unsupervised_neg_log_prob"], tolerance, "classes unknown");
        let (components, hyperprior) = (&prior.mixture.components, &prior.mixture.hyperprior);
        close(&hyperprior.log_density(components).unwrap(), &expected["prior_log_prob"], tolerance, "prior");
        let zero = Tensor::zeros([3], (Kind::Double, Device::Cpu));
        close(&hyperprior.log_dirichlet(&zero).unwrap(), &expected["dirichlet_constant"], DOUBLE, "Dirichlet");
        if rows.kind() == Kind::Double {
            let joint = components.log_densities(rows).unwrap() + components.log_weights().unwrap();
            close(&joint.exp(), &expected["sample_probs"], DOUBLE, "joint densities");
        }
    });
}

#[test]
fn gradients_are_the_published_ones() {
    let classes = classes(&block());
    in_both_precisions(|prior, rows, expected, tolerance| {
        let rows = rows.set_requires_grad(true);
        prior.per_labelled_cell(&rows, &classes).unwrap().sum(rows.kind()).backward();
        let Components { mean, neglogvar, weight } = &prior.mixture.components;
        let expected = &expected["grads_of_supervised_sum"];
        for (name, tensor) in [("x", &rows), ("mean", mean), ("neglogvar", neglogvar), ("weight", weight)] {
            close_to_largest(&tensor.grad(), &expected[name], tolerance, name);
            if rows.kind() == Kind::Double {
                close(&tensor.grad(), &expected[name], tolerance, name);
            }
        }
    });
}

#[test]
fn rows_start_at_the_mean_of_their_class() {
    let classes = classes(&block());
    in_both_precisions(|prior, _, expected, tolerance| {
        let rows = prior.rows_of_classes(&classes).unwrap().unwrap();
        close(&rows, &expected["origin_sampling"], tolerance, "rows");
        assert!(!rows.requires_grad());
        let unknown = prior.rows_of_classes(&Tensor::from_slice(&[-1i64, 2])).unwrap().unwrap();
        assert_eq!(unknown.get(0).abs().max().double_value(&[]), 0.0);
        assert_eq!(unknown.get(1), prior.mixture.components.mean.get(2));
    });
}

#[test]
fn a_cell_of_unknown_class_costs_what_the_mixture_says() {
    let (golden, (_store, prior)) = (block(), published(&LabelledMixtureSpec::default(), Kind::Double));
    let rows = tensor(&golden["x"], Kind::Double);
    let some = prior.per_labelled_cell(&rows, &Tensor::from_slice(&[0i64, -1, 2, -1])).unwrap();
    let (known, unknown) = (prior.per_labelled_cell(&rows, &classes(&golden)).unwrap(), prior.per_cell(&rows).unwrap());
    for (place, expected) in [&known, &unknown, &known, &unknown].into_iter().enumerate() {
        assert_eq!(some.get(place as i64), expected.get(place as i64));
    }
}

#[test]
fn the_factor_is_as_named() {
    let golden = block();
    let (rows, classes) = (tensor(&golden["x"], Kind::Double), classes(&golden));
    let spec = |class_factor| LabelledMixtureSpec {
        class_factor,
        prior_count: PriorCount::PerMinibatch,
        ..LabelledMixtureSpec::default()
    };
    let of = |class_factor| {
        let (_store, prior) = published(&spec(class_factor), Kind::Double);
        prior.per_labelled_cell(&rows, &classes).unwrap()
    };
    let expected = Vec::<f64>::try_from(of(ClassFactor::None) * 3.0).unwrap();
    close(&of(ClassFactor::AsCoded), &Value::from(expected), DOUBLE, "costs");
    let (_store, prior) = published(&spec(ClassFactor::None), Kind::Double);
    close(&-prior.per_minibatch().unwrap().unwrap(), &golden["f64"]["prior_log_prob"], DOUBLE, "prior");
}

#[test]
fn added_classes_start_at_the_origin() {
    let (_store, prior) = build(&LabelledMixtureSpec::default(), CellFacts { n_classes: Some(4), n_added: 2, ..CELLS });
    let Components { mean, neglogvar, weight } = &prior.mixture.components;
    let lengths = Vec::<f64>::try_from(mean.norm_scalaropt_dim(2.0, [1i64].as_slice(), false)).unwrap();
    assert!(lengths[0] > 0.0 && lengths[1] > 0.0 && lengths[2] == 0.0 && lengths[3] == 0.0, "{lengths:?}");
    // the standard deviation is that of the two classes that were there before: 0.2
    close(neglogvar, &Value::from(vec![-2.0 * 0.2f64.ln(); 4]), 1e-7, "start of −ln σ²");
    assert_eq!(neglogvar.size(), [4, 1]);
    assert_eq!(Vec::<f32>::try_from(weight).unwrap(), [1.0; 4]);
    assert_eq!(prior.class_factor, 4.0);
}

#[test]
fn means_are_those_of_the_published_seed() {
    // seed 0 of the package: a mixture of 3 in 4 dimensions, then one of 2 classes; other tests may draw in between
    let published = Tensor::from_slice(&[-0.087_105_27f32, 0.345_384_84, -0.877_783, 0.249_030_5]).view([2, 2]);
    let same = || {
        tch::manual_seed(0);
        let form = LabelledMixtureSpec::default().hyperprior();
        let _ = form.softball().sample(3, 4).unwrap();
        let (_store, prior) = build(&LabelledMixtureSpec::default(), CellFacts { n_classes: Some(2), ..CELLS });
        (&prior.mixture.components.mean - &published).abs().max().double_value(&[]) < 1e-6
    };
    assert!((0..100).any(|_| same()));
}

#[test]
fn responsibilities_and_candidates_have_an_entry_per_class() {
    in_both_precisions(|prior, rows, expected, _| {
        let shares = prior.responsibilities(rows).unwrap().unwrap();
        assert_eq!(shares.size(), [4, 3]);
        let sums = shares.sum_dim_intlist([1i64].as_slice(), false, Kind::Double);
        close(&sums, &Value::from(vec![1.0; 4]), 1e-6, "sums");
        let joint = tensor(&expected["sample_probs"], Kind::Double);
        assert_eq!(shares.argmax(1, false), joint.argmax(1, false));
        if rows.kind() == Kind::Double {
            let expected = &joint / joint.sum_dim_intlist([1i64].as_slice(), true, Kind::Double);
            assert!(shares.allclose(&expected, DOUBLE, 1e-300, false));
        }
        assert_eq!(prior.candidates().unwrap().unwrap(), prior.mixture.components.mean);
    });
}

#[test]
fn what_is_not_known_is_said() {
    assert_eq!(
        refusal(CellFacts { n_classes: None, ..CELLS }),
        "this prior has a component per class of a covariate, but the space stands for none; name one, or use the prior \
         `gaussian_mixture`"
    );
    assert_eq!(
        refusal(CellFacts { n_classes: Some(2), n_added: 2, ..CELLS }),
        "the covariate has 2 classes of which 2 were added later, but at least one must be there to learn from"
    );
    let (_store, prior) = build(&LabelledMixtureSpec::default(), CELLS);
    let rows = Tensor::zeros([2, 2], (Kind::Float, Device::Cpu));
    let error = |classes: &[i64]| prior.per_labelled_cell(&rows, &Tensor::from_slice(classes)).unwrap_err().to_string();
    let expected = "the covariate has 3 classes, counted from 0 (−1 for an unknown one), but a cell is of class ";
    assert_eq!(error(&[0, 3]), format!("{expected}3"));
    assert_eq!(error(&[-2, 1]), format!("{expected}-2"));
    assert_eq!(error(&[0]), "classes must be 2 whole numbers, one per cell, but are Int64 of shape [1]");
    assert!(prior.rows_of_classes(&Tensor::from_slice(&[5i64])).is_err());
}

#[test]
fn numbers_out_of_range_are_told() {
    let wrong =
        LabelledMixtureSpec { softball_radius: -1.0, sd: Some(f64::NAN), sd_sd: 0.0, ..LabelledMixtureSpec::default() };
    let keys: Vec<String> = wrong.validate().into_iter().map(|problem| problem.key).collect();
    assert_eq!(keys, ["softball_radius", "sd", "sd_sd"]);
    assert!(LabelledMixtureSpec::default().validate().is_empty());
}
