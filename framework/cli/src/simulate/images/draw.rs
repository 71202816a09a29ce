//! Drawing nuclei: what each is made of, and its pixels.

use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;
use rand_distr::{Distribution, StandardNormal};
use std::f64::consts::PI;

/// Pixels of a side of an image.
pub const SIDE: usize = 32;

/// Standard deviation of a focus, in pixels.
const FOCUS_SD_PIXELS: f64 = 1.0;
/// Brightness that a focus adds at its centre.
const FOCUS_BRIGHTNESS: f64 = 0.5;
/// Standard deviation of the noise of a pixel.
const NOISE_SD: f64 = 0.02;
/// Most foci of a protein in a nucleus.
const MOST_FOCI: u32 = 6;

/// Where in the nucleus a protein is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Pattern {
    /// At its rim.
    Rim,
    /// All over it.
    Filled,
    /// In a ring around it.
    Around,
    /// In its middle.
    Middle,
}

/// The proteins and their patterns: the first two are of panel `A`, the others of panel `B`.
pub const PROTEINS: [(&str, Pattern); 4] =
    [("P1", Pattern::Rim), ("P2", Pattern::Filled), ("P3", Pattern::Around), ("P4", Pattern::Middle)];

/// What a simulated nucleus is made of.
#[derive(Debug, Clone, PartialEq)]
pub struct Nucleus {
    /// Half axes of its ellipse, the longer first, in pixels.
    pub half_axes: [f64; 2],
    /// Direction of the longer axis, in radians from the rows' direction, in [0, π).
    pub direction: f64,
    /// Foci of heterochromatin, which only the stain of DNA shows.
    pub n_dna_foci: u32,
    /// Place among [`PROTEINS`] of the protein that was stained.
    pub protein: usize,
    /// Foci of the protein that was stained, which only its stain shows.
    pub n_foci: u32,
    /// Place of the other protein of the panel, which was not stained.
    pub other: usize,
    /// Foci that the other protein has.
    pub n_other_foci: u32,
}

impl Nucleus {
    /// Area of the ellipse, in pixels.
    pub fn area(&self) -> f64 {
        PI * self.half_axes[0] * self.half_axes[1]
    }

    /// Eccentricity of the ellipse, √(1 − b²/a²).
    pub fn eccentricity(&self) -> f64 {
        (1.0 - (self.half_axes[1] / self.half_axes[0]).powi(2)).sqrt()
    }

    /// The panel: `A` or `B`.
    pub fn panel(&self) -> &'static str {
        if self.protein < 2 { "A" } else { "B" }
    }

    /// Distance of a place (relative to the centre, in pixels) from the centre, in units of the ellipse: 1 at its border.
    fn distance(&self, row: f64, column: f64) -> f64 {
        let (sin, cos) = self.direction.sin_cos();
        let (along, across) = (row * cos + column * sin, column * cos - row * sin);
        (along / self.half_axes[0]).hypot(across / self.half_axes[1])
    }
}

/// Simulated nuclei with their images.
#[derive(Debug, Clone, PartialEq)]
pub struct SimulatedNuclei {
    /// The nuclei.
    pub nuclei: Vec<Nucleus>,
    /// n × 3 × [`SIDE`] × [`SIDE`]: DNA, the stained protein, the other protein of the panel; from 0 to 255.
    pub pixels: Vec<u8>,
}

/// Draws nuclei and their images. Half of the cells are of each panel, and half of those stained for each of its proteins, at
/// random; sizes are uniform, and so are directions and numbers of foci (0 to 6), all independent of each other.
pub fn simulate_nuclei(n_cells: usize, seed: u64) -> SimulatedNuclei {
    let mut generator = ChaCha8Rng::seed_from_u64(seed);
    let (mut nuclei, mut pixels) = (Vec::with_capacity(n_cells), Vec::with_capacity(n_cells * 3 * SIDE * SIDE));
    for _ in 0..n_cells {
        let nucleus = draw_nucleus(&mut generator);
        let patterns = [Pattern::Filled, PROTEINS[nucleus.protein].1, PROTEINS[nucleus.other].1];
        let n_foci = [nucleus.n_dna_foci, nucleus.n_foci, nucleus.n_other_foci];
        for (pattern, n_foci) in patterns.into_iter().zip(n_foci) {
            pixels.extend(draw_image(&nucleus, pattern, n_foci, &mut generator));
        }
        nuclei.push(nucleus);
    }
    SimulatedNuclei { nuclei, pixels }
}

fn draw_nucleus(generator: &mut ChaCha8Rng) -> Nucleus {
    let longer = generator.random_range(7.0..12.0);
    let ratio = generator.random_range(0.5..1.0);
    let protein = generator.random_range(0..PROTEINS.len());
    let mut foci = || generator.random_range(0..=MOST_FOCI);
    let [n_dna_foci, n_foci, n_other_foci] = [foci(), foci(), foci()];
    let direction = generator.random_range(0.0..PI);
    // the proteins of a panel stand beside each other
    let other = protein ^ 1;
    Nucleus { half_axes: [longer, longer * ratio], direction, n_dna_foci, protein, n_foci, other, n_other_foci }
}

