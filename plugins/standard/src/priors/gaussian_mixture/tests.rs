use super::*;
use crate::priors::golden::{self, DOUBLE, PRECISIONS, close, close_to_largest, tensor};
use framework::CellFacts;
use serde_json::Value;
use tch::nn::VarStore;
use tch::{Kind, no_grad};

const CELLS: CellFacts = CellFacts { n_cells: 8, n_labels: Some(3), n_classes: None, n_added: 0 };

fn build(spec: &GaussianMixtureSpec, dim: i64) -> (VarStore, GaussianMixture) {
    let store = VarStore::new(Device::Cpu);
    let prior = GaussianMixture::new(spec, &PriorContext { vars: store.root(), dim, cells: CELLS }).unwrap();
    (store, prior)
}

fn refusal(spec: &GaussianMixtureSpec, cells: CellFacts) -> String {
    let store = VarStore::new(Device::Cpu);
    spec.build(&PriorContext { vars: store.root(), dim: 2, cells }).err().unwrap().to_string()
}

/// The published mixture of 3 components in 4 dimensions, with the concentration that a case is named for.
fn published(alpha: f64, kind: Kind, prior_count: PriorCount) -> (VarStore, GaussianMixture) {
    let spec = GaussianMixtureSpec { dirichlet_alpha: alpha, prior_count, ..GaussianMixtureSpec::default() };
    let (mut store, prior) = build(&spec, 4);
    golden::set(&mut store, &golden::mixtures(), kind);
    (store, prior)
}

/// Every case in both precisions: mixture, rows, expected numbers, tolerance.
fn each_case(check: impl Fn(&GaussianMixture, &Tensor, &Value, f64)) {
    let golden = golden::mixtures();
    for (case, alpha) in [("alpha=1", 1.0), ("alpha=2", 2.0)] {
        for (block, kind, tolerance) in PRECISIONS {
            let (_store, prior) = published(alpha, kind, PriorCount::PerCell);
            check(&prior, &tensor(&golden["x"], kind), &golden["cases"][case][block], tolerance);
        }
    }
}

fn of_kind(number: f64) -> Value {
    Value::from(number)
}

#[test]
fn components_start_as_published() {
    let (_store, prior) = build(&GaussianMixtureSpec::default(), 4);
    let expected = &golden::mixtures()["cases"]["alpha=1"]["f32"]["neglogvar_at_init_first"];
    let components = &prior.mixture.components;
    close(&components.neglogvar, &Value::from(vec![expected.clone(); 12]), 1e-7, "start of −ln σ²");
    assert_eq!(components.neglogvar.size(), [3, 4]);
    assert_eq!(Vec::<f32>::try_from(&components.weight).unwrap(), [1.0; 3]);
    let isotropic = GaussianMixtureSpec { covariance: Covariance::Isotropic, ..GaussianMixtureSpec::default() };
    assert_eq!(build(&isotropic, 4).1.mixture.components.neglogvar.size(), [3, 1]);
}

#[test]
fn shares_and_variances_are_the_published_ones() {
    each_case(|prior, _, expected, tolerance| {
        let components = &prior.mixture.components;
        close(&components.log_weights().unwrap().exp(), &expected["mixture_probs"], tolerance, "shares");
        close(&(-&components.neglogvar).exp(), &expected["covariance"], tolerance, "variances");
    });
}

#[test]
fn the_prior_and_its_parts_are_the_published_ones() {
    each_case(|prior, _, expected, tolerance| {
        let (components, hyperprior) = (&prior.mixture.components, &prior.mixture.hyperprior);
        let form = GaussianMixtureSpec::default().hyperprior();
        let means = form.softball().log_density(&components.mean).unwrap();
        close(&means, &expected["softball_log_prob_of_means"], tolerance, "softball");
        let normal = hyperprior.log_normal(&components.neglogvar).unwrap();
        close(&normal, &expected["neglogvar_prior_log_prob_sum"], tolerance, "normal");
        let zero = Tensor::zeros([3], (Kind::Double, Device::Cpu));
        close(&hyperprior.log_dirichlet(&zero).unwrap(), &expected["dirichlet_constant"], DOUBLE, "Dirichlet");
        let whole = hyperprior.log_density(components).unwrap();
        close(&whole, &expected["prior_log_prob"], tolerance, "prior");
    });
}

