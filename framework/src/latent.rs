//! Latent tables: a row per cell and space, and how rows are taken out and put back.

use crate::fit::{AdamRule, Checkpoint, Remember};
use crate::spec::LatentOptimizer;
use anyhow::Result;
use tch::{Tensor, no_grad};

/// Decay rates and guard of Adam (Kingma & Ba 2015), PyTorch's defaults.
pub(crate) const BETA_1: f64 = 0.9;
pub(crate) const BETA_2: f64 = 0.999;
pub(crate) const EPSILON: f64 = 1e-8;

/// The rows of one latent space, with what their optimizer remembers.
#[derive(Debug)]
pub struct LatentTable {
    rows: Tensor,
    moment_1: Tensor,
    moment_2: Tensor,
    /// Steps taken by each row (row-wise) or by the table (dense, one number).
    n_steps: Tensor,
    optimizer: LatentOptimizer,
    rule: AdamRule,
}

impl LatentTable {
    /// A table that starts from `rows` (n_cells × dim), with PyTorch's decay rates.
    pub fn new(rows: Tensor, optimizer: LatentOptimizer) -> LatentTable {
        LatentTable::with_rule(rows, optimizer, AdamRule::default())
    }

    /// A table that starts from `rows` (n_cells × dim); the rule's learning rate and penalty are not looked at.
    pub fn with_rule(rows: Tensor, optimizer: LatentOptimizer, rule: AdamRule) -> LatentTable {
        let n_counters = match optimizer {
            LatentOptimizer::RowwiseAdam => rows.size()[0],
            LatentOptimizer::DenseAdam => 1,
        };
        LatentTable {
            moment_1: rows.zeros_like(),
            moment_2: rows.zeros_like(),
            n_steps: Tensor::zeros([n_counters, 1], (rows.kind(), rows.device())),
            rows,
            optimizer,
            rule,
        }
    }

    /// A table of rows that are learned: nothing is kept to step them with.
    pub fn learned(rows: Tensor) -> LatentTable {
        let nothing = rows.new_zeros([0], (rows.kind(), rows.device()));
        LatentTable {
            moment_1: nothing.shallow_clone(),
            moment_2: nothing.shallow_clone(),
            n_steps: nothing,
            rows,
            optimizer: LatentOptimizer::RowwiseAdam,
            rule: AdamRule::default(),
        }
    }

    /// All rows: n_cells × dim.
    pub fn rows(&self) -> &Tensor {
        &self.rows
    }

    /// The rows of some cells as a leaf of a new graph: their gradient is that of this step alone.
    pub fn leaf(&self, cells: &Tensor) -> Tensor {
        self.rows.index_select(0, cells).set_requires_grad(true)
    }

    /// Moves the rows of `cells` by one step of Adam along `gradient` (n × dim).
    pub fn step(&mut self, cells: &Tensor, gradient: &Tensor, learning_rate: f64) {
        no_grad(|| match self.optimizer {
            LatentOptimizer::RowwiseAdam => self.step_rows(cells, gradient, learning_rate),
            LatentOptimizer::DenseAdam => self.step_table(cells, gradient, learning_rate),
        });
    }

    /// Moves all rows by one step along their gradients (n_cells × dim); for tables of the dense optimizer.
    pub fn step_all(&mut self, gradient: &Tensor, learning_rate: f64) {
        let AdamRule { beta_1, beta_2, weight_decay, .. } = self.rule;
        no_grad(|| {
            let gradient = gradient + weight_decay * &self.rows;
            self.n_steps += 1.0;
            let _ = self.moment_1.lerp_(&gradient, 1.0 - beta_1);
            self.moment_2 *= beta_2;
            self.moment_2 += gradient.square() * (1.0 - beta_2);
            self.move_table(learning_rate);
        });
    }

    /// Adam on the touched rows only; each row counts its own steps.
    fn step_rows(&mut self, cells: &Tensor, gradient: &Tensor, learning_rate: f64) {
        let AdamRule { beta_1, beta_2, weight_decay, .. } = self.rule;
        let before = self.rows.index_select(0, cells);
        let gradient = gradient + weight_decay * &before;
        let n_steps = self.n_steps.index_select(0, cells) + 1.0;
        let moment_1 = self.moment_1.index_select(0, cells) * beta_1 + &gradient * (1.0 - beta_1);
        let moment_2 = self.moment_2.index_select(0, cells) * beta_2 + gradient.square() * (1.0 - beta_2);
        let unbiased_1: Tensor = &moment_1 / (1.0 - power(beta_1, &n_steps));
        let unbiased_2: Tensor = &moment_2 / (1.0 - power(beta_2, &n_steps));
        let rows = before - learning_rate * unbiased_1 / (unbiased_2.sqrt() + EPSILON);
        let _ = self.rows.index_copy_(0, cells, &rows);
        let _ = self.moment_1.index_copy_(0, cells, &moment_1);
        let _ = self.moment_2.index_copy_(0, cells, &moment_2);
        let _ = self.n_steps.index_copy_(0, cells, &n_steps);
    }

