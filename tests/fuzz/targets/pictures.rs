//! Any bytes as images, masks and caches of crops.
#![no_main]

use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| fuzzing::pictures::read_everything(bytes));
