//! Catching a panic without the trace that Rust prints by default.

use std::any::Any;
use std::cell::{Cell, RefCell};
use std::panic::{AssertUnwindSafe, PanicHookInfo, catch_unwind, set_hook, take_hook};
use std::path::Path;
use std::sync::Once;

thread_local! {
    /// Guarded calls that this thread is in, one within the other.
    static DEPTH: Cell<usize> = const { Cell::new(0) };
    /// What the last panic in a guarded call said, and where.
    static SAID: RefCell<Option<String>> = const { RefCell::new(None) };
}

/// Runs `work`; a panic in it becomes what it said, with the place in the source.
pub(super) fn catch<R>(work: impl FnOnce() -> R) -> Result<R, String> {
    listen();
    DEPTH.set(DEPTH.get() + 1);
    // What `work` leaves half done is never used again: see `Guarded::panicked`.
    let result = catch_unwind(AssertUnwindSafe(work));
    DEPTH.set(DEPTH.get() - 1);
    result.map_err(|payload| {
        let said = SAID.take().unwrap_or_else(|| message(payload.as_ref()));
        // Dropping what was thrown runs code of the component once more.
        std::mem::forget(payload);
        said
    })
}

/// Puts a hook before the present one that keeps quiet about guarded calls, once.
fn listen() {
    static ONCE: Once = Once::new();
    // A hook cannot be set by a thread that is panicking; the next call does.
    if ONCE.is_completed() || std::thread::panicking() {
        return;
    }
    ONCE.call_once(|| {
        let before = take_hook();
        set_hook(Box::new(move |panic| if DEPTH.get() > 0 { note(panic) } else { before(panic) }));
    });
}

fn note(panic: &PanicHookInfo<'_>) {
    let said = message(panic.payload());
    SAID.set(Some(match panic.location() {
        // A line of another crate says nothing to the author of the component, and is a long path.
        Some(place) if Path::new(place.file()).is_relative() => format!("{said} ({}:{})", place.file(), place.line()),
        _ => said,
    }));
}

/// The words of a panic; of libtorch's, what went wrong without its trace.
fn message(payload: &(dyn Any + Send)) -> String {
    let text = payload.downcast_ref::<&str>().copied();
    let text = text.or_else(|| payload.downcast_ref::<String>().map(String::as_str)).unwrap_or("without a message");
    let (before, text) = text.split_once("Torch(\"").map_or(("", text), |(_, text)| ("libtorch: ", text));
    let end = ["\nException raised from", "\\nException raised from"].iter().filter_map(|mark| text.find(mark)).min();
    format!("{before}{}", text[..end.unwrap_or(text.len())].trim_end())
}
