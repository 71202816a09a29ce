//! TIFF, BigTIFF and OME-TIFF: pages, and samples within a page.

use std::fs::File;
use std::io::BufReader;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;

use anyhow::{Context, Result, anyhow, ensure};
use tiff::decoder::{Decoder, DecodingResult, Limits};
use tiff::tags::Tag;

use super::{Wanted, most_bytes, ome, open, separate, whole};
use crate::plane::{Pixels, Plane};

/// The longest list or text of a page that is read, in bytes.
const LONGEST_TAG: usize = 256 << 20;
/// The bit of `NewSubfileType` that says "a smaller copy of another page".
const REDUCED: u32 = 1;

type Tiff = Decoder<BufReader<File>>;

pub(super) fn read(path: &Path, wanted: Wanted<'_>) -> Result<Vec<Plane>> {
    survive(|| read_pages(path, wanted))
}

/// Runs the decoder. It panics over some sizes that are stated by damaged files: an error like others.
fn survive<T>(work: impl FnOnce() -> Result<T>) -> Result<T> {
    // what it leaves half done is dropped with it
    catch_unwind(AssertUnwindSafe(work))
        .unwrap_or_else(|_| Err(anyhow!("the TIFF is damaged: it states impossible sizes")))
}

fn read_pages(path: &Path, wanted: Wanted<'_>) -> Result<Vec<Plane>> {
    let mut pages = start(path)?;
    let mut found = Vec::new();
    let mut n_planes = 0;
    for page in 0.. {
        let described = |what: &str| format!("page {page} of the TIFF {what}");
        let kind: Option<u32> = pages.find_tag_unsigned(Tag::NewSubfileType).unwrap_or(None);
        // pyramids keep smaller copies of the first page behind it
        if page == 0 || kind.unwrap_or(0) & REDUCED == 0 {
            let n_samples = n_samples(&mut pages).with_context(|| described("is damaged"))?;
            let places = n_planes..n_planes + n_samples;
            if wanted.any(places.clone()) {
                let planes = decode(&mut pages, n_samples).map_err(|error| once(&error));
                let planes = planes.with_context(|| described("cannot be decoded; is the file whole?"))?;
                found.extend(places.zip(planes));
            }
            n_planes += n_samples;
        }
        if !pages.more_images() {
            break;
        }
        pages.next_image().with_context(|| format!("the TIFF is damaged or cut short after page {page}"))?;
    }
    let n_told = start(path)?.get_tag_ascii_string(Tag::ImageDescription).ok().and_then(|text| images_of_imagej(&text));
    let n_told = n_told.unwrap_or(0);
    ensure!(
        n_told <= n_planes,
        "ImageJ says that it holds {n_told} images, but it has pages for {n_planes}: a stack above 4 GB; save it as OME-TIFF"
    );
    wanted.choose(found, n_planes)
}

/// How many images ImageJ says there are; those of large stacks lie behind the first without pages of their own.
fn images_of_imagej(description: &str) -> Option<usize> {
    let lines = description.strip_prefix("ImageJ=")?.lines();
    lines.filter_map(|line| line.strip_prefix("images=")).find_map(|number| number.trim().parse().ok())
}

pub(super) fn plane_names(path: &Path) -> Result<Vec<String>> {
    let mut pages = survive(|| start(path))?;
    match pages.get_tag_ascii_string(Tag::ImageDescription) {
        Ok(text) if ome::is_ome(&text) => ome::channel_names(&text),
        _ => Ok(Vec::new()),
    }
}

fn start(path: &Path) -> Result<Tiff> {
    let file = open(path)?;
    let most = most_bytes(&file)?;
    let mut limits = Limits::default();
    limits.decoding_buffer_size = most;
    limits.intermediate_buffer_size = most;
    limits.ifd_value_size = most.min(LONGEST_TAG);
    let decoder = Decoder::new(file).map_err(|error| once(&error.into()));
    let decoder = decoder.context("the TIFF is damaged or cut short")?;
    Ok(decoder.with_limits(limits))
}

/// The same error; what several layers say in the same words is said once.
fn once(error: &anyhow::Error) -> anyhow::Error {
    let mut told: Vec<String> = error.chain().map(ToString::to_string).collect();
    told.dedup();
    anyhow!(told.join(": "))
}

fn n_samples(page: &mut Tiff) -> Result<usize> {
    let n_samples: Option<u16> = page.find_tag_unsigned(Tag::SamplesPerPixel)?;
    let n_samples = usize::from(n_samples.unwrap_or(1));
    ensure!(n_samples > 0, "it says that a pixel has no sample");
    Ok(n_samples)
}

/// The planes of the current page.
fn decode(page: &mut Tiff, n_samples: usize) -> Result<Vec<Plane>> {
    let (width, height) = page.dimensions()?;
    let (height, width) = (height as usize, width as usize);
    let mut samples = DecodingResult::U8(Vec::new());
    // `read_image` of this release returns the first sample alone where samples lie apart
    let layout = page.read_image_to_buffer(&mut samples)?;
    let pixels = match samples {
        DecodingResult::U8(values) => Pixels::U8(values),
        DecodingResult::U16(values) => Pixels::U16(values),
        DecodingResult::U32(values) => Pixels::U32(values),
        DecodingResult::U64(values) => whole::into_u32(&values)?,
        DecodingResult::I8(values) => whole::into_u8(&values)?,
        DecodingResult::I16(values) => whole::into_u16(&values)?,
        DecodingResult::I32(values) => whole::into_u32(&values)?,
        DecodingResult::I64(values) => whole::into_u32(&values)?,
        DecodingResult::F16(values) => Pixels::F32(values.into_iter().map(f32::from).collect()),
        DecodingResult::F32(values) => Pixels::F32(values),
        DecodingResult::F64(values) => Pixels::F32(values.into_iter().map(|value| value as f32).collect()),
    };
    let expected = height.saturating_mul(width).saturating_mul(n_samples);
    ensure!(
        pixels.len() == expected,
        "it decodes to {} numbers; expected {expected} ({height} × {width} × {n_samples} samples)",
        pixels.len()
    );
    let apart = layout.planes > 1;
    let separated: Vec<Pixels> = match pixels {
        Pixels::U8(values) => split(&values, n_samples, apart).into_iter().map(Pixels::U8).collect(),
        Pixels::U16(values) => split(&values, n_samples, apart).into_iter().map(Pixels::U16).collect(),
        Pixels::U32(values) => split(&values, n_samples, apart).into_iter().map(Pixels::U32).collect(),
        Pixels::F32(values) => split(&values, n_samples, apart).into_iter().map(Pixels::F32).collect(),
    };
    separated.into_iter().map(|pixels| Plane::new(height, width, pixels)).collect()
}

