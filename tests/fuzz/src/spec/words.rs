//! Words that specs are made of, as their schema has them, and values at the edges.

use std::collections::BTreeSet;
use std::sync::LazyLock;

use registry::{ablation_schema, spec_schema};
use serde_json::Value as Schema;
use toml::Value;

use super::CATALOGUE;
use super::dice::Dice;

/// Keys, names of components and choices of all specs and ablations.
static WORDS: LazyLock<Vec<String>> = LazyLock::new(|| {
    let mut found = BTreeSet::new();
    collect(&spec_schema(&CATALOGUE), &mut found);
    collect(&ablation_schema(), &mut found);
    found.extend(["", "a.b", "a b", "ä", "\"", "rna.decoder", "__", "shared", "specific"].map(str::to_owned));
    found.into_iter().collect()
});

const WHOLE: [i64; 12] = [0, 1, -1, 2, 7, 64, 65_536, 65_537, 4_294_967_296, i64::MAX, i64::MIN, 9_007_199_254_740_993];
const REAL: [f64; 12] =
    [0.0, -0.0, 1.0, 0.5, -0.5, 1e-300, 1e300, 1e-5, f64::NAN, f64::INFINITY, f64::NEG_INFINITY, 0.999_999_999];

fn collect(schema: &Schema, found: &mut BTreeSet<String>) {
    match schema {
        Schema::Object(table) => {
            for (key, value) in table {
                match (key.as_str(), value) {
                    ("properties", Schema::Object(named)) => found.extend(named.keys().cloned()),
                    ("const", Schema::String(word)) => drop(found.insert(word.clone())),
                    ("enum", Schema::Array(words)) => {
                        found.extend(words.iter().filter_map(Schema::as_str).map(str::to_owned));
                    }
                    _ => {}
                }
                collect(value, found);
            }
        }
        Schema::Array(items) => items.iter().for_each(|item| collect(item, found)),
        _ => {}
    }
}

/// Any word.
pub(super) fn word(dice: &mut Dice) -> String {
    dice.of(&WORDS).cloned().unwrap_or_default()
}

/// Any value, seldom a deep one.
pub(super) fn value(dice: &mut Dice) -> Value {
    match dice.below(16) {
        0..4 => Value::String(word(dice)),
        4..7 => dice.of(&WHOLE).copied().unwrap_or_default().into(),
        7..10 => dice.of(&REAL).copied().unwrap_or_default().into(),
        10 => Value::Boolean(dice.below(2) == 0),
        11 => Value::Integer(dice.below(300) as i64),
        12 | 13 => Value::Array((0..dice.below(4)).map(|_| value(dice)).collect()),
        14 => Value::Table((0..dice.below(3)).map(|_| (word(dice), value(dice))).collect()),
        _ => "1979-05-27T07:32:00Z".parse().map_or(Value::Boolean(true), Value::Datetime),
    }
}
