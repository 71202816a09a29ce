//! The text of a spec as a tree of keys and values that remember where they were written.
//!
//! Only TOML is known here: neither which keys exist nor what they mean.

use crate::diagnostic::{Diagnostics, Place};
use indexmap::IndexMap;
use toml::de::{DeTable, DeValue, Error};
use toml::{Spanned, Value};

/// A value, its key and where both were written.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Node {
    pub(crate) key: Place,
    pub(crate) place: Place,
    pub(crate) content: Content,
}

/// What a value holds.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Content {
    Table(Entries),
    List(Vec<Node>),
    Scalar(Value),
}

/// The keys of a table, in the order of the text.
pub(crate) type Entries = IndexMap<String, Node>;

impl Node {
    /// A table without keys that was written nowhere.
    pub(crate) fn empty_table() -> Node {
        Node { key: Place::Whole, place: Place::Whole, content: Content::Table(Entries::new()) }
    }

    /// A string where this node is.
    pub(crate) fn string_here(&self, text: &str) -> Node {
        let content = Content::Scalar(Value::String(text.to_owned()));
        Node { key: self.key.clone(), place: self.place.clone(), content }
    }

    pub(crate) fn as_table(&self) -> Option<&Entries> {
        match &self.content {
            Content::Table(entries) => Some(entries),
            _ => None,
        }
    }

    pub(crate) fn as_str(&self) -> Option<&str> {
        match &self.content {
            Content::Scalar(Value::String(text)) => Some(text),
            _ => None,
        }
    }

    /// The value of a key, if this is a table that has it.
    pub(crate) fn get(&self, key: &str) -> Option<&Node> {
        self.as_table()?.get(key)
    }

    /// The place that a path such as `split.hidden[1]` was written at, or of the deepest table above it: of the value if
    /// it is there, of the key of a table.
    pub(crate) fn place_of(&self, path: &str) -> Place {
        let mut node = self;
        let mut whole = true;
        for segment in segments(path) {
            let next = match (&node.content, &segment) {
                (Content::Table(entries), Segment::Key(key)) => entries.get(key),
                (Content::List(items), Segment::Index(index)) => items.get(*index),
                _ => None,
            };
            let Some(next) = next else {
                whole = false;
                break;
            };
            node = next;
        }
        if whole && node.as_table().is_none() { node.place.clone() } else { node.key.clone() }
    }
}

/// One step of a path.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Segment {
    Key(String),
    Index(usize),
}

impl Segment {
    /// The key, if it is one.
    pub(crate) fn into_key(self) -> Option<String> {
        match self {
            Segment::Key(key) => Some(key),
            Segment::Index(_) => None,
        }
    }
}

/// Splits a path such as `a.b[1].c`.
pub(crate) fn segments(path: &str) -> Vec<Segment> {
    let mut found = Vec::new();
    for part in path.split('.').filter(|part| !part.is_empty()) {
        let (key, indices) = part.split_once('[').unwrap_or((part, ""));
        if !key.is_empty() {
            found.push(Segment::Key(key.to_owned()));
        }
        let numbers = indices.split(['[', ']']).filter_map(|number| number.parse().ok());
        found.extend(numbers.map(Segment::Index));
    }
    found
}

/// Reads a text; syntax errors are pushed, and what could be read is returned.
pub(crate) fn parse(text: &str, diagnostics: &mut Diagnostics) -> Node {
    let (table, errors) = DeTable::parse_recoverable(text);
    push_syntax_errors(text, &errors, diagnostics);
    let mut root = Node::empty_table();
    root.content = Content::Table(entries(table.into_inner(), &mut Numbers { diagnostics }));
    root
}

/// Pushes the syntax errors, one per line: what follows an error on its line is a consequence of it.
fn push_syntax_errors(text: &str, errors: &[Error], diagnostics: &mut Diagnostics) {
    let mut lines = Vec::new();
    for error in errors {
        let span = error.span().unwrap_or(0..0);
        let line = text.get(..span.start).unwrap_or(text).matches('\n').count();
        if !lines.contains(&line) {
            lines.push(line);
            let written = text.get(span.clone()).unwrap_or_default();
            let message = match error.message() {
                "duplicate key" => format!("the key `{written}` is in this table already"),
                other => format!("not TOML: {other}"),
            };
            diagnostics.push(Place::Bytes(span), message, None);
        }
    }
}

