//! What is wrong with a value of a spec.

/// Something wrong with a value of a spec's table.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problem {
    /// Path of the key below the spec's own table.
    pub key: String,
    /// What is wrong and what was expected.
    pub message: String,
}

/// Collects a problem unless a condition holds.
pub(crate) fn require(problems: &mut Vec<Problem>, holds: bool, key: &str, message: impl Into<String>) {
    if !holds {
        problems.push(Problem { key: key.to_owned(), message: message.into() });
    }
}

/// Adds the problems of a table within a table.
pub(crate) fn within(problems: &mut Vec<Problem>, table: &str, inner: Vec<Problem>) {
    problems.extend(inner.into_iter().map(|one| Problem { key: format!("{table}.{}", one.key), ..one }));
}
