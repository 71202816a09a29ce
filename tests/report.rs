//! The page of a run: whole, of one file, and true to the numbers of the run.

use anndata::{Column, Frame, NewMuData, write_new_h5mu};
use cli::simulate::Factor;
use serde_json::Value;
use std::path::Path;
use tests_support::{Measured, cithara, cithara_ok, json, small_spec, values};

const N_CELLS: usize = 240;

/// A folder with cells that have a type, a batch and a depth, and a spec of them.
fn folder(more: &str) -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    let mut all = values(&[Factor::Z1, Factor::Z2], N_CELLS);
    all.values.iter_mut().for_each(|value| *value = value.abs().round());
    let measured = [Measured::new("x", &all, 0..N_CELLS), Measured::new("y", &all, 0..200)];
    let mut obs = Frame::new((0..N_CELLS).map(|cell| format!("cell{cell}")).collect());
    let labels = |names: &[&str]| (0..N_CELLS).map(|cell| Some(names[cell % names.len()].to_owned())).collect();
    obs.insert("type", Column::Text(labels(&["T <cells>", "B & plasma", "NK"]))).unwrap();
    obs.insert("batch", Column::Text(labels(&["one", "two"]))).unwrap();
    obs.insert("depth", Column::Float((0..N_CELLS).map(|cell| cell as f64 + 0.5).collect())).unwrap();
    let mut file = NewMuData { obs, ..NewMuData::default() };
    for modality in &measured {
        file.modalities.insert(modality.name.clone(), modality.anndata());
    }
    write_new_h5mu(folder.path().join("cells.h5mu"), &file).unwrap();
    let cells = "[data]\nlabel = \"type\"\ncells = \"union\"\n";
    let spec = small_spec(&["x", "y"], more).replace("[data]\n", cells);
    std::fs::write(folder.path().join("spec.toml"), spec).unwrap();
    folder
}

/// The spec of a model without encoders and with a batch.
fn of_dgd(folder: &Path) {
    let path = folder.join("spec.toml");
    let spec = std::fs::read_to_string(&path).unwrap();
    let spec = spec.replace("encoder = { hidden = [16] }\ndecoder = { hidden = [16] }\n", "");
    let spec = spec
        .replace("specific = 2\n", "")
        .replace("shared = 2\n", "kind = \"dgd\"\nshared = 4\ncovariates = [\"batch\"]\n");
    let spec = spec.replace("n_threads = 1\n", "n_threads = 1\ndgd = { n_epochs = 4, min_epochs = 1 }\n");
    std::fs::write(path, spec).unwrap();
}

fn text(path: &Path) -> &str {
    path.to_str().unwrap()
}

/// The page of a run, with slashes as they are meant.
fn page_of(run: &Path) -> String {
    std::fs::read_to_string(run.join("report.html")).unwrap().replace("&#x2f;", "/")
}

fn run(folder: &Path, more: &[&str]) -> std::path::PathBuf {
    let (spec, out) = (folder.join("spec.toml"), folder.join("run"));
    let words = [&["run", text(&spec), "--out", text(&out), "--no-annotation", "--quiet"], more].concat();
    cithara_ok(&words);
    out
}

fn pictures(page: &str) -> Vec<&str> {
    page.split("<svg").skip(1).map(|part| part.split_once("</svg>").expect("a whole picture").0).collect()
}

fn assert_self_contained(page: &str) {
    let without = page.replace("http://www.w3.org/2000/svg", "");
    for outside in ["http:", "https:", " src=", "@import", "url(", "<link rel=\"style", "href=\"/"] {
        assert!(!without.contains(outside), "{outside}");
    }
    let pictures = pictures(page);
    assert!(!pictures.is_empty());
    for picture in pictures {
        assert!(picture.contains("<title>") && picture.contains("<desc>") && picture.contains("role=\"img\""));
        let whole = format!("<svg{picture}</svg>");
        roxmltree::Document::parse(&whole).unwrap_or_else(|error| panic!("{error}: {whole}"));
        assert!(!picture.contains("NaN"), "{picture}");
    }
    for tag in ["figure", "table", "section", "tr", "td", "th", "ul", "li", "details"] {
        let n_open = page.matches(&format!("<{tag}>")).count() + page.matches(&format!("<{tag} ")).count();
        assert_eq!(n_open, page.matches(&format!("</{tag}>")).count(), "{tag}");
    }
    assert!(page.matches("<th ").count() + page.matches("<th>").count() == page.matches("scope=\"").count());
}

