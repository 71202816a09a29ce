//! `[modality.*]`: the host's keys, the assay's own keys, and the components that work on its measurements.

use crate::check::{Checked, check_table, shown};
use crate::components::Wanted;
use crate::document::{Content, Node};
use crate::preset;
use crate::sections::{ModalitySection, Parser, Reader, Site, with_properties};
use crate::suggest::{advice, nearest};
use framework::component::{AnySpec, ComponentInfo, Role, parse_table, schema_of};
use framework::spec::{ModalityEntry, Settings};
use framework::{Defaults, ModalitySpec, Spec, StepSpec};
use indexmap::IndexMap;
use serde_json::{Value as Schema, json};
use toml::Table;

/// Keys of a modality's table that hold components.
const COMPONENTS: [&str; 5] = ["kind", "steps", "encoder", "decoder", "loss"];

/// What modalities start from.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Start {
    /// Which of their defaults.
    pub(crate) settings: Settings,
    /// What the preset puts in their place.
    pub(crate) parts: Option<preset::Parts>,
}

/// Reads all modalities, in the order of the spec; those with errors are left out.
pub(crate) fn read(reader: &mut Reader, root: &Node, start: Start) -> IndexMap<String, ModalityEntry> {
    let mut found = IndexMap::new();
    let Some(node) = root.get("modality") else {
        let slip = root.as_table().into_iter().flatten().any(|(key, _)| nearest(key, ["modality"]).is_some());
        if !slip {
            none_given(reader, root);
        }
        return found;
    };
    let Some(tables) = node.as_table() else {
        let message = format!("`modality` is {}, but must be a table", shown(node));
        reader.push(Site { node, path: "" }, "", message, Some("write `[modality.NAME]` for each assay".into()));
        return found;
    };
    if tables.is_empty() {
        none_given(reader, node);
    }
    for (name, node) in tables {
        let path = format!("modality.{name}");
        let site = Site { node, path: &path };
        if named_well(reader, site, name)
            && let Some(entry) = one(reader, site, name, start)
        {
            found.insert(name.clone(), entry);
        }
    }
    found
}

fn none_given(reader: &mut Reader, node: &Node) {
    let names = reader.catalogue.names(Role::Modality).join(", ");
    let help = format!("add `[modality.NAME]` for each assay; modalities: {names}");
    reader.push(Site { node, path: "" }, "", "the spec has no modality", Some(help));
}

/// Whether a modality or a latent space may be called so: names become parts of file names, of parameters and obsm keys.
pub(crate) fn is_name(name: &str) -> bool {
    !name.is_empty() && name.chars().all(|letter| letter.is_ascii_alphanumeric() || "_-".contains(letter))
}

/// Tells a name that cannot be one.
pub(crate) fn named_well(reader: &mut Reader, site: Site<'_>, name: &str) -> bool {
    let plain = is_name(name);
    if !plain {
        let message = format!("`{name}` is not a name");
        reader.push(site, "", message, Some("use letters, digits, `_` and `-`".into()));
    }
    plain
}

fn one(reader: &mut Reader, site: Site<'_>, name: &str, start: Start) -> Option<ModalityEntry> {
    if name == preset::SHARED {
        let message = "a modality cannot be called `shared`: that is the latent space of all modalities";
        reader.push(site, "", message, Some("give the modality another name, and its assay as `kind`".into()));
    }
    if site.node.as_table().is_none() {
        let message = format!("`{}` is {}, but must be a table", site.path, shown(site.node));
        reader.push(site, "", message, Some("write `[modality.NAME]` for each assay".into()));
        return None;
    }
    let info = kind(reader, site, name)?;
    let (host, own) = tables(reader, site, info)?;
    let host = host_keys(reader, site, host);
    let spec = own_keys(reader, site, info, own);
    let defaults = defaults_of(info, spec.as_deref(), start)?;
    let parts = Parts { reader, site, defaults: &defaults };
    parts.read(host, spec)
}

