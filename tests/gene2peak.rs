//! In-silico silencing: published numbers, and the command.

use framework::infer::{Estimate, Silencing, reconstruct, shares};
use tch::{Kind, Tensor, no_grad};
use tests_support::dgd::{N_FEATURES, PRECISIONS, Published, close, close_to_largest, golden, tensor};

#[test]
fn a_published_model_decodes_as_published() {
    let file = golden("predict.json");
    let parameters = &file["params"]["covariate"];
    for (block, kind, tolerance) in PRECISIONS {
        let published = Published::new(parameters, kind, &[]);
        let rows = |name: &str| Some(tensor(&parameters[name], kind).narrow(0, 0, 2));
        let rows = vec![rows("representation.z"), rows("correction_rep.z")];
        let estimate = Estimate { log_sds: rows.iter().map(|_| None).collect(), rows };
        let branch = &published.model.branches[0];
        let prediction = no_grad(|| reconstruct(&published.model, branch, &estimate)).unwrap();
        let found = branch.loss.expectation(&prediction, None).unwrap();
        let expected = &file["decode_first_two_training_cells"][block][0];
        close(&found, expected, tolerance, block);
    }
}

#[test]
fn a_silenced_gene_moves_all_features_as_published() {
    let (file, parameters) = (golden("gene2peak.json"), golden("predict.json"));
    let parameters = &parameters["params"]["covariate"];
    let gene = file["gene_index"].as_i64().unwrap();
    for (block, kind, tolerance) in PRECISIONS {
        let published = Published::new(parameters, kind, &[]);
        let model = &published.model;
        let rows = [tensor(&file["z_test"], kind), tensor(&file["z_cov_test"], kind)];
        let totals = tensor(&file["counts_test"], kind).narrow(1, 0, N_FEATURES[0]).sum_dim_intlist(1, false, kind);
        for n_steps in [1, 3] {
            let expected = &file[block][format!("steps={n_steps}")];
            let silencing = Silencing { n_steps, ..Silencing::new(model, 0) };
            let moved = silencing.silence(&rows, &totals.full_like(gene).to_kind(Kind::Int64), &totals).unwrap();
            close(&moved[0], &expected["z_after_all_cells"], tolerance, "rows");
            assert_eq!(moved[1], rows[1], "rows of the covariate stay");
            for (target, name) in ["delta_rna", "delta_atac"].into_iter().enumerate() {
                let [before, after] = [&rows[..], &moved].map(|rows| shares(model, target, rows).unwrap());
                // A change is told no better than the shares that it is the difference of.
                let rounding = 2.0 * f64::from(f32::EPSILON) * before.max().double_value(&[]);
                match kind {
                    Kind::Double => close_to_largest(&(after - before), &expected[name], tolerance, name),
                    _ => assert!(largest_difference(&(after - before), &expected[name]) <= rounding, "{name}"),
                }
            }
        }
    }
}

fn largest_difference(found: &Tensor, expected: &serde_json::Value) -> f64 {
    (found - tensor(expected, found.kind())).abs().max().double_value(&[])
}
