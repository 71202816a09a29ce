//! Any text, and texts that are nearly specs, as specs and ablations.
#![no_main]

use fuzzing::spec;
use libfuzzer_sys::{fuzz_mutator, fuzz_target, fuzzer_mutate};

fuzz_target!(|text: &str| spec::read_everything(text));

fuzz_mutator!(|bytes: &mut [u8], size: usize, max_size: usize, seed: u32| {
    let text = std::str::from_utf8(&bytes[..size]).ok().filter(|_| seed % 4 != 0);
    match text.and_then(|text| spec::changed(text, seed)) {
        Some(changed) if changed.len() <= max_size => {
            bytes[..changed.len()].copy_from_slice(changed.as_bytes());
            changed.len()
        }
        _ => fuzzer_mutate(bytes, size, max_size),
    }
});
