//! What the registry makes of the components that are linked into the program. What each of them promises by itself is
//! checked where it is declared (`plugins/tests/conformance.rs`).

use framework::component::Role;
// Naming the built-in components keeps the linker from dropping them.
use plugins as _;
use registry::Catalogue;

#[test]
fn every_default_of_a_modality_is_a_valid_component() {
    let catalogue = Catalogue::linked().unwrap();
    for name in catalogue.names(Role::Modality) {
        let text = format!("spec_version = 1\n[modality.it]\nkind = \"{name}\"\npath = \"cells.h5ad\"\n");
        let path = std::path::Path::new("spec.toml");
        let written = registry::Written { path, text: &text, overrides: &[] };
        registry::read(&written, &catalogue).unwrap_or_else(|errors| panic!("`{name}` by default: {errors}"));
    }
}
