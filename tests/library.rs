//! Reading the header of a plugin from files that are damaged in every way: an error or the header, never a crash.

use plugins as _;
use registry::read_header;
use std::path::{Path, PathBuf};
use tests_support::{command_in, repository};

/// Files that are tried; `CITHARA_FUZZ_CASES` for more.
const N_CASES: u64 = 300;

fn built() -> PathBuf {
    let folder = repository().join("examples/plugin/electrophysiology");
    let output = command_in(&folder, "cithara").args(["plugins", "build", "."]).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    PathBuf::from(String::from_utf8(output.stdout).unwrap().trim())
}

/// Numbers that look random and are the same every time (Knuth's MMIX).
struct Numbers(u64);

impl Numbers {
    fn below(&mut self, n: usize) -> usize {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) as usize % n.max(1)
    }
}

/// Changes a few bytes, most of them where tables of the file are, or cuts it.
fn damaged(bytes: &[u8], numbers: &mut Numbers) -> Vec<u8> {
    let mut bytes = bytes.to_vec();
    let end = bytes.len();
    let tables: [(usize, usize); 4] = [(0, 64), (64, 4096), (4096, 65_536), (end - 4096, end)];
    for _ in 0..=numbers.below(12) {
        let (from, to) = match numbers.below(5) {
            4 => (0, end),
            table => tables[table],
        };
        let place = from + numbers.below(to - from);
        bytes[place] = [0, 0xff, 0x7f, numbers.below(256) as u8][numbers.below(4)];
    }
    if numbers.below(4) == 0 {
        bytes.truncate(numbers.below(end));
    }
    bytes
}

#[test]
fn no_damage_of_a_plugin_is_too_odd() {
    let library = built();
    let (symbol, header) = read_header(&library).unwrap();
    assert_eq!((symbol.as_str(), header.name.as_str()), ("cithara_plugin_electrophysiology", "electrophysiology"));
    let bytes = std::fs::read(&library).unwrap();
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("damaged.so");
    let n_cases = std::env::var("CITHARA_FUZZ_CASES").ok().and_then(|n| n.parse().ok()).unwrap_or(N_CASES);
    let (mut numbers, mut n_refused) = (Numbers(1), 0);
    for _ in 0..n_cases {
        std::fs::write(&path, damaged(&bytes, &mut numbers)).unwrap();
        n_refused += u64::from(read_header(&path).is_err());
    }
    assert!(n_refused > n_cases / 4 && n_refused < n_cases, "{n_refused} of {n_cases} were refused");
}

/// Lengthens the section of thread-local variables that start as zeros, which lies nowhere in the file and whose addresses are
/// those of what comes after it (ELF, 64 bits).
fn with_many_thread_locals(mut bytes: Vec<u8>) -> Vec<u8> {
    const NO_BITS: u64 = 8;
    const THREAD_LOCAL: u64 = 0x400;
    let number = |bytes: &[u8], from: usize, n: usize| {
        bytes[from..from + n].iter().rev().fold(0u64, |number, byte| number << 8 | u64::from(*byte))
    };
    let (table, size, n) = (number(&bytes, 0x28, 8), number(&bytes, 0x3a, 2), number(&bytes, 0x3c, 2));
    let headers = (0..n).map(|section| (table + section * size) as usize);
    let is_ours =
        |header: &usize| number(&bytes, header + 4, 4) == NO_BITS && number(&bytes, header + 8, 8) & THREAD_LOCAL != 0;
    let header = headers.into_iter().find(is_ours).expect("thread-local variables of the standard library");
    bytes[header + 0x20..header + 0x28].copy_from_slice(&0x10_0000u64.to_le_bytes());
    bytes
}

#[test]
#[cfg(all(target_os = "linux", target_pointer_width = "64"))]
fn thread_locals_do_not_hide_the_header() {
    let library = built();
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("locals.so");
    std::fs::write(&path, with_many_thread_locals(std::fs::read(&library).unwrap())).unwrap();
    assert_eq!(read_header(&path).unwrap(), read_header(&library).unwrap());
}

#[test]
fn folders_devices_and_nothing_are_no_plugins() {
    let folder = tempfile::tempdir().unwrap();
    for path in [folder.path(), Path::new("/dev/null"), Path::new("/dev/zero"), &folder.path().join("none")] {
        assert!(read_header(path).is_err(), "{}", path.display());
    }
}
