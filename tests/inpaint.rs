//! The paired-cell inpainting network, learned beside a model of simulated panels.

use std::path::Path;
use tests_support::{example, json, run_to};

/// A run of the example of panels, on few cells and for a few epochs.
fn panels(path: &Path) {
    run_to(0, path, &["-q", "simulate", "images", "panels", "--cells", "400"]);
    std::fs::write(path.join("spec.toml"), std::fs::read_to_string(example("simulated_panels.toml")).unwrap()).unwrap();
    let epochs = ["--set", "fit.latent.n_epochs=3", "--set", "fit.encoders.n_epochs=2"];
    run_to(0, path, &[&["-q", "run", "spec.toml", "--out", "run", "--no-controls"], &epochs[..]].concat());
}

/// A number of a table: section and protein, method, metric.
fn number(table: &str, (section, protein): (&str, &str), method: &str, metric: &str) -> f64 {
    let start = format!("{section}\tdna\tprotein\t{protein}\t{method}\t");
    let line = table.lines().find(|line| line.starts_with(&start) && line.contains(&format!("\t{metric}\t")));
    line.unwrap_or_else(|| panic!("no {metric} of {start}: {table}")).split('\t').nth(7).unwrap().parse().unwrap()
}

#[test]
fn proteins_are_painted_after_other_cells_and_judged_beside_the_model() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path();
    panels(path);
    let words = ["inpaint", "run", "--from", "dna", "--to", "protein", "--width", "2", "--minibatch", "16"];
    let learn = ["--learning-rate", "0.002", "--epochs", "25"];
    let text = run_to(0, path, &[&words[..], &learn].concat());
    assert!(text.contains("epoch 25: squared error") && text.contains("paired-cell inpainting"), "{text}");
    let table = std::fs::read_to_string(path.join("run/inpainting/inpainting.tsv")).unwrap();
    let judged = |of: (&str, &str), method: &str, metric: &str| number(&table, of, method, metric);
    // painted after a cell of the protein, a cell is nearer to itself than to the mean image, shown or not
    for section in ["image_prediction", "image_prediction_unshown"] {
        let of = (section, "");
        let (painted, mean) = (judged(of, "inpainting", "mse"), judged(of, "mean_image", "mse"));
        assert!(painted < 0.8 * mean, "{section}: {painted} is not well below {mean}");
        for protein in ["P1", "P2", "P3", "P4"] {
            let of = (section, format!("protein={protein}"));
            let of = (of.0, of.1.as_str());
            assert!(judged(of, "inpainting", "ssim") > judged(of, "random_cell", "ssim"), "{section} {protein}");
            assert!(
                judged(of, "inpainting", "l1_thresholded").is_finite() && judged(of, "model", "pearson_by_image") > 0.0
            );
        }
    }
    // the same cells, model and controls as in the evaluation
    run_to(0, path, &["-q", "evaluate", "run"]);
    let whole = std::fs::read_to_string(path.join("run/evaluation.tsv")).unwrap();
    for (method, metric) in [("model", "ssim"), ("mean_image", "l1"), ("nearest_cell", "mse"), ("random_cell", "mse")] {
        let of = ("image_prediction_unshown", "protein=P3");
        assert_eq!(number(&table, of, method, metric), number(&whole, of, method, metric), "{method} {metric}");
    }
    let found = json(&path.join("run/inpainting/inpainting.json"));
    assert_eq!(found["epochs"].as_array().unwrap().len(), 25);
    // eight rows of 32 pixels, three times as large, in five columns
    let png = std::fs::read(path.join("run/inpainting/images.png")).unwrap();
    let size = |at: usize| u32::from_be_bytes(png[at..at + 4].try_into().unwrap());
    assert_eq!((size(16), size(20)), (5 * 99 - 3, 8 * 99 - 3));
    let svg = std::fs::read_to_string(path.join("run/inpainting/images.svg")).unwrap();
    for name in ["chromatin", "real", "predicted", "inpainted", "shown"] {
        assert!(svg.contains(&format!(">{name}<")), "{name}");
    }
    run_to(0, path, &["-q", "report", "run", "--no-umap"]);
    let page = std::fs::read_to_string(path.join("run/report.html")).unwrap();
    let section = page.split_once("<h2 id=\"inpainting\">").unwrap().1.split_once("</section>").unwrap().0;
    assert!(section.contains("paired-cell inpainting") && section.contains("<image "), "{section}");

    // nothing is replaced unasked; the same seed gives the same bits, another one others
    assert!(run_to(2, path, &words).contains("say `--force`"));
    let weights = |name: &str, seed: &str| {
        let quick = ["--epochs", "2", "--no-controls", "--seed", seed, "--out", name];
        run_to(0, path, &[&["-q"], &words[..], &quick].concat());
        std::fs::read(path.join(name).join("inpainting.safetensors")).unwrap()
    };
    let first = weights("first", "5");
    assert!(first == weights("second", "5"), "the same seed learns alike");
    assert!(first != weights("third", "6"));
}

#[test]
fn what_cannot_be_painted_is_told() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path();
    panels(path);
    let told = |words: &[&str], expected: &str| {
        let text = run_to(2, path, &[&["inpaint", "run"], words].concat());
        assert!(text.contains(expected), "{expected} is not in: {text}");
    };
    told(&["--from", "dan"], "no modality `dan`");
    told(&["--from", "dna", "--to", "dna"], "`dna` cannot be painted after itself");
    told(&["--learning-rate", "0"], "`--learning-rate 0` must be above 0");
    told(&["--minibatch", "1"], "it must be 2 or more");
    told(&["--max-cells", "1"], "leaves no other cell to be shown");
    run_to(0, path, &["-q", "simulate", "1", "cells.h5mu", "--cells", "60"]);
    let spec = std::fs::read_to_string(example("simulation1.toml")).unwrap();
    let start = spec.find("path = \"").unwrap() + 8;
    let end = start + spec[start..].find('"').unwrap();
    std::fs::write(path.join("matrices.toml"), format!("{}cells.h5mu{}", &spec[..start], &spec[end..])).unwrap();
    let epochs = ["--set", "fit.latent.n_epochs=1", "--set", "fit.encoders.n_epochs=1"];
    run_to(0, path, &[&["-q", "run", "matrices.toml", "--out", "plain", "--no-controls"], &epochs[..]].concat());
    assert!(run_to(2, path, &["inpaint", "plain"]).contains("two modalities of images; the run has: none"));
}
