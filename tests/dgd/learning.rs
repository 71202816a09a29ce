//! Learning minibatch by minibatch, rows of validation cells beside.

use crate::{classes, near, rows, sums};
use framework::fit::{DecoderOnly, TriedRows};
use framework::model::Terms;
use serde_json::Value;
use tch::{Kind, Tensor};
use tests_support::dgd::{Published, close_to_largest, golden, minibatch};

/// Cells of a minibatch.
const SIZE: usize = 8;
/// Largest relative difference of the losses, by precision.
const PRECISIONS: [(&str, Kind, f64); 2] = [("f64", Kind::Double, 1e-10), ("f32", Kind::Float, 1e-5)];
/// Largest difference of what was learned in 64 bits, in units of the largest number.
const LEARNED: f64 = 1e-8;

/// A published history, and where our own is in it.
struct History<'a> {
    expected: &'a Value,
    tolerance: f64,
    n_told: usize,
}

impl History<'_> {
    /// Compares the terms of a minibatch, and the total with what has no graph.
    fn compare(&mut self, terms: &Terms, penalty: f64) {
        let (place, found) = (self.n_told, sums(terms, SIZE));
        let expected = |key: &str| self.expected[key][place].as_f64().expect("a number");
        let what = |name: &str| format!("{name} of minibatch {place}");
        near(found[0] + found[1], expected("recon_in_order"), self.tolerance, &what("reconstruction"));
        near(found[2], expected("gmm_in_order"), self.tolerance, &what("mixture"));
        if let Some(covariate) = found.get(3) {
            near(*covariate, expected("cov_in_order"), self.tolerance, &what("covariate"));
        }
        let total = terms.total().unwrap().double_value(&[]) + penalty;
        near(total, expected("backward_values_in_order"), self.tolerance, &what("total"));
        self.n_told += 1;
    }
}

/// What a case learns, and with what.
struct Learning<'a> {
    file: &'a Value,
    published: &'a Published,
    kind: Kind,
    has_covariate: bool,
}

impl Learning<'_> {
    fn minibatch(&self, subset: &str, start: usize) -> framework::Minibatch {
        let rows = self.file["counts"][subset].as_array().unwrap()[start..start + SIZE].to_vec();
        let labels = classes(&self.file["site_label_train"]);
        let known = (self.has_covariate && subset == "train").then(|| &labels[start..start + SIZE]);
        let mut minibatch = minibatch(&Value::Array(rows), known, self.kind);
        minibatch.cells += start as i64;
        minibatch
    }

    /// One epoch: sequential minibatches, then one of validation cells if there are any.
    fn epoch(&self, learned: &mut DecoderOnly<'_>, tried: Option<&mut TriedRows<'_>>, history: &mut History<'_>) {
        for start in (0..24).step_by(SIZE) {
            let minibatch = self.minibatch("train", start);
            let terms = learned.terms(&minibatch).unwrap();
            learned.advance(&minibatch, &terms.total().unwrap()).unwrap();
            history.compare(&terms, learned.l1().unwrap().double_value(&[]));
        }
        learned.end_epoch().unwrap();
        if let Some(tried) = tried {
            let minibatch = self.minibatch("validation", 0);
            let terms = tried.gather(&minibatch.cells, &minibatch).unwrap();
            tried.end_epoch();
            history.compare(&terms, 0.0);
        }
    }
}

/// A case of the file: its name, the parameters that it starts from, and what is set.
struct Case<'a> {
    name: &'a str,
    overrides: &'a [&'a str],
    validates: bool,
    n_epochs: usize,
}

impl Case<'_> {
    fn check(&self) {
        let file = golden("train.json");
        let case = &file["cases"][self.name];
        let own = &case["init_params"];
        let initial = if own.is_object() { own } else { &file["cases"]["covariate_validation"]["init_params"] };
        for (block, kind, tolerance) in PRECISIONS {
            let published = Published::new(initial, kind, self.overrides);
            let (settings, model) = (&published.experiment.fit.dgd, &published.model);
            let start = |names| rows(&published, initial, names, kind);
            let mut learned = DecoderOnly::new(model, start(["representation.z", "correction_rep.z"]), settings);
            let mut tried = TriedRows::new(model, start(["validation_rep.z", "correction_val_rep.z"]), settings);
            let has_covariate = model.spaces.len() == 2;
            let learning = Learning { file: &file, published: &published, kind, has_covariate };
            let mut history = History { expected: &case[block], tolerance, n_told: 0 };
            for _ in 0..self.n_epochs {
                learning.epoch(&mut learned, self.validates.then_some(&mut tried), &mut history);
            }
            assert_eq!(history.n_told, case[block]["recon_in_order"].as_array().unwrap().len());
            if kind == Kind::Double {
                learning.compare_learned(&case[block], &learned, &tried);
            }
        }
    }
}

impl Learning<'_> {
    fn compare_learned(&self, expected: &Value, learned: &DecoderOnly<'_>, tried: &TriedRows<'_>) {
        let first = learned.rows(0).narrow(0, 0, 3);
        let Some(all) = expected.get("final_params") else {
            close_to_largest(&first, &expected["final_z_first3"], LEARNED, "first rows");
            return;
        };
        let variables = self.published.model.generative.variables();
        for (ours, theirs) in self.published.names() {
            close_to_largest(&variables[&ours], &all[&theirs], LEARNED, &theirs);
        }
        for (place, names) in
            [["representation.z", "validation_rep.z"], ["correction_rep.z", "correction_val_rep.z"]].iter().enumerate()
        {
            let of_space: [&Tensor; 2] = [learned.rows(place), tried.rows(place)];
            for (rows, name) in of_space.into_iter().zip(names) {
                close_to_largest(rows, &all[*name], LEARNED, name);
            }
        }
    }
}

/// Published: one learning rate for all but the covariate's prior.
const ONE_RATE: [&str; 2] = ["fit.dgd.learning_rate_decoder=1e-2", "fit.dgd.minibatch=8"];

#[test]
fn a_model_with_a_covariate_learns_as_published() {
    let _alone = crate::alone();
    Case { name: "covariate_validation", overrides: &ONE_RATE, validates: true, n_epochs: 5 }.check();
}

#[test]
fn the_default_learning_rates_are_as_published() {
    let _alone = crate::alone();
    Case { name: "default_lr_covariate_validation", overrides: &[], validates: true, n_epochs: 3 }.check();
}

#[test]
fn a_model_without_a_covariate_learns_as_published() {
    let _alone = crate::alone();
    let alpha = "latent.shared.prior.dirichlet_alpha=2.0";
    let overrides = [ONE_RATE[0], ONE_RATE[1], alpha];
    Case { name: "no_covariate_no_validation_alpha2", overrides: &overrides, validates: false, n_epochs: 3 }.check();
}
