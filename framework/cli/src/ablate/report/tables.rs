//! What the page says, as its template reads it: all texts and numbers as they are to be seen.

use super::super::comparison::{
    ComparedMetric, ComparedRun, ComparedVariant, Comparison, Difference, MetricRow, RunState,
};
use super::curves::{stage_picture, stages};
use super::dots::metric_picture;
use super::figures::MetricFigures;
use super::standing::{Standing, base_of, row_of};
use crate::drawing::lettering::plain;
use crate::drawing::numbers::{effect, p_value, with_minus};
use serde::Serialize;

/// The whole page.
#[derive(Debug, Serialize)]
pub struct Page {
    name: String,
    made_by: String,
    headline: String,
    metrics: Vec<MetricPart>,
    verdicts: Vec<VerdictRow>,
    stages: Vec<StagePart>,
    variants: Vec<VariantPart>,
    failures: Vec<FailurePart>,
    notes: Vec<String>,
    has_margin: bool,
}

#[derive(Debug, Serialize)]
struct MetricPart {
    name: String,
    title: String,
    direction: &'static str,
    margin: Option<String>,
    multiplier: String,
    is_compared: bool,
    picture: String,
    rows: Vec<NumbersRow>,
}

#[derive(Debug, Serialize)]
struct NumbersRow {
    variant: String,
    mean: String,
    n: usize,
    difference: String,
    interval: String,
    bootstrap_interval: String,
    /// Of the t-test, Wilcoxon's, the t-test after Holm, equivalence, equivalence after Holm.
    p_values: [String; 5],
    effect_size: String,
    verdict: VerdictCell,
}

#[derive(Debug, Serialize)]
struct VerdictRow {
    variant: String,
    cells: Vec<VerdictCell>,
}

#[derive(Debug, Serialize)]
struct VerdictCell {
    class: &'static str,
    sign: &'static str,
    word: String,
    /// Mean difference and interval, the mean of the base, or why there is none.
    detail: String,
}

#[derive(Debug, Serialize)]
struct StagePart {
    name: String,
    picture: String,
}

#[derive(Debug, Serialize)]
struct VariantPart {
    name: String,
    changes: Vec<[Option<String>; 3]>,
}

#[derive(Debug, Serialize)]
struct FailurePart {
    variant: String,
    seed: u64,
    directory: String,
    reason: String,
}

impl Page {
    /// All that is on the page of a comparison.
    pub fn of(comparison: &Comparison, made_by: &str) -> Page {
        let base = base_of(comparison);
        let stage = |name: &str| StagePart { name: plain(name), picture: stage_picture(comparison, name) };
        Page {
            name: plain(&comparison.name),
            made_by: plain(made_by),
            headline: headline(comparison),
            metrics: comparison.metrics.iter().map(|metric| metric_part(metric, base)).collect(),
            verdicts: verdicts(comparison),
            stages: stages(comparison).into_iter().map(stage).collect(),
            variants: variants(comparison),
            failures: failures(comparison),
            notes: comparison.notes.iter().map(|note| plain(note)).collect(),
            has_margin: comparison.metrics.iter().any(|metric| metric.margin.is_some()),
        }
    }
}

/// The base, how many variants and seeds, and what became of the runs.
fn headline(comparison: &Comparison) -> String {
    let Some((base, variants)) = comparison.variants.split_first() else { return "No variants.".to_owned() };
    let runs = || comparison.variants.iter().flat_map(|variant| &variant.runs);
    let mut seeds: Vec<u64> = runs().map(|run| run.seed).collect();
    seeds.sort_unstable();
    seeds.dedup();
    let n_of = |wanted: RunState| runs().filter(|run| run.state == wanted).count();
    let states = [RunState::Done, RunState::Failed, RunState::Running, RunState::Pending];
    let told = states.into_iter().filter(|wanted| *wanted == RunState::Done || n_of(*wanted) > 0);
    let told: Vec<String> = told.map(|wanted| format!("{} {}", n_of(wanted), wanted.name())).collect();
    let beside = match variants.len() {
        0 => "alone".to_owned(),
        n => format!("against {}", counted(n, "variant")),
    };
    let listed = if seeds.len() <= 12 { format!(" ({})", joined(&seeds)) } else { String::new() };
    let (seeds, runs) = (counted(seeds.len(), "seed"), counted(runs().count(), "run"));
    let base = if base.name == registry::BASE {
        "The base spec".to_owned()
    } else {
        format!("The base {}", plain(&base.name))
    };
    format!("{base} {beside}, {seeds}{listed}: {runs}, of which {}.", told.join(", "))
}

fn counted(n: usize, what: &str) -> String {
    if n == 1 { format!("1 {what}") } else { format!("{n} {what}s") }
}

fn joined(seeds: &[u64]) -> String {
    seeds.iter().map(u64::to_string).collect::<Vec<_>>().join(", ")
}

