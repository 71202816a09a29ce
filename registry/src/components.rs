//! A component's table: its kind is looked up in the catalogue, the rest is handed to the component's own parse.

use crate::check::{Checked, check_table, header, shown};
use crate::document::{Content, Entries, Node};
use crate::sections::{Parser, Reader, Site, with_properties, without_required};
use crate::suggest::{advice, nearest};
use framework::component::{AnySpec, ComponentInfo, Role};
use serde_json::{Map, Value, json};
use toml::Table;

/// A component and the TOML that its table starts from, as (kind, text).
pub(crate) type Default<'a> = (&'a str, &'a str);

/// What is expected where a component is written.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Wanted<'a> {
    pub(crate) role: Role,
    /// Path of the component's table.
    pub(crate) path: &'a str,
    /// What is used where the spec says nothing.
    pub(crate) default: Option<Default<'a>>,
}

impl Reader {
    /// Reads a component written as a bare name or as a table; `extract` takes the role's own spec out.
    ///
    /// `node` is the component's value or, where it is not written, a table without keys.
    pub(crate) fn component<T>(
        &mut self,
        node: &Node,
        wanted: Wanted<'_>,
        extract: fn(AnySpec) -> Option<T>,
    ) -> Option<T> {
        let table = self.as_table(node, wanted)?;
        let site = Site { node: &table, path: wanted.path };
        let kind = self.kind(site, wanted)?;
        let info = self.look_up(site, wanted.role, &kind)?;
        let defaults = self.defaults(site, info, wanted.default)?;
        let schema = without_required(with_properties(&[("kind", json!(true))], &(info.schema)()), &defaults);
        let mut checked = check_table(&table, &schema, wanted.path, &mut self.diagnostics)?;
        checked.table.remove("kind");
        let spec = self.parse(site, info, checked, defaults)?;
        let extracted = extract(spec);
        if extracted.is_none() {
            let message = format!("the {} `{kind}` of `{}` reads as another role", info.role, info.origin);
            self.push(site, "", message, Some("tell the author of the plugin".into()));
        }
        extracted
    }

    /// The component's own parse of its checked table, over the keys that it starts from.
    pub(crate) fn parse(
        &mut self,
        site: Site<'_>,
        info: &ComponentInfo,
        checked: Checked,
        defaults: Table,
    ) -> Option<AnySpec> {
        self.typed(site, checked, &Parser { defaults, parse: &info.parse, validate: &AnySpec::validate })
    }

    /// The keys that a component of the default kind starts from; none for another kind.
    fn defaults(&mut self, site: Site<'_>, info: &ComponentInfo, default: Option<Default<'_>>) -> Option<Table> {
        let text = default.filter(|(kind, _)| *kind == info.name).map_or("", |(_, text)| text);
        let read = toml::from_str::<Table>(text);
        if let Err(error) = &read {
            let message = format!("the default of {} is not TOML: {}", header(site.path), error.message());
            self.push(site, "", message, Some("tell the author of the plugin".into()));
        }
        read.ok()
    }

    /// The component of a kind; an unknown one is told with the nearest name and the list.
    pub(crate) fn look_up(&mut self, site: Site<'_>, role: Role, kind: &str) -> Option<&'static ComponentInfo> {
        let info = self.catalogue.get(role, kind);
        if info.is_none() {
            let message = format!("no {role} is called `{kind}`");
            let names = self.catalogue.names(role);
            let list = match role {
                Role::Modality => "modalities".to_owned(),
                Role::Loss => "losses".to_owned(),
                other => format!("{other}s"),
            };
            self.push(site, "kind", message, Some(advice(kind, &list, &names)));
        }
        info
    }

    /// A bare name becomes a table with that kind, which remembers where the name was written.
    fn as_table(&mut self, node: &Node, wanted: Wanted<'_>) -> Option<Node> {
        if let Some(name) = node.as_str() {
            let entries = Entries::from_iter([("kind".to_owned(), node.string_here(name))]);
            return Some(Node { key: node.place.clone(), place: node.place.clone(), content: Content::Table(entries) });
        }
        if node.as_table().is_none() {
            let role = wanted.role;
            let message = format!("`{}` is {}, but must be a name ({role}) or a table", wanted.path, shown(node));
            self.diagnostics.push(node.place.clone(), message, None);
            return None;
        }
        Some(node.clone())
    }

    fn kind(&mut self, site: Site<'_>, wanted: Wanted<'_>) -> Option<String> {
        let names = self.catalogue.names(wanted.role);
        match (site.node.get("kind"), wanted.default) {
            (Some(node), _) => {
                let kind = node.as_str().map(str::to_owned);
                if kind.is_none() {
                    let message = format!("`{}.kind` is {}, but must be a string", wanted.path, shown(node));
                    self.push(site, "kind", message, Some(advice("", "names", &names)));
                }
                kind
            }
            (None, Some((kind, _))) => Some(kind.to_owned()),
            (None, None) => {
                if !self.slip_of_kind(site, wanted.role, &[]) {
                    let message = format!("{} needs a `kind`", header(wanted.path));
                    self.push(site, "", message, Some(format!("one of: {}", names.join(", "))));
                }
                None
            }
        }
    }

    /// Tells the keys of a table without `kind` that no component of the role has; whether one of them is a slip of it.
    pub(crate) fn slip_of_kind(&mut self, site: Site<'_>, role: Role, host: &[(&str, Value)]) -> bool {
        let mut all = json!({"additionalProperties": false});
        for info in self.catalogue.of_role(role) {
            let own = (info.schema)();
            for key in own["properties"].as_object().into_iter().flat_map(Map::keys) {
                all["properties"][key] = json!(true);
            }
        }
        let keys: Vec<(&str, Value)> = std::iter::once(("kind", json!(true))).chain(host.iter().cloned()).collect();
        check_table(site.node, &with_properties(&keys, &all), site.path, &mut self.diagnostics);
        let entries = site.node.as_table().into_iter().flatten();
        entries.into_iter().any(|(key, _)| nearest(key, ["kind"]).is_some())
    }
}
