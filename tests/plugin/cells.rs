//! Generated cells: two factors that every assay shows, each in its own way.

use crate::built::alone;
use anndata::{Csr, Dense, Frame, NewAnnData, NewMuData, write_new_h5mu};
use std::path::Path;

const N_CELLS: usize = 320;
const N_GENES: usize = 40;
const N_REGIONS: usize = 30;
const N_PROPERTIES: usize = 8;

/// Numbers that look random and are the same every time (Steele et al. 2014, SplitMix).
struct Draws(u64);

impl Draws {
    /// Uniform in [0, 1).
    fn uniform(&mut self) -> f64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut bits = self.0;
        bits = (bits ^ (bits >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        bits = (bits ^ (bits >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        ((bits ^ (bits >> 31)) >> 11) as f64 / (1u64 << 53) as f64
    }

    /// Standard normal (Box and Muller 1958).
    fn normal(&mut self) -> f64 {
        (-2.0 * (1.0 - self.uniform()).ln()).sqrt() * (std::f64::consts::TAU * self.uniform()).cos()
    }

    /// Successes among trials.
    fn binomial(&mut self, n: usize, chance: f64) -> usize {
        (0..n).filter(|_| self.uniform() < chance).count()
    }

    /// Poisson (Knuth's product), for small means.
    fn poisson(&mut self, mean: f64) -> usize {
        let (least, mut product, mut n) = ((-mean).exp(), self.uniform(), 0);
        while product > least {
            product *= self.uniform();
            n += 1;
        }
        n
    }

    /// How each of some features answers to the two factors, and its level.
    fn loadings(&mut self, n: usize) -> Vec<[f64; 3]> {
        (0..n).map(|_| [self.normal(), self.normal(), self.normal()]).collect()
    }
}

/// Level and factors of a cell, as a feature shows them.
fn shown([first, second, level]: [f64; 3], factors: [f64; 2]) -> f64 {
    0.7 * (first * factors[0] + second * factors[1]) + 0.4 * level
}

fn frame(letter: char, n: usize) -> Frame {
    Frame::new((0..n).map(|place| format!("{letter}{place}")).collect())
}

fn sparse(n_columns: usize, values: Vec<f32>) -> Csr {
    Csr::from_dense(&Dense::new(N_CELLS, n_columns, values).unwrap()).unwrap()
}

/// One value for each cell and feature.
fn each(factors: &[[f64; 2]], loadings: &[[f64; 3]], mut value: impl FnMut(f64) -> f32) -> Vec<f32> {
    factors.iter().flat_map(|cell| loadings.iter().map(|feature| shown(*feature, *cell))).map(&mut value).collect()
}

/// Writes `cells.h5mu` with counts of transcripts, methylated and all reads (a third of the regions not covered), and
/// electrical properties in units of their own, one cell in twenty badly measured.
pub fn write(folder: &Path) {
    let mut draws = Draws(7);
    let factors: Vec<[f64; 2]> = (0..N_CELLS).map(|_| [draws.normal(), draws.normal()]).collect();
    let genes = draws.loadings(N_GENES);
    let counts = each(&factors, &genes, |shown| draws.poisson((0.8 + shown).exp().min(60.0)) as f32);
    let rna = NewAnnData::new(frame('c', N_CELLS), frame('g', N_GENES), sparse(N_GENES, counts));

    let regions = draws.loadings(N_REGIONS);
    let mut totals = Vec::new();
    let methylated = each(&factors, &regions, |shown| {
        let n_reads = if draws.uniform() < 1.0 / 3.0 { 0 } else { 1 + draws.poisson(6.0) };
        totals.push(n_reads as f32);
        draws.binomial(n_reads, 1.0 / (1.0 + (-1.5 * shown).exp())) as f32
    });
    let none = Csr::zeros(N_CELLS, N_REGIONS);
    let mut methylation = NewAnnData::new(frame('c', N_CELLS), frame('r', N_REGIONS), none);
    methylation.layers.insert("methylated".into(), sparse(N_REGIONS, methylated).into());
    methylation.layers.insert("total".into(), sparse(N_REGIONS, totals).into());

    let properties = draws.loadings(N_PROPERTIES);
    let mut entry = 0;
    let values = each(&factors, &properties, |shown| {
        let (cell, property) = (entry / N_PROPERTIES, entry % N_PROPERTIES);
        entry += 1;
        let spread = if cell % 20 == 0 { 3.0 } else { 0.3 };
        let unit = [0.1, 1.0, 100.0][property % 3];
        (unit * (5.0 + shown + spread * draws.normal())) as f32
    });
    let table = Dense::new(N_CELLS, N_PROPERTIES, values).unwrap();
    let electrophysiology = NewAnnData::new(frame('c', N_CELLS), frame('p', N_PROPERTIES), table);

    let mut file = NewMuData { obs: frame('c', N_CELLS), ..NewMuData::default() };
    file.modalities.insert("rna".into(), rna);
    file.modalities.insert("methylation".into(), methylation);
    file.modalities.insert("electrophysiology".into(), electrophysiology);
    alone(|| write_new_h5mu(folder.join("cells.h5mu"), &file)).unwrap();
}

/// A spec of `rna` and other modalities on those cells; each is a table and what stands in it.
pub fn spec(libraries: &[&Path], modalities: &[(&str, &str)], n_epochs: usize) -> String {
    let mut text = String::from("spec_version = 1\nname = \"cells\"\nseed = 3\n");
    if !libraries.is_empty() {
        text += &format!("\n[plugins]\nlibraries = {libraries:?}\n");
    }
    text += "\n[data]\npath = \"cells.h5mu\"\n\n[modality.rna]\nmin_cells_per_feature = 0\nmin_features_per_cell = 0\n";
    text += "encoder = { hidden = [32] }\ndecoder = { hidden = [32] }\n";
    for (name, table) in modalities {
        text += &format!("\n[modality.{name}]\n{table}\n");
    }
    text += "\n[model]\nshared = 3\nspecific = 2\n\n[fit]\nn_threads = 1\n";
    text += &format!("latent = {{ n_epochs = {n_epochs}, minibatch = 32, learning_rate_decoder = 5e-3 }}\n");
    text + &format!("encoders = {{ n_epochs = {n_epochs}, minibatch = 32, learning_rate = 3e-3 }}\n")
}

/// Networks small enough for a test.
pub const SMALL: &str = "encoder = { hidden = [32] }\ndecoder = { hidden = [32] }";
