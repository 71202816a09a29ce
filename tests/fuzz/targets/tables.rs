//! Any bytes as tables of counts in text.
#![no_main]

use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| fuzzing::tables::read_everything(bytes));
