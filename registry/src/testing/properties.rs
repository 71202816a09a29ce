//! What holds of any text: no panic, and errors at lines of the text.

use super::{TINY, read_tiny};
use proptest::prelude::*;

#[test]
fn the_example_reads_and_its_resolved_form_is_the_same_experiment() {
    let experiment = read_tiny(TINY, &[]).unwrap_or_else(|errors| panic!("{errors}"));
    let resolved = experiment.to_toml().unwrap();
    let text = toml::to_string(&resolved).unwrap();
    let again = read_tiny(&text, &[]).unwrap_or_else(|errors| panic!("{errors}\n{text}"));
    assert_eq!(again.to_toml().unwrap(), resolved);
    assert_eq!(format!("{again:?}"), format!("{experiment:?}"));
}

#[test]
fn the_resolved_form_has_every_default_filled_in() {
    let resolved = read_tiny(TINY, &["data.path=/d/x.h5mu"]).unwrap().to_toml().unwrap();
    insta::assert_snapshot!(toml::to_string(&resolved).unwrap(), @"");
}

/// A text with some of its characters removed, doubled or replaced.
fn mutated(text: &str, edits: &[(usize, u8, char)]) -> String {
    let mut letters: Vec<char> = text.chars().collect();
    for (place, action, letter) in edits {
        let at = place % letters.len().max(1);
        match action {
            0 if at < letters.len() => drop(letters.remove(at)),
            1 if at < letters.len() => letters[at] = *letter,
            2 => letters.truncate(at),
            _ => letters.insert(at, *letter),
        }
    }
    letters.into_iter().collect()
}

fn letters() -> impl Strategy<Value = char> {
    prop_oneof![any::<char>(), prop::sample::select("[]{}=\"'.,#\n\r\t _-0123456789einfaz\\é".chars().collect::<Vec<_>>())]
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, ..ProptestConfig::default() })]

    #[test]
    fn no_text_panics_the_reader(edits in prop::collection::vec((any::<usize>(), 0u8..6, letters()), 1..12)) {
        let text = mutated(TINY, &edits);
        if let Err(errors) = read_tiny(&text, &[]) {
            prop_assert!(!errors.is_empty());
            let n_lines = text.matches('\n').count() + 1;
            for one in errors.sorted() {
                prop_assert!(errors.position(&one.place).is_none_or(|at| at.line <= n_lines));
            }
            prop_assert!(errors.render(true).contains("error:"));
        }
    }

    #[test]
    fn no_override_panics_the_reader(key in "[a-z\\.\"= \\[\\]]{0,12}", value in "\\PC{0,12}") {
        for text in [format!("{key}={value}"), format!("modality.rna.{key}={value}"), format!("latent.shared={value}")] {
            let _ = read_tiny(TINY, &[&text]);
        }
    }
}
