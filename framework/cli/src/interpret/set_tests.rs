//! Sets of features, and how they are tested.

use super::findings::SetFindings;
use analysis::{
    Enriched, OverRepresentation, PrerankedSpec, RankSum, over_representation, over_representation_within, preranked,
    rank_sum,
};
use anyhow::{Result, ensure};

/// Smallest set whose ranks are tested, as for random sets.
const MIN_RANKED: usize = 15;

/// Sets as places among the features that were tested.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PlacedSets {
    /// Names.
    pub names: Vec<String>,
    /// Features of each, ascending.
    pub members: Vec<Vec<usize>>,
    /// How they are tested.
    pub tests: SetTests,
}

/// How sets are tested, among listed features and along a ranking of all.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SetTests {
    /// The hypergeometric distribution with all features as background; random sets (Subramanian et al. 2005).
    AllFeatures,
    /// Both within strata, for sets of thousands: the exact conditional test, and the sum of ranks of van Elteren.
    Strata {
        /// The stratum of each feature; `None` for features that are no background, either.
        of_feature: Vec<Option<usize>>,
        /// What is added to the names of the tests.
        suffix: &'static str,
    },
}

impl PlacedSets {
    /// Sets over-represented among listed features, the most significant first.
    ///
    /// # Errors
    /// When a set names a feature twice.
    pub fn over_represented(&self, listed: &[usize], names: &[String]) -> Result<Vec<SetFindings>> {
        if listed.is_empty() {
            return Ok(Vec::new());
        }
        let (found, suffix) = match &self.tests {
            SetTests::AllFeatures => (over_representation(listed, &self.members, names.len())?, ""),
            SetTests::Strata { of_feature, suffix } => {
                (over_representation_within(listed, &self.members, of_feature)?, *suffix)
            }
        };
        let named = |one: OverRepresentation| SetFindings {
            test: format!("over_representation{suffix}"),
            set: self.names[one.set].clone(),
            n_set: one.n_set,
            overlap: one.overlap.iter().map(|&feature| names[feature].clone()).collect(),
            enrichment: one.fold_enrichment,
            p: one.p,
            q: one.q,
        };
        Ok(most_significant_first(found.into_iter().filter(|one| !one.overlap.is_empty()).map(named)))
    }

    /// Sets at the ends of a ranking of all features by a number, the most significant first.
    ///
    /// # Errors
    /// When a number is not finite.
    pub fn ranked(&self, t: &[f64], names: &[String]) -> Result<Vec<SetFindings>> {
        ensure!(t.iter().all(|t| t.is_finite()), "a t is not finite");
        let SetTests::Strata { of_feature, suffix } = &self.tests else {
            let found = preranked(t, &self.members, &PrerankedSpec::default())?;
            let named = |one: Enriched| SetFindings {
                test: "preranked".to_owned(),
                set: self.names[one.set].clone(),
                n_set: one.size,
                overlap: one.leading_edge.iter().map(|&feature| names[feature].clone()).collect(),
                enrichment: one.nes.unwrap_or(one.es),
                p: one.p,
                q: one.q,
            };
            return Ok(most_significant_first(found.into_iter().map(named)));
        };
        let named = |one: RankSum| SetFindings {
            test: format!("rank_sum{suffix}"),
            set: self.names[one.set].clone(),
            n_set: one.n_set,
            overlap: Vec::new(),
            enrichment: one.correlation,
            p: one.p,
            q: one.q,
        };
        Ok(most_significant_first(rank_sum(t, &self.members, of_feature, MIN_RANKED)?.into_iter().map(named)))
    }
}

fn most_significant_first(found: impl Iterator<Item = SetFindings>) -> Vec<SetFindings> {
    let mut found: Vec<SetFindings> = found.collect();
    found.sort_by(|left, right| left.p.total_cmp(&right.p).then(left.set.cmp(&right.set)));
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sets(tests: SetTests) -> PlacedSets {
        let names = ["first", "every third", "nothing"].map(str::to_owned).to_vec();
        PlacedSets { names, members: vec![(0..20).collect(), (0..60).step_by(3).collect(), vec![]], tests }
    }

    #[test]
    fn one_stratum_and_all_features_say_the_same_of_listed_ones() {
        let features: Vec<String> = (0..60).map(|place| format!("f{place}")).collect();
        let listed: Vec<usize> = (0..12).collect();
        let strata = SetTests::Strata { of_feature: vec![Some(0); 60], suffix: "" };
        let plain = sets(SetTests::AllFeatures).over_represented(&listed, &features).unwrap();
        let within = sets(strata).over_represented(&listed, &features).unwrap();
        assert_eq!((plain[0].set.as_str(), plain[0].test.as_str(), plain.len()), ("first", "over_representation", 2));
        for (plain, within) in plain.iter().zip(&within) {
            assert!((plain.p / within.p - 1.0).abs() < 1e-12 && plain.overlap == within.overlap);
        }
        assert!(sets(SetTests::AllFeatures).over_represented(&[], &features).unwrap().is_empty());
    }

    #[test]
    fn ends_of_a_ranking_are_found_by_either_test() {
        let features: Vec<String> = (0..60).map(|place| format!("f{place}")).collect();
        let t: Vec<f64> = (0..60).map(|place| f64::from(30 - place)).collect();
        let strata =
            SetTests::Strata { of_feature: (0..60).map(|place| Some(place % 2)).collect(), suffix: "_gc_matched" };
        for (tests, name) in [(SetTests::AllFeatures, "preranked"), (strata, "rank_sum_gc_matched")] {
            let found = sets(tests).ranked(&t, &features).unwrap();
            assert_eq!((found[0].set.as_str(), found[0].test.as_str(), found.len()), ("first", name, 2));
            assert!(found[0].q < 0.01 && found[0].enrichment > 0.9 && found[1].q > 0.1, "{found:?}");
            assert!(sets(SetTests::AllFeatures).ranked(&[f64::NAN; 60], &features).is_err());
        }
    }
}
