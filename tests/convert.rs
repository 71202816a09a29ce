//! Tables of other formats become files that a model is learned from.

use std::fmt::Write as _;
use std::path::Path;
use tests_support::{cithara, cithara_ok, small_spec, values};

/// A table with a cell in each row, or in each column.
fn csv(path: &Path, prefix: &str, cells_in_rows: bool) {
    let counts = values(&[cli::simulate::Factor::Z1], 80);
    let value = |cell: usize, feature: usize| counts.row(cell)[feature];
    let (n_rows, n_columns) = if cells_in_rows { (80, 10) } else { (10, 80) };
    let name = |is_cell: bool, place: usize| if is_cell { format!("cell{place}") } else { format!("{prefix}{place}") };
    let mut text = String::from("\"\"");
    (0..n_columns).for_each(|place| text.push_str(&format!(",{}", name(!cells_in_rows, place))));
    for row in 0..n_rows {
        let _ = write!(text, "\n{}", name(cells_in_rows, row));
        for column in 0..n_columns {
            let value = if cells_in_rows { value(row, column) } else { value(column, row) };
            let _ = write!(text, ",{value}");
        }
    }
    std::fs::write(path, text + "\n").unwrap();
}

#[test]
fn tables_become_a_file_that_is_learned_from() {
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name).to_str().unwrap().to_owned();
    csv(Path::new(&path("first.csv")), "gene", false);
    csv(Path::new(&path("y.csv")), "tag", true);
    let out = path("cells.h5mu");
    let refused = cithara(&["convert", &path("first.csv"), "--out", &out]);
    assert!(refused.code == 2 && refused.err.contains("first.csv"), "{refused}");
    cithara_ok(&["convert", &format!("x={}", path("first.csv")), "--features", "rows", "--out", &path("x.h5ad")]);
    cithara_ok(&["convert", &path("y.csv"), "--features", "columns", "--out", &path("y.h5ad")]);
    let spec = small_spec(&["x", "y"], "").replace("path = \"cells.h5mu\"\n", "");
    let spec = ["x", "y"].iter().fold(spec, |spec, name| {
        let table = format!("[modality.{name}]\n");
        spec.replace(&table, &format!("{table}path = \"{name}.h5ad\"\n"))
    });
    std::fs::write(path("spec.toml"), spec).unwrap();
    let outcome = cithara_ok(&["run", &path("spec.toml"), "--out", &path("run"), "--no-annotation"]);
    assert!(outcome.out.contains("x → y"), "{outcome}");
    let both = cithara(&["convert", &path("y.csv"), &path("y.csv"), "--features", "columns", "--out", &out]);
    assert!(both.code == 2 && both.err.contains("two tables are of the modality `y`"), "{both}");
}

#[test]
fn a_matrix_market_folder_becomes_its_modalities() {
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name).to_str().unwrap().to_owned();
    let matrix = "%%MatrixMarket matrix coordinate integer general\n3 2 4\n1 1 5\n2 2 7\n3 1 1\n3 2 2\n";
    let features = "ENSG1\tCD3E\tGene Expression\nENSG2\tCD4\tGene Expression\nCD3\tCD3\tAntibody Capture\n";
    for (name, text) in [("matrix.mtx", matrix), ("features.tsv", features), ("barcodes.tsv", "AAA-1\nCCC-1\n")] {
        std::fs::write(path(name), text).unwrap();
    }
    let input = folder.path().to_str().unwrap();
    let out = path("cells.h5mu");
    let outcome = cithara_ok(&["convert", input, "--out", &out]);
    assert!(
        outcome.err.contains("rna: 2 cells × 2 features") && outcome.err.contains("protein: 2 cells × 1"),
        "{outcome}"
    );
    let exists = cithara(&["convert", input, "--out", &out]);
    assert!(exists.code == 2 && exists.err.contains("exists already"), "{exists}");
    cithara_ok(&["convert", input, "--out", &out, "--force"]);
    for (arguments, said) in [
        (vec!["convert", input, "--out", "cells.loom"], "does not say what is to be written"),
        (vec!["convert", input, "--out", "cells.h5ad"], "holds one modality, but there are 2"),
        (vec!["convert", "nowhere.csv", "--out", "cells.h5mu"], "`nowhere.csv` does not exist"),
        (vec!["convert", &out, "--out", "cells.h5mu"], "is of no known format"),
    ] {
        let refused = cithara(&arguments);
        assert!(refused.code == 2 && refused.err.contains(said), "{refused}");
    }
}
