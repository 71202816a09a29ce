//! Predictions and targets that the tests of the losses share.

use framework::{FeatureShape, Features, Loss, LossContext, SparseFeatures, Statistics, Target};
use tch::nn::VarStore;
use tch::{Device, Kind, Tensor};

/// 3 cells × 4 features.
pub fn logits() -> Tensor {
    Tensor::from_slice(&[0.5f32, -1.0, 2.0, 0.0, 30.0, -30.0, 0.1, -0.2, 1.0, 1.0, -2.0, 3.0]).view([3, 4])
}

/// Values in [0, 1], and counts at the same time; the second cell has none.
pub fn sparse_target() -> Target {
    Target::new(Features::Sparse(SparseFeatures {
        offsets: Tensor::from_slice(&[0i64, 2, 2, 4]),
        indices: Tensor::from_slice(&[1i64, 2, 0, 3]),
        values: Tensor::from_slice(&[1f32, 0.25, 0.75, 0.5]),
        n_features: 4,
    }))
}

/// The same, dense.
pub fn dense_target() -> Target {
    Target::new(Features::Dense(sparse_target().dense().shallow_clone()))
}

/// Four training entries of ten, raw values that sum to 2 and 4.
pub fn context(store: &VarStore) -> LossContext<'_> {
    LossContext {
        vars: store.root(),
        output: FeatureShape::Vector(4),
        training: Statistics { n_entries: 4.0, n_nonzero: 1.0, raw_sum: 2.0, processed_sum: 1.0 },
        all: Statistics { n_entries: 10.0, n_nonzero: 3.0, raw_sum: 4.0, processed_sum: 2.0 },
    }
}

/// −w y ln σ(x) − (1 − y) ln(1 − σ(x)) in double precision, mean over features.
pub fn bce_by_formula(x: &Tensor, y: &Tensor, weight: f64) -> Tensor {
    let (x, y) = (x.to_kind(Kind::Double), y.to_kind(Kind::Double));
    let (ones, zeros): (Tensor, Tensor) = (&y * (-&x).exp().log1p() * weight, (1.0 - &y) * x.exp().log1p());
    (ones + zeros).mean_dim([1i64].as_slice(), false, Kind::Double)
}

/// Equal to 1e-5.
pub fn close(a: &Tensor, b: &Tensor) -> bool {
    a.to_kind(Kind::Double).allclose(&b.to_kind(Kind::Double), 1e-5, 1e-6, false)
}

/// Largest difference between autograd's gradient of the summed loss and central differences, in double precision.
pub fn gradient_error(loss: &dyn Loss, target: &Target) -> f64 {
    // f32 logits of moderate size: at ±30 differences are below the rounding of the loss
    let at = logits().clamp(-3.0, 3.0).to_kind(Kind::Double);
    let total = |x: &Tensor| loss.per_cell(x, target).unwrap().sum(Kind::Double);
    let x = at.copy().set_requires_grad(true);
    total(&x).backward();
    let (step, gradient) = (1e-5, x.grad().flatten(0, -1));
    let difference = |place: i64| {
        let bump = Tensor::zeros([12], (Kind::Double, Device::Cpu));
        let _ = bump.get(place).fill_(step);
        let bump = bump.view([3, 4]);
        let numeric = (total(&(&at + &bump)) - total(&(&at - &bump))).double_value(&[]) / (2.0 * step);
        (numeric - gradient.double_value(&[place])).abs()
    };
    (0..12).map(difference).fold(0.0, f64::max)
}
