//! A linear map of dense rows.

use super::{Precision, uniform_fan_in, widened};
use anyhow::{Result, ensure};
use tch::{Tensor, nn};

/// x ↦ x Wᵀ + b, with PyTorch's initial values.
#[derive(Debug)]
pub struct Linear {
    weight: Tensor,
    bias: Option<Tensor>,
}

impl Linear {
    /// A layer from `n_inputs` to `n_outputs` numbers; parameters `weight` [n_outputs, n_inputs] and `bias`.
    ///
    /// # Errors
    /// When the parameters cannot be allocated.
    pub fn new(vars: &nn::Path<'_>, n_inputs: i64, n_outputs: i64, bias: bool) -> Result<Linear> {
        let weight = vars.f_var_copy("weight", &uniform_fan_in(&[n_outputs, n_inputs], n_inputs)?)?;
        let bias = match bias {
            true => Some(vars.f_var_copy("bias", &uniform_fan_in(&[n_outputs], n_inputs)?)?),
            false => None,
        };
        Ok(Linear { weight, bias })
    }

    /// Applies the map, in the present [`Precision`]; what comes out has 32 bits again.
    ///
    /// # Shapes
    /// n_cells × n_inputs to n_cells × n_outputs.
    ///
    /// # Errors
    /// When the rows do not have `n_inputs` numbers.
    pub fn forward(&self, rows: &Tensor) -> Result<Tensor> {
        let n_inputs = self.weight.size()[1];
        ensure!(
            rows.dim() == 2 && rows.size()[1] == n_inputs,
            "the layer was built for {n_inputs} numbers per cell, but its input has shape {:?}",
            rows.size()
        );
        let precision = Precision::now();
        let bias = self.bias.as_ref().map(|bias| precision.factor(bias)).transpose()?;
        widened(precision.factor(rows)?.f_linear(&precision.factor(&self.weight)?, bias)?)
    }
}

/// Rows with what a layer is told beside them, where there is such: n_cells × (n + n_condition).
///
/// # Errors
/// When they are not of the same cells.
pub fn beside(rows: Tensor, condition: Option<&Tensor>) -> Result<Tensor> {
    Ok(match condition {
        None => rows,
        Some(condition) => Tensor::f_cat(&[&rows, condition], 1)?,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::nn::holds_undisturbed;
    use tch::{Device, Kind};

    #[test]
    fn maps_rows_as_the_formula_says() {
        let store = nn::VarStore::new(Device::Cpu);
        let layer = Linear::new(&store.root(), 3, 2, true).unwrap();
        let rows = Tensor::randn([4, 3], (Kind::Float, Device::Cpu));
        let variables = store.variables();
        let expected = rows.matmul(&variables["weight"].tr()) + &variables["bias"];
        assert!(layer.forward(&rows).unwrap().allclose(&expected, 1e-6, 1e-6, false));
    }

    #[test]
    fn the_same_seed_gives_the_same_bits() {
        let draw = || {
            tch::manual_seed(5);
            let store = nn::VarStore::new(Device::Cpu);
            Linear::new(&store.root(), 7, 3, true).unwrap();
            store.variables().remove("weight").unwrap()
        };
        assert!(holds_undisturbed(|| draw() == draw()));
    }

    #[test]
    fn factors_of_16_bits_give_nearly_the_same_with_gradients_of_32() {
        let store = nn::VarStore::new(Device::Cpu);
        let layer = Linear::new(&store.root(), 64, 32, true).unwrap();
        let rows = Tensor::randn([16, 64], (Kind::Float, Device::Cpu)).set_requires_grad(true);
        let weight = store.variables().remove("weight").unwrap();
        let of = |precision: Precision| {
            let output = precision.during(|| layer.forward(&rows).unwrap());
            let gradients = Tensor::run_backward(&[output.square().sum(Kind::Float)], &[&rows, &weight], false, false);
            (output.detach(), gradients)
        };
        let ((exact, exact_gradients), (rounded, gradients)) = (of(Precision::Float32), of(Precision::Bf16));
        // a factor is rounded by at most 2⁻⁹ of itself, and rounding errors of a sum of 64 partly cancel
        let close = |a: &Tensor, b: &Tensor| {
            let error = (a - b).norm().double_value(&[]) / b.norm().double_value(&[]);
            assert!(error > 0.0 && error < 2f64.powi(-7), "relative error {error}");
        };
        assert_eq!((rounded.kind(), gradients[1].kind()), (Kind::Float, Kind::Float));
        close(&rounded, &exact);
        gradients.iter().zip(&exact_gradients).for_each(|(a, b)| close(a, b));
    }

    #[test]
    fn refuses_rows_of_another_width() {
        let store = nn::VarStore::new(Device::Cpu);
        let layer = Linear::new(&store.root(), 3, 2, false).unwrap();
        let error = layer.forward(&Tensor::zeros([2, 4], (Kind::Float, Device::Cpu))).unwrap_err();
        assert_eq!(error.to_string(), "the layer was built for 3 numbers per cell, but its input has shape [2, 4]");
    }
}
