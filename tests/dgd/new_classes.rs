//! A component for a class that a model has not seen, learned with the labels of its cells.

use crate::{classes, near};
use framework::Minibatch;
use framework::data::{Classes, Cohort};
use framework::infer::{NewClasses, Trained, starting_rows, with_classes};
use framework::model::Dimensions;
use framework::run::Preparation;
use framework::{FeatureShape, Statistics};
use serde_json::Value;
use tch::{Device, Kind, Tensor, no_grad};
use tests_support::dgd::{
    COVARIATE_SPACE, N_FEATURES, PRECISIONS, Published, close_to_largest, golden, minibatch, tensor,
};

/// The published model as a trained one, which it is taken apart for.
fn trained(published: Published) -> (framework::spec::Experiment, Trained) {
    let preparation = |(modality, n): (&str, i64)| Preparation {
        modality: modality.to_owned(),
        dimensions: Dimensions {
            shape: FeatureShape::Vector(n),
            training: Statistics::default(),
            all: Statistics::default(),
        },
        state: Value::Null,
    };
    let known = Classes { column: "site".to_owned(), names: vec!["a".to_owned(), "b".to_owned()], n_added: 0 };
    let cohort = Cohort { n_cells: 24, n_labels: None, classes: vec![None, Some(known)], conditions: Vec::new() };
    let preparations = ["rna", "atac"].into_iter().zip(N_FEATURES).map(preparation).collect();
    let Published { experiment, model } = published;
    (experiment, Trained { model, preparations, cohort, device: Device::Cpu })
}

/// The model with a third class; in 64 bits with the published numbers, which it was built in 32 for.
fn with_a_third(published: Published, before: &Value, kind: Kind) -> Trained {
    let (experiment, trained) = trained(published);
    let mut grown = with_classes(&experiment, &trained, &[Vec::new(), vec!["c".to_owned()]]).unwrap();
    for name in ["mean", "neglogvar", "weight"] {
        let found = &grown.model.generative.variables()[&format!("prior.{COVARIATE_SPACE}.{name}")];
        close_to_largest(found, &before[name], 1e-6, name);
    }
    if kind == Kind::Double {
        grown.model.generative.double();
        let old = trained.model.generative.variables();
        for (name, mut tensor) in grown.model.generative.variables() {
            let own = name.strip_prefix(&format!("prior.{COVARIATE_SPACE}."));
            let values = own.map_or_else(|| old[&name].copy(), |own| self::tensor(&before[own], kind));
            no_grad(|| tensor.copy_(&values));
        }
    }
    grown
}

fn cells(file: &Value, start: usize, n: usize, kind: Kind) -> Minibatch {
    let counts = Value::Array(file["counts_test"].as_array().unwrap()[start..start + n].to_vec());
    minibatch(&counts, Some(&classes(&file["labels_used"])[start..start + n]), kind)
}

#[test]
fn a_third_class_is_learned_as_published() {
    let _alone = crate::alone();
    let file = golden("new_covariate_paper.json");
    for (block, kind, tolerance) in PRECISIONS {
        let expected = &file[block];
        let published = Published::new(&golden("predict.json")["params"]["covariate"], kind, &[]);
        let settings = published.experiment.fit.mapping.clone();
        let grown = with_a_third(published, &expected["expanded_model_before_training"], kind);
        let rows = starting_rows(&grown.model, &cells(&file, 0, 6, kind), &settings).unwrap();
        let mut learned = NewClasses::new(&grown.model, &grown.cohort, &settings, rows);
        let mut values = expected["backward_values_in_order"].as_array().unwrap().iter();
        for _ in 0..3 {
            for start in [0, 3] {
                let places = Tensor::arange_start(start as i64, start as i64 + 3, (Kind::Int64, Device::Cpu));
                let total = learned.minibatch(&places, &cells(&file, start, 3, kind)).unwrap();
                near(total.double_value(&[]), values.next().unwrap().as_f64().unwrap(), tolerance, "loss");
            }
            learned.end_pass();
        }
        assert!(values.next().is_none());
        let learned_to = if kind == Kind::Double { 1e-8 } else { 1e-5 };
        for (rows, name) in learned.into_rows().iter().zip(["z", "z_cov"]) {
            close_to_largest(rows, &expected[name], learned_to, name);
        }
        for name in ["mean", "neglogvar", "weight"] {
            let found = &grown.model.generative.variables()[&format!("prior.{COVARIATE_SPACE}.{name}")];
            close_to_largest(found, &expected["after"][name], learned_to, name);
        }
    }
}
