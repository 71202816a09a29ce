//! `[latent.*]`: the preset's spaces with the spec's keys over them, and the spec's own spaces.

use crate::check::{Checked, check_table, shown};
use crate::components::Wanted;
use crate::document::Node;
use crate::modalities::named_well;
use crate::preset::{Preset, SHARED};
use crate::sections::{LatentSection, Parser, Reader, Site, properties, with_properties, without_required};
use crate::suggest::advice;
use framework::Spec;
use framework::component::{AnySpec, Role, parse_table, schema_of};
use framework::spec::LatentEntry;
use indexmap::IndexMap;
use serde_json::json;
use toml::{Table, Value};

/// Reads all latent spaces: the preset's first, then others in the order of the spec.
pub(crate) fn read(
    reader: &mut Reader,
    root: &Node,
    preset: &Preset,
    modalities: &[&str],
) -> IndexMap<String, LatentEntry> {
    let nothing = Node::empty_table();
    let node = root.get("latent").unwrap_or(&nothing);
    let Some(tables) = node.as_table() else {
        let message = format!("`latent` is {}, but must be a table", shown(node));
        reader.push(Site { node, path: "" }, "", message, Some("write `[latent.NAME]` for each space".into()));
        return IndexMap::new();
    };
    let mut names: Vec<&String> = preset.latents.keys().collect();
    names.extend(tables.keys().filter(|name| !preset.latents.contains_key(*name)));
    let spaces = Spaces { preset, modalities };
    let mut found = IndexMap::new();
    for name in names {
        let path = format!("latent.{name}");
        let site = Site { node: tables.get(name).unwrap_or(&nothing), path: &path };
        if named_well(reader, site, name)
            && let Some(entry) = spaces.one(reader, site, name)
        {
            found.insert(name.clone(), entry);
        }
    }
    found
}

/// Tells the modalities that no space is read by.
pub(crate) fn all_read(reader: &mut Reader, root: &Node, latents: &IndexMap<String, LatentEntry>) {
    for (name, node) in root.get("modality").and_then(Node::as_table).into_iter().flatten() {
        if !latents.values().any(|latent| latent.modalities.contains(name)) {
            let message = format!("the modality `{name}` reads no latent space");
            let help = "set `shared` or `specific` in `[model]`, or list it in the `modalities` of a `[latent.*]`";
            reader.push(Site { node, path: "" }, "", message, Some(help.into()));
        }
    }
}

/// Tells modalities that do not exist or are listed twice.
pub(crate) fn known_modalities(reader: &mut Reader, site: Site<'_>, listed: &[String], known: &[&str]) {
    for (index, modality) in listed.iter().enumerate() {
        let key = format!("modalities[{index}]");
        if !known.contains(&modality.as_str()) {
            let message = format!("`{}` names the modality `{modality}`, which the spec does not have", site.path);
            reader.push(site, &key, message, Some(advice(modality, "modalities", known)));
        } else if listed[..index].contains(modality) {
            reader.push(site, &key, format!("`{}` names the modality `{modality}` twice", site.path), None);
        }
    }
}

struct Spaces<'a> {
    preset: &'a Preset,
    modalities: &'a [&'a str],
}

impl Spaces<'_> {
    fn one(&self, reader: &mut Reader, site: Site<'_>, name: &str) -> Option<LatentEntry> {
        if site.node.as_table().is_none() {
            let message = format!("`{}` is {}, but must be a table", site.path, shown(site.node));
            reader.push(site, "", message, None);
            return None;
        }
        let section = self.section(reader, site, name);
        let covariate = section.as_ref().and_then(|section| section.covariate.as_deref());
        let prior = self.prior(reader, site, (name, covariate));
        let section = section?;
        self.references(reader, site, name, &section);
        let LatentSection { dim, modalities, noise, covariate } = section;
        Some(LatentEntry { dim, modalities, noise, covariate, prior: prior? })
    }

    fn section(&self, reader: &mut Reader, site: Site<'_>, name: &str) -> Option<LatentSection> {
        let own = properties::<LatentSection>();
        let mut first: Vec<_> = own.iter().map(|(key, schema)| (key.as_str(), schema.clone())).collect();
        first.push(("prior", json!(true)));
        let defaults = self.defaults(name);
        let schema = without_required(with_properties(&first, &schema_of::<LatentSection>()), &defaults);
        let Checked { mut table, dropped } = check_table(site.node, &schema, site.path, &mut reader.diagnostics)?;
        table.remove("prior");
        let parse = &parse_table::<LatentSection>;
        reader.typed(site, Checked { table, dropped }, &Parser { defaults, parse, validate: &Spec::validate })
    }

    /// The preset's keys; a space called like a modality is its own, and `shared` is everyone's.
    fn defaults(&self, name: &str) -> Table {
        let mut table = self.preset.latents.get(name).cloned().unwrap_or_default();
        let readers: &[&str] = match name {
            SHARED => self.modalities,
            _ => self.modalities.iter().position(|one| *one == name).map_or(&[], |at| &self.modalities[at..=at]),
        };
        if !table.contains_key("modalities") && !readers.is_empty() {
            let readers = readers.iter().map(|&name| Value::String(name.to_owned())).collect();
            table.insert("modalities".to_owned(), Value::Array(readers));
        }
        table.insert("noise".to_owned(), Value::Float(self.preset.noise));
        table
    }

    fn prior(
        &self,
        reader: &mut Reader,
        site: Site<'_>,
        (name, covariate): (&str, Option<&str>),
    ) -> Option<Box<dyn framework::LatentPriorSpec>> {
        let nothing = Node { key: site.node.key.clone(), ..Node::empty_table() };
        let node = site.node.get("prior").unwrap_or(&nothing);
        let path = format!("{}.prior", site.path);
        let default = match covariate {
            Some(_) => self.preset.priors.covariate,
            None if name == SHARED => self.preset.priors.shared,
            None => self.preset.priors.other,
        };
        let wanted = Wanted { role: Role::LatentPrior, path: &path, default: Some(default) };
        reader.component(node, wanted, |spec| match spec {
            AnySpec::LatentPrior(spec) => Some(spec),
            _ => None,
        })
    }

    /// Tells modalities that do not exist or are listed twice, and a modality's own space that others read.
    fn references(&self, reader: &mut Reader, site: Site<'_>, name: &str, section: &LatentSection) {
        known_modalities(reader, site, &section.modalities, self.modalities);
        if self.modalities.contains(&name) && section.modalities != [name] {
            let message =
                format!("`[latent.{name}]` is the space of the modality `{name}` alone, but others are listed");
            let help = format!("write `modalities = [\"{name}\"]`, or call a space that several read by another name");
            reader.push(site, "modalities", message, Some(help));
        }
    }
}
