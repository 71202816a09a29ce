//! Messages about names that do not exist.

/// How alike two names must be (Jaro–Winkler, 0 to 1) to be offered as a correction.
const ALIKE: f64 = 0.75;

/// "no `what` `name`", the nearest existing name if one is alike, and the list.
pub(crate) fn unknown<S: AsRef<str>>(what: &str, name: &str, available: &[S]) -> String {
    let names: Vec<&str> = available.iter().map(AsRef::as_ref).collect();
    if names.is_empty() {
        return format!("no {what} `{name}`: there is none at all");
    }
    let guess = match nearest(name, &names) {
        Some(near) => format!("did you mean `{near}`? "),
        None => String::new(),
    };
    format!("no {what} `{name}`: {guess}available: {}", names.join(", "))
}

fn nearest<'a>(name: &str, names: &[&'a str]) -> Option<&'a str> {
    let likeness = |candidate: &str| strsim::jaro_winkler(&name.to_lowercase(), &candidate.to_lowercase());
    let candidates = names.iter().map(|candidate| (likeness(candidate), *candidate));
    let alike = candidates.filter(|(likeness, _)| *likeness >= ALIKE);
    alike.max_by(|a, b| a.0.total_cmp(&b.0)).map(|(_, candidate)| candidate)
}

#[cfg(test)]
mod tests {
    use super::unknown;

    #[test]
    fn offers_the_nearest_name_and_the_list() {
        let message = unknown("column", "does", &["row", "dose"]);
        assert_eq!(message, "no column `does`: did you mean `dose`? available: row, dose");
        assert_eq!(unknown("column", "zzz", &["dose"]), "no column `zzz`: available: dose");
        assert_eq!(unknown("column", "zzz", &[""; 0]), "no column `zzz`: there is none at all");
    }
}
