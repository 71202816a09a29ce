//! What is chosen of an interpretation, by name; where the paper and its authors' code part, both are values.

use anyhow::{Result, ensure};
use serde::Serialize;

/// How cells are binned along a principal component and which of them lie at its centre.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct BinSpec {
    /// Number of bins with equally many training cells each; odd, so that one is in the middle (published: 11).
    pub n_bins: usize,
    /// Bins that make up each end (published: 2).
    pub n_end_bins: usize,
    /// Over which other components the distance from the centre is summed.
    pub centre: CentreRule,
    /// Cells below this percentile of the training cells' distances are centre cells (published: 15; 10 for chromatin
    /// images in the code).
    pub centre_percentile: f64,
}

impl Default for BinSpec {
    fn default() -> Self {
        Self { n_bins: 11, n_end_bins: 2, centre: CentreRule::FirstTen, centre_percentile: 15.0 }
    }
}

impl BinSpec {
    /// Refuses bins that leave no middle, and percentiles that are none.
    pub(crate) fn check(&self) -> Result<()> {
        ensure!(self.n_bins >= 3 && self.n_bins % 2 == 1, "{} bins have no middle; expected 3, 5, 7, …", self.n_bins);
        ensure!(
            self.n_end_bins >= 1 && self.n_end_bins <= self.n_bins / 2,
            "ends of {} bins were asked for; {} bins allow 1 to {}",
            self.n_end_bins,
            self.n_bins,
            self.n_bins / 2
        );
        ensure!(
            self.centre_percentile > 0.0 && self.centre_percentile <= 100.0,
            "the percentile of centre cells is {}; expected above 0, up to 100",
            self.centre_percentile
        );
        Ok(())
    }
}

/// Which other components the distance of a cell from the centre is summed over.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum CentreRule {
    /// Those among the first ten (Zhang et al. 2026, Methods).
    #[default]
    FirstTen,
    /// Those among the first so many.
    First(usize),
    /// All that were kept (the authors' code).
    All,
}

impl CentreRule {
    /// How many leading components count, out of so many.
    pub(crate) fn n_counted(self, n_components: usize) -> usize {
        match self {
            Self::FirstTen => n_components.min(10),
            Self::First(n) => n_components.min(n),
            Self::All => n_components,
        }
    }
}

/// How the components of a repeat, fitted on its training cells, are told to be those of another repeat.
///
/// Signs of principal components are arbitrary, and components of nearly equal variance change places; without an
/// alignment counts of different things are added up.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Alignment {
    /// Each component of all cells is paired with one of the repeat, most correlated loadings first, and turned so that
    /// the correlation is positive.
    #[default]
    Matched,
    /// Components keep their place and are turned so that their loadings correlate with those of all cells.
    Sign,
    /// As they come, the loading of largest magnitude positive (published, but for that sign).
    AsFound,
}

/// Which cells a group is compared with.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Reference {
    /// The cells of the other two groups (Zhang et al. 2026, Methods).
    #[default]
    OtherGroups,
    /// All other cells of the part, those of intermediate bins and away from the centre among them (the authors' code).
    Rest,
}

/// What the values of features are, which decides what a fold change is of.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Values {
    /// ln(1 + x): log₂((eᵃ − 1 + 10⁻⁹) / (eᵇ − 1 + 10⁻⁹)) of the mean values a and b, as scanpy has it. The authors' code
    /// takes it of image features, too.
    #[default]
    Log1p,
    /// Plain amounts: log₂((a + 10⁻⁹) / (b + 10⁻⁹)).
    Plain,
}

/// What is done to each feature before fold changes are taken; t-tests do not notice.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum FeatureScale {
    /// Nothing (Zhang et al. 2026, Methods).
    #[default]
    AsIs,
    /// Divided by the standard deviation over all cells, not centred (the authors' code, of genes and peaks).
    UnitVariance,
    /// Brought to 0 … 1, the training and the test cells each by themselves (the authors' code, of image features).
    Range,
}

/// What is asked of [`crate::interpret`]; the default is the published procedure for genes.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct InterpretationSpec {
    /// How cells are binned along a component.
    pub bins: BinSpec,
    /// Leading principal components to keep; `None` keeps all.
    pub n_components: Option<usize>,
    /// How components of different repeats are told to be the same.
    pub alignment: Alignment,
    /// Which cells a group is compared with.
    pub reference: Reference,
    /// What the values of features are.
    pub values: Values,
    /// What is done to features before fold changes are taken.
    pub scale: FeatureScale,
    /// False discovery rate below which a feature differs, in training and test cells (published: 0.05).
    pub level: f64,
    /// Fold changes to exceed, above 0 and ascending; see [`fold_changes`].
    pub thresholds: Vec<f64>,
}

