use super::*;
use proptest::prelude::*;

fn told(bytes: &[u8]) -> String {
    format!("{:#}", in_bytes(bytes).unwrap_err())
}

/// This test program: a real ELF (or other) file that is no plugin.
fn program() -> Vec<u8> {
    std::fs::read(std::env::current_exe().unwrap()).unwrap()
}

#[test]
fn files_that_are_no_libraries_are_told() {
    for bytes in [b"".as_slice(), b"spec_version = 1\n", b"\x7fELF", b"\x89HDF\r\n\x1a\n", &[0xff; 5000]] {
        assert!(told(bytes).starts_with("it is no library ("), "{}", told(bytes));
    }
}

#[test]
fn a_library_that_is_no_plugin_is_told() {
    assert!(told(&program()).starts_with("it is a library, but no plugin"), "{}", told(&program()));
}

proptest! {
    #[test]
    fn no_bytes_are_too_odd(bytes in proptest::collection::vec(any::<u8>(), 0..4096)) {
        prop_assert!(in_bytes(&bytes).is_err());
    }

    #[test]
    fn no_cut_is_too_odd(share in 0.0..1.0f64) {
        let program = program();
        let n = (share * program.len() as f64) as usize;
        prop_assert!(in_bytes(&program[..n]).is_err());
    }
}
