//! Runs whose matrices stay on disk learn what runs in memory learn, to the bit.

use anndata::{Csr, File, Frame, NewAnnData, NewMuData, write_new_h5mu};
use framework::testing::counts;
use sha2::{Digest, Sha256};
use std::path::{Path, PathBuf};
use tests_support::{run_in, said};

const N_CELLS: usize = 230;

/// Two assays of counts; the second lacks some cells and has another order.
fn cells(path: &Path) {
    let names = |prefix: &str, n: usize| Frame::new((0..n).map(|place| format!("{prefix}{place}")).collect());
    let of = |rows: &[usize], prefix: &str, n_features: usize, seed: u64| {
        let matrix = counts(N_CELLS, n_features, seed).select_rows(rows).unwrap();
        let obs = Frame::new(rows.iter().map(|row| format!("cell{row}")).collect());
        NewAnnData::new(obs, names(prefix, n_features), matrix)
    };
    let all: Vec<usize> = (0..N_CELLS).collect();
    let some: Vec<usize> = (0..N_CELLS).rev().filter(|row| row % 9 != 4).collect();
    let mut file = NewMuData { obs: names("cell", N_CELLS), ..NewMuData::default() };
    file.modalities.insert("rna".into(), of(&all, "gene", 60, 1));
    file.modalities.insert("atac".into(), of(&some, "peak", 90, 2));
    write_new_h5mu(path, &file).unwrap();
}

/// A spec in which every step that learns something has its turn, and filters drop cells and features.
fn spec(kind: &str, storage: &str) -> String {
    let rna = "kind = \"rna\"\nmin_cells_per_feature = 105\nmin_features_per_cell = 22\n";
    let atac = "kind = \"atac\"\nmin_cells_per_feature = 90\nmin_features_per_cell = 30\n";
    let steps = match kind {
        "dgd" => ["", ""],
        _ => [
            "steps = [\"highly_variable\", { kind = \"normalize_total\", target_sum = \"median\" }, \"log1p\", \"log_min_max\"]\n\
             loss = \"mse\"\n",
            "steps = [\"tf_idf\", { kind = \"clr\", margin = \"feature\" }]\nloss = \"mse\"\n",
        ],
    };
    let networks = match kind {
        "dgd" => "",
        _ => "encoder = { hidden = [16] }\ndecoder = { hidden = [16] }\n",
    };
    let model = match kind {
        "dgd" => "[latent.shared.prior]\nn_components = 3\n",
        _ => "",
    };
    format!(
        "spec_version = 1\nname = \"it\"\nseed = 3\n\n[data]\npath = \"cells.h5mu\"\nstorage = \"{storage}\"\n\
         split = {{ validation = 0.2, test = 0.1 }}\n\n[modality.rna]\n{rna}{}{networks}\n[modality.atac]\n{atac}{}{networks}\n\
         [model]\nkind = \"{kind}\"\nshared = 3\n\n{model}[fit]\nn_threads = 1\n\
         latent = {{ n_epochs = 3, minibatch = 32, validate_every_epochs = 1 }}\n\
         encoders = {{ n_epochs = 2, minibatch = 32 }}\none_step = {{ n_epochs = 3, minibatch = 32 }}\n\
         dgd = {{ n_epochs = 3, minibatch = 32 }}\n",
        steps[0], steps[1]
    )
}

/// A run in a folder, and what it left: digests of weights, rows (where it has any) and the evaluation.
fn learned(folder: &Path, kind: &str, storage: &str, more: &[&str]) -> Vec<String> {
    let name = format!("{kind}-{storage}");
    std::fs::write(folder.join(format!("{name}.toml")), spec(kind, storage)).unwrap();
    let spec = format!("{name}.toml");
    let output = run_in(folder, &[&["run", &spec, "--out", &name, "--no-annotation", "-q"], more].concat());
    assert_eq!(output.status.code(), Some(0), "{}", said(&output));
    let digest = |file: &str| {
        let bytes = std::fs::read(folder.join(&name).join(file)).ok()?;
        Some(format!("{file} {:x}", Sha256::digest(bytes)))
    };
    ["weights.safetensors", "latents.safetensors", "evaluation.tsv"].into_iter().filter_map(digest).collect()
}

fn caches(folder: &Path) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(folder.join("cells.h5mu.rows")).into_iter().flatten();
    entries.map(|entry| entry.unwrap().path()).collect()
}

#[test]
fn runs_on_disk_are_those_in_memory_to_the_bit() {
    let folder = tempfile::tempdir().unwrap();
    cells(&folder.path().join("cells.h5mu"));
    for kind in ["apollo", "dgd", "autoencoder"] {
        let memory = learned(folder.path(), kind, "memory", &[]);
        assert!(memory.len() >= 2, "{memory:?}");
        assert_eq!(memory, learned(folder.path(), kind, "disk", &[]), "{kind}");
    }
    // one for each matrix, shared by all runs
    assert_eq!(caches(folder.path()).len(), 2);
}