impl Default for InterpretationSpec {
    fn default() -> Self {
        Self {
            bins: BinSpec::default(),
            n_components: None,
            alignment: Alignment::default(),
            reference: Reference::default(),
            values: Values::default(),
            scale: FeatureScale::default(),
            level: 0.05,
            thresholds: grid(1.2, 35, 0.2),
        }
    }
}

impl InterpretationSpec {
    pub(crate) fn check(&self) -> Result<()> {
        self.bins.check()?;
        ensure!(self.n_components != Some(0), "no component was asked for; expected 1 or more");
        ensure!(self.level > 0.0 && self.level < 1.0, "the level is {}; expected between 0 and 1", self.level);
        let ascending = self.thresholds.windows(2).all(|pair| pair[0] < pair[1]);
        ensure!(
            ascending && self.thresholds.iter().all(|fold| *fold >= 1.0 && fold.is_finite()),
            "the fold changes to exceed are {:?}; expected numbers from 1 on, in ascending order",
            self.thresholds
        );
        let n = self.thresholds.len();
        ensure!((1..=1000).contains(&n), "{n} fold changes to exceed were given; expected 1 to 1000");
        Ok(())
    }
}

/// Fold changes from the first to the last in equal steps; published: 1.2 to 8.0 for genes and 3.0 to 9.8 for peaks, both in
/// steps of 0.2 (35 of them).
///
/// # Errors
/// When the first is below 1, the last below the first, or the step not above 0.
pub fn fold_changes(first: f64, last: f64, step: f64) -> Result<Vec<f64>> {
    ensure!(
        first >= 1.0 && last >= first && last.is_finite() && step > 0.0,
        "fold changes from {first} to {last} in steps of {step} were asked for; expected 1 ≤ first ≤ last and a step above 0"
    );
    let n_steps = ((last - first) / step + 1e-9).floor();
    ensure!(
        n_steps < 1000.0,
        "fold changes from {first} to {last} in steps of {step} are more than 1000; take larger steps"
    );
    Ok(grid(first, n_steps as usize + 1, step))
}

fn grid(first: f64, n: usize, step: f64) -> Vec<f64> {
    // nine decimals: 1.2 + 2 × 0.2 is 1.6, not 1.6000000000000001
    (0..n).map(|at| ((first + at as f64 * step) * 1e9).round() / 1e9).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_published_grids_have_35_fold_changes() {
        let genes = fold_changes(1.2, 8.0, 0.2).unwrap();
        assert_eq!(genes, InterpretationSpec::default().thresholds);
        assert_eq!((genes.len(), genes[2], genes[34]), (35, 1.6, 8.0));
        let peaks = fold_changes(3.0, 9.8, 0.2).unwrap();
        assert_eq!((peaks.len(), peaks[0], peaks[34]), (35, 3.0, 9.8));
        assert_eq!(fold_changes(2.0, 2.0, 0.5).unwrap(), [2.0]);
        assert!(fold_changes(0.5, 2.0, 0.5).is_err() && fold_changes(1.0, 1e9, 0.5).is_err());
    }

    #[test]
    fn choices_that_make_no_sense_are_refused() {
        let with = |change: fn(&mut InterpretationSpec)| {
            let mut spec = InterpretationSpec::default();
            change(&mut spec);
            spec.check().unwrap_err().to_string()
        };
        assert!(InterpretationSpec::default().check().is_ok());
        assert!(with(|spec| spec.bins.n_bins = 10).contains("no middle"));
        assert!(with(|spec| spec.bins.n_end_bins = 6).contains("1 to 5"));
        assert!(with(|spec| spec.bins.centre_percentile = f64::NAN).contains("percentile"));
        assert!(with(|spec| spec.n_components = Some(0)).contains("component"));
        assert!(with(|spec| spec.level = 1.5).contains("level"));
        assert!(with(|spec| spec.thresholds = vec![2.0, 1.5]).contains("ascending"));
        assert!(with(|spec| spec.thresholds = vec![]).contains("0 fold changes"));
    }
}
