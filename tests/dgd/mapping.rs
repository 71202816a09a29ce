//! Rows of new cells.

use crate::near;
use framework::Minibatch;
use framework::infer::{best_candidates, candidate_costs, map_cells};
use framework::model::Objective;
use serde_json::Value;
use tch::{Kind, Tensor};
use tests_support::dgd::{PRECISIONS, Published, close, close_to_largest, golden, minibatch};

/// A case of the file.
struct Case<'a> {
    name: &'a str,
    parameters: &'a str,
    n_steps: u64,
    size: usize,
    /// The modality that was not measured.
    missing: Option<usize>,
    covariate_prior: bool,
}

impl Case<'_> {
    fn check(&self) {
        for (block, kind, tolerance) in PRECISIONS {
            let file = golden("predict.json");
            let expected = &file["cases"][self.name][block];
            let mut published = Published::new(&file["params"][self.parameters], kind, &self.overrides());
            let cells = |start, n| self.minibatch(&file["counts_test"], start, n, kind);
            let candidates = every_pair(&published);
            let all = cells(0, 6);
            let search = published.experiment.fit.mapping.search;
            let costs = candidate_costs(&published.model, &all, &candidates, search).unwrap();
            close(&costs, &expected["candidate_recon_loss"], tolerance, "costs of candidates");
            let best = best_candidates(&published.model, &all, &candidates, search).unwrap();
            close(&best, &expected["best"], 0.0, "best candidates");
            for (place, value) in self.passes(&mut published, &cells).into_iter().enumerate() {
                let expected = expected["backward_values_in_order"][place].as_f64().unwrap();
                near(value, expected, tolerance, &format!("loss {place}"));
            }
            let learned = if kind == Kind::Double { 1e-8 } else { 1e-5 };
            for (rows, name) in map_cells(&published.model, &all).unwrap().iter().zip(["z", "z_cov"]) {
                close_to_largest(rows, &expected[name], learned, name);
            }
        }
    }

    fn overrides(&self) -> Vec<&'static str> {
        match self.covariate_prior {
            true => Vec::new(),
            false => vec!["fit.mapping.covariate_prior=false"],
        }
    }

    fn minibatch(&self, counts: &Value, start: usize, n: usize, kind: Kind) -> Minibatch {
        let counts = Value::Array(counts.as_array().unwrap()[start..start + n].to_vec());
        let mut minibatch = minibatch(&counts, None, kind);
        if let Some(missing) = self.missing {
            minibatch.parts[missing] = None;
        }
        minibatch
    }

    /// The loss of every minibatch before each step; leaves the number of steps as it is in the case.
    fn passes(&self, published: &mut Published, cells: &dyn Fn(usize, usize) -> Minibatch) -> Vec<f64> {
        let objective = Objective { covariate_priors: self.covariate_prior, ..Objective::LIKELIHOOD };
        let mut found = Vec::new();
        for n_steps in 0..self.n_steps {
            published.model.mapping.as_mut().unwrap().n_steps = n_steps;
            for start in (0..6).step_by(self.size) {
                let minibatch = cells(start, self.size);
                let rows = map_cells(&published.model, &minibatch).unwrap();
                let terms = objective.terms(&published.model, &rows, &minibatch).unwrap();
                found.push(terms.total().unwrap().double_value(&[]));
            }
        }
        published.model.mapping.as_mut().unwrap().n_steps = self.n_steps;
        found
    }
}

/// All pairs of component means, those of the covariate fastest.
fn every_pair(published: &Published) -> Vec<Tensor> {
    let means = |space: usize| published.model.spaces[space].prior.candidates().unwrap().unwrap();
    if published.model.spaces.len() == 1 {
        return vec![means(0)];
    }
    let (basal, covariate) = (means(0), means(1));
    let (n_basal, n_covariate) = (basal.size()[0], covariate.size()[0]);
    vec![basal.repeat_interleave_self_int(n_covariate, 0, None), covariate.repeat([n_basal, 1])]
}

const PAIRED: Case<'_> = Case {
    name: "paired_cov_5ep_b3",
    parameters: "covariate",
    n_steps: 5,
    size: 3,
    missing: None,
    covariate_prior: true,
};

#[test]
fn cells_of_both_modalities_are_mapped_as_published() {
    let _alone = crate::alone();
    PAIRED.check();
}

#[test]
fn cells_are_mapped_as_published_without_the_prior_of_the_covariate() {
    let _alone = crate::alone();
    Case { name: "paired_cov_2ep_b3_no_cov_error", n_steps: 2, covariate_prior: false, ..PAIRED }.check();
}

#[test]
fn cells_are_mapped_as_published_without_a_covariate() {
    let _alone = crate::alone();
    Case { name: "paired_nocov_3ep_b6", parameters: "no_covariate", n_steps: 3, size: 6, ..PAIRED }.check();
}

/// The published package gets this right for minibatches of one cell only; ours for any.
#[test]
fn cells_of_one_modality_are_mapped_as_intended() {
    let _alone = crate::alone();
    for (name, missing) in [("atac_only_cov_3ep_b1_INTENDED", 0), ("rna_only_cov_3ep_b1_INTENDED", 1)] {
        Case { name, n_steps: 3, size: 1, missing: Some(missing), ..PAIRED }.check();
    }
}
