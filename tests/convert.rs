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

/// Tables of the same cells by other names, and what is known of the cells: joined in their order, read again, learned from.
#[test]
fn cells_get_one_name_and_what_is_known_of_them() {
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name).to_str().unwrap().to_owned();
    csv(Path::new(&path("x.csv")), "gene", true);
    csv(Path::new(&path("y.csv")), "tag", true);
    let renamed = std::fs::read_to_string(path("y.csv")).unwrap().replace("cell", "other");
    std::fs::write(path("y.csv"), renamed).unwrap();
    let labels: String = (0..80).map(|cell| format!("{}\n", if cell % 2 == 0 { "even" } else { "odd" })).collect();
    std::fs::write(path("obs.csv"), format!("parity\n{labels}")).unwrap();
    std::fs::write(path("named.csv"), "cell,parity\nnobody,odd\n").unwrap();
    let (x, y, obs, out) = (path("x.csv"), path("y.csv"), path("obs.csv"), path("cells.h5mu"));
    let convert = |more: &[&str]| {
        let all = [&["convert", &x, &y, "--features", "columns", "--out", &out, "--force"], more].concat();
        cithara(&all)
    };
    let apart = convert(&["--obs", &obs, "--obs-in-order"]);
    assert!(apart.code == 2 && apart.err.contains("`--obs` has 80 rows, but there are 160 cells"), "{apart}");
    let unknown = convert(&["--same-cells", "--obs", &path("named.csv")]);
    assert!(
        unknown.code == 2 && unknown.err.contains("no cell of `--obs` is in the tables; its first is `nobody`"),
        "{unknown}"
    );
    assert_eq!(convert(&["--same-cells", "--obs", &obs, "--obs-in-order"]).code, 0);
    let file = anndata::File::open(&out).unwrap();
    assert_eq!(file.cells().len(), 80);
    assert_eq!(file.obs().labels("parity").unwrap()[..2], [Some("even".to_owned()), Some("odd".to_owned())]);

    let standardize = |name: &str| format!("[modality.{name}]\nstandardize = true\n");
    let spec = ["x", "y"].iter().fold(small_spec(&["x", "y"], ""), |spec, name| {
        spec.replace(&format!("[modality.{name}]\n"), &standardize(name))
    });
    std::fs::write(path("spec.toml"), spec).unwrap();
    cithara_ok(&["run", &path("spec.toml"), "--out", &path("run"), "--no-annotation"]);
    // a scale and a shift of a feature change nothing
    let table = std::fs::read_to_string(&x).unwrap();
    let shifted = |line: (usize, &str)| match (line.0, line.1.split(',').collect::<Vec<_>>()) {
        (0, _) => line.1.to_owned(),
        (_, mut fields) => {
            let value = format!("{}", fields[1].parse::<f64>().unwrap() * 8.0 + 1024.0);
            fields[1] = &value;
            fields.join(",")
        }
    };
    let shifted: Vec<String> = table.lines().enumerate().map(shifted).collect();
    std::fs::write(&x, shifted.join("\n")).unwrap();
    assert_eq!(convert(&["--same-cells", "--obs", &obs, "--obs-in-order"]).code, 0);
    cithara_ok(&["run", &path("spec.toml"), "--out", &path("again"), "--no-annotation"]);
    let rmse = |run: &str| {
        let table = std::fs::read_to_string(folder.path().join(run).join("evaluation.tsv")).unwrap();
        let is_it = |line: &&str| {
            line.starts_with("cross_prediction\ty\tx\t") && line.contains("\tmodel\t") && line.contains("\trmse\t")
        };
        let line = table.lines().find(is_it).unwrap_or_else(|| panic!("{table}")).to_owned();
        line.split('\t').nth(7).unwrap().parse::<f64>().unwrap()
    };
    assert!((rmse("run") - rmse("again")).abs() < 1e-3, "{} {}", rmse("run"), rmse("again"));
}
