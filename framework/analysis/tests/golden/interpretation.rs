//! Interpretation and enrichment against scanpy, scipy, scikit-learn, gseapy and networkx (`make_golden_interpretation.py`).

use analysis::{
    Against, BinSpec, CellSplit, CentreRule, CorrelationSign, Direction, FeatureGroupSpec, FeatureScale,
    InterpretationSpec, Matrix, PrerankedSpec, Reference, Singletons, SparseRows, Values, feature_groups, group_tests,
    interpret, over_representation, preranked,
};
use serde_json::Value;
use tch::Tensor;

use crate::{assert_close, vector};

fn stored() -> Value {
    serde_json::from_str(include_str!("interpretation.json")).unwrap()
}

/// Whole numbers of 2⁻⁸, as rows.
fn rows(value: &Value) -> Vec<Vec<f32>> {
    let row = |row: &Value| vector(row).into_iter().map(|number| number as f32 / 256.0).collect();
    value.as_array().unwrap().iter().map(row).collect()
}

fn dense(rows: &[Vec<f32>]) -> Tensor {
    Tensor::from_slice(&rows.concat()).view([rows.len() as i64, -1])
}

fn list(value: &Value) -> Vec<usize> {
    value.as_array().unwrap().iter().map(|number| number.as_u64().unwrap() as usize).collect()
}

fn lists(value: &Value) -> Vec<Vec<usize>> {
    value.as_array().unwrap().iter().map(list).collect()
}

/// The three arrays of a CSR matrix.
struct Stored {
    indptr: Vec<u64>,
    indices: Vec<u32>,
    values: Vec<f32>,
}

impl Stored {
    fn of(rows: &[Vec<f32>]) -> Self {
        let mut stored = Self { indptr: vec![0], indices: Vec::new(), values: Vec::new() };
        for row in rows {
            for (column, &value) in row.iter().enumerate().filter(|(_, value)| **value != 0.0) {
                stored.indices.push(column as u32);
                stored.values.push(value);
            }
            stored.indptr.push(stored.values.len() as u64);
        }
        stored
    }

    fn matrix(&self, n_columns: usize) -> Matrix<'_> {
        SparseRows::new(&self.indptr, &self.indices, &self.values, n_columns).unwrap().into()
    }
}

#[test]
fn tests_of_groups_are_those_of_scanpy() {
    let golden = stored();
    let values = rows(&golden["values"]);
    let (sparse, n_features) = (Stored::of(&values), values[0].len());
    let groups = lists(&golden["tests"]["groups"]);
    let all: Vec<usize> = (0..values.len()).collect();
    for (name, against) in [("other_groups", Against::OtherGroups), ("rest", Against::Rest(&all))] {
        for features in [sparse.matrix(n_features), Matrix::dense(&dense(&values)).unwrap()] {
            let found = group_tests(&features, &groups, against, Values::Log1p).unwrap();
            for (found, expected) in found.iter().zip(golden["tests"][name].as_array().unwrap()) {
                // scanpy stores scores and fold changes as 32-bit numbers
                assert_close(&found.t, &vector(&expected["t"]), 2e-7);
                assert_close(&found.log2_fold_change, &vector(&expected["log2_fold_change"]), 2e-7);
                for (found, column) in [(&found.p, "p"), (&found.q, "q")] {
                    for (found, expected) in found.iter().zip(vector(&expected[column])) {
                        assert!((found - expected).abs() <= 1e-9 * expected, "{name} {column}: {found:e} {expected:e}");
                    }
                }
            }
        }
    }
}

fn spec(case: &Value, golden: &Value) -> InterpretationSpec {
    let named = |name: &str| case[name].as_str().unwrap();
    InterpretationSpec {
        bins: BinSpec {
            centre: CentreRule::First(case["n_counted"].as_u64().unwrap() as usize),
            centre_percentile: case["percentile"].as_f64().unwrap(),
            ..BinSpec::default()
        },
        reference: if named("reference") == "rest" { Reference::Rest } else { Reference::OtherGroups },
        scale: match named("scale") {
            "as_is" => FeatureScale::AsIs,
            "unit_variance" => FeatureScale::UnitVariance,
            _ => FeatureScale::Range,
        },
        thresholds: vector(&golden["grid"]),
        ..InterpretationSpec::default()
    }
}