#[test]
fn a_run_on_disk_embeds_its_cells_and_others_as_one_in_memory() {
    let folder = tempfile::tempdir().unwrap();
    cells(&folder.path().join("cells.h5mu"));
    std::fs::copy(folder.path().join("cells.h5mu"), folder.path().join("others.h5mu")).unwrap();
    let rows = |storage: &str| {
        learned(folder.path(), "apollo", storage, &["--only-fit"]);
        let (run, out) = (format!("apollo-{storage}"), format!("{storage}.h5mu"));
        let output = run_in(folder.path(), &["embed", &run, "others.h5mu", "--out", &out]);
        assert_eq!(output.status.code(), Some(0), "{}", said(&output));
        let file = File::open(folder.path().join(out)).unwrap();
        let names = file.obsm_names().unwrap();
        let arrays = names.iter().filter(|name| name.starts_with("X_")).map(|name| file.obsm(name).unwrap());
        arrays.map(|array| array.values.into_iter().map(f32::to_bits).collect::<Vec<_>>()).collect::<Vec<_>>()
    };
    let memory = rows("memory");
    assert!(!memory.is_empty() && memory[0].len() >= N_CELLS);
    assert_eq!(memory, rows("disk"));
}

#[test]
fn shuffled_blocks_are_learned_from_and_are_the_same_again() {
    let folder = tempfile::tempdir().unwrap();
    cells(&folder.path().join("cells.h5mu"));
    let order = ["--set", "fit.latent.order=block_shuffled", "--only-fit"];
    let first = learned(folder.path(), "apollo", "disk", &order);
    let again = [&order[..], &["--force"]].concat();
    assert_eq!(first, learned(folder.path(), "apollo", "disk", &again));
    let usual = learned(folder.path(), "apollo", "disk", &["--only-fit", "--force"]);
    assert_ne!(first, usual);
}

#[test]
fn bad_input_on_disk_is_told() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path();
    cells(&path.join("cells.h5mu"));
    let told = |set: &[&str]| {
        std::fs::write(path.join("it.toml"), spec("apollo", "disk")).unwrap();
        let output = run_in(path, &[&["run", "it.toml", "--out", "it", "--only-fit", "--force", "-q"], set].concat());
        assert_eq!(output.status.code(), Some(2), "{}", said(&output));
        assert!(!path.join("it").exists());
        said(&output)
    };
    let in_memory = told(&["--set", "data.storage=memory", "--set", "data.cache=elsewhere"]);
    assert!(
        in_memory.contains("`data.cache` is where `storage = \"disk\"` keeps values, but `storage` is `memory`"),
        "{in_memory}"
    );
    std::fs::write(path.join("taken"), "a file").unwrap();
    let taken = told(&["--set", "data.cache=taken"]);
    assert!(taken.contains("cannot be written; set `data.cache` to a folder that can be"), "{taken}");
    let unknown = told(&["--set", "data.storage=tape"]);
    assert!(unknown.contains("`data.storage`") && unknown.contains("disk"), "{unknown}");
    let too_much = told(&["--set", "data.storage=memory", "--max-memory", "10kB"]);
    assert!(too_much.contains("of `--max-memory`") && too_much.contains("set `data.storage = \"disk\"`"), "{too_much}");
    // a byte of a row that was written wrongly is told when the row is read
    drop(learned(path, "apollo", "disk", &["--only-fit"]));
    let [one, _] = caches(path).try_into().unwrap();
    let mut bytes = std::fs::read(&one).unwrap();
    bytes[30] ^= 0x40;
    std::fs::write(&one, bytes).unwrap();
    let damaged = told(&[]);
    assert!(damaged.contains("is damaged; delete the file to have it made again"), "{damaged}");
    columnwise(&path.join("cells.h5mu"));
    let by_column = told(&[]);
    assert!(by_column.contains("kept column by column (csc_matrix)") && by_column.contains("tocsr()"), "{by_column}");
}

/// Says of the matrix of genes that it is kept column by column, as it then must be.
fn columnwise(path: &Path) {
    let file = hdf5_metno::File::open_rw(path).unwrap();
    let group = file.group("mod/rna/X").unwrap();
    let matrix: Csr = {
        let opened = File::open(path).unwrap();
        opened.modality("rna").unwrap().matrix(&anndata::Layer::X).unwrap()
    };
    // the same numbers, read as those of a square matrix's columns, would be another matrix: none is read
    assert!(matrix.n_stored() > 0);
    let text: hdf5_metno::types::VarLenUnicode = "csc_matrix".parse().unwrap();
    group.delete_attr("encoding-type").unwrap();
    let attribute = group.new_attr::<hdf5_metno::types::VarLenUnicode>().create("encoding-type").unwrap();
    attribute.write_scalar(&text).unwrap();
    file.close().unwrap();
}
