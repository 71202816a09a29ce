//! What was found, as it is written to `phenotype.json`.

use super::classifier::ClassifierSpec;
use super::splits::Judged;
use serde::{Deserialize, Serialize};

/// Everything that `cithara phenotype` found.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Phenotyped {
    /// Version of the program.
    pub version: String,
    /// The column of obs that was told.
    pub label: String,
    /// Whether it was told as a number.
    pub is_number: bool,
    /// The column whose groups were held out as a whole, if any.
    pub hold_out: Option<String>,
    /// Only cells of which this is true, as `COLUMN=VALUE`.
    pub only: Option<String>,
    /// Which cells judged.
    pub judged: Judged,
    /// Splits.
    pub n_repeats: usize,
    /// Parts of the cells or groups that may judge, of which each split holds out one.
    pub n_folds: usize,
    /// Share of the cells learned from that told when to stop.
    pub stop_share: f64,
    /// Most cells that were learned from.
    pub max_cells: Option<usize>,
    /// How networks learned.
    pub classifier: ClassifierSpec,
    /// Seed of divisions, weights and orders.
    pub seed: u64,
    /// Names of scores, that which is looked at first at the front.
    pub scores: Vec<String>,
    /// What was found of each modality.
    pub modalities: Vec<ModalityFindings>,
    /// What a reader must know.
    pub notes: Vec<String>,
}

/// What was found of the images of one modality.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct ModalityFindings {
    /// The modality.
    pub modality: String,
    /// Cells with a label, an image, and all that images are predicted from.
    pub n_cells: usize,
    /// Names of classes; none for numbers.
    pub classes: Vec<String>,
    /// The cells of each split.
    pub splits: Vec<SplitFacts>,
    /// What was told from each kind of image, and without any.
    pub inputs: Vec<InputFindings>,
    /// Paired tests between inputs.
    pub comparisons: Vec<Comparison>,
}

/// The cells of a split.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct SplitFacts {
    /// Cells learned from.
    pub n_learned: usize,
    /// Cells that told when to stop.
    pub n_stopping: usize,
    /// Cells that judged.
    pub n_judged: usize,
    /// Those of them that the model itself learned from.
    pub n_judged_model_learned: usize,
    /// Those of them that told the model itself when to stop.
    pub n_judged_model_stopped: usize,
    /// Groups that were held out.
    pub groups: Vec<String>,
    /// Those of them of which the model itself learned from some cell.
    pub n_groups_model_learned: usize,
    /// Classes of judged cells that no cell learned from has.
    pub n_unlearned_classes: usize,
}

/// What an input is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum InputKind {
    /// Images as they were measured.
    Real,
    /// Images by the full decoder.
    Reconstructed,
    /// Images by the decoder of the shared spaces.
    SharedOnly,
    /// Images predicted from another modality.
    Predicted,
    /// Real images, the labels that are learned from given to other cells.
    Permuted,
    /// No image: the most frequent class, or the mean.
    Unseen,
}

/// What was told from one kind of image.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct InputFindings {
    /// The kind of image in words.
    pub input: String,
    /// The same as a kind.
    pub kind: InputKind,
    /// Each split: scores in the order of their names, `None` where not defined.
    pub splits: Vec<SplitScores>,
    /// Held-out groups: cells judged over all splits, and cells whose class was told; none where there are no groups or classes.
    pub groups: Vec<GroupScore>,
    /// `confusion[true][told]`: judged cells over all splits; none for numbers.
    pub confusion: Vec<Vec<u64>>,
}

/// Scores of one split.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct SplitScores {
    /// Scores.
    pub scores: Vec<Option<f64>>,
    /// Passes over the cells; 0 where nothing was learned.
    pub n_epochs: usize,
    /// The pass whose weights were kept.
    pub best_epoch: usize,
}

/// A held-out group.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct GroupScore {
    /// The group.
    pub group: String,
    /// Cells judged.
    pub n: u64,
    /// Cells whose class was told.
    pub n_right: u64,
}

/// A paired test of two inputs.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Comparison {
    /// The input that is expected to be better.
    pub first: String,
    /// The other.
    pub second: String,
    /// The score.
    pub score: String,
    /// What is paired: `split` or `group`.
    pub unit: String,
    /// Pairs.
    pub n: usize,
    /// Mean of first minus second.
    pub gain: f64,
    /// 95 % interval of it (Student).
    pub interval: Option<(f64, f64)>,
    /// Two-sided p of the paired t-test.
    pub p_two_sided: Option<f64>,
    /// One-sided p of the same, against "first is not better" (Zhang et al. 2026, Fig. 3d).
    pub p_one_sided: Option<f64>,
    /// Two-sided p of the t-test for splits of the same cells (Nadeau & Bengio 2003); of groups none.
    pub p_resampled: Option<f64>,
    /// Two-sided p of Wilcoxon's signed-rank test.
    pub p_signed_rank: Option<f64>,
    /// `p_two_sided` corrected for all tests of the modality with this score and unit (Holm 1979).
    pub p_holm: Option<f64>,
}

impl InputFindings {
    /// Mean and standard deviation over splits of the score in this place, where it is defined.
    pub fn mean(&self, score: usize) -> Option<(f64, f64)> {
        let values = self.values(score);
        let n = values.len() as f64;
        let mean = (!values.is_empty()).then(|| values.iter().sum::<f64>() / n)?;
        let squares: f64 = values.iter().map(|value| (value - mean).powi(2)).sum();
        Some((mean, if values.len() > 1 { (squares / (n - 1.0)).sqrt() } else { 0.0 }))
    }

    /// The score in this place of each split that has one.
    pub fn values(&self, score: usize) -> Vec<f64> {
        self.splits.iter().filter_map(|split| split.scores.get(score).copied().flatten()).collect()
    }
}

impl Phenotyped {
    /// Adds what a reader must know of the numbers.
    pub fn add_cautions(&mut self) {
        let splits = || self.modalities.iter().flat_map(|one| &one.splits);
        let n_unlearned = splits().filter(|split| split.n_unlearned_classes > 0).count();
        let mut cautions = Vec::new();
        if n_unlearned > 0 {
            cautions.push(format!(
                "in {n_unlearned} splits all cells of a class were held out: nothing can tell that class, and it counts as wrong"
            ));
        }
        if self.n_repeats > 1 {
            cautions.push(
                "splits share cells, so that p of tests over splits are too small; `p_resampled` in `tests.tsv` allows for that, and \
                 tests over held-out groups do not share judged cells"
                    .to_owned(),
            );
        }
        self.notes.extend(cautions);
    }
}