/// Every number of the evaluation that tables show is on the page.
fn assert_told(page: &str, evaluation: &Value) {
    let three = |value: &Value| format!("{:.3}", value.as_f64().unwrap()).replace('-', "\u{2212}");
    let mut n_told = 0;
    for task in evaluation["reconstructions"]
        .as_array()
        .unwrap()
        .iter()
        .chain(evaluation["cross_predictions"].as_array().unwrap())
    {
        for method in task["methods"].as_array().unwrap() {
            let label = method["label"].as_str().unwrap();
            let told = three(&method["by_feature"]["mean"]);
            let rows = page.split("<tr>").filter(|row| row.starts_with(&format!("<th scope=\"row\">{label}</th>")));
            assert!(rows.clone().any(|row| row.contains(&format!(">{told}<"))), "{label} {told}");
            n_told += 1;
        }
    }
    assert!(n_told >= 4, "{n_told}");
    let verdicts = evaluation["verdicts"].as_array().unwrap();
    for verdict in verdicts {
        let sentence = verdict["sentence"].as_str().unwrap().split(':').next().unwrap();
        assert!(page.contains(sentence), "{sentence}");
    }
    assert!(!verdicts.is_empty());
}

#[test]
fn a_run_has_a_page_of_one_file() {
    let folder = folder("");
    let run = run(folder.path(), &[]);
    let told = cithara_ok(&["report", text(&run), "--color", "depth", "--color", "batch"]).err;
    assert!(told.contains("report.html") && told.contains("umap.tsv"), "{told}");
    let page = page_of(&run);
    assert_self_contained(&page);
    assert_told(&page, &json(&run.join("evaluation.json")));

    // three spaces in five colourings, two stages, the pattern
    assert_eq!(pictures(&page).len(), 3 * 5 + 2 + 1);
    for space in ["shared", "x", "y"] {
        for colouring in ["type", "depth", "batch", "split", "measured by"] {
            assert!(page.contains(&format!("<title>{space} by {colouring}</title>")), "{space} {colouring}");
        }
    }
    assert!(page.contains("T &lt;cells&gt;") && page.contains("B &amp; plasma") && !page.contains("<cells>"));
    assert!(page.contains("40 cells by x.") && page.contains("200 cells by x + y"));

    let numbers = json(&run.join("report.json"));
    assert_eq!(numbers["evaluation"], json(&run.join("evaluation.json")));
    assert_eq!(numbers["provenance"], json(&run.join("provenance.json")));
    assert_eq!(numbers["spaces"][1]["variances"].as_array().unwrap().len(), 2);
    let log = std::fs::read_to_string(run.join("metrics.jsonl")).unwrap();
    let first: Value = serde_json::from_str(log.lines().next().unwrap()).unwrap();
    assert_eq!(numbers["stages"][0]["training"][0]["terms"], first["terms"]);

    // cells of the test have rows, from encoders; those that y did not measure have none in its space
    let table = std::fs::read_to_string(run.join("umap.tsv")).unwrap();
    let n_of = |space: &str| table.lines().filter(|line| line.split('\t').nth(1) == Some(space)).count();
    assert_eq!([n_of("shared"), n_of("x"), n_of("y")], [N_CELLS, N_CELLS, 200]);
    assert!(table.lines().skip(1).all(|line| line.split('\t').skip(2).all(|number| number.parse::<f64>().is_ok())));

    // the same again, and fewer cells where fewer are asked for
    cithara_ok(&["report", text(&run), "--color", "depth", "--color", "batch"]);
    assert_eq!(page_of(&run), page);
    let other = folder.path().join("few.html");
    cithara_ok(&["report", text(&run), "--max-cells", "100", "--out", text(&other)]);
    let few = std::fs::read_to_string(&other).unwrap();
    assert!(few.contains("Of 240 cells a random subset of 100 is drawn"), "{few}");
    assert!(other.with_extension("json").is_file());
    cithara_ok(&["report", text(&run), "--no-umap"]);
    assert_eq!(pictures(&page_of(&run)).len(), 3);
}

