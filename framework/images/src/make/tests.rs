//! From files to crops, and every way it can go wrong.

use std::path::PathBuf;

use tempfile::TempDir;

use super::*;
use crate::crops::{Gathered, Stored};
use crate::plane::{Pixels, Plane};
use crate::testing::{discs, plane_u8, write_png, write_tiff};

const SIZE: (usize, usize) = (64, 80);

/// Two fields with 2 and 1 nuclei, a protein and a dose.
struct Plate {
    folder: TempDir,
}

impl Plate {
    fn new() -> Self {
        let plate = Self { folder: tempfile::tempdir().unwrap() };
        let lines = "field,dose,gfp\nA,0,gfp-A.tif\nB,7,gfp-B.tif\n";
        std::fs::write(plate.at("fields.csv"), lines).unwrap();
        write_png(&plate.at("dna-A.png"), &discs(SIZE, &[(20, 20), (40, 60)], 200));
        write_png(&plate.at("dna-B.png"), &discs(SIZE, &[(31, 33)], 250));
        write_tiff(&plate.at("gfp-A.tif"), &[discs(SIZE, &[(20, 20), (40, 60)], 90)]);
        write_tiff(&plate.at("gfp-B.tif"), &[discs(SIZE, &[(31, 33)], 180)]);
        plate
    }

    fn at(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn spec(more: &str) -> CellImagesSpec {
        let text = format!(
            r#"{{"fields": {{"table": "fields.csv", "name": "{{field}}", "channels": {{
                "dna": {{"pattern": "dna-{{field}}.png"}}, "gfp": {{"column": "gfp", "may_be_missing": true}}}}}},
                "nucleus_channel": "dna", "crops": {{"side": 32}}{more}}}"#
        );
        serde_json::from_str(&text).unwrap()
    }

    fn make(&self, spec: &CellImagesSpec) -> Result<Crops> {
        make_crops(spec, self.folder.path(), &self.at("crops"))
    }

    fn error(&self, more: &str) -> String {
        let error = format!("{:#}", self.make(&Self::spec(more)).unwrap_err());
        assert!(!self.at("crops").exists(), "nothing is left of what failed");
        error
    }
}

fn middle(crops: &Crops, row: usize, channel: &str) -> f32 {
    let pixels = crops.gather(&[row], crops.channel(channel).unwrap()).unwrap().to_f32();
    pixels[16 * 32 + 16]
}

#[test]
fn nuclei_become_named_cells_with_metadata_and_crops() {
    let plate = Plate::new();
    let crops = plate.make(&Plate::spec("")).unwrap();
    let cells = &crops.contents().cells;
    assert_eq!(cells.names(), ["A:1", "A:2", "B:1"]);
    assert_eq!(cells.column("dose").unwrap(), ["0", "0", "7"]);
    assert!(cells.cells[0].centroid.iter().all(|mean| (mean - 20.0).abs() < 0.2), "{:?}", cells.cells[0]);
    assert_eq!(crops.contents().channels, ["dna", "gfp", "nucleus_mask"]);
    // every field for itself: the brightest pixel is 1, the darkest 0
    assert_eq!([0, 1, 2].map(|row| middle(&crops, row, "gfp")), [1.0; 3]);
    let Gathered::U8(dna) = crops.gather(&[1], 0).unwrap() else { panic!("not 8 bits") };
    assert_eq!((dna[16 * 32 + 16], dna.iter().min()), (255, Some(&0)));
    let mask = crops.gather(&[0], 2).unwrap().to_f32();
    let n_pixels = mask.iter().sum::<f32>();
    assert_eq!(n_pixels, cells.cells[0].n_pixels as f32);
    assert!((100.0..=125.0).contains(&n_pixels), "{n_pixels}");
}

