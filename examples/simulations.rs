//! The paper's five simulations and the one of seven subsets, over five seeds each: does each space hold what it should?
//!
//! `cargo run -p cithara-tests --example simulations published` simulates 2,048 cells of each setting, learns with the
//! published model (`examples/simulation1.toml`: hidden width 20, spaces of two numbers, no shared decoders, unit noise) and
//! the published learning, looks at the rows that training cells have after 2,000 epochs, and prints median silhouettes
//! beside those of Zhang et al. 2026, each of one data set. `tenfold` learns as the spec itself says: ten times the rates, a
//! fifth of the epochs; `shallow` the same with two hidden layers in place of three. `subsets` learns
//! `examples/simulation_subsets.toml` and prints what each space tells of each factor. A second word names the folder for
//! runs; finished ones are not repeated.
//!
//! A space separates a binary factor where the silhouette is at least .2, and does not where it is at most .1: what the paper
//! calls separated has .209 or more, what it calls not separated .092 or less.

use std::ffi::OsString;
use std::path::{Path, PathBuf};

const SEEDS: std::ops::RangeInclusive<u64> = 1..=5;
/// A run that is told this writes nothing into the file of the cells, teaches no encoders, and splits 85 : 5 : 10 as the paper.
const ALWAYS: [&str; 2] = ["fit.encoders.n_epochs=0", "data.split.test=0.1"];
/// The published learning, where the spec has its own.
const PUBLISHED: [&str; 8] = [
    "model.settings=published",
    "fit.latent.n_epochs=2000",
    "fit.latent.minibatch=256",
    "fit.latent.learning_rate_latent=1e-3",
    "fit.latent.learning_rate_decoder=1e-4",
    "fit.latent.validate_every_epochs=0",
    // they learn nothing here, but take their share of random numbers
    "modality.x.encoder.hidden=[1024, 1024]",
    "modality.y.encoder.hidden=[1024, 1024]",
];
/// Two hidden layers; how many the published simulations had is not known.
const SHALLOW: [&str; 2] = ["modality.x.decoder.hidden=[20, 20]", "modality.y.decoder.hidden=[20, 20]"];
/// Space and factor of each silhouette, and what is wanted of it.
const COLUMNS: [(&str, &str, Wanted); 6] = [
    ("shared", "Z1_class", Wanted::High),
    ("shared", "Z3_class", Wanted::Low),
    ("x", "Z3_class", Wanted::High),
    ("x", "Z1_class", Wanted::Any),
    ("y", "Z1_class", Wanted::Any),
    ("y", "Z3_class", Wanted::Low),
];
/// What the paper reports, in the same order.
const REPORTED: [[f64; 6]; 5] = [
    [0.573, 0.060, 0.612, 0.195, 0.169, 0.001],
    [0.453, 0.092, 0.655, 0.064, 0.068, 0.008],
    [0.697, 0.026, 0.413, 0.194, 0.452, 0.000],
    [0.558, 0.078, 0.220, 0.300, 0.465, 0.000],
    [0.531, 0.011, 0.209, 0.293, 0.111, 0.003],
];
/// Spaces of the simulation of subsets, in the order of the factors that they should hold.
const SPACES: [&str; 7] = ["x", "y", "z", "xy", "xz", "yz", "shared"];
const FACTORS: [&str; 7] = ["F_x", "F_y", "F_z", "F_xy", "F_xz", "F_yz", "F_xyz"];

#[derive(Clone, Copy)]
enum Wanted {
    High,
    Low,
    Any,
}

impl Wanted {
    fn holds(self, silhouette: f64) -> bool {
        match self {
            Wanted::High => silhouette >= 0.2,
            Wanted::Low => silhouette <= 0.1,
            Wanted::Any => true,
        }
    }
}

fn main() {
    let mut words = std::env::args().skip(1);
    let learning = words.next().unwrap_or_else(|| "tenfold".to_owned());
    let folder = words.next().map_or_else(|| std::env::temp_dir().join("simulations"), PathBuf::from);
    std::fs::create_dir_all(&folder).expect("a folder");
    match learning.as_str() {
        "published" => silhouettes(&folder, &learning, &PUBLISHED),
        "tenfold" => silhouettes(&folder, &learning, &[]),
        "shallow" => silhouettes(&folder, &learning, &SHALLOW),
        "subsets" => subsets(&folder),
        other => panic!("`{other}` is none of published, tenfold, shallow, subsets"),
    }
}

/// A run, unless its numbers are there.
struct Run<'a> {
    folder: &'a Path,
    setting: &'a str,
    learning: &'a str,
    seed: u64,
}

