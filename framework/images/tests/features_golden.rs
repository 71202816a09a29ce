//! Features of small nuclei against scikit-image and scipy: `make_golden_features.py` made them.

use images::features::{FeatureSettings, Neighbours, Nucleus, all_features};
use serde_json::Value;
use std::collections::BTreeSet;

/// Relative difference that is allowed.
const TOLERANCE: f64 = 1e-9;

fn drawn(rows: &Value) -> Vec<bool> {
    let rows = rows.as_array().unwrap().iter().map(|row| row.as_str().unwrap());
    rows.flat_map(|row| row.chars().map(|letter| letter == '#')).collect()
}

fn image(rows: &Value) -> Vec<f32> {
    let rows = rows.as_array().unwrap().iter();
    rows.flat_map(|row| row.as_array().unwrap().iter().map(|pixel| pixel.as_f64().unwrap() as f32)).collect()
}

fn measured(case: &Value) -> Vec<(String, f64)> {
    let mask = drawn(&case["mask"]);
    let height = case["mask"].as_array().unwrap().len();
    let nucleus = Nucleus::new(height, mask.len() / height, &mask).unwrap();
    let others: Vec<u32> = drawn(&case["others"]).into_iter().map(u32::from).collect();
    let neighbours = Neighbours::new(&nucleus, &others).unwrap();
    let settings: FeatureSettings = serde_json::from_value(case["settings"].clone()).unwrap();
    settings.validate().unwrap();
    all_features(&nucleus, &image(&case["image"]), &neighbours, &settings).unwrap()
}

#[test]
fn features_equal_those_of_scikit_image_and_scipy() {
    let golden: Value = serde_json::from_str(include_str!("golden/features.json")).unwrap();
    let cases = golden["cases"].as_array().unwrap();
    assert_eq!(cases.len(), 9);
    let mut wrong = Vec::new();
    for case in cases {
        let (found, expected) = (measured(case), case["expected"].as_object().unwrap());
        let names: BTreeSet<&str> = found.iter().map(|(name, _)| name.as_str()).collect();
        assert_eq!(names.len(), found.len(), "a name occurs twice");
        assert_eq!(names, expected.keys().map(String::as_str).collect());
        for (name, value) in &found {
            let holds = match expected[name].as_f64() {
                None => value.is_nan(),
                Some(expected) => (value - expected).abs() <= TOLERANCE * expected.abs(),
            };
            if !holds {
                wrong.push(format!("{} {name}: {value}, expected {}", case["name"], expected[name]));
            }
        }
    }
    assert!(wrong.is_empty(), "\n{}", wrong.join("\n"));
}
