use super::*;
use framework::{Features, SparseFeatures, Target};

const WEIGHTS: [f64; 3] = [1.0, 0.3, 7.5];

fn target(kind: Kind) -> Target {
    Target::new(Features::Sparse(SparseFeatures {
        offsets: Tensor::from_slice(&[0i64, 3, 3, 5]),
        indices: Tensor::from_slice(&[0i64, 1500, 2099, 7, 8]),
        values: Tensor::from_slice(&[0.25f64, 1.0, 0.5, 0.75, 1.0]).to_kind(kind),
        n_features: 2100,
    }))
}

/// Three cells with logits from −18 to 18 (libtorch's softplus is a line above 20); more features than are added up at once, and some beside a multiple of the lanes.
fn logits(kind: Kind) -> Tensor {
    let x = Tensor::arange(3 * 2100, (Kind::Double, Device::Cpu));
    (((x * 0.7).sin() * 18.0).view([3, 2100])).to_kind(kind).set_requires_grad(true)
}

/// Loss of each cell and the gradient of their sum weighted by 1, 2, 3.
fn loss_and_gradient(loss: &Tensor, logits: &Tensor) -> (Tensor, Tensor) {
    let weights = Tensor::from_slice(&[1f64, 2.0, 3.0]).to_kind(logits.kind());
    let gradient = Tensor::run_backward(&[(loss * weights).sum(logits.kind())], &[logits], false, false).remove(0);
    (loss.detach(), gradient)
}

#[test]
fn rows_cost_what_operations_say_with_the_same_gradients() {
    for (kind, tolerance) in [(Kind::Float, 1e-6), (Kind::Double, 1e-12)] {
        for weight in WEIGHTS {
            let x = logits(kind);
            let stored = Stored::new(&x, &target(kind)).unwrap();
            let y = stored.values.shallow_clone();
            let (loss, gradient) = loss_and_gradient(&(cross_entropy(&stored, &y, weight).unwrap() * 2100.0), &x);
            let (expected, slopes) = loss_and_gradient(&summed(&stored, &y, weight).unwrap(), &x);
            assert!(loss.allclose(&expected, tolerance, 0.0, false), "{kind:?}, {weight}: {loss} is not {expected}");
            let farthest = (gradient - &slopes).abs().max().double_value(&[]);
            assert!(farthest < 10.0 * tolerance, "{kind:?}, {weight}: slopes are off by {farthest}");
        }
    }
}

#[test]
fn far_logits_cost_themselves_or_nothing() {
    let x = Tensor::from_slice(&[-1e4f32, -90.0, 90.0, 1e4]).view([1, 4]).set_requires_grad(true);
    let empty = SparseFeatures {
        offsets: Tensor::from_slice(&[0i64, 0]),
        indices: Tensor::from_slice::<i64>(&[]),
        values: Tensor::from_slice::<f32>(&[]),
        n_features: 4,
    };
    let stored = Stored::new(&x, &Target::new(Features::Sparse(empty))).unwrap();
    let loss = cross_entropy(&stored, &stored.values, 3.0).unwrap();
    assert_eq!(loss.double_value(&[0]), (90.0 + 1e4) / 4.0);
    let slopes = Tensor::run_backward(&[loss.sum(Kind::Float)], &[&x], false, false).remove(0);
    let slopes = Vec::<f64>::try_from(slopes.flatten(0, -1).to_kind(Kind::Double)).unwrap();
    assert!(slopes[0] >= 0.0 && slopes[1] < 1e-30 && slopes[2..] == [0.25, 0.25], "{slopes:?}");
}

#[test]
fn a_loss_without_a_graph_needs_no_slopes() {
    let x = logits(Kind::Float).detach();
    let stored = Stored::new(&x, &target(Kind::Float)).unwrap();
    assert!(!cross_entropy(&stored, &stored.values, 1.0).unwrap().requires_grad());
}

#[test]
fn predictions_that_are_no_numbers_cost_none() {
    let x = logits(Kind::Float).detach();
    let _ = x.get(1).get(3).fill_(f64::NAN);
    let stored = Stored::new(&x, &target(Kind::Float)).unwrap();
    let loss =
        Vec::<f64>::try_from(cross_entropy(&stored, &stored.values, 2.0).unwrap().to_kind(Kind::Double)).unwrap();
    assert_eq!(loss.iter().map(|loss| loss.is_nan()).collect::<Vec<_>>(), [false, true, false]);
}
