//! Planes of pixels as they were read, and fields made of them.

use anyhow::{Result, anyhow, ensure};

use crate::nearest;

/// The pixels of a plane, row by row, in the kind that the file holds.
#[derive(Debug, Clone, PartialEq)]
pub enum Pixels {
    /// Whole numbers of 8 bits.
    U8(Vec<u8>),
    /// Whole numbers of 16 bits.
    U16(Vec<u16>),
    /// Whole numbers of 32 bits: labels of a mask, never intensities.
    U32(Vec<u32>),
    /// Real numbers (also those that a file holds with 16 or 64 bits).
    F32(Vec<f32>),
}

/// What one pixel is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PixelKind {
    /// See [`Pixels::U8`].
    U8,
    /// See [`Pixels::U16`].
    U16,
    /// See [`Pixels::U32`].
    U32,
    /// See [`Pixels::F32`].
    F32,
}

impl PixelKind {
    /// What messages call it, as in `16-bit`.
    pub fn name(self) -> &'static str {
        match self {
            Self::U8 => "8-bit",
            Self::U16 => "16-bit",
            Self::U32 => "32-bit whole-number",
            Self::F32 => "real-number",
        }
    }
}

impl Pixels {
    /// Number of pixels.
    pub fn len(&self) -> usize {
        match self {
            Self::U8(values) => values.len(),
            Self::U16(values) => values.len(),
            Self::U32(values) => values.len(),
            Self::F32(values) => values.len(),
        }
    }

    /// Whether there is no pixel at all.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// What one pixel is.
    pub fn kind(&self) -> PixelKind {
        match self {
            Self::U8(_) => PixelKind::U8,
            Self::U16(_) => PixelKind::U16,
            Self::U32(_) => PixelKind::U32,
            Self::F32(_) => PixelKind::F32,
        }
    }
}

/// One image of one channel.
#[derive(Debug, Clone, PartialEq)]
pub struct Plane {
    height: usize,
    width: usize,
    pixels: Pixels,
}

impl Plane {
    /// A plane of pixels that lie row by row.
    ///
    /// # Errors
    /// If it has no pixel, their number is not `height × width`, or one of them is not a finite number.
    pub fn new(height: usize, width: usize, pixels: Pixels) -> Result<Self> {
        let expected = height.checked_mul(width).filter(|&n| n > 0);
        ensure!(expected.is_some(), "an image of {height} × {width} pixels has no pixel");
        ensure!(
            expected == Some(pixels.len()),
            "an image of {height} × {width} pixels holds {} of them; is the file whole?",
            pixels.len()
        );
        if let Pixels::F32(values) = &pixels
            && let Some(place) = values.iter().position(|value| !value.is_finite())
        {
            let (row, column) = (place / width, place % width);
            return Err(anyhow!(
                "the pixel in row {row}, column {column} is {}; expected finite numbers",
                values[place]
            ));
        }
        Ok(Self { height, width, pixels })
    }

    /// Number of rows.
    pub fn height(&self) -> usize {
        self.height
    }

    /// Number of columns.
    pub fn width(&self) -> usize {
        self.width
    }

    /// The pixels, row by row.
    pub fn pixels(&self) -> &Pixels {
        &self.pixels
    }

    /// The pixels as real numbers, row by row.
    pub fn to_f64(&self) -> Vec<f64> {
        match &self.pixels {
            Pixels::U8(values) => values.iter().map(|&value| f64::from(value)).collect(),
            Pixels::U16(values) => values.iter().map(|&value| f64::from(value)).collect(),
            Pixels::U32(values) => values.iter().map(|&value| f64::from(value)).collect(),
            Pixels::F32(values) => values.iter().map(|&value| f64::from(value)).collect(),
        }
    }

    /// One pixel as a single-precision number.
    pub fn at(&self, row: usize, column: usize) -> f32 {
        let place = row * self.width + column;
        match &self.pixels {
            Pixels::U8(values) => f32::from(values[place]),
            Pixels::U16(values) => f32::from(values[place]),
            Pixels::U32(values) => values[place] as f32,
            Pixels::F32(values) => values[place],
        }
    }

    /// Smallest and largest pixel.
    pub fn extremes(&self) -> (f64, f64) {
        fn of<T: Copy + PartialOrd + Into<f64>>(values: &[T]) -> (f64, f64) {
            let first = (values[0], values[0]);
            let keep = |(low, high): (T, T), &value: &T| {
                (if value < low { value } else { low }, if value > high { value } else { high })
            };
            let (low, high) = values.iter().fold(first, keep);
            (low.into(), high.into())
        }
        match &self.pixels {
            Pixels::U8(values) => of(values),
            Pixels::U16(values) => of(values),
            Pixels::U32(values) => of(values),
            Pixels::F32(values) => of(values),
        }
    }

