//! Models whose networks are told a category of each cell (`[condition.*]`), by the program itself.

use anndata::{Annotator, Categorical, Column, Dense, File};
use cli::simulate::Factor::{Z1, Z2};
use framework::run::read_tensors;
use std::collections::HashMap;
use std::path::Path;
use tch::Tensor;
use tests_support::{Measured, columns, json, mudata, run_to, small_spec, values};

const N_CELLS: usize = 240;
/// Features of each modality.
const N: usize = 10;

/// What decides what `y` shows.
const CONDITION: &str = "\n[condition.panel]\ncolumn = \"stain\"\nn_dims = 3\n";

/// `x` shows both factors; `y` shows the first in cells of panel `a` and the second, with other coefficients, in those of `b`.
/// Every third cell is of panel `b`.
struct Cells {
    x: Dense,
    /// What `y` would show in panel `a`, and in `b`.
    y: [Dense; 2],
}

fn panel(cell: usize) -> usize {
    usize::from(cell.is_multiple_of(3))
}

impl Cells {
    fn new() -> Cells {
        let both = values(&[Z1, Z2], N_CELLS);
        let part = |start: usize| columns(&both, &(start..start + N).collect::<Vec<_>>());
        Cells { y: [part(0), part(N)], x: both }
    }

    /// What `y` showed.
    fn shown(&self) -> Dense {
        let row = |cell: usize| self.y[panel(cell)].row(cell).to_vec();
        Dense::new(N_CELLS, N, (0..N_CELLS).flat_map(row).collect()).unwrap()
    }

    /// Writes `cells.h5mu`; `y` measured so many cells, and `stain` says the panel of each (`None`: nothing).
    fn write(&self, path: &Path, n_measured: usize, stain: impl Fn(usize) -> Option<&'static str>) {
        mudata(path, &[Measured::new("x", &self.x, 0..N_CELLS), Measured::new("y", &self.shown(), 0..n_measured)]);
        let labels: Vec<Option<String>> = (0..N_CELLS).map(|cell| stain(cell).map(str::to_owned)).collect();
        let mut annotator = Annotator::in_place(path).unwrap();
        annotator.set_obs_column(None, "stain", &Column::Categorical(Categorical::from_labels(&labels))).unwrap();
        annotator.finish().unwrap();
    }
}

fn name(cell: usize) -> Option<&'static str> {
    Some(["a", "b"][panel(cell)])
}

/// A folder with `cells.h5mu`, all measured, and `spec.toml`.
fn folder(more: &str) -> (tempfile::TempDir, Cells) {
    let folder = tempfile::tempdir().unwrap();
    let cells = Cells::new();
    cells.write(&folder.path().join("cells.h5mu"), N_CELLS, name);
    std::fs::write(folder.path().join("spec.toml"), small_spec(&["x", "y"], more)).unwrap();
    (folder, cells)
}

fn run(folder: &Path, out: &str, set: &[&str]) -> HashMap<String, Tensor> {
    let set = set.iter().flat_map(|one| ["--set", one]);
    let words: Vec<&str> = ["-q", "run", "spec.toml", "--only-fit", "--out", out].into_iter().chain(set).collect();
    run_to(0, folder, &words);
    read_tensors(&folder.join(out).join("weights.safetensors")).unwrap()
}

const DECODERS: &str = "condition.panel.encoder_table=decoders";

#[test]
fn vectors_are_learned_with_the_decoders_and_rest_while_encoders_learn() {
    let (folder, _) = folder(CONDITION);
    let path = folder.path();
    let start = run(path, "start", &["fit.latent.n_epochs=0", "fit.encoders.n_epochs=0"]);
    let step_one = run(path, "one", &["fit.encoders.n_epochs=0"]);
    let separate = run(path, "separate", &[]);
    let of_decoders = "condition.panel.vectors";
    assert_eq!(start[of_decoders].size(), [2, 3]);
    // a gradient reached every number of both vectors
    let moved = start[of_decoders].ne_tensor(&step_one[of_decoders]);
    assert!(bool::try_from(moved.all()).unwrap(), "{moved}");
    assert_eq!(separate[of_decoders], step_one[of_decoders]);
    // the decoder reads its spaces and the vector, the head of the encoder what the trunk gives and the vector
    assert_eq!(separate["decoder.y.hidden.0.linear.weight"].size(), [16, 2 + 2 + 3]);
    assert_eq!(separate["encoder.y.heads.shared.hidden.linear.weight"].size(), [2, 16 + 3]);
    // each encoder has vectors of its own, which are learned in step 2 only
    for modality in ["x", "y"] {
        let own = format!("encoder_condition.{modality}.panel.vectors");
        assert_eq!(start[&own], step_one[&own]);
        assert!(bool::try_from(separate[&own].ne_tensor(&step_one[&own]).all()).unwrap());
    }
    assert_ne!(separate["encoder_condition.x.panel.vectors"], separate["encoder_condition.y.panel.vectors"]);
    // or is told those of the decoders, which rest
    let joint_one = run(path, "joint_one", &["fit.encoders.n_epochs=0", DECODERS]);
    let joint = run(path, "joint", &[DECODERS]);
    assert!(!joint.keys().any(|name| name.starts_with("encoder_condition")));
    assert_eq!(joint[of_decoders], joint_one[of_decoders]);
    assert_ne!(
        joint["encoder.x.heads.shared.hidden.linear.weight"],
        joint_one["encoder.x.heads.shared.hidden.linear.weight"]
    );
    let cohort = json(&path.join("joint/cohort.json"));
    assert_eq!(cohort["conditions"][0]["column"], "stain");
    assert_eq!(cohort["conditions"][0]["names"].as_array().unwrap().len(), 2);
}

