//! Any bytes as an HDF5 file: what libhdf5 lets through must not trip our readers.
#![no_main]

use fuzzing::{Scratch, h5};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    let scratch = Scratch::new();
    h5::read_everything(&scratch.file("input.h5", bytes), h5::Then::Nothing);
});
