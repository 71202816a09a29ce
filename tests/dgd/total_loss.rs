//! One evaluation of the objective, and its gradients.

use crate::{classes, near, rows, sums};
use framework::fit::DecoderOnly;
use framework::infer::{Estimate, reconstruct};
use framework::model::{Objective, Reduction};
use serde_json::Value;
use tch::{Kind, Tensor, no_grad};
use tests_support::dgd::{PRECISIONS, Published, close, close_to_largest, golden, minibatch};

const NAMES: [&str; 2] = ["representation.z", "correction_rep.z"];

/// A case in one precision.
struct Case {
    published: Published,
    parameters: Value,
    expected: Value,
    kind: Kind,
    tolerance: f64,
    block: &'static str,
    file: Value,
}

impl Case {
    fn all() -> Vec<Case> {
        let mut cases = Vec::new();
        for name in ["covariate", "no_covariate"] {
            for (block, kind, tolerance) in PRECISIONS {
                let file = golden("total_loss.json");
                let parameters = file["cases"][name]["params"].clone();
                let expected = file["cases"][name][block].clone();
                let published = Published::new(&parameters, kind, &[]);
                cases.push(Case { published, parameters, expected, kind, tolerance, block, file });
            }
        }
        cases
    }

    fn minibatch(&self) -> framework::Minibatch {
        let labels = classes(&self.file["site_label"]);
        let known = self.parameters.get("correction_gmm.mean").map(|_| labels.as_slice());
        minibatch(&self.file["counts_train"], known, self.kind)
    }

    fn rows(&self) -> Vec<Tensor> {
        rows(&self.published, &self.parameters, NAMES, self.kind)
    }

    fn number(&self, key: &str) -> f64 {
        self.expected[key].as_f64().expect("a number")
    }
}

#[test]
fn every_part_of_the_loss_is_as_published() {
    let _alone = crate::alone();
    for case in Case::all() {
        let mut learned = DecoderOnly::new(&case.published.model, case.rows(), &case.published.experiment.fit.dgd);
        let minibatch = case.minibatch();
        let terms = learned.terms(&minibatch).unwrap();
        let found = sums(&terms, 24);
        let mut expected = vec![case.number("recon_rna"), case.number("recon_atac"), case.number("gmm_error")];
        if found.len() == 4 {
            expected.push(case.number("correction_error"));
        }
        assert_eq!(found.len(), expected.len(), "{}", case.block);
        for ((name, found), expected) in terms.names().zip(&found).zip(&expected) {
            near(*found, *expected, case.tolerance, name);
        }
        let total = terms.total().unwrap();
        learned.advance(&minibatch, &total).unwrap();
        let l1 = learned.l1().unwrap().double_value(&[]);
        near(l1, case.number("l1"), case.tolerance, "L1");
        near(total.double_value(&[]) + l1, case.number("total"), case.tolerance, "total");
    }
}

#[test]
fn reconstruction_of_each_cell_is_as_published() {
    let _alone = crate::alone();
    for case in Case::all() {
        let minibatch = case.minibatch();
        let model = &case.published.model;
        let mut per_cell = Tensor::zeros([24], (case.kind, tch::Device::Cpu));
        for (branch, part) in model.branches.iter().zip(&minibatch.parts) {
            let estimate = Estimate {
                rows: case.rows().into_iter().map(Some).collect(),
                log_sds: model.spaces.iter().map(|_| None).collect(),
                categories: Vec::new(),
            };
            let prediction = no_grad(|| reconstruct(model, branch, &estimate)).unwrap();
            let target = &part.as_ref().unwrap().target;
            let loss = no_grad(|| branch.loss.per_cell(&prediction, target)).unwrap();
            per_cell += loss * branch.n_features as f64;
            let shares = branch.loss.expectation(&prediction, None).unwrap();
            let place = usize::from(branch.name == "atac");
            close(&shares.get(0), &case.expected["fractions_first_cell"][place], case.tolerance, "shares");
        }
        close(&per_cell, &case.expected["recon_per_cell"], case.tolerance, "reconstruction");
    }
}

/// The L1 penalty has no graph: Adam adds the sign of each weight to its gradient, and so does this test.
#[test]
fn gradients_are_as_published() {
    let _alone = crate::alone();
    for case in Case::all().into_iter().filter(|case| case.kind == Kind::Double) {
        let leaves: Vec<Tensor> = case.rows().into_iter().map(|rows| rows.set_requires_grad(true)).collect();
        let objective = Objective { reduction: Reduction::Sum, ..Objective::TRAINING };
        let terms = objective.terms(&case.published.model, &leaves, &case.minibatch()).unwrap();
        terms.total().unwrap().backward();
        let expected = &case.expected["grads"];
        let variables = case.published.model.generative.variables();
        for (ours, theirs) in case.published.names() {
            let variable = &variables[&ours];
            let is_weight = theirs.starts_with("decoder.") && theirs.ends_with("weight");
            let gradient = variable.grad();
            let gradient = if gradient.defined() { gradient } else { variable.zeros_like() };
            let gradient = if is_weight { gradient + variable.sign() } else { gradient };
            close_to_largest(&gradient, &expected[&theirs], case.tolerance, &theirs);
        }
        for (leaf, name) in leaves.iter().zip(NAMES) {
            close_to_largest(&leaf.grad(), &expected[name], case.tolerance, name);
        }
    }
}
