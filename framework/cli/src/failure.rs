//! Why a command ends early, and the exit code that says so.

use registry::Diagnostics;
use std::fmt;

/// All went well.
pub const OK: u8 = 0;
/// The run failed.
pub const FAILED: u8 = 1;
/// The command line or the spec is wrong.
pub const MISUSED: u8 = 2;
/// Stopped by Ctrl-C.
pub const INTERRUPTED: u8 = 130;

/// Something that the user wrote is wrong; nothing was started.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Misuse {
    /// What is wrong and what was expected.
    pub message: String,
    /// What to do.
    pub help: Option<String>,
}

impl Misuse {
    /// An error without advice.
    pub fn new(message: impl Into<String>) -> Misuse {
        Misuse { message: message.into(), help: None }
    }

    /// The same error with advice.
    pub fn help(mut self, help: impl Into<String>) -> Misuse {
        self.help = Some(help.into());
        self
    }
}

impl fmt::Display for Misuse {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.message)?;
        match &self.help {
            Some(help) => write!(formatter, "\nhelp: {help}"),
            None => Ok(()),
        }
    }
}

impl std::error::Error for Misuse {}

/// The command was stopped by Ctrl-C and has put everything in order.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Interrupted;

impl fmt::Display for Interrupted {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("interrupted")
    }
}

impl std::error::Error for Interrupted {}

/// The exit code of an error.
pub fn exit_code(error: &anyhow::Error) -> u8 {
    let is = |test: fn(&(dyn std::error::Error + 'static)) -> bool| error.chain().any(test);
    if is(|cause| cause.is::<Interrupted>()) {
        INTERRUPTED
    } else if is(|cause| cause.is::<Misuse>() || cause.is::<Diagnostics>()) {
        MISUSED
    } else {
        FAILED
    }
}

/// An error and its causes, outermost first, as one text.
pub fn one_line(error: &anyhow::Error) -> String {
    format!("{error:#}")
}

/// What is written of an error: all that is wrong with a spec, each with its `error:`, or the error and its causes.
pub fn text(error: &anyhow::Error, colour: bool) -> String {
    match error.downcast_ref::<Diagnostics>() {
        Some(diagnostics) => diagnostics.render(colour),
        None if colour => format!("\x1b[1;31merror:\x1b[0m {}", one_line(error)),
        None => format!("error: {}", one_line(error)),
    }
}

/// Whether the reader of our output went away, as `head` does: no failure of ours.
pub fn is_closed_pipe(error: &anyhow::Error) -> bool {
    let closed = |error: &std::io::Error| error.kind() == std::io::ErrorKind::BrokenPipe;
    error.chain().any(|cause| cause.downcast_ref::<std::io::Error>().is_some_and(closed))
}

#[cfg(test)]
mod tests {
    use super::*;
    use anyhow::{Context, anyhow};

    #[test]
    fn codes_survive_context() {
        let with_context = |error: anyhow::Error| exit_code(&Err::<(), _>(error).context("while running").unwrap_err());
        assert_eq!(with_context(Misuse::new("no such space").into()), MISUSED);
        assert_eq!(with_context(Diagnostics::new("spec.toml", "", &[]).into()), MISUSED);
        assert_eq!(with_context(Interrupted.into()), INTERRUPTED);
        assert_eq!(with_context(anyhow!("the loss is not finite")), FAILED);
    }

    #[test]
    fn a_closed_pipe_is_recognised() {
        let pipe = std::io::Error::from(std::io::ErrorKind::BrokenPipe);
        assert!(is_closed_pipe(&anyhow::Error::from(pipe)) && !is_closed_pipe(&anyhow!("else")));
    }

    #[test]
    fn errors_of_a_spec_say_so_themselves() {
        let mut diagnostics = Diagnostics::new("spec.toml", "", &[]);
        diagnostics.push(registry::Place::Whole, "the spec has no modality", None);
        assert_eq!(text(&diagnostics.into(), false), "error: the spec has no modality\n  --> spec.toml\n");
        assert_eq!(text(&anyhow!("inner").context("outer"), false), "error: outer: inner");
    }
}
