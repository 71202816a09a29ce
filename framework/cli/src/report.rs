//! The page of a run: what was learned from what, how well, and what to be warned of, for a reader who has a browser and
//! nothing else.

mod ablation;
mod cells;
mod clusters;
mod colouring;
mod curves;
mod found;
mod image_grid;
mod inpainting;
mod integration;
mod interpretation;
pub(crate) mod layouts;
mod page;
mod pattern_picture;
mod phenotype;
pub(crate) mod png;
mod rows;
mod scatter;
mod tips;
mod warnings;
mod written;

pub use found::{Found, Request, Subject, find};
pub use page::Setting;
pub(crate) use written::bytes;

use crate::failure::Misuse;
use anyhow::{Context, Result};
use framework::run::{write_atomically, write_json};
use framework::spec::Experiment;
use minijinja::value::Serde;
use minijinja::{Environment, UndefinedBehavior};
use page::Page;
use std::path::{Path, PathBuf};

/// The ending makes the template escape all that is not said to be safe.
const NAME: &str = "report.html";
const TEMPLATE: &str = include_str!("report/report.html");

/// A page that needs nothing but itself.
///
/// # Errors
/// When the page cannot be put together.
pub fn report_html(found: &Found, setting: Setting<'_>) -> Result<String> {
    let page = Page::of(found, setting)?;
    let mut environment = Environment::new();
    environment.set_undefined_behavior(UndefinedBehavior::Strict);
    environment.add_template(NAME, TEMPLATE).context("the template of the report cannot be read")?;
    let page = environment.get_template(NAME).and_then(|template| template.render(Serde(page)));
    page.context("the report cannot be put together")
}

/// Writes the page, its numbers (`.json`) and, beside them, `umap.tsv` where spaces were drawn; returns what was written.
///
/// # Errors
/// When a file cannot be written.
pub fn write(found: &Found, names: &[String], setting: Setting<'_>, page: &Path) -> Result<Vec<PathBuf>> {
    let html = report_html(found, setting)?;
    let (numbers, places) = (page.with_extension("json"), page.with_file_name("umap.tsv"));
    let mut written = vec![page.to_owned(), numbers.clone()];
    if !found.layouts.is_empty() {
        write_atomically(&places, layouts::table(&found.layouts, names).as_bytes())?;
        written.push(places);
    }
    for grid in &found.images {
        let path = page.with_file_name(format!("images_{}.png", grid.modality));
        write_atomically(&path, &grid.png)?;
        written.push(path);
    }
    write_json(&numbers, found)?;
    write_atomically(page, html.as_bytes())?;
    Ok(written)
}

/// The error of a column that obs does not have.
fn no_column(experiment: &Experiment, name: &str) -> Result<anyhow::Error> {
    let known = colouring::columns(experiment)?;
    let nearest = known.iter().min_by_key(|other| strsim::osa_distance(name, other));
    let near = nearest.filter(|other| strsim::osa_distance(name, other) <= 1 + name.chars().count() / 4);
    let meant = near.map_or(String::new(), |near| format!("did you mean `{near}`? "));
    let help = format!("{meant}columns: {}", known.join(", "));
    Ok(Misuse::new(format!("obs has no column `{name}` of labels or numbers")).help(help).into())
}
