//! Caches written, read, cut and damaged.

use std::path::Path;

use proptest::prelude::*;

use super::*;
use crate::cells::{Cell, FieldOfCells};

/// Two fields, the second without `er`; three cells of side 8, each pixel its record's number.
fn contents(stored: Stored) -> Contents {
    let field = |name: &str, has: [bool; 2]| FieldOfCells { name: name.into(), values: vec![], has: has.to_vec() };
    let cell = |field, label| Cell { field, label, centroid: [0.1, 0.2], n_pixels: 3 };
    Contents {
        channels: vec!["dna".into(), "er".into()],
        side: 8,
        stored,
        scale: stored.scale(),
        inputs_sha256: "a".into(),
        files_sha256: "b".into(),
        skipped: vec![Skipped { field: "C".into(), line: 4, reason: "none".into() }],
        n_flat_crops: 0,
        cells: Cells {
            columns: vec![],
            fields: vec![field("A", [true, true]), field("B", [false, true])],
            cells: vec![cell(0, 1), cell(1, 1), cell(0, 2)],
        },
    }
}

fn write(path: &Path, stored: Stored) {
    let mut writer = Writer::create(path, 64 * stored.n_bytes()).unwrap();
    for number in 0..5 {
        writer.push(&stored.bytes(&[number as f32 / 10.0; 64])).unwrap();
    }
    assert!(writer.push(&[0; 3]).is_err());
    writer.finish(&contents(stored)).unwrap();
}

#[test]
fn crops_come_back_by_row_and_channel() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("new/crops");
    for stored in [Stored::U8, Stored::U16] {
        write(&path, stored);
        let crops = Crops::open(&path).unwrap();
        assert_eq!(crops.contents(), &contents(stored));
        let er = crops.channel("er").unwrap();
        let pixels = crops.gather(&[2, 1, 0, 2], er).unwrap().to_f32();
        let found: Vec<f32> = pixels.chunks(64).map(|crop| crop[63]).collect();
        for (found, expected) in found.iter().zip([0.4, 0.2, 0.1, 0.4]) {
            assert!((found - expected).abs() <= stored.scale(), "{found} {expected}");
        }
        let mixed = crops.gather_each([(2, 0), (0, er), (1, er)].into_iter()).unwrap().to_f32();
        for (crop, expected) in mixed.chunks(64).zip([0.3, 0.1, 0.2]) {
            assert!((crop[0] - expected).abs() <= stored.scale(), "{} {expected}", crop[0]);
        }
        let error = crops.gather(&[1], 0).unwrap_err().to_string();
        assert_eq!(error, "cell `B:1` has no channel `dna`; ask `Cells::has` first");
        assert!(crops.gather(&[3], 0).unwrap_err().to_string().starts_with("there is no cell 3; the cache has 3"));
        assert!(crops.channel("ers").unwrap_err().to_string().contains("did you mean `er`?"));
    }
    assert_eq!(std::fs::read_dir(path.parent().unwrap()).unwrap().count(), 1, "no draft is left");
}

#[test]
fn an_unfinished_cache_leaves_nothing_behind() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("crops");
    let mut writer = Writer::create(&path, 4).unwrap();
    writer.push(&[0; 4]).unwrap();
    drop(writer);
    assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 0);
}

#[test]
fn every_cut_is_an_error_that_says_what_to_do() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("crops");
    write(&path, Stored::U8);
    let whole = std::fs::read(&path).unwrap();
    for n_bytes in 0..whole.len() {
        std::fs::write(&path, &whole[..n_bytes]).unwrap();
        let error = format!("{:#}", Crops::open(&path).unwrap_err());
        assert!(error.contains("delete the file to have it made again"), "{error}");
    }
}

#[test]
fn crops_of_endless_sides_are_refused() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("crops");
    for side in [1 << 32, usize::MAX, 1 << 31] {
        let writer = Writer::create(&path, 64).unwrap();
        writer.finish(&Contents { side, ..contents(Stored::U16) }).unwrap();
        let error = format!("{:#}", Crops::open(&path).unwrap_err());
        assert!(error.contains("delete the file to have it made again"), "{error}");
    }
}

#[test]
fn threads_share_an_open_cache() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("crops");
    write(&path, Stored::U8);
    let crops = Crops::open(&path).unwrap();
    std::thread::scope(|scope| {
        for row in [0, 2] {
            let crops = &crops;
            scope.spawn(move || {
                let expected = vec![if row == 0 { 0 } else { 77 }; 64];
                for _ in 0..500 {
                    assert_eq!(crops.gather(&[row], 0).unwrap(), Gathered::U8(expected.clone()));
                }
            });
        }
    });
}

proptest! {
    #[test]
    fn a_changed_byte_is_found(at in any::<prop::sample::Index>(), change in 1..=255_u8) {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("crops");
        write(&path, Stored::U8);
        let mut bytes = std::fs::read(&path).unwrap();
        let at = at.index(bytes.len());
        // bytes 12 to 16 say nothing
        prop_assume!(!(12..16).contains(&at));
        bytes[at] ^= change;
        std::fs::write(&path, &bytes).unwrap();
        let all = Crops::open(&path).and_then(|crops| {
            crops.gather(&[0, 2], 0)?;
            crops.gather(&[0, 1, 2], 1)
        });
        let error = format!("{:#}", all.unwrap_err());
        prop_assert!(error.contains("delete the file to have it made again"), "{}", error);
    }
}
