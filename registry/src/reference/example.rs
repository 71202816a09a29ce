//! The example of a component as it stands in a spec.

use framework::component::{ComponentInfo, Role};
use toml::{Table, Value};

/// Where a component of a role is written, in brackets; `modality` is the name of its modality.
pub fn header(role: Role, modality: &str) -> String {
    match role {
        Role::Step => format!("[[{}]]", place(role, modality).join(".")),
        _ => format!("[{}]", place(role, modality).join(".")),
    }
}

/// The example of a component with its header and kind, one key a line.
pub fn in_spec(info: &ComponentInfo) -> String {
    let name = if info.role == Role::Modality { info.name } else { "NAME" };
    let has_tables = info.example.lines().any(|line| line.trim_start().starts_with('['));
    let rewritten = if has_tables { with_tables(info, name) } else { None };
    rewritten.unwrap_or_else(|| {
        let text = format!("{}\nkind = \"{}\"\n{}", header(info.role, name), info.name, info.example.trim());
        text.trim_end().to_owned() + "\n"
    })
}

/// An example with tables of its own, whose headers need the place before them.
fn with_tables(info: &ComponentInfo, name: &str) -> Option<String> {
    let mut table = Table::from_iter([("kind".to_owned(), Value::from(info.name))]);
    table.extend(toml::from_str::<Table>(info.example).ok()?);
    let mut value = Value::Table(table);
    if info.role == Role::Step {
        value = Value::Array(vec![value]);
    }
    for key in place(info.role, name).into_iter().rev() {
        value = Value::Table(Table::from_iter([(key.to_owned(), value)]));
    }
    toml::to_string(&value).ok()
}

fn place(role: Role, modality: &str) -> Vec<&str> {
    match role {
        Role::Modality => vec!["modality", modality],
        Role::Encoder => vec!["modality", modality, "encoder"],
        Role::Decoder => vec!["modality", modality, "decoder"],
        Role::Loss => vec!["modality", modality, "loss"],
        Role::LatentPrior => vec!["latent", modality, "prior"],
        Role::Step => vec!["modality", modality, "steps"],
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Catalogue;

    fn example(role: Role, example: &'static str) -> String {
        let catalogue = Catalogue::linked().unwrap();
        let some = catalogue.of_role(role).next().unwrap();
        in_spec(&ComponentInfo { name: "it", example, ..*some })
    }

    #[test]
    fn an_example_stands_where_its_role_is_written() {
        assert_eq!(example(Role::Loss, ""), "[modality.NAME.loss]\nkind = \"it\"\n");
        assert_eq!(
            example(Role::Modality, "# a comment\nlayer = \"X\"\n"),
            "[modality.it]\nkind = \"it\"\n# a comment\nlayer = \"X\"\n"
        );
        assert_eq!(example(Role::LatentPrior, "w = 1"), "[latent.NAME.prior]\nkind = \"it\"\nw = 1\n");
    }

    #[test]
    fn tables_of_an_example_stand_below_it() {
        assert_eq!(
            example(Role::Step, "n = 1\n[noise]\nsd = 2.0\n"),
            "[[modality.NAME.steps]]\nkind = \"it\"\nn = 1\n\n[modality.NAME.steps.noise]\nsd = 2.0\n"
        );
    }
}
