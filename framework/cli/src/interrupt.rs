//! Stopping from outside: the first Ctrl-C ends the work after its present step, the second ends the program.

use std::io::Read;
use std::sync::Once;
use std::sync::atomic::{AtomicBool, Ordering};

static INTERRUPTED: AtomicBool = AtomicBool::new(false);
static INSTALL: Once = Once::new();

/// The flag that Ctrl-C (or a request to terminate) sets; listens from the first call on.
pub fn flag() -> &'static AtomicBool {
    INSTALL.call_once(|| {
        let listening = ctrlc::set_handler(|| {
            if INTERRUPTED.swap(true, Ordering::Relaxed) {
                std::process::exit(i32::from(crate::INTERRUPTED));
            }
        });
        if let Err(error) = listening {
            eprintln!("note: Ctrl-C will not save what was learned: {error}");
        }
    });
    &INTERRUPTED
}

/// Ends the program as soon as its standard input closes: a run that another program started does not outlive it.
pub fn end_with_stdin() {
    std::thread::spawn(|| {
        let mut buffer = [0; 64];
        let mut stdin = std::io::stdin().lock();
        while matches!(stdin.read(&mut buffer), Ok(n) if n > 0) {}
        std::process::exit(i32::from(crate::INTERRUPTED));
    });
}
