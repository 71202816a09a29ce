//! Drawing the cells of a design and writing them as MuData.

use super::{Design, Factor};
use anndata::{Column, Dense, Frame, NewAnnData, NewMuData, write_new_h5mu};
use anyhow::{Context, Result};
use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;
use rand_distr::{Distribution, Gamma, StandardNormal};
use std::path::Path;

/// Features of one block.
const BLOCK: usize = 10;

/// Simulated cells.
#[derive(Debug, Clone, PartialEq)]
pub struct Simulation {
    /// Factors of each cell, in the order Z1 … Z5.
    pub factors: Vec<[f64; 5]>,
    /// First modality: cells × features.
    pub x: Dense,
    /// Second modality: cells × features.
    pub y: Dense,
}

/// Draws `n_cells` cells of a design: factors, then coefficients, then noiseless linear features.
///
/// Z2 = Z1 + Gamma(5, 1)·√0.0045; Z4 = Z3 [+ 2·Z2] + Gamma(2, 2)·√0.00125; Z5 = (Bernoulli(½) or Z2) + Gamma(3, 2)·√0.0075;
/// Z1 and Z3 are Bernoulli(½); gammas by shape and scale; coefficients are standard normal.
///
/// # Errors
/// When the numbers do not fit a matrix.
pub fn simulate(design: &Design, n_cells: usize, seed: u64) -> Result<Simulation> {
    let mut generator = ChaCha8Rng::seed_from_u64(seed);
    let factors: Vec<[f64; 5]> = (0..n_cells).map(|_| draw_factors(design, &mut generator)).collect::<Result<_>>()?;
    let x = features(&factors, &design.x_blocks, design.single_parent_scale, &mut generator)?;
    let y = features(&factors, &design.y_blocks, design.single_parent_scale, &mut generator)?;
    Ok(Simulation { factors, x, y })
}

fn draw_factors(design: &Design, generator: &mut ChaCha8Rng) -> Result<[f64; 5]> {
    let gamma = |shape: f64, scale: f64| Gamma::new(shape, scale).context("a gamma distribution");
    let coin = |generator: &mut ChaCha8Rng| f64::from(u8::from(generator.random_bool(0.5)));
    let z1 = coin(generator);
    let z2 = z1 + gamma(5.0, 1.0)?.sample(generator) * 0.0045f64.sqrt();
    let z3 = coin(generator);
    let z4 = z3 + gamma(2.0, 2.0)?.sample(generator) * 0.00125f64.sqrt();
    let z5 = gamma(3.0, 2.0)?.sample(generator) * 0.0075f64.sqrt();
    let own = coin(generator);
    Ok(match design.has_shared_parents {
        true => [z1, z2, z3, z4 + 2.0 * z2, z5 + z2],
        false => [z1, z2, z3, z4, z5 + own],
    })
}

fn features(
    factors: &[[f64; 5]],
    blocks: &[Vec<Factor>],
    single_parent_scale: f64,
    generator: &mut ChaCha8Rng,
) -> Result<Dense> {
    let mut coefficients = Vec::with_capacity(blocks.len() * BLOCK);
    for parents in blocks {
        let scale = if parents.len() == 1 { single_parent_scale } else { 1.0 };
        for _ in 0..BLOCK {
            let mut row = [0.0; 5];
            for &parent in parents {
                let draw: f64 = StandardNormal.sample(generator);
                row[parent as usize] = scale * draw;
            }
            coefficients.push(row);
        }
    }
    let value = |cell: &[f64; 5], row: &[f64; 5]| cell.iter().zip(row).map(|(z, c)| z * c).sum::<f64>() as f32;
    let values = factors.iter().flat_map(|cell| coefficients.iter().map(move |row| value(cell, row))).collect();
    Dense::new(factors.len(), coefficients.len(), values)
}

impl Simulation {
    /// Writes modalities `x` and `y`; the true factors are columns of obs.
    ///
    /// # Errors
    /// When the file cannot be written.
    pub fn write(&self, path: &Path) -> Result<()> {
        let cells: Vec<String> = (0..self.factors.len()).map(|cell| format!("cell{cell}")).collect();
        let mut obs = Frame::new(cells.clone());
        for factor in Factor::ALL {
            let column = self.factors.iter().map(|cell| cell[factor as usize]).collect();
            obs.insert(factor.name(), Column::Float(column))?;
        }
        for (name, factor) in [("Z1_class", Factor::Z1), ("Z3_class", Factor::Z3)] {
            let label = |cell: &[f64; 5]| Some(format!("{}={}", factor.name(), cell[factor as usize]));
            let labels: Vec<Option<String>> = self.factors.iter().map(label).collect();
            obs.insert(name, Column::Categorical(anndata::Categorical::from_labels(&labels)))?;
        }
        let mut mudata = NewMuData { obs, ..NewMuData::default() };
        mudata.modalities.insert("x".to_owned(), modality("x", &cells, &self.x));
        mudata.modalities.insert("y".to_owned(), modality("y", &cells, &self.y));
        write_new_h5mu(path, &mudata)
    }
}

/// A modality whose features are called by its name and a number.
pub(super) fn modality(name: &str, cells: &[String], values: &Dense) -> NewAnnData {
    let var = Frame::new((0..values.n_columns).map(|feature| format!("{name}{feature}")).collect());
    NewAnnData::new(Frame::new(cells.to_vec()), var, values.clone())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn mean(simulation: &Simulation, factor: Factor) -> f64 {
        simulation.factors.iter().map(|cell| cell[factor as usize]).sum::<f64>() / simulation.factors.len() as f64
    }

    #[test]
    fn factors_have_the_means_of_their_definitions() {
        let one = simulate(&Design::of(1).unwrap(), 20_000, 1).unwrap();
        let four = simulate(&Design::of(4).unwrap(), 20_000, 1).unwrap();
        let z2 = 0.5 + 5.0 * 0.0045f64.sqrt();
        let z4 = 0.5 + 4.0 * 0.00125f64.sqrt();
        let z5 = 6.0 * 0.0075f64.sqrt();
        for (simulation, factor, expected) in [
            (&one, Factor::Z1, 0.5),
            (&one, Factor::Z2, z2),
            (&one, Factor::Z4, z4),
            (&one, Factor::Z5, 0.5 + z5),
            (&four, Factor::Z4, z4 + 2.0 * z2),
            (&four, Factor::Z5, z2 + z5),
        ] {
            let found = mean(simulation, factor);
            assert!((found - expected).abs() < 0.03, "{factor:?}: {found} is not near {expected}");
        }
    }

    #[test]
    fn seeds_repeat_and_blocks_read_their_parents_only() {
        let design = Design::of(1).unwrap();
        let simulation = simulate(&design, 50, 7).unwrap();
        assert_eq!(simulation, simulate(&design, 50, 7).unwrap());
        assert_ne!(simulation, simulate(&design, 50, 8).unwrap());
        // The second block of x holds Z3 alone: its features are 0 exactly where Z3 is.
        for (cell, factors) in simulation.factors.iter().enumerate() {
            assert_eq!(simulation.x.row(cell)[BLOCK] == 0.0, factors[Factor::Z3 as usize] == 0.0);
        }
    }
}
