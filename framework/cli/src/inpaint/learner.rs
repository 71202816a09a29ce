//! How the network learns, when it stops, what it paints.

use super::images::{Grouping, Stains};
use super::partners::{Paired, ring, shown};
use crate::evaluate::{Method, PredictImages, TaughtCells};
use anyhow::{Result, ensure};
use framework::data::minibatches;
use framework::fit::{Adam, AdamRule};
use framework::model::trainable;
use framework::nn::{InpaintingForm, InpaintingNetwork};
use framework::{Purpose, Seed};
use rand::seq::SliceRandom;
use serde::{Deserialize, Serialize};
use std::ops::{ControlFlow, Range};
use tch::nn::VarStore;
use tch::{Device, Kind, Reduction, Tensor, no_grad};

/// Decay rates of Adam, as published.
const BETAS: (f64, f64) = (0.5, 0.999);
/// Cells that are painted at a time.
const CELLS_AT_A_TIME: usize = 128;
/// Draws of partners: an epoch is one from 1 on, 0 those of validation cells, this one those of judged cells.
const JUDGED: u64 = u64::MAX;

/// How the network learns (Zhang et al. 2026, code).
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct InpaintingSpec {
    /// Channels of the first layer that sees the target's chromatin (published: 16); its cost follows the square of it.
    pub width: usize,
    /// Learning rate of Adam (published: 10⁻⁴).
    pub learning_rate: f64,
    /// Cells of a step (published: 128).
    pub minibatch: usize,
    /// Most passes over the cells.
    pub max_epochs: usize,
    /// Passes without a lower loss of the validation cells after which learning ends (published: 100).
    pub patience: usize,
    /// Training cells at most, drawn once; all where not given.
    pub max_cells: Option<usize>,
}

/// A pass over the training cells.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct LearnedEpoch {
    /// Its number, from 1.
    pub epoch: usize,
    /// Mean squared error while learning.
    pub training_mse: f64,
    /// Mean squared error of the validation cells, shown training cells; `None` without any.
    pub validation_mse: Option<f64>,
}

/// What is learned from.
#[derive(Clone, Copy)]
pub struct Lesson<'a> {
    /// The images.
    pub stains: Stains<'a>,
    /// Which cells are of one protein.
    pub grouping: &'a Grouping,
    /// Training cells.
    pub train: &'a [usize],
    /// Validation cells.
    pub validation: &'a [usize],
}

/// A network that has learned, at the epoch with the lowest error of the validation cells (the last one without any).
pub struct Inpainter<'a> {
    stains: Stains<'a>,
    network: InpaintingNetwork,
    store: VarStore,
    seed: Seed,
    device: Device,
    /// Cells that it learned from.
    pub n_training: usize,
    /// Passes that were made.
    pub epochs: Vec<LearnedEpoch>,
    /// The pass whose weights are kept.
    pub best_epoch: usize,
}

impl InpaintingSpec {
    /// Learns; `after` is told of every pass and says whether to go on, and `None` is returned where it says no.
    ///
    /// # Errors
    /// When no protein has two training cells, a loss is not finite, or an image cannot be read.
    pub fn learn<'a>(
        &self,
        lesson: Lesson<'a>,
        (seed, device): (Seed, Device),
        after: &mut dyn FnMut(&LearnedEpoch) -> Result<ControlFlow<()>>,
    ) -> Result<Option<Inpainter<'a>>> {
        seed.set_torch(Purpose::Parameters, 0, 0);
        let store = VarStore::new(device);
        let network = InpaintingNetwork::new(&store.root(), InpaintingForm { width: self.width as i64 })?;
        let train = self.chosen(lesson.train, seed);
        let stains = lesson.stains;
        let mut made = Inpainter {
            stains,
            network,
            store,
            seed,
            device,
            n_training: train.len(),
            epochs: Vec::new(),
            best_epoch: 0,
        };
        let groups = lesson.grouping.groups(stains.dataset, &train);
        ensure!(
            groups.values().any(|cells| cells.len() >= 2),
            "no protein has two training cells with both stains, so none can be painted after the other"
        );
        let validation = validation_pairs(lesson, &train, seed);
        let rule = AdamRule { beta_1: BETAS.0, beta_2: BETAS.1, ..AdamRule::new(self.learning_rate, 0.0) };
        let mut adam = Adam::new(trainable(&made.store), rule);
        let (mut lowest, mut best) = (f64::INFINITY, Vec::new());
        for epoch in 1..=self.max_epochs {
            let mut generator = seed.generator(Purpose::Order, epoch as u64, 0);
            let mut pairs: Vec<Paired> = groups.values().flat_map(|cells| ring(cells, &mut generator)).collect();
            pairs.shuffle(&mut generator);
            let training_mse = made.pass(&pairs, self.minibatch, &mut adam)?;
            let validation_mse = if validation.is_empty() { None } else { Some(made.mse(&validation)?) };
            let judged_by = validation_mse.unwrap_or(training_mse);
            ensure!(
                training_mse.is_finite() && judged_by.is_finite(),
                "the loss is not finite at epoch {epoch}; set a smaller `--learning-rate`"
            );
            if validation.is_empty() || judged_by < lowest {
                (lowest, made.best_epoch) = (judged_by, epoch);
                best = made.state().iter().map(|tensor| tensor.detach().copy()).collect();
            }
            made.epochs.push(LearnedEpoch { epoch, training_mse, validation_mse });
            if after(&made.epochs[epoch - 1])?.is_break() {
                return Ok(None);
            }
            if epoch >= made.best_epoch + self.patience {
                break;
            }
        }
        no_grad(|| made.state().iter_mut().zip(&best).for_each(|(tensor, kept)| tensor.copy_(kept)));
        Ok(Some(made))
    }

    /// The training cells that are learned from, ascending.
    fn chosen(&self, cells: &[usize], seed: Seed) -> Vec<usize> {
        let Some(most) = self.max_cells.filter(|&most| most < cells.len()) else { return cells.to_vec() };
        let mut chosen = cells.to_vec();
        chosen.shuffle(&mut seed.generator(Purpose::Split, 0, 0));
        chosen.truncate(most);
        chosen.sort_unstable();
        chosen
    }
}

