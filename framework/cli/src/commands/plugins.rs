//! `cithara plugins`: the components that a spec may name, and making more of them.

mod build;
mod check;
mod checkout;
mod describe;
mod new;
mod reference;

use crate::arguments::PluginsCommand;
use crate::console::Console;
use crate::failure::Misuse;
use anyhow::Result;
use framework::component::{ComponentInfo, Role};
use registry::Catalogue;
use serde_json::{Value, json};

pub(super) fn execute(command: &PluginsCommand, catalogue: &Catalogue, console: &mut Console<'_>) -> Result<()> {
    match command {
        PluginsCommand::List { json: true } => console.print_json(&catalogue.iter().map(facts).collect::<Vec<_>>()),
        PluginsCommand::List { json: false } => console.print(&list(catalogue)),
        PluginsCommand::Describe { name, json } => {
            let found = catalogue.named(name).map_err(|error| Misuse::new(error.to_string()))?;
            if *json {
                return console.print_json(&found.into_iter().map(describe::facts).collect::<Vec<_>>());
            }
            let pages: Vec<String> = found.into_iter().map(|info| describe::page(catalogue, info)).collect();
            console.print(&pages.join("\n"))
        }
        PluginsCommand::New(arguments) => new::execute(arguments, catalogue, console),
        PluginsCommand::Build(arguments) => build::execute(arguments, console),
        PluginsCommand::Check { library } => check::execute(library, catalogue, console),
        PluginsCommand::Reference { folder } => reference::write(catalogue, folder, console),
    }
}

/// All components by role, one a line.
fn list(catalogue: &Catalogue) -> String {
    let width = catalogue.iter().map(|info| info.name.len()).max().unwrap_or(0);
    let mut text = String::new();
    for role in Role::ALL {
        text += &format!("{role}\n");
        for info in catalogue.of_role(role) {
            text +=
                &format!("  {:width$}  {} ({})\n", info.name, info.summary, catalogue.origin(info).replace('`', ""));
        }
    }
    text
}

fn facts(info: &ComponentInfo) -> Value {
    json!({
        "role": info.role.name(),
        "name": info.name,
        "summary": info.summary,
        "source": info.source,
        "origin": info.origin,
    })
}
