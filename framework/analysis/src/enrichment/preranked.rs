//! Enrichment of sets at either end of a ranking of all features (gene set enrichment analysis, permuting features).

use anyhow::{Context, Result, ensure};
use rand::Rng;
use rayon::prelude::*;
use serde::Serialize;

use super::members;
use crate::multiple_testing::benjamini_hochberg;
use crate::random::generator;

/// How rankings are tested.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct PrerankedSpec {
    /// Power of |score| by which a feature of the set counts: 1 as published, 0 for ranks alone.
    pub weight: f64,
    /// Random sets of each size that a set is compared with.
    pub n_permutations: usize,
    /// Seed of the random sets.
    pub seed: u64,
    /// Smallest set tested.
    pub min_size: usize,
    /// Largest set tested.
    pub max_size: usize,
}

impl Default for PrerankedSpec {
    fn default() -> Self {
        Self { weight: 1.0, n_permutations: 1000, seed: 0, min_size: 15, max_size: 500 }
    }
}

/// Where in a ranking a set gathers, and whether chance would do.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Enriched {
    /// Place of the set among those given.
    pub set: usize,
    /// Features of the set.
    pub size: usize,
    /// Enrichment score: the largest deviation from 0, with its sign, of the running sum that goes down the ranking and adds
    /// |score|ʷ / Σ |score|ʷ at a feature of the set and takes off 1 / (n − size) at another.
    pub es: f64,
    /// `es` over the mean |es| of the random sets with its sign; `None` where none of them has its sign.
    pub nes: Option<f64>,
    /// (b + 1) / (m + 1), b of the m random sets with the sign of `es` being as far out (never 0).
    pub p: f64,
    /// False discovery rate ([`benjamini_hochberg`]) of `p` over all sets tested.
    pub q: f64,
    /// False discovery rate of Subramanian et al. 2005: the share of random NES of this sign (all sets together) at or beyond
    /// this NES, over the share of the sets' NES of this sign that are, at most 1; `None` without NES.
    pub gsea_fdr: Option<f64>,
    /// Features of the set up to the largest deviation, from the nearer end of the ranking inwards.
    pub leading_edge: Vec<usize>,
}

/// A running sum at its largest deviation.
struct Peak {
    es: f64,
    /// Number of features of the set before the peak.
    n_before: usize,
}

/// Scores of all features, largest first.
struct Ranking {
    /// Features in this order.
    features: Vec<usize>,
    /// |score|ʷ in this order.
    weights: Vec<f64>,
}

/// Tests which sets gather at the top (positive) or bottom (negative) of a ranking by score, largest first; ties keep the
/// order of the features.
///
/// Sets are lists of places among the features. Sets smaller or larger than asked for are left out. Random sets are drawn
/// for each size, from the seed and the size alone.
///
/// # Errors
/// When a score is not finite, a feature does not exist or is listed twice, or the spec makes no sense.
///
/// # Source
/// Subramanian et al. 2005 (PNAS 102:15545), `GSEAPreranked`.
pub fn preranked(scores: &[f64], sets: &[Vec<usize>], spec: &PrerankedSpec) -> Result<Vec<Enriched>> {
    let ranking = Ranking::new(scores, spec)?;
    let places = ranking.places();
    let mut tested = Vec::new();
    for (set, features) in sets.iter().enumerate() {
        members(features, scores.len(), "the set").with_context(|| format!("set {set} cannot be tested"))?;
        let size = features.len();
        if (spec.min_size.max(1)..=spec.max_size).contains(&size) && size < scores.len() {
            let mut hits: Vec<usize> = features.iter().map(|&feature| places[feature]).collect();
            hits.sort_unstable();
            tested.push((set, hits));
        }
    }
    let mut sizes: Vec<usize> = tested.iter().map(|(_, hits)| hits.len()).collect();
    sizes.sort_unstable();
    sizes.dedup();
    let chance: Vec<Chance> = sizes.par_iter().map(|&size| Chance::of(&ranking, size, spec)).collect();
    let of_size = |size: usize| &chance[sizes.partition_point(|&other| other < size)];
    let mut found: Vec<Enriched> =
        tested.iter().map(|(set, hits)| ranking.enriched(*set, hits, of_size(hits.len()))).collect();
    let q = benjamini_hochberg(&found.iter().map(|one| one.p).collect::<Vec<_>>());
    found.iter_mut().zip(q).for_each(|(one, q)| one.q = q);
    let random: Vec<f64> = tested.iter().flat_map(|(_, hits)| of_size(hits.len()).normalised()).collect();
    set_gsea_rates(&mut found, random);
    Ok(found)
}

