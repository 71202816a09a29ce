//! What `uns` gets from this program: texts, nested by name.

use indexmap::IndexMap;

/// A text, or more of them by name; Python reads it as `str` or a nested `dict`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum TextTree {
    /// One text.
    Leaf(String),
    /// Named texts and branches, in order.
    Branch(IndexMap<String, TextTree>),
}

impl From<&str> for TextTree {
    fn from(text: &str) -> Self {
        Self::Leaf(text.to_owned())
    }
}

impl From<String> for TextTree {
    fn from(text: String) -> Self {
        Self::Leaf(text)
    }
}

impl<K: Into<String>, V: Into<TextTree>> FromIterator<(K, V)> for TextTree {
    fn from_iter<I: IntoIterator<Item = (K, V)>>(entries: I) -> Self {
        let entries = entries.into_iter().map(|(name, value)| (name.into(), value.into()));
        Self::Branch(entries.collect())
    }
}
