//! Canonical correlations: the directions of two sets of variables that agree best.

use anyhow::{Result, ensure};
use tch::Tensor;

use crate::correlation::Paired;
use crate::tensor::{from_rows, host, ids, numbers, row_mean, shape};

/// Share of the largest variance below which a direction is rounding.
const ROUNDING: f64 = 1e-12;

/// Canonical correlation analysis (Hotelling 1936), by whitening both sides and a singular value decomposition (Björck
/// and Golub 1973).
///
/// The i-th variates x wᵢ and y vᵢ have the largest correlation of all that are uncorrelated with earlier ones. They do not
/// change when either side is mapped by an invertible affine map. Directions in which a side does not vary are left out, so
/// that there are as many pairs as the smaller of the two ranks.
#[derive(Debug)]
pub struct CanonicalCorrelation {
    x: Side,
    y: Side,
    /// Correlations of the pairs among the cells fitted, the largest first.
    pub correlations: Vec<f64>,
}

/// How variates are made of one side: (x − mean) × weights.
#[derive(Debug)]
struct Side {
    mean: Tensor,
    weights: Tensor,
}

impl CanonicalCorrelation {
    /// Fits both sides; row i of each belongs to the same cell.
    ///
    /// # Shapes
    /// x: n × k, y: n × l; k and l are assumed small (a few hundred).
    ///
    /// # Errors
    /// When numbers of rows differ, there are fewer than 3 cells, a number is not finite, or a side does not vary.
    pub fn fit(x: &Tensor, y: &Tensor) -> Result<Self> {
        let (x, y) = (host(x, "the first side")?, host(y, "the second side")?);
        let n = x.size()[0];
        ensure!(
            n == y.size()[0] && n > 2,
            "there are {n} and {} cells; expected equally many, at least 3",
            y.size()[0]
        );
        let (mut x, white_x) = Side::white(&x, "first")?;
        let (mut y, white_y) = Side::white(&y, "second")?;
        let together = white_x.tr().f_matmul(&white_y)? / (n - 1) as f64;
        let (left, singular, right) = together.f_svd(true, true)?;
        x.weights = x.weights.f_matmul(&left)?;
        y.weights = y.weights.f_matmul(&right)?;
        let correlations = numbers(&singular)?.into_iter().map(|value| value.clamp(0.0, 1.0)).collect();
        Ok(Self { x, y, correlations })
    }

    /// Variates of the first side: n × pairs, 64-bit, of variance 1 among the cells fitted.
    ///
    /// # Errors
    /// When there are not k columns or a number is not finite.
    pub fn of_x(&self, x: &Tensor) -> Result<Tensor> {
        self.x.variates(x, "the first side")
    }

    /// Variates of the second side: n × pairs, 64-bit, of variance 1 among the cells fitted.
    ///
    /// # Errors
    /// When there are not l columns or a number is not finite.
    pub fn of_y(&self, y: &Tensor) -> Result<Tensor> {
        self.y.variates(y, "the second side")
    }

    /// Pearson correlations of the pairs among other cells; 0 where a variate is the same in all of them.
    ///
    /// # Errors
    /// As [`Self::of_x`] and [`Self::of_y`], or when numbers of rows differ.
    pub fn among(&self, x: &Tensor, y: &Tensor) -> Result<Vec<f64>> {
        let (x, y) = (self.of_x(x)?, self.of_y(y)?);
        ensure!(x.size() == y.size(), "there are {} and {} cells; expected equally many", x.size()[0], y.size()[0]);
        let found = Paired::complete(x, y).sums(0).correlations(2.0)?;
        Ok(found.values.into_iter().map(Option::unwrap_or_default).collect())
    }
}

impl Side {
    /// A side whose variates are uncorrelated and of variance 1, and these.
    fn white(values: &Tensor, which: &str) -> Result<(Self, Tensor)> {
        let mean = row_mean(values);
        let centred = values - &mean;
        let covariance = centred.tr().f_matmul(&centred)? / (values.size()[0] - 1) as f64;
        let (variances, directions) = covariance.f_linalg_eigh("L")?;
        let variances = numbers(&variances)?;
        let largest = variances.iter().copied().fold(0.0, f64::max);
        ensure!(largest > 0.0, "the {which} side is the same in all cells; expected numbers that vary");
        let kept: Vec<usize> = (0..variances.len()).filter(|&at| variances[at] > ROUNDING * largest).collect();
        let scale: Vec<f64> = kept.iter().map(|&at| variances[at].sqrt()).collect();
        let directions = directions.index_select(1, &ids(&kept));
        let weights = directions / from_rows(&scale, scale.len());
        let white = centred.f_matmul(&weights)?;
        Ok((Self { mean, weights }, white))
    }

    fn variates(&self, values: &Tensor, what: &str) -> Result<Tensor> {
        let (_, n_columns) = shape(values, what)?;
        let fitted = self.mean.size()[1] as usize;
        ensure!(n_columns == fitted, "{what} has {n_columns} columns; it was fitted on {fitted}");
        Ok((host(values, what)? - &self.mean).f_matmul(&self.weights)?)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_does_not_vary_is_left_out_and_nonsense_refused() {
        let x = Tensor::from_slice(&[1.0, 2.0, 4.0, 8.0, 7.0]).view([5, 1]);
        let same = Tensor::ones([5, 1], (tch::Kind::Double, tch::Device::Cpu));
        let y = Tensor::cat(&[&(&x * -3.0), &same, &(&x * 2.0)], 1);
        let found = CanonicalCorrelation::fit(&x, &y).unwrap();
        assert_eq!(found.correlations.len(), 1);
        assert!((found.correlations[0] - 1.0).abs() < 1e-9);
        assert!((found.among(&x, &y).unwrap()[0] - 1.0).abs() < 1e-9);
        let message = CanonicalCorrelation::fit(&x, &same).unwrap_err().to_string();
        assert!(message.contains("the second side is the same in all cells"), "{message}");
        let message = CanonicalCorrelation::fit(&x, &y.narrow(0, 0, 4)).unwrap_err().to_string();
        assert!(message.contains("there are 5 and 4 cells"), "{message}");
        assert!(found.of_x(&y).is_err());
    }
}
