//! Pieces of Markdown: cells and tables.

use super::keys::{Key, Unwritten};
use crate::suggest::either;

/// A text as a cell of a table: one line, bars escaped.
pub(crate) fn cell(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ").replace('|', "\\|")
}

/// A text as code; nothing for an empty one.
pub(crate) fn code(text: &str) -> String {
    match text {
        "" => String::new(),
        text if text.contains('`') => format!("`` {text} ``"),
        text => format!("`{text}`"),
    }
}

/// The keys of a table, one a row.
pub(crate) fn key_table(keys: &[Key]) -> String {
    let mut table = "| key | type | default | range | what it is |\n|---|---|---|---|---|\n".to_owned();
    for key in keys {
        let cells =
            [code(&key.name), kinds(&key.kinds), unwritten(&key.unwritten), key.range.clone(), key.about.clone()];
        let row: String = cells.iter().map(|text| format!("| {} ", cell(text))).collect();
        table += &format!("{row}|\n");
    }
    table
}

/// Types in words and choices as code, as in `"batch"` or number.
fn kinds(kinds: &[String]) -> String {
    let is_choice = |kind: &&String| kind.starts_with(['"', '-']) || kind.parse::<f64>().is_ok() || is_flag(kind);
    let shown = |kind: &String| if is_choice(&kind) { code(kind) } else { kind.clone() };
    either(&kinds.iter().map(shown).collect::<Vec<_>>())
}

fn is_flag(kind: &str) -> bool {
    kind == "true" || kind == "false"
}

fn unwritten(unwritten: &Unwritten) -> String {
    match unwritten {
        Unwritten::Required => "required".to_owned(),
        Unwritten::Absent => "none".to_owned(),
        Unwritten::Value(value) => code(value),
        Unwritten::OwnKeys => String::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_hold_every_column_and_no_bar_of_a_text() {
        let choices = ["\"a|b\"", "number", "-1"].map(str::to_owned).to_vec();
        let key = |unwritten| Key {
            name: "rate".into(),
            kinds: choices.clone(),
            range: "in [0, 1)".into(),
            unwritten,
            about: "one of\ntwo | three".into(),
        };
        let table = key_table(&[key(Unwritten::Value("\"a|b\"".into())), key(Unwritten::Required)]);
        let rows: Vec<&str> = table.lines().skip(2).collect();
        assert_eq!(
            rows,
            [
                r#"| `rate` | `"a\|b"`, number or `-1` | `"a\|b"` | in [0, 1) | one of two \| three |"#,
                r#"| `rate` | `"a\|b"`, number or `-1` | required | in [0, 1) | one of two \| three |"#,
            ]
        );
        assert_eq!((code(""), code("a"), code("a`b")), (String::new(), "`a`".into(), "`` a`b ``".into()));
    }
}
