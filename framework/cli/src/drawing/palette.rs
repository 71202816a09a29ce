//! Colours that are told apart by all, on white and on black.

/// Red, green and blue.
pub type Colour = [u8; 3];

/// For cells without a value and for classes that are too many to have a colour.
pub const NEUTRAL: Colour = [0x9a, 0x9a, 0x9a];
/// Colours of Okabe & Ito without black and with a darker yellow, then five of Paul Tol's muted scheme.
const CLASSES: [Colour; 12] = [
    [0x00, 0x72, 0xb2],
    [0xe6, 0x9f, 0x00],
    [0x00, 0x9e, 0x73],
    [0xcc, 0x79, 0xa7],
    [0x56, 0xb4, 0xe9],
    [0xd5, 0x5e, 0x00],
    [0xb5, 0xa6, 0x1c],
    [0xaa, 0x44, 0x99],
    [0x88, 0x22, 0x55],
    [0x44, 0xaa, 0x99],
    [0x6a, 0x5a, 0xcd],
    [0x8c, 0x6d, 0x31],
];
/// Nine points of viridis (van der Walt and Smith 2015) from a tenth of its way on, so that low values are seen on black.
const SCALE: [Colour; 9] = [
    [0x48, 0x24, 0x75],
    [0x41, 0x44, 0x87],
    [0x35, 0x5f, 0x8d],
    [0x2a, 0x78, 0x8e],
    [0x21, 0x91, 0x8c],
    [0x22, 0xa8, 0x84],
    [0x44, 0xbf, 0x70],
    [0x7a, 0xd1, 0x51],
    [0xbd, 0xdf, 0x26],
];

/// The colour of a class, by its place; after twelve they come again, darker and then lighter.
pub fn of_class(place: usize) -> Colour {
    let colour = CLASSES[place % CLASSES.len()];
    match place / CLASSES.len() % 3 {
        0 => colour,
        1 => colour.map(|part| (f64::from(part) * 0.6) as u8),
        _ => colour.map(|part| 255 - ((255.0 - f64::from(part)) * 0.5) as u8),
    }
}

/// The colour of a number from 0 to 1; what is no number has the lowest.
pub fn of_share(share: f64) -> Colour {
    let share = if share.is_nan() { 0.0 } else { share.clamp(0.0, 1.0) };
    let at = share * (SCALE.len() - 1) as f64;
    let low = (at.floor() as usize).min(SCALE.len() - 2);
    let rest = at - low as f64;
    std::array::from_fn(|part| {
        let [from, to] = [SCALE[low][part], SCALE[low + 1][part]].map(f64::from);
        (from + rest * (to - from)).round() as u8
    })
}

/// A colour as CSS has it.
pub fn css([red, green, blue]: Colour) -> String {
    format!("#{red:02x}{green:02x}{blue:02x}")
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Relative luminance, as WCAG 2 defines it.
    fn luminance(colour: Colour) -> f64 {
        let linear = colour.map(|part| {
            let part = f64::from(part) / 255.0;
            if part <= 0.04045 { part / 12.92 } else { ((part + 0.055) / 1.055).powf(2.4) }
        });
        0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]
    }

    #[test]
    fn classes_are_seen_on_white_and_on_black() {
        for place in 0..12 {
            let bright = luminance(of_class(place));
            let (white, black) = (1.05 / (bright + 0.05), (bright + 0.05) / 0.058);
            assert!(white > 2.0 && black > 1.9, "{place}: {white:.2} {black:.2}");
        }
        let looks: std::collections::BTreeSet<_> = (0..36).map(of_class).collect();
        assert_eq!(looks.len(), 36);
    }

    #[test]
    fn the_scale_grows_lighter_evenly() {
        let lightness: Vec<f64> =
            (0..=20).map(|step| 116.0 * luminance(of_share(f64::from(step) / 20.0)).cbrt() - 16.0).collect();
        let steps: Vec<f64> = lightness.windows(2).map(|pair| pair[1] - pair[0]).collect();
        assert!(steps.iter().all(|step| (1.5..6.0).contains(step)), "{steps:?}");
        assert_eq!((of_share(0.0), of_share(f64::NAN), css(of_share(1.0)).as_str()), (SCALE[0], SCALE[0], "#bddf26"));
    }
}
