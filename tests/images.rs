//! From images to a trained model by the program itself.

use anndata::{File, Layer};
use framework::testing::small_images;
use tests_support::{json, real_data, repository, run_to};

const STACK: &str = "[stack]\npath = \"images.npy\"\nchannels = [\"dna\"]\n\
                     [crops]\nside = 16\nkeep_mask = false\n[normalisation]\nper = \"crop\"\n";

/// Two assays of the same images, one under each name: what one sees the other must predict.
const SPEC: &str = "spec_version = 1\nname = \"images\"\nseed = 1\n[data]\npath = \"cut/cells.h5mu\"\n\
    [modality.left]\nkind = \"chromatin_image\"\nkey = \"dna\"\n[modality.right]\nkind = \"protein_image\"\nkey = \"dna\"\n\
    [model]\nshared = 8\nspecific = 4\n[fit]\nn_threads = 1\ncheckpoint_every_secs = 0\n\
    latent = { n_epochs = 12, minibatch = 16 }\nencoders = { n_epochs = 25, minibatch = 16 }\n";

#[test]
fn images_are_cut_learned_and_predicted() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path();
    small_images(path, 160, 16).unwrap();
    std::fs::write(path.join("plate.toml"), STACK).unwrap();
    std::fs::write(path.join("spec.toml"), SPEC).unwrap();
    let text = run_to(0, path, &["cut", "plate.toml", "--out", "cut"]);
    assert!(text.contains("160 cells of") && text.contains("dna: 160 cells × 2 features"), "{text}");
    assert!(path.join("cut/sheet.png").is_file() && path.join("cut/crops.cells").is_file());
    assert!(run_to(2, path, &["cut", "plate.toml", "--out", "cut"]).contains("say `--force`"));

    run_to(0, path, &["run", "spec.toml", "--out", "run"]);
    let evaluation = json(&path.join("run/evaluation.json"));
    let predicted = &evaluation["cross_predictions"][0];
    let of = |name: &str| {
        let method = predicted["methods"].as_array().unwrap().iter().find(|one| one["name"] == name);
        method.unwrap_or_else(|| panic!("no `{name}`: {predicted}"))["rmse"].as_f64().unwrap()
    };
    assert!(of("model") < 0.8 * of("feature_mean"), "{} is not less than {}", of("model"), of("feature_mean"));
    // eight cells of 16 × 16 pixels, each five times as large: real, reconstructed, shared only, from the other modality
    let text = run_to(0, path, &["report", "run", "--no-umap"]);
    assert!(text.contains("written: run/images_left.png"), "{text}");
    let png = std::fs::read(path.join("run/images_right.png")).unwrap();
    let number = |at: usize| u32::from_be_bytes(png[at..at + 4].try_into().unwrap());
    assert_eq!((&png[1..4], number(16), number(20)), (&b"PNG"[..], 4 * 83 - 3, 8 * 83 - 3));
    let page = std::fs::read_to_string(path.join("run/report.html")).unwrap();
    assert!(page.contains("id=\"images\"") && page.contains(">shared only<") && page.contains(">from left<"));
    // new cells of the same kind find their rows
    run_to(
        0,
        path,
        &["predict", "run", "cut/cells.h5mu", "--from", "left", "--to", "right", "--out", "predicted.h5mu"],
    );
}

/// Images of single cells of scPortrait: channels and cells by the names of the file, masks as masks.
#[test]
fn cells_of_scportrait_are_cut_and_measured() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path();
    let source = repository().join("framework/anndata/tests/fixtures/cells.h5sc");
    std::fs::copy(source, path.join("plate1.h5sc")).unwrap();
    let spec = "[stack]\npath = \"plate1.h5sc\"\nmask = \"seg_all_nucleus\"\n\
                [crops]\nside = 16\n[normalisation]\nper = \"none\"\n";
    std::fs::write(path.join("plate.toml"), spec).unwrap();
    let text = run_to(0, path, &["cut", "plate.toml", "--out", "cut"]);
    assert!(text.contains("6 cells of 6 fields, crops of 16 × 16 pixels"), "{text}");
    let file = File::open(path.join("cut/cells.h5mu")).unwrap();
    assert_eq!(file.modalities().unwrap(), ["DAPI", "lamin"]);
    assert_eq!(file.cells()[2], "plate1:15");
    assert_eq!(file.obs().labels("dose").unwrap()[2].as_deref(), Some("high"));
    // shapes stand with the first channel: discs of radius 3, 3.5, … pixels
    let dapi = file.modality("DAPI").unwrap();
    let place = dapi.var().index().iter().position(|name| name == "area").expect("areas were measured");
    let measured = dapi.matrix(&Layer::X).unwrap();
    let area = |cell: usize| {
        let (columns, values) = measured.row(cell);
        columns.iter().position(|&column| column as usize == place).map_or(0.0, |at| values[at])
    };
    let areas: Vec<f32> = (0..6).map(area).collect();
    let is_inside = |cell: i32, place: i32| {
        let (row, column) = (2 * (place / 16) - 15, 2 * (place % 16) - 15);
        row * row + column * column < (6 + cell) * (6 + cell)
    };
    let expected = [0, 1, 2, 3, 4, 5].map(|cell| (0..256).filter(|&place| is_inside(cell, place)).count() as f32);
    assert_eq!(areas, expected);
    // the middle of each image, or images in a larger crop
    let spec = spec.replace("side = 16", "side = 8").replace("mask =", "fit = \"centre\"\nmask =");
    std::fs::write(path.join("plate.toml"), spec).unwrap();
    let text = run_to(0, path, &["cut", "plate.toml", "--out", "middle"]);
    assert!(text.contains("6 cells of 6 fields, crops of 8 × 8 pixels"), "{text}");
}

