//! What must hold for the features of any nucleus: what a turn, a shift or a brighter lamp may change, and what not.

use images::features::{FeatureSettings, GreyRange, Neighbours, Nucleus, all_features, shape_features};
use proptest::prelude::*;
use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;

/// An image with a mask.
#[derive(Clone, Debug)]
struct Picture {
    height: usize,
    width: usize,
    mask: Vec<bool>,
    intensity: Vec<f32>,
}

impl Picture {
    /// A blob of random pixels that is dense in the middle, with intensities that are whole numbers.
    fn random(height: usize, width: usize, seed: u64) -> Picture {
        let mut random = ChaCha8Rng::seed_from_u64(seed);
        let mut mask = Vec::new();
        for place in 0..height * width {
            let row = (place / width) as f64 / height as f64 - 0.5;
            let column = (place % width) as f64 / width as f64 - 0.5;
            let from_middle = (row * row + 2.0 * column * column + row * column).sqrt();
            mask.push(random.random::<f64>() > 2.5 * from_middle);
        }
        mask[height * width / 2] = true;
        let intensity = (0..mask.len()).map(|_| random.random_range(1..256) as f32).collect();
        Picture { height, width, mask, intensity }
    }

    /// The picture whose pixel (row, column) is that of `place` in this one.
    fn moved(&self, height: usize, width: usize, place: impl Fn(usize, usize) -> Option<usize>) -> Picture {
        let places: Vec<Option<usize>> = (0..height * width).map(|to| place(to / width, to % width)).collect();
        let mask = places.iter().map(|from| from.is_some_and(|from| self.mask[from])).collect();
        let intensity = places.iter().map(|from| from.map_or(0.0, |from| self.intensity[from])).collect();
        Picture { height, width, mask, intensity }
    }

    fn turned(&self) -> Picture {
        self.moved(self.width, self.height, |row, column| Some(column * self.width + self.width - 1 - row))
    }

    fn mirrored(&self) -> Picture {
        self.moved(self.height, self.width, |row, column| Some(row * self.width + self.width - 1 - column))
    }

    fn framed(&self, above: usize, left: usize) -> Picture {
        self.moved(self.height + above + 3, self.width + left + 2, |row, column| {
            let (row, column) = (row.checked_sub(above)?, column.checked_sub(left)?);
            (row < self.height && column < self.width).then_some(row * self.width + column)
        })
    }

    fn measured(&self) -> Vec<(String, f64)> {
        let nucleus = Nucleus::new(self.height, self.width, &self.mask).unwrap();
        let settings = FeatureSettings { glcm_distances_pixels: vec![1, 3, 5], ..FeatureSettings::default() };
        all_features(&nucleus, &self.intensity, &Neighbours::none(), &settings).unwrap()
    }
}

/// Names whose values differ by more than rounding.
fn differing<'a>(one: &'a [(String, f64)], two: &[(String, f64)], tolerance: f64) -> Vec<&'a str> {
    let pairs = one.iter().zip(two).inspect(|(one, two)| assert_eq!(one.0, two.0));
    let differ = |one: f64, two: f64| {
        // Hu's moments are differences of terms of about 1e-3 and less
        (one - two).abs() > tolerance * one.abs() + 1e-15 || one.is_nan() != two.is_nan()
    };
    pairs.filter(|(one, two)| differ(one.1, two.1)).map(|(one, _)| one.0.as_str()).collect()
}

/// Whether a feature is bound to the axes of the image.
fn is_bound_to_axes(name: &str) -> bool {
    name == "orientation" || (name.contains("moments") && !name.contains("hu"))
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn a_quarter_turn_changes_only_what_is_bound_to_axes(height in 3_usize..40, width in 3_usize..40, seed: u64) {
        let picture = Picture::random(height, width, seed);
        let (one, two) = (picture.measured(), picture.turned().measured());
        let differing = differing(&one, &two, 1e-8);
        prop_assert!(differing.iter().all(|name| is_bound_to_axes(name)), "{differing:?}");
    }

    #[test]
    fn a_mirror_image_has_the_negative_of_the_last_of_hu(height in 3_usize..40, width in 3_usize..40, seed: u64) {
        let picture = Picture::random(height, width, seed);
        let (one, mut two) = (picture.measured(), picture.mirrored().measured());
        for (name, value) in &mut two {
            if name.ends_with("hu-6") {
                *value = -*value;
            }
        }
        let differing = differing(&one, &two, 1e-8);
        prop_assert!(differing.iter().all(|name| is_bound_to_axes(name)), "{differing:?}");
    }

    #[test]
    fn a_shape_is_the_same_wherever_it_lies(above in 0_usize..9, left in 0_usize..9, seed: u64) {
        let shape = |picture: &Picture| {
            shape_features(&Nucleus::new(picture.height, picture.width, &picture.mask).unwrap())
        };
        let picture = Picture::random(20, 25, seed);
        let (one, two) = (shape(&picture), shape(&picture.framed(above, left)));
        prop_assert!(one.iter().zip(&two).all(|(one, two)| one.0 == two.0 && one.1.to_bits() == two.1.to_bits()));
    }

    #[test]
    fn a_brighter_lamp_changes_no_texture(power in 1_i32..6, offset in 0_u16..1000, seed: u64) {
        let picture = Picture::random(30, 30, seed);
        let mut brighter = picture.clone();
        brighter.intensity.iter_mut().for_each(|value| *value = *value * 2_f32.powi(power) + f32::from(offset));
        let (one, two) = (picture.measured(), brighter.measured());
        let differing = differing(&one, &two, 1e-9);
        let same = ["skewness", "kurtosis", "entropy", "glcm", "hc_area", "foci"];
        let wrong: Vec<_> = differing.iter().filter(|name| same.iter().any(|word| name.contains(word))).collect();
        prop_assert!(wrong.is_empty(), "{wrong:?}");
        let changed = ["intensity_mean", "intensity_sd", "intensity_q25"];
        prop_assert!(changed.iter().all(|name| differing.contains(name)), "{differing:?}");
    }

    #[test]
    fn shares_are_shares_and_lengths_are_ordered(height in 1_usize..30, width in 1_usize..30, seed: u64) {
        let found = Picture::random(height, width, seed).measured();
        let value = |name: &str| found.iter().find(|(found, _)| found == name).unwrap().1;
        for name in ["extent", "solidity", "hc_area_nuc_area", "hc_content_nuc_content", "intranuclear_share", "eccentricity"] {
            prop_assert!((0.0..=1.0).contains(&value(name)), "{name} is {}", value(name));
        }
        prop_assert!(value("axis_minor_length") <= value("axis_major_length"));
        prop_assert!(value("area") <= value("convex_area") && value("convex_area") <= value("bbox_area"));
        prop_assert!(value("feret_diameter_max") <= (height as f64).hypot(width as f64));
        let quantiles = ["min", "q25", "q50", "q75", "max"].map(|name| value(&format!("intensity_{name}")));
        prop_assert!(quantiles.is_sorted());
    }
}

