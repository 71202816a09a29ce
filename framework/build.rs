//! Lets what cargo runs from here find libtorch: tests, doc tests and plugins, with nothing exported.
//!
//! cargo hands the search paths of build scripts to the programs it runs, but only those inside its target folder.
//! So libtorch's folder is linked into ours.

use std::path::{Path, PathBuf};
use std::{env, fs, io};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    println!("cargo::rerun-if-changed=build.rs");
    // Told by torch-sys (`links = "tch"`) to the crates that depend on it directly.
    let libtorch = PathBuf::from(env::var("DEP_TCH_LIBTORCH_LIB")?);
    let link = PathBuf::from(env::var("OUT_DIR")?).join("libtorch");
    replace_link(&libtorch, &link)?;
    println!("cargo::rustc-link-search=native={}", link.display());
    Ok(())
}

fn replace_link(target: &Path, link: &Path) -> io::Result<()> {
    match fs::remove_file(link) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
        _ => std::os::unix::fs::symlink(target, link),
    }
}