/// Mean squared difference of cells of one panel.
fn error(found: &[f32], truth: &Dense, of: usize) -> f64 {
    let cells: Vec<usize> = (0..N_CELLS).filter(|&cell| panel(cell) == of).collect();
    let row = |cell: usize| {
        found[cell * N..(cell + 1) * N].iter().zip(truth.row(cell)).map(|(a, b)| f64::from(a - b).powi(2))
    };
    cells.iter().copied().flat_map(row).sum::<f64>() / (cells.len() * N) as f64
}

/// A layer of `y`, and how far from the truth of each panel the cells of each are: `[cells][truth]`.
fn judged(path: &Path, layer: &str, cells: &Cells) -> [[f64; 2]; 2] {
    let file = hdf5_metno::File::open(path).unwrap();
    let found: Vec<f32> = file.dataset(&format!("/mod/y/layers/{layer}")).unwrap().read_raw().unwrap();
    [0, 1].map(|of| [0, 1].map(|truth| error(&found, &cells.y[truth], of)))
}

/// Mean squared difference from the mean of each feature.
fn spread(truth: &Dense) -> f64 {
    let n = truth.n_rows as f32;
    let means: Vec<f32> =
        (0..N).map(|column| (0..truth.n_rows).map(|row| truth.row(row)[column]).sum::<f32>() / n).collect();
    let means = means.repeat(N_CELLS);
    (error(&means, truth, 0) + error(&means, truth, 1)) / 2.0
}

#[test]
fn what_was_never_measured_is_predicted_by_its_category() {
    for form in ["model.shared_decoders=true", "model.shared_decoders=false"] {
        let (folder, cells) = folder(CONDITION);
        let path = folder.path();
        run(
            path,
            "run",
            &[
                form,
                "fit.latent.n_epochs=80",
                "fit.encoders.n_epochs=60",
                "fit.latent.minibatch=32",
                "fit.encoders.minibatch=32",
            ],
        );
        let predict = |more: &[&str], out: &str| {
            let words = ["predict", "run", "cells.h5mu", "--from", "x", "--to", "y", "--out", out];
            run_to(0, path, &[&words, more].concat())
        };
        predict(&[], "own.h5mu");
        let told = predict(&["--condition", "panel=a"], "a.h5mu");
        assert!(told.contains("layers[\"predicted_from_x_a\"] of `y`"), "{told}");
        predict(&["--condition", "panel=b"], "b.h5mu");
        let own = judged(&path.join("own.h5mu"), "predicted_from_x", &cells);
        let as_a = judged(&path.join("a.h5mu"), "predicted_from_x_a", &cells);
        let as_b = judged(&path.join("b.h5mu"), "predicted_from_x_b", &cells);
        // cells of a panel decoded as their own, and as the other, which none of them was ever stained with
        assert_eq!((own[0], own[1]), (as_a[0], as_b[1]));
        assert_ne!(as_a, as_b);
        // the other panel's is predicted about as well as for the cells that were stained so, and better than by the mean
        for (stained, unstained, truth) in [(as_a[0][0], as_a[1][0], 0), (as_b[1][1], as_b[0][1], 1)] {
            let mean = spread(&cells.y[truth]);
            assert!(
                unstained < 1.3 * stained && unstained < 0.85 * mean,
                "{form}: {unstained} beside {stained} and {mean}"
            );
        }
        assert!(own[0][1] > 2.0 * as_b[0][1] && own[1][0] > 2.0 * as_a[1][0], "{own:?}");
    }
}

#[test]
fn the_one_step_model_is_told_too() {
    let (folder, _) = folder(CONDITION);
    for table in ["separate", "decoders"] {
        let table = format!("condition.panel.encoder_table={table}");
        let one = run(folder.path(), &table.replace('=', "_"), &["model.kind=autoencoder", &table]);
        let start = run(
            folder.path(),
            &format!("{}_start", table.replace('=', "_")),
            &["model.kind=autoencoder", &table, "fit.one_step.n_epochs=0"],
        );
        for (name, vectors) in one.iter().filter(|(name, _)| name.ends_with("panel.vectors")) {
            assert!(bool::try_from(vectors.ne_tensor(&start[name]).all()).unwrap(), "{name}");
        }
    }
}

