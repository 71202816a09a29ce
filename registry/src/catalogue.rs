//! All components by role and name.
//!
//! Declared is what a linked crate submits; listed here is what a spec may name. Nothing here reads specs.

use crate::library::{Library, load};
use crate::suggest::advice;
use anyhow::{Context, Result, bail, ensure};
use framework::component::{ComponentInfo, Role, declared};
use std::collections::BTreeMap;
use std::path::Path;

/// The components that a spec may name, sorted by role and name.
#[derive(Debug, Clone, Default)]
pub struct Catalogue {
    components: BTreeMap<(Role, &'static str), &'static ComponentInfo>,
    libraries: Vec<&'static Library>,
}

impl Catalogue {
    /// The components of all crates that are linked into this program.
    ///
    /// # Errors
    /// When there are none (a program that names no plugin crate links none), or when two have the same role and name.
    pub fn linked() -> Result<Catalogue> {
        let mut catalogue = Catalogue::default();
        for info in declared() {
            catalogue.add(info)?;
        }
        ensure!(
            !catalogue.components.is_empty(),
            "no components are linked into this program; name the crates that declare them, as in `use plugins as _;`"
        );
        Ok(catalogue)
    }

    /// Loads a library and lists its components; a library that is listed already is left as it is.
    ///
    /// # Errors
    /// When it cannot be loaded, or declares a component of a role and name that are taken; nothing is listed then.
    pub fn load(&mut self, path: &Path) -> Result<&'static Library> {
        let library = load(path)?;
        if self.libraries.iter().any(|known| known.path == library.path) {
            return Ok(library);
        }
        let mut with = self.clone();
        with.libraries.push(library);
        for info in &library.components {
            with.add(info).with_context(|| format!("the plugin `{}` cannot be used", library.path.display()))?;
        }
        *self = with;
        Ok(library)
    }

    /// The libraries that were loaded, in this order.
    pub fn libraries(&self) -> &[&'static Library] {
        &self.libraries
    }

    /// Where a component is from: its crate, and the library that was loaded for it.
    pub fn origin(&self, info: &ComponentInfo) -> String {
        let holds = |library: &&&Library| library.components.iter().any(|own| std::ptr::eq(*own, info));
        match self.libraries.iter().find(holds) {
            Some(library) => format!("`{}` (`{}`)", info.origin, library.path.display()),
            None => format!("`{}`", info.origin),
        }
    }

    /// Lists one more component.
    ///
    /// # Errors
    /// When a component of the same role and name is listed already.
    pub fn add(&mut self, info: &'static ComponentInfo) -> Result<()> {
        if let Some(other) = self.components.get(&(info.role, info.name)) {
            bail!(
                "the {} `{}` is declared twice, by {} and by {}; rename one of them or leave one of the plugins out",
                info.role,
                info.name,
                self.origin(other),
                self.origin(info)
            );
        }
        self.components.insert((info.role, info.name), info);
        Ok(())
    }

    /// The component of this role and name.
    pub fn get(&self, role: Role, name: &str) -> Option<&'static ComponentInfo> {
        self.of_role(role).find(|info| info.name == name)
    }

    /// All components, by role and then by name.
    pub fn iter(&self) -> impl Iterator<Item = &'static ComponentInfo> + '_ {
        self.components.values().copied()
    }

    /// The components of one role, by name.
    pub fn of_role(&self, role: Role) -> impl Iterator<Item = &'static ComponentInfo> + '_ {
        self.iter().filter(move |info| info.role == role)
    }

    /// The names of one role, sorted.
    pub fn names(&self, role: Role) -> Vec<&'static str> {
        self.of_role(role).map(|info| info.name).collect()
    }

    /// The components of this name, whatever their role.
    ///
    /// # Errors
    /// When there is none; the message has the nearest name and the list.
    pub fn named(&self, name: &str) -> Result<Vec<&'static ComponentInfo>> {
        let found: Vec<_> = self.iter().filter(|info| info.name == name).collect();
        if found.is_empty() {
            let mut names: Vec<_> = self.iter().map(|info| info.name).collect();
            names.sort_unstable();
            names.dedup();
            bail!("no component is called `{name}`; {}", advice(name, "components", &names));
        }
        Ok(found)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn components_are_found_by_role_and_name() {
        let catalogue = Catalogue::linked().unwrap();
        assert_eq!(catalogue.get(Role::Encoder, "mlp").unwrap().role, Role::Encoder);
        assert_eq!(catalogue.get(Role::Decoder, "mlp").unwrap().role, Role::Decoder);
        assert!(catalogue.get(Role::LatentPrior, "mlp").is_none());
        let names = catalogue.names(Role::Loss);
        assert!(names.is_sorted() && names.contains(&"mse"), "{names:?}");
        assert_eq!(catalogue.named("mlp").unwrap().len(), 2);
    }

    #[test]
    fn an_unknown_name_gets_the_nearest() {
        let error = Catalogue::linked().unwrap().named("mpl").unwrap_err().to_string();
        assert!(error.contains("did you mean `mlp`? components: "), "{error}");
    }

    #[test]
    fn duplicates_are_refused_with_both_origins() {
        let mut catalogue = Catalogue::linked().unwrap();
        let info = catalogue.get(Role::Encoder, "mlp").unwrap();
        let twin: &'static ComponentInfo = Box::leak(Box::new(ComponentInfo { origin: "other-crate", ..*info }));
        let error = catalogue.add(twin).unwrap_err().to_string();
        assert!(error.contains("encoder `mlp`") && error.contains("other-crate") && error.contains("cithara-registry"));
    }
}
