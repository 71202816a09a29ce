//! The network that tells a phenotype from images: how it learns, when it stops, what it tells.

use super::question::{Told, Truth, counts, mean};
use super::store::ImageStore;
use anyhow::{Result, ensure};
use framework::data::minibatches;
use framework::fit::{Adam, AdamRule};
use framework::model::trainable;
use framework::nn::{ResNet18, ResNetForm};
use framework::{Purpose, Seed};
use rand::seq::SliceRandom;
use serde::{Deserialize, Serialize};
use std::ops::ControlFlow;
use tch::nn::VarStore;
use tch::{Device, Kind, Reduction, Tensor, no_grad};

/// Images that are judged at a time.
const IMAGES_AT_A_TIME: usize = 256;
/// What `cross_entropy_loss` takes for a class that does not count, and how much it smooths labels.
const NO_CLASS: i64 = -100;
const NO_SMOOTHING: f64 = 0.0;

/// How the network learns (Zhang et al. 2026).
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct ClassifierSpec {
    /// Channels of the network's first stage (published: 64); its cost follows the square of it.
    pub width: usize,
    /// Learning rate of Adam (paper: 10⁻³; code: 10⁻⁴).
    pub learning_rate: f64,
    /// Cells of a step (published: 256).
    pub minibatch: usize,
    /// Most passes over the cells (published: 5,001).
    pub max_epochs: usize,
    /// Passes without a lower loss of the cells to stop by after which learning ends.
    pub patience: usize,
}

/// A network that has learned, at the epoch with the lowest loss of the cells to stop by.
#[derive(Debug)]
pub struct Classifier {
    network: ResNet18,
    store: VarStore,
    /// Mean and standard deviation of the numbers learned from; `None` for classes.
    scale: Option<(f64, f64)>,
    device: Device,
    /// Passes over the cells that were made.
    pub n_epochs: usize,
    /// The pass, counted from 1, whose weights are kept.
    pub best_epoch: usize,
}

/// What is learned from: images, what is to be told of each, and the rows to learn from and to stop by.
#[derive(Debug, Clone, Copy)]
pub struct Lesson<'a> {
    /// The images.
    pub images: &'a ImageStore,
    /// What is to be told, by row of the images.
    pub truth: &'a Truth,
    /// Rows that are learned from.
    pub learned: &'a [usize],
    /// Rows that tell when to stop.
    pub stopping: &'a [usize],
}

/// Told after every pass: its number from 1, and the loss of the cells to stop by; says whether to go on.
pub type AfterEpoch<'a> = dyn FnMut(usize, f64) -> Result<ControlFlow<()>> + 'a;

impl ClassifierSpec {
    /// Learns. Classes are weighted by one over their number of cells (weights add up to 1); numbers are brought to mean 0 and
    /// variance 1 first, and their squared error is the loss.
    ///
    /// # Errors
    /// When a loss is not finite, an image cannot be taken in, or `after` fails or breaks off.
    pub fn learn(
        &self,
        lesson: Lesson<'_>,
        (seed, device): (Seed, Device),
        after: &mut AfterEpoch<'_>,
    ) -> Result<Option<Classifier>> {
        seed.set_torch(Purpose::Parameters, 0, 0);
        let store = VarStore::new(device);
        let form = ResNetForm::of_width(self.width as i64, lesson.truth.n_outputs() as i64);
        let network = ResNet18::new(&store.root(), form)?;
        let goal = Goal::new(lesson, device);
        let scale = goal.scale;
        let mut classifier = Classifier { network, store, scale, device, n_epochs: 0, best_epoch: 0 };
        let rule = AdamRule::new(self.learning_rate, 0.0);
        let mut adam = Adam::new(trainable(&classifier.store), rule);
        let (mut lowest, mut best) = (f64::INFINITY, Vec::new());
        let mut order = lesson.learned.to_vec();
        for epoch in 1..=self.max_epochs {
            order.shuffle(&mut seed.generator(Purpose::Order, epoch as u64, 0));
            classifier.pass((lesson.images, &goal), (&order, self.minibatch), &mut adam)?;
            let loss = classifier.loss((lesson.images, &goal), lesson.stopping)?;
            ensure!(loss.is_finite(), "the loss is not finite at epoch {epoch}; set a smaller `--learning-rate`");
            classifier.n_epochs = epoch;
            if loss < lowest {
                (lowest, classifier.best_epoch) = (loss, epoch);
                best = classifier.state().iter().map(|tensor| tensor.detach().copy()).collect();
            }
            if after(epoch, loss)?.is_break() {
                return Ok(None);
            }
            if epoch >= classifier.best_epoch + self.patience {
                break;
            }
        }
        no_grad(|| {
            for (tensor, kept) in classifier.state().iter_mut().zip(&best) {
                tensor.copy_(kept);
            }
        });
        Ok(Some(classifier))
    }
}

