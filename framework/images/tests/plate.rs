//! A real plate, where it is: BBBC013, rows A to D, in `$CITHARA_TEST_DATA` or `../shared/data` beside the repository.
//!
//! `golden/plate.json` is what scikit-image finds with the same steps and values (`make_golden_plate.py`).

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::time::Instant;

use images::{CellImagesSpec, ContactSheet, Crops, MASK_CHANNEL, make_crops};
use serde_json::Value;

/// The folder of the plate; none, and said so, where it is not.
fn plate() -> Option<PathBuf> {
    let beside = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/data");
    let data = std::env::var_os("CITHARA_TEST_DATA").map_or(beside, PathBuf::from);
    let folder = data.join("sbs_translocation");
    if folder.join("wells.csv").is_file() {
        return Some(folder);
    }
    eprintln!("skipped: no `{}`; set CITHARA_TEST_DATA to the folder with the real data", folder.display());
    None
}

fn golden() -> Value {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden/plate.json");
    serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap()
}

fn spec(more: &str) -> CellImagesSpec {
    let values = &golden()["values"];
    let text = format!(
        r#"{{"fields": {{"table": "wells.csv", "name": "{{row}}{{column}}", "channels": {{
            "dna": {{"pattern": "Channel2-*-{{row}}-{{column}}.png"}},
            "gfp": {{"pattern": "Channel1-*-{{row}}-{{column}}.png"}}}}}},
          "nucleus_channel": "dna",
          "segmentation": {{"smoothing_pixels": {}, "min_distance_pixels": {}, "min_area_pixels": {},
            "max_area_pixels": {}}}, {more}}}"#,
        values["sigma"], values["min_distance"], values["min_area"], values["max_area"]
    );
    serde_json::from_str(&text).unwrap()
}

fn median(mut values: Vec<f32>) -> f32 {
    values.sort_by(f32::total_cmp);
    values[values.len() / 2]
}

/// Mean of a stain in the nucleus over its mean in a ring of `width` pixels around it.
fn nuclear_over_ring(stain: &[f32], mask: &[f32], side: usize, width: usize) -> f32 {
    let near = |at: usize| {
        let (row, column) = (at / side, at % side);
        let rows = row.saturating_sub(width)..(row + width + 1).min(side);
        rows.flat_map(|y| (column.saturating_sub(width)..(column + width + 1).min(side)).map(move |x| (y, x))).any(
            |(y, x)| y.abs_diff(row).pow(2) + x.abs_diff(column).pow(2) <= width * width && mask[y * side + x] > 0.0,
        )
    };
    let mean = |inside: &dyn Fn(usize) -> bool| {
        let values: Vec<f32> = (0..side * side).filter(|&at| inside(at)).map(|at| stain[at]).collect();
        values.iter().sum::<f32>() / values.len() as f32
    };
    mean(&|at| mask[at] > 0.0) / mean(&|at| mask[at] == 0.0 && near(at))
}

#[test]
fn nuclei_are_as_many_as_scikit_image_finds() {
    let Some(plate) = plate() else { return };
    let folder = tempfile::tempdir().unwrap();
    let crops = make_crops(&spec(r#""crops": {"side": 64}"#), &plate, &folder.path().join("crops")).unwrap();
    let cells = &crops.contents().cells;
    let golden = golden();
    let (mut total, mut theirs) = (0, 0);
    for (field, n_cells) in cells.fields.iter().zip(cells.n_cells_of_fields()) {
        let expected = golden["wells"][&field.name]["n_nuclei"].as_u64().unwrap() as usize;
        println!("{} {n_cells} ({expected})", field.name);
        assert!(n_cells.abs_diff(expected) * 10 <= expected, "{}: {n_cells} nuclei, not {expected}", field.name);
        total += n_cells;
        theirs += expected;
    }
    println!("{total} nuclei ({theirs})");
    assert_eq!(cells.fields.len(), 48);
    assert!((7_200..9_600).contains(&total), "{total}");
}

#[test]
fn the_protein_moves_into_the_nucleus_with_dose() {
    let Some(plate) = plate() else { return };
    let folder = tempfile::tempdir().unwrap();
    let more = r#""crops": {"side": 64}, "normalisation": {"per": "none"}"#;
    let crops = make_crops(&spec(more), &plate, &folder.path().join("crops")).unwrap();
    let (gfp, mask) = (crops.channel("gfp").unwrap(), crops.channel(MASK_CHANNEL).unwrap());
    let mut ratios: BTreeMap<u32, Vec<f32>> = BTreeMap::new();
    for (row, dose) in crops.contents().cells.column("dose").unwrap().into_iter().enumerate() {
        let of = |channel| crops.gather(&[row], channel).unwrap().to_f32();
        ratios.entry(dose.parse().unwrap()).or_default().push(nuclear_over_ring(&of(gfp), &of(mask), 64, 3));
    }
    let medians: Vec<f32> = ratios.into_values().map(median).collect();
    println!("nuclear / ring GFP by dose: {medians:.2?}");
    assert_eq!(medians.len(), 11);
    assert!(medians[0] < 1.0 && medians[10] > 2.5 * medians[0], "{medians:?}");
    let n_rising = medians.windows(2).filter(|pair| pair[1] > pair[0]).count();
    assert!(n_rising >= 7, "{medians:?}");
}

#[test]
fn a_contact_sheet_shows_every_dose() {
    let Some(plate) = plate() else { return };
    let folder = tempfile::tempdir().unwrap();
    let more = r#""crops": {"side": 64}, "normalisation": {"per": "plate", "upper": 99.8}"#;
    let crops = make_crops(&spec(more), &plate, &folder.path().join("crops")).unwrap();
    let doses = crops.contents().cells.column("dose").unwrap();
    for merged in [false, true] {
        let sheet = ContactSheet { n_cells: 12, seed: 1, merged };
        let picture = sheet.draw(&crops, &doses).unwrap();
        assert_eq!(picture, sheet.draw(&crops, &doses).unwrap());
        assert_eq!(picture.height, 4 + 68 * 11 * if merged { 1 } else { 2 });
        // the folder for whoever wants to look
        if let Some(kept) = std::env::var_os("CITHARA_TEST_PICTURES") {
            picture.save(&PathBuf::from(kept).join(format!("sheet_{merged}.png"))).unwrap();
        }
    }
}

#[test]
fn minibatches_are_gathered_fast() {
    let Some(plate) = plate() else { return };
    let folder = tempfile::tempdir().unwrap();
    let start = Instant::now();
    let crops = make_crops(&spec(r#""crops": {"side": 128}"#), &plate, &folder.path().join("crops")).unwrap();
    let n_cells = crops.n_cells();
    println!("{n_cells} cells cut and written in {:.2} s", start.elapsed().as_secs_f64());
    let n_minibatches = 100;
    let start = Instant::now();
    for minibatch in 0..n_minibatches {
        gather_minibatch(&crops, minibatch, n_cells);
    }
    let rate = f64::from(256 * n_minibatches) / start.elapsed().as_secs_f64();
    println!("{rate:.0} crops of 128 × 128 per second from one thread");
    assert!(rate > 2_000.0, "{rate}");
}

fn gather_minibatch(crops: &Crops, minibatch: u32, n_cells: usize) {
    let rows: Vec<usize> = (0..256).map(|at| (at * 7919 + minibatch as usize * 104_729) % n_cells).collect();
    let gathered = crops.gather(&rows, (minibatch % 2) as usize).unwrap();
    assert!(matches!(gathered, images::Gathered::U8(pixels) if pixels.len() == 256 * 128 * 128));
}
