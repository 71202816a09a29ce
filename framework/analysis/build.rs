//! Lets cargo find libtorch when it runs this crate's tests and whatever else links it.
//!
//! Cargo adds build scripts' search paths to the run-time library path only when they lie inside the target folder, so
//! a link to libtorch's folder is made there.

use std::{env, error::Error, fs, os::unix::fs::symlink, path::Path};

fn main() -> Result<(), Box<dyn Error>> {
    println!("cargo::rerun-if-env-changed=DEP_TCH_LIBTORCH_LIB");
    let Ok(library) = env::var("DEP_TCH_LIBTORCH_LIB") else {
        return Ok(());
    };
    let link = Path::new(&env::var("OUT_DIR")?).join("libtorch");
    if link.symlink_metadata().is_ok() {
        fs::remove_file(&link)?;
    }
    symlink(fs::canonicalize(library)?, &link)?;
    println!("cargo::rustc-link-search=native={}", link.display());
    Ok(())
}