    /// `640 × 480`: rows and columns, as messages name them.
    pub fn size(&self) -> String {
        format!("{} × {}", self.height, self.width)
    }
}

/// One field of view: planes of equal size, one a channel.
#[derive(Debug, Clone, PartialEq)]
pub struct Field {
    names: Vec<String>,
    planes: Vec<Plane>,
}

impl Field {
    /// A field of named planes.
    ///
    /// # Errors
    /// If there is none, two have one name or they differ in size.
    pub fn new(channels: Vec<(String, Plane)>) -> Result<Self> {
        let (names, planes): (Vec<String>, Vec<Plane>) = channels.into_iter().unzip();
        ensure!(!planes.is_empty(), "a field has no channel");
        for (place, (name, plane)) in names.iter().zip(&planes).enumerate() {
            ensure!(!names[..place].contains(name), "two channels are called `{name}`");
            ensure!(
                (plane.height, plane.width) == (planes[0].height, planes[0].width),
                "channel `{name}` has {} pixels, but `{}` has {}; the channels of a field are of one size",
                plane.size(),
                names[0],
                planes[0].size()
            );
        }
        Ok(Self { names, planes })
    }

    /// Number of rows.
    pub fn height(&self) -> usize {
        self.planes[0].height
    }

    /// Number of columns.
    pub fn width(&self) -> usize {
        self.planes[0].width
    }

    /// Names of the channels, in order.
    pub fn names(&self) -> &[String] {
        &self.names
    }

    /// The planes, in the order of the names.
    pub fn planes(&self) -> &[Plane] {
        &self.planes
    }

    /// A channel by name.
    ///
    /// # Errors
    /// If there is none: lists the channels and the nearest name.
    pub fn channel(&self, name: &str) -> Result<&Plane> {
        let place = self.names.iter().position(|known| known == name);
        place.map(|place| &self.planes[place]).ok_or_else(|| anyhow!(nearest::unknown("channel", name, &self.names)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn plane(height: usize, width: usize) -> Plane {
        Plane::new(height, width, Pixels::U8(vec![7; height * width])).unwrap()
    }

    #[test]
    fn sizes_must_agree() {
        let error = Plane::new(2, 3, Pixels::U8(vec![0; 5])).unwrap_err().to_string();
        assert_eq!(error, "an image of 2 × 3 pixels holds 5 of them; is the file whole?");
        assert!(Plane::new(0, 3, Pixels::U8(vec![])).is_err());
        assert!(Plane::new(usize::MAX, 3, Pixels::U8(vec![])).is_err());
        let error = Field::new(vec![("dna".into(), plane(2, 3)), ("er".into(), plane(3, 2))]).unwrap_err().to_string();
        let expected = "channel `er` has 3 × 2 pixels, but `dna` has 2 × 3; the channels of a field are of one size";
        assert_eq!(error, expected);
    }

    #[test]
    fn numbers_that_are_none_are_refused() {
        let error = Plane::new(1, 2, Pixels::F32(vec![0.0, f32::NAN])).unwrap_err().to_string();
        assert_eq!(error, "the pixel in row 0, column 1 is NaN; expected finite numbers");
    }

    #[test]
    fn channels_are_found_by_name() {
        let field = Field::new(vec![("dna".into(), plane(2, 3)), ("lamin".into(), plane(2, 3))]).unwrap();
        assert_eq!(field.channel("lamin").unwrap(), &plane(2, 3));
        let error = field.channel("lamim").unwrap_err().to_string();
        assert_eq!(error, "no channel `lamim`: did you mean `lamin`? available: dna, lamin");
        assert!(Field::new(vec![("a".into(), plane(2, 3)), ("a".into(), plane(2, 3))]).is_err());
        assert!(Field::new(vec![]).is_err());
    }

    #[test]
    fn extremes_and_pixels_are_read_from_every_kind() {
        let real = Plane::new(1, 3, Pixels::F32(vec![0.5, -2.0, 3.0])).unwrap();
        assert_eq!(real.extremes(), (-2.0, 3.0));
        let wide = Plane::new(1, 3, Pixels::U16(vec![9, 65535, 8])).unwrap();
        assert_eq!((wide.extremes(), wide.at(0, 1)), ((8.0, 65535.0), 65535.0));
        assert_eq!(wide.to_f64(), [9.0, 65535.0, 8.0]);
    }
}