#[test]
fn repeats_are_those_of_the_published_procedure() {
    let golden = stored();
    let values = rows(&golden["values"]);
    let (sparse, space) = (Stored::of(&values), dense(&rows(&golden["space"])));
    let split = |split: &Value| CellSplit { train: list(&split["train"]), test: list(&split["test"]) };
    let splits: Vec<CellSplit> = golden["splits"].as_array().unwrap().iter().map(split).collect();
    for case in golden["cases"].as_array().unwrap() {
        for features in [sparse.matrix(values[0].len()), Matrix::dense(&dense(&values)).unwrap()] {
            let found = interpret(&space, &features, &splits, &spec(case, &golden)).unwrap();
            let mut by_direction = Vec::new();
            let mut any = Vec::new();
            for component in 0..found.n_components() {
                for direction in Direction::ALL {
                    by_direction.extend(
                        found.counts(component, direction).into_iter().map(|count| {
                            serde_json::json!([component, direction as usize, count.feature, count.repeats])
                        }),
                    );
                }
                let mut curves = found.curves(component, analysis::DirectionCount::Any);
                curves.sort_by_key(|curve| curve.feature);
                any.extend(
                    curves.into_iter().map(|curve| serde_json::json!([component, curve.feature, curve.repeats])),
                );
            }
            assert_eq!(&Value::from(by_direction), &case["repeats"]);
            assert_eq!(&Value::from(any), &case["any"]);
            assert!(found.components.iter().all(|component| component.n_tested == [splits.len(); 3]));
        }
    }
}

#[test]
fn over_representation_is_that_of_scipy() {
    for case in stored()["hypergeometric"].as_array().unwrap() {
        let [n_all, n_marked, n_drawn, n_least] = [0, 1, 2, 3].map(|at| case[at].as_u64().unwrap() as usize);
        // the first marked ones are drawn, and then others
        let chosen: Vec<usize> = (0..n_least).chain(n_marked..n_marked + n_drawn - n_least).collect();
        let found = over_representation(&chosen, &[(0..n_marked).collect()], n_all).unwrap();
        let expected = case[4].as_f64().unwrap();
        assert!((found[0].p - expected).abs() <= 1e-10 * expected, "{case}: {:e}", found[0].p);
    }
}

#[test]
fn enrichment_of_rankings_is_that_of_gseapy() {
    let golden = &stored()["ranking"];
    let scores: Vec<f64> = vector(&golden["scores"]).iter().map(|score| score / 256.0).collect();
    for case in golden["cases"].as_array().unwrap() {
        let weight = case["weight"].as_f64().unwrap();
        let spec = PrerankedSpec { weight, n_permutations: 5000, seed: 1, min_size: 1, max_size: 500 };
        let found = preranked(&scores, &lists(&golden["sets"]), &spec).unwrap();
        let of = |get: fn(&analysis::Enriched) -> f64| found.iter().map(get).collect::<Vec<f64>>();
        assert_close(&of(|one| one.es), &vector(&case["es"]), 1e-12);
        // other random sets: 5,000 of them fix the mean to about 1 %, a share to about 0.01 and rates to some hundredths
        assert_close(&of(|one| one.nes.unwrap()), &vector(&case["nes"]), 0.05);
        assert_close(&of(|one| one.p), &vector(&case["p"]), 0.03);
        assert_close(&of(|one| one.gsea_fdr.unwrap()), &vector(&case["fdr"]), 0.1);
        for (found, expected) in found.iter().zip(lists(&case["leading_edge"])) {
            let mut edge = found.leading_edge.clone();
            edge.sort_unstable();
            assert_eq!(edge, expected, "set {}", found.set);
        }
    }
}

#[test]
fn groups_of_features_are_those_of_networkx() {
    let golden = &stored()["feature_groups"];
    let values = Matrix::dense(&dense(&rows(&golden["values"]))).unwrap();
    for case in golden["cases"].as_array().unwrap() {
        let spec = FeatureGroupSpec {
            threshold: case["threshold"].as_f64().unwrap(),
            sign: if case["sign"] == "signed" { CorrelationSign::Signed } else { CorrelationSign::Absolute },
            singletons: Singletons::Kept,
        };
        let found = feature_groups(&values, spec).unwrap();
        assert_eq!(found.iter().map(|group| group.features.clone()).collect::<Vec<_>>(), lists(&case["groups"]));
        let representatives: Vec<usize> = found.iter().map(|group| group.representative).collect();
        assert_eq!(representatives, list(&case["representatives"]));
    }
}
