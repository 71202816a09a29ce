//! What the convolutional encoder and decoder share: which images they take, and their layers.

mod crop;
mod layer;

pub use crop::{Crop, SMALLEST_SIDE};
pub use layer::{ConvLayer, Direction, LayerForm, channels_last};

use crate::range;
use framework::Problem;
use framework::component::require;

/// The most channels of a layer.
pub const MOST_CHANNELS: i64 = 1 << 16;

/// Refuses a number of channels that is not in [1, 2¹⁶].
pub fn check_width(problems: &mut Vec<Problem>, key: &str, n: i64) {
    let message = format!("is {n}, but must be from 1 to {MOST_CHANNELS}");
    require(problems, (1..=MOST_CHANNELS).contains(&n), key, message);
}

/// Refuses a list of channels that is empty or has a number that is not in [1, 2¹⁶], and a slope that is not in [0, 1].
pub fn check_layers(problems: &mut Vec<Problem>, channels: &[i64], slope: f64) {
    require(problems, !channels.is_empty(), "channels", "is empty, but must have at least one number");
    for (place, n) in channels.iter().enumerate() {
        check_width(problems, &format!("channels[{place}]"), *n);
    }
    range::slope(problems, slope);
}
