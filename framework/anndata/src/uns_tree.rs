//! What `uns` gets from this program: texts and numbers, nested by name.

use indexmap::IndexMap;

/// A text, lists of texts or numbers, or more of them by name; Python reads `str`, arrays and nested `dict`s.
#[derive(Debug, Clone, PartialEq)]
pub enum UnsTree {
    /// One text.
    Text(String),
    /// A list of texts.
    Texts(Vec<String>),
    /// A list of numbers.
    Numbers(Vec<f64>),
    /// Named entries, in order.
    Branch(IndexMap<String, UnsTree>),
}

impl From<&str> for UnsTree {
    fn from(text: &str) -> Self {
        Self::Text(text.to_owned())
    }
}

impl From<String> for UnsTree {
    fn from(text: String) -> Self {
        Self::Text(text)
    }
}

impl From<Vec<String>> for UnsTree {
    fn from(texts: Vec<String>) -> Self {
        Self::Texts(texts)
    }
}

impl From<Vec<f64>> for UnsTree {
    fn from(numbers: Vec<f64>) -> Self {
        Self::Numbers(numbers)
    }
}

impl<K: Into<String>, V: Into<UnsTree>> FromIterator<(K, V)> for UnsTree {
    fn from_iter<I: IntoIterator<Item = (K, V)>>(entries: I) -> Self {
        let entries = entries.into_iter().map(|(name, value)| (name.into(), value.into()));
        Self::Branch(entries.collect())
    }
}
