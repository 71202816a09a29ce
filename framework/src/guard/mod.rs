//! Panics inside a component become errors that name it.
//!
//! [`component!`](crate::component!) puts a [`Guarded`] around every spec, and what a guarded spec builds is guarded, too. So
//! a fault of a plugin ends a command with one sentence instead of a trace, and never unwinds from a loaded library into
//! the program, which would abort it. Functions that cannot fail answer with something harmless, and the next one that
//! can tells what happened. The guard compares nothing and copies nothing: a call costs a few nanoseconds more.

mod catch;
mod decoder;
mod encoder;
mod loss;
mod modality;
mod prior;
mod step;

use crate::component::{AnySpec, Problem, Role, Spec, parse_table};
use anyhow::{Result, anyhow};
use catch::catch;
use serde::de::DeserializeOwned;
use serde::{Serialize, Serializer};
use serde_json::json;
use std::fmt;
use std::sync::OnceLock;

/// Which component a guard is around.
#[derive(Debug, Clone, Copy)]
pub struct Guard {
    role: Role,
    name: &'static str,
    origin: &'static str,
}

impl Guard {
    /// The guard of the component that plays this part under this name, declared by this crate.
    pub const fn of(role: Role, name: &'static str, origin: &'static str) -> Guard {
        Guard { role, name, origin }
    }

    /// Reads a table into a guarded spec.
    ///
    /// # Errors
    /// The first value that does not fit, or that the component panicked over it.
    pub fn parse<S: DeserializeOwned>(self, table: toml::Table) -> Result<Guarded<S>, Problem> {
        match catch(|| parse_table::<S>(table)) {
            Ok(spec) => Ok(Guarded::new(self, Box::new(spec?))),
            Err(panic) => Err(Problem::new("", self.tell(&panic))),
        }
    }

    /// Makes a JSON Schema; one without keys that says what happened where the component panics.
    pub fn schema(self, make: fn() -> serde_json::Value) -> serde_json::Value {
        catch(make).unwrap_or_else(|panic| json!({ "type": "object", "description": self.tell(&panic) }))
    }

    fn tell(self, panic: &str) -> String {
        let Guard { role, name, origin } = self;
        format!("the {role} `{name}` of `{origin}` panicked: {panic}; this is a fault of the component")
    }
}

/// Lets a modality name its defaults once, so that a panic over them is told by its next validation.
pub fn try_defaults(spec: AnySpec) -> AnySpec {
    if let AnySpec::Modality(modality) = &spec {
        let _ = (modality.defaults(), modality.published_defaults());
    }
    spec
}

/// A spec or a component whose panics are caught.
pub struct Guarded<T: ?Sized> {
    guard: Guard,
    /// Taken out only when dropped.
    inner: Option<Box<T>>,
    /// What is told from the first panic on: what a component was doing then is unknown.
    panicked: OnceLock<String>,
}

impl<T: ?Sized> Guarded<T> {
    fn new(guard: Guard, inner: Box<T>) -> Guarded<T> {
        Guarded { guard, inner: Some(inner), panicked: OnceLock::new() }
    }

    /// Calls a function that may fail.
    fn attempt<'a, R>(&'a self, call: impl FnOnce(&'a T) -> Result<R>) -> Result<R> {
        let inner = self.usable()?;
        catch(|| call(inner)).unwrap_or_else(|panic| Err(self.spoilt(&panic)))
    }

    /// The same, of a component that changes.
    fn attempt_mut<R>(&mut self, call: impl FnOnce(&mut T) -> Result<R>) -> Result<R> {
        self.usable()?;
        let Some(inner) = self.inner.as_deref_mut() else { return Err(anyhow!("the component is gone")) };
        catch(|| call(inner)).unwrap_or_else(|panic| Err(self.spoilt(&panic)))
    }

    /// Calls a function that cannot fail; `otherwise` where it panics.
    fn or<'a, R>(&'a self, otherwise: R, call: impl FnOnce(&'a T) -> R) -> R {
        let Ok(inner) = self.usable() else { return otherwise };
        catch(|| call(inner)).unwrap_or_else(|panic| {
            let _ = self.spoilt(&panic);
            otherwise
        })
    }

    fn usable(&self) -> Result<&T> {
        match (self.panicked.get(), &self.inner) {
            (None, Some(inner)) => Ok(inner),
            (Some(told), _) => Err(anyhow!("{told}")),
            (None, None) => Err(anyhow!("the component is gone")),
        }
    }

    fn spoilt(&self, panic: &str) -> anyhow::Error {
        anyhow!("{}", self.panicked.get_or_init(|| self.guard.tell(panic)))
    }
}

impl<T: ?Sized> Drop for Guarded<T> {
    fn drop(&mut self) {
        let inner = self.inner.take();
        // Nobody is left to tell.
        let _ = catch(|| drop(inner));
    }
}

impl<T: ?Sized + fmt::Debug> fmt::Debug for Guarded<T> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.usable() {
            Ok(inner) => catch(|| inner.fmt(formatter)).unwrap_or(Err(fmt::Error)),
            Err(_) => formatter.write_str("a component that panicked"),
        }
    }
}

impl<S: Serialize> Serialize for Guarded<S> {
    fn serialize<Z: Serializer>(&self, serializer: Z) -> Result<Z::Ok, Z::Error> {
        let inner = self.usable().map_err(serde::ser::Error::custom)?;
        let written = catch(|| inner.serialize(serializer));
        written.unwrap_or_else(|panic| Err(serde::ser::Error::custom(self.spoilt(&panic))))
    }
}

impl<S: Spec> Spec for Guarded<S> {
    fn validate(&self) -> Vec<Problem> {
        let problems = self.or(Vec::new(), Spec::validate);
        match self.panicked.get() {
            Some(told) => vec![Problem::new("", told)],
            None => problems,
        }
    }
}

#[cfg(test)]
mod tests;
