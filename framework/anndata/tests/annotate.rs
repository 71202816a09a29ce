//! Adding results to files that Python wrote: what is asked for is there, and nothing else has changed.

mod support;

use std::fs;
use std::path::{Path, PathBuf};

use anndata::{Annotator, Categorical, Column, Dense, File, Layer, UnsTree};
use support::{digest, fixture, message, names, python};
use tempfile::TempDir;

fn ramp(n_rows: usize, n_columns: usize) -> Dense {
    let values = (0..n_rows * n_columns).map(|value| value as f32).collect();
    Dense::new(n_rows, n_columns, values).unwrap()
}

fn letters(letters: &[Option<&str>]) -> Column {
    let labels: Vec<_> = letters.iter().map(|letter| letter.map(str::to_owned)).collect();
    Column::Categorical(Categorical::from_labels(&labels))
}

fn tree() -> UnsTree {
    UnsTree::from_iter([("spec", "x")])
}

/// A copy of a fixture in a folder of its own.
fn copied(name: &str) -> (TempDir, PathBuf) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join(name);
    fs::copy(fixture(name), &path).unwrap();
    (folder, path)
}

fn only_file(folder: &Path) -> bool {
    fs::read_dir(folder).unwrap().count() == 1
}

fn annotate_h5ad(annotator: &mut Annotator) {
    annotator.set_obsm(None, "X_apollo", &ramp(6, 2)).unwrap();
    let array = annotator.create_obsm(None, "X_pca", 3).unwrap();
    for (first, n_rows) in [(2, 4), (0, 2)] {
        annotator.write_rows(array, first, &Dense::zeros(n_rows, 3)).unwrap();
    }
    let component = letters(&[Some("a"), Some("b"), Some("a"), Some("b"), Some("a"), Some("b")]);
    annotator.set_obs_column(None, "component", &component).unwrap();
    annotator.set_obs_column(None, "score", &Column::Int((0..6).map(Some).collect())).unwrap();
    annotator.set_uns(None, "cithara", &tree()).unwrap();
    annotator.set_uns(None, "tool", &"new".into()).unwrap();
    let layer = annotator.create_layer(None, "predicted").unwrap();
    let whole = ramp(6, 5);
    for (first, n_rows) in [(4, 2), (0, 3), (3, 1)] {
        let values = whole.values[first * 5..(first + n_rows) * 5].to_vec();
        annotator.write_rows(layer, first, &Dense::new(n_rows, 5, values).unwrap()).unwrap();
    }
}

#[test]
fn an_h5ad_gets_what_was_added_and_keeps_the_rest() {
    let (folder, path) = copied("csr.h5ad");
    let before = digest::of_file(&path);
    let mut annotator = Annotator::in_place(&path).unwrap();
    annotate_h5ad(&mut annotator);
    let replaced = annotator.finish().unwrap();
    assert_eq!(replaced, ["/obsm/X_pca", "/obs/score", "/uns/tool"]);
    assert!(only_file(folder.path()), "a temporary file was left behind");
    let after = digest::of_file(&path);
    let expected = [
        "/layers/predicted",
        "/obs",
        "/obs/component",
        "/obs/component/categories",
        "/obs/component/codes",
        "/obs/score",
        "/obsm/X_apollo",
        "/obsm/X_pca",
        "/uns/cithara",
        "/uns/cithara/spec",
        "/uns/tool",
        "/uns/tool/text",
    ];
    assert_eq!(digest::differences(&before, &after), expected);
    assert!(before.len() > 40, "only {} objects were compared", before.len());

    let data = File::open(&path).unwrap().modality("").unwrap();
    assert_eq!(data.obsm("X_apollo").unwrap(), ramp(6, 2));
    assert_eq!(data.obs().column_names().last(), Some(&"component"));
    assert_eq!(data.matrix(&Layer::parse("predicted")).unwrap().row_sums()[5], 27.0 * 5.0);
    python::check("annotated_h5ad", &[path.as_os_str()]);
    let changed = ["layers/predicted", "obs@column-order", "obs/score", "obsm/X_pca", "uns/tool"];
    check_untouched(&fixture("csr.h5ad"), &path, &changed);
}

fn check_untouched(before: &Path, after: &Path, changed: &[&str]) {
    let mut arguments = vec![before.as_os_str(), after.as_os_str()];
    arguments.extend(changed.iter().map(|path| path.as_ref() as &std::ffi::OsStr));
    python::check("untouched", &arguments);
}

