//! Lets what cargo runs from here find libtorch, and tells the crate what it is compiled from.
//!
//! cargo hands the search paths of build scripts to the programs it runs, but only those inside its target folder. So
//! libtorch's folder is linked into ours, and tests, doc tests and plugins need nothing exported.
//!
//! A library that is loaded at run time must have been compiled from the same sources by the same compiler as the
//! program. Both are named here, for the header of plugins (`src/plugin/header.rs`).

use std::collections::hash_map::DefaultHasher;
use std::error::Error;
use std::hash::Hasher;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::{env, fs, io};

/// What the types that cross into plugins are compiled from, below this crate.
const SOURCES: [&str; 4] = ["Cargo.toml", "src", "anndata/Cargo.toml", "anndata/src"];

fn main() -> Result<(), Box<dyn Error>> {
    println!("cargo::rerun-if-changed=build.rs");
    link_libtorch()?;
    println!("cargo::rustc-env=CITHARA_SOURCES={:016x}", hash_of_sources()?);
    println!("cargo::rustc-env=CITHARA_RUSTC={}", compiler()?);
    println!("cargo::rustc-env=CITHARA_TARGET={}", env::var("TARGET")?);
    Ok(())
}

fn link_libtorch() -> Result<(), Box<dyn Error>> {
    // Told by torch-sys (`links = "tch"`) to the crates that depend on it directly.
    let libtorch = PathBuf::from(env::var("DEP_TCH_LIBTORCH_LIB")?);
    let link = PathBuf::from(env::var("OUT_DIR")?).join("libtorch");
    replace_link(&libtorch, &link)?;
    println!("cargo::metadata=libtorch={}", libtorch.display());
    println!("cargo::rustc-link-search=native={}", link.display());
    Ok(())
}

fn replace_link(target: &Path, link: &Path) -> io::Result<()> {
    match fs::remove_file(link) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
        _ => std::os::unix::fs::symlink(target, link),
    }
}

/// A number that changes with any byte or name of the sources.
fn hash_of_sources() -> io::Result<u64> {
    let mut files = Vec::new();
    for source in SOURCES {
        println!("cargo::rerun-if-changed={source}");
        list(Path::new(source), &mut files)?;
    }
    files.sort();
    let mut hasher = DefaultHasher::new();
    for file in files {
        hasher.write(file.to_string_lossy().as_bytes());
        hasher.write(&fs::read(file)?);
    }
    Ok(hasher.finish())
}

fn list(path: &Path, files: &mut Vec<PathBuf>) -> io::Result<()> {
    if path.is_file() {
        files.push(path.to_owned());
        return Ok(());
    }
    for entry in fs::read_dir(path)? {
        let path = entry?.path();
        // What checks components passes nothing to them.
        if path != Path::new("src/testing") {
            list(&path, files)?;
        }
    }
    Ok(())
}

/// Release and commit of the compiler, as it states them: `1.95.0 (59807616e 2026-04-14)`.
fn compiler() -> Result<String, Box<dyn Error>> {
    let output = Command::new(env::var("RUSTC")?).arg("--version").output()?;
    let text = String::from_utf8(output.stdout)?;
    Ok(text.trim().trim_start_matches("rustc ").to_owned())
}
