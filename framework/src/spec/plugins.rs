//! `[plugins]`: libraries of components that the program was compiled without.

use crate::component::{Problem, Spec, require};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::path::PathBuf;

/// Libraries to load before the rest of the spec is read. Loading is running code: name only what you trust.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct PluginsSpec {
    /// Files of compiled plugins, as `cithara plugins build` makes them. Relative to the spec.
    pub libraries: Vec<PathBuf>,
}

impl Spec for PluginsSpec {
    fn validate(&self) -> Vec<Problem> {
        let mut problems = Vec::new();
        for (place, path) in self.libraries.iter().enumerate() {
            let key = format!("libraries[{place}]");
            require(&mut problems, !path.as_os_str().is_empty(), &key, "is empty; name the file of a plugin");
        }
        problems
    }
}