impl Ranking {
    fn new(scores: &[f64], spec: &PrerankedSpec) -> Result<Self> {
        ensure!(
            spec.weight >= 0.0 && spec.weight.is_finite(),
            "the weight is {}; expected 0, or a positive number",
            spec.weight
        );
        ensure!(spec.n_permutations > 0, "no random set was asked for; expected 1 or more, such as 1000");
        let bad = scores.iter().position(|score| !score.is_finite());
        ensure!(
            bad.is_none(),
            "the score of feature {} is not finite; leave it out or give it a number",
            bad.unwrap_or_default()
        );
        let mut features: Vec<usize> = (0..scores.len()).collect();
        features.sort_by(|&left, &right| scores[right].total_cmp(&scores[left]));
        let weights = features.iter().map(|&feature| scores[feature].abs().powf(spec.weight)).collect();
        Ok(Self { features, weights })
    }

    /// Place of each feature.
    fn places(&self) -> Vec<usize> {
        let mut places = vec![0; self.features.len()];
        self.features.iter().enumerate().for_each(|(place, &feature)| places[feature] = place);
        places
    }

    /// The running sum is highest after a hit and lowest before one; `hits` are places, ascending.
    fn peak(&self, hits: &[usize]) -> Peak {
        let total: f64 = hits.iter().map(|&hit| self.weights[hit]).sum();
        let miss = 1.0 / (self.weights.len() - hits.len()) as f64;
        // where no feature of the set has a weight, all count alike
        let share = |hit: usize| if total > 0.0 { self.weights[hit] / total } else { 1.0 / hits.len() as f64 };
        let (mut highest, mut lowest) = (Peak { es: 0.0, n_before: 0 }, Peak { es: 0.0, n_before: 0 });
        let mut sum = 0.0;
        for (n_before, &hit) in hits.iter().enumerate() {
            let missed = (hit - n_before) as f64 * miss;
            if sum - missed < lowest.es {
                lowest = Peak { es: sum - missed, n_before };
            }
            sum += share(hit);
            if sum - missed > highest.es {
                highest = Peak { es: sum - missed, n_before: n_before + 1 };
            }
        }
        if highest.es > -lowest.es { highest } else { lowest }
    }

    fn enriched(&self, set: usize, hits: &[usize], chance: &Chance) -> Enriched {
        let peak = self.peak(hits);
        let features = hits.iter().map(|&hit| self.features[hit]);
        let leading_edge = if peak.es > 0.0 {
            features.take(peak.n_before).collect()
        } else {
            features.skip(peak.n_before).rev().collect()
        };
        Enriched {
            set,
            size: hits.len(),
            es: peak.es,
            nes: chance.mean(peak.es).map(|mean| peak.es / mean),
            p: chance.p(peak.es),
            q: f64::NAN,
            gsea_fdr: None,
            leading_edge,
        }
    }
}

/// Scores of random sets of one size.
struct Chance {
    scores: Vec<f64>,
    /// Mean |score| of those below and above 0.
    means: [Option<f64>; 2],
}

impl Chance {
    fn of(ranking: &Ranking, size: usize, spec: &PrerankedSpec) -> Self {
        let n = ranking.weights.len();
        // another stream for every size
        let mut generator = generator(spec.seed);
        generator.set_stream(size as u64);
        let mut places: Vec<usize> = (0..n).collect();
        let mut draw = || {
            for place in 0..size {
                let other = generator.random_range(place as u64..n as u64) as usize;
                places.swap(place, other);
            }
            let mut hits = places[..size].to_vec();
            hits.sort_unstable();
            ranking.peak(&hits).es
        };
        let scores: Vec<f64> = (0..spec.n_permutations).map(|_| draw()).collect();
        let mean = |positive: bool| {
            let side: Vec<f64> = scores.iter().filter(|score| (**score > 0.0) == positive).map(|es| es.abs()).collect();
            let sum: f64 = side.iter().sum();
            (sum > 0.0).then(|| sum / side.len() as f64)
        };
        Self { means: [mean(false), mean(true)], scores }
    }

    fn mean(&self, es: f64) -> Option<f64> {
        self.means[usize::from(es > 0.0)]
    }

    fn p(&self, es: f64) -> f64 {
        let side = || self.scores.iter().filter(|score| (**score > 0.0) == (es > 0.0));
        let n_beyond = side().filter(|score| score.abs() >= es.abs()).count();
        (n_beyond + 1) as f64 / (side().count() + 1) as f64
    }

    fn normalised(&self) -> impl Iterator<Item = f64> + '_ {
        self.scores.iter().filter_map(|&es| self.mean(es).map(|mean| es / mean))
    }
}

fn set_gsea_rates(found: &mut [Enriched], mut random: Vec<f64>) {
    random.sort_unstable_by(f64::total_cmp);
    let mut own: Vec<f64> = found.iter().filter_map(|one| one.nes).collect();
    own.sort_unstable_by(f64::total_cmp);
    for one in found {
        one.gsea_fdr = one.nes.map(|nes| (share_beyond(&random, nes) / share_beyond(&own, nes)).min(1.0));
    }
}

