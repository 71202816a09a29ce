//! `.tools/cmake/bin/cmake`: builds HDF5, which wants a newer CMake than many systems have.
//!
//! A CMake that is here and new enough is linked to; otherwise pip's is unpacked. `.cargo/config.toml` names the script
//! `tests/xtask/cmake`, which starts it, or says what to run while it is missing.

use std::env;
use std::fs;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Instant;

use anyhow::{Context, Result, ensure};

use crate::archive;
use crate::setup;
use crate::wheel::Wheel;

/// The oldest CMake that HDF5 accepts.
const OLDEST: (u32, u32) = (3, 26);

const WHEEL: Wheel = Wheel { requirement: "cmake>=3.26,<5", platforms: &[] };

/// How CMake gets to its place.
pub enum Cmake {
    Linked(PathBuf),
    Fetched,
}

/// What is missing; `None` when it is here already.
///
/// # Errors
/// When the user's `CMAKE` is too old, since the build would take it nevertheless.
pub fn wanted(root: &Path) -> Result<Option<Cmake>> {
    let own = setup::own_value("CMAKE").map(PathBuf::from);
    if let Some(program) = own {
        let shown = program.display();
        let program = on_path(&program).filter(|program| new_enough(program)).with_context(|| {
            format!(
                "`CMAKE={shown}` is not a CMake {}.{} or newer\nhelp: unset CMAKE to have one fetched",
                OLDEST.0, OLDEST.1
            )
        })?;
        return Ok((!new_enough(&place(root))).then_some(Cmake::Linked(program)));
    }
    if new_enough(&place(root)) {
        return Ok(None);
    }
    let here = on_path(Path::new("cmake")).filter(|program| new_enough(program));
    Ok(Some(here.map_or(Cmake::Fetched, Cmake::Linked)))
}

impl Cmake {
    /// Puts it into `.tools/cmake/`.
    pub fn install(&self, root: &Path) -> Result<()> {
        let start = Instant::now();
        let partial = root.join(".tools/cmake.partial");
        setup::empty_folder(&partial)?;
        match self {
            Self::Linked(program) => link(program, &partial)?,
            Self::Fetched => fetch(root, &partial)?,
        }
        setup::put_in_place(&partial, &root.join(".tools/cmake"))?;
        let (major, minor) =
            version(&place(root)).context("the fetched CMake does not start\nhelp: set CMAKE to one that does")?;
        let origin = match self {
            Self::Linked(program) => format!(", linked to `{}`", program.display()),
            Self::Fetched => String::new(),
        };
        setup::report(&format!("CMake {major}.{minor} is in .tools/cmake{origin}"), start);
        Ok(())
    }
}

fn place(root: &Path) -> PathBuf {
    root.join(".tools/cmake/bin/cmake")
}

fn link(program: &Path, folder: &Path) -> Result<()> {
    fs::create_dir_all(folder.join("bin"))?;
    symlink(program, folder.join("bin/cmake")).with_context(|| format!("`{}` cannot be linked to", program.display()))
}

fn fetch(root: &Path, folder: &Path) -> Result<()> {
    eprintln!("fetching CMake: 30 MB");
    let downloads = root.join(".tools/downloads");
    setup::empty_folder(&downloads)?;
    archive::unpack(&WHEEL.fetch(&downloads)?, folder, needed)?;
    setup::remove(&downloads)?;
    let program = folder.join("bin/cmake");
    ensure!(program.is_file(), "pip's CMake lies in another place than expected\nhelp: set CMAKE to one of your own");
    fs::set_permissions(&program, fs::Permissions::from_mode(0o755))?;
    Ok(())
}

/// Where a file of pip's CMake goes, if the build needs it: the program and its modules.
fn needed(name: &str) -> Option<PathBuf> {
    let path = name.strip_prefix("cmake/data/")?;
    (path == "bin/cmake" || path.starts_with("share/")).then(|| PathBuf::from(path))
}

/// The full path of a program that is named without one.
fn on_path(program: &Path) -> Option<PathBuf> {
    if program.components().count() > 1 {
        return program.is_file().then(|| program.to_path_buf());
    }
    env::split_paths(&env::var_os("PATH")?).map(|folder| folder.join(program)).find(|path| path.is_file())
}

fn new_enough(program: &Path) -> bool {
    version(program).is_some_and(|version| version >= OLDEST)
}

/// What a CMake says its version is; `None` when it does not start.
fn version(program: &Path) -> Option<(u32, u32)> {
    let answer = Command::new(program).arg("--version").output().ok()?;
    parse_version(&String::from_utf8(answer.stdout).ok()?)
}

fn parse_version(answer: &str) -> Option<(u32, u32)> {
    let mut numbers = answer.strip_prefix("cmake version ")?.split(['.', '-', '\n']);
    Some((numbers.next()?.parse().ok()?, numbers.next()?.parse().ok()?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_are_compared_as_numbers() {
        assert_eq!(parse_version("cmake version 3.25.1\n\nCMake suite"), Some((3, 25)));
        assert_eq!(parse_version("cmake version 4.0.0-rc1\n"), Some((4, 0)));
        assert_eq!(parse_version("something else"), None);
        assert!((3, 9) < OLDEST && (3, 26) >= OLDEST && (4, 0) >= OLDEST);
    }

    #[test]
    fn a_linked_cmake_lies_where_the_build_looks() {
        let root = tempfile::tempdir().unwrap();
        let program = root.path().join("my-cmake");
        fs::write(&program, "#!/bin/sh\necho cmake version 3.27.4\n").unwrap();
        fs::set_permissions(&program, fs::Permissions::from_mode(0o755)).unwrap();
        Cmake::Linked(program).install(root.path()).unwrap();
        assert!(new_enough(&place(root.path())));
        assert!(wanted(root.path()).unwrap().is_none());
    }
}