fn metric_part(metric: &ComparedMetric, base: Option<&str>) -> MetricPart {
    let figures = MetricFigures::of(metric);
    MetricPart {
        name: plain(&metric.name),
        title: plain(&metric.title),
        direction: if metric.higher_is_better { "higher is better" } else { "lower is better" },
        margin: metric.margin.map(|margin| margin.to_string()),
        multiplier: figures.values.multiplier(),
        is_compared: metric.rows.iter().any(|row| row.difference.is_some()),
        picture: metric_picture(metric, base, figures.values),
        rows: metric.rows.iter().map(|row| numbers_row(row, base, &figures)).collect(),
    }
}

fn numbers_row(row: &MetricRow, base: Option<&str>, figures: &MetricFigures) -> NumbersRow {
    let standing = Standing::of(row, base);
    let difference = match standing {
        Standing::Compared(difference) => Some(difference),
        _ => None,
    };
    let p_of = |p: fn(&Difference) -> Option<f64>| difference.map_or(String::new(), |found| p_value(p(found)));
    let why = if let Standing::NotApplicable(why) = standing { plain(why) } else { String::new() };
    NumbersRow {
        variant: plain(&row.variant),
        mean: with_minus(&figures.mean(row)),
        n: row.values.len(),
        difference: difference.map_or(String::new(), |found| with_minus(&figures.difference(found))),
        interval: difference.map_or(String::new(), |found| with_minus(&figures.interval(found.interval))),
        bootstrap_interval: with_minus(&figures.interval(difference.and_then(|found| found.bootstrap_interval))),
        p_values: [
            p_of(|found| found.p_t),
            p_of(|found| found.p_wilcoxon),
            p_of(|found| found.p_t_holm),
            p_of(|found| found.p_equivalence),
            p_of(|found| found.p_equivalence_holm),
        ],
        effect_size: difference.map_or(String::new(), |found| with_minus(&effect(found.effect_size))),
        verdict: VerdictCell { detail: why, ..VerdictCell::of(standing) },
    }
}

impl VerdictCell {
    fn of(standing: Standing<'_>) -> VerdictCell {
        let word = match standing {
            Standing::Compared(found) => match found.n_seeds_to_decide {
                Some(n_seeds) if standing.word() == "undecided" => format!("undecided (would need {n_seeds} seeds)"),
                _ => standing.word().to_owned(),
            },
            _ => standing.word().to_owned(),
        };
        let class = if standing.verdict().is_some() { standing.word() } else { "none" };
        VerdictCell { class, sign: standing.sign(), word, detail: String::new() }
    }
}

fn verdicts(comparison: &Comparison) -> Vec<VerdictRow> {
    let base = base_of(comparison);
    let figures: Vec<MetricFigures> = comparison.metrics.iter().map(MetricFigures::of).collect();
    let row = |variant: &str| {
        let cells = comparison.metrics.iter().zip(&figures);
        let cells = cells.map(|(metric, figures)| verdict_cell(row_of(metric, variant), base, figures)).collect();
        VerdictRow { variant: plain(variant), cells }
    };
    comparison.variants.iter().map(|variant| row(&variant.name)).collect()
}

fn verdict_cell(row: Option<&MetricRow>, base: Option<&str>, figures: &MetricFigures) -> VerdictCell {
    let Some(row) = row else { return VerdictCell::of(Standing::NoResult) };
    let standing = Standing::of(row, base);
    let detail = match standing {
        Standing::Base | Standing::NoPair => figures.mean(row),
        Standing::Compared(found) => format!("{} {}", figures.difference(found), figures.interval(found.interval)),
        _ => String::new(),
    };
    let detail = match standing {
        Standing::NotApplicable(why) => plain(why),
        _ => with_minus(detail.trim_end()),
    };
    VerdictCell { detail, ..VerdictCell::of(standing) }
}

/// Where the spec of each variant but the base differs.
fn variants(comparison: &Comparison) -> Vec<VariantPart> {
    let cell = |text: &Option<String>| text.as_deref().map(plain);
    let variants = comparison.variants.iter().skip(1);
    let part = |variant: &ComparedVariant| VariantPart {
        name: plain(&variant.name),
        changes: variant
            .changes
            .iter()
            .map(|change| [Some(plain(&change.key)), cell(&change.base), cell(&change.variant)])
            .collect(),
    };
    variants.map(part).collect()
}

fn failures(comparison: &Comparison) -> Vec<FailurePart> {
    let runs = comparison.variants.iter().flat_map(|variant| variant.runs.iter().map(move |run| (variant, run)));
    let failed = runs.filter(|(_, run)| run.state == RunState::Failed);
    let part = |(variant, run): (&ComparedVariant, &ComparedRun)| FailurePart {
        variant: plain(&variant.name),
        seed: run.seed,
        directory: plain(&run.directory),
        reason: plain(run.reason.as_deref().unwrap_or("It left no message.")),
    };
    failed.map(part).collect()
}
