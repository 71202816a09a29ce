//! The published probe for labels: a small network with hidden layers, stopped early on cells of its own.

mod network;

use anyhow::{Result, ensure};
use rand::seq::SliceRandom;
use serde::Serialize;
use tch::{Device, Kind, Tensor};

use crate::random::{generator, subset};
use crate::tensor::{host, ids, numbers, shape};
use network::{Network, Training};

/// Sizes and training of an [`MlpProbe`]; published values are those of Zhang et al. 2026.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct MlpProbeSpec {
    /// Units of each hidden layer (published: 128).
    pub width: usize,
    /// Hidden layers (published: 3).
    pub n_hidden: usize,
    /// Share of each layer's inputs that is dropped in training (published: 0.1).
    pub dropout: f64,
    /// Learning rate of Adam (published: 10⁻⁵, which needs a thousand epochs and more).
    pub learning_rate: f64,
    /// Cells per step (published: 256).
    pub minibatch: usize,
    /// Most passes over the training cells (published: 1,100 or 1,500).
    pub max_epochs: usize,
    /// Epochs without a lower loss of the held-out cells after which training stops.
    pub patience: usize,
    /// Share of the *training* cells that is held out to stop by. (The authors' code stopped by the test cells.)
    pub held_out_share: f64,
    /// Seed of weights, order of cells, dropped inputs and held-out cells.
    pub seed: u64,
}

impl Default for MlpProbeSpec {
    fn default() -> Self {
        Self {
            width: 128,
            n_hidden: 3,
            dropout: 0.1,
            learning_rate: 1e-3,
            minibatch: 256,
            max_epochs: 300,
            patience: 20,
            held_out_share: 0.1,
            seed: 0,
        }
    }
}

/// A classifier of labels: hidden layers of dropout, linear map without bias, batch normalisation and leaky ReLU (slope
/// 0.01), and a last linear map without bias; cross-entropy, not weighted.
///
/// Kept are the weights of the epoch with the lowest loss of the held-out cells. Fitting depends on nothing but its input and
/// seed.
///
/// # Source
/// Zhang et al. 2026, Methods and code (cell-type classifier).
#[derive(Debug)]
pub struct MlpProbe {
    network: Network,
    /// Classes seen, ascending.
    classes: Vec<u32>,
    n_dimensions: usize,
    /// Passes over the training cells that were made.
    pub n_epochs: usize,
    /// The pass, counted from 1, whose weights are kept.
    pub best_epoch: usize,
    /// Mean cross-entropy of the held-out cells after each pass, in nats.
    pub held_out_losses: Vec<f64>,
}

/// Cells to learn from or to stop by.
struct Cells {
    inputs: Tensor,
    labels: Tensor,
}

impl Cells {
    fn some(&self, cells: &[usize]) -> Self {
        let cells = ids(cells);
        Self { inputs: self.inputs.index_select(0, &cells), labels: self.labels.index_select(0, &cells) }
    }

    fn len(&self) -> usize {
        self.labels.size()[0] as usize
    }
}

impl MlpProbe {
    /// Fits the probe.
    ///
    /// # Shapes
    /// space: n_cells × n_dimensions, the training cells only; labels: one per cell.
    ///
    /// # Errors
    /// When lengths disagree, fewer than two classes or too few cells occur, a number is not finite, or the spec makes no
    /// sense.
    pub fn fit(space: &Tensor, labels: &[u32], spec: MlpProbeSpec) -> Result<Self> {
        spec.check()?;
        let space = host(space, "the space to probe")?.to_kind(Kind::Float);
        let (n_cells, n_dimensions) = shape(&space, "the space to probe")?;
        ensure!(labels.len() == n_cells, "{} labels for {n_cells} cells; expected one per cell", labels.len());
        let mut classes = labels.to_vec();
        classes.sort_unstable();
        classes.dedup();
        ensure!(classes.len() > 1, "the training cells have {} class; a probe needs two or more", classes.len());
        let codes: Vec<i64> =
            labels.iter().map(|label| classes.partition_point(|class| class < label) as i64).collect();
        let all = Cells { inputs: space, labels: Tensor::from_slice(&codes) };
        let n_held_out = ((n_cells as f64 * spec.held_out_share).round() as usize).max(1);
        ensure!(
            n_cells >= n_held_out + 2,
            "{n_cells} training cells are too few: {n_held_out} are held out to stop by, and two or more must be left"
        );
        let held_out = subset(n_cells, n_held_out, spec.seed);
        let left: Vec<usize> = (0..n_cells).filter(|cell| held_out.binary_search(cell).is_err()).collect();
        let mut widths = vec![spec.width; spec.n_hidden + 2];
        (widths[0], widths[spec.n_hidden + 1]) = (n_dimensions, classes.len());
        let fitted = spec.fit(&widths, &all.some(&left), &all.some(&held_out))?;
        Ok(Self {
            network: fitted.network,
            classes,
            n_dimensions,
            n_epochs: fitted.losses.len(),
            best_epoch: fitted.best_epoch,
            held_out_losses: fitted.losses,
        })
    }

