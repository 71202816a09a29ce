//! The most memory that a run will hold, from sizes.

use super::bytes;
use anyhow::{Result, bail};
use framework::FeatureShape;
use framework::data::{Assay, Dataset, Loader};
use framework::model::{Dimensions, Model};
use framework::spec::{Experiment, ModelKind, Storage};

/// What the program and libtorch hold before any data.
const PROGRAM_BYTES: u64 = 250 << 20;
/// What passes over a matrix on disk hold at a time.
const PASS_BYTES: u64 = 200 << 20;
/// Bytes of a stored value and its column in a minibatch.
const SPARSE_BYTES: f64 = 12.0;
/// Numbers held of each number that a convolution makes: itself, normalised and activated.
const PER_MAP: u64 = 3;
/// The same in the network whose gradient is taken: slopes, too.
const PER_MAP_AT_HAND: u64 = 5;
/// Share of stored entries from which minibatches are dense.
const DENSE_FROM: f64 = 0.06;

/// A run that is about to learn.
#[derive(Clone, Copy)]
pub(crate) struct Sizes<'a> {
    /// The resolved spec.
    pub experiment: &'a Experiment,
    /// Its data.
    pub dataset: &'a Dataset,
    /// What the data say of each modality.
    pub dimensions: &'a [Dimensions],
    /// Its model.
    pub model: &'a Model,
}

impl Sizes<'_> {
    /// Bytes of the data, of weights (with gradient, two moments and the best copy), of latent rows (likewise), of the
    /// minibatches that wait, and of the activations of one.
    pub(crate) fn peak_memory(&self) -> u64 {
        let data: u64 = self.dataset.assays.iter().map(|assay| assay.modality.n_bytes()).sum();
        let learning = self.weights() + self.latents() + self.waiting() + self.activations() + self.maps();
        PROGRAM_BYTES + data + learning.max(self.opening())
    }

    /// What is held beside the data while they are prepared: on disk some rows; in memory another copy of a matrix that loses
    /// rows or columns, but not of its processed values.
    fn opening(&self) -> u64 {
        match self.experiment.data.storage {
            Storage::Disk => PASS_BYTES,
            Storage::Memory => self.dataset.assays.iter().map(|assay| assay.modality.n_bytes() / 3).max().unwrap_or(0),
        }
    }

    fn weights(&self) -> u64 {
        let (generative, inference) = self.model.n_parameters();
        (generative + inference) as u64 * 4 * 5
    }

    fn latents(&self) -> u64 {
        let n_cells = self.dataset.cells.len() as u64;
        self.model.spaces.iter().map(|space| space.dim as u64 * n_cells * 4 * 5).sum()
    }

    /// Minibatches that are read ahead, and the one that is learned from.
    fn waiting(&self) -> u64 {
        let of_cell = |(assay, of): (&Assay, &Dimensions)| {
            let n_features = assay.modality.shape().n_features() as f64;
            let density = of.all.n_nonzero / of.all.n_entries.max(1.0);
            // input and target
            2.0 * n_features * if density < DENSE_FROM { density * SPARSE_BYTES } else { 4.0 }
        };
        let of_cell: f64 = self.dataset.assays.iter().zip(self.dimensions).map(of_cell).sum();
        (of_cell * (self.minibatch() * (Loader::MOST_AHEAD + 2)) as f64) as u64
    }

    /// What decoders make of features: of one at a time where gradients are taken early, else of all.
    fn activations(&self) -> u64 {
        let widths = self.dataset.assays.iter().map(|assay| assay.modality.shape().n_features() as u64);
        let decoded: u64 = match self.experiment.model.kind {
            ModelKind::Apollo => widths.clone().max().unwrap_or(0),
            ModelKind::Dgd | ModelKind::Autoencoder => widths.clone().sum(),
        };
        self.minibatch() as u64 * 4 * (4 * decoded + 3 * widths.sum::<u64>())
    }

    /// What convolutions make of a minibatch of images: those of one decoder, beside those of all encoders in step 2; all decoders'
    /// where they are learned together with encoders or priors.
    fn maps(&self) -> u64 {
        let decoders: Vec<u64> = ["decoder", "shared_decoder"].iter().flat_map(|kind| self.maps_by(kind)).collect();
        let encoders: u64 = self.maps_by("encoder").iter().sum();
        let of_cell = match self.experiment.model.kind {
            ModelKind::Apollo => decoders.iter().max().unwrap_or(&0) * PER_MAP_AT_HAND + encoders * PER_MAP,
            ModelKind::Dgd | ModelKind::Autoencoder => {
                decoders.iter().sum::<u64>() * PER_MAP_AT_HAND + encoders * PER_MAP
            }
        };
        of_cell * self.minibatch() as u64 * 4
    }

    /// Numbers that the convolutions of each network of a kind make of a cell: the outermost of a decoder has the side of the image,
    /// that of an encoder half of it, and each further in half of that.
    fn maps_by(&self, kind: &str) -> Vec<u64> {
        let variables = self.model.variables();
        let of_assay = |(assay, of): (&Assay, &Dimensions)| {
            let FeatureShape::Image { height, .. } = of.shape else { return 0 };
            let name = format!("{kind}.{}.", assay.name);
            let kernels = variables.iter().filter(|(other, tensor)| other.starts_with(&name) && tensor.dim() == 4);
            let sizes: Vec<Vec<i64>> = kernels.map(|(_, kernel)| kernel.size()).collect();
            let of_layer = |(place, n_channels): (usize, i64), first: i64| n_channels * (first >> place).pow(2);
            let numbers: i64 = match kind {
                "encoder" => sizes.iter().map(|size| size[0]).enumerate().map(|at| of_layer(at, height / 2)).sum(),
                _ => sizes.iter().rev().map(|size| size[1]).enumerate().map(|at| of_layer(at, height)).sum(),
            };
            numbers as u64
        };
        self.dataset.assays.iter().zip(self.dimensions).map(of_assay).collect()
    }

    fn minibatch(&self) -> usize {
        let fit = &self.experiment.fit;
        match self.experiment.model.kind {
            ModelKind::Apollo => fit.latent.minibatch,
            ModelKind::Dgd => fit.dgd.minibatch,
            ModelKind::Autoencoder => fit.one_step.minibatch,
        }
    }

    /// Refuses a forecast above a limit.
    ///
    /// # Errors
    /// When it is; the message says what would help.
    pub(crate) fn ensure_within(&self, limit: Option<u64>) -> Result<()> {
        let forecast = self.peak_memory();
        let Some(limit) = limit.filter(|limit| forecast > *limit) else { return Ok(()) };
        let data: u64 = self.dataset.assays.iter().map(|assay| assay.modality.n_bytes()).sum();
        let on_disk = match self.experiment.data.storage {
            Storage::Memory if data > (forecast - limit) => {
                format!("; {} of it are the data, which `data.storage = \"disk\"` leaves on disk", bytes(data))
            }
            Storage::Memory | Storage::Disk => String::new(),
        };
        bail!(
            "about {} of memory are forecast, more than the {} of `--max-memory`; a smaller `minibatch`, fewer features or narrower \
             networks need less{on_disk}",
            bytes(forecast),
            bytes(limit)
        )
    }
}
