//! In-silico silencing: published numbers, and the command on a small simulated run.

use anndata::{Column, Csr, Dense, File, Frame, NewAnnData, NewMuData, write_new_h5mu};
use framework::infer::{Estimate, Perturbation, Silenced, Silencing, reconstruct, shares};
use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;
use serde_json::Value;
use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::sync::OnceLock;
use tch::{Kind, Tensor, no_grad};
use tempfile::TempDir;
use tests_support::dgd::{N_FEATURES, PRECISIONS, Published, close, close_to_largest, golden, tensor};
use tests_support::{Outcome, cithara, cithara_ok};

#[test]
fn a_published_model_decodes_as_published() {
    let file = golden("predict.json");
    let parameters = &file["params"]["covariate"];
    for (block, kind, tolerance) in PRECISIONS {
        let published = Published::new(parameters, kind, &[]);
        let rows = |name: &str| Some(tensor(&parameters[name], kind).narrow(0, 0, 2));
        let rows = vec![rows("representation.z"), rows("correction_rep.z")];
        let estimate = Estimate { log_sds: rows.iter().map(|_| None).collect(), rows, categories: Vec::new() };
        let branch = &published.model.branches[0];
        let prediction = no_grad(|| reconstruct(&published.model, branch, &estimate)).unwrap();
        let found = branch.loss.expectation(&prediction, None).unwrap();
        close(&found, &file["decode_first_two_training_cells"][block][0], tolerance, block);
    }
}

#[test]
fn a_silenced_gene_moves_all_features_as_published() {
    let (file, parameters) = (golden("gene2peak.json"), golden("predict.json"));
    let parameters = &parameters["params"]["covariate"];
    let gene = file["gene_index"].as_i64().unwrap();
    for (block, kind, tolerance) in PRECISIONS {
        let published = Published::new(parameters, kind, &[]);
        let model = &published.model;
        let (rows, totals) = cells(&file, kind);
        for n_steps in [1, 3] {
            let expected = &file[block][format!("steps={n_steps}")];
            let silencing = Silencing { n_steps, ..Silencing::new(model, 0) };
            let moved = silencing.silence(&rows, &totals.full_like(gene).to_kind(Kind::Int64), &totals).unwrap();
            close(&moved[0], &expected["z_after_all_cells"], tolerance, "rows");
            assert_eq!(moved[1], rows[1], "rows of the covariate stay");
            for (target, name) in ["delta_rna", "delta_atac"].into_iter().enumerate() {
                let [before, after] = [&rows[..], &moved].map(|rows| shares(model, target, rows).unwrap());
                // A change is told no better than the shares that it is the difference of.
                let rounding = 2.0 * f64::from(f32::EPSILON) * before.max().double_value(&[]);
                match kind {
                    Kind::Double => close_to_largest(&(after - before), &expected[name], tolerance, name),
                    _ => assert!(largest_difference(&(after - before), &expected[name]) <= rounding, "{name}"),
                }
            }
        }
    }
}

#[test]
fn means_over_cells_are_those_of_the_published_changes() {
    let (file, parameters) = (golden("gene2peak.json"), golden("predict.json"));
    let published = Published::new(&parameters["params"]["covariate"], Kind::Double, &[]);
    let (rows, totals) = cells(&file, Kind::Double);
    let feature = file["gene_index"].as_u64().unwrap() as usize;
    for (target, name) in ["delta_rna", "delta_atac"].into_iter().enumerate() {
        let silencing = Silencing::new(&published.model, 0);
        let perturbation = Perturbation { silencing, target, rows: &rows, totals: &totals };
        let all = Silenced { feature, cells: (0..6).collect() };
        let some = Silenced { feature, cells: vec![4, 1] };
        let none = Silenced { feature: 0, cells: Vec::new() };
        let effects = perturbation.effects(&[all, some, none], |_, _| Ok(())).unwrap();
        let expected = tensor(&file["f64"]["steps=1"][name], Kind::Double);
        let mean = |rows: &Tensor| rows.mean_dim(0, false, Kind::Double);
        let chosen = expected.index_select(0, &Tensor::from_slice(&[1i64, 4]));
        for (row, expected) in [mean(&expected), mean(&chosen)].iter().enumerate() {
            let off = (effects.changes.get(row as i64) - expected).abs().max().double_value(&[]);
            assert!(off <= 1e-10 * expected.abs().max().double_value(&[]), "{name}, row {row}: off by {off}");
        }
        assert!(bool::try_from(effects.changes.get(2).isnan().all()).unwrap(), "no cell, no effect");
        let original = shares(&published.model, target, &rows).unwrap();
        let off = (effects.originals.get(0) - mean(&original)).abs().max().double_value(&[]);
        assert!(off <= 1e-14, "{off}");
    }
}

