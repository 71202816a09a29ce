//! Simulated cells of three modalities, from the command to what the evaluation tells of each space.

use std::collections::BTreeSet;
use tests_support::{cithara, cithara_ok, example};

#[test]
fn the_spaces_of_subsets_are_judged_by_every_factor() {
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name).to_str().unwrap().to_owned();
    let (cells, run) = (path("cells.h5mu"), path("run"));
    let told = cithara_ok(&["simulate", "subsets", &cells, "--cells", "200", "--seed", "2"]);
    assert!(told.err.contains("F_x, F_y, F_xy, F_z, F_xz, F_yz, F_xyz"), "{told}");
    let sets = [
        format!("data.path={cells}"),
        "fit.latent.n_epochs=3".to_owned(),
        "fit.encoders.n_epochs=1".to_owned(),
        "fit.latent.minibatch=64".to_owned(),
    ];
    let spec = example("simulation_subsets.toml");
    let mut words = vec!["run", spec.as_str(), "--out", &run, "--no-annotation"];
    words.extend(sets.iter().flat_map(|set| ["--set", set.as_str()]));
    cithara_ok(&words);
    let table = std::fs::read_to_string(folder.path().join("run/evaluation.tsv")).unwrap();
    let told = table.lines().map(|line| line.split('\t').collect::<Vec<_>>());
    let explained: BTreeSet<(&str, &str)> = told
        .filter(|row| row[0] == "learned_rows" && row[5] == "false" && row[6] == "r_squared")
        .map(|row| (row[2], row[3]))
        .collect();
    assert_eq!(explained.len(), 49, "seven spaces, seven factors: {explained:?}");
    assert!(explained.contains(&("shared", "F_x")) && explained.contains(&("xy", "F_xyz")));
}

#[test]
fn a_setting_that_is_none_is_refused_with_those_that_are() {
    let refused = cithara(&["simulate", "6", "cells.h5mu"]);
    assert_eq!(refused.code, 2, "{refused}");
    assert!(refused.err.contains("must be from 1 to 5, `subsets` or `images`"), "{refused}");
}
