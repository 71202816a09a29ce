//! The comparison for a terminal: a block for each metric, then the runs that failed.

use super::super::comparison::{ComparedMetric, ComparedRun, Comparison, MetricRow, RunState, Verdict};
use super::figures::MetricFigures;
use super::standing::{Standing, base_of};
use crate::drawing::lettering::{plain, shortened_to};
use crate::drawing::numbers::p_value;
use std::fmt::Write as _;

/// Widest line.
const COLUMNS: usize = 110;
/// Narrowest column of names.
const NAMES: usize = 10;
/// Between columns.
const GAP: usize = 2;
const HEADINGS: [&str; 6] = ["variant", "mean ± sd", "n", "difference [95 % interval]", "Holm p", "verdict"];
const RED: &str = "\u{1b}[31m";
const PLAIN: &str = "\u{1b}[0m";

/// The tables of all metrics and a line for each run that failed, at most 110 columns wide.
pub fn table_text(comparison: &Comparison, colour: bool) -> String {
    let mut text = String::new();
    for metric in &comparison.metrics {
        block(&mut text, metric, (base_of(comparison), colour));
        text.push('\n');
    }
    for note in &comparison.notes {
        let _ = writeln!(text, "note: {}", one_line(note));
    }
    for variant in &comparison.variants {
        for run in variant.runs.iter().filter(|run| run.state == RunState::Failed) {
            failure(&mut text, (&variant.name, run), colour);
        }
    }
    text.truncate(text.trim_end().len());
    text + "\n"
}

fn block(text: &mut String, metric: &ComparedMetric, (base, colour): (Option<&str>, bool)) {
    let figures = MetricFigures::of(metric);
    let _ = writeln!(text, "{}", heading(metric, &figures));
    let mut rows: Vec<[String; 6]> = vec![HEADINGS.map(str::to_owned)];
    rows.extend(metric.rows.iter().map(|row| cells(row, base, &figures)));
    let widest = |column: usize| rows.iter().map(|row| row[column].chars().count()).max().unwrap_or(0);
    let mut widths: [usize; 6] = std::array::from_fn(widest);
    let others: usize = widths[1..].iter().sum::<usize>() + 5 * GAP;
    widths[0] = widths[0].min(COLUMNS.saturating_sub(others).max(NAMES));
    let inks = metric.rows.iter().map(|row| if colour { ink(Standing::of(row, base)) } else { "" });
    for (row, ink) in rows.iter().zip(std::iter::once("").chain(inks)) {
        line(text, (row, &widths), ink);
    }
}

/// Name and title of a metric, which way is better, its margin and its unit.
fn heading(metric: &ComparedMetric, figures: &MetricFigures) -> String {
    let direction = if metric.higher_is_better { "higher is better" } else { "lower is better" };
    let margin = metric.margin.map(|margin| format!(", margin {margin}")).unwrap_or_default();
    let unit = match figures.values.multiplier() {
        unit if unit.is_empty() => unit,
        unit => format!(", in units of {}", unit.replace('×', "")),
    };
    let facts = format!(" ({direction}{margin}{unit})");
    let title = if metric.title.is_empty() { String::new() } else { format!(": {}", metric.title) };
    let title = one_line(&format!("{}{title}", metric.name));
    match title.chars().count() + facts.chars().count() <= COLUMNS {
        true => title + &facts,
        false => format!("{}\n{}", shortened_to(&title, COLUMNS), facts.trim_start()),
    }
}

fn cells(row: &MetricRow, base: Option<&str>, figures: &MetricFigures) -> [String; 6] {
    let standing = Standing::of(row, base);
    let n = if row.values.is_empty() { String::new() } else { row.values.len().to_string() };
    let (difference, p) = match standing {
        Standing::Compared(found) => {
            let difference = format!("{} {}", figures.difference(found), figures.interval(found.interval));
            (difference.trim_end().to_owned(), p_value(found.p_t_holm))
        }
        _ => (String::new(), String::new()),
    };
    [one_line(&row.variant), figures.mean(row), n, difference, p, standing.sentence()]
}

