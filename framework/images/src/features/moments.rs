//! Moments of a nucleus, and of the brightness within it.

use super::nucleus::Nucleus;
use super::ratio;
use super::stain::Stain;

/// Highest power of a coordinate.
const MAX_POWER: usize = 3;

/// Central moments μ_pq = Σ w (row − r)^p (column − c)^q with p, q ≤ 3, where w is 1 or the intensity of a pixel and
/// (r, c) is the centroid weighted so.
#[derive(Clone, Debug, PartialEq)]
pub struct Moments {
    central: [[f64; 4]; 4],
    centroid: (f64, f64),
}

impl Moments {
    /// Moments of the mask; scikit-image's `moments_central`. Those of order 2 are summed in whole numbers, so that a round
    /// nucleus has equal axes to the last digit.
    pub fn of_mask(nucleus: &Nucleus<'_>) -> Moments {
        let exact = WholeSums::new(nucleus);
        let area = exact.n as f64;
        let from_box = (exact.rows as f64 / area, exact.columns as f64 / area);
        let mut central = sums(nucleus, None, from_box);
        central[2][0] = exact.second(exact.rows_squared, exact.rows, exact.rows);
        central[1][1] = exact.second(exact.products, exact.rows, exact.columns);
        central[0][2] = exact.second(exact.columns_squared, exact.columns, exact.columns);
        Moments { central, centroid: in_image(nucleus, from_box) }
    }

    /// Moments of the intensities in the mask; scikit-image's `moments_weighted_central`. NaN or senseless where the
    /// intensities sum to 0 or less.
    pub fn of_stain(stain: &Stain<'_>) -> Moments {
        let nucleus = stain.nucleus();
        let weights = stain.values();
        let zero = sums(nucleus, Some(weights), (0.0, 0.0));
        let from_box = (zero[1][0] / zero[0][0], zero[0][1] / zero[0][0]);
        let central = sums(nucleus, Some(weights), from_box);
        Moments { central, centroid: in_image(nucleus, from_box) }
    }

    /// μ_pq; NaN where p or q is above 3.
    pub fn central(&self, p: usize, q: usize) -> f64 {
        self.central.get(p).and_then(|row| row.get(q)).copied().unwrap_or(f64::NAN)
    }

    /// ν_pq = μ_pq / μ₀₀^((p + q) / 2 + 1), which does not change with size; scikit-image's `moments_normalized`. NaN where p or q is above 3.
    pub fn normalized(&self, p: usize, q: usize) -> f64 {
        ratio(self.central(p, q), self.central[0][0].powf((p + q) as f64 / 2.0 + 1.0))
    }

    /// Mean row and column of the pixels in the image; scikit-image's `centroid` and `centroid_weighted`.
    pub fn centroid(&self) -> (f64, f64) {
        self.centroid
    }

    /// Hu's seven moments, which do not change with size and quarter turns (nor, but for the limits of pixels, with other
    /// turns); a mirror image has the negative of the last. scikit-image's `moments_hu`.
    ///
    /// # Source
    /// Hu, Visual pattern recognition by moment invariants, 1962.
    pub fn hu(&self) -> [f64; 7] {
        let nu = |p, q| self.normalized(p, q);
        let (sum, difference, mixed) = (nu(2, 0) + nu(0, 2), nu(2, 0) - nu(0, 2), 2.0 * nu(1, 1));
        let (a, b) = (nu(3, 0) + nu(1, 2), nu(2, 1) + nu(0, 3));
        let (c, d) = (nu(3, 0) - 3.0 * nu(1, 2), 3.0 * nu(2, 1) - nu(0, 3));
        let (cubic_a, cubic_b) = (a * (a * a - 3.0 * b * b), b * (3.0 * a * a - b * b));
        [
            sum,
            difference * difference + mixed * mixed,
            c * c + d * d,
            a * a + b * b,
            c * cubic_a + d * cubic_b,
            difference * (a * a - b * b) + 2.0 * mixed * a * b,
            d * cubic_a - c * cubic_b,
        ]
    }
}

/// The moments of a mask, by name.
pub(super) fn mask_features(moments: &Moments) -> Vec<(String, f64)> {
    let mut features: Vec<_> =
        powers().map(|(p, q)| (format!("moments_central-{p}-{q}"), moments.central(p, q))).collect();
    features.extend(powers().map(|(p, q)| (format!("moments_normalized-{p}-{q}"), moments.normalized(p, q))));
    features.extend(moments.hu().iter().enumerate().map(|(n, &value)| (format!("moments_hu-{n}"), value)));
    features
}

/// The moments of a stain, by name. `mass_displacement` is the distance of the weighted centroid from that of the mask, in
/// pixels. All are NaN where the intensities do not sum to more than 0.
pub(super) fn weighted_features(stain: &Stain<'_>) -> Vec<(String, f64)> {
    let weighted = Moments::of_stain(stain);
    let defined = |value: f64| if weighted.central[0][0] > 0.0 { value } else { f64::NAN };
    let (one, two) = (weighted.centroid(), Moments::of_mask(stain.nucleus()).centroid());
    let mut features = vec![("mass_displacement".to_owned(), defined((one.0 - two.0).hypot(one.1 - two.1)))];
    let central = powers().map(|(p, q)| (format!("moments_weighted_central-{p}-{q}"), defined(weighted.central(p, q))));
    features.extend(central);
    let hu = weighted.hu();
    features.extend(hu.iter().enumerate().map(|(n, &value)| (format!("moments_weighted_hu-{n}"), defined(value))));
    features
}

