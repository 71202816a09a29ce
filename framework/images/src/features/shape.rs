//! Numbers of the shape of a nucleus, and all of them by name.

use super::hull::Hull;
use super::moments::{Moments, mask_features};
use super::nucleus::Nucleus;
use super::outline::{euler_number, perimeter, perimeter_crofton};
use super::{named, ratio};
use std::f64::consts::{FRAC_PI_4, PI};

/// The ellipse with the second moments of a nucleus.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Ellipse {
    /// 4 √λ₁, the whole long axis in pixels, where λ₁ is the larger eigenvalue of the covariance of the pixels' coordinates;
    /// scikit-image's `axis_major_length`.
    pub axis_major_length: f64,
    /// 4 √λ₂, the whole short axis in pixels; scikit-image's `axis_minor_length`.
    pub axis_minor_length: f64,
    /// √(1 − λ₂ / λ₁), from 0 for a circle to 1 for a line, 0 for one pixel; scikit-image's `eccentricity`.
    pub eccentricity: f64,
    /// Angle between the row axis and the long axis, counter-clockwise, from −π/2 to π/2; −π/4 for a nucleus whose axes are
    /// equal, where it means nothing. scikit-image's `orientation`.
    pub orientation: f64,
}

impl Ellipse {
    /// The ellipse of some moments.
    pub fn new(moments: &Moments) -> Ellipse {
        let area = moments.central(0, 0);
        let (rows, mixed, columns) = (moments.central(2, 0), moments.central(1, 1), moments.central(0, 2));
        let half = f64::midpoint(rows, columns) / area;
        let larger = half + ((rows - columns) / 2.0).hypot(mixed) / area;
        // from the determinant: the difference loses digits for a line
        let smaller =
            if larger > 0.0 { (rows * columns - mixed * mixed).max(0.0) / (area * area * larger) } else { 0.0 };
        let orientation = if rows == columns {
            if mixed > 0.0 { FRAC_PI_4 } else { -FRAC_PI_4 }
        } else {
            0.5 * (2.0 * mixed).atan2(rows - columns)
        };
        let eccentricity = if larger > 0.0 { (1.0 - smaller / larger).max(0.0).sqrt() } else { 0.0 };
        let (axis_major_length, axis_minor_length) = (4.0 * larger.sqrt(), 4.0 * smaller.sqrt());
        Ellipse { axis_major_length, axis_minor_length, eccentricity, orientation }
    }

    /// Short axis through long axis, from 0 for a line to 1 for a circle; NaN for one pixel.
    pub fn aspect_ratio(&self) -> f64 {
        ratio(self.axis_minor_length, self.axis_major_length)
    }
}

/// 4 π area / perimeter²: 1 for a circle, less for a ragged outline; above 1 for some tiny nuclei, NaN for one pixel,
/// which has no perimeter. CellProfiler's `FormFactor`, with scikit-image's `perimeter`.
pub fn form_factor(area: f64, perimeter: f64) -> f64 {
    ratio(4.0 * PI * area, perimeter * perimeter)
}

/// The features of a mask, always in the same order.
///
/// `extent` = area / bbox_area, `solidity` = area / convex_area and `equivalent_diameter_area` = √(4 area / π), as in
/// scikit-image; for the others see [`Hull`], [`Ellipse`], [`Moments`] and [`perimeter`](fn@perimeter).
///
/// # Units
/// Pixels and square pixels.
pub fn shape_features(nucleus: &Nucleus<'_>) -> Vec<(String, f64)> {
    let (area, bbox_area) = (nucleus.n_pixels() as f64, nucleus.bbox_area() as f64);
    let (hull, moments) = (Hull::new(nucleus), Moments::of_mask(nucleus));
    let (convex_area, perimeter) = (hull.area() as f64, perimeter(nucleus));
    let ellipse = Ellipse::new(&moments);
    let mut features = named([
        ("area", area),
        ("bbox_area", bbox_area),
        ("convex_area", convex_area),
        ("perimeter", perimeter),
        ("perimeter_crofton", perimeter_crofton(nucleus)),
        ("equivalent_diameter_area", (4.0 * area / PI).sqrt()),
        ("axis_major_length", ellipse.axis_major_length),
        ("axis_minor_length", ellipse.axis_minor_length),
        ("aspect_ratio", ellipse.aspect_ratio()),
        ("eccentricity", ellipse.eccentricity),
        ("orientation", ellipse.orientation),
        ("solidity", area / convex_area),
        ("extent", area / bbox_area),
        ("form_factor", form_factor(area, perimeter)),
        ("feret_diameter_max", hull.feret_diameter_max()),
        ("euler_number", euler_number(nucleus) as f64),
    ]);
    features.extend(mask_features(&moments));
    features
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::features::testing::{disc, drawn, rectangle, value};

    #[test]
    fn lines_are_as_eccentric_as_can_be() {
        for rows in [&["#####"][..], &["#", "#"], &["#...", ".#..", "..#.", "...#"]] {
            let ellipse = Ellipse::new(&Moments::of_mask(&drawn(rows).nucleus()));
            assert_eq!((ellipse.axis_minor_length, ellipse.eccentricity, ellipse.aspect_ratio()), (0.0, 1.0, 0.0));
        }
        let horizontal = Ellipse::new(&Moments::of_mask(&rectangle(1, 5).nucleus()));
        assert!((horizontal.axis_major_length - 4.0 * 2_f64.sqrt()).abs() < 1e-12);
        assert!((horizontal.orientation.abs() - PI / 2.0).abs() < 1e-12);
        assert_eq!(Ellipse::new(&Moments::of_mask(&rectangle(5, 1).nucleus())).orientation, 0.0);
        let falling = Ellipse::new(&Moments::of_mask(&drawn(&["#..", ".#.", "..#"]).nucleus()));
        assert_eq!(falling.orientation, FRAC_PI_4);
    }

    #[test]
    fn a_disc_is_round() {
        let features = shape_features(&disc(60, 25.0).nucleus());
        assert_eq!(value(&features, "eccentricity"), 0.0);
        assert_eq!(value(&features, "aspect_ratio"), 1.0);
        assert_eq!(value(&features, "solidity"), 1976.0 / 2016.0);
        assert!((value(&features, "equivalent_diameter_area") - 50.0).abs() < 0.2);
        // what scikit-image finds: the sides of pixels, and the pixels that its hull adds, stand out
        assert!((value(&features, "feret_diameter_max") - 51.66236541235796).abs() < 1e-12);
        assert!((value(&features, "form_factor") - 1.0).abs() < 0.15);
    }

    #[test]
    fn one_pixel_has_no_form() {
        let features = shape_features(&rectangle(1, 1).nucleus());
        let undefined: Vec<&str> =
            features.iter().filter(|(_, value)| value.is_nan()).map(|(name, _)| name.as_str()).collect();
        assert_eq!(undefined, ["aspect_ratio", "form_factor"]);
        assert_eq!((value(&features, "eccentricity"), value(&features, "solidity")), (0.0, 1.0));
    }
}
