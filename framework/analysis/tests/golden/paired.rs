//! Paired comparisons over few seeds, against scipy and statsmodels (`make_golden_paired.py`).

use analysis::{Paired, bootstrap_interval, holm, signed_rank};
use serde_json::Value;

use crate::vector;

fn stored() -> Value {
    serde_json::from_str(include_str!("paired.json")).unwrap()
}

/// Relative, so that small p-values count too; 10⁻²⁵ for what is 0.
fn assert_near(found: f64, expected: &Value, what: &str) {
    let expected = expected.as_f64().unwrap();
    assert!((found - expected).abs() <= 1e-10 * expected.abs() + 1e-25, "{what}: {found:e}, expected {expected:e}");
}

fn for_each_case(mut check: impl FnMut(&str, &[f64], &Value)) {
    for case in stored()["cases"].as_array().unwrap() {
        check(case["name"].as_str().unwrap(), &vector(&case["differences"]), case);
    }
}

#[test]
fn t_tests_and_equivalence() {
    for_each_case(|name, differences, case| {
        let paired = Paired::of(differences).unwrap();
        assert_eq!(paired.n, differences.len());
        assert_near(paired.mean, &case["mean"], name);
        assert_near(paired.sd.unwrap(), &case["sd"], name);
        assert_near(paired.t.unwrap(), &case["t"], name);
        assert_near(paired.p.unwrap(), &case["p"], name);
        assert_near(paired.effect_size.unwrap(), &case["effect_size"], name);
        let (low, high) = paired.interval.unwrap();
        assert_near(low, &case["interval"][0], name);
        assert_near(high, &case["interval"][1], name);
        for (margin, expected) in vector(&case["margins"]).into_iter().zip(case["equivalence"].as_array().unwrap()) {
            assert_near(paired.equivalence(margin).unwrap(), expected, &format!("{name}, margin {margin}"));
        }
    });
}

#[test]
fn signed_ranks() {
    let mut n_by_scipy = 0;
    for_each_case(|name, differences, case| {
        let found = signed_rank(differences).unwrap();
        assert_near(found, &case["signed_rank"], name);
        if !case["wilcoxon"].is_null() {
            assert_near(found, &case["wilcoxon"], &format!("{name}, scipy"));
            n_by_scipy += 1;
        }
    });
    assert!(n_by_scipy >= 15);
}

#[test]
fn bootstrap_intervals() {
    let (mut n_enumerated, mut n_drawn) = (0, 0);
    for_each_case(|name, differences, case| {
        let (low, high) = bootstrap_interval(differences, 0).unwrap();
        if case["enumerated"].is_array() {
            assert_near(low, &case["enumerated"][0], name);
            assert_near(high, &case["enumerated"][1], name);
            n_enumerated += 1;
        } else {
            // other resamples than scipy drew: ends within a twentieth of the width
            let expected = vector(&case["drawn"]);
            let allowed = (expected[1] - expected[0]) / 20.0;
            assert!(
                (low - expected[0]).abs() < allowed && (high - expected[1]).abs() < allowed,
                "{name}: {low} to {high}"
            );
            n_drawn += 1;
        }
    });
    assert!(n_enumerated >= 8 && n_drawn >= 8);
}

#[test]
fn holm_of_statsmodels() {
    let golden = &stored()["holm"];
    let expected = golden["corrected"].as_array().unwrap();
    for (found, expected) in holm(&vector(&golden["p_values"])).into_iter().zip(expected) {
        assert_near(found, expected, "holm");
    }
}
