//! A linear map of dense rows.

use super::uniform_fan_in;
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

    /// Applies the map.
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
        Ok(rows.f_linear(&self.weight, self.bias.as_ref())?)
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
    fn refuses_rows_of_another_width() {
        let store = nn::VarStore::new(Device::Cpu);
        let layer = Linear::new(&store.root(), 3, 2, false).unwrap();
        let error = layer.forward(&Tensor::zeros([2, 4], (Kind::Float, Device::Cpu))).unwrap_err();
        assert_eq!(error.to_string(), "the layer was built for 3 numbers per cell, but its input has shape [2, 4]");
    }
}
