//! `cargo xtask setup`: what is missing is fetched, the rest is left alone.

use std::env;
use std::ffi::OsString;
use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use anyhow::{Context, Result};

use crate::{cmake, libtorch, needs};

/// Brings the checkout to where plain cargo builds it. Another set-up that is under way is waited for.
pub fn run() -> Result<()> {
    let root = checkout()?;
    let tools = root.join(".tools");
    fs::create_dir_all(&tools).with_context(|| format!("`{}` cannot be made", tools.display()))?;
    let lock = File::create(tools.join("lock")).context("the lock of the set-up cannot be made")?;
    lock.lock().context("the set-up cannot be locked against another one")?;

    let libtorch = libtorch::wanted(&root)?;
    let cmake = cmake::wanted(&root)?;
    needs::check(libtorch.is_some() || cmake.is_some())?;
    if let Some(libtorch) = libtorch {
        libtorch.install(&root)?;
    }
    if let Some(cmake) = cmake {
        cmake.install(&root)?;
    }
    Ok(())
}

/// The root of the checkout this program was started from.
pub fn checkout() -> Result<PathBuf> {
    let package = env::var_os("CARGO_MANIFEST_DIR").map_or(env!("CARGO_MANIFEST_DIR").into(), PathBuf::from);
    let root = package.ancestors().nth(2).context("the checkout is not found\nhelp: run `cargo xtask` inside it")?;
    Ok(root.to_path_buf())
}

/// A variable of the user's own environment; `None` for what `.cargo/config.toml` sets itself.
pub fn own_value(name: &str) -> Option<OsString> {
    let value = env::var_os(name)?;
    let root = checkout().ok()?;
    let ours = [".libtorch", "tests/xtask/cmake", "tests/xtask/no-libtorch"];
    ours.iter().all(|path| root.join(path) != Path::new(&value)).then_some(value)
}

/// Makes an empty folder that [`put_in_place`] will move; leftovers of an earlier attempt go.
pub fn empty_folder(folder: &Path) -> Result<()> {
    remove(folder)?;
    fs::create_dir_all(folder).with_context(|| format!("`{}` cannot be made", folder.display()))
}

/// Moves a finished folder to its place, so that nobody ever sees half of it.
pub fn put_in_place(finished: &Path, place: &Path) -> Result<()> {
    remove(place)?;
    fs::rename(finished, place).with_context(|| format!("`{}` cannot be made", place.display()))
}

/// Removes a folder, or a link to one, if it is there.
pub fn remove(folder: &Path) -> Result<()> {
    let removed = match folder.symlink_metadata() {
        Ok(found) if found.is_dir() => fs::remove_dir_all(folder),
        Ok(_) => fs::remove_file(folder),
        Err(_) => Ok(()),
    };
    removed.with_context(|| format!("`{}` cannot be removed", folder.display()))
}

/// Says what has been done, and how long it took.
pub fn report(done: &str, since: Instant) {
    eprintln!("{done} ({})", seconds(since.elapsed()));
}

fn seconds(duration: Duration) -> String {
    format!("{:.1} s", duration.as_secs_f64())
}
