//! The page of one component on a terminal, and as JSON.

use framework::component::ComponentInfo;
use registry::Catalogue;
use registry::reference::{Key, Unwritten, in_spec, keys};
use serde_json::{Value, json};

/// Columns that a page takes at most.
const WIDTH: usize = 100;

/// What the component does, its keys, and an example.
pub(super) fn page(catalogue: &Catalogue, info: &ComponentInfo) -> String {
    let schema = (info.schema)();
    let mut page = format!("{} ({})\n{}", info.name, info.role, wrapped(info.summary, 2));
    let about = schema["description"].as_str().unwrap_or_default();
    for paragraph in about.split("\n\n").filter(|paragraph| !paragraph.trim().is_empty()) {
        page += &format!("\n{}", wrapped(paragraph, 2));
    }
    let origin = catalogue.origin(info).replace('`', "");
    page += &format!("\n  source       {}\n  declared by  {origin}\n", info.source);
    let keys = keys(&schema);
    if keys.is_empty() {
        page += "\n  It has no keys of its own.\n";
    } else {
        page += &format!("\n{}", table(&keys));
    }
    let example: String =
        in_spec(info).lines().map(|line| format!("    {line}").trim_end().to_owned() + "\n").collect();
    page + &format!("\n  example\n{example}")
}

/// The declaration of the component and its schema.
pub(super) fn facts(info: &ComponentInfo) -> Value {
    let mut facts = super::facts(info);
    facts["example"] = json!(info.example);
    facts["schema"] = (info.schema)();
    facts
}

/// The keys with their types, defaults and ranges in columns, each with its description below.
fn table(keys: &[Key]) -> String {
    let heading = ["key", "type", "default", "range"].map(str::to_owned);
    let rows: Vec<[String; 4]> = std::iter::once(heading).chain(keys.iter().map(row)).collect();
    let about = std::iter::once("").chain(keys.iter().map(|key| key.about.as_str()));
    let width = |column: usize, most: usize| {
        rows.iter().map(|row| row[column].chars().count()).filter(|width| *width <= most).max().unwrap_or(0)
    };
    let widths = [width(0, WIDTH), width(1, 40), width(2, 24), 0];
    rows.iter().zip(about).map(|(row, about)| columns(row, &widths) + &wrapped(about, 6)).collect()
}

/// A row in columns; what does not fit beside the key and type goes on below the type.
fn columns(row: &[String; 4], widths: &[usize; 4]) -> String {
    let [mut lines, mut line] = [String::new(), String::new()];
    for (cell, width) in row.iter().zip(widths) {
        let more = format!("  {cell:width$}");
        if line.chars().count() + more.trim_end().chars().count() > WIDTH {
            lines += &format!("{}\n", line.trim_end());
            line = " ".repeat(widths[0] + 2);
        }
        line += &more;
    }
    lines + line.trim_end() + "\n"
}

fn row(key: &Key) -> [String; 4] {
    let default = match &key.unwritten {
        Unwritten::Required => "(required)".to_owned(),
        Unwritten::Absent => "(none)".to_owned(),
        Unwritten::Value(value) => value.clone(),
        Unwritten::OwnKeys => String::new(),
    };
    [key.name.clone(), key.kinds.join(" | "), default, key.range.clone()]
}

/// A text in lines of at most `WIDTH` columns, each after `indent` spaces; nothing for an empty text.
fn wrapped(text: &str, indent: usize) -> String {
    let mut lines: Vec<String> = Vec::new();
    for word in text.split_whitespace() {
        match lines.last_mut() {
            Some(line) if line.chars().count() + 1 + word.chars().count() + indent <= WIDTH => {
                line.push(' ');
                line.push_str(word);
            }
            _ => lines.push(word.to_owned()),
        }
    }
    lines.into_iter().map(|line| format!("{}{line}\n", " ".repeat(indent))).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_stand_in_columns() {
        let key = |name: &str, range: &str, unwritten| Key {
            name: name.into(),
            kinds: vec!["number".into()],
            range: range.into(),
            unwritten,
            about: "What it is.".into(),
        };
        let keys = [key("dropout", "in [0, 1)", Unwritten::Value("0.01".into())), key("n", "", Unwritten::Required)];
        let expected = "  key      type    default     range\n  dropout  number  0.01        in [0, 1)\n      What it is.\n  n        \
                        number  (required)\n      What it is.\n";
        assert_eq!(table(&keys), expected);
    }

    #[test]
    fn a_row_that_is_too_long_goes_on_below_its_type() {
        let row = ["weight".to_owned(), "\"a\" | ".repeat(12) + "number", "\"a\"".to_owned(), "above 0".repeat(8)];
        let text = columns(&row, &[8, 12, 4, 0]);
        let lines: Vec<&str> = text.lines().collect();
        assert_eq!(lines.len(), 2, "{text}");
        assert!(lines[0].starts_with("  weight    \"a\" |") && lines[0].ends_with("number  \"a\""), "{text}");
        assert!(lines[1].starts_with("            above 0above 0"), "{text}");
    }

    #[test]
    fn long_texts_are_wrapped() {
        let text = wrapped(&"word ".repeat(60), 6);
        assert!(
            text.lines().count() > 2 && text.lines().all(|line| line.len() <= WIDTH && line.starts_with("      w"))
        );
        assert_eq!(wrapped("", 6), "");
    }
}
