//! Images of single cells in the layouts of scPortrait; `make_cell_images.py` wrote the files.

use std::path::{Path, PathBuf};

use anndata::CellImages;

const SIDE: usize = 16;

fn fixture(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures").join(name)
}

/// What the script wrote: channel 0 is the mask.
fn pixel(cell: usize, channel: usize, place: usize) -> f32 {
    let (row, column) = (place / SIDE, place % SIDE);
    let squared = (row as f32 - 7.5).powi(2) + (column as f32 - 7.5).powi(2);
    let is_inside = squared < (3.0 + cell as f32 / 2.0).powi(2);
    let brightness = ((cell * 5 + channel * 3 + row * 2 + column) % 32) as f32 / 32.0;
    if !is_inside {
        0.0
    } else if channel == 0 {
        1.0
    } else {
        brightness
    }
}

fn has_the_written_pixels(images: &CellImages) {
    assert_eq!((images.n_cells(), images.size()), (6, (SIDE, SIDE)));
    for channel in 0..3 {
        let pixels = images.read(2..5, channel).unwrap();
        let expected: Vec<f32> =
            (2..5).flat_map(|cell| (0..SIDE * SIDE).map(move |place| pixel(cell, channel, place))).collect();
        assert_eq!(pixels, expected, "channel {channel}");
    }
}

#[test]
fn images_channels_and_cells_are_read() {
    let images = CellImages::open(&fixture("cells.h5sc")).unwrap();
    has_the_written_pixels(&images);
    let channels: Vec<(&str, bool)> = images.channels().iter().map(|one| (one.name.as_str(), one.is_mask)).collect();
    assert_eq!(channels, [("seg_all_nucleus", true), ("DAPI", false), ("lamin", false)]);
    assert_eq!(images.cells(), ["11", "12", "15", "19", "22", "23"]);
    assert_eq!(images.obs().labels("dose").unwrap()[2].as_deref(), Some("high"));
    assert_eq!(images.channel("lamin").unwrap(), 2);
    let error = images.channel("lamn").unwrap_err().to_string();
    assert!(
        error.ends_with("no channel `lamn`: did you mean `lamin`? available: seg_all_nucleus, DAPI, lamin"),
        "{error}"
    );
}

#[test]
fn older_files_have_no_names_of_channels() {
    let images = CellImages::open(&fixture("cells_old.h5")).unwrap();
    has_the_written_pixels(&images);
    assert_eq!(images.channels()[1].name, "1");
    assert_eq!(images.cells()[1], "12");
}

#[test]
fn other_files_are_told() {
    let folder = tempfile::tempdir().unwrap();
    let refused = |path: &Path| match CellImages::open(path) {
        Ok(_) => panic!("{} was read", path.display()),
        Err(error) => format!("{error:#}"),
    };
    assert!(refused(&fixture("csr.h5ad")).contains("it holds no images of single cells (`obsm/single_cell_images`"));
    assert!(refused(&folder.path().join("none.h5sc")).starts_with("no file `"));
    let cut = folder.path().join("cut.h5sc");
    let whole = std::fs::read(fixture("cells.h5sc")).unwrap();
    std::fs::write(&cut, &whole[..whole.len() / 2]).unwrap();
    assert!(refused(&cut).contains("cannot be opened as HDF5; is it whole?"), "{}", refused(&cut));
}
