//! An ablation file: a base spec, variants of it and seeds, read into one experiment per variant with every error at its line.

mod expand;
mod paper;
mod section;
mod values;

pub use paper::{Paper, paper_ablation};
pub(crate) use section::AblationSection;

use crate::catalogue::Catalogue;
use crate::diagnostic::Diagnostics;
use crate::document::{Node, parse};
use crate::read::{Written, read, stem, text_of, whole_text};
use crate::sections::{Reader, Site, properties, with_properties};
use crate::{check, suggest};
use expand::{Base, expand};
use framework::component::Problem;
use framework::spec::Experiment;
use indexmap::IndexMap;
use serde_json::json;
use std::path::{Path, PathBuf};
use toml::Table;

/// The name of the variant that is the base spec as it is.
pub const BASE: &str = "base";

/// A base spec, its variants and the seeds of each.
#[derive(Debug)]
pub struct Ablation {
    /// Its name: that of its file.
    pub name: String,
    /// The base spec.
    pub base: PathBuf,
    /// Seeds, each of which every variant is run with.
    pub seeds: Vec<u64>,
    /// Metrics that are compared; none where it is left to the program.
    pub metrics: Vec<String>,
    /// Metrics that are better the lower they are, beside those of which the program knows it.
    pub lower_is_better: Vec<String>,
    /// Differences of a metric up to which variants count as equivalent.
    pub margins: IndexMap<String, f64>,
    /// The variants, the base first.
    pub variants: Vec<Variant>,
}

/// A spec that differs from the base.
#[derive(Debug)]
pub struct Variant {
    /// Its name, which is also that of its folder.
    pub name: String,
    /// What replaces values of the base spec, as `--set` has it, and what is taken out, after a `!`.
    pub overrides: Vec<String>,
    /// What it resolves to.
    pub experiment: Experiment,
}

/// What is asked of a metric's name: nothing, or what is wrong with it for this experiment.
pub type MetricCheck<'a> = dyn Fn(&str, &Experiment) -> Option<Problem> + 'a;

/// An ablation file as it was written.
pub struct WrittenAblation<'a> {
    /// The file.
    pub path: &'a Path,
    /// Values that replace those of the base spec in every variant.
    pub overrides: &'a [String],
    /// Says what is wrong with the name of a metric.
    pub metric: &'a MetricCheck<'a>,
}

/// Reads an ablation file, its base spec and all of its variants.
///
/// # Errors
/// All that is wrong with the file or with any variant; or with the base spec, that alone.
pub fn read_ablation(written: &WrittenAblation<'_>, catalogue: &Catalogue) -> Result<Ablation, Diagnostics> {
    let path = written.path;
    let text = whole_text(path, "the ablation", written.overrides)?;
    let mut diagnostics = Diagnostics::new(path.display().to_string(), text.as_str(), written.overrides);
    let root = parse(&text, &mut diagnostics);
    let mut reader = Reader { catalogue: catalogue.clone(), diagnostics };
    if !reader.diagnostics.is_empty() {
        return Err(reader.diagnostics);
    }
    match of_file(&mut reader, &root, written)? {
        Some(ablation) if reader.diagnostics.is_empty() => Ok(ablation),
        _ => Err(reader.diagnostics),
    }
}

/// `Err` where the base spec is wrong; `None` where the file is.
fn of_file(reader: &mut Reader, root: &Node, written: &WrittenAblation<'_>) -> Result<Option<Ablation>, Diagnostics> {
    let Some(node) = ablation_table(reader, root) else { return Ok(None) };
    let site = Site { node, path: "ablation" };
    let Some(section) = reader.section::<AblationSection>(site, Table::new()) else { return Ok(None) };
    let planned = values::variants(reader, node, section.axes);
    if !reader.diagnostics.is_empty() {
        return Ok(None);
    }
    let folder = written.path.parent().unwrap_or(Path::new(""));
    let base = folder.join(&section.base);
    let base_text = match text_of(&base, "the base spec") {
        Ok(text) => text,
        Err((message, help)) => {
            reader.push(site, "base", format!("`{}`: {message}", base.display()), help);
            return Ok(None);
        }
    };
    let of_base = Base { path: &base, text: &base_text, overrides: written.overrides };
    let experiment = read(&Written { path: &base, text: &base_text, overrides: written.overrides }, &reader.catalogue)?;
    check_metrics(reader, node, &section, (&experiment, written.metric));
    let variants = expand(reader, &of_base, experiment, &planned);
    Ok(Some(Ablation {
        name: stem(written.path),
        base,
        seeds: section.seeds,
        metrics: section.metric,
        lower_is_better: section.lower_is_better,
        margins: section.margin,
        variants,
    }))
}

/// `[ablation]`, the only table of the file.
fn ablation_table<'a>(reader: &mut Reader, root: &'a Node) -> Option<&'a Node> {
    if root.get("ablation").is_none() && root.get("modality").is_some() {
        let help =
            "name it as `base` in the `[ablation]` of another file, or run a paper's ablations of it with `--paper`";
        let site = Site { node: root, path: "" };
        reader.push(site, "", "the file is a spec, not an ablation of one", Some(help.to_owned()));
        return None;
    }
    let keys = [("spec_version", json!(true)), ("ablation", json!(true))];
    let schema = with_properties(&keys, &json!({"additionalProperties": false}));
    check::check_table(root, &schema, "", &mut reader.diagnostics)?;
    let found = root.get("ablation").filter(|node| node.as_table().is_some());
    if found.is_none() && reader.diagnostics.is_empty() {
        let names: Vec<String> = properties::<AblationSection>().into_iter().map(|(name, _)| name).collect();
        let help = format!("begin it with `[ablation]` and `base = \"spec.toml\"`; keys: {}", names.join(", "));
        reader.push(Site { node: root, path: "" }, "", "the file holds no `[ablation]`", Some(help));
    }
    found
}

/// Tells metrics that the base cannot have, and margins of none.
fn check_metrics(
    reader: &mut Reader,
    node: &Node,
    section: &AblationSection,
    (experiment, metric): (&Experiment, &MetricCheck<'_>),
) {
    for (place, name) in section.metric.iter().enumerate() {
        if let Some(problem) = metric(name, experiment) {
            let place = node.place_of(&format!("metric[{place}]"));
            reader.diagnostics.push(place, format!("the metric `{name}` {}", problem.message), problem.help);
        }
    }
    let known: Vec<&str> = section.metric.iter().map(String::as_str).collect();
    for (place, name) in section.lower_is_better.iter().enumerate() {
        if !known.is_empty() && !known.contains(&name.as_str()) {
            let place = node.place_of(&format!("lower_is_better[{place}]"));
            let help = suggest::advice(name, "metrics", &known);
            reader.diagnostics.push(place, format!("`{name}` is no metric of the ablation"), Some(help));
        }
    }
    for (name, child) in node.get("margin").and_then(Node::as_table).into_iter().flatten() {
        if !known.is_empty() && !known.contains(&name.as_str()) {
            let help = suggest::advice(name, "metrics", &known);
            reader.diagnostics.push(child.key.clone(), format!("the margin of `{name}` is of no metric"), Some(help));
        }
    }
}

#[cfg(test)]
mod tests;
