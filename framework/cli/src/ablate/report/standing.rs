//! Where a variant stands in a metric, in a word, a sign and a colour.

use super::super::comparison::{ComparedMetric, Comparison, Difference, MetricRow, Verdict};
use crate::drawing::numbers::p_value;

/// Where a variant stands beside the base.
#[derive(Debug, Clone, Copy)]
pub enum Standing<'a> {
    /// It is the base.
    Base,
    /// No run of it has ended well.
    NoResult,
    /// It has values, but no seed in common with the base.
    NoPair,
    /// The metric cannot be had for it, and why.
    NotApplicable(&'a str),
    /// It was compared.
    Compared(&'a Difference),
}

impl<'a> Standing<'a> {
    /// Where the variant of a row stands.
    pub fn of(row: &'a MetricRow, base: Option<&str>) -> Standing<'a> {
        match (&row.not_applicable, &row.difference) {
            (Some(why), _) if row.values.is_empty() => Standing::NotApplicable(why),
            _ if row.values.is_empty() => Standing::NoResult,
            _ if base == Some(&row.variant) => Standing::Base,
            (_, Some(difference)) => Standing::Compared(difference),
            (_, None) => Standing::NoPair,
        }
    }

    /// It in a word, never by colour alone.
    pub fn word(self) -> &'static str {
        match self {
            Standing::Base => "base",
            Standing::NoResult => "no result",
            Standing::NoPair => "no common seed",
            Standing::NotApplicable(_) => "not applicable",
            Standing::Compared(difference) => difference.verdict.word(),
        }
    }

    /// A sign beside the word.
    pub fn sign(self) -> &'static str {
        match self.verdict() {
            Some(Verdict::Better) => "✓",
            Some(Verdict::Worse) => "✗",
            Some(Verdict::Equivalent) => "≈",
            Some(Verdict::Undecided) => "?",
            None => "",
        }
    }

    /// The word, how many seeds would decide and how sure an equivalence is.
    pub fn sentence(self) -> String {
        let Standing::Compared(difference) = self else { return self.word().to_owned() };
        match (difference.verdict, difference.n_seeds_to_decide) {
            (Verdict::Undecided, Some(n_seeds)) => format!("undecided (needs {n_seeds} seeds)"),
            (Verdict::Undecided, None) if difference.n_pairs == 1 => "undecided (only 1 seed)".to_owned(),
            (Verdict::Equivalent, _) => format!("equivalent (p {})", p_value(difference.p_equivalence_holm)),
            _ => self.word().to_owned(),
        }
    }

    /// A colour of Okabe & Ito.
    pub fn colour(self) -> &'static str {
        match self.verdict() {
            Some(Verdict::Better) => "#009E73",
            Some(Verdict::Worse) => "#D55E00",
            Some(Verdict::Equivalent) => "#0072B2",
            _ => "#666666",
        }
    }

    /// The verdict where there is one.
    pub fn verdict(self) -> Option<Verdict> {
        match self {
            Standing::Compared(difference) => Some(difference.verdict),
            _ => None,
        }
    }
}

/// Name of the base.
pub fn base_of(comparison: &Comparison) -> Option<&str> {
    comparison.variants.first().map(|variant| variant.name.as_str())
}

/// Row of a variant in a metric.
pub fn row_of<'a>(metric: &'a ComparedMetric, variant: &str) -> Option<&'a MetricRow> {
    metric.rows.iter().find(|row| row.variant == variant)
}

/// Seed and difference to the base of each seed that both have.
pub fn paired(row: &MetricRow, base: &MetricRow) -> Vec<(u64, f64)> {
    let of_base = |seed: u64| base.values.iter().find(|(of_base, _)| *of_base == seed);
    row.values.iter().filter_map(|(seed, value)| of_base(*seed).map(|(_, base)| (*seed, value - base))).collect()
}
