//! The Markdown page of one component.

use super::example::in_spec;
use super::keys::keys;
use super::markdown::{cell, code, key_table};
use super::{INDEX, MARK, path};
use crate::catalogue::Catalogue;
use crate::modalities::example;
use framework::Defaults;
use framework::component::{ComponentInfo, Role};
use serde_json::Value as Schema;

/// What the component does, its keys, an example, and for a modality what it uses by default.
pub(crate) fn page(catalogue: &Catalogue, info: &ComponentInfo) -> String {
    let ComponentInfo { role, name, summary, source, origin, .. } = info;
    let schema = (info.schema)();
    let mut text = format!("{MARK}\n# {role} `{name}`: {summary}\n");
    if let Some(about) = schema.get("description").and_then(Schema::as_str) {
        text += &format!("\n{}\n", about.trim());
    }
    text +=
        &format!("\n- Source: {source}.\n- Declared by: `{origin}`.\n- [All components](../{INDEX}).\n\n## Keys\n\n");
    let keys = keys(&schema);
    text += &if keys.is_empty() { "It has no keys of its own.\n".to_owned() } else { key_table(&keys) };
    if *role == Role::Modality {
        text += &format!("\nBeside these it has the [keys of every modality](../{INDEX}#modalities).\n");
        text += &defaults(catalogue, info).unwrap_or_default();
    }
    text + &format!("\n## Example\n\n```toml\n{}```\n", in_spec(info))
}

/// What a modality uses where its table is silent, under both settings.
fn defaults(catalogue: &Catalogue, info: &ComponentInfo) -> Option<String> {
    let spec = example(info)?;
    let (recommended, published) = (spec.defaults(), spec.published_defaults());
    let mut text =
        "\n## Where the table is silent\n\n| | by default | with `settings = \"published\"` |\n|---|---|---|\n"
            .to_owned();
    for (key, role, of) in PARTS {
        let shown = |defaults: &Defaults| {
            let parts: Vec<String> = of(defaults).into_iter().map(|part| component(catalogue, role, part)).collect();
            if parts.is_empty() { "none".to_owned() } else { parts.join(", then ") }
        };
        let (recommended, published) = (shown(&recommended), shown(&published));
        let published = if published == recommended { "the same".to_owned() } else { published };
        text += &format!("| `{key}` | {} | {} |\n", cell(&recommended), cell(&published));
    }
    Some(text + "\nWhat is not said there is the component's own default.\n")
}

/// A component as (kind, TOML of its table).
type Part = (&'static str, &'static str);

/// What a modality uses in one of its keys.
type DefaultsOf = fn(&Defaults) -> Vec<Part>;

/// The keys of a modality that hold components, the role of each and what is used there.
const PARTS: [(&str, Role, DefaultsOf); 4] = [
    ("steps", Role::Step, |defaults| defaults.steps.clone()),
    ("encoder", Role::Encoder, |defaults| vec![defaults.encoder]),
    ("decoder", Role::Decoder, |defaults| vec![defaults.decoder]),
    ("loss", Role::Loss, |defaults| vec![defaults.loss]),
];

/// A component that is used by default, with a link to its page if it has one.
fn component(catalogue: &Catalogue, role: Role, (kind, table): Part) -> String {
    let name = match catalogue.get(role, kind) {
        Some(info) => format!("[`{kind}`](../{})", path(info)),
        None => code(kind),
    };
    let lines: Vec<String> = table.lines().filter(|line| !line.trim().is_empty()).map(code).collect();
    if lines.is_empty() { name } else { format!("{name} with {}", lines.join(", ")) }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn page_of(role: Role, name: &str) -> String {
        let catalogue = Catalogue::linked().unwrap();
        page(&catalogue, catalogue.get(role, name).unwrap())
    }

    #[test]
    fn a_modality() {
        insta::assert_snapshot!(page_of(Role::Modality, "rna"), @r#"
        <!-- Written by `cithara plugins reference` from the component's declaration. -->

        # modality `rna`: counts of RNA

        - Source: tests.
        - Declared by: `cithara-registry`.
        - [All components](../README.md).

        ## Keys

        | key | type | default | range | what it is |
        |---|---|---|---|---|
        | `layer` | string | none |  |  |
        | `min_cells` | whole number | `300` | at least 0 |  |

        Beside these it has the [keys of every modality](../README.md#modalities).

        ## Where the table is silent

        | | by default | with `settings = "published"` |
        |---|---|---|
        | `steps` | [`log_min_max`](../step/log_min_max.md) | the same |
        | `encoder` | [`mlp`](../encoder/mlp.md) with `hidden = [128]` | the same |
        | `decoder` | [`mlp`](../decoder/mlp.md) with `hidden = [128]` | the same |
        | `loss` | [`bce`](../loss/bce.md) with `pos_weight = 3.0` | the same |

        What is not said there is the component's own default.

        ## Example

        ```toml
        [modality.rna]
        kind = "rna"
        ```
        "#);
    }

    #[test]
    fn a_component_without_keys() {
        insta::assert_snapshot!(page_of(Role::Loss, "mse"), @r#"
        <!-- Written by `cithara plugins reference` from the component's declaration. -->

        # loss `mse`: squared error

        - Source: tests.
        - Declared by: `cithara-registry`.
        - [All components](../README.md).

        ## Keys

        It has no keys of its own.

        ## Example

        ```toml
        [modality.NAME.loss]
        kind = "mse"
        ```
        "#);
    }
}
