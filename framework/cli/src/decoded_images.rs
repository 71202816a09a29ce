//! Images of cells as they are and as a model makes them: real, reconstructed, from the shared spaces only, and predicted from
//! each other modality.

use anyhow::{Context, Result};
use framework::FeatureShape;
use framework::data::Dataset;
use framework::infer::{Trained, infer_rows, predict, reconstruct, reconstruct_shared};
use tch::{Device, Kind, Tensor, no_grad};

/// How an image of a cell comes about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Way {
    /// As it was measured.
    Real,
    /// By the full decoder, from what the modality's own encoder finds.
    Reconstructed,
    /// By the decoder of the shared spaces, from what the modality's own encoder finds.
    SharedOnly,
    /// By the decoder of the shared spaces (else the full one), from what the encoder of another modality finds.
    From(usize),
}

impl Way {
    /// The way in words; other modalities by their name.
    pub fn words(self, trained: &Trained) -> String {
        match self {
            Way::Real => "real".to_owned(),
            Way::Reconstructed => "reconstructed".to_owned(),
            Way::SharedOnly => "shared only".to_owned(),
            Way::From(source) => format!("from {}", trained.model.branches[source].name),
        }
    }

    /// The modality that is read, of an image of `modality`.
    pub fn source(self, modality: usize) -> usize {
        match self {
            Way::From(source) => source,
            Way::Real | Way::Reconstructed | Way::SharedOnly => modality,
        }
    }
}

/// Rows and columns of pixels of a modality's images; `None` where it has none.
pub fn image_size(dataset: &Dataset, modality: usize) -> Option<(i64, i64)> {
    match dataset.assays[modality].modality.shape() {
        FeatureShape::Image { height, width, .. } => Some((height, width)),
        FeatureShape::Vector(_) => None,
    }
}

/// The ways in which a model has images of a modality; without encoders there are real ones only.
pub fn ways(trained: &Trained, modality: usize) -> Vec<Way> {
    let model = &trained.model;
    let mut ways = vec![Way::Real];
    if model.branches[modality].encoder.is_some() {
        ways.push(Way::Reconstructed);
        if model.branches[modality].shared_decoder.is_some() {
            ways.push(Way::SharedOnly);
        }
    }
    let tells = |source: &usize| model.branches[*source].encoder.is_some() && model.share_a_space(*source, modality);
    ways.extend((0..model.branches.len()).filter(|source| *source != modality).filter(tells).map(Way::From));
    ways
}

/// Images of those of `cells` that the way's source measured: n × height × width, 32-bit numbers on the host. Reconstructed
/// and predicted images are the expected values of the modality's loss, each cell of its own categories.
///
/// # Errors
/// When rows cannot be read, or a network refuses them.
pub fn decoded_images(
    (trained, dataset): (&Trained, &Dataset),
    (modality, way): (usize, Way),
    cells: &[usize],
) -> Result<Tensor> {
    let model = &trained.model;
    let (target, source) = (&model.branches[modality], way.source(modality));
    let part = dataset.part(source, cells, model.target_values()[source])?;
    let part = part.with_context(|| format!("`{}` measured none of the cells", model.branches[source].name))?;
    let part = part.to_device(trained.device);
    let values = no_grad(|| -> Result<Tensor> {
        let prediction = match way {
            Way::Real => return Ok(part.input.to_dense()),
            Way::Reconstructed => reconstruct(model, target, &infer_rows(model, source, &part)?)?,
            Way::SharedOnly => reconstruct_shared(model, target, &infer_rows(model, source, &part)?)?
                .with_context(|| format!("the model has no decoder of the shared spaces of `{}`", target.name))?,
            Way::From(_) => predict(model, target, &infer_rows(model, source, &part)?)?,
        };
        target.loss.expectation(&prediction, None)
    })?;
    Ok(values.f_to_device(Device::Cpu)?.f_to_kind(Kind::Float)?.f_select(1, 0)?)
}
