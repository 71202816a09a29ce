//! The cache on disk of a matrix of a file: where it is, and how it is made.
//!
//! It holds the matrix as it is in the file, before anything is filtered, so that all runs of a file share it. Its name
//! tells path, modality and layer, and follows from size and time of change of the file, too: a file that has changed gets
//! another cache, and the old one goes.

use super::OnDisk;
use crate::data::files::file_state;
use crate::data::matrix::held::Held;
use crate::data::matrix::open::{ensure_any, named};
use crate::data::matrix::{MatrixModality, MatrixReading};
use crate::modality::Source;
use crate::run::digest_text;
use crate::step::Step;
use anndata::{Annotated, Csr, Layer, RowFile, RowFileWriter, files_of};
use anyhow::{Context, Result};
use std::path::{Path, PathBuf};
use std::sync::mpsc::sync_channel;
use std::time::Instant;

/// Blocks that wait to be written, at most.
const N_WAITING: usize = 1;

/// Opens the matrix of a modality on disk: from its cache, which is made first where there is none.
///
/// # Errors
/// As [`super::super::open_matrix`], and when the cache cannot be written.
pub(in super::super) fn open_on_disk(
    source: &Source<'_>,
    folder: Option<&Path>,
    reading: &MatrixReading,
    steps: Vec<Box<dyn Step>>,
) -> Result<MatrixModality> {
    let opened = named(source, reading)?;
    ensure_any(&opened.cells, &opened.features)?;
    let place = Place::of(source, folder, &format!("{}.{}", opened.origin.key, reading.layer))?;
    let fits = |file: &RowFile| (file.n_rows(), file.n_columns()) == (opened.cells.len(), opened.features.len());
    let file = match place.usable().filter(fits) {
        Some(file) => file,
        None => place.make(&opened.annotated, &opened.layer, opened.features.len())?,
    };
    let (cells, features, origin) = (opened.cells, opened.features, Some(opened.origin));
    let held = Held::Disk(OnDisk::new(file));
    MatrixModality::of_parts((origin, cells, features), held, reading, steps)
}

/// Where the cache of a matrix is.
struct Place {
    folder: PathBuf,
    /// Of its name, what does not change with the file.
    start: String,
    path: PathBuf,
}

impl Place {
    fn of(source: &Source<'_>, folder: Option<&Path>, matrix: &str) -> Result<Place> {
        let whole = source.path.canonicalize();
        let whole = whole.with_context(|| format!("`{}` cannot be read", source.path.display()))?;
        let mut state = format!("{:?}", source.table);
        for part in files_of(source.path)? {
            state.push_str(&format!(" {}", file_state(&part)?));
        }
        let name = source.path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        let folder = match folder {
            Some(folder) => folder.to_owned(),
            None => source.path.with_file_name(format!("{name}.rows")),
        };
        let readable: String = matrix.chars().map(|c| if c.is_ascii_alphanumeric() { c } else { '_' }).collect();
        let which = digest_text(&format!("{} {matrix}", whole.display()));
        let start = format!("{name}.{readable}-{}-", &which[..8]);
        let path = folder.join(format!("{start}{}.rows", &digest_text(&state)[..16]));
        Ok(Place { folder, start, path })
    }

    /// The cache, if there is one that is whole.
    fn usable(&self) -> Option<RowFile> {
        if !self.path.is_file() {
            return None;
        }
        RowFile::open(&self.path).map_err(|error| log::warn!("{error:#}; it is made again")).ok()
    }

    /// Makes the cache, a block of rows after the other.
    fn make(&self, opened: &Annotated, layer: &Layer, n_features: usize) -> Result<RowFile> {
        log::info!("making the cache `{}`", self.path.display());
        let advice = || {
            let folder = self.folder.display();
            format!(
                "the cache in `{folder}` cannot be written; set `data.cache` to a folder that can be, with room for it"
            )
        };
        let start = Instant::now();
        std::fs::create_dir_all(&self.folder).with_context(advice)?;
        let mut writer = RowFileWriter::create(&self.path, n_features).with_context(advice)?;
        // one thread unpacks what the other writes
        std::thread::scope(|scope| {
            let (sender, receiver) = sync_channel::<Csr>(N_WAITING);
            let written = scope.spawn(move || {
                receiver.iter().try_for_each(|block| writer.append(&block))?;
                Ok::<_, anyhow::Error>(writer)
            });
            // what cannot be sent was not written; the thread that writes says why
            let read = opened.for_each_block(layer, &mut |block| sender.send(block).context(STOPPED));
            drop(sender);
            let written = written.join().unwrap_or_else(|_| anyhow::bail!("writing it ended too early"));
            match (read, written) {
                (_, Err(error)) => Err(error.context(advice())),
                (Err(error), Ok(_)) => Err(error),
                (Ok(()), Ok(writer)) => writer.finish().with_context(advice),
            }
        })
        .inspect(|_| {
            log::info!("the cache took {:.1} s", start.elapsed().as_secs_f64());
            self.remove_older();
        })
    }

    /// Removes caches of the same matrix of the file as it was before.
    fn remove_older(&self) {
        let entries = std::fs::read_dir(&self.folder).into_iter().flatten().flatten();
        for path in entries.map(|entry| entry.path()).filter(|path| *path != self.path) {
            let name = path.file_name().unwrap_or_default().to_string_lossy();
            if name.starts_with(&self.start) && name.ends_with(".rows") {
                let _ = std::fs::remove_file(&path);
            }
        }
    }
}

/// Told where nobody takes what was read.
const STOPPED: &str = "writing the cache stopped";
