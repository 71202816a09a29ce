//! What an interpretation found: `interpretation.json` is this, whole.

use super::agreed::AgreementOf;
use super::along::Along;
use super::classified::{self, Classified};
use super::study::Study;
use analysis::{ComponentSummary, DirectionCount, FeatureCurve};
use serde::{Deserialize, Serialize};
use std::fmt::Write as _;

/// Everything that was found in a run.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub struct Interpreted {
    /// Version of the program.
    pub version: String,
    /// Splits of the cells.
    pub n_repeats: usize,
    /// Splits that had to agree before a feature was listed.
    pub min_repeats: usize,
    /// Fold change that had to be exceeded.
    pub fold_change: f64,
    /// What was chosen where paper and code differ, in words.
    pub choices: Vec<String>,
    /// Each space by each table of features.
    pub spaces: Vec<SpaceFindings>,
    /// What each space knows of the others, of labels and of depth.
    pub knowledge: Vec<KnowledgeOf>,
    /// On what the encoders of each shared space agree.
    #[serde(default)]
    pub agreements: Vec<AgreementOf>,
    /// Labels by features, and by all features but one.
    #[serde(default)]
    pub classified: Vec<Classified>,
    /// Images of cells along components, in pictures beside this file.
    #[serde(default)]
    pub along: Vec<Along>,
    /// Numbers in the two groups that each space falls into.
    #[serde(default)]
    pub two_groups: Vec<TwoGroups>,
    /// What could not be done, and why.
    pub notes: Vec<String>,
}

/// A space explained by a table of features.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct SpaceFindings {
    /// The space as it was interpreted, such as `rna.shared`.
    pub space: String,
    /// The latent space.
    pub latent: String,
    /// Whether several modalities read it.
    pub is_shared: bool,
    /// The table of features.
    pub features: String,
    /// Cells.
    pub n_cells: usize,
    /// Features that were tested.
    pub n_features: usize,
    /// Numbers per cell.
    pub dim: usize,
    /// Fold changes of the curves.
    pub thresholds: Vec<f64>,
    /// The most splits that a curve can show.
    pub curve_maximum: usize,
    /// The principal components.
    pub components: Vec<ComponentFindings>,
    /// Features that are listed, each once: with in how many (component, direction) pairs it is.
    pub explained: Vec<(String, u32)>,
    /// Sets that are over-represented among the listed features of any component.
    pub sets: Vec<SetFindings>,
    /// Names of all features.
    #[serde(skip)]
    pub names: Vec<String>,
    /// For each component Welch's t of its positive end against the other groups, over all cells, by feature; nothing where
    /// it could not be tested.
    #[serde(skip)]
    pub t: Vec<Vec<f64>>,
}

/// A principal component.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct ComponentFindings {
    /// Counted from 1.
    pub component: usize,
    /// Share of the variance of the space.
    pub explained_variance_ratio: f64,
    /// Mean |r| of its loadings over the splits.
    pub agreement: f64,
    /// Its two ends and its middle.
    pub groups: Vec<GroupFindings>,
    /// The features whose curves have the largest areas.
    pub curves: Vec<Curve>,
    /// Sets at the ends of the ranking of all features by their t at the positive end.
    pub ranked_sets: Vec<SetFindings>,
}

/// A curve by name.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Curve {
    /// The feature.
    pub feature: String,
    /// Splits in which it qualifies, by fold change.
    pub repeats: Vec<u32>,
    /// Area under the curve.
    pub area: f64,
}

impl Curve {
    pub(super) fn of(curve: FeatureCurve, names: &[String]) -> Curve {
        Curve { feature: names[curve.feature].clone(), repeats: curve.repeats, area: curve.area }
    }
}

/// An end or the middle of a component.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct GroupFindings {
    /// `negative_end`, `centre` or `positive_end`.
    pub direction: String,
    /// Cells of the group, over all cells.
    pub n_cells: usize,
    /// Splits in which it could be tested.
    pub n_tested: usize,
    /// Features that enough splits agree on: most splits first, then largest fold change.
    pub features: Vec<Feature>,
    /// The features of largest t over all cells, for files that scanpy reads.
    pub ranked: Vec<RankedFeature>,
}

