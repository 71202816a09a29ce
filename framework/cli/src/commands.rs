//! One file per command.

mod check;
mod demo;
mod doctor;
mod embed;
mod evaluate;
mod model;
mod plan;
mod plugins;
mod predict;
mod run;
mod schema;
mod simulate;

use crate::arguments::Command;
use crate::console::Console;
use anyhow::Result;

/// Does what the command line says.
pub fn execute(command: Command, console: &mut Console<'_>) -> Result<()> {
    match command {
        Command::Demo(arguments) => demo::execute(&arguments, console),
        Command::Check(arguments) => check::execute(&arguments, console),
        Command::Plan(arguments) => plan::execute(&arguments, console),
        Command::Run(arguments) => run::execute(&arguments, console),
        Command::Embed(arguments) => embed::execute(&arguments, console),
        Command::Predict(arguments) => predict::execute(&arguments, console),
        Command::Evaluate(arguments) => evaluate::execute(&arguments, console),
        Command::Simulate(arguments) => simulate::execute(&arguments, console),
        Command::Plugins(command) => plugins::execute(&command, console),
        Command::Schema(arguments) => schema::execute(&arguments, console),
        Command::Doctor(arguments) => doctor::execute(&arguments, console),
    }
}
