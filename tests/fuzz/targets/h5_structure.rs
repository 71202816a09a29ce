//! Whole HDF5 files of damaged structure: types, shapes, values, attributes and links that our readers do not expect.
#![no_main]

use fuzzing::{Scratch, h5};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|damage: h5::Damage| {
    let scratch = Scratch::new();
    let path = damage.write(&scratch);
    h5::read_everything(&path, damage.then());
});
