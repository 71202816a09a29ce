//! Finding out what separates the fields of a text.

use std::path::Path;

use anyhow::{Result, anyhow};

/// What the first line is searched for.
const KNOWN: [(u8, &str); 4] = [(b'\t', "tab"), (b',', "`,`"), (b';', "`;`"), (b' ', "space")];

/// The separator that the ending of the name tells, `.gz` aside; else the one most frequent in the first line.
///
/// # Errors
/// If neither tells.
pub(super) fn guess(path: &Path, start: &[u8]) -> Result<u8> {
    let name = path.to_string_lossy().to_lowercase();
    let name = name.strip_suffix(".gz").unwrap_or(&name);
    if name.ends_with(".csv") {
        return Ok(b',');
    }
    if name.ends_with(".tsv") || name.ends_with(".tab") {
        return Ok(b'\t');
    }
    most_frequent(start).ok_or_else(|| {
        let words: Vec<&str> = KNOWN.iter().map(|(_, word)| *word).collect();
        anyhow!("`{}`, line 1: none of {} separates anything; say what does", path.display(), words.join(", "))
    })
}

/// The known separator most frequent in the first line outside quotes, in words too.
pub(super) fn most_frequent(start: &[u8]) -> Option<u8> {
    let mut counts = [0usize; KNOWN.len()];
    let mut is_quoted = false;
    for byte in start.iter().take_while(|byte| **byte != b'\n') {
        is_quoted ^= *byte == b'"';
        for (count, (separator, _)) in counts.iter_mut().zip(KNOWN) {
            *count += usize::from(!is_quoted && *byte == separator);
        }
    }
    let (count, (separator, _)) = counts.into_iter().zip(KNOWN).rev().max_by_key(|(count, _)| *count)?;
    (count > 0).then_some(separator)
}

/// A separator as messages name it.
pub(super) fn in_words(separator: u8) -> String {
    let known = KNOWN.iter().find(|(known, _)| *known == separator);
    known.map_or_else(|| format!("`{}`", separator.escape_ascii()), |(_, word)| (*word).to_owned())
}

#[cfg(test)]
mod tests {
    use super::guess;
    use std::path::Path;

    fn guessed(name: &str, start: &str) -> Option<u8> {
        guess(Path::new(name), start.as_bytes()).ok()
    }

    #[test]
    fn the_ending_counts_before_the_first_line() {
        assert_eq!(guessed("A.CSV.gz", "a;b"), Some(b','));
        assert_eq!(guessed("a.tsv", "a,b"), Some(b'\t'));
        assert_eq!(guessed("a.txt", "\"a,b,c\";d\n,,,,"), Some(b';'));
        assert_eq!(guessed("a.txt.gz", "a b,c d"), Some(b' '));
        assert_eq!(guessed("a.txt", "a\tb,c"), Some(b'\t'));
        assert_eq!(guessed("a.txt", "abc"), None);
    }
}
