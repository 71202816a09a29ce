//! Motifs, their matches and the tests of sets of sequences against Biopython, MOODS and scipy.

use super::{assert_close, vector};
use analysis::{FrequencyMatrix, MotifScanner, MotifSpec, Sequence, over_representation_within, rank_sum};
use serde_json::Value;

fn columns(value: &Value) -> Vec<[f64; 4]> {
    value.as_array().unwrap().iter().map(|column| vector(column).try_into().unwrap()).collect()
}

fn places(value: &Value) -> Vec<usize> {
    value.as_array().unwrap().iter().map(|place| place.as_u64().unwrap() as usize).collect()
}

fn sets(value: &Value) -> Vec<Vec<usize>> {
    value.as_array().unwrap().iter().map(places).collect()
}

#[test]
fn scores_thresholds_and_matches_are_those_of_biopython_and_moods() {
    let golden = golden();
    let background: [f64; 4] = vector(&golden["background"]).try_into().unwrap();
    let spec = MotifSpec { p: golden["level"].as_f64().unwrap(), pseudocount: golden["pseudocount"].as_f64().unwrap() };
    let expected = golden["motifs"].as_array().unwrap();
    let motifs: Vec<FrequencyMatrix> =
        expected.iter().map(|one| FrequencyMatrix::new("m", columns(&one["counts"])).unwrap()).collect();
    let scanner = MotifScanner::new(&motifs, background, spec).unwrap();
    let (mut n_matches, mut n_none) = (0, 0);
    for (place, one) in expected.iter().enumerate() {
        let odds = motifs[place].log_odds(background, spec.pseudocount);
        assert_close(&odds.concat(), &columns(&one["log_odds"]).concat(), 1e-12);
        let (threshold, theirs) = (scanner.threshold(place).unwrap(), one["threshold"].as_f64().unwrap());
        assert!((threshold - theirs).abs() < 0.01, "{threshold}, expected {theirs}");
        for hit in one["hits"].as_array().unwrap() {
            let text = golden["sequences"][hit["sequence"].as_u64().unwrap() as usize].as_str().unwrap();
            let found = scanner.best_hits(&Sequence::new(text.as_bytes())).into_iter().find(|hit| hit.motif == place);
            let start = hit["start"].as_u64().map(|start| start as usize);
            assert_eq!(found.map(|hit| (hit.start, hit.is_reverse)), start.zip(hit["is_reverse"].as_bool()), "{text}");
            let Some(found) = found else {
                n_none += 1;
                continue;
            };
            n_matches += 1;
            assert_close(&[found.score], &[hit["score"].as_f64().unwrap()], 1e-12);
            if let Some(p) = hit["p"].as_f64() {
                // rounding to thousandths of a bit may part words of equal score, or join words of unequal ones
                assert!((found.p / p - 1.0).abs() < 0.02, "{} instead of {p}", found.p);
            }
        }
    }
    assert!(n_matches > 40 && n_none > 100, "{n_matches} {n_none}");
}

#[test]
fn ranks_are_tested_as_scipy_does() {
    let golden = &golden()["rank_sum"];
    let scores = vector(&golden["scores"]);
    let found = rank_sum(&scores, &sets(&golden["sets"]), &vec![Some(0); scores.len()], 1).unwrap();
    let expected = golden["results"].as_array().unwrap();
    assert_eq!(found.len(), expected.len());
    for (found, expected) in found.iter().zip(expected) {
        assert_close(&[found.correlation], &[expected["correlation"].as_f64().unwrap()], 1e-12);
        let p = expected["p"].as_f64().unwrap();
        assert!((found.p / p - 1.0).abs() < 1e-10, "{} instead of {p}", found.p);
    }
}

#[test]
fn strata_are_tested_as_their_distributions_say() {
    let golden = &golden()["stratified"];
    let strata: Vec<Option<usize>> = places(&golden["strata"]).into_iter().map(Some).collect();
    let found = over_representation_within(&places(&golden["chosen"]), &sets(&golden["sets"]), &strata).unwrap();
    for (found, expected) in found.iter().zip(golden["results"].as_array().unwrap()) {
        assert_eq!(found.overlap.len() as u64, expected["overlap"].as_u64().unwrap());
        let p = expected["p"].as_f64().unwrap();
        assert!((found.p / p - 1.0).abs() < 1e-10, "{} instead of {p}", found.p);
    }
}

fn golden() -> Value {
    serde_json::from_str(include_str!("motifs.json")).unwrap()
}
