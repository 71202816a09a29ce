//! From planned variants to experiments: each is the base spec read with overrides, and all of their errors are told at the
//! places where the overrides were written.

use super::{BASE, Variant};
use crate::diagnostic::{Diagnostics, Place};
use crate::read::{Written, read};
use crate::sections::Reader;
use framework::spec::Experiment;
use std::path::Path;
use toml::Table;

/// The base spec.
#[derive(Debug, Clone, Copy)]
pub(super) struct Base<'a> {
    pub(super) path: &'a Path,
    pub(super) text: &'a str,
    /// What replaces values in every variant.
    pub(super) overrides: &'a [String],
}

/// A variant before it is read.
#[derive(Debug, Clone)]
pub(super) struct Planned {
    pub(super) name: String,
    pub(super) overrides: Vec<String>,
    places: Vec<Place>,
    /// Where the variant as a whole was written.
    place: Place,
    /// Whether it comes from an axis; one that is the base is then no mistake.
    is_of_axis: bool,
}

impl Planned {
    pub(super) fn new(name: &str, place: Place, is_of_axis: bool) -> Planned {
        Planned { name: name.to_owned(), overrides: Vec::new(), places: Vec::new(), place, is_of_axis }
    }

    pub(super) fn push(&mut self, one: String, place: Place) {
        self.overrides.push(one);
        self.places.push(place);
    }

    /// Both at once.
    pub(super) fn and(&self, other: &Planned) -> Planned {
        Planned {
            name: format!("{},{}", self.name, other.name),
            overrides: [self.overrides.clone(), other.overrides.clone()].concat(),
            places: [self.places.clone(), other.places.clone()].concat(),
            ..self.clone()
        }
    }
}

/// Reads every variant; the base comes first. Those that are wrong, or the same as another, are told and left out.
pub(super) fn expand(
    reader: &mut Reader,
    base: &Base<'_>,
    experiment: Experiment,
    planned: &[Planned],
) -> Vec<Variant> {
    let mut known = vec![(BASE.to_owned(), fingerprint(&experiment))];
    let mut variants = vec![Variant { name: BASE.to_owned(), overrides: base.overrides.to_vec(), experiment }];
    for one in planned {
        let overrides = [base.overrides, &one.overrides].concat();
        match read(&Written { path: base.path, text: base.text, overrides: &overrides }, &reader.catalogue) {
            Ok(experiment) => {
                let found = fingerprint(&experiment);
                match twin(&known, one, &found) {
                    None => {
                        known.push((one.name.clone(), found));
                        variants.push(Variant { name: one.name.clone(), overrides, experiment });
                    }
                    Some(twin) => tell_twin(&mut reader.diagnostics, one, &twin),
                }
            }
            Err(wrong) => translate(&mut reader.diagnostics, base.overrides.len(), one, &wrong),
        }
    }
    variants
}

/// What a variant is, whatever it is called.
fn fingerprint(experiment: &Experiment) -> Option<Table> {
    let mut table = experiment.to_toml().ok()?;
    table.remove("name");
    Some(table)
}

/// The earlier variant that has the same name or is the same.
fn twin(known: &[(String, Option<Table>)], one: &Planned, found: &Option<Table>) -> Option<String> {
    let same = |(name, other): &&(String, Option<Table>)| *name == one.name || (other == found && found.is_some());
    known.iter().find(same).map(|(name, _)| name.clone())
}

fn tell_twin(diagnostics: &mut Diagnostics, one: &Planned, twin: &str) {
    if twin == BASE && one.is_of_axis {
        return;
    }
    let message = match twin == one.name {
        true => format!("two variants are called `{twin}`"),
        false => format!("the variant `{}` is the same as `{twin}`", one.name),
    };
    let help = "what they resolve to is equal: leave one out, or make them differ".to_owned();
    diagnostics.push(one.place.clone(), message, Some(help));
}

/// Tells what is wrong with a variant where its overrides were written.
fn translate(diagnostics: &mut Diagnostics, n_common: usize, one: &Planned, wrong: &Diagnostics) {
    for diagnostic in wrong.sorted() {
        let (place, elsewhere) = match &diagnostic.place {
            Place::Override(index) => match one.places.get(index.wrapping_sub(n_common)) {
                Some(place) => (place.clone(), String::new()),
                None => (
                    one.place.clone(),
                    wrong.overridden_by(&diagnostic.place).map(|text| format!(" (--set {text})")).unwrap_or_default(),
                ),
            },
            other => {
                let at = wrong.position(other).map(|at| format!(" ({}:{}:{})", wrong.file(), at.line, at.column));
                (one.place.clone(), at.unwrap_or_default())
            }
        };
        let message = format!("in the variant `{}`: {}{elsewhere}", one.name, diagnostic.message);
        diagnostics.push(place, message, diagnostic.help.clone());
    }
}
