//! Simulated counts with known links between genes and peaks: does silencing find them, and does rank correlation?
//!
//! `cargo run --release -p cithara-tests --example gene_peak_links [SEED] [FOLDER]` simulates 3,000 cells, learns a
//! decoder-only model, silences every gene, and prints how well each score ranks the true links among all peaks within
//! 100 kb of a gene.
//!
//! Cells have activities of eight programs, half of them on in some cell types only. A peak opens with two programs drawn
//! for it. A gene is transcribed as one to three of the ten peaks beside it are open, on average: those are its links. So
//! peaks that are no links may follow the same programs by chance, and links differ in strength. Depth varies two-fold and
//! noise of each count is negative binomial; an open peak is seen in a few percent of cells.

use anndata::{Column, Csr, Frame, NewAnnData, NewMuData, write_new_h5mu};
use rand::seq::{IndexedRandom, SliceRandom};
use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;
use rand_distr::{Distribution, Gamma, Normal, Poisson};
use std::collections::HashMap;
use std::ffi::OsString;
use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::time::Instant;

const N_CELLS: usize = 3000;
const N_TYPES: usize = 6;
const N_PROGRAMS: usize = 8;
const N_GENES: usize = 200;
const PEAKS_PER_GENE: usize = 10;
/// Counts of a cell, on average.
const DEPTHS: [f64; 2] = [1500.0, 300.0];
/// Inverse overdispersion of counts.
const DISPERSION: f64 = 4.0;

/// What was simulated.
struct Simulated {
    types: Vec<usize>,
    /// Cells × genes and cells × peaks.
    counts: [Vec<Vec<f32>>; 2],
    /// Whether a gene is linked to each of its ten peaks.
    is_link: Vec<Vec<bool>>,
}

fn main() {
    let mut words = std::env::args().skip(1);
    let seed: u64 = words.next().map_or(1, |word| word.parse().expect("a seed"));
    let folder = words.next().map_or_else(|| std::env::temp_dir().join("gene_peak_links"), PathBuf::from);
    std::fs::create_dir_all(&folder).expect("a folder");
    let simulated = simulate(seed);
    write_files(&simulated, &folder, seed);
    let started = Instant::now();
    let path = |name: &str| folder.join(name).to_str().expect("UTF-8").to_owned();
    cithara(&["run", &path("links.toml"), "--out", &path("run"), "--force", "--only-fit"]);
    let learned = started.elapsed().as_secs_f64();
    let genes = path("genes.bed");
    cithara(&["gene2peak", &path("run"), "--all", "--annotation", &genes, "--out", &path("links"), "--force"]);
    let silenced = started.elapsed().as_secs_f64() - learned;
    let table = std::fs::read_to_string(folder.join("links/gene2peak.tsv")).expect("the table");
    let pairs = pairs(&table, &simulated);
    let n_links = pairs.iter().filter(|pair| pair.is_link).count();
    println!(
        "seed {seed}: {} pairs, {n_links} links; learned in {learned:.0} s, silenced in {silenced:.0} s",
        pairs.len()
    );
    let called: Vec<&Pair> = pairs.iter().filter(|pair| pair.scores[Q_VALUE].1 >= -0.05).collect();
    let n_right = called.iter().filter(|pair| pair.is_link).count();
    println!("at a false discovery rate of 0.05: {} called, {n_right} of them links", called.len());
    let chance = n_links as f64 / pairs.len() as f64;
    println!("average precision of {n_links} links among {} pairs (chance {chance:.3}), ranked by", pairs.len());
    for place in 0..pairs[0].scores.len() {
        let ranked: Vec<(f64, bool)> = pairs.iter().map(|pair| (pair.scores[place].1, pair.is_link)).collect();
        println!("  {}\t{:.3}", pairs[0].scores[place].0, average_precision(ranked));
    }
}

