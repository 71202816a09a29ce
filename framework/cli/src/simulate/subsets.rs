//! Three modalities whose causes are a factor for each subset of them.

use super::draw::modality;
use anndata::{Column, Dense, Frame, NewMuData, write_new_h5mu};
use anyhow::Result;
use rand::SeedableRng;
use rand_chacha::ChaCha8Rng;
use rand_distr::{Distribution, StandardNormal};
use std::path::Path;

/// Names of the modalities.
const MODALITIES: [&str; 3] = ["x", "y", "z"];
/// Features of each modality.
const N_FEATURES: usize = 40;

/// A cause that some of the modalities see: one bit each, the first modality's the lowest.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SubsetFactor(u8);

impl SubsetFactor {
    /// One for each subset that is not empty: x, y, xy, z, xz, yz, xyz.
    pub const ALL: [SubsetFactor; 7] = [
        SubsetFactor(1),
        SubsetFactor(2),
        SubsetFactor(3),
        SubsetFactor(4),
        SubsetFactor(5),
        SubsetFactor(6),
        SubsetFactor(7),
    ];

    /// Its column of obs: `F_` and the letters of the modalities that see it.
    pub fn name(self) -> String {
        let letters = MODALITIES.iter().enumerate().filter(|(modality, _)| self.is_seen_by(*modality));
        format!("F_{}", letters.map(|(_, name)| *name).collect::<String>())
    }

    /// Whether a modality (0, 1 or 2) sees it.
    pub fn is_seen_by(self, modality: usize) -> bool {
        self.0 >> modality & 1 == 1
    }
}

/// Simulated cells of three modalities.
#[derive(Debug, Clone, PartialEq)]
pub struct Subsets {
    /// Factors of each cell, in the order of [`SubsetFactor::ALL`].
    pub factors: Vec<[f64; 7]>,
    /// Cells × features of each modality.
    pub measured: Vec<Dense>,
}

/// Draws `n_cells` cells: seven independent standard normal factors, then for each modality 40 noiseless features, each a sum of
/// all four factors that the modality sees, with standard normal coefficients.
///
/// # Errors
/// When the numbers do not fit a matrix.
pub fn simulate_subsets(n_cells: usize, seed: u64) -> Result<Subsets> {
    let mut generator = ChaCha8Rng::seed_from_u64(seed);
    let mut draw = || -> f64 { StandardNormal.sample(&mut generator) };
    let factors: Vec<[f64; 7]> = (0..n_cells).map(|_| std::array::from_fn(|_| draw())).collect();
    let mut measured = Vec::new();
    for modality in 0..MODALITIES.len() {
        let coefficient = |factor: SubsetFactor, drawn: f64| if factor.is_seen_by(modality) { drawn } else { 0.0 };
        let rows: Vec<[f64; 7]> =
            (0..N_FEATURES).map(|_| SubsetFactor::ALL.map(|factor| coefficient(factor, draw()))).collect();
        let value = |cell: &[f64; 7], row: &[f64; 7]| cell.iter().zip(row).map(|(f, c)| f * c).sum::<f64>() as f32;
        let values = factors.iter().flat_map(|cell| rows.iter().map(move |row| value(cell, row))).collect();
        measured.push(Dense::new(n_cells, N_FEATURES, values)?);
    }
    Ok(Subsets { factors, measured })
}

impl Subsets {
    /// Writes modalities `x`, `y` and `z`; the true factors are columns of obs.
    ///
    /// # Errors
    /// When the file cannot be written.
    pub fn write(&self, path: &Path) -> Result<()> {
        let cells: Vec<String> = (0..self.factors.len()).map(|cell| format!("cell{cell}")).collect();
        let mut obs = Frame::new(cells.clone());
        for (place, factor) in SubsetFactor::ALL.into_iter().enumerate() {
            let column = self.factors.iter().map(|cell| cell[place]).collect();
            obs.insert(&factor.name(), Column::Float(column))?;
        }
        let mut mudata = NewMuData { obs, ..NewMuData::default() };
        for (name, values) in MODALITIES.into_iter().zip(&self.measured) {
            mudata.modalities.insert(name.to_owned(), modality(name, &cells, values));
        }
        write_new_h5mu(path, &mudata)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn factors_are_named_after_who_sees_them() {
        let names = SubsetFactor::ALL.map(SubsetFactor::name);
        assert_eq!(names, ["F_x", "F_y", "F_xy", "F_z", "F_xz", "F_yz", "F_xyz"]);
    }

    /// Features are linear in the four factors of their modality, so the fifth cell whose factors are the sum of four
    /// others' has the sum of their features; and what a modality does not see moves none of its features.
    #[test]
    fn features_follow_the_factors_that_a_modality_sees() {
        let simulated = simulate_subsets(400, 3).unwrap();
        assert_eq!(simulated, simulate_subsets(400, 3).unwrap());
        assert_ne!(simulated, simulate_subsets(400, 4).unwrap());
        for (modality, values) in simulated.measured.iter().enumerate() {
            assert_eq!((values.n_rows, values.n_columns), (400, N_FEATURES));
            for (place, factor) in SubsetFactor::ALL.into_iter().enumerate() {
                let strongest = (0..N_FEATURES).map(|feature| correlation(&simulated, place, values, feature).abs());
                let strongest = strongest.fold(0.0, f64::max);
                assert_eq!(strongest > 0.4, factor.is_seen_by(modality), "{}: {strongest}", factor.name());
            }
        }
    }

    fn correlation(simulated: &Subsets, factor: usize, values: &Dense, feature: usize) -> f64 {
        let pairs: Vec<(f64, f64)> = (0..values.n_rows)
            .map(|cell| (simulated.factors[cell][factor], f64::from(values.row(cell)[feature])))
            .collect();
        let n = pairs.len() as f64;
        let (mean_a, mean_b) = (pairs.iter().map(|p| p.0).sum::<f64>() / n, pairs.iter().map(|p| p.1).sum::<f64>() / n);
        let sum = |of: &dyn Fn(f64, f64) -> f64| pairs.iter().map(|p| of(p.0 - mean_a, p.1 - mean_b)).sum::<f64>();
        sum(&|a, b| a * b) / (sum(&|a, _| a * a) * sum(&|_, b| b * b)).sqrt()
    }
}