    /// Probability of each class for each cell.
    ///
    /// # Shapes
    /// space: n × n_dimensions; result: n × (largest class fitted + 1), 64-bit; classes never seen get 0.
    ///
    /// # Errors
    /// When dimensions disagree with those fitted or a number is not finite.
    pub fn probabilities(&self, space: &Tensor) -> Result<Tensor> {
        let seen = self.logits(space)?.to_kind(Kind::Double).softmax(1, Kind::Double);
        let n_classes = self.classes.last().map_or(0, |&last| i64::from(last) + 1);
        let columns: Vec<i64> = self.classes.iter().map(|&class| i64::from(class)).collect();
        let all = Tensor::zeros([seen.size()[0], n_classes], (Kind::Double, Device::Cpu));
        Ok(all.f_index_copy(1, &Tensor::from_slice(&columns), &seen)?)
    }

    /// The most probable class of each cell, the lowest of equally probable ones.
    ///
    /// # Errors
    /// When dimensions disagree with those fitted or a number is not finite.
    pub fn predict(&self, space: &Tensor) -> Result<Vec<u32>> {
        let n_seen = self.classes.len();
        let all = numbers(&self.logits(space)?)?;
        let best = |row: &[f64]| (1..n_seen).fold(0, |best, at| if row[at] > row[best] { at } else { best });
        Ok(all.chunks_exact(n_seen).map(|row| self.classes[best(row)]).collect())
    }

    fn logits(&self, space: &Tensor) -> Result<Tensor> {
        let (_, n_dimensions) = shape(space, "the space to predict from")?;
        ensure!(
            n_dimensions == self.n_dimensions,
            "the space has {n_dimensions} dimensions; the probe was fitted on {}",
            self.n_dimensions
        );
        self.network.logits(&host(space, "the space to predict from")?.to_kind(Kind::Float))
    }
}

/// A network at its best epoch, and the held-out loss of every epoch.
struct Fitted {
    network: Network,
    best_epoch: usize,
    losses: Vec<f64>,
}

impl MlpProbeSpec {
    fn check(&self) -> Result<()> {
        let is_share = |share: f64| (0.0..1.0).contains(&share);
        ensure!(is_share(self.dropout), "the dropout is {}; expected from 0 to below 1", self.dropout);
        ensure!(
            is_share(self.held_out_share),
            "the share of cells to stop by is {}; expected from 0 to below 1",
            self.held_out_share
        );
        ensure!(
            self.learning_rate > 0.0 && self.learning_rate.is_finite(),
            "the learning rate is {}; expected a positive number such as 0.001",
            self.learning_rate
        );
        ensure!(self.width > 0, "hidden layers have no unit; expected a width such as 128");
        ensure!(self.minibatch > 1, "a minibatch of {} cells has no spread; expected 2 or more", self.minibatch);
        ensure!(
            self.max_epochs > 0 && self.patience > 0,
            "no epoch was asked for; expected `max_epochs` and `patience` above 0"
        );
        Ok(())
    }