#[test]
fn a_copy_of_an_h5mu_gets_what_was_added_and_the_source_stays() {
    let (folder, source) = copied("two.h5mu");
    let bytes = fs::read(&source).unwrap();
    let destination = folder.path().join("annotated.h5mu");
    let ones = |n_rows, n_columns| Dense::new(n_rows, n_columns, vec![1.0; n_rows * n_columns]).unwrap();
    let mut annotator = Annotator::copy_of(&source, &destination).unwrap();
    annotator.set_obsm(None, "X_apollo_shared", &ones(7, 2)).unwrap();
    annotator.set_obsm(Some("protein"), "X_apollo_protein", &ones(4, 2)).unwrap();
    annotator.set_obs_column(None, "joint", &Column::Int((0..7).map(Some).collect())).unwrap();
    let component = letters(&[Some("a"), Some("b"), Some("a"), None]);
    annotator.set_obs_column(Some("protein"), "component", &component).unwrap();
    annotator.set_uns(None, "cithara", &tree()).unwrap();
    annotator.set_uns(Some("rna"), "cithara", &"y".into()).unwrap();
    let layer = annotator.create_layer(Some("protein"), "predicted").unwrap();
    annotator.write_rows(layer, 0, &ones(4, 3)).unwrap();
    assert!(!destination.exists(), "the file has its name before it is whole");
    assert!(annotator.finish().unwrap().is_empty());

    assert_eq!(fs::read(&source).unwrap(), bytes);
    assert_eq!(fs::read(&destination).unwrap()[..512], bytes[..512], "the MuData header has changed");
    let changes = digest::differences(&digest::of_file(&source), &digest::of_file(&destination));
    let expected = [
        "/mod/protein/layers/predicted",
        "/mod/protein/obs",
        "/mod/protein/obs/component",
        "/mod/protein/obs/component/categories",
        "/mod/protein/obs/component/codes",
        "/mod/protein/obsm/X_apollo_protein",
        "/mod/rna/uns/cithara",
        "/obs",
        "/obs/joint",
        "/obsm/X_apollo_shared",
        "/uns/cithara",
        "/uns/cithara/spec",
    ];
    assert_eq!(changes, expected);
    python::check("annotated_h5mu", &[destination.as_os_str()]);
    check_untouched(&source, &destination, &["obs@column-order", "mod/protein/obs@column-order"]);
}

#[test]
fn doing_it_twice_replaces_and_files_of_0_13_can_be_annotated() {
    let (_folder, path) = copied("strings.h5ad");
    for round in 0..2 {
        let mut annotator = Annotator::in_place(&path).unwrap();
        annotator.set_obsm(None, "X_apollo", &ramp(6, 2 + round)).unwrap();
        annotator.set_obs_column(None, "component", &letters(&[Some("a"); 6])).unwrap();
        let replaced = annotator.finish().unwrap();
        assert_eq!(replaced.len(), 2 * round);
    }
    let data = File::open(&path).unwrap().modality("").unwrap();
    assert_eq!(data.obsm("X_apollo").unwrap().n_columns, 3);
    assert_eq!(data.obs().column_names(), ["note", "stage", "component"]);
    assert_eq!(data.cells(), names("cell", 6));
}

#[test]
fn what_does_not_fit_is_refused_and_the_file_stays_as_it_was() {
    let (folder, path) = copied("two.h5mu");
    let bytes = fs::read(&path).unwrap();
    let mut annotator = Annotator::in_place(&path).unwrap();
    let rows = message(annotator.set_obsm(None, "X", &ramp(6, 2)));
    assert!(rows.contains("`obsm/X` has 6 rows, but `/` has 7 cells"), "{rows}");
    assert!(message(annotator.set_obsm(None, "rna", &ramp(7, 1))).contains("says which cells modality `rna` has"));
    assert!(message(annotator.create_obsm(None, "rna", 1)).contains("says which cells modality `rna` has"));
    assert!(message(annotator.set_obsm(Some("rma"), "X", &ramp(6, 2))).contains("did you mean `rna`?"));
    assert!(message(annotator.set_obsm(None, "a/b", &ramp(7, 2))).contains("cannot be a name"));
    let index = message(annotator.set_obs_column(None, "_index", &Column::Int(vec![None; 7])));
    assert!(index.contains("taken by the table itself"), "{index}");
    assert!(message(annotator.create_layer(None, "predicted")).contains("in its modalities only"));
    let layer = annotator.create_layer(Some("rna"), "predicted").unwrap();
    annotator.write_rows(layer, 1, &ramp(2, 5)).unwrap();
    assert!(message(annotator.write_rows(layer, 2, &ramp(1, 5))).contains("were written already"));
    assert!(message(annotator.write_rows(layer, 3, &ramp(4, 5))).contains("do not fit into"));
    assert!(message(annotator.write_rows(layer, 3, &ramp(1, 4))).contains("do not fit into"));
    let unfinished = message(annotator.finish());
    assert!(unfinished.contains("row 0 of `/mod/rna/layers/predicted`"), "{unfinished}");
    assert!(unfinished.contains("2 of 6 rows"), "{unfinished}");
    assert_eq!(fs::read(&path).unwrap(), bytes);
    assert!(only_file(folder.path()), "a temporary file was left behind");
}

#[cfg(unix)]
#[test]
fn permissions_and_links_survive() {
    use std::os::unix::fs::{PermissionsExt, symlink};
    let (folder, path) = copied("csr.h5ad");
    fs::set_permissions(&path, fs::Permissions::from_mode(0o640)).unwrap();
    let link = folder.path().join("link.h5ad");
    symlink(&path, &link).unwrap();
    let mut annotator = Annotator::in_place(&link).unwrap();
    annotator.set_uns(None, "cithara", &tree()).unwrap();
    annotator.finish().unwrap();
    assert!(fs::symlink_metadata(&link).unwrap().is_symlink());
    assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o640);
    assert_eq!(File::open(&path).unwrap().uns_text("cithara/spec").as_deref(), Some("x"));
}
