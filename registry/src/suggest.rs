//! The name that was probably meant.

/// The known name nearest to a written one, if it is near enough to be a slip.
///
/// Near enough: at most a third of the letters differ (two neighbours swapped count once), one letter at least.
pub(crate) fn nearest<'a>(written: &str, known: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let allowed = (written.chars().count() / 3).max(1);
    known
        .into_iter()
        .map(|name| (strsim::osa_distance(&written.to_lowercase(), &name.to_lowercase()), name))
        .filter(|(distance, _)| *distance <= allowed)
        .min_by_key(|(distance, _)| *distance)
        .map(|(_, name)| name)
}

/// Advice for an unknown name: the nearest known one, then all of them.
pub(crate) fn advice(written: &str, what: &str, known: &[&str]) -> String {
    let list = if known.is_empty() { "none".to_owned() } else { known.join(", ") };
    match nearest(written, known.iter().copied()) {
        Some(name) => format!("did you mean `{name}`? {what}: {list}"),
        None => format!("{what}: {list}"),
    }
}

/// Names in backticks as in "`a`, `b` or `c`".
pub(crate) fn alternatives(names: &[&str]) -> String {
    let quoted: Vec<String> = names.iter().map(|name| format!("`{name}`")).collect();
    either(&quoted)
}

/// Words as in "a, b or c".
pub(crate) fn either(words: &[String]) -> String {
    match words {
        [] => "nothing".to_owned(),
        [one] => one.clone(),
        [first @ .., last] => format!("{} or {last}", first.join(", ")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn slips_are_recognised_and_strangers_are_not() {
        let keys = ["dim", "modalities", "noise", "prior"];
        assert_eq!(nearest("dmi", keys), Some("dim"));
        assert_eq!(nearest("modalites", keys), Some("modalities"));
        assert_eq!(nearest("Noise", keys), Some("noise"));
        assert_eq!(nearest("optimizer", keys), None);
        assert_eq!(nearest("", keys), None);
    }

    #[test]
    fn alternatives_read_as_a_sentence() {
        assert_eq!(alternatives(&["a", "b", "c"]), "`a`, `b` or `c`");
        assert_eq!(alternatives(&["a"]), "`a`");
    }
}