/// Turned images: learned from alike in every run, and never judged.
#[test]
fn images_of_training_cells_are_turned() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path();
    small_images(path, 160, 16).unwrap();
    std::fs::write(path.join("plate.toml"), STACK).unwrap();
    run_to(0, path, &["-q", "cut", "plate.toml", "--out", "cut"]);
    let still = SPEC.replace("[model]\n", "[model]\nkind = \"autoencoder\"\n").replace(
        "latent = { n_epochs = 12, minibatch = 16 }\nencoders = { n_epochs = 25, minibatch = 16 }",
        "one_step = { n_epochs = 2, minibatch = 16 }",
    );
    let turned = still.replace("key = \"dna\"\n", "key = \"dna\"\naugment = \"turns\"\n");
    assert_eq!(turned.matches("augment").count(), 2);
    let weights = |spec: &str, run: &str| {
        std::fs::write(path.join("spec.toml"), spec).unwrap();
        run_to(0, path, &["-q", "run", "spec.toml", "--out", run]);
        std::fs::read(path.join(run).join("weights.safetensors")).unwrap()
    };
    let first = weights(&turned, "first");
    assert!(first == weights(&turned, "second"), "the same seed turns alike");
    assert!(first != weights(&still, "still"), "turns change what is learned");
    // controls look at data only (but for how the model differs from them): they see the same images in both
    let is_of_control =
        |line: &&str| line.starts_with("image_") && line.contains("\ttrue\t") && !line.contains("_difference");
    let controls = |run: &str| -> Vec<String> {
        let table = std::fs::read_to_string(path.join(run).join("evaluation.tsv")).unwrap();
        let lines = table.lines().filter(|line| is_of_control(line));
        lines.map(str::to_owned).collect()
    };
    assert!(controls("first").len() > 20);
    assert!(controls("first") == controls("still"), "judged images are turned");
    // rows of other models stand for images as they are, and images of a cell are turned alike or not at all
    let refused = |spec: &str| {
        std::fs::write(path.join("spec.toml"), spec).unwrap();
        run_to(2, path, &["check", "spec.toml"])
    };
    let text = refused(&SPEC.replace("key = \"dna\"\n", "key = \"dna\"\naugment = \"turns\"\n"));
    assert!(
        text.contains("`modality.left.augment` is `turns`, but a row of this model stands for one image as it is"),
        "{text}"
    );
    assert!(text.contains("`modality.right.augment`"), "both are told: {text}");
    let text = refused(&still.replacen("key = \"dna\"\n", "key = \"dna\"\naugment = \"turns\"\n", 1));
    assert!(text.contains("but images of `right` of the same cells are not turned"), "{text}");
}

#[test]
fn what_cannot_be_cut_is_told() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path();
    small_images(path, 20, 16).unwrap();
    let told = |spec: &str, words: &[&str]| {
        std::fs::write(path.join("plate.toml"), spec).unwrap();
        let text = run_to(2, path, &["cut", "plate.toml", "--out", "cut", "--force"]);
        assert!(words.iter().all(|word| text.contains(word)), "{words:?} are not all in: {text}");
    };
    told("[stack\n", &["error: plate.toml: TOML parse error at line 1, column 7", "unclosed table"]);
    told(&STACK.replace("side", "sides"), &["plate.toml: `crops", "unknown field `sides`, expected one of `side`"]);
    told(&STACK.replace("16", "12"), &["`crops.side` is 12, but must be a power of two from 8 to 4096"]);
    told(&STACK.replace("images.npy", "image.npy"), &["image.npy"]);
    told(&format!("{STACK}[features]\nn_grey_levels = 0\n"), &["`features.n_grey_levels`"]);
    told(&STACK.replace("side = 16", "side = 32"), &["16", "32"]);
    // a model of images wants images
    std::fs::write(path.join("spec.toml"), SPEC.replace("cut/cells.h5mu", "nothing.h5mu")).unwrap();
    assert!(run_to(2, path, &["run", "spec.toml"]).contains("nothing.h5mu"));
}

#[test]
fn the_nuclei_of_a_real_plate_are_found() {
    let Some(wells) = real_data("sbs_translocation/wells.csv") else { return };
    let folder = tempfile::tempdir().unwrap();
    let spec = std::fs::read_to_string(tests_support::example("plates/sbs_translocation.toml")).unwrap();
    std::fs::write(folder.path().join("plate.toml"), spec.replace("\"wells.csv\"", &format!("\"{wells}\""))).unwrap();
    let text = run_to(0, folder.path(), &["cut", "plate.toml", "--out", "plate"]);
    let n_cells: usize = text.split(" cells of 48 fields").next().unwrap().trim().parse().unwrap();
    // scikit-image with the same numbers finds 8,645
    assert!(n_cells.abs_diff(8_645) < 20, "{text}");
}
