//! Libraries that are named twice, clash, or are none.

use crate::built::{Done, cithara, library};
use crate::cells::{SMALL, spec};
use crate::doors::folder_with;
use std::path::{Path, PathBuf};
use tests_support::program;

const ELECTROPHYSIOLOGY: &str = "examples/plugin/electrophysiology";

fn check(libraries: &[&Path]) -> Done {
    let folder = folder_with(&spec(libraries, &[("electrophysiology", SMALL)], 2));
    cithara(folder.path(), &["check", "spec.toml"])
}

#[test]
fn a_library_named_twice_is_loaded_once() {
    let path = library(ELECTROPHYSIOLOGY);
    let roundabout = path.parent().unwrap().join("deps/..").join(path.file_name().unwrap());
    let done = check(&[path, &roundabout, path]);
    assert_eq!(done.code, 0, "{done}");
    let folder = folder_with(&spec(&[path], &[("electrophysiology", SMALL)], 2));
    let path = path.to_str().unwrap();
    let done = cithara(folder.path(), &["--plugin", path, "check", "spec.toml", "--plugin", path]);
    assert_eq!(done.code, 0, "{done}");
    let without = cithara(folder.path(), &["plugins", "describe", "student_t"]);
    assert!(without.code == 2 && without.err.contains("no component is called `student_t`"), "{without}");
    let with = cithara(folder.path(), &["plugins", "describe", "student_t", "--plugin", path]);
    assert!(with.code == 0 && with.out.contains("degrees_of_freedom"), "{with}");
}

#[test]
fn one_name_from_two_libraries_is_refused_with_both() {
    let (first, second) = (library(ELECTROPHYSIOLOGY), library("tests/faulty_plugin/duplicate"));
    let done = check(&[first, second]);
    assert_eq!(done.code, 2, "{done}");
    let both = format!(
        "the loss `student_t` is declared twice, by `electrophysiology` (`{}`) and by `duplicate` (`{}`)",
        first.display(),
        second.display()
    );
    assert!(done.err.contains(&both) && done.err.contains("spec.toml:6:"), "{both}\n{done}");
}

/// A copy of the library with its bytes changed.
fn changed(folder: &Path, name: &str, change: impl Fn(&mut Vec<u8>)) -> PathBuf {
    let mut bytes = std::fs::read(library(ELECTROPHYSIOLOGY)).unwrap();
    change(&mut bytes);
    let path = folder.join(name);
    std::fs::write(&path, bytes).unwrap();
    path
}

/// Puts another text of the same length in the header's place of one.
fn replace(bytes: &mut [u8], old: &[u8], new: &[u8]) {
    assert_eq!(old.len(), new.len());
    let header = bytes.windows(28).position(|bytes| bytes == b"cithara plugin 1\nname electr").expect("a header");
    let end = header + framework::plugin::HEADER_BYTES;
    let place = bytes[header..end].windows(old.len()).position(|bytes| bytes == old).expect("the text");
    bytes[header + place..][..new.len()].copy_from_slice(new);
}

#[test]
fn a_file_that_is_no_plugin_of_this_program_is_told_apart() {
    let folder = tempfile::tempdir().unwrap();
    let at = folder.path();
    let text = at.join("notes.so");
    std::fs::write(&text, "not a library\n").unwrap();
    let half = changed(at, "half.so", |bytes| bytes.truncate(bytes.len() / 2));
    let compiler = changed(at, "compiler.so", |bytes| replace(bytes, b"\nrustc 1.", b"\nrustc 0."));
    let form = changed(at, "form.so", |bytes| replace(bytes, b"cithara plugin 1", b"cithara plugin 9"));
    let sources = changed(at, "sources.so", |bytes| replace(bytes, b"\nframework 0", b"\nframework 9"));
    let other = at.join("program.so");
    std::fs::copy(program(), &other).unwrap();
    for (path, expected) in [
        (text.as_path(), &["it is no library ("][..]),
        (&half, &["it is no library ("]),
        (&other, &["it is a library, but no plugin", "`framework::export_plugin!();`"]),
        (&compiler, &["it was compiled for another program: `rustc` differs", "cithara plugins build FOLDER"]),
        (&form, &["begins with `cithara plugin 9`, but this program reads `cithara plugin 1`"]),
        (&sources, &["it was compiled for another program: `framework` differs"]),
        (&at.join("none.so"), &["cannot be read"]),
        (at, &["it is no file"]),
    ] {
        let done = check(&[path]);
        assert_eq!(done.code, 2, "{}: {done}", path.display());
        let all = expected.iter().all(|part| done.err.contains(part));
        assert!(all && done.err.contains(path.to_str().unwrap()), "{expected:?}: {done}");
        assert!(done.err.contains("spec.toml:6:14") && !done.err.contains("panicked"), "{done}");
        let checked = cithara(at, &["plugins", "check", path.to_str().unwrap()]);
        assert!(checked.code == 2 && checked.err.contains(expected[0]), "{checked}");
    }
}