#[test]
fn a_cache_is_made_again_only_when_something_changed() {
    let plate = Plate::new();
    let first = plate.make(&Plate::spec("")).unwrap();
    let facts = || std::fs::metadata(plate.at("crops")).unwrap().modified().unwrap();
    let made = facts();
    assert_eq!(plate.make(&Plate::spec("")).unwrap().contents(), first.contents());
    assert_eq!(facts(), made, "not written again");
    write_tiff(&plate.at("gfp-B.tif"), &[discs(SIZE, &[(31, 33)], 111)]);
    let second = plate.make(&Plate::spec("")).unwrap();
    assert_ne!(second.contents().inputs_sha256, first.contents().inputs_sha256);
    let third = plate.make(&Plate::spec(r#", "stored": "u16""#)).unwrap();
    assert_eq!((third.contents().stored, third.contents().cells == second.contents().cells), (Stored::U16, true));
    assert_eq!(middle(&third, 2, "gfp"), 1.0);
}

#[test]
fn ranges_are_of_what_the_spec_names() {
    let plate = Plate::new();
    let gfp = |more: &str| {
        let crops = plate.make(&Plate::spec(&format!(r#", "stored": "u16", "normalisation": {{{more}}}"#))).unwrap();
        [0, 2].map(|row| middle(&crops, row, "gfp"))
    };
    let near = |found: [f32; 2], expected: [f32; 2]| {
        assert!(found.iter().zip(expected).all(|(a, b)| (a - b).abs() < 1e-4), "{found:?} {expected:?}");
    };
    near(gfp(r#""per": "none""#), [90.0 / 255.0, 180.0 / 255.0]);
    near(gfp(r#""per": "crop""#), [1.0, 1.0]);
    // the darkest pixel of both fields is 10
    near(gfp(r#""per": "plate""#), [80.0 / 170.0, 1.0]);
    near(gfp(r#""per": "plate", "plate_column": "dose""#), [1.0, 1.0]);
    near(gfp(r#""per": "field", "upper": 50.0"#), [1.0, 1.0]);
    let error = plate.make(&Plate::spec(r#", "normalisation": {"per": "plate", "plate_column": "does"}"#)).unwrap_err();
    assert!(format!("{error:#}").contains("no column `does`: did you mean `dose`?"), "{error:#}");
}

#[test]
fn a_field_may_lack_a_channel() {
    let plate = Plate::new();
    std::fs::write(plate.at("fields.csv"), "field,dose,gfp\nA,0,\nB,7,gfp-B.tif\n").unwrap();
    let crops = plate.make(&Plate::spec("")).unwrap();
    let cells = &crops.contents().cells;
    let gfp = crops.channel("gfp").unwrap();
    assert_eq!([0, 1, 2].map(|row| cells.has(row, gfp)), [false, false, true]);
    assert_eq!(middle(&crops, 2, "gfp"), 1.0);
    assert_eq!(middle(&crops, 1, "nucleus_mask"), 1.0);
    assert!(crops.gather(&[1], gfp).unwrap_err().to_string().contains("cell `A:2` has no channel `gfp`"));
}

#[test]
fn bad_fields_are_one_clear_error_or_a_listed_skip() {
    type Spoil = fn(&Plate);
    let cases: [(&str, Spoil); 8] = [
        ("the TIFF is damaged or cut short", |plate| {
            let whole = std::fs::read(plate.at("gfp-B.tif")).unwrap();
            std::fs::write(plate.at("gfp-B.tif"), &whole[..whole.len() / 2]).unwrap();
        }),
        ("no file `", |plate| std::fs::remove_file(plate.at("gfp-B.tif")).unwrap()),
        ("is no image that can be read", |plate| std::fs::write(plate.at("dna-B.png"), "text").unwrap()),
        ("channel `gfp`: it is constant: every pixel is 9", |plate| {
            write_tiff(&plate.at("gfp-B.tif"), &[plane_u8(SIZE.0, SIZE.1, 9)]);
        }),
        ("no nucleus was found in channel `dna`", |plate| write_png(&plate.at("dna-B.png"), &speck())),
        ("channel `gfp` is 16-bit, but 8-bit in the field `A`", |plate| {
            let values = (0..SIZE.0 * SIZE.1).map(|at| at as u16).collect();
            write_tiff(&plate.at("gfp-B.tif"), &[Plane::new(SIZE.0, SIZE.1, Pixels::U16(values)).unwrap()]);
        }),
        ("a crop of 32 × 32 pixels is larger than the field, 30 × 80", |plate| {
            write_png(&plate.at("dna-B.png"), &discs((30, 80), &[(15, 40)], 200));
            write_tiff(&plate.at("gfp-B.tif"), &[discs((30, 80), &[(15, 40)], 200)]);
        }),
        ("channel `gfp` has 64 × 81 pixels, but `dna` has 64 × 80", |plate| {
            write_tiff(&plate.at("gfp-B.tif"), &[discs((64, 81), &[(15, 40)], 200)]);
        }),
    ];
    for (expected, spoil) in cases {
        let plate = Plate::new();
        spoil(&plate);
        let error = plate.error("");
        assert!(error.contains("fields.csv`, line 3: the field `B` is bad"), "{error}");
        assert!(error.contains(expected), "{expected}: {error}");
        let crops = plate.make(&Plate::spec(r#", "on_bad_field": "skip""#)).unwrap();
        assert_eq!(crops.n_cells(), 2);
        let skipped = &crops.contents().skipped;
        assert_eq!((skipped.len(), skipped[0].field.as_str(), skipped[0].line), (1, "B", 3));
        assert!(skipped[0].reason.contains(expected), "{:?}", skipped[0]);
        let by_plate = r#", "on_bad_field": "skip", "normalisation": {"per": "plate"}"#;
        assert_eq!(plate.make(&Plate::spec(by_plate)).unwrap().contents().skipped.len(), 1, "{expected}");
    }
}

/// A field with one bright pixel, which is no nucleus.
fn speck() -> Plane {
    let mut values = vec![10; SIZE.0 * SIZE.1];
    values[SIZE.1 * 30 + 30] = 200;
    Plane::new(SIZE.0, SIZE.1, Pixels::U8(values)).unwrap()
}

#[test]
fn without_any_cell_there_is_no_cache() {
    let plate = Plate::new();
    let error = plate.error(r#", "on_bad_field": "skip", "segmentation": {"min_area_pixels": 5000}"#);
    assert!(
        error.starts_with("no cell was found: all 2 fields were skipped; the first: no nucleus was found"),
        "{error}"
    );
    assert!(
        plate.error(r#", "stored": "u8", "stack": {"path": "a", "channels": ["b"]}"#).contains("needs one of `fields`")
    );
}

#[test]
fn masks_are_used_as_they_are() {
    let plate = Plate::new();
    let mut mask = vec![0_u32; SIZE.0 * SIZE.1];
    mask[5 * SIZE.1 + 7] = 70_000;
    mask[50 * SIZE.1 + 60] = 3;
    write_tiff(&plate.at("m.tif"), &[Plane::new(SIZE.0, SIZE.1, Pixels::U32(mask)).unwrap()]);
    let text = r#"{"fields": {"table": "fields.csv", "channels": {"gfp": {"column": "gfp"}}, "mask": {"pattern": "m.tif"}},
        "crops": {"side": 16, "surroundings": "mask_all", "keep_mask": false}}"#;
    let crops = plate.make(&serde_json::from_str(text).unwrap()).unwrap();
    assert_eq!(crops.contents().cells.names(), ["gfp-A:3", "gfp-A:70000", "gfp-B:3", "gfp-B:70000"]);
    assert_eq!(crops.contents().channels, ["gfp"]);
    let Gathered::U8(pixels) = crops.gather(&[0, 1], 0).unwrap() else { panic!("not 8 bits") };
    assert!(pixels.iter().filter(|&&pixel| pixel > 0).count() <= 2, "all but the nucleus is 0");
}

#[test]
fn stacks_become_crops_with_the_metadata_of_their_table() {
    let folder = tempfile::tempdir().unwrap();
    let at = |name: &str| folder.path().join(name);
    let mut bytes = b"\x93NUMPY\x01\x00".to_vec();
    let header = format!("{:<117}\n", "{'descr': '|u1', 'fortran_order': False, 'shape': (3, 2, 8, 8), }");
    bytes.extend((header.len() as u16).to_le_bytes());
    bytes.extend(header.bytes());
    bytes.extend((0..3 * 2 * 64).map(|at| (at / 64 * 40 + at % 2) as u8));
    std::fs::write(at("cells.npy"), &bytes).unwrap();
    std::fs::write(at("cells.csv"), "id,donor\nx,1\ny,2\nz,2\n").unwrap();
    let spec = |more: &str| -> CellImagesSpec {
        let text = format!(
            r#"{{"stack": {{"path": "cells.npy", "channels": ["dna", "er"], "cells": "cells.csv"{more}}},
            "crops": {{"side": 8}}, "normalisation": {{"per": "none"}}}}"#
        );
        serde_json::from_str(&text).unwrap()
    };
    let crops = make_crops(&spec(r#", "name": "id""#), folder.path(), &at("crops")).unwrap();
    assert_eq!(crops.contents().cells.names(), ["x", "y", "z"]);
    assert_eq!(crops.contents().cells.column("donor").unwrap(), ["1", "2", "2"]);
    assert_eq!(crops.gather(&[2], 1).unwrap(), Gathered::U8([200, 201].repeat(32)));
    std::fs::write(at("cells.csv"), "id,donor\nx,1\ny,2\n").unwrap();
    let error = make_crops(&spec(""), folder.path(), &at("crops")).unwrap_err().to_string();
    assert!(error.ends_with("has 2 rows, but the stack has 3 cells; expected one row a cell"), "{error}");
    std::fs::write(at("cells.csv"), "id,donor\nx,1\ny,2\nx,3\n").unwrap();
    let error = make_crops(&spec(r#", "name": "id""#), folder.path(), &at("crops")).unwrap_err().to_string();
    assert!(error.ends_with("line 4: two cells are called `x`"), "{error}");
}
