//! A command line run in this process, one at a time.

use std::ffi::OsString;
use std::fmt;
use std::sync::{Mutex, PoisonError};

/// Seeds and threads of libtorch belong to the process, so two runs must never overlap.
static ONE_AT_A_TIME: Mutex<()> = Mutex::new(());

/// What a command line ended with.
#[derive(Debug, Clone)]
pub struct Outcome {
    /// Exit code.
    pub code: u8,
    /// Standard output.
    pub out: String,
    /// Standard error.
    pub err: String,
}

impl fmt::Display for Outcome {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            formatter,
            "exit code {}\n--- standard output\n{}\n--- standard error\n{}",
            self.code, self.out, self.err
        )
    }
}

/// Runs `cithara` with these arguments.
///
/// # Panics
/// When it writes anything but UTF-8.
pub fn cithara(arguments: &[&str]) -> Outcome {
    let _alone = ONE_AT_A_TIME.lock().unwrap_or_else(PoisonError::into_inner);
    let (mut out, mut err) = (Vec::new(), Vec::new());
    let words = std::iter::once("cithara").chain(arguments.iter().copied()).map(OsString::from);
    let code = cli::run(words, &mut out, &mut err);
    let text = |bytes| String::from_utf8(bytes).expect("text");
    Outcome { code, out: text(out), err: text(err) }
}

/// Runs `cithara` where it must succeed.
///
/// # Panics
/// When the exit code is not 0.
pub fn cithara_ok(arguments: &[&str]) -> Outcome {
    let outcome = cithara(arguments);
    assert_eq!(outcome.code, 0, "cithara {}\n{outcome}", arguments.join(" "));
    outcome
}
