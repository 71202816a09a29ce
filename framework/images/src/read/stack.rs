//! Stacks of images of single cells: arrays N×C×H×W, met one cell at a time.

use std::path::{Path, PathBuf};

use anyhow::{Context, Result, ensure};

use super::npy::{Header, read_header, read_plane, with_array};
use super::{Format, format_of};
use crate::plane::Plane;

/// An array N×C×H×W (or N×H×W, one channel) in a `.npy` or `.npz`, of which one cell at a time is in memory.
#[derive(Debug, Clone)]
pub struct Stack {
    path: PathBuf,
    entry: Option<String>,
    format: Format,
    header: Header,
}

impl Stack {
    /// Reads what the file says of itself; `entry` names an array of a `.npz` that holds several.
    ///
    /// # Errors
    /// If there is no such file or entry, or it is no array N×C×H×W.
    pub fn open(path: &Path, entry: Option<&str>) -> Result<Self> {
        let format = format_of(path)?;
        let header = with_array(path, format, entry, read_header).and_then(|header| {
            let known = matches!(header.shape.len(), 3 | 4) && header.shape.iter().all(|&n| n > 0);
            ensure!(known, "it holds an array of shape {:?}; expected N×C×H×W or N×H×W", header.shape);
            Ok(header)
        });
        let header = header.with_context(|| format!("cannot read `{}`", path.display()))?;
        Ok(Self { path: path.to_owned(), entry: entry.map(str::to_owned), format, header })
    }

    /// Number of cells.
    pub fn n_cells(&self) -> usize {
        self.header.shape[0]
    }

    /// Number of channels.
    pub fn n_channels(&self) -> usize {
        if self.header.shape.len() == 4 { self.header.shape[1] } else { 1 }
    }

    /// Rows and columns of an image.
    pub fn size(&self) -> (usize, usize) {
        let axes = self.header.shape.len();
        (self.header.shape[axes - 2], self.header.shape[axes - 1])
    }

    /// Hands cells to `visit` in blocks of at most `n_together`, in order; each is the planes of its channels.
    ///
    /// # Errors
    /// If the file is damaged or cut short, or `visit` refuses.
    pub fn for_each_block(
        &self,
        n_together: usize,
        mut visit: impl FnMut(Vec<Vec<Plane>>) -> Result<()>,
    ) -> Result<()> {
        with_array(&self.path, self.format, self.entry.as_deref(), |reader| {
            let header = read_header(reader)?;
            ensure!(header == self.header, "the file has changed since it was opened");
            for start in (0..self.n_cells()).step_by(n_together.max(1)) {
                let mut block = Vec::new();
                for cell in start..self.n_cells().min(start + n_together.max(1)) {
                    let planes = (0..self.n_channels()).map(|_| read_plane(reader, self.size(), header.kind));
                    let planes = planes.collect::<Result<Vec<_>>>();
                    block.push(planes.with_context(|| format!("cell {cell} (counted from 0)"))?);
                }
                visit(block)?;
            }
            Ok(())
        })
        .with_context(|| format!("cannot read `{}`", self.path.display()))
    }
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use zip::write::SimpleFileOptions;

    use super::*;
    use crate::plane::Pixels;
    use crate::read::npy::tests::npy;

    fn pixels(stack: &Stack, n_together: usize) -> Result<Vec<Vec<Pixels>>> {
        let mut cells = Vec::new();
        stack.for_each_block(n_together, |block| {
            assert!(block.len() <= n_together);
            cells.extend(block.iter().map(|cell| cell.iter().map(|plane| plane.pixels().clone()).collect::<Vec<_>>()));
            Ok(())
        })?;
        Ok(cells)
    }

    #[test]
    fn cells_come_in_order_from_files_and_archives() {
        let folder = tempfile::tempdir().unwrap();
        let bytes = npy("|u1", "3, 2, 1, 2", &(0..12).collect::<Vec<u8>>());
        let plain = folder.path().join("a.npy");
        std::fs::write(&plain, &bytes).unwrap();
        let packed = folder.path().join("a.npz");
        let mut archive = zip::ZipWriter::new(std::fs::File::create(&packed).unwrap());
        for name in ["images.npy", "other.npy"] {
            archive.start_file(name, SimpleFileOptions::default()).unwrap();
            archive.write_all(&bytes).unwrap();
        }
        archive.finish().unwrap();
        let plain = Stack::open(&plain, None).unwrap();
        assert_eq!((plain.n_cells(), plain.n_channels(), plain.size()), (3, 2, (1, 2)));
        let cells = pixels(&plain, 2).unwrap();
        assert_eq!(cells[2], [Pixels::U8(vec![8, 9]), Pixels::U8(vec![10, 11])]);
        assert_eq!(pixels(&Stack::open(&packed, Some("images")).unwrap(), 1).unwrap(), cells);
        let error = format!("{:#}", Stack::open(&packed, None).unwrap_err());
        assert!(error.contains("it holds 2 arrays (images, other)"), "{error}");
        let error = format!("{:#}", Stack::open(&packed, Some("image")).unwrap_err());
        assert!(error.contains("no array `image`: did you mean `images`?"), "{error}");
    }

    #[test]
    fn a_stack_that_is_cut_short_says_where() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.npy");
        std::fs::write(&path, npy("|u1", "3, 2, 2", &[0; 9])).unwrap();
        let error = format!("{:#}", pixels(&Stack::open(&path, None).unwrap(), 8).unwrap_err());
        assert!(error.contains("cell 2 (counted from 0): the array is cut short: 1 of the 4 bytes"), "{error}");
    }
}
