//! One file per command.

mod ablate;
mod check;
mod cluster;
mod compare;
mod condition;
mod convert;
mod cut;
mod demo;
mod doctor;
mod embed;
mod evaluate;
mod gene2peak;
mod import;
mod inpaint;
mod interpret;
mod model;
mod phenotype;
mod plan;
mod plugins;
mod predict;
mod report;
mod repro;
mod resume;
mod run;
mod schema;
mod simulate;
mod spaces;
mod unseen;

use crate::arguments::{Arguments, Command};
use crate::console::Console;
use anyhow::Result;
use model::OfInput;
use registry::Catalogue;
use std::path::PathBuf;

/// Does what the command line says, with the components that are linked and those of the plugins it names.
pub fn execute(Arguments { command, plugins, .. }: Arguments, console: &mut Console<'_>) -> Result<()> {
    let catalogue = &catalogue(&plugins)?;
    match command {
        Command::Demo(arguments) => demo::execute(&arguments, catalogue, console),
        Command::Check(arguments) => check::execute(&arguments, catalogue, console),
        Command::Plan(arguments) => plan::execute(&arguments, catalogue, console),
        Command::Run(arguments) => run::execute(&arguments, catalogue, console),
        Command::Resume(arguments) => resume::execute(&arguments, catalogue, console),
        Command::Repro(arguments) => repro::execute(&arguments, catalogue, console),
        Command::Embed(arguments) => embed::execute(&arguments, catalogue, console),
        Command::Predict(arguments) => predict::execute(&arguments, catalogue, console),
        Command::Ablate(arguments) => ablate::execute(&arguments, catalogue, console),
        Command::Compare(arguments) => compare::execute(&arguments, catalogue, console),
        Command::Evaluate(arguments) => evaluate::execute(&arguments, catalogue, console),
        Command::Interpret(arguments) => interpret::execute(&arguments, catalogue, console),
        Command::Phenotype(arguments) => phenotype::execute(&arguments, catalogue, console),
        Command::Inpaint(arguments) => inpaint::execute(&arguments, catalogue, console),
        Command::Cluster(arguments) => cluster::execute(&arguments, catalogue, console),
        Command::Report(arguments) => report::execute(&arguments, catalogue, console),
        Command::Gene2peak(arguments) => gene2peak::execute(&arguments, catalogue, console),
        Command::Import(command) => import::execute(&command, catalogue, console),
        Command::Convert(arguments) => convert::execute(&arguments, console),
        Command::Cut(arguments) => cut::execute(&arguments, console),
        Command::Simulate(arguments) => simulate::execute(&arguments, console),
        Command::Plugins(command) => plugins::execute(&command, catalogue, console),
        Command::Schema(arguments) => schema::execute(&arguments, catalogue, console),
        Command::Doctor(arguments) => doctor::execute(&arguments, catalogue, console),
    }
}

fn catalogue(plugins: &[PathBuf]) -> Result<Catalogue> {
    let mut catalogue = Catalogue::linked()?;
    for path in plugins {
        catalogue.load(path).of_input()?;
    }
    Ok(catalogue)
}
