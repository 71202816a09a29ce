//! Log lines of components, of loaded plugins, too: beside the notes of a command, on standard error.

use crate::run::beside_bar;
use framework::log::{self, Level, LevelFilter, Log, Metadata, Record};

struct Lines;

impl Log for Lines {
    fn enabled(&self, metadata: &Metadata<'_>) -> bool {
        metadata.level() <= log::max_level()
    }

    fn log(&self, record: &Record<'_>) {
        if self.enabled(record.metadata()) {
            let crate_name = record.target().split("::").next().unwrap_or_default();
            beside_bar(|| eprintln!("{}: {crate_name}: {}", word(record.level()), record.args()));
        }
    }

    fn flush(&self) {}
}

fn word(level: Level) -> &'static str {
    match level {
        Level::Error => "error",
        Level::Warn => "warning",
        Level::Info | Level::Debug | Level::Trace => "note",
    }
}

/// Starts to write log lines; quietly, only those that matter.
pub fn start(quiet: bool) {
    // Set already where a program runs several commands.
    let _ = log::set_logger(&Lines);
    log::set_max_level(if quiet { LevelFilter::Warn } else { LevelFilter::Info });
}
