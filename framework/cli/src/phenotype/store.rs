//! Images of many cells, kept small: 16-bit numbers on the host.

use crate::decoded_images::{Way, decoded_images};
use crate::run::CELLS_AT_A_TIME;
use anyhow::{Result, ensure};
use framework::data::Dataset;
use framework::infer::Trained;
use tch::{Device, Kind, Tensor};

/// Images of some cells, two bytes a pixel: 29,174 images of 128 × 128 pixels are 0.9 GiB.
///
/// A 16-bit float has 11 bits of precision: brightnesses that were stored in 8 bits stay as many different ones.
#[derive(Debug)]
pub struct ImageStore {
    /// n × height × width, 16-bit floats.
    images: Tensor,
}

impl ImageStore {
    /// The images of these cells, all of which the way's source measured, a block of them at a time.
    ///
    /// # Errors
    /// When rows cannot be read, a network refuses them, or a pixel is no number.
    pub fn of_cells(
        subject: (&Trained, &Dataset),
        (modality, way): (usize, Way),
        cells: &[usize],
    ) -> Result<ImageStore> {
        let mut blocks = Vec::with_capacity(cells.len().div_ceil(CELLS_AT_A_TIME));
        for block in cells.chunks(CELLS_AT_A_TIME) {
            let images = decoded_images(subject, (modality, way), block)?;
            ensure!(
                images.size()[0] == block.len() as i64,
                "{} of {} cells have no image ({})",
                block.len() as i64 - images.size()[0],
                block.len(),
                way.words(subject.0)
            );
            blocks.push(images.f_to_kind(Kind::Half)?);
        }
        ImageStore::of(&Tensor::f_cat(&blocks, 0)?)
    }

    /// Keeps images: n × height × width.
    ///
    /// # Errors
    /// When a pixel is no number.
    pub fn of(images: &Tensor) -> Result<ImageStore> {
        let images = images.f_to_kind(Kind::Half)?;
        let is_finite = bool::try_from(images.f_isfinite()?.f_all()?)?;
        ensure!(is_finite, "an image has a pixel that is no number, or too large for 16 bits");
        Ok(ImageStore { images })
    }

    /// Bytes that are held.
    pub fn n_bytes(n_cells: usize, (height, width): (i64, i64)) -> u64 {
        2 * n_cells as u64 * height as u64 * width as u64
    }

    /// Images of some rows on a device, as 32-bit numbers: n × 1 × height × width.
    ///
    /// # Errors
    /// When there is no such row.
    pub fn gather(&self, rows: &[usize], device: Device) -> Result<Tensor> {
        let rows: Vec<i64> = rows.iter().map(|&row| row as i64).collect();
        let some = self.images.f_index_select(0, &Tensor::from_slice(&rows))?;
        Ok(some.f_to_device(device)?.f_to_kind(Kind::Float)?.f_unsqueeze(1)?)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn eight_bits_of_brightness_survive() {
        let pixels: Vec<f32> = (0..=255u8).map(|byte| f32::from(byte) / 255.0).collect();
        let store = ImageStore::of(&Tensor::from_slice(&pixels).view([4, 8, 8])).unwrap();
        let back = store.gather(&[3, 0], Device::Cpu).unwrap();
        assert_eq!(back.size(), [2, 1, 8, 8]);
        let bytes: Vec<f32> = Vec::try_from((back * 255.0).round().view(-1)).unwrap();
        let expected: Vec<f32> = (192..256u16).chain(0..64).map(f32::from).collect();
        assert_eq!(bytes, expected);
        assert_eq!(ImageStore::n_bytes(29_174, (128, 128)), 955_973_632);
        let wrong = ImageStore::of(&Tensor::from_slice(&[f32::NAN]).view([1, 1, 1])).unwrap_err().to_string();
        assert!(wrong.contains("no number"), "{wrong}");
    }
}