/// Rows of the cells of both spaces, and their counts of RNA.
fn cells(file: &Value, kind: Kind) -> ([Tensor; 2], Tensor) {
    let rows = [tensor(&file["z_test"], kind), tensor(&file["z_cov_test"], kind)];
    (rows, tensor(&file["counts_test"], kind).narrow(1, 0, N_FEATURES[0]).sum_dim_intlist(1, false, kind))
}

fn largest_difference(found: &Tensor, expected: &Value) -> f64 {
    (found - tensor(expected, found.kind())).abs().max().double_value(&[])
}

const N_CELLS: usize = 160;
const N_GENES: usize = 24;
const N_PEAKS: usize = 48;
/// A gene that no cell expresses, and one that the annotation does not know.
const SILENT: usize = 20;
const UNPLACED: usize = 21;

/// A run that was learned from two kinds of cells, each with half of genes and peaks of its own; beside it an annotation.
struct Case {
    folder: TempDir,
}

impl Case {
    fn shared() -> &'static Case {
        static CASE: OnceLock<Case> = OnceLock::new();
        CASE.get_or_init(|| {
            let case = Case { folder: tempfile::tempdir().unwrap() };
            write_cells(&case.path("cells.h5mu"));
            let genes = (0..N_GENES).filter(|&gene| gene != UNPLACED).map(|gene| {
                let (start, strand) = (1_000_000 * gene + 500_000, if gene % 2 == 0 { '+' } else { '-' });
                format!("chr1\t{start}\t{}\tgene{gene}\t{strand}\n", start + 1000)
            });
            std::fs::write(case.path("genes.bed"), genes.collect::<String>()).unwrap();
            let modality = |name: &str| {
                format!("[modality.{name}]\nkind = \"{name}\"\nmin_cells_per_feature = 0\nmin_features_per_cell = 0\n")
            };
            let spec = format!(
                "spec_version = 1\nname = \"small\"\nseed = 3\n[data]\npath = \"cells.h5mu\"\nlabel = \"kind\"\n{}{}\
                 [model]\nkind = \"dgd\"\nshared = 3\n[fit]\nn_threads = 1\n\
                 dgd = {{ n_epochs = 15, learning_rate_decoder = 0.01, l1 = 0.01 }}\n",
                modality("rna"),
                modality("atac")
            );
            std::fs::write(case.path("small.toml"), spec).unwrap();
            cithara_ok(&["run", &case.text("small.toml"), "--out", &case.text("run"), "--only-fit"]);
            case
        })
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn text(&self, name: &str) -> String {
        self.path(name).to_str().unwrap().to_owned()
    }

    /// Silences into a folder of the case; `genes.bed` stands for the annotation.
    fn silence(&self, out: &str, more: &[&str]) -> Outcome {
        let (run, out, annotation) = (self.text("run"), self.text(out), self.text("genes.bed"));
        let more = more.iter().map(|&word| if word == "genes.bed" { annotation.as_str() } else { word });
        let words: Vec<&str> = ["gene2peak", &run, "--out", &out].into_iter().chain(more).collect();
        cithara(&words)
    }

    /// The lines of a table, as fields.
    fn table(&self, out: &str) -> Vec<Vec<String>> {
        let text = std::fs::read_to_string(self.path(out).join("gene2peak.tsv")).unwrap();
        assert!(text.starts_with("# effect: "), "{text}");
        text.lines().skip(1).map(|line| line.split('\t').map(str::to_owned).collect()).collect()
    }
}

/// Two peaks beside each gene: one where it begins, one 50 kb behind.
fn peak_name(peak: usize) -> String {
    let start = 1_000_000 * (peak / 2) + 500_000 + 50_000 * (peak % 2);
    format!("chr1:{start}-{}", start + 200)
}