#[test]
fn a_whole_run_is_evaluated_and_embeds_new_cells() {
    let (folder, _) = folder(CONDITION);
    let path = folder.path();
    run_to(0, path, &["-q", "run", "spec.toml", "--out", "run"]);
    let evaluation = json(&path.join("run/evaluation.json"));
    assert_eq!(evaluation["cross_predictions"].as_array().unwrap().len(), 2);
    run_to(0, path, &["embed", "run", "cells.h5mu", "--out", "embedded.h5mu"]);
    let (ours, theirs) = (path.join("run/annotated.h5mu"), path.join("embedded.h5mu"));
    let rows = |file: &Path| File::open(file).unwrap().obsm("X_apollo").unwrap();
    assert_eq!(rows(&ours), rows(&theirs));
    // another category of the same cell is another row
    Cells::new().write(&path.join("other.h5mu"), N_CELLS, |cell| Some(["b", "a"][panel(cell)]));
    run_to(0, path, &["embed", "run", "other.h5mu", "--out", "turned.h5mu"]);
    assert_ne!(rows(&path.join("turned.h5mu")), rows(&theirs));
}

#[test]
fn categories_that_are_not_known_are_told() {
    let (folder, cells) = folder(CONDITION);
    let path = folder.path();
    run(path, "run", &[]);
    let embed = |code: i32, stain: &dyn Fn(usize) -> Option<&'static str>| {
        cells.write(&path.join("new.h5mu"), N_CELLS, stain);
        run_to(code, path, &["embed", "run", "new.h5mu", "--out", "out.h5mu", "--force"])
    };
    let unknown = embed(2, &|cell| if cell == 7 { Some("c") } else { name(cell) });
    let expected = "the cell `cell7` is `c` in the column `stain` of obs, which no training cell is (condition `panel`); categories: a, b";
    assert!(unknown.contains(expected), "{unknown}");
    let missing = "the cell `cell7` has no value in the column `stain` of obs, but the networks of `x` are told it (condition `panel`)";
    let lacking = |cell: usize| name(cell).filter(|_| cell != 7);
    let said = embed(2, &lacking);
    assert!(said.contains(missing), "{said}");
    // decoded as one category, cells without one are encoded as that
    let predict = |code: i32, word: &str| {
        let words = [
            "predict",
            "run",
            "new.h5mu",
            "--from",
            "x",
            "--to",
            "y",
            "--out",
            "p.h5mu",
            "--force",
            "--condition",
            word,
        ];
        run_to(code, path, &words)
    };
    let said = predict(0, "panel=b");
    assert!(said.contains("1 cells have no value in `stain`: encoders take them for `b`"), "{said}");
    assert!(predict(2, "panel=c").contains("the condition `panel` has no category `c`; categories: a, b"));
    assert!(predict(2, "plate=a").contains("the model has no condition `plate`; conditions: panel"));
    assert!(predict(2, "panel").contains("`--condition panel` must be NAME=CATEGORY"));
    // so are those of a run's own cells, before it begins
    cells.write(&path.join("cells.h5mu"), N_CELLS, lacking);
    let said = run_to(2, path, &["run", "spec.toml", "--out", "other"]);
    assert!(said.contains(missing), "{said}");
    let none = run_to(2, path, &["run", "spec.toml", "--out", "other", "--set", "condition.panel.column=dye"]);
    assert!(none.contains("no column `dye` in obs"), "{none}");
}

#[test]
fn one_modality_may_be_told_alone() {
    let (folder, cells) = folder(&format!("{CONDITION}modalities = [\"y\"]\n"));
    let path = folder.path();
    // cells that were not stained have no category
    cells.write(&path.join("cells.h5mu"), 150, |cell| name(cell).filter(|_| cell < 150));
    let said = run_to(0, path, &["run", "spec.toml", "--out", "run"]);
    assert!(!said.contains("was not written"), "{said}");
    let weights = read_tensors(&path.join("run/weights.safetensors")).unwrap();
    assert_eq!(weights["decoder.x.hidden.0.linear.weight"].size(), [16, 4]);
    assert_eq!(weights["decoder.y.hidden.0.linear.weight"].size(), [16, 7]);
    assert!(
        weights.contains_key("encoder_condition.y.panel.vectors")
            && !weights.contains_key("encoder_condition.x.panel.vectors")
    );
    // where the file holds no `y`, it is predicted for all cells of `x`, and so of a category
    mudata(&path.join("x.h5mu"), &[Measured::new("x", &cells.x, 0..N_CELLS)]);
    let words = ["predict", "run", "x.h5mu", "--from", "x", "--to", "y", "--out", "p.h5mu", "--force"];
    let said = run_to(2, path, &words);
    assert!(
        said.contains("the cell `cell0` has no value in the column `stain` of obs, but the networks of `y`"),
        "{said}"
    );
    run_to(0, path, &[&words[..], &["--condition", "panel=a"]].concat());
    run_to(0, path, &["embed", "run", "cells.h5mu", "--out", "e.h5mu"]);
}
