//! An error with its place: file, line, column, the source line with a caret, and help.
//!
//! Only the picture is made here; what is wrong is said by the readers.

use crate::overrides::UNSET;
use std::fmt;
use std::ops::Range;

/// Where a piece of a spec was written.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub enum Place {
    /// Nowhere in particular: the spec as a whole.
    #[default]
    Whole,
    /// These bytes of the file.
    Bytes(Range<usize>),
    /// The override of this index (`--set`, `--unset`).
    Override(usize),
}

/// One error of a spec.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Diagnostic {
    /// What is wrong, and what was expected.
    pub message: String,
    /// Where.
    pub place: Place,
    /// What to do.
    pub help: Option<String>,
}

/// Line and column of a place in the file, counted from 1; columns count characters.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Position {
    /// Line.
    pub line: usize,
    /// Column.
    pub column: usize,
}

/// All errors of a spec, with the text that they point into.
#[derive(Debug, Clone)]
pub struct Diagnostics {
    file: String,
    text: String,
    overrides: Vec<String>,
    list: Vec<Diagnostic>,
}

impl Diagnostics {
    /// No errors yet, for a file of this name and text, read with these overrides.
    pub fn new(file: impl Into<String>, text: impl Into<String>, overrides: &[String]) -> Diagnostics {
        Diagnostics { file: file.into(), text: text.into(), overrides: overrides.to_vec(), list: Vec::new() }
    }

    /// Adds an error; one that says the same at the same place is dropped.
    pub fn push(&mut self, place: Place, message: impl Into<String>, help: Option<String>) {
        let diagnostic = Diagnostic { message: message.into(), place, help };
        if !self.list.contains(&diagnostic) {
            self.list.push(diagnostic);
        }
    }

    /// Whether nothing is wrong.
    pub fn is_empty(&self) -> bool {
        self.list.is_empty()
    }

    /// Number of errors.
    pub fn len(&self) -> usize {
        self.list.len()
    }

    /// The name of the file.
    pub fn file(&self) -> &str {
        &self.file
    }

    /// The errors by position: those of the spec as a whole, then of the file, then of the overrides.
    pub fn sorted(&self) -> Vec<&Diagnostic> {
        let mut list: Vec<&Diagnostic> = self.list.iter().collect();
        list.sort_by_key(|diagnostic| match &diagnostic.place {
            Place::Whole => (0, 0),
            Place::Bytes(bytes) => (1, bytes.start),
            Place::Override(index) => (2, *index),
        });
        list
    }

    /// Line and column of a place; `None` for places outside the file.
    pub fn position(&self, place: &Place) -> Option<Position> {
        let Place::Bytes(bytes) = place else { return None };
        let (start, _) = line_around(&self.text, bytes.start);
        let line = self.text[..start].matches('\n').count() + 1;
        let column = self.text[start..floor(&self.text, bytes.start.max(start))].chars().count() + 1;
        Some(Position { line, column })
    }

    /// The override that a place is in, as it was written.
    pub fn overridden_by(&self, place: &Place) -> Option<&str> {
        match place {
            Place::Override(index) => self.overrides.get(*index).map(String::as_str),
            _ => None,
        }
    }

    /// The picture of all errors, in colour if asked.
    pub fn render(&self, colour: bool) -> String {
        let paint = Paint { colour };
        let pictures: Vec<String> = self.sorted().into_iter().map(|one| self.picture(one, paint)).collect();
        pictures.join("\n")
    }

    fn picture(&self, diagnostic: &Diagnostic, paint: Paint) -> String {
        let mut lines = format!("{} {}\n", paint.red("error:"), paint.bold(&diagnostic.message));
        let arrow = paint.blue("-->");
        match (self.position(&diagnostic.place), self.overridden_by(&diagnostic.place)) {
            (Some(position), _) => {
                lines += &format!("  {arrow} {}:{}:{}\n", self.file, position.line, position.column);
                lines += &self.snippet(&diagnostic.place, position, paint);
            }
            (None, Some(text)) => lines += &format!("  {arrow} {}\n", as_written(text)),
            (None, None) => lines += &format!("  {arrow} {}\n", self.file),
        }
        if let Some(help) = &diagnostic.help {
            lines += &format!("{} {help}\n", paint.cyan("help:"));
        }
        lines
    }

