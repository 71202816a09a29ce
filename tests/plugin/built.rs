//! What is compiled before anything is tried, once: the plugins, and the program that has them compiled in.

use std::fmt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::{Mutex, OnceLock, PoisonError};
use tests_support::{cargo, command_in, repository, target_folder};

/// The library of a plugin: a folder below the root of the repository.
pub fn library(folder: &'static str) -> &'static Path {
    static ALL: OnceLock<Vec<(&str, PathBuf)>> = OnceLock::new();
    const FOLDERS: [&str; 4] = [
        "examples/plugin/methylation",
        "examples/plugin/electrophysiology",
        "tests/faulty_plugin",
        "tests/faulty_plugin/duplicate",
    ];
    let all = ALL.get_or_init(|| FOLDERS.map(|folder| (folder, compile(folder))).to_vec());
    &all.iter().find(|(known, _)| *known == folder).unwrap_or_else(|| panic!("`{folder}` is a plugin")).1
}

fn compile(folder: &str) -> PathBuf {
    let done = run(command_in(&repository(), "cithara").args(["plugins", "build", folder]));
    assert_eq!(done.code, 0, "{done}");
    PathBuf::from(done.out.trim())
}

/// The program of `examples/plugin/cithara_with_plugins`.
pub fn with_plugins() -> &'static Path {
    static BUILT: OnceLock<PathBuf> = OnceLock::new();
    BUILT.get_or_init(|| {
        let folder = repository().join("examples/plugin");
        let done = run(cargo().args(["build", "--package", "cithara_with_plugins"]).current_dir(folder));
        assert_eq!(done.code, 0, "{done}");
        target_folder().join("debug/cithara_with_plugins")
    })
}

/// What a program ended with.
pub struct Done {
    pub code: i32,
    pub out: String,
    pub err: String,
}

impl fmt::Display for Done {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "exit code {}\n--- out\n{}\n--- err\n{}", self.code, self.out, self.err)
    }
}

/// A process inherits files that HDF5 is writing, with their locks: none may start meanwhile.
static STARTS_AND_WRITES: Mutex<()> = Mutex::new(());

/// Does what no process may start during.
pub fn alone<T>(work: impl FnOnce() -> T) -> T {
    let _alone = STARTS_AND_WRITES.lock().unwrap_or_else(PoisonError::into_inner);
    work()
}

/// Runs a command to its end.
pub fn run(command: &mut Command) -> Done {
    let started = alone(|| command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn());
    let output = started.and_then(Child::wait_with_output).unwrap_or_else(|error| panic!("{command:?}: {error}"));
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    let code = output.status.code().unwrap_or_else(|| panic!("{command:?}: {}", output.status));
    Done { code, out: text(&output.stdout), err: text(&output.stderr) }
}

/// Runs the program that knows no plugin, in a folder.
pub fn cithara(folder: &Path, words: &[&str]) -> Done {
    run(command_in(folder, "cithara").args(words))
}