#[test]
fn costs_are_the_published_ones() {
    each_case(|prior, rows, expected, tolerance| {
        let costs = prior.per_cell(rows).unwrap();
        assert_eq!(costs.kind(), rows.kind());
        close(&costs, &expected["forward_neg_log_prob_incl_prior"], tolerance, "with the prior");
        let components = prior.mixture.components.log_densities(rows).unwrap();
        let without = -prior.mixture.log_density(&components).unwrap();
        close(&without, &expected["neg_log_prob_without_prior"], tolerance, "without the prior");
    });
}

#[test]
fn gradients_are_the_published_ones() {
    each_case(|prior, rows, expected, tolerance| {
        let rows = rows.set_requires_grad(true);
        prior.per_cell(&rows).unwrap().sum(rows.kind()).backward();
        let Components { mean, neglogvar, weight } = &prior.mixture.components;
        let expected = &expected["grads_of_forward_sum"];
        for (name, tensor) in [("x", &rows), ("mean", mean), ("neglogvar", neglogvar), ("weight", weight)] {
            close_to_largest(&tensor.grad(), &expected[name], tolerance, name);
            if rows.kind() == Kind::Double {
                close(&tensor.grad(), &expected[name], tolerance, name);
            }
        }
    });
}

#[test]
fn joint_densities_are_the_published_ones() {
    each_case(|prior, rows, expected, _| {
        let components = prior.mixture.components.log_densities(rows).unwrap();
        let joint = components + prior.mixture.components.log_weights().unwrap();
        if rows.kind() == Kind::Double {
            close(&joint.exp(), &expected["sample_probs"], DOUBLE, "joint densities");
        }
        let clusters = prior.responsibilities(rows).unwrap().unwrap().argmax(1, false);
        close(&clusters, &expected["clustering"], 0.0, "clusters");
    });
}

#[test]
fn rows_far_from_all_components_have_one() {
    let block = &golden::mixtures()["clustering_underflow"];
    for (_, kind, _) in PRECISIONS {
        let (_store, prior) = published(1.0, kind, PriorCount::PerCell);
        let shares = prior.responsibilities(&tensor(&block["x"], kind)).unwrap().unwrap();
        // of the package only double precision has them, and not much farther out
        close(&shares.argmax(1, false), &block["f64"]["clustering"], 0.0, "clusters");
        close(
            &shares.sum_dim_intlist([1i64].as_slice(), false, Kind::Double),
            &Value::from(vec![1.0; 2]),
            1e-6,
            "sums",
        );
    }
    let (_store, prior) = published(1.0, Kind::Double, PriorCount::PerCell);
    let components = prior.mixture.components.log_densities(&tensor(&block["x"], Kind::Double)).unwrap();
    let joint = (components + prior.mixture.components.log_weights().unwrap()).exp();
    close(&joint, &block["f64"]["sample_probs"], DOUBLE, "joint densities");
}

#[test]
fn in_few_dimensions_the_cost_is_that_of_the_formula() {
    // one dimension, by hand, without a prior
    let spec = GaussianMixtureSpec { prior_count: PriorCount::PerMinibatch, ..GaussianMixtureSpec::default() };
    let (mut store, prior) = build(&spec, 1);
    let (means, sds, shares) = ([-1.0, 0.5, 2.0], [0.5, 1.0, 2.0], [0.2, 0.5, 0.3]);
    let column = |numbers: [f64; 3]| Value::from(numbers.map(|number| vec![number]).to_vec());
    let block = serde_json::json!({
        "mean": column(means), "neglogvar": column(sds.map(|sd: f64| -2.0 * sd.ln())), "weight": shares.map(f64::ln),
    });
    golden::set(&mut store, &block, Kind::Double);
    for z in [-3.0, 0.0, 0.7, 5.0] {
        let density: f64 = (0..3)
            .map(|k| {
                let from_mean: f64 = (z - means[k]) / sds[k];
                shares[k] * (-0.5 * from_mean * from_mean).exp() / (sds[k] * (2.0 * std::f64::consts::PI).sqrt())
            })
            .sum();
        let cost = prior.per_cell(&Tensor::from_slice(&[z]).view([1, 1])).unwrap();
        close(&cost, &Value::from(vec![-density.ln()]), 1e-12, "cost");
    }
}