/// A feature that enough splits agree on.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Feature {
    /// Its name.
    pub feature: String,
    /// Splits that agree.
    pub n_repeats: usize,
    /// Mean log₂ fold change over them.
    pub log2_fold_change: f64,
    /// False discovery rate over all cells, where the group could be tested.
    pub q: Option<f64>,
}

/// A feature by its test over all cells.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct RankedFeature {
    /// Its name.
    pub feature: String,
    /// Welch's t of the group against the other two.
    pub t: f64,
    /// Two-sided p-value.
    pub p: f64,
    /// False discovery rate.
    pub q: f64,
    /// Log₂ fold change.
    pub log2_fold_change: f64,
}

/// A set of features that is over-represented, or at an end of a ranking.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct SetFindings {
    /// `over_representation` among listed features; of rankings `preranked` (random sets) or `rank_sum`; with `_gc_matched` among
    /// features of like GC content.
    #[serde(default)]
    pub test: String,
    /// Its name.
    pub set: String,
    /// Its features among the tested ones.
    pub n_set: usize,
    /// Listed features in it, or its leading edge.
    pub overlap: Vec<String>,
    /// Listed features in it over those expected; or the normalised enrichment score; or the rank-biserial correlation.
    pub enrichment: f64,
    /// P-value.
    pub p: f64,
    /// False discovery rate (Benjamini–Hochberg) over the sets.
    pub q: f64,
}

/// What a space tells of one thing.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct KnowledgeOf {
    /// The space.
    pub space: String,
    /// `space`, `label`, `number` or `depth`.
    pub kind: String,
    /// The other space, the column of obs or the feature, or the modality.
    pub of: String,
    /// `r_squared` (share of variance in test cells), `spearman`, `balanced_accuracy` or `balanced_accuracy_network`.
    pub score: String,
    /// Its value in test cells.
    pub value: f64,
    /// The same with answers in another order.
    pub permuted: f64,
    /// What random numbers tell, as many to a cell as the space has.
    #[serde(default)]
    pub random: Option<f64>,
    /// What as many principal components tell of what the space's modalities measured.
    #[serde(default)]
    pub principal_components: Option<f64>,
    /// What zeros tell: the mean of the training cells, or their most frequent class.
    #[serde(default)]
    pub zeros: Option<f64>,
    /// Cells that were learned from, and that were judged.
    pub n_cells: (usize, usize),
    /// Splits of which values are means.
    #[serde(default)]
    pub n_splits: usize,
    /// Standard deviation of the value over several splits.
    #[serde(default)]
    pub deviation: Option<f64>,
}

/// A number in the two groups of a space.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct TwoGroups {
    /// The space.
    pub space: String,
    /// The column of obs or the feature.
    pub of: String,
    /// Cells.
    pub n_cells: usize,
    /// Whether every seed passes level and effect.
    pub differs: bool,
    /// Level after Bonferroni's correction.
    pub level: f64,
    /// What a difference must exceed.
    pub effect: f64,
    /// Difference of means, absolute, by seed of k-means.
    pub differences: Vec<f64>,
    /// Welch's p-value, by seed.
    pub p: Vec<f64>,
}

impl TwoGroups {
    /// Mean difference over the seeds.
    pub fn difference(&self) -> f64 {
        self.differences.iter().sum::<f64>() / self.differences.len().max(1) as f64
    }
}

/// Words for what was chosen.
pub(super) fn count_words(count: DirectionCount) -> &'static str {
    match count {
        DirectionCount::Any => "curves count splits in which a feature differs in any direction",
        DirectionCount::Summed => "curves add up the splits of the three directions",
    }
}

impl ComponentFindings {
    pub(super) fn new(component: usize, summary: ComponentSummary) -> ComponentFindings {
        ComponentFindings {
            component: component + 1,
            explained_variance_ratio: summary.explained_variance_ratio,
            agreement: summary.agreement,
            groups: Vec::new(),
            curves: Vec::new(),
            ranked_sets: Vec::new(),
        }
    }
}

impl Interpreted {
    /// Nothing found yet.
    pub fn new(study: &Study<'_>) -> Interpreted {
        let word = |value: &dyn std::fmt::Debug| format!("{value:?}");
        Interpreted {
            version: env!("CARGO_PKG_VERSION").to_owned(),
            n_repeats: study.n_repeats,
            min_repeats: study.min_repeats,
            fold_change: study.fold_change,
            choices: vec![
                format!("bins and centre: {}", word(&study.spec.bins)),
                format!("alignment: {}", word(&study.spec.alignment)),
                format!("reference: {}", word(&study.spec.reference)),
                count_words(study.count).to_owned(),
            ],
            ..Interpreted::default()
        }
    }
}

