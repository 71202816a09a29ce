//! Which of the matrices of an AnnData is meant.

use std::fmt;

/// One of the matrices of an AnnData.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Default)]
pub enum Layer {
    /// The main matrix.
    #[default]
    X,
    /// The matrix before features were chosen, with features of its own (`raw/X`).
    Raw,
    /// `layers/<name>`.
    Named(String),
}

impl Layer {
    /// Reads a layer as people write it: `X`, `raw` (or `raw/X`), `layers/counts` or plain `counts`.
    pub fn parse(text: &str) -> Self {
        match text {
            "X" => Self::X,
            "raw" | "raw/X" => Self::Raw,
            other => Self::Named(other.strip_prefix("layers/").unwrap_or(other).to_owned()),
        }
    }
}

impl fmt::Display for Layer {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::X => out.write_str("X"),
            Self::Raw => out.write_str("raw/X"),
            Self::Named(name) => write!(out, "layers/{name}"),
        }
    }
}
