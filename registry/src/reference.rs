//! Reference pages of components, from their declarations: what `docs/reference/` holds and `cithara plugins describe`
//! shows.
//!
//! A page is made of the [`framework::ComponentInfo`] and the JSON Schema of a component and of nothing else, so it
//! cannot say what the program does not do. Writing files is the command line's part.

mod example;
mod inline;
mod keys;
mod markdown;
mod page;
mod words;

pub use example::{header, in_spec};
pub use keys::{Key, Unwritten, keys};
pub(crate) use words::{limits, n_items};

use crate::ablation::AblationSection;
use crate::catalogue::Catalogue;
use crate::schema::spec_schema;
use crate::sections::{LatentSection, ModalitySection};
use framework::component::{ComponentInfo, Role, schema_of};
use framework::spec::ConditionSpec;
use markdown::{cell, key_table};

/// How a generated page begins: what does not, nobody generated.
pub const MARK: &str = "<!-- Written by `cithara plugins reference` from the component's declaration. -->\n";

/// File of the index.
pub const INDEX: &str = "README.md";

/// File of the JSON Schema of a whole spec.
pub const SCHEMA: &str = "spec.schema.json";

/// A file of the reference.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Page {
    /// Its path below the folder of the reference, with `/`.
    pub path: String,
    /// What it holds.
    pub text: String,
}

/// The reference of all components: an index, a page of each component, and the JSON Schema of a spec.
pub fn pages(catalogue: &Catalogue) -> Vec<Page> {
    let mut pages = vec![
        Page { path: INDEX.to_owned(), text: index(catalogue) },
        Page { path: SCHEMA.to_owned(), text: format!("{:#}\n", spec_schema(catalogue)) },
    ];
    pages.extend(catalogue.iter().map(|info| Page { path: path(info), text: page::page(catalogue, info) }));
    pages
}

/// Where the page of a component is, below the folder of the reference.
pub fn path(info: &ComponentInfo) -> String {
    format!("{}/{}.md", info.role.name(), info.name)
}

fn index(catalogue: &Catalogue) -> String {
    let mut text = format!(
        "{MARK}\n# Reference\n\nThe components that a spec may name, by role. [`{SCHEMA}`]({SCHEMA}) is the JSON Schema of a \
         whole spec,\nfor editors: begin a spec with `#:schema` and its path.\n"
    );
    for role in Role::ALL {
        if catalogue.of_role(role).next().is_some() {
            text += &format!("\n## {}\n\n{}\n\n{}", title(role), intro(role), list(catalogue, role));
            text += &host_keys(role);
        }
    }
    text += "\n## Conditions\n\nKeys of every `[condition.NAME]`, a category of each cell that networks are told:\n\n";
    text += &key_table(&keys(&schema_of::<ConditionSpec>()));
    text += "\n## Ablations\n\nKeys of `[ablation]`, the table of a file for `cithara ablate`:\n\n";
    text += &key_table(&keys(&schema_of::<AblationSection>()));
    text
}

/// The components of a role, one a line.
fn list(catalogue: &Catalogue, role: Role) -> String {
    let mut text = "| name | what it is | declared by |\n|---|---|---|\n".to_owned();
    for info in catalogue.of_role(role) {
        text += &format!("| [`{}`]({}) | {} | `{}` |\n", info.name, path(info), cell(info.summary), info.origin);
    }
    text
}

fn title(role: Role) -> &'static str {
    match role {
        Role::Modality => "Modalities",
        Role::Encoder => "Encoders",
        Role::Decoder => "Decoders",
        Role::LatentPrior => "Priors",
        Role::Loss => "Losses",
        Role::Step => "Steps",
    }
}

fn intro(role: Role) -> String {
    let what = match role {
        Role::Modality => "Open and prepare the measurements of one assay",
        Role::Encoder => "Find the latent row of a cell from its features",
        Role::Decoder => "Predict the features of a cell from its latent row",
        Role::LatentPrior => "Say what a latent row costs",
        Role::Loss => "Say what a prediction costs beside what was measured",
        Role::Step => "Prepare the values of a modality, in the order of the list",
    };
    format!("{what}: `{}`.", header(role, "NAME"))
}

/// The keys of the tables that components of a role stand in.
fn host_keys(role: Role) -> String {
    let (whose, schema) = match role {
        Role::Modality => ("Keys of every `[modality.NAME]`, beside the assay's own", schema_of::<ModalitySection>()),
        Role::LatentPrior => ("Keys of every `[latent.NAME]`, beside `prior`", schema_of::<LatentSection>()),
        _ => return String::new(),
    };
    let mut text = format!("\n{whose}:\n\n{}", key_table(&keys(&schema)));
    if role == Role::Modality {
        text += "\n`kind` may be left out where the table is named like its assay. `steps`, `encoder`, `decoder` and `loss` hold \
                 components;\nthe page of an assay says what is used where they are not written.\n";
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    /// The targets of the links of a Markdown text.
    fn links(text: &str) -> Vec<&str> {
        text.split("](").skip(1).filter_map(|rest| rest.split(')').next()).collect()
    }

    /// The path of a link from a page, without `..`.
    fn followed(page: &str, link: &str) -> String {
        let mut parts: Vec<&str> = page.split('/').collect();
        parts.pop();
        for part in link.split('#').next().unwrap_or_default().split('/') {
            match part {
                ".." => parts.truncate(parts.len().saturating_sub(1)),
                part => parts.push(part),
            }
        }
        parts.join("/")
    }

    #[test]
    fn every_component_has_a_page_that_the_index_links_to() {
        let catalogue = Catalogue::linked().unwrap();
        let pages = pages(&catalogue);
        let paths: BTreeSet<&str> = pages.iter().map(|page| page.path.as_str()).collect();
        assert_eq!(paths.len(), pages.len());
        let linked: Vec<&str> = links(&pages[0].text);
        for info in catalogue.iter() {
            assert!(paths.contains(path(info).as_str()) && linked.contains(&path(info).as_str()), "{}", path(info));
        }
    }

    #[test]
    fn every_link_leads_to_a_page() {
        let pages = pages(&Catalogue::linked().unwrap());
        let mut n_links = 0;
        for page in &pages {
            for link in links(&page.text) {
                let target = followed(&page.path, link);
                assert!(pages.iter().any(|page| page.path == target), "{}: {link}", page.path);
                n_links += 1;
            }
        }
        assert!(n_links > pages.len());
    }

    #[test]
    fn markdown_pages_bear_the_mark() {
        for page in pages(&Catalogue::linked().unwrap()) {
            assert_eq!(page.path != SCHEMA, page.text.starts_with(MARK), "{}", page.path);
            assert!(page.text.ends_with('\n') && !page.text.ends_with("\n\n"), "{}", page.path);
        }
    }
}