#[test]
fn the_prior_counts_as_often_as_named() {
    let golden = golden::mixtures();
    let rows = tensor(&golden["x"], Kind::Double);
    let expected = &golden["cases"]["alpha=2"]["f64"];
    let (without, prior) =
        (golden::numbers(&expected["neg_log_prob_without_prior"]), expected["prior_log_prob"].as_f64().unwrap());
    // each of the 8 training cells bears an eighth of it
    for (count, share) in [(PriorCount::PerCell, 1.0), (PriorCount::PerMinibatch, 0.0), (PriorCount::Once, 0.125)] {
        let (_store, mixture) = published(2.0, Kind::Double, count);
        let expected: Vec<f64> = without.iter().map(|cost| cost - share * prior).collect();
        close(&mixture.per_cell(&rows).unwrap(), &Value::from(expected), DOUBLE, "cost of cells");
        match mixture.per_minibatch().unwrap() {
            Some(own) => {
                assert_eq!(count, PriorCount::PerMinibatch);
                close(&own, &of_kind(-prior), DOUBLE, "cost of a minibatch");
            }
            None => assert_ne!(count, PriorCount::PerMinibatch),
        }
    }
}

#[test]
fn the_order_of_cells_changes_nothing() {
    let (_store, prior) = published(1.0, Kind::Double, PriorCount::PerCell);
    let rows = tensor(&golden::mixtures()["x"], Kind::Double);
    let order = Tensor::from_slice(&[3i64, 0, 4, 2, 1]);
    let both = |rows: &Tensor| [prior.per_cell(rows).unwrap(), prior.responsibilities(rows).unwrap().unwrap()];
    for (there, here) in both(&rows.index_select(0, &order)).iter().zip(both(&rows)) {
        assert_eq!(*there, here.index_select(0, &order));
    }
}

#[test]
fn light_components_are_left_out_but_one_stays() {
    let with = |min_weight: Option<f64>, n_components| {
        let (store, prior) =
            build(&GaussianMixtureSpec { min_weight, n_components, ..GaussianMixtureSpec::default() }, 2);
        no_grad(|| store.variables()["weight"].shallow_clone().copy_(&Tensor::from_slice(&[0f32, -6.0, 1.0])));
        // near the rows, so that no share is too small for a number
        no_grad(|| store.variables()["mean"].shallow_clone().copy_(&(&store.variables()["mean"] * 0.01)));
        let shares = prior.responsibilities(&Tensor::zeros([4, 2], (Kind::Float, Device::Cpu))).unwrap().unwrap();
        let used: Vec<bool> = shares.f_max_dim(0, false).unwrap().0.gt(0.0).try_into().unwrap();
        let sums = shares.sum_dim_intlist([1i64].as_slice(), false, Kind::Double);
        close(&sums, &Value::from(vec![1.0; 4]), 1e-6, "sums");
        let candidates = prior.candidates().unwrap().unwrap();
        let kept: Vec<i64> = (0..3).filter(|k| used[*k as usize]).collect();
        let means = store.variables()["mean"].index_select(0, &Tensor::from_slice(&kept));
        assert!(candidates == means && !candidates.requires_grad());
        kept
    };
    let (three, at_most) = (NComponents::Number(3), NComponents::AtMost(AtMost { at_most: 3 }));
    assert_eq!(with(None, three), [0, 1, 2]);
    assert_eq!(with(None, at_most), [0, 2]);
    assert_eq!(with(Some(0.0), at_most), [0, 1, 2]);
    assert_eq!(with(Some(0.99), three), [2]);
}

#[test]
fn responsibilities_of_many_rows_are_those_of_each() {
    let (_store, prior) =
        build(&GaussianMixtureSpec { n_components: NComponents::Number(512), ..GaussianMixtureSpec::default() }, 64);
    let rows = Tensor::randn([300, 64], (Kind::Float, Device::Cpu)) * 0.3;
    let all = prior.responsibilities(&rows).unwrap().unwrap();
    assert_eq!(all.size(), [300, 512]);
    let one = prior.responsibilities(&rows.narrow(0, 299, 1)).unwrap().unwrap();
    assert!(all.narrow(0, 299, 1).allclose(&one, 1e-5, 1e-7, false));
    assert_eq!(prior.responsibilities(&rows.narrow(0, 0, 0)).unwrap().unwrap().size(), [0, 512]);
}

