//! What must hold of paired comparisons whatever the differences are.

use analysis::{Paired, bootstrap_interval, holm, signed_rank};
use proptest::prelude::*;

fn differences() -> impl Strategy<Value = Vec<f64>> {
    // of few sizes, so that there are ties and zeros, or of any
    let few = prop::collection::vec((-4i32..=4).prop_map(|size| f64::from(size) / 10.0), 2..30);
    let any = prop::collection::vec(-1.0f64..1.0, 2..30);
    prop_oneof![few, any]
        .prop_filter("differences that vary", |all| Paired::of(all).is_some_and(|paired| paired.t.is_some()))
}

fn near(found: f64, expected: f64, tolerance: f64) -> bool {
    (found - expected).abs() <= tolerance * expected.abs().max(1e-3)
}

fn near_pair(found: Option<(f64, f64)>, expected: Option<(f64, f64)>) -> bool {
    found
        .zip(expected)
        .is_some_and(|(found, expected)| near(found.0, expected.0, 1e-9) && near(found.1, expected.1, 1e-9))
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn signs_matter_to_the_mean_only(differences in differences(), margin in 0.01f64..1.0) {
        let negated: Vec<f64> = differences.iter().map(|difference| -difference).collect();
        let (first, second) = (Paired::of(&differences).unwrap(), Paired::of(&negated).unwrap());
        prop_assert_eq!((second.mean, second.sd, second.p), (-first.mean, first.sd, first.p));
        prop_assert_eq!(second.interval.map(|(low, high)| (-high, -low)), first.interval);
        prop_assert_eq!(second.equivalence(margin), first.equivalence(margin));
        prop_assert_eq!(second.n_to_decide(Some(margin), 0.05, 5000), first.n_to_decide(Some(margin), 0.05, 5000));
        prop_assert_eq!(signed_rank(&negated), signed_rank(&differences));
    }

    #[test]
    fn units_matter_to_the_mean_sd_and_intervals_only(differences in differences(), power in -30i32..30, margin in 0.01f64..1.0) {
        // powers of two change no digit, so that not even ties change
        let scale = 2f64.powi(power);
        let scaled: Vec<f64> = differences.iter().map(|difference| difference * scale).collect();
        let (first, second) = (Paired::of(&differences).unwrap(), Paired::of(&scaled).unwrap());
        prop_assert_eq!((second.t, second.p, second.effect_size), (first.t, first.p, first.effect_size));
        prop_assert_eq!((second.mean, second.sd), (first.mean * scale, first.sd.map(|sd| sd * scale)));
        prop_assert_eq!(second.interval, first.interval.map(|(low, high)| (low * scale, high * scale)));
        prop_assert_eq!(second.equivalence(margin * scale), first.equivalence(margin));
        prop_assert_eq!(signed_rank(&scaled), signed_rank(&differences));
        let interval = bootstrap_interval(&differences, 3).map(|(low, high)| (low * scale, high * scale));
        prop_assert_eq!(bootstrap_interval(&scaled, 3), interval);
    }

    #[test]
    fn order_does_not_matter(differences in differences(), turn in 1usize..29) {
        let mut turned = differences.clone();
        turned.rotate_left(turn % differences.len());
        turned.swap(0, 1);
        let (first, second) = (Paired::of(&differences).unwrap(), Paired::of(&turned).unwrap());
        prop_assert!((second.mean - first.mean).abs() < 1e-15 && near(second.p.unwrap(), first.p.unwrap(), 1e-9));
        prop_assert!(near_pair(second.interval, first.interval));
        prop_assert_eq!(signed_rank(&turned), signed_rank(&differences));
        prop_assert_eq!(bootstrap_interval(&turned, 3), bootstrap_interval(&differences, 3));
    }

    #[test]
    fn intervals_hold_the_mean_and_p_values_are_shares(differences in differences(), margin in -1.0f64..1.0) {
        let paired = Paired::of(&differences).unwrap();
        for (low, high) in [paired.interval.unwrap(), bootstrap_interval(&differences, 3).unwrap()] {
            prop_assert!(low <= paired.mean && paired.mean <= high, "{low} {} {high}", paired.mean);
        }
        let p_values = [paired.p.unwrap(), paired.equivalence(margin).unwrap(), signed_rank(&differences).unwrap()];
        prop_assert!(p_values.iter().all(|p| (0.0..=1.0).contains(p)), "{p_values:?}");
        // the interval leaves out 0 just where p is below its level
        let (low, high) = paired.interval.unwrap();
        prop_assert_eq!(low > 0.0 || high < 0.0, paired.p.unwrap() < 0.05);
    }

    #[test]
    fn corrected_values_are_larger_in_the_same_order(p_values in prop::collection::vec(0.0f64..=1.0, 0..20)) {
        let corrected = holm(&p_values);
        for (at, p) in p_values.iter().enumerate() {
            prop_assert!(corrected[at] >= *p && corrected[at] <= 1.0);
            prop_assert!(corrected[at] <= (p * p_values.len() as f64).min(1.0));
            prop_assert!((0..at).all(|other| p_values[other] >= *p || corrected[other] <= corrected[at]));
        }
    }
}
