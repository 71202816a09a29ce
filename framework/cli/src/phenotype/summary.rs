//! What was found in a few lines.

use super::findings::{Comparison, InputFindings, ModalityFindings, Phenotyped};
use super::splits::Judged;
use crate::drawing::numbers::p_value;
use std::fmt::Write as _;

/// How each kind of image did, and the tests between kinds.
pub fn summary(found: &Phenotyped) -> String {
    let mut text = String::new();
    for one in &found.modalities {
        let what = if found.is_number { "number" } else { "class" };
        let _ =
            writeln!(text, "{what} `{}` from images of {}: {}", found.label, one.modality, judged_words(found, one));
        let score = |name: &String| name.replace('_', " ");
        let heads: Vec<String> = found.scores.iter().map(|name| format!("{:>25}", score(name))).collect();
        let _ = writeln!(text, "{:<32}{}", "", heads.concat());
        for input in &one.inputs {
            let values: Vec<String> =
                (0..found.scores.len()).map(|place| format!("{:>25}", mean_words(input, place))).collect();
            let _ = writeln!(text, "{:<32}{}", input.input, values.concat());
        }
        let tests: Vec<&Comparison> =
            one.comparisons.iter().filter(|test| test.score == found.scores[0] || test.unit == "group").collect();
        if !tests.is_empty() {
            let _ = writeln!(
                text,
                "\n{:<58}{:<28}{:>6} {:>9} {:>9} {:>9} {:>9} {:>9}",
                "first − second", "of each", "pairs", "gain", "p", "one-sided", "Holm", "Wilcoxon"
            );
        }
        for test in tests {
            let _ = writeln!(
                text,
                "{:<58}{:<28}{:>6} {:>+9.3} {:>9} {:>9} {:>9} {:>9}",
                format!("{} − {}", test.first, test.second),
                format!("{}, {}", test.unit, score(&test.score)),
                test.n,
                test.gain,
                p_value(test.p_two_sided),
                p_value(test.p_one_sided),
                p_value(test.p_holm),
                p_value(test.p_signed_rank)
            );
        }
        text.push('\n');
    }
    text
}

/// `.512 ± .034` over splits, or a dash.
pub fn mean_words(input: &InputFindings, score: usize) -> String {
    match input.mean(score) {
        Some((mean, sd)) if input.splits.len() > 1 => format!("{mean:.3} ± {sd:.3}"),
        Some((mean, _)) => format!("{mean:.3}"),
        None => "–".to_owned(),
    }
}

/// Which cells judged, and what the model itself knew of them.
pub fn judged_words(found: &Phenotyped, one: &ModalityFindings) -> String {
    let range = |of: &dyn Fn(&super::findings::SplitFacts) -> usize| {
        let all: Vec<usize> = one.splits.iter().map(of).collect();
        let (low, high) = (all.iter().min().copied().unwrap_or(0), all.iter().max().copied().unwrap_or(0));
        if low == high { low.to_string() } else { format!("{low} to {high}") }
    };
    let mut text = format!(
        "{} splits, each learned from {} cells, stopped by {}, judged by {}",
        one.splits.len(),
        range(&|split| split.n_learned),
        range(&|split| split.n_stopping),
        range(&|split| split.n_judged)
    );
    if let Some(column) = &found.hold_out {
        let _ = write!(text, " of {} held-out classes of `{column}`", range(&|split| split.groups.len()));
    }
    let seen = range(&|split| split.n_judged_model_learned);
    let met = one.splits.iter().map(|split| split.n_groups_model_learned).sum::<usize>();
    let _ = match (found.judged, found.hold_out.is_some()) {
        (Judged::Unseen, true) if met == 0 => {
            write!(text, "; the model itself learned from no cell of these")
        }
        (Judged::Unseen, true) => {
            let n: usize = one.splits.iter().map(|split| split.groups.len()).sum();
            write!(
                text,
                "; the model itself learned from none of these cells, but from others of {met} of the {n} classes"
            )
        }
        (Judged::Unseen, false) => write!(text, "; the model itself learned from none of these cells"),
        (Judged::All, _) => write!(text, ", of which the model itself learned from {seen}"),
    };
    text
}

#[cfg(test)]
mod tests {
    use super::super::tables::testing::found;
    use super::*;

    #[test]
    fn the_summary_says_who_judged_and_how_each_kind_did() {
        let mut found = found();
        let text = summary(&found);
        assert!(text.contains("class `dose` from images of gfp: 2 splits, each learned from 40 cells"), "{text}");
        assert!(
            text.contains("of 1 held-out classes of `well`; the model itself learned from no cell of these"),
            "{text}"
        );
        assert!(text.contains("0.750 ± 0.071") && text.contains("real − from dna"), "{text}");
        found.modalities[0].splits[0].n_groups_model_learned = 1;
        assert!(summary(&found).contains("but from others of 1 of the 2 classes"));
        found.judged = Judged::All;
        assert!(summary(&found).contains("of which the model itself learned from 0 to 3"), "{}", summary(&found));
    }
}