    fn snippet(&self, place: &Place, position: Position, paint: Paint) -> String {
        let Place::Bytes(bytes) = place else { return String::new() };
        let (start, end) = line_around(&self.text, bytes.start);
        let from = floor(&self.text, bytes.start.clamp(start, end));
        let to = floor(&self.text, bytes.end.clamp(from, end));
        let n_carets = self.text[from..to].chars().count().max(1);
        let number = position.line.to_string();
        let gap = " ".repeat(number.len());
        let carets = format!("{}{}", " ".repeat(position.column - 1), "^".repeat(n_carets));
        format!(
            " {gap} {bar}\n {number} {bar} {source}\n {gap} {bar} {carets}\n",
            bar = paint.blue("|"),
            number = paint.blue(&number),
            source = visible(&self.text[start..end]),
            carets = paint.red(&carets),
        )
    }
}

impl fmt::Display for Diagnostics {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.render(false).trim_end())
    }
}

impl std::error::Error for Diagnostics {}

/// An override as it is written on the command line.
fn as_written(text: &str) -> String {
    match text.strip_prefix(UNSET) {
        Some(key) => format!("--unset {}", visible(key)),
        None => format!("--set {}", visible(text)),
    }
}

/// Start and end of the line that a byte is in, without its newline.
fn line_around(text: &str, byte: usize) -> (usize, usize) {
    let byte = floor(text, byte);
    let start = text[..byte].rfind('\n').map_or(0, |newline| newline + 1);
    let end = text[byte..].find('\n').map_or(text.len(), |newline| byte + newline);
    (start, end)
}

/// The nearest start of a character at or before a byte.
fn floor(text: &str, byte: usize) -> usize {
    (0..=byte.min(text.len())).rev().find(|&at| text.is_char_boundary(at)).unwrap_or(0)
}

/// The text with control characters (tabs, escapes) as single spaces, so that carets stay in their columns.
fn visible(text: &str) -> String {
    text.trim_end_matches('\r').chars().map(|letter| if letter.is_control() { ' ' } else { letter }).collect()
}

#[derive(Clone, Copy)]
struct Paint {
    colour: bool,
}

impl Paint {
    fn with(self, code: &str, text: &str) -> String {
        if self.colour { format!("\x1b[{code}m{text}\x1b[0m") } else { text.to_owned() }
    }

    fn red(self, text: &str) -> String {
        self.with("1;31", text)
    }

    fn bold(self, text: &str) -> String {
        self.with("1", text)
    }

    fn blue(self, text: &str) -> String {
        self.with("1;34", text)
    }

    fn cyan(self, text: &str) -> String {
        self.with("1;36", text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn one(text: &str, place: Place) -> Diagnostics {
        let mut list = Diagnostics::new("cite_seq.toml", text, &["a.b=c".to_owned()]);
        list.push(place, "unknown key `n_latents` in `[latent.shared]`", Some("did you mean `dim`?".into()));
        list
    }

    #[test]
    fn the_caret_is_below_the_word() {
        insta::assert_snapshot!(one("[latent.shared]\nn_latents = 5\n", Place::Bytes(16..25)), @r"
        error: unknown key `n_latents` in `[latent.shared]`
          --> cite_seq.toml:2:1
           |
         2 | n_latents = 5
           | ^^^^^^^^^
        help: did you mean `dim`?
        ");
    }

    #[test]
    fn overrides_and_whole_specs_have_no_line() {
        insta::assert_snapshot!(one("", Place::Override(0)), @r"
        error: unknown key `n_latents` in `[latent.shared]`
          --> --set a.b=c
        help: did you mean `dim`?
        ");
        assert!(one("", Place::Whole).to_string().contains("  --> cite_seq.toml\n"));
    }

    #[test]
    fn no_place_is_too_odd() {
        let text = "é\t= \"x\"\r\nü";
        for start in 0..text.len() + 3 {
            for end in start..text.len() + 3 {
                assert!(one(text, Place::Bytes(start..end)).to_string().contains('^'));
            }
        }
    }

    #[test]
    fn columns_count_characters() {
        let list = one("é = 1, b", Place::Bytes(8..9));
        assert_eq!(list.position(&Place::Bytes(8..9)), Some(Position { line: 1, column: 8 }));
    }

    #[test]
    fn colour_only_if_asked() {
        let list = one("x", Place::Bytes(0..1));
        assert!(list.render(true).contains("\x1b[") && !list.render(false).contains('\x1b'));
    }
}