/// Share of the ascending values with the sign of one of them that are at or beyond it.
fn share_beyond(ascending: &[f64], value: f64) -> f64 {
    let n_negative = ascending.partition_point(|&other| other <= 0.0);
    let (n_beyond, n_side) = if value > 0.0 {
        (ascending.len() - ascending.partition_point(|&other| other < value), ascending.len() - n_negative)
    } else {
        (ascending.partition_point(|&other| other <= value), n_negative)
    };
    n_beyond as f64 / n_side.max(1) as f64
}

#[cfg(test)]
mod tests {
    use super::*;

    fn spec(weight: f64) -> PrerankedSpec {
        PrerankedSpec { weight, min_size: 1, n_permutations: 500, ..PrerankedSpec::default() }
    }

    #[test]
    fn the_running_sum_of_a_small_case_can_be_followed() {
        // ranking: 1 (3), 3 (2), 0 (1), 2 (0.5), 4 (-2)
        let scores = [1.0, 3.0, 0.5, 2.0, -2.0];
        let sets = [vec![0, 1], vec![4, 2], vec![3]];
        let found = preranked(&scores, &sets, &spec(1.0)).unwrap();
        // 3/4, then −1/3, then +1/4: the peak is the first
        assert!((found[0].es - 0.75).abs() < 1e-14);
        assert_eq!(found[0].leading_edge, [1]);
        // three misses down to −1, then up
        assert!((found[1].es + 1.0).abs() < 1e-14);
        assert_eq!(found[1].leading_edge, [4, 2]);
        assert!((found[2].es - 0.75).abs() < 1e-14 && found[2].leading_edge == [3]);
        // unweighted: 1/2 − 1/3 + 1/2
        let ranks = preranked(&scores, &sets, &spec(0.0)).unwrap();
        assert!((ranks[0].es - 2.0 / 3.0).abs() < 1e-14 && ranks[0].leading_edge == [1, 0]);
    }

    #[test]
    fn p_values_of_chance_are_uniform_and_a_planted_set_is_found() {
        let n = 400usize;
        let scores: Vec<f64> = (0..n).map(|at| (at as f64 * 0.7).sin() * 2.0).collect();
        let mut sets: Vec<Vec<usize>> = (0..200).map(|set| crate::random::subset(n, 20, 1000 + set)).collect();
        let mut top: Vec<usize> = (0..n).collect();
        top.sort_by(|&left, &right| scores[right].total_cmp(&scores[left]));
        sets.push(top[10..40].to_vec());
        sets.push(top[n - 40..].to_vec());
        // many random sets: p of 1 / 500 would not survive 202 tests
        let spec = PrerankedSpec { n_permutations: 20_000, ..spec(1.0) };
        let found = preranked(&scores, &sets, &spec).unwrap();
        let n_low = found[..200].iter().filter(|one| one.p <= 0.1).count();
        assert!((8..=34).contains(&n_low), "{n_low} of 200 at 0.1");
        assert!(found[..200].iter().all(|one| one.q > 0.05));
        let (high, low) = (&found[200], &found[201]);
        assert!(high.es > 0.8 && high.nes.unwrap() > 2.0 && high.q < 0.05 && high.gsea_fdr.unwrap() < 0.01);
        assert!(low.es < -0.8 && low.nes.unwrap() < -2.0 && low.q < 0.05 && low.gsea_fdr.unwrap() < 0.01);
        // never 0: one of as many random sets as there were, and one more
        assert!(high.p > 0.0 && high.p < 2e-4, "{}", high.p);
        assert_eq!(low.leading_edge[0], top[n - 1]);
        assert_eq!(found, preranked(&scores, &sets, &spec).unwrap());
        assert_ne!(found, preranked(&scores, &sets, &PrerankedSpec { seed: 1, ..spec }).unwrap());
    }

    #[test]
    fn sizes_and_scores_are_looked_at() {
        let sets = [vec![0], vec![0, 1], vec![0, 1, 2], vec![0, 1, 2, 3]];
        let sized = PrerankedSpec { min_size: 2, max_size: 4, ..spec(1.0) };
        let tested: Vec<usize> =
            preranked(&[4.0, 3.0, 2.0, 1.0], &sets, &sized).unwrap().iter().map(|one| one.set).collect();
        // all features in one set are no set
        assert_eq!(tested, [1, 2]);
        let failure = preranked(&[1.0, f64::NAN], &[], &sized).unwrap_err().to_string();
        assert!(failure.contains("feature 1 is not finite"));
        assert!(preranked(&[1.0], &[vec![3]], &sized).is_err());
        assert!(preranked(&[1.0], &[], &PrerankedSpec { n_permutations: 0, ..sized }).is_err());
    }
}