    /// Adam on the whole table, as the published code: untouched rows have a zero gradient and drift with their momentum.
    fn step_table(&mut self, cells: &Tensor, gradient: &Tensor, learning_rate: f64) {
        let AdamRule { beta_1, beta_2, .. } = self.rule;
        self.n_steps += 1.0;
        self.moment_1 *= beta_1;
        self.moment_2 *= beta_2;
        let _ = self.moment_1.index_add_(0, cells, &(gradient * (1.0 - beta_1)));
        let _ = self.moment_2.index_add_(0, cells, &(gradient.square() * (1.0 - beta_2)));
        self.move_table(learning_rate);
    }

    fn move_table(&mut self, learning_rate: f64) {
        let AdamRule { beta_1, beta_2, .. } = self.rule;
        let unbiased_1: Tensor = &self.moment_1 / (1.0 - power(beta_1, &self.n_steps));
        let unbiased_2: Tensor = &self.moment_2 / (1.0 - power(beta_2, &self.n_steps));
        self.rows -= learning_rate * unbiased_1 / (unbiased_2.sqrt() + EPSILON);
    }

    /// Replaces the rows of some cells.
    pub fn replace(&mut self, cells: &Tensor, rows: &Tensor) {
        no_grad(|| {
            let _ = self.rows.index_copy_(0, cells, rows);
        });
    }
}

impl LatentTable {
    fn parts(&self) -> [(&str, &Tensor); 4] {
        [("rows", &self.rows), ("moment_1", &self.moment_1), ("moment_2", &self.moment_2), ("n_steps", &self.n_steps)]
    }
}

impl Remember for LatentTable {
    fn remember(&self, name: &str, checkpoint: &mut Checkpoint) -> Result<()> {
        self.parts().into_iter().for_each(|(part, tensor)| checkpoint.put(format!("{name}.{part}"), tensor));
        Ok(())
    }

    fn recall(&mut self, name: &str, checkpoint: &Checkpoint) -> Result<()> {
        self.parts().into_iter().try_for_each(|(part, tensor)| checkpoint.copy_into(&format!("{name}.{part}"), tensor))
    }
}

impl<T: Remember> Remember for Vec<T> {
    fn remember(&self, name: &str, checkpoint: &mut Checkpoint) -> Result<()> {
        self.iter().enumerate().try_for_each(|(place, one)| one.remember(&format!("{name}.{place}"), checkpoint))
    }

    fn recall(&mut self, name: &str, checkpoint: &Checkpoint) -> Result<()> {
        self.iter_mut().enumerate().try_for_each(|(place, one)| one.recall(&format!("{name}.{place}"), checkpoint))
    }
}

fn power(rate: f64, n_steps: &Tensor) -> Tensor {
    (n_steps * rate.ln()).exp()
}

#[cfg(test)]
mod tests {
    use super::*;
    use tch::{Device, Kind};

    /// PyTorch's Adam on a full gradient: both optimizers must agree with it when every row is touched at every step.
    #[test]
    fn both_optimizers_are_adam_when_every_row_is_touched() {
        for optimizer in [LatentOptimizer::RowwiseAdam, LatentOptimizer::DenseAdam] {
            let start = Tensor::from_slice2(&[[1.0f64, -2.0], [0.5, 3.0]]);
            let mut table = LatentTable::new(start.copy(), optimizer);
            let (mut x, mut m, mut v) = ([1.0, -2.0, 0.5, 3.0], [0.0; 4], [0.0; 4]);
            let cells = Tensor::from_slice(&[1i64, 0]);
            for step in 1..=5 {
                let gradient = table.rows() * 2.0 + 1.0;
                table.step(&cells, &gradient.index_select(0, &cells), 0.1);
                for i in 0..4 {
                    let g = 2.0 * x[i] + 1.0;
                    m[i] = BETA_1 * m[i] + (1.0 - BETA_1) * g;
                    v[i] = BETA_2 * v[i] + (1.0 - BETA_2) * g * g;
                    let (m_hat, v_hat) = (m[i] / (1.0 - BETA_1.powi(step)), v[i] / (1.0 - BETA_2.powi(step)));
                    x[i] -= 0.1 * m_hat / (f64::sqrt(v_hat) + EPSILON);
                }
            }
            let rows = Vec::<f64>::try_from(table.rows().flatten(0, -1)).unwrap();
            for (ours, expected) in rows.iter().zip(x) {
                assert!((ours - expected).abs() < 1e-12, "{optimizer:?}: {ours} is not {expected}");
            }
        }
    }

    #[test]
    fn untouched_rows_rest_only_with_the_rowwise_optimizer() {
        for (optimizer, rests) in [(LatentOptimizer::RowwiseAdam, true), (LatentOptimizer::DenseAdam, false)] {
            let mut table = LatentTable::new(Tensor::ones([2, 3], (Kind::Double, Device::Cpu)), optimizer);
            let gradient = Tensor::ones([1, 3], (Kind::Double, Device::Cpu));
            table.step(&Tensor::from_slice(&[0i64]), &gradient, 0.1);
            let after_first = table.rows().get(0).copy();
            table.step(&Tensor::from_slice(&[1i64]), &gradient, 0.1);
            assert_eq!(table.rows().get(0) == after_first, rests);
        }
    }
}
