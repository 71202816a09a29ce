//! One change of a spec that leaves it TOML: random bytes hardly ever do.

use toml::{Table, Value};

use super::OVERRIDE;
use super::dice::Dice;
use super::words::{value, word};

/// More overrides than this say nothing new.
const MAX_OVERRIDES: usize = 4;

/// A text with some of its keys and values changed; none if it is no TOML.
pub fn changed(text: &str, seed: u32) -> Option<String> {
    let mut dice = Dice::new(seed);
    let mut root: Table = toml::from_str(text).ok()?;
    let mut overrides: Vec<String> =
        text.lines().filter(|line| line.starts_with(OVERRIDE)).map(str::to_owned).collect();
    for _ in 0..=dice.below(3) {
        change(&mut root, &mut dice);
    }
    if dice.below(8) == 0 && overrides.len() < MAX_OVERRIDES {
        let path: Vec<String> = path(&root, &mut dice);
        overrides.push(format!("{OVERRIDE}{}={}", path.join("."), value(&mut dice)).replace('\n', " "));
    }
    let body = toml::to_string(&root).ok()?;
    overrides.push(body);
    Some(overrides.join("\n"))
}

/// The keys down to something in the tree.
fn path(table: &Table, dice: &mut Dice) -> Vec<String> {
    let keys: Vec<&String> = table.keys().collect();
    let Some(key) = dice.of(&keys) else { return vec![word(dice)] };
    let mut found = vec![(*key).clone()];
    if let Value::Table(inner) = &table[key.as_str()]
        && dice.below(4) != 0
    {
        found.extend(path(inner, dice));
    }
    found
}

fn change(table: &mut Table, dice: &mut Dice) {
    let keys: Vec<String> = table.keys().cloned().collect();
    let Some(key) = dice.of(&keys).cloned() else {
        table.insert(word(dice), value(dice));
        return;
    };
    if let Some(inner) = table.get_mut(&key).filter(|_| dice.below(6) != 0) {
        match inner {
            Value::Table(inner) => return change(inner, dice),
            Value::Array(items) if !items.is_empty() => return change_list(items, dice),
            _ => {}
        }
    }
    match dice.below(6) {
        0 | 1 => drop(table.insert(key, value(dice))),
        2 => drop(table.remove(&key)),
        3 => {
            let moved = table.remove(&key);
            table.extend(moved.map(|moved| (word(dice), moved)));
        }
        4 => {
            let copied = table.get(&key).cloned();
            table.extend(copied.map(|copied| (word(dice), copied)));
        }
        _ => drop(table.insert(word(dice), value(dice))),
    }
}

fn change_list(items: &mut Vec<Value>, dice: &mut Dice) {
    let place = dice.below(items.len());
    match (dice.below(4), &mut items[place]) {
        (0, _) => items.push(value(dice)),
        (1, _) => drop(items.remove(place)),
        (_, Value::Table(inner)) => change(inner, dice),
        (_, item) => *item = value(dice),
    }
}