fn write_cells(path: &Path) {
    let mut random = ChaCha8Rng::seed_from_u64(5);
    let kinds: Vec<usize> = (0..N_CELLS).map(|cell| cell % 2).collect();
    let mut counts = |n_features: usize, kind_of: &dyn Fn(usize) -> usize| {
        let values = kinds.iter().flat_map(|&kind| (0..n_features).map(move |feature| (kind, feature)));
        let mut count = |(kind, feature): (usize, usize)| {
            let most = if kind_of(feature) == kind { 6 } else { 2 };
            random.random_range(0..=most as u64) as f32
        };
        Dense::new(N_CELLS, n_features, values.map(&mut count).collect()).unwrap()
    };
    let (mut rna, atac) = (counts(N_GENES, &|gene| gene % 2), counts(N_PEAKS, &|peak| peak / 2 % 2));
    rna.values.iter_mut().skip(SILENT).step_by(N_GENES).for_each(|value| *value = 0.0);
    let cells: Vec<String> = (0..N_CELLS).map(|cell| format!("cell{cell}")).collect();
    let mut obs = Frame::new(cells.clone());
    let labels = kinds.iter().map(|kind| Some(format!("kind{kind}"))).collect();
    obs.insert("kind", Column::Text(labels)).unwrap();
    let mut file = NewMuData { obs, ..NewMuData::default() };
    let names = [
        ("rna", (0..N_GENES).map(|gene| format!("gene{gene}")).collect()),
        ("atac", (0..N_PEAKS).map(peak_name).collect()),
    ];
    for ((name, features), values) in names.into_iter().zip([rna, atac]) {
        let matrix = Csr::from_dense(&values).unwrap();
        file.modalities
            .insert(name.to_owned(), NewAnnData::new(Frame::new(cells.clone()), Frame::new(features), matrix));
    }
    write_new_h5mu(path, &file).unwrap();
}

#[test]
fn a_gene_is_told_with_the_peaks_beside_it() {
    let case = Case::shared();
    let told = case.silence("one", &["--gene", "gene3", "--annotation", "genes.bed", "--window", "60000"]);
    assert_eq!(told.code, 0, "{told}");
    let table = case.table("one");
    let columns =
        "gene feature chromosome start end distance effect relative_effect share n_cells n_expressing p_value q_value";
    assert_eq!(table[0].join(" "), columns);
    // the gene is read backwards from its end, 3500999: the first peak is downstream, the other upstream
    let places: Vec<String> = table[1..].iter().map(|line| line[..6].join(" ")).collect();
    let expected = [
        "gene3 chr1:3500000-3500200 chr1 3500000 3500200 800",
        "gene3 chr1:3550000-3550200 chr1 3550000 3550200 -49001",
    ];
    assert_eq!(places, expected);
    let number = |line: &[String], column: usize| line[column].parse::<f64>().unwrap();
    for line in &table[1..] {
        let (effect, relative, share) = (number(line, 6), number(line, 7), number(line, 8));
        assert!((effect / share - relative).abs() < 1e-4 * relative.abs() && share > 0.0 && share < 1.0, "{line:?}");
        assert!(effect < 0.0, "the peaks of the gene's own kind of cells close: {line:?}");
        assert!((1..=3).contains(&(number(line, 9) as usize * 3 / N_CELLS)) && number(line, 9) == number(line, 10));
        assert!(number(line, 11) > 0.0 && number(line, 11) <= number(line, 12) && number(line, 12) <= 1.0, "{line:?}");
    }
    let picture = std::fs::read_to_string(case.path("one/gene3.svg")).unwrap();
    assert!(picture.contains("gene3 silenced") && picture.contains("position on chr1 (Mb)"), "{picture}");
    assert!(!case.path("one/gene2peak.h5ad").exists(), "one gene needs no matrix");
}

#[test]
fn all_genes_make_a_table_and_a_matrix_and_the_same_again() {
    let case = Case::shared();
    let words = ["--all", "--annotation", "genes.bed", "--max-cells", "40"];
    let told = case.silence("all", &words);
    assert_eq!(told.code, 0, "{told}");
    assert!(told.err.contains("no cell expresses 1 genes (gene20)"), "{told}");
    assert!(told.err.contains("the annotation does not know 1 genes (gene21)"), "{told}");
    let table = case.table("all");
    let genes: BTreeSet<&String> = table[1..].iter().map(|line| &line[0]).collect();
    assert_eq!((genes.len(), table.len() - 1), (N_GENES - 2, 2 * (N_GENES - 2)));
    assert!(table[1..].iter().all(|line| line[9] == "40"));
    let annotated = File::open(case.path("all/gene2peak.h5ad")).unwrap().modality("").unwrap();
    assert_eq!((annotated.cells().len(), annotated.features().len()), (N_GENES - 2, N_PEAKS));
    assert_eq!(case.silence("again", &words).code, 0);
    assert_eq!(case.table("again"), table, "the same seed tells the same");
    assert_eq!(case.silence("other", &[&words[..], &["--seed", "9"]].concat()).code, 0);
    assert_ne!(case.table("other"), table, "other cells are drawn");
}

