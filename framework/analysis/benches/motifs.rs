//! What looking for motifs costs: 50,000 sequences of 500 letters, 800 motifs of 6 to 21 positions, both strands.
//!
//! `cargo bench -p cithara-analysis --bench motifs --profile dev` (the profile that everything else is compiled with); numbers of
//! sequences and motifs may follow after `--`, or a folder of motifs (.pfm) to be taken instead.

use std::time::Instant;

use analysis::{
    FrequencyMatrix, MotifScanner, MotifSpec, Sequence, equal_groups, over_representation_within, rank_sum,
    symmetric_background,
};

const LENGTH: usize = 500;

/// Numbers that look random.
struct Draw(u64);

impl Draw {
    fn below(&mut self, n: u64) -> u64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % n
    }
}

/// About half of the positions sharp, the others more or less flat, as those of real motifs.
fn motif(number: usize, draw: &mut Draw) -> FrequencyMatrix {
    let column = |draw: &mut Draw| {
        let (letter, others) = (draw.below(4) as usize, [5, 60, 400, 900][draw.below(4) as usize]);
        let mut counts = [0, 1, 2, 3].map(|_| draw.below(others) as f64);
        counts[letter] += 1000.0;
        counts
    };
    let width = 6 + number % 16;
    FrequencyMatrix::new(format!("m{number}"), (0..width).map(|_| column(draw)).collect()).unwrap()
}

/// The motifs of a folder: files of four rows of counts.
fn read(folder: &str) -> Vec<FrequencyMatrix> {
    let paths = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    let motif = |path: std::path::PathBuf| {
        let text = std::fs::read_to_string(&path).unwrap();
        let row = |line: &str| line.split_whitespace().map(|count| count.parse().unwrap()).collect::<Vec<f64>>();
        let rows: Vec<Vec<f64>> = text.lines().filter(|line| !line.trim().is_empty()).map(row).collect();
        let columns = (0..rows[0].len()).map(|place| [0, 1, 2, 3].map(|letter: usize| rows[letter][place]));
        FrequencyMatrix::new(path.display().to_string(), columns.collect()).unwrap()
    };
    let mut paths: Vec<_> = paths.filter(|path| path.extension().is_some_and(|ending| ending == "pfm")).collect();
    paths.sort();
    paths.into_iter().map(motif).collect()
}

fn main() {
    let asked: Vec<usize> = std::env::args().filter_map(|argument| argument.parse().ok()).collect();
    let (n_sequences, n_motifs) = (asked.first().copied().unwrap_or(50_000), asked.get(1).copied().unwrap_or(800));
    let mut draw = Draw(1);
    let letters = |draw: &mut Draw| (0..LENGTH).map(|_| b"ACGT"[draw.below(4) as usize]).collect::<Vec<u8>>();
    let sequences: Vec<Option<Sequence>> = (0..n_sequences).map(|_| Some(Sequence::new(&letters(&mut draw)))).collect();
    let motifs: Vec<FrequencyMatrix> = match std::env::args().find(|argument| std::path::Path::new(argument).is_dir()) {
        Some(folder) => read(&folder),
        None => (0..n_motifs).map(|number| motif(number, &mut draw)).collect(),
    };
    let n_motifs = motifs.len();
    let start = Instant::now();
    let background = symmetric_background(sequences.iter().flatten());
    let scanner = MotifScanner::new(&motifs, background, MotifSpec::default()).unwrap();
    println!("scores of {n_motifs} motifs: {:.1} s", start.elapsed().as_secs_f64());
    let start = Instant::now();
    let sets = scanner.occurrences(&sequences);
    let n_found: usize = sets.iter().map(Vec::len).sum();
    println!("{n_sequences} sequences of {LENGTH}: {:.1} s, {n_found} occurrences", start.elapsed().as_secs_f64());
    let gc: Vec<f64> = sequences.iter().flatten().map(Sequence::gc_content).collect();
    let strata = equal_groups(&gc, 10);
    let chosen: Vec<usize> = (0..n_sequences).step_by(20).collect();
    let start = Instant::now();
    over_representation_within(&chosen, &sets, &strata).unwrap();
    println!("of like GC content, {} chosen: {:.1} s", chosen.len(), start.elapsed().as_secs_f64());
    let scores: Vec<f64> = (0..n_sequences).map(|_| draw.below(1 << 20) as f64).collect();
    let start = Instant::now();
    rank_sum(&scores, &sets, &strata, 15).unwrap();
    println!("sums of ranks: {:.2} s", start.elapsed().as_secs_f64());
}