/// A gene and a peak beside it, with what says that they are linked; more is more likely.
struct Pair {
    is_link: bool,
    scores: Vec<(&'static str, f64)>,
}

/// Place of the false discovery rate among the scores.
const Q_VALUE: usize = 4;

fn simulate(seed: u64) -> Simulated {
    let mut random = ChaCha8Rng::seed_from_u64(seed);
    let normal = Normal::new(0.0, 1.0).expect("a distribution");
    let types: Vec<usize> = (0..N_CELLS).map(|_| random.random_range(0..N_TYPES as u64) as usize).collect();
    let on: Vec<Vec<bool>> = (0..N_TYPES).map(|_| (0..N_PROGRAMS).map(|_| random.random::<bool>()).collect()).collect();
    let mut activity = |kind: usize| -> Vec<f64> {
        let own =
            |program: usize| if program < N_PROGRAMS / 2 { 1.5 * f64::from(u8::from(on[kind][program])) } else { 0.0 };
        let noise = |program: usize| if program < N_PROGRAMS / 2 { 0.3 } else { 1.0 };
        (0..N_PROGRAMS).map(|program| own(program) + noise(program) * normal.sample(&mut random)).collect()
    };
    let activities: Vec<Vec<f64>> = types.iter().map(|&kind| activity(kind)).collect();
    let programs: Vec<usize> = (0..N_PROGRAMS).collect();
    let mut loadings = || {
        let mut loading = vec![0.0; N_PROGRAMS];
        for &program in programs.choose_multiple(&mut random, 2) {
            loading[program] = if random.random::<bool>() { 0.7 } else { -0.7 };
        }
        loading
    };
    let peaks: Vec<Vec<f64>> = (0..N_GENES * PEAKS_PER_GENE).map(|_| loadings()).collect();
    let (mut genes, mut is_link) = (Vec::new(), Vec::new());
    for gene in 0..N_GENES {
        let mut links = vec![false; PEAKS_PER_GENE];
        let n_links = 1 + random.random_range(0..3u64) as usize;
        links[..n_links].fill(true);
        links.shuffle(&mut random);
        let own: Vec<&Vec<f64>> =
            (0..PEAKS_PER_GENE).filter(|&p| links[p]).map(|p| &peaks[gene * PEAKS_PER_GENE + p]).collect();
        genes.push(
            (0..N_PROGRAMS).map(|program| own.iter().map(|peak| peak[program]).sum::<f64>() / n_links as f64).collect(),
        );
        is_link.push(links);
    }
    let counts = [(genes, DEPTHS[0]), (peaks, DEPTHS[1])]
        .map(|(loadings, depth)| draw(&loadings, &activities, depth, &mut random));
    Simulated { types, counts, is_link }
}

/// Negative binomial counts whose means are shares of a depth: exp(base + loading · activity), normalised over features.
fn draw(loadings: &[Vec<f64>], activities: &[Vec<f64>], depth: f64, random: &mut ChaCha8Rng) -> Vec<Vec<f32>> {
    let (normal, gamma) =
        (Normal::new(0.0, 1.0).expect("normal"), Gamma::new(DISPERSION, 1.0 / DISPERSION).expect("gamma"));
    let bases: Vec<f64> = loadings.iter().map(|_| normal.sample(random)).collect();
    let mut cell = |activity: &Vec<f64>| -> Vec<f32> {
        let own: f64 = depth * (0.7 * f64::powf(2.0, random.random::<f64>() * 1.0));
        let rate = |(loading, base): (&Vec<f64>, &f64)| {
            f64::exp(base + loading.iter().zip(activity).map(|(weight, value)| weight * value).sum::<f64>())
        };
        let rates: Vec<f64> = loadings.iter().zip(&bases).map(rate).collect();
        let total: f64 = rates.iter().sum();
        let count = |rate: &f64| {
            let mean = own * rate / total * gamma.sample(&mut *random);
            Poisson::new(mean.max(1e-9)).map_or(0.0, |poisson| poisson.sample(&mut *random)) as f32
        };
        rates.iter().map(count).collect()
    };
    activities.iter().map(&mut cell).collect()
}

/// Genes 1 Mb apart on five chromosomes, read forward, their peaks 18 kb apart around the start.
fn gene_place(gene: usize) -> (String, usize) {
    (format!("chr{}", 1 + gene % 5), 1_000_000 * (1 + gene / 5))
}

fn peak_name(gene: usize, peak: usize) -> String {
    let (chromosome, start) = gene_place(gene);
    let start = start + 18_000 * peak - 18_000 * PEAKS_PER_GENE / 2;
    format!("{chromosome}:{start}-{}", start + 500)
}

fn write_files(simulated: &Simulated, folder: &Path, seed: u64) {
    let genes: Vec<String> = (0..N_GENES).map(|gene| format!("gene{gene}")).collect();
    let pairs = (0..N_GENES).flat_map(|gene| (0..PEAKS_PER_GENE).map(move |peak| (gene, peak)));
    let peaks: Vec<String> = pairs.map(|(gene, peak)| peak_name(gene, peak)).collect();
    let cells: Vec<String> = (0..N_CELLS).map(|cell| format!("cell{cell}")).collect();
    let mut obs = Frame::new(cells.clone());
    let labels = simulated.types.iter().map(|kind| Some(format!("type{kind}"))).collect();
    obs.insert("cell_type", Column::Text(labels)).expect("a column");
    let mut file = NewMuData { obs, ..NewMuData::default() };
    for ((name, features), counts) in [("rna", genes.clone()), ("atac", peaks)].into_iter().zip(&simulated.counts) {
        let matrix = Csr::from_dense(&dense(counts)).expect("a matrix");
        let modality = NewAnnData::new(Frame::new(cells.clone()), Frame::new(features), matrix);
        file.modalities.insert(name.to_owned(), modality);
    }
    write_new_h5mu(folder.join("cells.h5mu"), &file).expect("a new file");
    let mut bed = String::new();
    for (gene, name) in genes.iter().enumerate() {
        let (chromosome, start) = gene_place(gene);
        let _ = writeln!(bed, "{chromosome}\t{start}\t{}\t{name}\t+", start + 5000);
    }
    std::fs::write(folder.join("genes.bed"), bed).expect("the annotation");
    let pairs = (0..N_GENES).flat_map(|gene| (0..PEAKS_PER_GENE).map(move |peak| (gene, peak)));
    let line = |(gene, peak): (usize, usize)| {
        format!("gene{gene}\t{}\t{}\n", peak_name(gene, peak), u8::from(simulated.is_link[gene][peak]))
    };
    let truth = "gene\tpeak\tis_link\n".to_owned() + &pairs.map(line).collect::<String>();
    std::fs::write(folder.join("truth.tsv"), truth).expect("the truth");
    let modality = |name: &str| {
        format!("[modality.{name}]\nkind = \"{name}\"\nmin_cells_per_feature = 0\nmin_features_per_cell = 0\n")
    };
    let spec = format!(
        "spec_version = 1\nname = \"links\"\nseed = {seed}\n[data]\npath = \"cells.h5mu\"\nlabel = \"cell_type\"\n{}{}\
         [model]\nkind = \"dgd\"\nshared = 12\n[fit.dgd]\nn_epochs = 150\npatience = 0\nlearning_rate_decoder = 1e-3\nl1 = 0.1\n",
        modality("rna"),
        modality("atac")
    );
    std::fs::write(folder.join("links.toml"), spec).expect("the spec");
}

fn dense(rows: &[Vec<f32>]) -> anndata::Dense {
    anndata::Dense::new(rows.len(), rows[0].len(), rows.concat()).expect("a matrix of that shape")
}

fn cithara(arguments: &[&str]) {
    let words = std::iter::once("cithara").chain(arguments.iter().copied()).map(OsString::from);
    let code = cli::run(words, &mut std::io::stdout(), &mut std::io::stderr());
    assert_eq!(code, cli::OK, "cithara {}", arguments.join(" "));
}

/// The lines of the table, each with the correlation of its gene and peak over the cells.
fn pairs(table: &str, simulated: &Simulated) -> Vec<Pair> {
    let ranks: Vec<Vec<Vec<f64>>> = simulated.counts.iter().map(|counts| ranks_of_shares(counts)).collect();
    let names =
        (0..N_GENES).flat_map(|gene| (0..PEAKS_PER_GENE).map(move |peak| (peak_name(gene, peak), (gene, peak))));
    let places: HashMap<String, (usize, usize)> = names.collect();
    let pair = |line: &str| {
        let fields: Vec<&str> = line.split('\t').collect();
        let number = |place: usize| fields[place].parse::<f64>().unwrap_or(f64::NAN);
        let (gene, peak) = places[fields[1]];
        assert_eq!(fields[0], format!("gene{gene}"), "genes are too far apart to share a peak");
        let rho = correlation(&ranks[0][gene], &ranks[1][gene * PEAKS_PER_GENE + peak]);
        let scores = vec![
            ("|effect|", number(6).abs()),
            ("|relative effect|", number(7).abs()),
            ("−relative effect", -number(7)),
            ("−p", -number(11)),
            ("−q", -number(12)),
            ("|Spearman|", rho.abs()),
            ("Spearman", rho),
        ];
        Pair { is_link: simulated.is_link[gene][peak], scores }
    };
    table.lines().skip(2).map(pair).collect()
}

/// Ranks over the cells of each feature's share of its cell's counts, less their mean; equal shares have their mean rank.
fn ranks_of_shares(counts: &[Vec<f32>]) -> Vec<Vec<f64>> {
    let totals: Vec<f32> = counts.iter().map(|row| row.iter().sum::<f32>().max(1.0)).collect();
    let ranks = |feature: usize| {
        let shares: Vec<f32> = counts.iter().zip(&totals).map(|(row, total)| row[feature] / total).collect();
        let mut order: Vec<usize> = (0..shares.len()).collect();
        order.sort_by(|&left, &right| shares[left].total_cmp(&shares[right]));
        let mut ranks = vec![0.0; shares.len()];
        for tied in order.chunk_by(|&left, &right| shares[left] == shares[right]) {
            let first = order.partition_point(|&cell| shares[cell] < shares[tied[0]]);
            let middle = first as f64 + (tied.len() as f64 - 1.0) / 2.0;
            tied.iter().for_each(|&cell| ranks[cell] = middle - (shares.len() as f64 - 1.0) / 2.0);
        }
        ranks
    };
    (0..counts[0].len()).map(ranks).collect()
}

/// Of numbers whose means are zero.
fn correlation(left: &[f64], right: &[f64]) -> f64 {
    let product = |a: &[f64], b: &[f64]| a.iter().zip(b).map(|(x, y)| x * y).sum::<f64>();
    product(left, right) / (product(left, left) * product(right, right)).sqrt().max(f64::MIN_POSITIVE)
}

/// Mean over the links of the precision among what is ranked at least as high.
fn average_precision(mut ranked: Vec<(f64, bool)>) -> f64 {
    ranked.sort_by(|left, right| right.0.total_cmp(&left.0));
    let n_links = ranked.iter().filter(|(_, is_link)| *is_link).count() as f64;
    let (mut n_seen, mut n_found, mut sum) = (0usize, 0usize, 0.0);
    for tied in ranked.chunk_by(|left, right| left.0 == right.0) {
        let n_own = tied.iter().filter(|(_, is_link)| *is_link).count();
        (n_seen, n_found) = (n_seen + tied.len(), n_found + n_own);
        sum += n_own as f64 * n_found as f64 / n_seen as f64;
    }
    sum / n_links
}
