//! The command line of Cithara: one file per command, all of them functions of arguments and a console.

pub mod ablate;
mod arguments;
mod cluster;
mod commands;
mod console;
mod cut;
mod decoded_images;
mod drawing;
pub mod evaluate;
mod failure;
pub mod gene2peak;
pub mod import;
mod inpaint;
mod interpret;
mod interrupt;
mod log;
mod phenotype;
pub mod plan;
pub mod report;
mod results;
pub mod run;
pub mod simulate;

pub use console::Console;
pub use failure::{FAILED, INTERRUPTED, Interrupted, MISUSED, Misuse, OK};

use arguments::Arguments;
use clap::Parser;
// Naming the built-in components keeps the linker from dropping them.
use plugins as _;
use std::ffi::OsString;
use std::io::{IsTerminal, Write};

/// Runs a command line and returns its exit code: 0 done, 1 failed, 2 wrong input, 130 interrupted.
pub fn run(arguments: impl IntoIterator<Item = OsString>, out: &mut dyn Write, err: &mut dyn Write) -> u8 {
    let given: Vec<OsString> = arguments.into_iter().collect();
    let parsed = match Arguments::try_parse_from(&given) {
        Ok(parsed) => parsed,
        Err(message) => return usage(&message, out, err),
    };
    log::start(parsed.quiet);
    let is_terminal = std::io::stderr().is_terminal();
    let colour = is_terminal && std::env::var_os("NO_COLOR").is_none_or(|value| value.is_empty());
    let mut console = Console { out, err, is_terminal, colour, quiet: parsed.quiet };
    match commands::execute(parsed, &mut console) {
        Ok(()) => OK,
        Err(error) if failure::is_closed_pipe(&error) => OK,
        Err(error) => {
            // Where nothing can be written the exit code still tells.
            let _ = writeln!(console.err, "{}", failure::text(&error, colour).trim_end());
            failure::exit_code(&error)
        }
    }
}

/// Help and version go to standard output, mistakes to standard error.
fn usage(message: &clap::Error, out: &mut dyn Write, err: &mut dyn Write) -> u8 {
    let text = message.render();
    if message.use_stderr() {
        let _ = write!(err, "{text}");
        MISUSED
    } else {
        let _ = write!(out, "{text}");
        OK
    }
}