fn split<T: Copy>(values: &[T], n_samples: usize, apart: bool) -> Vec<Vec<T>> {
    match apart {
        true => values.chunks(values.len() / n_samples).map(<[T]>::to_vec).collect(),
        false => separate(values, n_samples),
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use tiff::encoder::{TiffEncoder, colortype};

    use crate::plane::Pixels;
    use crate::read::{plane_names, read_chosen_planes, read_planes};

    fn write_pages(path: &Path) {
        let mut encoder = TiffEncoder::new(std::fs::File::create(path).unwrap()).unwrap();
        encoder.write_image::<colortype::Gray16>(3, 2, &[1, 2, 3, 4, 5, 65535]).unwrap();
        encoder.write_image::<colortype::RGB8>(1, 2, &[1, 2, 3, 4, 5, 6]).unwrap();
        encoder.write_image::<colortype::Gray32Float>(2, 1, &[0.5, -1.0]).unwrap();
    }

    #[test]
    fn pages_and_their_samples_are_planes() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.tif");
        write_pages(&path);
        let planes = read_planes(&path).unwrap();
        let sizes: Vec<String> = planes.iter().map(super::Plane::size).collect();
        assert_eq!(sizes, ["2 × 3", "2 × 1", "2 × 1", "2 × 1", "1 × 2"]);
        assert_eq!(planes[0].pixels(), &Pixels::U16(vec![1, 2, 3, 4, 5, 65535]));
        assert_eq!(planes[2].pixels(), &Pixels::U8(vec![2, 5]));
        assert_eq!(planes[4].pixels(), &Pixels::F32(vec![0.5, -1.0]));
        assert_eq!(read_chosen_planes(&path, &[4, 2]).unwrap(), [planes[4].clone(), planes[2].clone()]);
        assert!(format!("{:#}", read_chosen_planes(&path, &[5]).unwrap_err()).contains("the file has 5 (0 to 4)"));
    }

    #[test]
    fn stacks_of_imagej_tell_their_length() {
        assert_eq!(super::images_of_imagej("ImageJ=1.53t\nimages=12\nslices=12\n"), Some(12));
        assert_eq!(super::images_of_imagej("ImageJ=1.53t\nunit=micron\n"), None);
        assert_eq!(super::images_of_imagej("images=12\n"), None);
    }

    /// A TIFF of one page without pixels: entries of (tag, type, count, value).
    fn write_entries(path: &Path, entries: &[(u16, u16, u32, u32)]) {
        let mut bytes = b"II*\0\x08\0\0\0".to_vec();
        bytes.extend((entries.len() as u16).to_le_bytes());
        for (tag, kind, count, value) in entries {
            bytes.extend([tag.to_le_bytes(), kind.to_le_bytes()].concat());
            bytes.extend([count.to_le_bytes(), value.to_le_bytes()].concat());
        }
        bytes.extend([0; 4]);
        std::fs::write(path, bytes).unwrap();
    }

    #[test]
    fn no_memory_is_asked_for_beyond_what_a_file_can_hold() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.tif");
        let side = 60_000;
        let page = [(256, 4, 1, side), (257, 4, 1, side), (258, 3, 1, 8), (259, 3, 1, 1), (262, 3, 1, 1)];
        write_entries(
            &path,
            &[&page[..], &[(273, 4, 1, 8), (277, 3, 1, 1), (278, 4, 1, side), (279, 4, 1, 9)]].concat(),
        );
        let told = format!("{:#}", read_planes(&path).unwrap_err());
        assert!(told.contains("limits exceeded"), "{told}");
        // more strips than 32 bits can count
        let strips = [(277, 3, 1, 3), (278, 4, 1, 1), (279, 4, 1, 9), (284, 3, 1, 2)];
        let tall = [(256, 4, 1, 1), (257, 4, 1, u32::MAX - 1), page[2], page[3], page[4], (273, 4, 1, 8)];
        write_entries(&path, &[&tall[..], &strips].concat());
        assert!(read_planes(&path).is_err() && plane_names(&path).is_err());
        // a description of 4 GB is none
        write_entries(&path, &[&page[..1], &[(270, 2, u32::MAX, 8)]].concat());
        assert!(plane_names(&path).unwrap_or_default().is_empty());
    }

    #[test]
    fn every_cut_of_a_file_is_an_error() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.tif");
        write_pages(&path);
        let whole = std::fs::read(&path).unwrap();
        for n_bytes in 0..whole.len() {
            std::fs::write(&path, &whole[..n_bytes]).unwrap();
            assert!(read_planes(&path).is_err(), "{n_bytes} of {} bytes", whole.len());
        }
    }
}
