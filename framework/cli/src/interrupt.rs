//! Stopping from outside: the first Ctrl-C ends the work after its present step, the second ends the program.

use std::io::Read;
use std::sync::Once;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

static INTERRUPTED: AtomicBool = AtomicBool::new(false);
static INSTALL: Once = Once::new();

/// How long a program may put its work in order after its standard input has closed.
const PATIENCE: Duration = Duration::from_secs(5);

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

/// Stops as at Ctrl-C when the standard input closes, and ends the program soon after: a run that another program started
/// does not outlive it.
pub fn end_with_stdin() {
    std::thread::spawn(|| {
        let mut buffer = [0; 64];
        let mut stdin = std::io::stdin().lock();
        while matches!(stdin.read(&mut buffer), Ok(n) if n > 0) {}
        INTERRUPTED.store(true, Ordering::Relaxed);
        std::thread::sleep(PATIENCE);
        std::process::exit(i32::from(crate::INTERRUPTED));
    });
}
