//! Images that no cells can be cut from: each is one clear error, or a listed skip where the spec allows it.
//!
//! What the program says is kept in `snapshots/`; `INSTA_UPDATE=always cargo test -p cithara-tests --test bad_images` rewrites it.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use tests_support::{repository, run_in, said};

const SIDE: usize = 64;

/// Two fields with masks; field `B` is made bad.
const SPEC: &str = "on_bad_field = \"error\"\n[fields]\ntable = \"fields.csv\"\nname = \"{field}\"\n\
    [fields.channels.dna]\ncolumn = \"dna\"\n[fields.mask]\npattern = \"mask-{field}.npy\"\n[crops]\nside = 16\n";

/// A way in which something is bad, made in a folder; the spec that is then cut.
type Case = (&'static str, fn(&Path) -> String);

fn npy(kind: &str, shape: &str, values: &[u8]) -> Vec<u8> {
    let mut header = format!("{{'descr': '{kind}', 'fortran_order': False, 'shape': ({shape}), }}");
    header.push_str(&" ".repeat(63 - (10 + header.len()) % 64));
    header.push('\n');
    [b"\x93NUMPY\x01\x00".as_slice(), &(header.len() as u16).to_le_bytes(), header.as_bytes(), values].concat()
}

/// An uncompressed TIFF of one strip of 8-bit pixels.
fn tiff(pixels: &[u8]) -> Vec<u8> {
    let entries: [(u16, u16, u32); 9] = [
        (256, 4, SIDE as u32),
        (257, 4, SIDE as u32),
        (258, 3, 8),
        (259, 3, 1),
        (262, 3, 1),
        (273, 4, 122),
        (277, 3, 1),
        (278, 4, SIDE as u32),
        (279, 4, pixels.len() as u32),
    ];
    let mut bytes = b"II*\0\x08\0\0\0\x09\0".to_vec();
    for (tag, kind, value) in entries {
        bytes.extend(tag.to_le_bytes());
        bytes.extend(kind.to_le_bytes());
        bytes.extend(1u32.to_le_bytes());
        bytes.extend(value.to_le_bytes());
    }
    bytes.extend([0; 4]);
    bytes.extend(pixels);
    bytes
}

/// 200 in two discs, a pattern of small numbers around them.
fn discs() -> Vec<u8> {
    let is_inside = |place: usize| label(place) > 0;
    (0..SIDE * SIDE).map(|place| if is_inside(place) { 200 } else { (place % 7) as u8 }).collect()
}

fn label(place: usize) -> u8 {
    let near = |(row, column): (i32, i32)| {
        let (y, x) = ((place / SIDE) as i32 - row, (place % SIDE) as i32 - column);
        y * y + x * x < 64
    };
    [(20, 20), (40, 44)].into_iter().position(near).map_or(0, |disc| disc as u8 + 1)
}

fn write(folder: &Path, name: &str, bytes: &[u8]) {
    std::fs::write(folder.join(name), bytes).unwrap();
}

/// Writes the two fields as they should be.
fn good(folder: &Path) {
    write(folder, "fields.csv", b"field,dna\nA,dna-A.npy\nB,dna-B.npy\n");
    let labels: Vec<u8> = (0..SIDE * SIDE).map(label).collect();
    for field in ["A", "B"] {
        write(folder, &format!("dna-{field}.npy"), &npy("|u1", "64, 64", &discs()));
        write(folder, &format!("mask-{field}.npy"), &npy("|u1", "64, 64", &labels));
    }
}

/// Field `B` has another image.
fn image(folder: &Path, kind: &str, shape: &str, values: &[u8]) -> String {
    write(folder, "dna-B.npy", &npy(kind, shape, values));
    SPEC.to_owned()
}

fn tiff_of_b(folder: &Path, bytes: &[u8]) -> String {
    write(folder, "dna-B.tif", bytes);
    write(folder, "fields.csv", b"field,dna\nA,dna-A.npy\nB,dna-B.tif\n");
    SPEC.to_owned()
}

const FIELDS: [Case; 15] = [
    ("a whole TIFF is no trouble", |folder| tiff_of_b(folder, &tiff(&discs()))),
    ("no image", |folder| tiff_of_b(folder, b"these are notes")),
    ("a TIFF cut short", |folder| tiff_of_b(folder, &tiff(&discs())[..2000])),
    ("a TIFF without a directory", |folder| tiff_of_b(folder, &tiff(&discs())[..8])),
    ("no such file", |folder| {
        std::fs::remove_file(folder.join("dna-B.npy")).unwrap();
        SPEC.to_owned()
    }),
    ("no image of a channel in the table", |folder| {
        write(folder, "fields.csv", b"field,dna\nA,dna-A.npy\nB,\n");
        SPEC.to_owned()
    }),
    ("a plane that no file has", |_| SPEC.replace("column = \"dna\"\n", "column = \"dna\"\nplane = 3\n")),
    ("a mask of another size", |folder| {
        write(folder, "mask-B.npy", &npy("|u1", "8, 8", &[1; 64]));
        SPEC.to_owned()
    }),
    ("a mask without a nucleus", |folder| {
        write(folder, "mask-B.npy", &npy("|u1", "64, 64", &[0; SIDE * SIDE]));
        SPEC.to_owned()
    }),
    ("no nucleus in the image", |folder| {
        let mut dark = [0; SIDE * SIDE];
        dark[2000] = 9;
        let _ = image(folder, "|u1", "64, 64", &dark);
        let spec = SPEC.replace("[fields.mask]\npattern = \"mask-{field}.npy\"\n", "");
        format!("nucleus_channel = \"dna\"\n{spec}")
    }),
    ("a crop larger than the field", |folder| {
        write(folder, "mask-B.npy", &npy("|u1", "12, 12", &[1; 144]));
        image(folder, "|u1", "12, 12", &(0..144).collect::<Vec<u8>>())
    }),
    ("a constant image", |folder| image(folder, "|u1", "64, 64", &[7; SIDE * SIDE])),
    ("mixed bit depths", |folder| {
        let wide: Vec<u8> = discs().into_iter().flat_map(|pixel| [pixel, 1]).collect();
        image(folder, "<u2", "64, 64", &wide)
    }),
    ("numbers that are no brightness", |folder| {
        let mut values: Vec<u8> = discs().into_iter().flat_map(|pixel| f32::from(pixel).to_le_bytes()).collect();
        values[..4].copy_from_slice(&f32::NAN.to_le_bytes());
        image(folder, "<f4", "64, 64", &values)
    }),
    ("every field is bad", |folder| {
        write(folder, "dna-A.npy", b"nothing");
        image(folder, "|u1", "64, 64", &[7; SIDE * SIDE])
    }),
];

const STACK: &str = "[stack]\npath = \"cells.h5sc\"\n[crops]\nside = 16\n[normalisation]\nper = \"none\"\n";

fn fixture(name: &str) -> PathBuf {
    repository().join("framework/anndata/tests/fixtures").join(name)
}

/// Images of single cells of scPortrait's layout, some of its bytes.
fn cells(folder: &Path, n_bytes: usize) -> String {
    let whole = std::fs::read(fixture("cells.h5sc")).unwrap();
    write(folder, "cells.h5sc", &whole[..n_bytes.min(whole.len())]);
    STACK.to_owned()
}

const STACKS: [Case; 7] = [
    ("a whole file of cells is no trouble", |folder| cells(folder, usize::MAX)),
    ("a file of cells cut short", |folder| cells(folder, 9000)),
    ("a channel that it does not have", |folder| {
        cells(folder, usize::MAX).replace("cells.h5sc\"\n", "cells.h5sc\"\nchannels = [\"DAPi\"]\n")
    }),
    ("a mask that it does not have", |folder| {
        cells(folder, usize::MAX).replace("cells.h5sc\"\n", "cells.h5sc\"\nmask = \"seg_all_cytosol\"\n")
    }),
    ("images of another size", |folder| cells(folder, usize::MAX).replace("side = 16", "side = 32")),
    ("HDF5 without images", |folder| {
        std::fs::copy(fixture("csr.h5ad"), folder.join("cells.h5sc")).unwrap();
        STACK.to_owned()
    }),
    ("a stack whose channels have no names", |folder| {
        write(folder, "cells.npy", &npy("|u1", "2, 1, 16, 16", &[3; 512]));
        STACK.replace("cells.h5sc", "cells.npy")
    }),
];

/// What the program says of cells and of what is wrong, without where the folder is.
fn told(folder: &Path, spec: &str) -> String {
    write(folder, "plate.toml", spec.as_bytes());
    let output = run_in(folder, &["cut", "plate.toml", "--out", "cut", "--force"]);
    let _ = std::fs::remove_dir_all(folder.join("cut"));
    let said = said(&output).replace(&folder.display().to_string(), "FOLDER");
    let mut text = format!("exit code {}\n", output.status.code().unwrap());
    let is_kept = |line: &&str| {
        let starts = ["error:", "help:", "note:", "skipped:"];
        starts.iter().any(|start| line.starts_with(start)) || line.contains(" cells of ")
    };
    for line in said.lines().filter(is_kept) {
        let _ = writeln!(text, "{line}");
    }
    assert!(!said.contains("panicked"), "{said}");
    text
}

#[test]
fn fields_that_are_bad_are_told_or_skipped_and_listed() {
    let mut all = String::new();
    for (name, make) in FIELDS {
        let folder = tempfile::tempdir().unwrap();
        good(folder.path());
        let spec = make(folder.path());
        let _ = writeln!(all, "## {name}\n{}", told(folder.path(), &spec));
        let skipping = spec.replace("on_bad_field = \"error\"", "on_bad_field = \"skip\"");
        let _ = writeln!(all, "# skipped\n{}", told(folder.path(), &skipping));
    }
    insta::assert_snapshot!(all);
}

#[test]
fn stacks_that_are_bad_are_told() {
    let mut all = String::new();
    for (name, make) in STACKS {
        let folder = tempfile::tempdir().unwrap();
        let spec = make(folder.path());
        let _ = writeln!(all, "## {name}\n{}", told(folder.path(), &spec));
    }
    insta::assert_snapshot!(all);
}
