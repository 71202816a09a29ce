//! Where a command writes: results to `out`, all else to `err`; colour and progress only where they are wanted.

use anyhow::Result;
use serde::Serialize;
use std::fmt;
use std::io::Write;
use std::path::PathBuf;

/// The two streams of a command and how to write to them.
pub struct Console<'a> {
    /// Results.
    pub out: &'a mut dyn Write,
    /// Notes, progress and errors.
    pub err: &'a mut dyn Write,
    /// Whether `err` is a terminal, so that progress may be drawn.
    pub is_terminal: bool,
    /// Whether messages may have colour.
    pub colour: bool,
    /// Whether notes and progress are left out.
    pub quiet: bool,
}

impl fmt::Debug for Console<'_> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Console { is_terminal, colour, quiet, .. } = self;
        write!(formatter, "Console {{ is_terminal: {is_terminal}, colour: {colour}, quiet: {quiet} }}")
    }
}

impl Console<'_> {
    /// Writes a result, ending its last line.
    ///
    /// # Errors
    /// When `out` cannot be written to.
    pub fn print(&mut self, text: &str) -> Result<()> {
        writeln!(self.out, "{}", text.trim_end_matches('\n'))?;
        Ok(self.out.flush()?)
    }

    /// Writes a result as JSON.
    ///
    /// # Errors
    /// When it cannot be written as JSON, or `out` cannot be written to.
    pub fn print_json<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<()> {
        self.print(&serde_json::to_string_pretty(value)?)
    }

    /// Writes results, then notes on them, and where they were written.
    ///
    /// # Errors
    /// When a stream cannot be written to.
    pub fn results(&mut self, text: &str, notes: &[String], written: &[PathBuf]) -> Result<()> {
        self.print(text)?;
        for note in notes {
            self.note(&format!("note: {note}"))?;
        }
        written.iter().try_for_each(|path| self.note(&format!("written: {}", path.display())))
    }

    /// Writes something that is not a result to `err`, unless quiet.
    ///
    /// # Errors
    /// When `err` cannot be written to.
    pub fn note(&mut self, text: &str) -> Result<()> {
        if !self.quiet {
            writeln!(self.err, "{}", text.trim_end_matches('\n'))?;
        }
        Ok(self.err.flush()?)
    }
}