impl SpaceFindings {
    /// Components of which some group has cells near the axis, with others to be compared with.
    pub fn n_tested(&self) -> usize {
        self.components.iter().filter(|one| one.groups.iter().any(|group| group.n_tested > 0)).count()
    }

    /// The sets of most significant ranks, with the component that ranks them.
    fn first_ranked(&self) -> impl Iterator<Item = (usize, &SetFindings)> {
        let of = |one: &SetFindings| one.test.starts_with("rank_sum") && one.q < 0.05;
        let mut all: Vec<(usize, &SetFindings)> = (self.components.iter())
            .flat_map(|one| one.ranked_sets.iter().map(move |set| (one.component, set)))
            .filter(|(_, set)| of(set))
            .collect();
        all.sort_by(|left, right| left.1.p.total_cmp(&right.1.p).then(left.1.q.total_cmp(&right.1.q)));
        all.into_iter().take(3)
    }
}

/// What was found in a few lines: the features of each space, and what each knows.
pub fn summary(found: &Interpreted) -> String {
    let mut text = String::new();
    for space in &found.spaces {
        let names: Vec<&str> = space.explained.iter().take(8).map(|(name, _)| name.as_str()).collect();
        let _ = writeln!(
            text,
            "{} by {}: {} of {} features differ ({} of {} components have cells near their axis to compare){}{}",
            space.space,
            space.features,
            space.explained.len(),
            space.n_features,
            space.n_tested(),
            space.components.len(),
            if names.is_empty() { "" } else { ": " },
            names.join(", ")
        );
        for set in space.sets.iter().filter(|set| set.q < 0.05).take(3) {
            let _ = writeln!(text, "    {} ({} of {}, q {:.1e})", set.set, set.overlap.len(), set.n_set, set.q);
        }
        for (component, set) in space.first_ranked() {
            let (n, correlation, q) = (set.n_set, set.enrichment, set.q);
            let _ = writeln!(
                text,
                "    component {component}: {} ({n} peaks, correlation {correlation:.3}, q {q:.1e})",
                set.set
            );
        }
    }
    for one in &found.agreements {
        let held_out: Vec<String> = one.held_out.iter().take(10).map(|value| format!("{value:.2}")).collect();
        let _ = writeln!(
            text,
            "{} agrees with {} on {} of {} directions (correlation of at least {} in held-out cells: {}; by chance {:.2})",
            one.space,
            one.others.join(", "),
            one.n_agreed,
            one.held_out.len(),
            one.min_correlation,
            held_out.join(", "),
            one.permuted
        );
    }
    if !found.knowledge.is_empty() {
        let _ = writeln!(text, "\nwhat spaces tell, in test cells, beside controls");
        let _ = writeln!(
            text,
            "{:<24} {:<28} {:<26} {:>8} {:>9} {:>8} {:>8} {:>8}",
            "space", "of", "score", "value", "permuted", "random", "PCA", "zeros"
        );
    }
    for one in &found.knowledge {
        let of = format!("{} {}", one.kind, one.of);
        let three = |value: Option<f64>| value.map_or_else(|| "–".to_owned(), |value| format!("{value:.3}"));
        let _ = writeln!(
            text,
            "{:<24} {of:<28} {:<26} {:>8.3} {:>9.3} {:>8} {:>8} {:>8}",
            one.space,
            one.score,
            one.value,
            one.permuted,
            three(one.random),
            three(one.principal_components),
            three(one.zeros)
        );
    }
    if let Some(first) = found.two_groups.first() {
        let _ = writeln!(
            text,
            "\ntwo groups of each space (k-means, {} seeds; p below {:.2e} and a difference above {} with each)",
            first.p.len(),
            first.level,
            first.effect
        );
    }
    for one in &found.two_groups {
        let mean = one.difference();
        let largest = one.p.iter().copied().fold(0.0, f64::max);
        let word = if one.differs { "differ" } else { "do not differ" };
        let _ = writeln!(text, "{:<24} {:<28} {word:<14} by {mean:.3}, p at most {largest:.1e}", one.space, one.of);
    }
    text + &classified::summary(&found.classified)
}
