//! How closeness falls with distance in the picture: 1 / (1 + a d^2b).

/// Points of the curve that is fitted.
const N_POINTS: usize = 300;
const MAX_ROUNDS: usize = 200;

/// The two numbers of the curve.
#[derive(Clone, Copy, Debug)]
pub(super) struct Curve {
    pub(super) a: f64,
    pub(super) b: f64,
}

impl Curve {
    /// The curve nearest, by least squares at 300 distances from 0 to 3 × spread, to 1 below the least distance and
    /// exp(−(d − min_distance) / spread) beyond (Levenberg and Marquardt).
    pub(super) fn fit(min_distance: f64, spread: f64) -> Self {
        let step = 3.0 * spread / (N_POINTS - 1) as f64;
        let points: Vec<(f64, f64)> = (0..N_POINTS)
            .map(|at| {
                let d = at as f64 * step;
                (d, if d < min_distance { 1.0 } else { (-(d - min_distance) / spread).exp() })
            })
            .collect();
        let (mut best, mut damping) = (Self { a: 1.0, b: 1.0 }, 1e-3);
        let mut error = best.error(&points);
        for _ in 0..MAX_ROUNDS {
            let tried = best.stepped(&points, damping);
            let now = if tried.a > 0.0 && tried.b > 0.0 { tried.error(&points) } else { f64::INFINITY };
            if now < error {
                (best, error, damping) = (tried, now, damping / 10.0);
            } else {
                damping *= 10.0;
            }
            if damping > 1e12 {
                break;
            }
        }
        best
    }

    fn at(self, d: f64) -> f64 {
        1.0 / (1.0 + self.a * d.powf(2.0 * self.b))
    }

    fn error(self, points: &[(f64, f64)]) -> f64 {
        points.iter().map(|&(d, wanted)| (self.at(d) - wanted).powi(2)).sum()
    }

    /// One damped step of Gauss and Newton.
    fn stepped(self, points: &[(f64, f64)], damping: f64) -> Self {
        let (mut aa, mut ab, mut bb, mut ra, mut rb) = (0.0, 0.0, 0.0, 0.0, 0.0);
        for &(d, wanted) in points.iter().filter(|point| point.0 > 0.0) {
            let (y, power) = (self.at(d), d.powf(2.0 * self.b));
            let (by_a, by_b) = (-y * y * power, -y * y * self.a * power * 2.0 * d.ln());
            let left = wanted - y;
            (aa, ab, bb) = (aa + by_a * by_a, ab + by_a * by_b, bb + by_b * by_b);
            (ra, rb) = (ra + by_a * left, rb + by_b * left);
        }
        (aa, bb) = (aa * (1.0 + damping), bb * (1.0 + damping));
        let determinant = aa * bb - ab * ab;
        Self { a: self.a + (bb * ra - ab * rb) / determinant, b: self.b + (aa * rb - ab * ra) / determinant }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_curve_is_that_of_umap_learn() {
        // umap.umap_.find_ab_params of umap-learn 0.5.12
        for (min_distance, a, b) in
            [(0.1, 1.5769434601962196, 0.8950608779914887), (0.5, 0.583030019705, 1.334166992455)]
        {
            let found = Curve::fit(min_distance, 1.0);
            assert!((found.a - a).abs() < 1e-5 && (found.b - b).abs() < 1e-5, "{found:?}, expected {a} and {b}");
        }
    }
}
