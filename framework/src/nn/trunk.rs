//! A trunk: linear layers with ReLU after each.

use super::Linear;
use anyhow::Result;
use tch::{Tensor, nn};

/// Linear layers of one width, ReLU after every one (Schuster et al. 2024, Methods: the block that modalities share).
#[derive(Debug)]
pub struct Trunk {
    layers: Vec<Linear>,
}

impl Trunk {
    /// `n_layers` layers of `width` numbers above `n_inputs`; parameters below `hidden_0`, `hidden_1`, ….
    ///
    /// # Errors
    /// When the parameters cannot be allocated.
    pub fn new(vars: &nn::Path<'_>, n_inputs: i64, n_layers: usize, width: i64) -> Result<Trunk> {
        let layer = |place: usize| {
            let n_inputs = if place == 0 { n_inputs } else { width };
            Linear::new(&(vars / format!("hidden_{place}")), n_inputs, width, true)
        };
        Ok(Trunk { layers: (0..n_layers).map(layer).collect::<Result<_>>()? })
    }

    /// Applies all layers.
    ///
    /// # Shapes
    /// n_cells × n_inputs to n_cells × width.
    ///
    /// # Errors
    /// When the rows have another width.
    pub fn forward(&self, rows: &Tensor) -> Result<Tensor> {
        self.layers.iter().try_fold(rows.shallow_clone(), |rows, layer| Ok(layer.forward(&rows)?.f_relu()?))
    }
}