/// Where numbers that do not fit are told.
struct Numbers<'a> {
    diagnostics: &'a mut Diagnostics,
}

fn entries(table: DeTable<'_>, numbers: &mut Numbers<'_>) -> Entries {
    let mut found = Entries::new();
    for (key, value) in table {
        let place = Place::Bytes(key.span());
        found.insert(key.into_inner().into_owned(), node(place, value, numbers));
    }
    found
}

fn node(key: Place, value: Spanned<DeValue<'_>>, numbers: &mut Numbers<'_>) -> Node {
    let place = Place::Bytes(value.span());
    let content = match value.into_inner() {
        DeValue::Table(table) => Content::Table(entries(table, numbers)),
        DeValue::Array(items) => {
            let items = items.into_iter().map(|item| {
                let place = Place::Bytes(item.span());
                node(place, item, numbers)
            });
            Content::List(items.collect())
        }
        scalar => Content::Scalar(numbers.scalar(scalar, &place)),
    };
    Node { key, place, content }
}

impl Numbers<'_> {
    fn scalar(&mut self, value: DeValue<'_>, place: &Place) -> Value {
        match value {
            DeValue::String(text) => Value::String(text.into_owned()),
            DeValue::Boolean(flag) => Value::Boolean(flag),
            DeValue::Datetime(when) => Value::Datetime(when),
            DeValue::Float(number) => {
                self.number(number.as_str().parse().map(Value::Float).ok(), number.as_str(), place)
            }
            DeValue::Integer(number) => {
                let parsed = i64::from_str_radix(number.as_str(), number.radix());
                self.number(parsed.map(Value::Integer).ok(), number.as_str(), place)
            }
            DeValue::Array(_) | DeValue::Table(_) => Value::Table(toml::Table::new()),
        }
    }

    fn number(&mut self, parsed: Option<Value>, written: &str, place: &Place) -> Value {
        parsed.unwrap_or_else(|| {
            let range = format!("from {} to {}", i64::MIN, i64::MAX);
            self.diagnostics.push(place.clone(), format!("the number {written} is too large"), Some(range));
            Value::Integer(0)
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> (Node, Diagnostics) {
        let mut diagnostics = Diagnostics::new("spec.toml", text, &[]);
        (parse(text, &mut diagnostics), diagnostics)
    }

    #[test]
    fn places_of_keys_values_and_what_is_missing() {
        let text = "[data]\npath = \"x\"\n[modality.rna]\nsteps = [\"a\", { n = 1 }]\n[modality.rna.encoder]\n";
        let (root, diagnostics) = read(text);
        assert!(diagnostics.is_empty(), "{diagnostics}");
        let at = |path: &str| match root.place_of(path) {
            Place::Bytes(bytes) => &text[bytes],
            _ => "",
        };
        assert_eq!(at("data.path"), "\"x\"");
        assert_eq!(at("data"), "data");
        assert_eq!(at("data.split.test"), "data");
        assert_eq!(at("modality.rna.steps[1].n"), "1");
        assert_eq!(at("modality.rna.encoder"), "encoder");
        assert_eq!(at("nothing"), "");
    }

    #[test]
    fn every_line_with_a_syntax_error_is_told() {
        let (_, diagnostics) = read("a = \nb = 1\nc = [1,\nd = 99999999999999999999\n");
        let lines: Vec<_> = diagnostics.sorted().iter().filter_map(|one| diagnostics.position(&one.place)).collect();
        assert!(lines.iter().any(|at| at.line == 1) && lines.len() >= 2, "{diagnostics}");
        let (_, large) = read("d = 99999999999999999999\n");
        assert!(large.to_string().contains("too large"), "{large}");
    }
}