#[test]
fn cells_may_be_chosen_and_any_modality_silenced() {
    let case = Case::shared();
    let n_cells = |out: &str, more: &[&str]| -> usize {
        let told = case.silence(out, &[&["--gene", "gene4"], more].concat());
        assert_eq!(told.code, 0, "{told}");
        assert!(told.err.contains("no `--annotation` says where genes lie: all features of `atac` are told"), "{told}");
        let table = case.table(out);
        assert_eq!(table.len() - 1, N_PEAKS);
        table[1][10].parse().unwrap()
    };
    let all = n_cells("everywhere", &[]);
    let kinds = [n_cells("kind0", &["--cells", "kind=kind0"]), n_cells("kind1", &["--cells", "kind=kind1"])];
    assert!(kinds[0] + kinds[1] == all && kinds[0] > kinds[1], "{all} {kinds:?}");
    let parts = ["train", "test"].map(|subset| n_cells(subset, &["--subset", subset]));
    assert!(parts[0] > parts[1] && parts[1] > 0 && parts[0] + parts[1] <= all, "{all} {parts:?}");
    let backwards = ["--from", "atac", "--gene", "chr1:3500000-3500200", "--annotation", "genes.bed"];
    assert_eq!(case.silence("backwards", &backwards).code, 0);
    let table = case.table("backwards");
    assert_eq!(table[1][..6].join(" "), "chr1:3500000-3500200 gene3 chr1 3500000 3501000 800");
    let within = ["--from", "rna", "--to", "rna", "--gene", "gene4"];
    assert_eq!(case.silence("within", &within).code, 0);
    let own = case.table("within").into_iter().find(|line| line[1] == "gene4").unwrap();
    assert!(own[6].parse::<f64>().unwrap() < 0.0, "a silenced gene falls itself: {own:?}");
}

#[test]
fn more_steps_move_further() {
    let case = Case::shared();
    let size = |out: &str, steps: &str| -> f64 {
        assert_eq!(case.silence(out, &["--gene", "gene3", "--steps", steps]).code, 0);
        case.table(out)[1..].iter().map(|line| line[6].parse::<f64>().unwrap().abs()).sum()
    };
    let (one, three) = (size("one_step", "1"), size("three_steps", "3"));
    assert!(three > 1.5 * one, "{one} {three}");
}

#[test]
fn what_cannot_be_silenced_is_told() {
    let case = Case::shared();
    let refused = |out: &str, more: &[&str], told: &[&str]| {
        let outcome = case.silence(out, more);
        assert_eq!(outcome.code, 2, "{outcome}");
        assert!(told.iter().all(|text| outcome.err.contains(text)), "{outcome}");
    };
    refused("no", &["--gene", "gene33"], &["has no feature `gene33`", "nearest names: gene3, "]);
    refused("no", &["--gene", "gene20"], &["none of the 160 cells expresses `gene20`"]);
    refused("no", &["--gene", "gene21", "--annotation", "genes.bed"], &["does not know `gene21`", "--window 0"]);
    refused("no", &["--gene", "gene3", "--cells", "kind=kind7"], &["no cell has `kind7`", "kind0, kind1"]);
    refused("no", &["--gene", "gene3", "--cells", "kind"], &["column of obs and a value"]);
    refused("no", &["--gene", "gene3", "--cells", "type=a"], &["no column `type` in obs"]);
    refused("no", &["--gene", "gene3", "--from", "protein"], &["no modality `protein`", "rna, atac"]);
    refused("no", &["--gene", "gene3", "--annotation", "/nowhere.bed"], &["`/nowhere.bed` cannot be opened"]);
    refused("no", &["--gene", "gene3", "--steps", "0"], &["--steps"]);
    refused("no", &[], &["--gene <NAME>"]);
    assert_eq!(case.silence("twice", &["--gene", "gene3"]).code, 0);
    refused("twice", &["--gene", "gene3"], &["exists already", "--force"]);
    assert_eq!(case.silence("twice", &["--gene", "gene3", "--force"]).code, 0);
}

#[test]
fn a_loss_without_a_probability_of_zero_is_refused() {
    let case = Case::shared();
    let (spec, run) = (case.text("small.toml"), case.text("bernoulli"));
    let loss = "modality.atac.loss=\"bernoulli\"";
    cithara_ok(&["run", &spec, "--out", &run, "--only-fit", "--set", loss, "--set", "fit.dgd.n_epochs=1"]);
    let outcome = cithara(&["gene2peak", &run, "--from", "atac", "--gene", &peak_name(0)]);
    assert!(outcome.code == 2 && outcome.err.contains("no probability of a zero"), "{outcome}");
    // but what it predicts may change
    cithara_ok(&["gene2peak", &run, "--gene", "gene3"]);
}
