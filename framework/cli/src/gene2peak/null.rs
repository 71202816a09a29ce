//! How large effects are where there is no link: those of like genes on like features far away.

use super::places::Places;
use analysis::{NullDistribution, equal_groups};
use framework::infer::Effects;
use framework::{Purpose, Seed};
use rand::Rng;
use rand::seq::SliceRandom;
use std::collections::{BTreeSet, HashMap};
use tch::Kind;

/// Genes and features are alike within tenths by their means.
const N_GROUPS: usize = 10;
/// Base pairs beyond which a feature of the same chromosome is far.
const FAR: i64 = 1_000_000;
/// Tries for each draw of a far feature.
const TRIES: usize = 10;
/// Tells what is drawn here from other draws of the same purpose.
const POOL: u64 = 1 << 32;
const DRAWS: u64 = POOL + 1;

/// How many are drawn.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Matched {
    /// Genes of each tenth by mean expression.
    pub n_genes: usize,
    /// Features that are drawn for each such gene, of each tenth by mean.
    pub n_features: usize,
}

impl Default for Matched {
    fn default() -> Matched {
        Matched { n_genes: 25, n_features: 200 }
    }
}

/// What is compared: the size of the change in units of what was there; NaN where nothing was.
pub(super) fn statistic(change: f64, original: f64) -> f64 {
    if original > 0.0 { (change / original).abs() } else { f64::NAN }
}

/// Genes and features by their means, and genes to compare with.
#[derive(Debug, Clone)]
pub(super) struct Pool {
    gene_groups: Vec<Option<usize>>,
    feature_groups: Vec<Option<usize>>,
    /// The genes to compare with.
    pub(super) genes: Vec<usize>,
}

impl Pool {
    /// Draws genes like those that are `wanted`, others first.
    pub(super) fn draw(means: (&[f64], &[f64]), wanted: &[usize], matched: Matched, seed: Seed) -> Pool {
        let expressed: Vec<f64> = means.0.iter().map(|&mean| if mean > 0.0 { mean } else { f64::NAN }).collect();
        let (gene_groups, feature_groups) = (equal_groups(&expressed, N_GROUPS), equal_groups(means.1, N_GROUPS));
        let asked: BTreeSet<usize> = wanted.iter().filter_map(|&gene| gene_groups[gene]).collect();
        let own: BTreeSet<usize> = wanted.iter().copied().collect();
        let mut genes = Vec::new();
        for group in asked {
            let mut like: Vec<usize> =
                (0..gene_groups.len()).filter(|&gene| gene_groups[gene] == Some(group)).collect();
            like.shuffle(&mut seed.generator(Purpose::Evaluation, POOL, group as u64));
            like.sort_by_key(|gene| own.contains(gene));
            genes.extend(like.into_iter().take(matched.n_genes));
        }
        Pool { gene_groups, feature_groups, genes }
    }
}

/// Effects of genes on features far from them, by tenths of both.
#[derive(Debug)]
pub struct MatchedNull {
    pool: Pool,
    all: HashMap<(usize, usize), NullDistribution>,
    /// By gene and tenth of features, so that a gene is not compared with itself.
    own: HashMap<(usize, usize), NullDistribution>,
}

impl MatchedNull {
    /// Draws from the effects of the pool's genes (one row each).
    pub(super) fn draw(
        pool: Pool,
        effects: &Effects,
        places: (&Places, &Places),
        drawn: (Matched, Seed),
    ) -> MatchedNull {
        let (matched, seed) = drawn;
        let mut members: Vec<Vec<usize>> = vec![Vec::new(); N_GROUPS];
        for (feature, group) in pool.feature_groups.iter().enumerate() {
            members[group.unwrap_or(0)].push(feature);
        }
        let mut draws: HashMap<(usize, usize), Vec<f64>> = HashMap::new();
        let mut own = HashMap::new();
        for (row, &gene) in pool.genes.iter().enumerate() {
            let Some(gene_group) = pool.gene_groups[gene] else { continue };
            let (changes, originals) = row_of(effects, row);
            let mut generator = seed.generator(Purpose::Evaluation, DRAWS, gene as u64);
            for (group, members) in members.iter().enumerate().filter(|(_, members)| !members.is_empty()) {
                let mut values = Vec::with_capacity(matched.n_features);
                for _ in 0..matched.n_features * TRIES {
                    let feature = members[generator.random_range(0..members.len() as u64) as usize];
                    if values.len() < matched.n_features && is_far(places, gene, feature) {
                        values.push(statistic(changes[feature], originals[feature]));
                    }
                }
                draws.entry((gene_group, group)).or_default().extend(&values);
                own.insert((gene, group), NullDistribution::new(values));
            }
        }
        let all = draws.into_iter().map(|(groups, values)| (groups, NullDistribution::new(values))).collect();
        MatchedNull { pool, all, own }
    }

