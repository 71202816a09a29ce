//! Grey images beside each other in one picture.

use super::lettering::shortened;
use super::svg::Svg;

/// Pixels between images.
const GAP: usize = 3;
/// Room for the names of columns.
const HEAD: f64 = 24.0;
/// The pixels that are drawn as white: all but this share.
const WHITE: f64 = 0.995;

/// Images of one size in rows and columns.
#[derive(Debug)]
pub(crate) struct Mosaic {
    /// Width and height in pixels.
    pub size: (usize, usize),
    /// Grey values row by row; white between images.
    pub pixels: Vec<u8>,
    image: (usize, usize),
    times: usize,
}

impl Mosaic {
    /// A white picture with room for so many rows and columns of images of a height and a width, magnified so that each side
    /// has at least `side` pixels.
    pub(crate) fn new((n_rows, n_columns): (usize, usize), image: (usize, usize), side: usize) -> Mosaic {
        let times = side.div_ceil(image.0.min(image.1).max(1)).max(1);
        let length = |n: usize, pixels: usize| (n * (pixels * times + GAP)).saturating_sub(GAP);
        let size = (length(n_columns, image.1), length(n_rows, image.0));
        Mosaic { size, pixels: vec![255; size.0 * size.1], image, times }
    }

    /// Puts an image, row by row, into a place; `white` and what is brighter becomes white, what is no number black.
    pub(crate) fn put(&mut self, (row, column): (usize, usize), values: &[f32], white: f64) {
        let ((height, width), times) = (self.image, self.times);
        let (top, left) = (row * (height * times + GAP), column * (width * times + GAP));
        for (y, x) in (0..height * times).flat_map(|y| (0..width * times).map(move |x| (y, x))) {
            let value = f64::from(values[y / times * width + x / times]) / white;
            let value = if value.is_finite() { value.clamp(0.0, 1.0) } else { 0.0 };
            self.pixels[(top + y) * self.size.0 + left + x] = (value * 255.0).round() as u8;
        }
    }
}

/// A picture of a mosaic of a size, by its address, with names above its columns and, in so many pixels, beside its rows; a name
/// may stand for several of them.
pub(crate) fn labelled(
    size: (usize, usize),
    address: &str,
    (columns, rows): (&[String], &[String]),
    names: f64,
) -> Svg {
    let (width, height) = (size.0 as f64, size.1 as f64);
    let mut svg = Svg::new((names + width, HEAD + height));
    let middle = |place: usize, length: f64, n: usize| (place as f64 + 0.5) * (length + GAP as f64) / n as f64;
    for (place, column) in columns.iter().enumerate() {
        let x = names + middle(place, width, columns.len());
        let shown = shortened(column, 11.0, width / columns.len() as f64);
        svg.short_text((x, HEAD - 8.0), "text-anchor=\"middle\" font-size=\"11\"", (&shown, column));
    }
    for (place, row) in rows.iter().enumerate() {
        let y = HEAD + middle(place, height, rows.len());
        let shown = shortened(row, 11.0, names - 10.0);
        svg.short_text((names - 6.0, y + 4.0), "text-anchor=\"end\" font-size=\"11\"", (&shown, row));
    }
    svg.image((names, HEAD), (names + width, HEAD + height), address);
    svg
}

/// The brightness that is drawn as white: a few bright pixels do not decide.
pub(crate) fn white(mut values: Vec<f32>) -> f64 {
    values.sort_unstable_by(f32::total_cmp);
    let place = ((values.len() as f64 * WHITE) as usize).min(values.len().saturating_sub(1));
    f64::from(values.get(place).copied().unwrap_or(1.0)).max(1e-6)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn images_lie_in_their_places_with_white_between() {
        let mut mosaic = Mosaic::new((2, 1), (1, 2), 2);
        assert_eq!(mosaic.size, (4, 7));
        mosaic.put((1, 0), &[0.0, f32::NAN], 1.0);
        mosaic.put((0, 0), &[0.5, 2.0], 1.0);
        assert_eq!(mosaic.pixels[..4], [128, 128, 255, 255]);
        assert_eq!(mosaic.pixels[8..12], [255; 4]);
        assert_eq!(mosaic.pixels[20..], [0; 8]);
    }

    #[test]
    fn the_brightest_of_many_pixels_does_not_decide() {
        let mut pixels = vec![0.25f32; 999];
        pixels.push(90.0);
        assert_eq!(white(pixels), 0.25);
    }
}
