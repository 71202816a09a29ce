//! Small nuclei for tests.

use super::nucleus::Nucleus;

/// A mask with its size.
#[derive(Clone, Debug)]
pub struct Drawn {
    pub height: usize,
    pub width: usize,
    pub mask: Vec<bool>,
}

impl Drawn {
    pub fn nucleus(&self) -> Nucleus<'_> {
        Nucleus::new(self.height, self.width, &self.mask).unwrap()
    }
}

/// A mask drawn with `#`.
pub fn drawn(rows: &[&str]) -> Drawn {
    let mask = rows.iter().flat_map(|row| row.chars().map(|letter| letter == '#')).collect();
    Drawn { height: rows.len(), width: rows[0].len(), mask }
}

/// A whole rectangle.
pub fn rectangle(height: usize, width: usize) -> Drawn {
    Drawn { height, width, mask: vec![true; height * width] }
}

/// The pixels of a square image whose centre is nearer to the middle than the radius.
pub fn disc(size: usize, radius: f64) -> Drawn {
    let middle = (size as f64 - 1.0) / 2.0;
    let is_near = |place: usize| {
        let (row, column) = ((place / size) as f64 - middle, (place % size) as f64 - middle);
        row * row + column * column < radius * radius
    };
    Drawn { height: size, width: size, mask: (0..size * size).map(is_near).collect() }
}

/// The value of a name.
pub fn value(features: &[(String, f64)], name: &str) -> f64 {
    features.iter().find(|(found, _)| found == name).unwrap_or_else(|| panic!("there is no {name}")).1
}