#[test]
fn settings_that_do_not_hold_give_numbers_but_no_panic() {
    let picture = Picture::random(12, 9, 1);
    let nucleus = Nucleus::new(picture.height, picture.width, &picture.mask).unwrap();
    let usual: Vec<String> = picture.measured().into_iter().map(|(name, _)| name).collect();
    for (count, number) in [(0, 0.0), (usize::MAX, f64::INFINITY), (usize::MAX / 2, f64::NAN), (3, -1.0)] {
        let settings = FeatureSettings {
            glcm_distances_pixels: vec![count],
            n_grey_levels: count as u16,
            grey_range: GreyRange::Fixed { low: number as f32, high: 1.0 },
            heterochromatin_sds: number,
            foci_sigma_small_pixels: number,
            foci_sigma_large_pixels: number,
            foci_sds: number,
            foci_min_area_pixels: count,
            ring_inner_pixels: count / 2,
            ring_outer_pixels: count,
        };
        assert!(settings.validate().is_err());
        let found = all_features(&nucleus, &picture.intensity, &Neighbours::none(), &settings).unwrap();
        let names = usual.iter().filter(|name| !name.contains("glcm"));
        assert!(names.eq(found.iter().map(|(name, _)| name).filter(|name| !name.contains("glcm"))));
    }
}

/// A nucleus of 2,800 pixels whose noise has a tenth of its brightness, with spots as bright as itself that are at least 6
/// pixels apart.
fn with_spots(n_spots: usize, random: &mut ChaCha8Rng) -> Picture {
    const SIZE: usize = 64;
    let mut spots: Vec<(f64, f64)> = Vec::new();
    while spots.len() < n_spots {
        let spot = (random.random_range(0.0..SIZE as f64), random.random_range(0.0..SIZE as f64));
        let is_apart = |other: &(f64, f64)| (other.0 - spot.0).hypot(other.1 - spot.1) > 6.0;
        if (spot.0 - 31.5).hypot(spot.1 - 31.5) < 26.0 && spots.iter().all(is_apart) {
            spots.push(spot);
        }
    }
    let mut picture = Picture { height: SIZE, width: SIZE, mask: Vec::new(), intensity: Vec::new() };
    for place in 0..SIZE * SIZE {
        let (row, column) = ((place / SIZE) as f64, (place % SIZE) as f64);
        let inside = (row - 31.5).hypot(column - 31.5) < 30.0;
        // twelve uniform numbers are nearly a normal one
        let noise = (0..12).map(|_| random.random::<f64>() - 0.5).sum::<f64>();
        let squared = |spot: &(f64, f64)| (row - spot.0).powi(2) + (column - spot.1).powi(2);
        let light: f64 = spots.iter().map(|spot| 60.0 * (-squared(spot) / (2.0 * 1.5 * 1.5)).exp()).sum();
        picture.mask.push(inside);
        picture.intensity.push((if inside { 60.0 } else { 5.0 } + light + 6.0 * noise) as f32);
    }
    picture
}

#[test]
fn spots_in_noise_are_counted() {
    const N_NUCLEI: usize = 30;
    let mut random = ChaCha8Rng::seed_from_u64(7);
    for n_spots in [0, 1, 2, 4, 8, 12] {
        let mut mean = 0.0;
        for _ in 0..N_NUCLEI {
            let found = with_spots(n_spots, &mut random).measured();
            mean += found.iter().find(|(name, _)| name == "foci_count").unwrap().1 / N_NUCLEI as f64;
        }
        assert!((mean - n_spots as f64).abs() < 0.3, "{n_spots} spots are counted as {mean}");
    }
}