    /// How often like genes have at least so large an effect on like features far from them; NaN where none was drawn.
    pub fn p_value(&self, gene: usize, feature: usize, observed: f64) -> f64 {
        let groups = (self.pool.gene_groups[gene], self.pool.feature_groups[feature]);
        let (Some(gene_group), Some(group)) = groups else { return f64::NAN };
        let drawn = self.all.get(&(gene_group, group));
        drawn.map_or(f64::NAN, |drawn| drawn.p_value(observed, self.own.get(&(gene, group))))
    }

    /// Genes that were compared with.
    pub fn n_genes(&self) -> usize {
        self.pool.genes.len()
    }

    /// The fewest and the most draws that a gene and a feature were compared with.
    pub fn n_draws(&self) -> (usize, usize) {
        let counts = || self.all.values().map(NullDistribution::n_draws);
        (counts().min().unwrap_or(0), counts().max().unwrap_or(0))
    }
}

fn is_far((genes, features): (&Places, &Places), gene: usize, feature: usize) -> bool {
    match (genes.get(gene), features.get(feature)) {
        (Some(gene), Some(feature)) => gene.gap(feature).is_none_or(|gap| gap > FAR),
        _ => true,
    }
}

/// Changes and originals of one silenced feature.
pub(super) fn row_of(effects: &Effects, row: usize) -> (Vec<f64>, Vec<f64>) {
    let numbers = |all: &tch::Tensor| {
        Vec::<f64>::try_from(all.get(row as i64).to_kind(Kind::Double).contiguous()).unwrap_or_default()
    };
    (numbers(&effects.changes), numbers(&effects.originals))
}

#[cfg(test)]
mod tests {
    use super::*;
    use tch::Tensor;

    fn drawn(near: i64) -> MatchedNull {
        // 40 genes 10 Mb apart, each with a feature at its side and another far from all; 20 draws of either kind
        let (n, matched) = (40, Matched { n_genes: 3, n_features: 20 });
        let place = |start: i64| format!("chr1:{start}-{}", start + 10);
        let genes: Vec<String> = (0..n).map(|gene| place(gene * 10_000_000)).collect();
        let features: Vec<String> = (0..n).map(|gene| place(gene * 10_000_000 + near)).collect();
        let (genes, features) = (Places::of(&genes, None), Places::of(&features, None));
        let means: Vec<f64> = (0..n).map(|gene| gene as f64).collect();
        let pool = Pool::draw((&means, &means), &[7, 8, 39], matched, Seed(1));
        // the effect of a gene on the feature beside it is 1, on all others the gene's number in thousandths
        let changes: Vec<f64> = pool
            .genes
            .iter()
            .flat_map(|&gene| (0..n).map(move |feature| if gene as i64 == feature { 1.0 } else { gene as f64 / 1e3 }))
            .collect();
        let changes = Tensor::from_slice(&changes).view([-1, n]);
        let effects = Effects { originals: changes.ones_like(), changes };
        MatchedNull::draw(pool, &effects, (&genes, &features), (matched, Seed(1)))
    }

    #[test]
    fn like_genes_are_drawn_and_others_than_the_wanted_first() {
        let null = drawn(0);
        // means from 1 to 39 make tenths of about four: 5 to 8 and 37 to 39
        let first: BTreeSet<usize> = null.pool.genes[..3].iter().copied().collect();
        assert!(first.contains(&5) && first.contains(&6), "{first:?}");
        assert_eq!(null.pool.genes[3..].iter().copied().collect::<BTreeSet<_>>(), BTreeSet::from([37, 38, 39]));
        assert_eq!(null.pool.gene_groups[0], None, "a gene that no cell expresses");
    }

    #[test]
    fn features_beside_a_gene_are_never_drawn() {
        let largest = |null: &MatchedNull| null.all.values().map(|all| all.n_at_least(0.5)).sum::<usize>();
        assert_eq!(largest(&drawn(100_000)), 0);
        assert!(largest(&drawn(2_000_000)) > 0);
    }

    #[test]
    fn a_gene_is_not_compared_with_itself() {
        let null = drawn(0);
        let group = null.pool.gene_groups[39];
        let like = null.pool.genes.iter().filter(|&&gene| null.pool.gene_groups[gene] == group).count();
        let n_others = (like - 1) * 20;
        assert!((null.p_value(39, 3, 0.5) - 1.0 / (1 + n_others) as f64).abs() < 1e-15);
        assert_eq!(null.p_value(39, 3, 0.0), 1.0);
        assert!(null.p_value(0, 3, 0.5).is_nan() && null.p_value(20, 3, 0.5).is_nan());
    }
}