/// The modality's component: that of `kind`, or of the table's own name.
fn kind(reader: &mut Reader, site: Site<'_>, name: &str) -> Option<&'static ComponentInfo> {
    let Some(node) = site.node.get("kind") else {
        let info = reader.catalogue.get(Role::Modality, name);
        if info.is_none() && !reader.slip_of_kind(site, Role::Modality, &host_schemas()) {
            let message = format!("`[{}]` needs a `kind`: no modality is called `{name}`", site.path);
            let names = reader.catalogue.names(Role::Modality);
            reader.push(site, "", message, Some(advice(name, "modalities", &names)));
        }
        return info;
    };
    match node.as_str() {
        Some(kind) => reader.look_up(site, Role::Modality, kind),
        None => {
            let message = format!("`{}.kind` is {}, but must be a string", site.path, shown(node));
            reader.push(site, "kind", message, None);
            None
        }
    }
}

/// The checked keys of the host and those of the assay.
fn tables(reader: &mut Reader, site: Site<'_>, info: &ComponentInfo) -> Option<(Checked, Checked)> {
    let host = host_schemas();
    let schema = with_properties(&host, &(info.schema)());
    let Checked { table, dropped } = check_table(site.node, &schema, site.path, &mut reader.diagnostics)?;
    let is_host = |key: &str| host.iter().any(|(name, _)| *name == key);
    let (hosts, own): (Table, Table) =
        table.into_iter().filter(|(key, _)| !COMPONENTS.contains(&key.as_str())).partition(|(key, _)| is_host(key));
    Some((Checked { table: hosts, dropped: dropped.clone() }, Checked { table: own, dropped }))
}

/// The keys of a modality's table that are not its assay's.
fn host_schemas() -> Vec<(&'static str, Schema)> {
    let section = schema_of::<ModalitySection>();
    let own = ["path", "key", "table", "measured", "weight"].map(|key| (key, section["properties"][key].clone()));
    let parts = COMPONENTS.map(|key| (key, json!(true)));
    parts[..1].iter().chain(&own).chain(&parts[1..]).cloned().collect()
}

fn host_keys(reader: &mut Reader, site: Site<'_>, checked: Checked) -> Option<ModalitySection> {
    let parse = &parse_table::<ModalitySection>;
    reader.typed(site, checked, &Parser { defaults: Table::new(), parse, validate: &Spec::validate })
}

fn own_keys(
    reader: &mut Reader,
    site: Site<'_>,
    info: &ComponentInfo,
    checked: Checked,
) -> Option<Box<dyn ModalitySpec>> {
    modality(reader.parse(site, info, checked, Table::new())?)
}

/// What the modality uses by default under these settings; that of its example where its own table has errors.
fn defaults_of(info: &ComponentInfo, spec: Option<&dyn ModalitySpec>, start: Start) -> Option<Defaults> {
    let of = |spec: &dyn ModalitySpec| match start.settings {
        Settings::Recommended => spec.defaults(),
        Settings::Published => spec.published_defaults(),
    };
    let own = match spec {
        Some(spec) => of(spec),
        None => of(example(info)?.as_ref()),
    };
    Some(match start.parts {
        Some(preset::Parts { decoder, loss }) => Defaults { steps: Vec::new(), decoder, loss, ..own },
        None => own,
    })
}

/// The modality as its example has it.
pub(crate) fn example(info: &ComponentInfo) -> Option<Box<dyn ModalitySpec>> {
    let table = toml::from_str::<Table>(info.example).ok()?;
    modality((info.parse)(table).ok()?)
}

fn modality(spec: AnySpec) -> Option<Box<dyn ModalitySpec>> {
    if let AnySpec::Modality(spec) = spec { Some(spec) } else { None }
}

/// Reads the components of one modality.
struct Parts<'a, 'b> {
    reader: &'a mut Reader,
    site: Site<'b>,
    defaults: &'b Defaults,
}

impl Parts<'_, '_> {
    fn read(mut self, host: Option<ModalitySection>, spec: Option<Box<dyn ModalitySpec>>) -> Option<ModalityEntry> {
        let steps = self.steps();
        let Defaults { encoder, decoder, loss, .. } = self.defaults.clone();
        let encoder = self.part("encoder", Role::Encoder, encoder, |spec| match spec {
            AnySpec::Encoder(spec) => Some(spec),
            _ => None,
        });
        let decoder = self.part("decoder", Role::Decoder, decoder, |spec| match spec {
            AnySpec::Decoder(spec) => Some(spec),
            _ => None,
        });
        let loss = self.part("loss", Role::Loss, loss, |spec| match spec {
            AnySpec::Loss(spec) => Some(spec),
            _ => None,
        });
        let ModalitySection { path, key, table, measured, weight } = host?;
        let (spec, steps, encoder, decoder, loss) = (spec?, steps?, encoder?, decoder?, loss?);
        Some(ModalityEntry { path, key, table, measured, weight, spec, steps, encoder, decoder, loss })
    }

    fn part<T>(
        &mut self,
        key: &str,
        role: Role,
        default: (&str, &str),
        extract: fn(AnySpec) -> Option<T>,
    ) -> Option<T> {
        let path = format!("{}.{key}", self.site.path);
        let nothing = self.nothing();
        let node = self.site.node.get(key).unwrap_or(&nothing);
        self.reader.component(node, Wanted { role, path: &path, default: Some(default) }, extract)
    }

    fn steps(&mut self) -> Option<Vec<Box<dyn StepSpec>>> {
        let defaults = &self.defaults.steps;
        let Some(node) = self.site.node.get("steps") else {
            let nothing = self.nothing();
            let read = |(index, default): (usize, &(&str, &str))| self.step(&nothing, index, Some(*default));
            let steps: Vec<_> = defaults.iter().enumerate().map(read).collect();
            return steps.into_iter().collect();
        };
        let Content::List(items) = &node.content else {
            let message = format!("`{}.steps` is {}, but must be a list", self.site.path, shown(node));
            let help = "write `steps = [\"NAME\", { kind = \"NAME\", … }]`; `[]` for none".to_owned();
            self.reader.push(self.site, "steps", message, Some(help));
            return None;
        };
        let steps: Vec<_> = items.iter().enumerate().map(|(index, item)| self.step(item, index, None)).collect();
        steps.into_iter().collect()
    }

    fn step(&mut self, node: &Node, index: usize, default: Option<(&str, &str)>) -> Option<Box<dyn StepSpec>> {
        let path = format!("{}.steps[{index}]", self.site.path);
        self.reader.component(node, Wanted { role: Role::Step, path: &path, default }, |spec| match spec {
            AnySpec::Step(spec) => Some(spec),
            _ => None,
        })
    }

    /// A table without keys where the modality's own is.
    fn nothing(&self) -> Node {
        Node { key: self.site.node.key.clone(), ..Node::empty_table() }
    }
}
