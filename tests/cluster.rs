//! Clusters of latent spaces, beside truth and controls; and what other programs read of them.

use tests_support::{json, read_back, run_in, run_to, said};

/// Simulation 1: the shared space knows Z1, the specific space of `x` Z3, each of two classes.
#[test]
fn clusters_are_the_classes_that_a_space_knows_of() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path();
    run_to(0, path, &["demo"]);
    let run = "runs/demo/run";
    let asked = ["cluster", run, "--method", "k-means", "--n-clusters", "2", "--label", "Z3_class"];
    let text = run_to(0, path, &asked);
    assert!(text.contains("clusters by k-means, 2 clusters") && text.contains("annotated: "), "{text}");
    let found = json(&path.join(run).join("clusters/clusters.json"));
    let agreement = found["agreement"].as_array().unwrap();
    let of = |name: &str, label: &str| {
        let one = agreement.iter().find(|one| one["name"] == name && one["label"] == label);
        one.unwrap_or_else(|| panic!("no {name} beside {label}: {found}"))["adjusted_rand"].as_f64().unwrap()
    };
    assert!(of("x.shared", "Z1_class") > 0.8 && of("x.x", "Z3_class") > 0.8, "{text}");
    assert!(of("x.x", "Z1_class") < 0.1 && of("x.shared", "Z3_class") < 0.1, "{text}");
    let controls = ["x.x: 2 random numbers", "x.x: 2 principal components"].map(|name| of(name, "Z3_class"));
    assert!(controls[0].abs() < 0.05 && (0.0..=1.0).contains(&controls[1]), "{controls:?}");
    let table = std::fs::read_to_string(path.join(run).join("clusters/clusters.tsv")).unwrap();
    assert!(table.starts_with("cell\tspace\tcluster\tx\ty\n") && table.lines().count() > 1000);

    run_to(0, path, &["-q", "cluster", run, "--resolution", "0.3", "--force", "--space", "x.shared"]);
    let graph = json(&path.join(run).join("clusters/clusters.json"));
    assert_eq!(graph["spaces"].as_array().unwrap().len(), 1);
    read_back("clustered_h5mu", &[path.join(run).join("annotated.h5mu").to_str().unwrap()]);
    run_to(0, path, &["report", run, "--no-umap"]);
    let page = std::fs::read_to_string(path.join(run).join("report.html")).unwrap();
    assert!(page.contains("Clusters beside labels") && page.contains("Z1_class in clusters of x.shared"));

    let told: [(&[&str], &str); 5] = [
        (&[], "holds clusters already"),
        (&["--force", "--space", "nowhere"], "no rows of a space `nowhere`"),
        (&["--force", "--resolution", "0"], "must be a number above 0"),
        (&["--force", "--neighbours", "1"], "is the cell itself"),
        (&["--force", "--label", "none"], "no column `none`"),
    ];
    for (more, text) in told {
        let output = run_in(path, &[&["cluster", run], more].concat());
        assert_eq!(output.status.code(), Some(2), "{more:?}: {}", said(&output));
        assert!(said(&output).contains(text), "{more:?}: {}", said(&output));
    }
    assert_eq!(json(&path.join(run).join("clusters/clusters.json")), graph);
}
