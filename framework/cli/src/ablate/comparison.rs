//! What an ablation found: variants, their metrics, differences to the base and verdicts. `ablation.json` is this, whole.

use serde::{Deserialize, Serialize};

/// All variants of an ablation beside its base.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Comparison {
    /// Name of the ablation.
    pub name: String,
    /// The variants in their order, the base first.
    pub variants: Vec<ComparedVariant>,
    /// The metrics in their order.
    pub metrics: Vec<ComparedMetric>,
    /// What a reader must know before believing the numbers, such as that runs were judged by other cells.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub notes: Vec<String>,
}

/// One variant and what became of its cells.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ComparedVariant {
    /// Its name.
    pub name: String,
    /// Where its resolved spec differs from that of the base.
    pub changes: Vec<Change>,
    /// One run per seed.
    pub runs: Vec<ComparedRun>,
}

/// A key of the resolved spec that is not as in the base.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Change {
    /// Its path, such as `model.shared`.
    pub key: String,
    /// TOML of its value in the base; `None` where the base has none.
    pub base: Option<String>,
    /// TOML of its value in the variant; `None` where the variant has none.
    pub variant: Option<String>,
}

/// One run of a variant.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ComparedRun {
    /// Its seed.
    pub seed: u64,
    /// Its directory, relative to that of the ablation (or as it was named).
    pub directory: String,
    /// What became of it.
    pub state: RunState,
    /// Why it failed: the last lines that it said.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// How its losses went.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub curves: Vec<Curve>,
}

/// What became of a run.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RunState {
    /// Not started.
    Pending,
    /// Being learned.
    Running,
    /// Learned and judged.
    Done,
    /// Ended with an error.
    Failed,
}

impl RunState {
    /// The state as it is written.
    pub fn name(self) -> &'static str {
        match self {
            RunState::Pending => "pending",
            RunState::Running => "running",
            RunState::Done => "done",
            RunState::Failed => "failed",
        }
    }
}

/// The losses of one stage of a fit.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Curve {
    /// Name of the stage.
    pub stage: String,
    /// Epoch and mean loss of training cells.
    pub training: Vec<(u64, f64)>,
    /// Epoch and loss of validation cells, where it was asked for.
    pub validation: Vec<(u64, f64)>,
}

/// One metric over all variants.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ComparedMetric {
    /// Its name, such as `rna_to_protein.pearson`.
    pub name: String,
    /// What it is, in words.
    pub title: String,
    /// Whether larger values are better; smaller ones are if not.
    pub higher_is_better: bool,
    /// Differences up to this are taken as none.
    pub margin: Option<f64>,
    /// The variants in their order, the base first.
    pub rows: Vec<MetricRow>,
}

/// One metric of one variant.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct MetricRow {
    /// Name of the variant.
    pub variant: String,
    /// Seed and value of each run that has the metric, by seed.
    pub values: Vec<(u64, f64)>,
    /// Mean of the values.
    pub mean: Option<f64>,
    /// Standard deviation of the values (n − 1).
    pub sd: Option<f64>,
    /// Why finished runs have no value: the metric does not apply to them.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub not_applicable: Option<String>,
    /// The paired difference to the base; `None` for the base itself and where no seed has both.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub difference: Option<Difference>,
}

/// Variant less base, paired by seed.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Difference {
    /// Seeds that both have.
    pub n_pairs: usize,
    /// Mean difference.
    pub mean: f64,
    /// Standard deviation of the differences; `None` for one pair.
    pub sd: Option<f64>,
    /// 95 % interval of the mean (Student's t).
    pub interval: Option<(f64, f64)>,
    /// 95 % bootstrap interval of the mean (bias-corrected and accelerated).
    pub bootstrap_interval: Option<(f64, f64)>,
    /// Paired t-test, two-sided.
    pub p_t: Option<f64>,
    /// Wilcoxon's signed-rank test, two-sided.
    pub p_wilcoxon: Option<f64>,
    /// `p_t` corrected for the number of variants (Holm).
    pub p_t_holm: Option<f64>,
    /// Mean difference in standard deviations of the differences (Cohen's d for pairs).
    pub effect_size: Option<f64>,
    /// p-value of the equivalence test (two one-sided t-tests) where there is a margin.
    pub p_equivalence: Option<f64>,
    /// The same corrected for the number of variants (Holm).
    pub p_equivalence_holm: Option<f64>,
    /// What follows.
    pub verdict: Verdict,
    /// Where undecided: seeds that would decide it if mean and standard deviation stayed as they are.
    pub n_seeds_to_decide: Option<u64>,
}

/// A variant beside the base, at the level .05 after Holm's correction.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Verdict {
    /// Within the margin.
    Equivalent,
    /// Better by a difference that is not chance, and not shown to be within the margin.
    Better,
    /// Worse by a difference that is not chance, and not shown to be within the margin.
    Worse,
    /// Neither shown to differ nor shown to be within the margin.
    Undecided,
}

impl Verdict {
    /// It in a word.
    pub fn word(self) -> &'static str {
        match self {
            Verdict::Better => "better",
            Verdict::Worse => "worse",
            Verdict::Equivalent => "equivalent",
            Verdict::Undecided => "undecided",
        }
    }
}