    fn fit(&self, widths: &[usize], train: &Cells, held_out: &Cells) -> Result<Fitted> {
        let mut chance = generator(self.seed);
        let network = Network::new(widths, self.dropout, &mut chance);
        let mut training = Training::new(&network, self.learning_rate);
        let mut fitted = Fitted { network: network.kept(), best_epoch: 0, losses: Vec::new() };
        let (mut lowest, mut order) = (f64::INFINITY, (0..train.len()).collect::<Vec<_>>());
        for epoch in 1..=self.max_epochs {
            order.shuffle(&mut chance);
            // a single cell has no spread to normalise by
            for cells in order.chunks(self.minibatch).filter(|cells| cells.len() > 1) {
                let some = train.some(cells);
                training.step(&network, (&some.inputs, &some.labels), &mut chance)?;
            }
            let loss = network.loss(&held_out.inputs, &held_out.labels)?;
            ensure!(loss.is_finite(), "the loss is not finite at epoch {epoch}; lower the learning rate");
            fitted.losses.push(loss);
            if loss < lowest {
                lowest = loss;
                (fitted.network, fitted.best_epoch) = (network.kept(), epoch);
            }
            if epoch >= fitted.best_epoch + self.patience {
                break;
            }
        }
        Ok(fitted)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::random::normal;

    /// Four classes on two rings, which no line parts: the class is told by the product of signs and the radius.
    fn rings(n: usize, seed: u64) -> (Tensor, Vec<u32>) {
        let space = normal(n, 2, seed);
        let labels = numbers(&space).unwrap();
        let class = |place: &[f64]| {
            let far = place[0].hypot(place[1]) > 1.177;
            2 * u32::from(far) + u32::from(place[0] * place[1] > 0.0)
        };
        (space, labels.chunks(2).map(class).collect())
    }

    fn accuracy(probe: &MlpProbe, space: &Tensor, labels: &[u32]) -> f64 {
        let found = probe.predict(space).unwrap();
        found.iter().zip(labels).filter(|(found, label)| found == label).count() as f64 / labels.len() as f64
    }

    #[test]
    fn what_no_line_parts_is_learned_and_shuffled_labels_are_not() {
        let ((space, labels), (test_space, test_labels)) = (rings(1500, 1), rings(500, 2));
        let probe = MlpProbe::fit(&space, &labels, MlpProbeSpec::default()).unwrap();
        let found = accuracy(&probe, &test_space, &test_labels);
        assert!(found > 0.85, "{found} after {} epochs", probe.n_epochs);
        let p = probe.probabilities(&test_space).unwrap();
        assert_eq!(p.size(), [500, 4]);
        assert!((p.sum_dim_intlist([1i64].as_slice(), false, Kind::Double) - 1.0).abs().max().double_value(&[]) < 1e-9);
        let mut shuffled = labels.clone();
        shuffled.shuffle(&mut generator(5));
        let by_chance = MlpProbe::fit(&space, &shuffled, MlpProbeSpec::default()).unwrap();
        assert!(accuracy(&by_chance, &test_space, &test_labels) < 0.4);
        // nothing to learn: training stops by itself, and early
        assert!(by_chance.n_epochs < 100, "{}", by_chance.n_epochs);
        assert_eq!(by_chance.n_epochs, by_chance.best_epoch + 20);
        let lowest = by_chance.held_out_losses.iter().copied().fold(f64::INFINITY, f64::min);
        assert_eq!(by_chance.held_out_losses[by_chance.best_epoch - 1], lowest);
    }

    #[test]
    fn a_seed_decides_everything() {
        let (space, labels) = rings(200, 3);
        let labels: Vec<u32> = labels.iter().map(|label| 3 + 2 * label).collect();
        let spec = MlpProbeSpec { max_epochs: 5, ..MlpProbeSpec::default() };
        let fit = |seed| MlpProbe::fit(&space, &labels, MlpProbeSpec { seed, ..spec }).unwrap();
        let (first, again, other) = (fit(1), fit(1), fit(2));
        assert_eq!(first.held_out_losses, again.held_out_losses);
        assert_eq!(first.probabilities(&space).unwrap(), again.probabilities(&space).unwrap());
        assert_ne!(first.held_out_losses, other.held_out_losses);
        // classes 3, 5, 7 and 9 are the only ones
        let p = first.probabilities(&space).unwrap();
        assert_eq!((p.size()[1], p.narrow(1, 0, 3).abs().max().double_value(&[])), (10, 0.0));
        assert!(first.predict(&space).unwrap().iter().all(|class| [3, 5, 7, 9].contains(class)));
    }

    #[test]
    fn bad_input_is_explained() {
        let (space, labels) = rings(20, 1);
        let of = |labels: &[u32], spec| MlpProbe::fit(&space, labels, spec).unwrap_err().to_string();
        let spec = MlpProbeSpec::default();
        assert!(of(&[1; 20], spec).contains("two or more"));
        assert!(of(&labels[..19], spec).contains("one per cell"));
        assert!(of(&labels, MlpProbeSpec { dropout: 1.0, ..spec }).contains("dropout"));
        assert!(of(&labels, MlpProbeSpec { held_out_share: 0.95, ..spec }).contains("20 training cells are too few"));
        assert!(of(&labels, MlpProbeSpec { minibatch: 1, ..spec }).contains("minibatch of 1"));
        let probe = MlpProbe::fit(&space, &labels, spec).unwrap();
        assert!(probe.predict(&normal(3, 5, 1)).unwrap_err().to_string().contains("fitted on 2"));
    }
}