/// Validation cells, each with a training cell of its protein; the same in every epoch.
fn validation_pairs(lesson: Lesson<'_>, train: &[usize], seed: Seed) -> Vec<Paired> {
    let of = |cells: &[usize]| lesson.grouping.groups(lesson.stains.dataset, cells);
    let (training, mut generator) = (of(train), seed.generator(Purpose::Order, 0, 0));
    let mut pairs = Vec::new();
    for (codes, cells) in of(lesson.validation) {
        if let Some(train) = training.get(&codes) {
            pairs.extend(cells.iter().copied().zip(shown(train, &cells, &mut generator)));
        }
    }
    pairs
}

impl Inpainter<'_> {
    /// Parameters and running averages by name, sorted.
    pub fn named(&self) -> Vec<(String, Tensor)> {
        let mut named: Vec<_> = self.store.variables().into_iter().collect();
        named.sort_by(|(left, _), (right, _)| left.cmp(right));
        named
    }

    /// Number of parameters.
    pub fn n_parameters(&self) -> usize {
        trainable(&self.store).iter().map(Tensor::numel).sum()
    }

    fn state(&self) -> Vec<Tensor> {
        self.named().into_iter().map(|(_, tensor)| tensor).collect()
    }

    fn painted(&self, pairs: &[Paired], training: bool) -> Result<Tensor> {
        let (targets, sources): (Vec<usize>, Vec<usize>) = pairs.iter().copied().unzip();
        let source = self.stains.both(&sources, self.device)?;
        let chromatin = self.stains.of(self.stains.chromatin, &targets, self.device)?;
        self.network.forward(&source, &chromatin, training)
    }

    fn real(&self, pairs: &[Paired]) -> Result<Tensor> {
        let targets: Vec<usize> = pairs.iter().map(|(target, _)| *target).collect();
        self.stains.of(self.stains.protein, &targets, self.device)
    }

    /// One pass over pairs; the mean of the losses of its cells.
    fn pass(&self, pairs: &[Paired], minibatch: usize, adam: &mut Adam) -> Result<f64> {
        let mut sum = Tensor::zeros([1], (Kind::Double, self.device));
        for range in minibatches(pairs.len(), minibatch) {
            let pairs = &pairs[range];
            let loss = self.painted(pairs, true)?.f_mse_loss(&self.real(pairs)?, Reduction::Mean)?;
            adam.descend(&loss, &[])?;
            sum += loss.detach().to_kind(Kind::Double) * pairs.len() as f64;
        }
        Ok(sum.double_value(&[0]) / pairs.len() as f64)
    }

    /// Mean squared error of pairs.
    fn mse(&self, pairs: &[Paired]) -> Result<f64> {
        let mut sum = 0.0;
        for pairs in pairs.chunks(CELLS_AT_A_TIME) {
            let loss = no_grad(|| {
                Ok::<_, anyhow::Error>(self.painted(pairs, false)?.f_mse_loss(&self.real(pairs)?, Reduction::Mean)?)
            });
            sum += loss?.double_value(&[]) * pairs.len() as f64;
        }
        Ok(sum / pairs.len() as f64)
    }

    /// Each judged cell with the training cell of its protein that it is painted after.
    pub fn judged_pairs(&self, cells: TaughtCells<'_>) -> Vec<(usize, usize)> {
        let first = cells.judged.first().copied().unwrap_or_default() as u64;
        let mut generator = self.seed.generator(Purpose::Order, JUDGED, first);
        let sources = shown(cells.train, cells.judged, &mut generator);
        cells.judged.iter().copied().zip(sources).collect()
    }

    /// Paints cells after others: n × 1 × height × width on the host.
    ///
    /// # Errors
    /// When an image cannot be read.
    pub fn paint(&self, pairs: &[(usize, usize)]) -> Result<Tensor> {
        let blocks = pairs.chunks(CELLS_AT_A_TIME).map(|pairs| no_grad(|| self.painted(pairs, false)));
        Ok(Tensor::f_cat(&blocks.collect::<Result<Vec<_>>>()?, 0)?.f_to_device(Device::Cpu)?)
    }
}

impl PredictImages for Inpainter<'_> {
    fn method(&self) -> Method {
        Method { name: "inpainting".to_owned(), label: "paired-cell inpainting".to_owned(), is_control: true }
    }

    fn predict(&self, cells: TaughtCells<'_>, places: Range<usize>) -> Result<Vec<f32>> {
        let painted = self.paint(&self.judged_pairs(cells)[places])?;
        Ok(Vec::try_from(painted.f_to_kind(Kind::Float)?.f_contiguous()?.f_view(-1)?)?)
    }
}
