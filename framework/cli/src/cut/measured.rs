//! Features of nuclei, from their crops.

use anyhow::{Context, Result};
use images::features::{FeatureSettings, Neighbours, Nucleus, Stain, shape_features, stain_features};
use images::{Crops, MASK_CHANNEL};
use rayon::prelude::*;

/// What was measured of the cells that have a channel.
#[derive(Debug, Clone)]
pub struct Measured {
    /// Rows of the crops.
    pub rows: Vec<usize>,
    /// Names of the features.
    pub names: Vec<String>,
    /// rows × features, one cell after the other; 0 where a feature is not defined for a nucleus.
    pub values: Vec<f32>,
    /// How many values were not defined.
    pub n_undefined: usize,
}

/// Measures a channel of all cells that have it; `shapes` also measures their nuclei. Features without a single value are
/// left out; where there are no masks, all that is measured is the brightness of crops.
///
/// # Errors
/// When a crop is damaged.
pub fn measure(crops: &Crops, channel: usize, shapes: bool, settings: &FeatureSettings) -> Result<Measured> {
    let cells = &crops.contents().cells;
    let rows: Vec<usize> = (0..cells.n_cells()).filter(|&row| cells.has(row, channel)).collect();
    let mask = crops.contents().channels.iter().position(|name| name == MASK_CHANNEL);
    let of = |&row: &usize| -> Result<Vec<(String, f64)>> {
        let pixels = crops.gather(&[row], channel)?.to_f32();
        match mask.filter(|&mask| cells.has(row, mask)) {
            Some(mask) => of_nucleus(&crops.gather(&[row], mask)?.to_f32(), &pixels, shapes, (crops, settings)),
            None => Ok(brightness(&pixels)),
        }
        .with_context(|| format!("cell `{}`", cells.name(row)))
    };
    // all, so that of several errors the first is told
    let measured: Vec<Result<Vec<(String, f64)>>> = rows.par_iter().map(of).collect();
    let measured: Vec<Vec<(String, f64)>> = measured.into_iter().collect::<Result<_>>()?;
    let names: Vec<String> = measured.first().into_iter().flatten().map(|(name, _)| name.clone()).collect();
    let has_value = |place: &usize| measured.iter().any(|cell| cell[*place].1.is_finite());
    let kept: Vec<usize> = (0..names.len()).filter(has_value).collect();
    let values = measured.iter().flat_map(|cell| kept.iter().map(|&place| cell[place].1));
    let n_undefined = values.clone().filter(|value| !value.is_finite()).count();
    let values = values.map(|value| if value.is_finite() { value as f32 } else { 0.0 }).collect();
    Ok(Measured { names: kept.iter().map(|&place| names[place].clone()).collect(), rows, values, n_undefined })
}

fn of_nucleus(
    mask: &[f32],
    pixels: &[f32],
    shapes: bool,
    (crops, settings): (&Crops, &FeatureSettings),
) -> Result<Vec<(String, f64)>> {
    let side = crops.contents().side;
    let mask: Vec<bool> = mask.iter().map(|pixel| *pixel > 0.0).collect();
    let nucleus = Nucleus::new(side, side, &mask)?;
    let mut features = if shapes { shape_features(&nucleus) } else { Vec::new() };
    features.extend(stain_features(&Stain::new(&nucleus, pixels)?, &Neighbours::none(), settings));
    Ok(features)
}

fn brightness(pixels: &[f32]) -> Vec<(String, f64)> {
    let n = pixels.len() as f64;
    let mean = pixels.iter().map(|pixel| f64::from(*pixel)).sum::<f64>() / n;
    let variance = pixels.iter().map(|pixel| (f64::from(*pixel) - mean).powi(2)).sum::<f64>() / n;
    vec![("intensity_mean".to_owned(), mean), ("intensity_sd".to_owned(), variance.sqrt())]
}
