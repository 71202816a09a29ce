//! Layers shared by components, one per file.
//!
//! A layer registers its parameters under the path that it is given, so that it is saved, loaded and optimised with
//! them; initial values are drawn on the CPU, so that a seed gives the same network on every device. What layers are
//! put together to (encoders, decoders) is a component's business.

mod activation;
mod block;
mod by_feature;
mod dropout;
#[cfg(test)]
mod golden;
mod init;
mod inpainting;
mod input_layer;
mod linear;
mod norm;
mod precision;
mod resnet;
mod trunk;

pub use activation::leaky_relu;
pub use block::{Block, BlockForm, BlockOrder, InputBlock};
pub use by_feature::FirstLayers;
pub use dropout::with_dropout;
pub use init::uniform_fan_in;
pub use inpainting::{InpaintingForm, InpaintingNetwork};
pub use input_layer::InputLayer;
pub use linear::{Linear, beside};
pub use norm::{Norm, NormLayer};
pub use precision::{Precision, widened};
pub use resnet::{ResNet18, ResNetForm};
pub use trunk::Trunk;

/// Whether a check of seeded draws holds at least once in a hundred tries.
///
/// libtorch has one generator per process and tests run side by side, so another test's draws may come in between;
/// equal draws from different seeds do not happen by chance.
#[cfg(test)]
fn holds_undisturbed(check: impl Fn() -> bool) -> bool {
    (0..100).any(|_| check())
}