#[test]
fn a_model_with_a_batch_is_judged_by_integration() {
    let folder = folder("");
    of_dgd(folder.path());
    let run = run(folder.path(), &["--no-controls"]);
    cithara_ok(&["report", text(&run)]);
    let page = page_of(&run);
    assert_self_contained(&page);
    assert!(page.contains("Joining batch while keeping type apart") && page.contains("cov_batch (stands for batch)"));
    let found = json(&run.join("report.json"));
    let rows = found["integration"][0]["rows"].as_array().unwrap();
    let names: Vec<&str> = rows.iter().map(|row| row["name"].as_str().unwrap()).collect();
    assert_eq!(names, ["shared", "cov_batch", "PCA of x (20)", "PCA of y (20)", "random numbers"]);
    for row in rows {
        let total = row["report"]["total"].as_f64().unwrap();
        assert!(page.contains(&format!("{total:.3}")), "{total}");
    }
    // two dimensions are drawn as they are
    assert_eq!(found["layouts"][1]["method"], "own axes");
    let rows = rows[0]["report"]["n_cells"].as_u64().unwrap();
    assert_eq!(rows as usize, N_CELLS);
}

#[test]
fn a_run_that_was_not_judged_says_so() {
    let folder = folder("");
    let run = run(folder.path(), &["--only-fit"]);
    let told = cithara_ok(&["report", text(&run), "--no-umap"]).err;
    assert!(told.contains(&format!("`cithara evaluate {}`", run.display())), "{told}");
    let page = page_of(&run);
    assert_self_contained(&page);
    assert!(page.contains("This run was not judged yet") && page.contains("Not judged yet"));
    assert!(json(&run.join("report.json"))["evaluation"].is_null());

    // without the data, what was learned is still drawn
    std::fs::remove_file(folder.path().join("cells.h5mu")).unwrap();
    cithara_ok(&["report", text(&run)]);
    let page = page_of(&run);
    assert!(page.contains("the data cannot be opened") && page.contains("<title>shared by split</title>"));
    let n_learned = json(&run.join("report.json"))["spaces"][0]["n_learned"].as_u64().unwrap();
    assert!(n_learned > 0 && n_learned < N_CELLS as u64);
}

#[test]
fn a_run_that_was_stopped_is_warned_of() {
    let folder = folder("");
    let run = run(folder.path(), &["--only-fit"]);
    std::fs::remove_file(run.join("weights.safetensors")).unwrap();
    std::fs::write(run.join("checkpoint.safetensors"), b"a state").unwrap();
    cithara_ok(&["report", text(&run)]);
    let page = page_of(&run);
    assert!(page.contains("stopped run") && page.contains(&format!("cithara resume {}", run.display())));
    assert!(page.contains("There is no model yet") && page.contains("Step 1: latent rows and decoders"));
    assert_self_contained(&page);
}

#[test]
fn what_is_no_run_and_no_column_is_told() {
    let folder = folder("");
    let refused = |words: &[&str]| {
        let outcome = cithara(words);
        assert_eq!(outcome.code, 2, "{outcome}");
        outcome.err
    };
    let none = refused(&["report", text(folder.path())]);
    assert!(none.contains("holds no `provenance.json`") || none.contains("is not a run directory"), "{none}");
    let empty = tempfile::tempdir().unwrap();
    assert!(refused(&["report", text(empty.path())]).contains("is not a run directory: it holds no `spec.toml`"));
    let run = run(folder.path(), &["--only-fit"]);
    let column = refused(&["report", text(&run), "--color", "typ"]);
    assert!(column.contains("obs has no column `typ`") && column.contains("did you mean `type`?"), "{column}");
    assert!(refused(&["report", text(&run), "--out", "page.pdf"]).contains("let `--out` end in `.html`"));
    assert!(refused(&["report", text(&run), "--max-cells", "0"]).contains("at least 1"));
    assert!(!run.join("report.html").exists());
}
