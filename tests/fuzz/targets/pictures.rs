//! Any bytes as images, masks and caches of crops.
#![no_main]

use std::panic::{set_hook, take_hook};

use libfuzzer_sys::fuzz_target;

/// Panics of the decoder of TIFF are caught by our reader, and no findings.
fn overlook_caught() {
    let abort = take_hook();
    set_hook(Box::new(move |panic| {
        if !panic.location().is_some_and(|place| place.file().contains("/tiff-")) {
            abort(panic);
        }
    }));
}

fuzz_target!(init: overlook_caught(), |bytes: &[u8]| fuzzing::pictures::read_everything(bytes));
