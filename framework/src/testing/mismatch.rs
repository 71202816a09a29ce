//! What a check found instead of what it expected, and how it is told.

use crate::component::ComponentInfo;
use std::any::Any;
use std::fmt;
use std::panic::{AssertUnwindSafe, catch_unwind};

/// How the guard ends the message of a panic that it caught.
const PANICKED: &str = "this is a fault of the component";

/// Where libtorch's trace begins in its messages.
const TRACE: &str = "\nException raised from";

/// One expectation that was not met.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Mismatch {
    pub(super) expected: String,
    pub(super) found: String,
}

/// The result of a check.
pub(super) type Checked = Result<(), Mismatch>;

/// A check and its name.
pub(super) type Check<T> = (&'static str, fn(&T) -> Checked);

impl Mismatch {
    pub(super) fn new(expected: impl Into<String>, found: impl Into<String>) -> Mismatch {
        Mismatch { expected: expected.into(), found: found.into() }
    }
}

impl From<anyhow::Error> for Mismatch {
    fn from(error: anyhow::Error) -> Mismatch {
        Mismatch::new("no error", format!("the error: {}", words(&error)))
    }
}

impl From<tch::TchError> for Mismatch {
    fn from(error: tch::TchError) -> Mismatch {
        anyhow::Error::from(error).into()
    }
}

/// An error with its causes, without libtorch's trace.
pub(super) fn words(error: &anyhow::Error) -> String {
    format!("{error:#}").split(TRACE).next().unwrap_or_default().to_owned()
}

/// Holds, or says what was expected and what was found.
pub(super) fn expect(holds: bool, expected: impl Into<String>, found: impl Into<String>) -> Checked {
    if holds { Ok(()) } else { Err(Mismatch::new(expected, found)) }
}

/// Wants an error that says something, and no panic.
pub(super) fn refused<T>(result: anyhow::Result<T>, what: &str) -> Checked {
    match result {
        Ok(_) => Err(Mismatch::new(format!("{what} is refused with an error"), "it was accepted")),
        Err(error) => legal_refusal(&error),
    }
}

/// Wants of an error that it says something and is no panic.
pub(super) fn legal_refusal(error: &anyhow::Error) -> Checked {
    let text = words(error);
    expect(!text.contains(PANICKED), "an error that says what is wrong", format!("a panic: {text}"))?;
    expect(!text.trim().is_empty(), "an error that says what is wrong", "an error without text")
}

/// A component, and the table that it was built from.
#[derive(Debug, Clone, Copy)]
pub(super) struct Examined<'a> {
    pub(super) info: &'a ComponentInfo,
    pub(super) table: &'a str,
}

/// One failed check, in words.
#[derive(Debug)]
pub(super) struct Fault(String);

impl fmt::Display for Fault {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.0)
    }
}

impl Examined<'_> {
    /// Does a check; `with` says at which size or on which file.
    pub(super) fn check(&self, name: &str, with: &str, work: impl FnOnce() -> Checked) -> Result<(), Fault> {
        let checked = catch_unwind(AssertUnwindSafe(work))
            .unwrap_or_else(|panic| Err(Mismatch::new("no panic", format!("the panic: {}", text_of(panic.as_ref())))));
        checked.map_err(|mismatch| self.fault(name, with, &mismatch))
    }

    fn fault(&self, name: &str, with: &str, mismatch: &Mismatch) -> Fault {
        let table = match self.table.trim() {
            "" => "the empty table".to_owned(),
            table => format!("the table `{}`", table.replace('\n', "; ")),
        };
        let with = if with.is_empty() { table } else { format!("{table}, {with}") };
        Fault(format!(
            "the {} `{}` does not conform: {name}\n  with:     {with}\n  expected: {}\n  found:    {}",
            self.info.role, self.info.name, mismatch.expected, mismatch.found
        ))
    }
}

fn text_of(panic: &(dyn Any + Send)) -> &str {
    let text = panic.downcast_ref::<&str>().copied();
    text.or_else(|| panic.downcast_ref::<String>().map(String::as_str)).unwrap_or("without a message")
}
