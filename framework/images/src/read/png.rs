//! PNG: grey or colour, 8 or 16 bits; transparency is dropped.

use std::path::Path;

use anyhow::{Context, Result, anyhow, ensure};
use png::{BitDepth, Decoder, Limits, Transformations};

use super::{Wanted, most_bytes, open, separate};
use crate::plane::{Pixels, Plane};

pub(super) fn read(path: &Path, wanted: Wanted<'_>) -> Result<Vec<Plane>> {
    let file = open(path)?;
    let most = most_bytes(&file)?;
    let mut decoder = Decoder::new_with_limits(file, Limits { bytes: most });
    decoder.set_transformations(Transformations::EXPAND);
    let mut reader = decoder.read_info().context("the PNG is damaged or cut short")?;
    let n_bytes = reader.output_buffer_size().filter(|&n| n <= most);
    let too_large =
        || anyhow!("the PNG says that it decodes to more than {most} bytes, which a file of its size cannot");
    let mut bytes = vec![0; n_bytes.ok_or_else(too_large)?];
    let frame = reader.next_frame(&mut bytes).context("the PNG is damaged or cut short")?;
    bytes.truncate(frame.buffer_size());
    let (height, width) = (frame.height as usize, frame.width as usize);
    let n_samples = frame.color_type.samples();
    // the last of two or four samples is transparency
    let n_planes = n_samples - usize::from(n_samples.is_multiple_of(2));
    let pixels: Vec<Pixels> = match frame.bit_depth {
        BitDepth::Sixteen => {
            let values: Vec<u16> = bytes.chunks_exact(2).map(|pair| u16::from_be_bytes([pair[0], pair[1]])).collect();
            separate(&values, n_samples).into_iter().map(Pixels::U16).collect()
        }
        BitDepth::Eight => separate(&bytes, n_samples).into_iter().map(Pixels::U8).collect(),
        other => return Err(anyhow!("the PNG decodes to {other:?} bits; expected 8 or 16")),
    };
    ensure!(n_planes > 0, "the PNG holds nothing but transparency");
    let planes = pixels.into_iter().take(n_planes).map(|pixels| Plane::new(height, width, pixels));
    let planes = planes.collect::<Result<Vec<_>>>()?;
    wanted.choose(planes.into_iter().enumerate().collect(), n_planes)
}

#[cfg(test)]
mod tests {
    use std::fs::File;
    use std::path::Path;

    use png::{BitDepth, ColorType, Encoder};

    use crate::plane::{Pixels, Plane};
    use crate::read::{read_chosen_planes, read_planes};

    fn write(path: &Path, size: (u32, u32), kind: (ColorType, BitDepth), bytes: &[u8]) {
        let mut encoder = Encoder::new(File::create(path).unwrap(), size.1, size.0);
        encoder.set_color(kind.0);
        encoder.set_depth(kind.1);
        encoder.write_header().unwrap().write_image_data(bytes).unwrap();
    }

    #[test]
    fn grey_wide_and_coloured_ones_are_read() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.png");
        write(&path, (1, 2), (ColorType::Grayscale, BitDepth::Eight), &[7, 255]);
        assert_eq!(read_planes(&path).unwrap(), [Plane::new(1, 2, Pixels::U8(vec![7, 255])).unwrap()]);
        write(&path, (2, 1), (ColorType::Grayscale, BitDepth::Sixteen), &[1, 2, 255, 255]);
        assert_eq!(read_planes(&path).unwrap(), [Plane::new(2, 1, Pixels::U16(vec![258, 65535])).unwrap()]);
        write(&path, (1, 2), (ColorType::Rgba, BitDepth::Eight), &[1, 2, 3, 4, 5, 6, 7, 8]);
        let blue = Plane::new(1, 2, Pixels::U8(vec![3, 7])).unwrap();
        let red = Plane::new(1, 2, Pixels::U8(vec![1, 5])).unwrap();
        assert_eq!(read_chosen_planes(&path, &[2, 0, 2]).unwrap(), [blue.clone(), red, blue]);
        let error = format!("{:#}", read_chosen_planes(&path, &[3]).unwrap_err());
        assert!(error.contains("plane 3 is asked for, but the file has 3 (0 to 2)"), "{error}");
    }

    #[test]
    fn no_memory_is_asked_for_beyond_what_a_file_can_hold() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.png");
        write(&path, (9, 9), (ColorType::Grayscale, BitDepth::Eight), &[0; 81]);
        // its header: 13 bytes behind the word `IHDR`, width and height first, and their checksum
        let mut bytes = std::fs::read(&path).unwrap();
        bytes[16..24].copy_from_slice(&[0, 0, 0xea, 0x60, 0, 0, 0xea, 0x60]);
        let checksum = crc32fast::hash(&bytes[12..29]);
        bytes[29..33].copy_from_slice(&checksum.to_be_bytes());
        std::fs::write(&path, bytes).unwrap();
        let told = format!("{:#}", read_planes(&path).unwrap_err());
        assert!(told.contains("which a file of its size cannot"), "{told}");
    }

    #[test]
    fn every_cut_of_a_file_is_an_error() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.png");
        write(&path, (9, 9), (ColorType::Grayscale, BitDepth::Eight), &(0..81).collect::<Vec<u8>>());
        let whole = std::fs::read(&path).unwrap();
        // the last chunk (12 bytes) says nothing but "end"
        for n_bytes in 0..whole.len() - 16 {
            std::fs::write(&path, &whole[..n_bytes]).unwrap();
            assert!(read_planes(&path).is_err(), "{n_bytes} of {} bytes", whole.len());
        }
    }
}
