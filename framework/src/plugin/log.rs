//! Log lines of loaded plugins, handed to the program.

use super::entry::Host;
use log::{Level, Log, Metadata, Record};
use std::sync::OnceLock;

/// One line of a log.
#[derive(Debug, Clone, Copy)]
pub struct LogLine<'a> {
    /// How much it matters.
    pub level: Level,
    /// The module that says it.
    pub target: &'a str,
    /// What it says.
    pub message: &'a str,
}

/// The program's way to log, once it is known.
static HOST: OnceLock<fn(&LogLine<'_>)> = OnceLock::new();

struct Forward;

impl Log for Forward {
    fn enabled(&self, metadata: &Metadata<'_>) -> bool {
        metadata.level() <= log::max_level()
    }

    fn log(&self, record: &Record<'_>) {
        if let Some(host) = HOST.get().filter(|_| self.enabled(record.metadata())) {
            let message = record.args().to_string();
            host(&LogLine { level: record.level(), target: record.target(), message: &message });
        }
    }

    fn flush(&self) {}
}

/// Sends what this library logs to the program.
pub(super) fn forward_log(host: &Host) {
    // Set already where the library was started before: the program is the same.
    let _ = HOST.set(host.log);
    let _ = log::set_logger(&Forward);
    log::set_max_level(host.max_level);
}