/// What is to be told of each row, as tensors.
struct Goal {
    /// Class of each row: i64, [n]; or the scaled number: f32, [n].
    values: Tensor,
    /// Weight of each class.
    weights: Option<Tensor>,
    scale: Option<(f64, f64)>,
}

impl Goal {
    fn new(lesson: Lesson<'_>, device: Device) -> Goal {
        match lesson.truth {
            Truth::Classes { names, codes } => {
                let weight = |n: &usize| if *n == 0 { 0.0 } else { 1.0 / *n as f64 };
                let weights: Vec<f64> = counts(codes, lesson.learned, names.len()).iter().map(weight).collect();
                let sum: f64 = weights.iter().sum();
                let weights: Vec<f32> = weights.iter().map(|weight| (weight / sum) as f32).collect();
                let codes: Vec<i64> = codes.iter().map(|&code| i64::from(code)).collect();
                let weights = Some(Tensor::from_slice(&weights).to_device(device));
                Goal { values: Tensor::from_slice(&codes), weights, scale: None }
            }
            Truth::Numbers(numbers) => {
                let middle = mean(numbers, lesson.learned);
                let squares: Vec<f64> = numbers.iter().map(|number| (number - middle).powi(2)).collect();
                let sd = mean(&squares, lesson.learned).sqrt();
                let sd = if sd > 0.0 { sd } else { 1.0 };
                let scaled: Vec<f32> = numbers.iter().map(|number| ((number - middle) / sd) as f32).collect();
                Goal { values: Tensor::from_slice(&scaled), weights: None, scale: Some((middle, sd)) }
            }
        }
    }

    /// Sum of the losses of some rows, and of their weights.
    fn losses(&self, told: &Tensor, rows: &[usize]) -> Result<(Tensor, Tensor)> {
        let rows: Vec<i64> = rows.iter().map(|&row| row as i64).collect();
        let wanted = self.values.f_index_select(0, &Tensor::from_slice(&rows))?.f_to_device(told.device())?;
        Ok(match &self.weights {
            Some(weights) => {
                let sum = told.f_cross_entropy_loss(&wanted, Some(weights), Reduction::Sum, NO_CLASS, NO_SMOOTHING)?;
                (sum, weights.f_index_select(0, &wanted)?.f_sum(Kind::Float)?)
            }
            None => {
                let sum = told.f_select(1, 0)?.f_mse_loss(&wanted, Reduction::Sum)?;
                let n = Tensor::from(rows.len() as f32).f_to_device(told.device())?;
                (sum, n)
            }
        })
    }
}

impl Classifier {
    /// Parameters and running averages, sorted by name.
    fn state(&self) -> Vec<Tensor> {
        let mut named: Vec<_> = self.store.variables().into_iter().collect();
        named.sort_by(|(left, _), (right, _)| left.cmp(right));
        named.into_iter().map(|(_, tensor)| tensor).collect()
    }

    /// One pass over rows in their order.
    fn pass(
        &self,
        (images, goal): (&ImageStore, &Goal),
        (order, minibatch): (&[usize], usize),
        adam: &mut Adam,
    ) -> Result<()> {
        for range in minibatches(order.len(), minibatch) {
            let rows = &order[range];
            let told = self.network.forward(&images.gather(rows, self.device)?, true)?;
            let (sum, weight) = goal.losses(&told, rows)?;
            adam.descend(&sum.f_div(&weight)?, &[])?;
        }
        Ok(())
    }

    /// What the network tells of rows, a block at a time: n × n_outputs.
    fn tell(&self, images: &ImageStore, rows: &[usize]) -> Result<Tensor> {
        let block = |rows: &[usize]| self.network.forward(&images.gather(rows, self.device)?, false);
        let blocks = rows.chunks(IMAGES_AT_A_TIME).map(|rows| no_grad(|| block(rows)));
        Ok(Tensor::f_cat(&blocks.collect::<Result<Vec<_>>>()?, 0)?)
    }

    /// Weighted mean of the losses of rows.
    fn loss(&self, (images, goal): (&ImageStore, &Goal), rows: &[usize]) -> Result<f64> {
        let told = self.tell(images, rows)?;
        let (sum, weight) = goal.losses(&told, rows)?;
        // where no class of these rows was learned, there is nothing to judge by
        let weight = f64::try_from(weight)?;
        Ok(if weight > 0.0 { f64::try_from(sum)? / weight } else { 0.0 })
    }