impl Run<'_> {
    /// Makes the cells, learns and evaluates; returns the numbers of the rows of step 1: space, label, metric, value.
    fn learned_rows(&self, spec: &str, overrides: &[&str]) -> Vec<(String, String, String, f64)> {
        let Run { folder, setting, learning, seed } = self;
        let path = |name: String| folder.join(name).to_str().expect("UTF-8").to_owned();
        let cells = path(format!("simulation_{setting}_{seed}.h5mu"));
        let out = path(format!("{learning}_{setting}_{seed}"));
        let table = Path::new(&out).join("evaluation.tsv");
        if !table.exists() {
            cithara(&["simulate", setting, &cells, "--seed", &seed.to_string(), "--cells", "2048", "--force"]);
            let spec = Path::new(env!("CARGO_MANIFEST_DIR")).join("../examples").join(spec);
            let sets = [format!("data.path={cells}"), format!("seed={seed}")];
            let sets = ALWAYS.iter().chain(overrides).copied().chain(sets.iter().map(String::as_str));
            let mut words = vec!["run", spec.to_str().expect("UTF-8"), "--out", &out, "--force", "--no-annotation"];
            words.extend(sets.flat_map(|set| ["--set", set]));
            cithara(&words);
        }
        let text = std::fs::read_to_string(&table).expect("the evaluation");
        let row = |line: &str| {
            let cells: Vec<&str> = line.split('\t').collect();
            let is_learned = cells.len() > 7 && cells[0] == "learned_rows" && cells[5] == "false";
            is_learned.then(|| {
                let value = cells[7].parse().expect("a number");
                (cells[2].to_owned(), cells[3].to_owned(), cells[6].to_owned(), value)
            })
        };
        text.lines().filter_map(row).collect()
    }
}

/// The number of a space, label and metric.
fn number(rows: &[(String, String, String, f64)], space: &str, label: &str, metric: &str) -> f64 {
    let is_it = |row: &&(String, String, String, f64)| row.0 == space && row.1 == label && row.2 == metric;
    rows.iter().find(is_it).unwrap_or_else(|| panic!("no {metric} of {label} in {space}")).3
}

fn silhouettes(folder: &Path, learning: &str, overrides: &[&str]) {
    println!("| setting | shared, Z1 | shared, Z3 | x, Z3 | x, Z1 | y, Z1 | y, Z3 | as it should be |");
    println!("|---|---|---|---|---|---|---|---|");
    for (place, reported) in REPORTED.iter().enumerate() {
        let setting = (place + 1).to_string();
        let rows = SEEDS.map(|seed| {
            let run = Run { folder, setting: &setting, learning, seed };
            run.learned_rows("simulation1.toml", overrides)
        });
        let rows: Vec<_> = rows.collect();
        let mut line = format!("| {setting} |");
        let mut n_right = [0; 6];
        let mut holds = true;
        for (column, (space, label, wanted)) in COLUMNS.into_iter().enumerate() {
            let found: Vec<f64> = rows.iter().map(|rows| number(rows, space, label, "silhouette")).collect();
            n_right[column] = found.iter().filter(|value| wanted.holds(**value)).count();
            let (least, middle, most) = spread(found);
            holds &= wanted.holds(middle);
            line += &format!(
                " {} ({} to {}; paper {}) |",
                short(middle),
                short(least),
                short(most),
                short(reported[column])
            );
        }
        let least = n_right.into_iter().min().unwrap_or_default();
        println!("{line} {}; each for at least {least} of 5 seeds |", if holds { "yes" } else { "no" });
    }
}

fn subsets(folder: &Path) {
    let rows: Vec<_> = SEEDS
        .map(|seed| {
            let run = Run { folder, setting: "subsets", learning: "subsets", seed };
            run.learned_rows("simulation_subsets.toml", &[])
        })
        .collect();
    println!("| space | {} |", FACTORS.join(" | "));
    println!("|---|{}", "---|".repeat(FACTORS.len()));
    for space in SPACES {
        let cells = FACTORS.map(|factor| {
            let found = rows.iter().map(|rows| number(rows, space, factor, "r_squared")).collect();
            short(spread(found).1)
        });
        println!("| {space} | {} |", cells.join(" | "));
    }
}

/// The least, the median and the most.
fn spread(mut numbers: Vec<f64>) -> (f64, f64, f64) {
    numbers.sort_by(f64::total_cmp);
    (numbers[0], numbers[numbers.len() / 2], numbers[numbers.len() - 1])
}

/// Three digits, without the zero before the point.
fn short(number: f64) -> String {
    let text = format!("{:.3}", if number.abs() < 5e-4 { 0.0 } else { number });
    text.replacen("0.", ".", 1)
}

fn cithara(words: &[&str]) {
    let (mut out, mut err) = (Vec::new(), Vec::new());
    let code =
        cli::run(std::iter::once("cithara").chain(words.iter().copied()).map(OsString::from), &mut out, &mut err);
    assert_eq!(code, 0, "cithara {}\n{}", words.join(" "), String::from_utf8_lossy(&err));
}
