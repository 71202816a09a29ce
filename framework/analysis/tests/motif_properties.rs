//! What must hold of the tests of sets within strata, and of motifs, whatever the data are.

use analysis::{
    FrequencyMatrix, MotifScanner, MotifSpec, Sequence, over_representation, over_representation_within, rank_sum,
};
use proptest::prelude::*;

const N_FEATURES: usize = 120;

fn subset() -> impl Strategy<Value = Vec<usize>> {
    prop::collection::btree_set(0..N_FEATURES, 0..60).prop_map(|set| set.into_iter().collect())
}

fn strata(n: usize) -> impl Strategy<Value = Vec<Option<usize>>> {
    prop::collection::vec(prop::option::weighted(0.9, 0..n), N_FEATURES)
}

fn near(left: f64, right: f64) -> bool {
    (left - right).abs() <= 1e-12 * right.abs().max(1e-300) || (left.is_nan() && right.is_nan())
}

fn sequence() -> impl Strategy<Value = Vec<u8>> {
    prop::collection::vec(prop::sample::select(b"ACGTACGTACGTN".to_vec()), 0..120)
}

fn motifs() -> impl Strategy<Value = Vec<FrequencyMatrix>> {
    let column = [0u32..20, 0..20, 0..20, 1..40].prop_map(|counts| counts.map(f64::from));
    let motif = prop::collection::vec(column, 3..16).prop_map(|counts| FrequencyMatrix::new("m", counts).unwrap());
    prop::collection::vec(motif, 1..5)
}

fn other_strand(letters: &[u8]) -> Vec<u8> {
    let other = |letter: &u8| match letter {
        b'A' => b'T',
        b'C' => b'G',
        b'G' => b'C',
        b'T' => b'A',
        other => *other,
    };
    letters.iter().rev().map(other).collect()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(128))]

    #[test]
    fn one_stratum_is_the_plain_test(chosen in subset(), sets in prop::collection::vec(subset(), 1..5)) {
        let plain = over_representation(&chosen, &sets, N_FEATURES).unwrap();
        let within = over_representation_within(&chosen, &sets, &[Some(0); N_FEATURES]).unwrap();
        for (plain, within) in plain.iter().zip(&within) {
            prop_assert!(near(within.p, plain.p) && near(within.q, plain.q), "{} {}", within.p, plain.p);
            prop_assert!(near(within.fold_enrichment, plain.fold_enrichment));
            prop_assert_eq!((&within.overlap, within.n_set), (&plain.overlap, plain.n_set));
        }
    }

    /// Names of strata do not matter, empty ones neither, and what has no stratum is as if it were not there.
    #[test]
    fn strata_are_what_they_hold(chosen in subset(), set in subset(), strata in strata(4)) {
        let of = |strata: &[Option<usize>]| {
            over_representation_within(&chosen, std::slice::from_ref(&set), strata).unwrap().remove(0)
        };
        let renamed: Vec<Option<usize>> = strata.iter().map(|stratum| stratum.map(|stratum| 9 - 2 * stratum)).collect();
        let (found, again) = (of(&strata), of(&renamed));
        prop_assert!((found.p - again.p).abs() <= 1e-12 * found.p && found.overlap == again.overlap);
        prop_assert!((0.0..=1.0 + 1e-12).contains(&found.p));
        let keep = |list: &[usize]| list.iter().copied().filter(|&one| strata[one].is_some()).collect::<Vec<_>>();
        let without = over_representation_within(&keep(&chosen), &[keep(&set)], &strata).unwrap().remove(0);
        prop_assert_eq!((found.p, found.overlap, found.n_set), (without.p, without.overlap, without.n_set));
    }

    #[test]
    fn turning_scores_round_turns_the_sign(
        scores in prop::collection::vec((-20i32..20).prop_map(f64::from), N_FEATURES),
        set in subset(),
        strata in strata(3),
    ) {
        let turned: Vec<f64> = scores.iter().map(|score| -score).collect();
        let of = |scores: &[f64]| rank_sum(scores, std::slice::from_ref(&set), &strata, 1).unwrap();
        for (found, turned) in of(&scores).iter().zip(&of(&turned)) {
            prop_assert!((found.z + turned.z).abs() < 1e-9 && (found.correlation + turned.correlation).abs() < 1e-12);
            prop_assert!((found.p - turned.p).abs() < 1e-9 && found.correlation.abs() <= 1.0 + 1e-12);
        }
    }

    /// The other strand has the same matches, seen from its other end.
    #[test]
    fn both_strands_say_the_same(motifs in motifs(), letters in sequence()) {
        let scanner = MotifScanner::new(&motifs, [0.25; 4], MotifSpec { p: 0.01, pseudocount: 0.8 }).unwrap();
        let there = scanner.best_hits(&Sequence::new(&letters));
        let back = scanner.best_hits(&Sequence::new(&other_strand(&letters)));
        prop_assert_eq!(there.len(), back.len());
        for (there, back) in there.iter().zip(&back) {
            prop_assert!(there.motif == back.motif && there.p == back.p && (there.score - back.score).abs() < 0.02);
            prop_assert!(there.p <= 0.01 && there.start + motifs[there.motif].width() <= letters.len());
        }
    }
}