#[test]
fn the_centre_follows_the_components_in_use() {
    let spec =
        GaussianMixtureSpec { adaptive: true, n_components: NComponents::Number(4), ..GaussianMixtureSpec::default() };
    let (store, prior) = build(&spec, 2);
    let centre = || store.variables()["neglogvar_centre"].double_value(&[0]);
    let of_sd = |sd: f64| -2.0 * sd.ln();
    assert!((centre() - of_sd(0.1)).abs() < 1e-6 && !store.variables()["neglogvar_centre"].requires_grad());
    let cost = || prior.per_cell(&Tensor::zeros([1, 2], (Kind::Float, Device::Cpu))).unwrap().double_value(&[0]);
    let before = cost();
    no_grad(|| store.variables()["weight"].shallow_clone().copy_(&Tensor::from_slice(&[0f32, 0.1, -9.0, -9.0])));
    prior.after_epoch().unwrap();
    assert!((centre() - of_sd(0.2)).abs() < 1e-6, "{}", centre());
    assert!((cost() - before).abs() > 1.0);
    let (store, prior) = build(&GaussianMixtureSpec { adaptive: false, ..spec }, 2);
    prior.after_epoch().unwrap();
    assert_eq!(store.variables().len(), 3);
}

#[test]
fn where_all_shares_are_small_all_components_are_in_use() {
    let n_components = NComponents::Number(200);
    let (store, prior) =
        build(&GaussianMixtureSpec { adaptive: true, n_components, ..GaussianMixtureSpec::default() }, 2);
    let before = store.variables()["neglogvar_centre"].copy();
    prior.after_epoch().unwrap();
    assert_eq!(store.variables()["neglogvar_centre"], before);
}

#[test]
fn rows_start_at_the_origin() {
    let (mut store, prior) = build(&GaussianMixtureSpec::default(), 4);
    assert_eq!(prior.initial_rows(2, 4, Device::Cpu).unwrap(), Tensor::zeros([2, 4], (Kind::Float, Device::Cpu)));
    store.double();
    assert_eq!(prior.initial_rows(2, 4, Device::Cpu).unwrap().kind(), Kind::Double);
    let error = prior.per_cell(&Tensor::zeros([2, 3], (Kind::Double, Device::Cpu))).unwrap_err().to_string();
    assert_eq!(error, "the prior was built for 4 numbers per cell, but the rows have shape [2, 3]");
}

#[test]
fn what_is_not_known_is_said() {
    let spec = GaussianMixtureSpec::default();
    assert_eq!(
        refusal(&spec, CellFacts { n_labels: None, ..CELLS }),
        "the mixture has a component per label, but the data have no labels; set `data.label`, or `n_components` to a \
         number"
    );
    assert_eq!(
        refusal(&GaussianMixtureSpec { prior_count: PriorCount::Once, ..spec }, CellFacts { n_cells: 0, ..CELLS }),
        "with `prior_count = \"once\"` every training cell has a share of the prior, but their number is not known; use \
         `per_cell` or `per_minibatch`"
    );
}

#[test]
fn numbers_out_of_range_are_told() {
    let keys = |spec: GaussianMixtureSpec| spec.validate().into_iter().map(|problem| problem.key).collect::<Vec<_>>();
    let spec = GaussianMixtureSpec::default;
    assert!(keys(spec()).is_empty());
    assert_eq!(keys(GaussianMixtureSpec { n_components: NComponents::Number(0), ..spec() }), ["n_components"]);
    let bounded = NComponents::AtMost(AtMost { at_most: -1 });
    assert_eq!(keys(GaussianMixtureSpec { n_components: bounded, ..spec() }), ["n_components.at_most"]);
    let wrong = GaussianMixtureSpec {
        softball_radius: 0.0,
        softball_sharpness: f64::NAN,
        dirichlet_alpha: -1.0,
        sd: Some(0.0),
        sd_sd: f64::INFINITY,
        adaptive: true,
        min_weight: Some(1.0),
        ..spec()
    };
    let expected =
        ["softball_radius", "softball_sharpness", "dirichlet_alpha", "sd", "sd_sd", "adaptive", "min_weight"];
    assert_eq!(keys(wrong), expected);
}

#[test]
fn the_number_of_components_is_read_in_every_form() {
    let read = |value: Value| serde_json::from_value::<NComponents>(value);
    assert_eq!(read("labels".into()).unwrap(), NComponents::Rule(ComponentRule::Labels));
    assert_eq!(read(22.into()).unwrap(), NComponents::Number(22));
    let bounded = serde_json::json!({"at_most": 40});
    assert_eq!(read(bounded.clone()).unwrap(), NComponents::AtMost(AtMost { at_most: 40 }));
    assert_eq!(serde_json::to_value(read(bounded.clone()).unwrap()).unwrap(), bounded);
    let error = read(2.5.into()).unwrap_err().to_string();
    assert_eq!(error, "expected `labels`, a number of components such as 22, or `{ at_most = 40 }`");
}