/// The pixels of one stain, row by row.
fn draw_image(nucleus: &Nucleus, pattern: Pattern, n_foci: u32, generator: &mut ChaCha8Rng) -> Vec<u8> {
    let foci: Vec<[f64; 2]> = (0..n_foci).map(|_| draw_place(nucleus, generator)).collect();
    let middle = (SIDE as f64 - 1.0) / 2.0;
    let pixel = |place: usize| {
        let (row, column) = ((place / SIDE) as f64 - middle, (place % SIDE) as f64 - middle);
        let near = |focus: &[f64; 2]| {
            let squared = (row - focus[0]).powi(2) + (column - focus[1]).powi(2);
            FOCUS_BRIGHTNESS * (-squared / (2.0 * FOCUS_SD_PIXELS * FOCUS_SD_PIXELS)).exp()
        };
        let noise: f64 = StandardNormal.sample(generator);
        let value = brightness(pattern, nucleus.distance(row, column)) + foci.iter().map(near).sum::<f64>();
        ((value + NOISE_SD * noise).clamp(0.0, 1.0) * 255.0).round() as u8
    };
    (0..SIDE * SIDE).map(pixel).collect()
}

/// A place in the inner part of the nucleus, uniform over it.
fn draw_place(nucleus: &Nucleus, generator: &mut ChaCha8Rng) -> [f64; 2] {
    loop {
        let place = [(); 2].map(|()| generator.random_range(-12.0..12.0));
        if nucleus.distance(place[0], place[1]) < 0.75 {
            return place;
        }
    }
}

/// Brightness of a pattern without foci at a distance from the centre, in units of the ellipse.
fn brightness(pattern: Pattern, distance: f64) -> f64 {
    // about one pixel from full to none
    let step = |border: f64| 1.0 / (1.0 + ((distance - border) * 16.0).exp());
    match pattern {
        Pattern::Rim => 0.45 * (step(1.05) - step(0.8)) + 0.1 * step(0.8),
        Pattern::Filled => 0.4 * step(1.0),
        Pattern::Around => 0.4 * (step(1.3) - step(1.0)) + 0.05 * step(1.0),
        Pattern::Middle => 0.45 * step(0.6) + 0.1 * (step(1.0) - step(0.6)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn stain(simulated: &SimulatedNuclei, cell: usize, stain: usize) -> &[u8] {
        let n = SIDE * SIDE;
        &simulated.pixels[(3 * cell + stain) * n..][..n]
    }

    fn total(pixels: &[u8]) -> f64 {
        pixels.iter().map(|pixel| f64::from(*pixel)).sum()
    }

    /// Pearson's correlation.
    fn correlation(x: &[f64], y: &[f64]) -> f64 {
        let mean = |values: &[f64]| values.iter().sum::<f64>() / values.len() as f64;
        let (mx, my) = (mean(x), mean(y));
        let sum = |of: &dyn Fn(f64, f64) -> f64| x.iter().zip(y).map(|(x, y)| of(x - mx, y - my)).sum::<f64>();
        sum(&|x, y| x * y) / (sum(&|x, _| x * x) * sum(&|_, y| y * y)).sqrt()
    }

    #[test]
    fn seeds_repeat_and_panels_are_balanced() {
        let simulated = simulate_nuclei(400, 1);
        assert_eq!(simulated, simulate_nuclei(400, 1));
        assert_ne!(simulated, simulate_nuclei(400, 2));
        for protein in 0..4 {
            let n = simulated.nuclei.iter().filter(|nucleus| nucleus.protein == protein).count();
            assert!((70..130).contains(&n), "{n} cells of protein {protein}");
        }
        for nucleus in &simulated.nuclei {
            assert_eq!(PROTEINS[nucleus.other].0 == "P1", nucleus.panel() == "A" && nucleus.protein == 1);
            assert!((0.0..0.87).contains(&nucleus.eccentricity()) && nucleus.n_foci <= MOST_FOCI);
        }
    }

    #[test]
    fn dna_shows_the_area_and_only_the_protein_its_foci() {
        let simulated = simulate_nuclei(600, 3);
        let of = |stained: usize, protein: Option<usize>| -> (Vec<f64>, Vec<f64>, Vec<f64>) {
            let chosen = (0..600).filter(|&cell| protein.is_none_or(|one| simulated.nuclei[cell].protein == one));
            let row = |cell: usize| {
                let nucleus = &simulated.nuclei[cell];
                (total(stain(&simulated, cell, stained)), nucleus.area(), f64::from(nucleus.n_foci))
            };
            let rows: Vec<_> = chosen.map(row).collect();
            let column = |of: &dyn Fn(&(f64, f64, f64)) -> f64| rows.iter().map(of).collect::<Vec<_>>();
            (column(&|row| row.0), column(&|row| row.1), column(&|row| row.2))
        };
        let (dna, area, foci) = of(0, None);
        assert!(correlation(&dna, &area) > 0.9);
        assert!(correlation(&dna, &foci).abs() < 0.15 && correlation(&area, &foci).abs() < 0.15);
        for (protein, (name, _)) in PROTEINS.iter().enumerate() {
            let (brightness, area, foci) = of(1, Some(protein));
            // beside what follows from the area
            let [with_foci, with_area, both] =
                [correlation(&brightness, &foci), correlation(&brightness, &area), correlation(&area, &foci)];
            let scale = ((1.0 - with_area * with_area) * (1.0 - both * both)).sqrt();
            let partial = (with_foci - with_area * both) / scale;
            assert!(partial > 0.5, "{name}: {partial}");
        }
    }

    #[test]
    fn patterns_are_where_they_are_said_to_be() {
        for (pattern, brightest) in
            [(Pattern::Rim, 0.92), (Pattern::Filled, 0.0), (Pattern::Around, 1.15), (Pattern::Middle, 0.0)]
        {
            let others = (0..20).map(|step| f64::from(step) * 0.1);
            let most = others.map(|distance| brightness(pattern, distance)).fold(0.0, f64::max);
            assert!(brightness(pattern, brightest) > most - 0.05, "{pattern:?}");
            assert!(brightness(pattern, 1.9) < 0.01);
        }
    }
}
