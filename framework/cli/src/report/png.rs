//! A small picture of few colours as a PNG inside the page.

use crate::drawing::palette::Colour;
use anyhow::{Context, Result};
use png::{BitDepth, ColorType, Compression, Encoder};

/// Letters of base 64, as RFC 4648 has them.
const LETTERS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

/// A square picture whose points have numbers of colours; number 0 is transparent.
#[derive(Debug)]
pub struct Raster {
    n_pixels: usize,
    places: Vec<u8>,
}

impl Raster {
    /// An empty picture of so many pixels in width and height.
    pub fn new(n_pixels: usize) -> Raster {
        Raster { n_pixels, places: vec![0; n_pixels * n_pixels] }
    }

    /// Fills a disc with a colour, counted from 1.
    pub fn disc(&mut self, (x, y): (f64, f64), radius: f64, colour: u8) {
        let last = self.n_pixels as f64 - 1.0;
        let span = |middle: f64| {
            let (low, high) = ((middle - radius).ceil().clamp(0.0, last), (middle + radius).floor().clamp(0.0, last));
            low as usize..=high as usize
        };
        for row in span(y) {
            for column in span(x) {
                if (column as f64 - x).powi(2) + (row as f64 - y).powi(2) <= radius * radius {
                    self.places[row * self.n_pixels + column] = colour;
                }
            }
        }
    }

    /// The picture as a `data:` address of a PNG; `colours` are those of the numbers from 1 on, at most 255.
    ///
    /// # Errors
    /// When it cannot be encoded.
    pub fn address(&self, colours: &[Colour]) -> Result<String> {
        let mut bytes = Vec::new();
        self.encode(colours, &mut bytes).context("a picture cannot be written as PNG")?;
        Ok(address(&bytes))
    }

    fn encode(&self, colours: &[Colour], bytes: &mut Vec<u8>) -> Result<(), png::EncodingError> {
        let size = self.n_pixels as u32;
        let mut encoder = Encoder::new(bytes, size, size);
        encoder.set_color(ColorType::Indexed);
        encoder.set_depth(BitDepth::Eight);
        encoder.set_compression(Compression::High);
        let palette: Vec<u8> = [[0; 3]].iter().chain(colours).flatten().copied().collect();
        encoder.set_palette(palette);
        encoder.set_trns(vec![0]);
        encoder.write_header()?.write_image_data(&self.places)
    }
}

/// A PNG as a `data:` address.
pub fn address(png: &[u8]) -> String {
    format!("data:image/png;base64,{}", base64(png))
}

/// Grey pixels, row by row, as a PNG of a width and a height.
///
/// # Errors
/// When it cannot be encoded.
pub fn grey((width, height): (usize, usize), pixels: &[u8]) -> Result<Vec<u8>> {
    let mut bytes = Vec::new();
    let mut encoder = Encoder::new(&mut bytes, width as u32, height as u32);
    encoder.set_color(ColorType::Grayscale);
    encoder.set_depth(BitDepth::Eight);
    encoder.set_compression(Compression::High);
    let mut writer = encoder.write_header().context("a picture cannot be written as PNG")?;
    writer.write_image_data(pixels).context("a picture cannot be written as PNG")?;
    writer.finish().context("a picture cannot be written as PNG")?;
    Ok(bytes)
}

/// Bytes as text, after RFC 4648.
pub fn base64(bytes: &[u8]) -> String {
    let mut text = String::with_capacity(bytes.len().div_ceil(3) * 4);
    for three in bytes.chunks(3) {
        let number = three.iter().chain(&[0; 2]).take(3).fold(0u32, |number, byte| number << 8 | u32::from(*byte));
        for place in 0..4 {
            let letter = LETTERS[(number >> (18 - 6 * place)) as usize & 63];
            text.push(if place <= three.len() { char::from(letter) } else { '=' });
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn base64_is_that_of_rfc_4648() {
        let texts = ["", "f", "fo", "foo", "foob", "fooba", "foobar"].map(|text| base64(text.as_bytes()));
        assert_eq!(texts, ["", "Zg==", "Zm8=", "Zm9v", "Zm9vYg==", "Zm9vYmE=", "Zm9vYmFy"]);
    }

    #[test]
    fn a_picture_reads_as_it_was_drawn() {
        let mut raster = Raster::new(9);
        raster.disc((4.0, 4.0), 1.0, 1);
        raster.disc((8.5, -0.5), 1.2, 2);
        let mut bytes = Vec::new();
        raster.encode(&[[10, 20, 30], [1, 2, 3]], &mut bytes).unwrap();
        let mut decoder = png::Decoder::new(std::io::Cursor::new(bytes));
        decoder.set_transformations(png::Transformations::EXPAND);
        let mut reader = decoder.read_info().unwrap();
        let mut pixels = vec![0; reader.output_buffer_size().unwrap()];
        reader.next_frame(&mut pixels).unwrap();
        let pixel = |x: usize, y: usize| &pixels[4 * (9 * y + x)..4 * (9 * y + x) + 4];
        assert_eq!(pixel(4, 3), [10, 20, 30, 255]);
        assert_eq!(pixel(3, 3)[3], 0);
        assert_eq!(pixel(8, 0), [1, 2, 3, 255]);
        assert_eq!(pixels.chunks(4).filter(|pixel| pixel[3] > 0).count(), 6);
    }
}
