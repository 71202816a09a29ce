//! What was found, as tables, numbers and pictures in a folder.

use super::agreed::agreements_picture;
use super::classified;
use super::findings::{Interpreted, SpaceFindings};
use super::picture::{curves_picture, shares_picture, two_groups_picture};
use crate::results::Results;
use anyhow::Result;
use std::fmt::Write as _;
use std::path::{Path, PathBuf};

/// Writes `interpretation.json`, `features.tsv`, `sets.tsv`, `knowledge.tsv`, `agreed.tsv`, `two_groups.tsv` and a picture for each space and for each table
/// of features; returns what was written.
///
/// # Errors
/// When a file cannot be written.
pub fn write(found: &Interpreted, folder: &Path) -> Result<Vec<PathBuf>> {
    let mut results = Results::in_folder(folder)?;
    results.keep("features.tsv", features(found))?;
    results.keep("knowledge.tsv", knowledge(found))?;
    if !found.agreements.is_empty() {
        results.keep("agreed.tsv", agreed(found))?;
        results.keep("agreed.svg", agreements_picture(&found.agreements))?;
    }
    if !found.classified.is_empty() {
        results.keep("classified.tsv", classified::table(&found.classified))?;
    }
    if !found.two_groups.is_empty() {
        results.keep("two_groups.tsv", two_groups(found))?;
        results.keep("two_groups.svg", two_groups_picture(&found.two_groups))?;
    }
    if found.spaces.iter().any(SpaceFindings::has_sets) {
        results.keep("sets.tsv", sets(found))?;
    }
    for space in found.spaces.iter().filter(|space| !space.explained.is_empty()) {
        results.keep(
            &format!("curves_{}_by_{}.svg", space.space, space.features.replace('/', "_")),
            curves_picture(space),
        )?;
    }
    for (features, picture) in shares_picture(found) {
        results.keep(&format!("shares_{}.svg", features.replace('/', "_")), picture)?;
    }
    for along in &found.along {
        results.keep(&format!("{}.svg", along.file), &along.svg)?;
        results.keep(&format!("{}.png", along.file), &along.png)?;
    }
    results.end_with("interpretation.json", found)
}

impl SpaceFindings {
    fn has_sets(&self) -> bool {
        !self.sets.is_empty() || self.components.iter().any(|component| !component.ranked_sets.is_empty())
    }
}

fn features(found: &Interpreted) -> String {
    let mut table = String::from(
        "space\tfeatures\tcomponent\texplained_variance_ratio\tdirection\tfeature\tn_repeats\tlog2_fold_change\tq\n",
    );
    for space in &found.spaces {
        for component in &space.components {
            for group in &component.groups {
                for feature in &group.features {
                    let _ = writeln!(
                        table,
                        "{}\t{}\t{}\t{:.6}\t{}\t{}\t{}\t{:.4}\t{}",
                        space.space,
                        space.features,
                        component.component,
                        component.explained_variance_ratio,
                        group.direction,
                        feature.feature,
                        feature.n_repeats,
                        feature.log2_fold_change,
                        feature.q.map_or_else(String::new, |q| format!("{q:.3e}"))
                    );
                }
            }
        }
    }
    table
}

fn sets(found: &Interpreted) -> String {
    let mut table = String::from("space\tfeatures\tcomponent\ttest\tset\tn_set\tenrichment\tp\tq\toverlap\n");
    for space in &found.spaces {
        let mut line = |component: &str, set: &super::findings::SetFindings| {
            let _ = writeln!(
                table,
                "{}\t{}\t{component}\t{}\t{}\t{}\t{:.4}\t{:.3e}\t{:.3e}\t{}",
                space.space,
                space.features,
                set.test,
                set.set,
                set.n_set,
                set.enrichment,
                set.p,
                set.q,
                set.overlap.join(",")
            );
        };
        space.sets.iter().for_each(|set| line("all", set));
        for component in &space.components {
            let place = component.component.to_string();
            component.ranked_sets.iter().for_each(|set| line(&place, set));
        }
    }
    table
}

fn knowledge(found: &Interpreted) -> String {
    let mut table = String::from(
        "space\tkind\tof\tscore\tvalue\tpermuted\trandom\tprincipal_components\tzeros\tn_train\tn_test\tn_splits\tdeviation\n",
    );
    let written = |value: Option<f64>| value.map_or_else(String::new, |value| format!("{value:.6}"));
    for one in &found.knowledge {
        let (n_train, n_test) = one.n_cells;
        let _ = writeln!(
            table,
            "{}\t{}\t{}\t{}\t{:.6}\t{:.6}\t{}\t{}\t{}\t{n_train}\t{n_test}\t{}\t{}",
            one.space,
            one.kind,
            one.of,
            one.score,
            one.value,
            one.permuted,
            written(one.random),
            written(one.principal_components),
            written(one.zeros),
            one.n_splits,
            written(one.deviation)
        );
    }
    table
}

fn agreed(found: &Interpreted) -> String {
    let mut table = String::from("space\tothers\tpair\tfitted\theld_out\tis_agreed\tn_fitted\tn_held_out\n");
    for one in &found.agreements {
        let (others, (n_fitted, n_held_out)) = (one.others.join(","), one.n_cells);
        for (place, (fitted, held_out)) in one.fitted.iter().zip(&one.held_out).enumerate() {
            let _ = writeln!(
                table,
                "{}\t{others}\t{}\t{fitted:.6}\t{held_out:.6}\t{}\t{n_fitted}\t{n_held_out}",
                one.space,
                place + 1,
                place < one.n_agreed
            );
        }
    }
    table
}

fn two_groups(found: &Interpreted) -> String {
    let mut table = String::from("space\tof\tn_cells\tdiffers\tlevel\teffect\tseed\tdifference\tp\n");
    for one in &found.two_groups {
        for (seed, (difference, p)) in one.differences.iter().zip(&one.p).enumerate() {
            let _ = writeln!(
                table,
                "{}\t{}\t{}\t{}\t{:.3e}\t{}\t{seed}\t{difference:.6}\t{p:.3e}",
                one.space, one.of, one.n_cells, one.differs, one.level, one.effect
            );
        }
    }
    table
}
