//! Segmentation against scikit-image and SciPy, and files against tifffile and NumPy: `make_golden_reading.py` writes both.

use std::path::PathBuf;

use images::{Labels, MaskKind, Pixels, Plane, Segmentation};
use serde_json::Value;

fn folder() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/golden")
}

fn golden() -> Value {
    serde_json::from_str(&std::fs::read_to_string(folder().join("reading.json")).unwrap()).unwrap()
}

fn numbers(value: &Value) -> Vec<f64> {
    value.as_array().unwrap().iter().map(|number| number.as_f64().unwrap()).collect()
}

fn places(value: &Value) -> Vec<usize> {
    numbers(value).into_iter().map(|number| number as usize).collect()
}

fn is_set(value: &Value) -> Vec<bool> {
    numbers(value).into_iter().map(|number| number != 0.0).collect()
}

/// The images of the golden file by name, with what is known of each.
fn each_image(check: impl Fn(&str, &Value, (usize, usize))) {
    let golden = golden();
    let images = golden["segmentation"].as_object().unwrap();
    assert_eq!(images.len(), 5);
    for (name, image) in images {
        let size = |key: &str| image[key].as_u64().unwrap() as usize;
        check(name, image, (size("height"), size("width")));
    }
}

#[test]
fn smoothing_and_threshold_are_those_of_scikit_image() {
    each_image(|name, image, size| {
        let smoothed = images::gaussian(&numbers(&image["pixels"]), size, image["sigma"].as_f64().unwrap());
        for (ours, theirs) in smoothed.iter().zip(numbers(&image["smoothed"])) {
            assert!((ours - theirs).abs() <= 1e-12 * theirs.abs(), "{name}: {ours} {theirs}");
        }
        let (ours, theirs) = (images::otsu(&smoothed), image["otsu"].as_f64().unwrap());
        assert!((ours - theirs).abs() <= 1e-12 * theirs, "{name}: {ours} {theirs}");
        let nucleus: Vec<bool> = smoothed.iter().map(|value| *value > ours).collect();
        assert_eq!(nucleus, is_set(&image["nucleus"]), "{name}");
    });
}

#[test]
fn holes_distances_and_peaks_are_those_of_scipy_and_scikit_image() {
    each_image(|name, image, size| {
        let mut filled = is_set(&image["nucleus"]);
        images::fill_holes(&mut filled, size);
        assert_eq!(filled, is_set(&image["filled"]), "{name}");
        let distances = images::distance_to_background(&filled, size).unwrap();
        let squared: Vec<usize> = distances.iter().map(|distance| distance.powi(2).round() as usize).collect();
        assert_eq!(squared, places(&image["distance_squared"]), "{name}");
        let min_distance = image["min_distance"].as_u64().unwrap() as usize;
        let seeds = images::seeds(&distances, size, min_distance);
        assert_eq!(seeds, places(&image["peaks"]), "{name}");
        let labels = images::watershed(&distances, &seeds, size);
        let theirs: Vec<u32> = places(&image["watershed"]).into_iter().map(|label| label as u32).collect();
        assert_eq!(labels, theirs, "{name}");
    });
}

#[test]
fn parts_and_regions_are_those_of_scikit_image() {
    each_image(|name, image, (height, width)| {
        let labels = places(&image["watershed"]).into_iter().map(|label| label as u32).collect();
        let labels = Labels { height, width, labels };
        let regions = labels.regions();
        let theirs = image["regions"].as_array().unwrap();
        assert_eq!(regions.len(), theirs.len(), "{name}");
        for (ours, theirs) in regions.iter().zip(theirs) {
            assert_eq!(
                (ours.label.into(), ours.n_pixels.into()),
                (theirs["label"].as_u64().unwrap(), theirs["area"].as_u64().unwrap())
            );
            for (ours, theirs) in ours.centroid.iter().zip(numbers(&theirs["centroid"])) {
                assert!((ours - theirs).abs() < 1e-12, "{name}: {ours} {theirs}");
            }
        }
        let filled = is_set(&image["filled"]).into_iter().map(u8::from).collect();
        let parts =
            Labels::from_plane(&Plane::new(height, width, Pixels::U8(filled)).unwrap(), MaskKind::Binary).unwrap();
        assert_eq!(parts.regions().len() as u64, image["n_parts"].as_u64().unwrap(), "{name}");
    });
}

#[test]
fn the_whole_of_it_finds_the_same_nuclei() {
    each_image(|name, image, (height, width)| {
        let pixels = numbers(&image["pixels"]);
        let pixels = match image["wide"].as_bool().unwrap() {
            true => Pixels::U16(pixels.into_iter().map(|pixel| pixel as u16).collect()),
            false => Pixels::U8(pixels.into_iter().map(|pixel| pixel as u8).collect()),
        };
        let how = Segmentation {
            smoothing_pixels: image["sigma"].as_f64().unwrap(),
            min_distance_pixels: image["min_distance"].as_u64().unwrap() as usize,
            min_area_pixels: 40,
            ..Segmentation::default()
        };
        let regions = how.segment(&Plane::new(height, width, pixels).unwrap()).unwrap().regions();
        let mut areas: Vec<usize> = regions.iter().map(|region| region.n_pixels as usize).collect();
        areas.sort_unstable();
        assert_eq!(areas, places(&image["areas_kept"]), "{name}");
        assert_eq!(areas.len() as u64, image["n_kept"].as_u64().unwrap(), "{name}");
    });
}

#[test]
fn files_hold_what_their_writers_say() {
    let golden = golden();
    let files = golden["files"].as_object().unwrap();
    assert_eq!(files.len(), 14);
    for (name, planes) in files {
        let path = folder().join("files").join(name);
        let found = images::read_planes(&path).unwrap_or_else(|error| panic!("{name}: {error:#}"));
        let theirs: Vec<Vec<f64>> = planes.as_array().unwrap().iter().map(numbers).collect();
        let ours: Vec<Vec<f64>> = found.iter().map(Plane::to_f64).collect();
        assert_eq!(ours, theirs, "{name}");
        let last = theirs.len() - 1;
        let chosen = images::read_chosen_planes(&path, &[last]).unwrap();
        assert_eq!(chosen[0].to_f64(), theirs[last], "{name}");
    }
    let named = folder().join("files/named.ome.tif");
    assert_eq!(images::plane_names(&named).unwrap(), ["DAPI", "gH2AX", "lamin"]);
}

/// Every third byte of every golden file changed, one at a time.
#[test]
fn a_damaged_file_is_an_error_or_other_pixels_and_never_more() {
    let copies = tempfile::tempdir().unwrap();
    let (mut n_read, mut n_refused) = (0, 0);
    for name in golden()["files"].as_object().unwrap().keys() {
        let whole = std::fs::read(folder().join("files").join(name)).unwrap();
        let path = copies.path().join(name);
        for at in (0..whole.len().min(700)).step_by(3) {
            let change = [1, 0x80, 0xff][at / 3 % 3];
            let mut bytes = whole.clone();
            bytes[at] ^= change;
            std::fs::write(&path, &bytes).unwrap();
            match images::read_planes(&path) {
                Ok(planes) => n_read += usize::from(!planes.is_empty()),
                Err(error) => n_refused += usize::from(format!("{error:#}").contains(name.as_str())),
            }
            let _ = images::plane_names(&path);
        }
    }
    println!("{n_read} read, {n_refused} refused");
    assert!(n_read > 500 && n_refused > 500, "{n_read} {n_refused}");
}
