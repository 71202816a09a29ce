//! Small images on disk, for the tests of this crate.

use std::fs::File;
use std::path::Path;

use png::{BitDepth, ColorType, Encoder};
use tiff::encoder::{TiffEncoder, colortype};

use crate::plane::{Pixels, Plane};

/// A plane of one value.
pub(crate) fn plane_u8(height: usize, width: usize, value: u8) -> Plane {
    Plane::new(height, width, Pixels::U8(vec![value; height * width])).unwrap()
}

/// A field of bright round nuclei of radius 6 at these middles, on a dim ground that is not constant.
pub(crate) fn discs(size: (usize, usize), middles: &[(usize, usize)], bright: u8) -> Plane {
    let inside = |row: usize, column: usize| {
        middles.iter().any(|&(y, x)| row.abs_diff(y).pow(2) + column.abs_diff(x).pow(2) <= 36)
    };
    let pixel = |at: usize| {
        let (row, column) = (at / size.1, at % size.1);
        if inside(row, column) { bright } else { 10 + ((row * 7 + column * 3) % 4) as u8 }
    };
    Plane::new(size.0, size.1, Pixels::U8((0..size.0 * size.1).map(pixel).collect())).unwrap()
}

/// Writes a grey PNG of the plane's depth.
pub(crate) fn write_png(path: &Path, plane: &Plane) {
    let (depth, bytes) = match plane.pixels() {
        Pixels::U8(values) => (BitDepth::Eight, values.clone()),
        Pixels::U16(values) => (BitDepth::Sixteen, values.iter().flat_map(|value| value.to_be_bytes()).collect()),
        _ => panic!("a PNG has 8 or 16 bits"),
    };
    let mut encoder = Encoder::new(File::create(path).unwrap(), plane.width() as u32, plane.height() as u32);
    encoder.set_color(ColorType::Grayscale);
    encoder.set_depth(depth);
    encoder.write_header().unwrap().write_image_data(&bytes).unwrap();
}

/// Writes a TIFF with one page a plane.
pub(crate) fn write_tiff(path: &Path, planes: &[Plane]) {
    let mut encoder = TiffEncoder::new(File::create(path).unwrap()).unwrap();
    for plane in planes {
        let (width, height) = (plane.width() as u32, plane.height() as u32);
        match plane.pixels() {
            Pixels::U8(values) => encoder.write_image::<colortype::Gray8>(width, height, values),
            Pixels::U16(values) => encoder.write_image::<colortype::Gray16>(width, height, values),
            Pixels::U32(values) => encoder.write_image::<colortype::Gray32>(width, height, values),
            Pixels::F32(values) => encoder.write_image::<colortype::Gray32Float>(width, height, values),
        }
        .unwrap();
    }
}
