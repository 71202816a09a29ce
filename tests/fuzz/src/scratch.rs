//! Files that a target hands to readers by name.

use std::cell::RefCell;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};

use tempfile::TempDir;

/// Of the next folder.
static NUMBER: AtomicU64 = AtomicU64::new(0);

thread_local! {
    static FOLDER: RefCell<Option<TempDir>> = const { RefCell::new(None) };
}

/// A folder for the files of one input, emptied when it is dropped; in memory where the system has such a place.
pub struct Scratch {
    folder: PathBuf,
}

impl Scratch {
    /// An empty folder.
    pub fn new() -> Self {
        let number = NUMBER.fetch_add(1, Ordering::Relaxed).to_string();
        let folder = beside().join(number);
        fs::create_dir(&folder).expect("a folder for the input");
        Self { folder }
    }

    /// Where the folder is.
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// Writes a file into it.
    pub fn file(&self, name: &str, content: &[u8]) -> PathBuf {
        let path = self.folder.join(name);
        fs::write(&path, content).expect("room for the input");
        path
    }
}

/// The folder of all inputs, for what is written again and again.
pub(crate) fn beside() -> PathBuf {
    FOLDER.with_borrow_mut(|kept| kept.get_or_insert_with(make).path().to_owned())
}

impl Default for Scratch {
    fn default() -> Self {
        Self::new()
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.folder);
    }
}

fn make() -> TempDir {
    let in_memory = Path::new("/dev/shm");
    let builder = tempfile::Builder::new();
    builder.tempdir_in(in_memory).or_else(|_| builder.tempdir()).expect("a temporary folder")
}
