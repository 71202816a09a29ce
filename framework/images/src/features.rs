//! What can be measured of one nucleus: its shape, and the brightness, texture, chromatin, foci and surround of each stain.
//!
//! Input is a mask and intensity images of the same size, row by row; crops rather than whole fields, for work grows with
//! the pixels given. Names are those of the field (scikit-image's `regionprops_table`, and what earlier studies of
//! chromatin call them), and values equal scikit-image's and scipy's wherever these define them. A value that is not
//! defined (the ring of a nucleus that fills its crop) is NaN.
//!
//! | of the mask ([`shape_features`]) | |
//! |---|---|
//! | `area`, `bbox_area`, `convex_area`, `extent`, `solidity`, `equivalent_diameter_area` | [`Nucleus`], [`Hull`] |
//! | `perimeter`, `perimeter_crofton`, `euler_number`, `form_factor` | [`perimeter`](fn@perimeter), [`perimeter_crofton`], [`euler_number`], [`form_factor`] |
//! | `axis_major_length`, `axis_minor_length`, `aspect_ratio`, `eccentricity`, `orientation` | [`Ellipse`] |
//! | `feret_diameter_max` | [`Hull`] |
//! | `moments_central-p-q`, `moments_normalized-p-q` (p, q ≤ 3 and p + q ≥ 2), `moments_hu-0` … `-6` | [`Moments`] |
//!
//! | of a stain ([`stain_features`]) | |
//! |---|---|
//! | `intensity_mean`, `_sd`, `_min`, `_max`, `_q25`, `_q50`, `_q75`, `_integrated`, `_skewness`, `_kurtosis`, `_entropy` | [`Distribution`] |
//! | `mass_displacement`, `moments_weighted_central-p-q`, `moments_weighted_hu-0` … `-6` | [`Moments`] |
//! | `glcm_contrast_d`, `_dissimilarity_d`, `_homogeneity_d`, `_asm_d`, `_energy_d`, `_correlation_d`, for each distance d | [`Texture`] |
//! | `hc_area_nuc_area`, `hc_area_ec_area`, `hc_content_nuc_content`, `hc_content_ec_content` | [`Chromatin`] |
//! | `foci_count`, `foci_area_mean` | [`Foci`] |
//! | `ring_mean`, `nuclear_ring_ratio`, `intranuclear_share` | [`Surround`] |
//!
//! Names of stains are put before these by the caller: `dna_intensity_mean`. Nothing here reads files, finds nuclei or
//! groups features.

mod chromatin;
mod foci;
mod grey;
mod hull;
mod intensity;
mod moments;
mod nucleus;
mod outline;
mod settings;
mod shape;
mod smoothing;
mod stain;
mod surround;
#[cfg(test)]
mod testing;
mod texture;

pub use chromatin::Chromatin;
pub use foci::Foci;
pub use grey::{GreyLevels, GreyRange};
pub use hull::Hull;
pub use intensity::Distribution;
pub use moments::Moments;
pub use nucleus::Nucleus;
pub use outline::{euler_number, perimeter, perimeter_crofton};
pub use settings::FeatureSettings;
pub use shape::{Ellipse, form_factor, shape_features};
pub use stain::Stain;
pub use surround::{Neighbours, Surround};
pub use texture::{Glcm, Texture};

use anyhow::Result;

/// All features of a nucleus in one stain, always in this order: [`shape_features`], then [`stain_features`].
///
/// # Errors
/// When the intensities are not one finite number per pixel.
pub fn all_features(
    nucleus: &Nucleus<'_>,
    intensity: &[f32],
    neighbours: &Neighbours<'_>,
    settings: &FeatureSettings,
) -> Result<Vec<(String, f64)>> {
    let stain = Stain::new(nucleus, intensity)?;
    let mut features = shape_features(nucleus);
    features.extend(stain_features(&stain, neighbours, settings));
    Ok(features)
}

/// The features of one stain, always in the order of the table above; the same names for the same settings.
pub fn stain_features(
    stain: &Stain<'_>,
    neighbours: &Neighbours<'_>,
    settings: &FeatureSettings,
) -> Vec<(String, f64)> {
    let levels = GreyLevels::new(stain, settings.grey_range, settings.n_grey_levels);
    let mut features = Distribution::new(stain).features();
    features.push(("intensity_entropy".to_owned(), levels.entropy()));
    features.extend(moments::weighted_features(stain));
    for &distance in &settings.glcm_distances_pixels {
        features.extend(Texture::new(&levels, distance).features(distance));
    }
    features.extend(Chromatin::new(stain, settings.heterochromatin_sds).features());
    features.extend(Foci::new(stain, settings).features());
    features.extend(Surround::new(stain, neighbours, settings).features());
    features
}

/// A ratio, and NaN where it is not finite.
fn ratio(numerator: f64, denominator: f64) -> f64 {
    let ratio = numerator / denominator;
    if ratio.is_finite() { ratio } else { f64::NAN }
}

/// Values with names, such as `[("area", 12.0)]`.
fn named<const N: usize>(features: [(&str, f64); N]) -> Vec<(String, f64)> {
    features.into_iter().map(|(name, value)| (name.to_owned(), value)).collect()
}
