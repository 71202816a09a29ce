//! Agreement of images, as numpy and scikit-image compute it.

use analysis::{ImageForm, image_agreement, mean_absolute_difference, mode_threshold};
use serde_json::Value;

const TOLERANCE: f64 = 1e-9;

fn numbers(value: &Value) -> Vec<f32> {
    value.as_array().unwrap().iter().map(|number| number.as_f64().unwrap() as f32).collect()
}

fn is_near(found: Option<f64>, case: &Value, key: &str) {
    let (expected, name) = (case[key].as_f64(), &case["name"]);
    match (found, expected) {
        (Some(found), Some(expected)) => {
            assert!((found - expected).abs() < TOLERANCE, "{name}, {key}: {found} {expected}");
        }
        (found, expected) => assert_eq!(found, expected, "{name}, {key}"),
    }
}

#[test]
fn agreement_of_images() {
    let golden: Value = serde_json::from_str(include_str!("images.json")).unwrap();
    let cases = golden["cases"].as_array().unwrap();
    assert_eq!((cases.len(), golden["scikit_image"].as_str()), (8, Some("0.26.0")));
    for case in cases {
        let [channels, height, width] = [0, 1, 2].map(|at| case["form"][at].as_u64().unwrap() as usize);
        let (mut predicted, mut observed) = (numbers(&case["predicted"]), numbers(&case["observed"]));
        let agreement = image_agreement(&predicted, &observed, ImageForm { channels, height, width }).unwrap();
        is_near(Some(agreement.l1), case, "l1");
        is_near(Some(agreement.mse), case, "mse");
        is_near(agreement.ssim, case, "ssim");
        is_near(agreement.pearson, case, "pearson");
        mode_threshold(&mut predicted);
        is_near(mean_absolute_difference(&predicted, &observed).ok(), case, "l1_thresholded");
        mode_threshold(&mut observed);
        is_near(mean_absolute_difference(&predicted, &observed).ok(), case, "l1_thresholded_both");
    }
}