/// One row: names and verdicts start their column, numbers end it.
fn line(text: &mut String, (cells, widths): (&[String; 6], &[usize; 6]), ink: &str) {
    let [name, mean, n, difference, p, verdict] = cells;
    let name = shortened_to(name, widths[0]);
    let end = if ink.is_empty() { "" } else { PLAIN };
    let row = format!(
        "{name:<0$}  {mean:>1$}  {n:>2$}  {difference:>3$}  {p:>4$}  {ink}{verdict}{end}",
        widths[0], widths[1], widths[2], widths[3], widths[4]
    );
    let _ = writeln!(text, "{}", row.trim_end());
}

fn ink(standing: Standing<'_>) -> &'static str {
    match standing.verdict() {
        Some(Verdict::Better) => "\u{1b}[32m",
        Some(Verdict::Worse) => RED,
        Some(Verdict::Equivalent) => "\u{1b}[36m",
        Some(Verdict::Undecided) => "\u{1b}[33m",
        None => "\u{1b}[2m",
    }
}

fn failure(text: &mut String, (variant, run): (&str, &ComparedRun), colour: bool) {
    let (ink, end) = if colour { (RED, PLAIN) } else { ("", "") };
    let variant = shortened_to(&one_line(variant), 40);
    let reason = plain(run.reason.as_deref().unwrap_or("")).trim().to_owned();
    let is_error = |line: &&str| line.trim_start().starts_with("error");
    let told = reason.lines().find(is_error).or(reason.lines().last()).unwrap_or("it left no message").trim();
    let told = format!("failed: {variant}, seed {}: {}", run.seed, one_line(told));
    let told = shortened_at_end(&told);
    let _ = writeln!(text, "{ink}failed{end}{}", &told["failed".len()..]);
    let _ = writeln!(text, "        see {}", one_line(&run.directory));
}

fn shortened_at_end(text: &str) -> String {
    match text.char_indices().nth(COLUMNS - 1) {
        Some((end, last)) if end + last.len_utf8() < text.len() => format!("{}…", &text[..end]),
        _ => text.to_owned(),
    }
}

fn one_line(text: &str) -> String {
    plain(text).replace(['\n', '\t'], " ")
}

#[cfg(test)]
mod tests {
    use super::super::testing::{example, metric};
    use super::*;

    #[test]
    fn columns_are_aligned_and_words_say_the_verdict() {
        let text = table_text(&example(), false);
        let block: Vec<&str> = text.lines().take(7).collect();
        let expected = [
            "rna_to_protein.pearson: Pearson correlation of predicted protein (higher is better, margin 0.01)",
            "variant                   mean ± sd  n  difference [95 % interval]  Holm p  verdict",
            "cite_apollo         0.8120 ± 0.0035  5                                      base",
            "no_shared_decoders  0.7810 ± 0.0046  5  -0.0310 [-0.0329, -0.0291]   0.200  worse",
            "<script>&\"x         0.8130 ± 0.0056  5   +0.0010 [-0.0023, 0.0043]   0.200  equivalent (p 1e-5)",
            "shared_10           0.8160 ± 0.0087  5   +0.0040 [-0.0036, 0.0116]   0.200  undecided (needs 17 seeds)",
            "one_step                                                                    not applicable",
        ];
        assert_eq!(block, expected);
    }

    #[test]
    fn failed_runs_have_a_line_with_the_error() {
        let text = table_text(&example(), true);
        assert!(text.ends_with(
            "\u{1b}[31mfailed\u{1b}[0m: one_step, seed 1: error: the loss is not finite at epoch 3, step 412 & <the end>\n        see one_step/seed-1\n"
        ), "{text}");
        assert!(text.contains("\u{1b}[31mworse\u{1b}[0m\n"));
    }

    #[test]
    fn no_line_is_too_wide() {
        let long = "x".repeat(300);
        let about = (long.as_str(), "y", false, Some(0.123_456_789));
        let mut comparison = example();
        comparison.metrics.push(metric(about, &[(&long, vec![-1.5e9, 2.7e11]), ("b", vec![-1.5e11, 2e9])]));
        comparison.variants[4].runs[1].reason = Some("é".repeat(500));
        let text = table_text(&comparison, false);
        for line in text.lines() {
            assert!(line.chars().count() <= COLUMNS, "{line}");
        }
        assert!(text.contains('…') && !text.contains('\u{1b}'));
    }
}
