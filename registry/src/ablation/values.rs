//! Variants and axes as lists of overrides, each with the place that it was written at.

use super::BASE;
use super::expand::Planned;
use super::section::Axes;
use crate::check::plain;
use crate::diagnostic::Place;
use crate::document::{Content, Node};
use crate::overrides::UNSET;
use crate::sections::Reader;
use toml::Value;

/// Most variants of an ablation.
const MAX_VARIANTS: usize = 10_000;

/// The variants of `[ablation]`: named ones, then those of its axes.
pub(super) fn variants(reader: &mut Reader, ablation: &Node, axes: Axes) -> Vec<Planned> {
    let mut planned = Vec::new();
    for (name, node) in ablation.get("variant").and_then(Node::as_table).into_iter().flatten() {
        if let Some(wrong) = wrong_name(name) {
            reader.diagnostics.push(node.key.clone(), format!("a variant cannot be called `{name}`: {wrong}"), None);
            continue;
        }
        let one = named(name, node);
        if one.overrides.is_empty() {
            let help = "name what differs: `set = { \"model.shared_decoders\" = false }`".to_owned();
            reader.diagnostics.push(node.key.clone(), format!("the variant `{name}` changes nothing"), Some(help));
        }
        planned.push(one);
    }
    let axis = ablation.get("axis").map(|node| leaves(node, "")).unwrap_or_default();
    let axis: Vec<Axis> = axis.into_iter().filter_map(|leaf| Axis::of(reader, leaf)).collect();
    let is_crossed = axes == Axes::Crossed;
    let n_combinations = axis.iter().try_fold(1usize, |n, axis| n.checked_mul(axis.values.len()));
    if is_crossed && n_combinations.is_none_or(|n| n > MAX_VARIANTS) {
        let help = "leave axes out, or set `axes = \"one_at_a_time\"`".to_owned();
        let message = format!("the axes make more than {MAX_VARIANTS} variants");
        reader.diagnostics.push(ablation.place_of("axis"), message, Some(help));
        return planned;
    }
    planned.extend(if is_crossed { crossed(&axis) } else { one_at_a_time(&axis) });
    planned
}

/// What is wrong with the name of a variant, which is also that of a folder.
fn wrong_name(name: &str) -> Option<&'static str> {
    let fits = |letter: char| letter.is_ascii_alphanumeric() || "_-+=.,".contains(letter);
    match name {
        BASE => Some("that is the base spec as it is"),
        name if name.is_empty() || name.starts_with(['.', '-']) || name.len() > 100 || !name.chars().all(fits) => {
            Some("it names a folder, so use letters, digits, `_`, `-`, `+`, `=`, `.` and `,`, not `.` or `-` first")
        }
        _ => None,
    }
}

fn named(name: &str, node: &Node) -> Planned {
    let mut planned = Planned::new(name, node.key.clone(), false);
    let unset = node.get("unset").map(|node| &node.content);
    if let Some(Content::List(items)) = unset {
        for item in items {
            if let Some(key) = item.as_str() {
                planned.push(format!("{UNSET}{key}"), item.place.clone());
            }
        }
    }
    for leaf in node.get("set").map(|node| leaves(node, "")).unwrap_or_default() {
        planned.push(format!("{}={}", leaf.path, plain(leaf.node)), leaf.node.key.clone());
    }
    planned
}

/// A value of a table of values, with its whole key.
struct Leaf<'a> {
    path: String,
    node: &'a Node,
}

/// All values below a table: tables are walked into, so that `model = { shared = 5 }` is `model.shared = 5`.
fn leaves<'a>(node: &'a Node, path: &str) -> Vec<Leaf<'a>> {
    let Some(entries) = node.as_table() else {
        return vec![Leaf { path: path.to_owned(), node }];
    };
    let below = |key: &str| if path.is_empty() { key.to_owned() } else { format!("{path}.{key}") };
    entries.iter().flat_map(|(key, node)| leaves(node, &below(key))).collect()
}

/// A key of the spec and the values that it takes.
struct Axis<'a> {
    path: String,
    values: Vec<(Value, &'a Node)>,
    key: Place,
}

impl<'a> Axis<'a> {
    fn of(reader: &mut Reader, leaf: Leaf<'a>) -> Option<Axis<'a>> {
        let values = match &leaf.node.content {
            Content::List(items) if !items.is_empty() => items.iter().map(|item| (plain(item), item)).collect(),
            _ => {
                let message = format!("the axis `{}` is no list of values", leaf.path);
                reader.diagnostics.push(
                    leaf.node.place.clone(),
                    message,
                    Some("write it as `[10, 50, 100]`".to_owned()),
                );
                return None;
            }
        };
        Some(Axis { path: leaf.path, values, key: leaf.node.key.clone() })
    }

    /// The last key of the path, as variants are named.
    fn short(&self) -> &str {
        self.path.rsplit('.').next().unwrap_or(&self.path).trim_matches('"')
    }
}

/// `shared=10`, or `model.shared=10` where another axis ends in the same key.
fn label(axes: &[Axis<'_>], axis: &Axis<'_>, value: &Value) -> String {
    let is_alone = axes.iter().filter(|other| other.short() == axis.short()).count() == 1;
    let key = if is_alone { axis.short() } else { &axis.path };
    let fits = |letter: char| letter.is_ascii_alphanumeric() || "_-+.".contains(letter);
    let text: String = value.to_string().chars().map(|letter| if fits(letter) { letter } else { ' ' }).collect();
    format!("{key}={}", text.split_whitespace().collect::<Vec<_>>().join("-"))
}

fn one_at_a_time(axes: &[Axis<'_>]) -> Vec<Planned> {
    axes.iter().flat_map(|axis| variants_of(axes, axis)).collect()
}

fn crossed(axes: &[Axis<'_>]) -> Vec<Planned> {
    let Some((first, others)) = axes.split_first() else { return Vec::new() };
    let mut combinations = variants_of(axes, first);
    for axis in others {
        let steps = variants_of(axes, axis);
        combinations =
            combinations.iter().flat_map(|planned| steps.iter().map(move |step| planned.and(step))).collect();
    }
    combinations
}

/// One variant for each value of an axis.
fn variants_of(axes: &[Axis<'_>], axis: &Axis<'_>) -> Vec<Planned> {
    let one = |(value, node): &(Value, &Node)| {
        let mut planned = Planned::new(&label(axes, axis, value), axis.key.clone(), true);
        planned.push(format!("{}={value}", axis.path), node.place.clone());
        planned
    };
    axis.values.iter().map(one).collect()
}