    /// The most probable class of each row (the first of equals), or its number.
    ///
    /// # Errors
    /// When an image cannot be taken in.
    pub fn answer(&self, images: &ImageStore, rows: &[usize]) -> Result<Told> {
        let told = self.tell(images, rows)?.f_to_device(Device::Cpu)?;
        Ok(match self.scale {
            None => {
                let classes = Vec::<i64>::try_from(told.f_argmax(1, false)?)?;
                Told::Classes(classes.into_iter().map(|class| class as u32).collect())
            }
            Some((middle, sd)) => {
                let numbers = Vec::<f64>::try_from(told.f_select(1, 0)?.f_to_kind(Kind::Double)?)?;
                Told::Numbers(numbers.into_iter().map(|number| middle + sd * number).collect())
            }
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rand::Rng;

    const N: usize = 120;
    const SPEC: ClassifierSpec =
        ClassifierSpec { width: 8, learning_rate: 3e-3, minibatch: 16, max_epochs: 30, patience: 30 };

    /// Images with a bright row or a bright column, at a random place, and how bright it is.
    fn lines() -> (ImageStore, Vec<u32>, Vec<f64>) {
        let mut chance = Seed(5).generator(Purpose::Evaluation, 0, 0);
        let (mut pixels, mut classes, mut numbers) = (vec![0f32; N * 256], Vec::new(), Vec::new());
        for image in pixels.chunks_mut(256) {
            let (place, class, bright) =
                (chance.random_range(2..14), chance.random_range(0..2u32), chance.random_range(0.2..1.0));
            for at in 0..16 {
                image[if class == 0 { place * 16 + at } else { at * 16 + place }] = bright;
            }
            classes.push(class);
            numbers.push(100.0 + f64::from(bright));
        }
        (ImageStore::of(&Tensor::from_slice(&pixels).view([-1, 16, 16])).unwrap(), classes, numbers)
    }

    fn learned(images: &ImageStore, truth: &Truth, (seed, max_epochs): (u64, usize)) -> (Classifier, Vec<f64>) {
        let (learned, stopping): (Vec<usize>, Vec<usize>) = ((0..70).collect(), (70..90).collect());
        let lesson = Lesson { images, truth, learned: &learned, stopping: &stopping };
        let mut losses = Vec::new();
        let spec = ClassifierSpec { max_epochs, ..SPEC };
        let classifier = spec.learn(lesson, (Seed(seed), Device::Cpu), &mut |_, loss| {
            losses.push(loss);
            Ok(ControlFlow::Continue(()))
        });
        (classifier.unwrap().unwrap(), losses)
    }

    #[test]
    fn what_is_in_the_image_is_told_and_a_seed_decides_everything() {
        let (images, codes, numbers) = lines();
        let judged: Vec<usize> = (90..N).collect();
        let truth = Truth::Classes { names: vec!["row".into(), "column".into()], codes };
        let (classifier, losses) = learned(&images, &truth, (1, 30));
        let scores = truth.score(&judged, &classifier.answer(&images, &judged).unwrap(), &judged).unwrap();
        assert!(scores[0].unwrap() > 0.8, "{scores:?} {losses:?}");
        assert_eq!(losses.len(), classifier.n_epochs);
        let lowest = losses.iter().copied().fold(f64::INFINITY, f64::min);
        assert_eq!(losses[classifier.best_epoch - 1], lowest);
        // other tests draw from the same generator beside this one, so that a second try may be needed
        let is_same = |_| {
            let ((one, losses), (other, again)) = (learned(&images, &truth, (1, 2)), learned(&images, &truth, (1, 2)));
            losses == again && one.tell(&images, &judged).unwrap() == other.tell(&images, &judged).unwrap()
        };
        assert!((0..20).any(is_same));
        assert_ne!(losses[..2], learned(&images, &truth, (2, 2)).1);

        let truth = Truth::Numbers(numbers);
        let (classifier, _) = learned(&images, &truth, (1, 30));
        let scores = truth.score(&judged, &classifier.answer(&images, &judged).unwrap(), &judged).unwrap();
        assert!(scores[0].unwrap() > 0.6, "{scores:?}");
    }

    #[test]
    fn weights_are_one_over_counts_and_the_kept_epoch_is_the_best() {
        let truth = Truth::Classes { names: vec!["a".into(), "b".into(), "c".into()], codes: vec![0, 0, 0, 1, 2] };
        let images = ImageStore::of(&Tensor::zeros([5, 8, 8], (Kind::Float, Device::Cpu))).unwrap();
        let lesson = Lesson { images: &images, truth: &truth, learned: &[0, 1, 2, 3], stopping: &[4] };
        let goal = Goal::new(lesson, Device::Cpu);
        let weights = Vec::<f64>::try_from(goal.weights.as_ref().unwrap().to_kind(Kind::Double)).unwrap();
        assert!((weights[0] - 0.25).abs() < 1e-7 && (weights[1] - 0.75).abs() < 1e-7 && weights[2] == 0.0);
        // logits all equal: ln 3 whatever the weights
        let told = Tensor::zeros([4, 3], (Kind::Float, Device::Cpu));
        let (sum, weight) = goal.losses(&told, &[0, 1, 2, 3]).unwrap();
        assert!((sum.double_value(&[]) / weight.double_value(&[]) - 3f64.ln()).abs() < 1e-6);
        assert!((weight.double_value(&[]) - 1.5).abs() < 1e-6);
        let stopped = SPEC.learn(lesson, (Seed(1), Device::Cpu), &mut |_, _| Ok(ControlFlow::Break(())));
        assert!(stopped.unwrap().is_none());
    }
}