/// Powers of moments that say something: the others are 0, or the area.
fn powers() -> impl Iterator<Item = (usize, usize)> {
    (0..=MAX_POWER).flat_map(|p| (0..=MAX_POWER).map(move |q| (p, q))).filter(|(p, q)| p + q >= 2)
}

fn in_image(nucleus: &Nucleus<'_>, from_box: (f64, f64)) -> (f64, f64) {
    let (rows, columns) = nucleus.bounds();
    (from_box.0 + rows.start as f64, from_box.1 + columns.start as f64)
}

/// Σ w (row − r)^p (column − c)^q for p, q ≤ 3, where (r, c) is counted from the corner of the box.
fn sums(nucleus: &Nucleus<'_>, weights: Option<&[f64]>, from_box: (f64, f64)) -> [[f64; 4]; 4] {
    let (rows, columns) = nucleus.bounds();
    let mut totals = [[0.0; 4]; 4];
    let mut n_before = 0;
    for run in nucleus.runs() {
        let mut of_run = [0.0; 4];
        for (n, column) in run.columns.clone().enumerate() {
            let weight = weights.map_or(1.0, |weights| weights[n_before + n]);
            let offset = (column - columns.start) as f64 - from_box.1;
            let terms = [weight, weight * offset, weight * offset * offset, weight * offset * offset * offset];
            of_run.iter_mut().zip(terms).for_each(|(sum, term)| *sum += term);
        }
        n_before += run.columns.len();
        let offset = (run.row - rows.start) as f64 - from_box.0;
        let powers = [1.0, offset, offset * offset, offset * offset * offset];
        for (totals, power) in totals.iter_mut().zip(powers) {
            totals.iter_mut().zip(of_run).for_each(|(total, sum)| *total += power * sum);
        }
    }
    totals
}

/// Sums of the coordinates of pixels, counted from the corner of the box.
#[derive(Default)]
struct WholeSums {
    n: i128,
    rows: i128,
    columns: i128,
    rows_squared: i128,
    columns_squared: i128,
    products: i128,
}

impl WholeSums {
    fn new(nucleus: &Nucleus<'_>) -> WholeSums {
        let (rows, columns) = nucleus.bounds();
        let mut sums = WholeSums::default();
        for run in nucleus.runs() {
            let row = (run.row - rows.start) as i128;
            let n = run.columns.len() as i128;
            let offsets = run.columns.clone().map(|column| (column - columns.start) as u64);
            let (of_columns, squared) = offsets.fold((0, 0), |(sum, squared), x| (sum + x, squared + x * x));
            sums.n += n;
            sums.rows += n * row;
            sums.rows_squared += n * row * row;
            sums.columns += i128::from(of_columns);
            sums.columns_squared += i128::from(squared);
            sums.products += row * i128::from(of_columns);
        }
        sums
    }

    /// Σ (x − x̄)(y − ȳ) from Σ x y, Σ x and Σ y.
    fn second(&self, products: i128, x: i128, y: i128) -> f64 {
        (products * self.n - x * y) as f64 / self.n as f64
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::features::testing::{drawn, rectangle, value};

    #[test]
    fn a_rectangle_has_the_moments_of_its_rows_and_columns() {
        let rectangle = rectangle(2, 3);
        let moments = Moments::of_mask(&rectangle.nucleus());
        assert_eq!(moments.centroid(), (0.5, 1.0));
        assert_eq!((moments.central(2, 0), moments.central(0, 2), moments.central(1, 1)), (1.5, 4.0, 0.0));
        assert_eq!((moments.central(0, 0), moments.central(2, 2), moments.central(0, 3)), (6.0, 1.0, 0.0));
        assert!((moments.normalized(2, 0) - 1.5 / 36.0).abs() < 1e-15);
        assert!((moments.hu()[0] - 5.5 / 36.0).abs() < 1e-15);
    }

    #[test]
    fn equal_intensities_move_nothing_and_unequal_ones_do() {
        let drawn = drawn(&["....", ".##.", ".##."]);
        let nucleus = drawn.nucleus();
        let flat = [7.0; 12];
        let stain = Stain::new(&nucleus, &flat).unwrap();
        assert_eq!(value(&weighted_features(&stain), "mass_displacement"), 0.0);
        let (mask, weighted) = (Moments::of_mask(&nucleus), Moments::of_stain(&stain));
        assert_eq!(weighted.central(2, 0), 7.0 * mask.central(2, 0));
        let mut right = [9.0; 12];
        for (place, intensity) in [(5, 0.0), (6, 1.0), (9, 0.0), (10, 1.0)] {
            right[place] = intensity;
        }
        let stain = Stain::new(&nucleus, &right).unwrap();
        assert_eq!(Moments::of_stain(&stain).centroid(), (1.5, 2.0));
        assert_eq!(value(&weighted_features(&stain), "mass_displacement"), 0.5);
    }

    #[test]
    fn without_intensity_weighted_moments_are_not_defined() {
        let rectangle = rectangle(2, 2);
        let nucleus = rectangle.nucleus();
        for intensity in [[0.0; 4], [-1.0; 4], [1.0, -1.0, 0.0, 0.0]] {
            let stain = Stain::new(&nucleus, &intensity).unwrap();
            assert!(weighted_features(&stain).iter().all(|(_, value)| value.is_nan()));
        }
    }
}
