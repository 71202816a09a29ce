//! The images that convolutional networks take, and how many layers they need.

use anyhow::{Result, bail, ensure};
use framework::FeatureShape;

/// Side of the smallest maps, where convolutions end and linear layers begin, in pixels.
pub const SMALLEST_SIDE: i64 = 4;

/// Square images whose side is a power of two, at least 8 pixels.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Crop {
    /// Channels of a cell's image.
    pub n_channels: i64,
    /// Height and width in pixels.
    pub side: i64,
}

impl Crop {
    /// The crops that a shape stands for.
    ///
    /// # Errors
    /// When it is no image, or one of another form.
    pub fn of(shape: &FeatureShape) -> Result<Crop> {
        let (n_channels, height, width) = match *shape {
            FeatureShape::Image { channels, height, width } => (channels, height, width),
            FeatureShape::Vector(n) => bail!(
                "a convolutional network is for images, but the features of a cell are a row of {n}; use another \
                 network, such as `mlp`"
            ),
        };
        let is_power = u64::try_from(height).is_ok_and(u64::is_power_of_two);
        ensure!(
            n_channels >= 1 && height == width && height > SMALLEST_SIDE && is_power,
            "the images of a cell are {n_channels} × {height} × {width} (channels × height × width), but a convolutional \
             network needs square ones whose side is a power of two from 8 pixels on; cut crops of such a side, for \
             instance 128"
        );
        Ok(Crop { n_channels, side: height })
    }

    /// How often the side is halved to come to 4 pixels: side / 4 = 2^depth.
    pub fn depth(self) -> usize {
        (self.side / SMALLEST_SIDE).ilog2() as usize
    }

    /// Channels from the image to the smallest maps, depth + 1 numbers: the image's own, depth − 1 of `channels`, `n_last`.
    ///
    /// Of a list that is too long the first are taken; of one that is too short the last is repeated.
    pub fn widths(self, channels: &[i64], n_last: i64) -> Vec<i64> {
        let hidden = channels.iter().chain(channels.last().into_iter().cycle());
        let hidden = hidden.take(self.depth() - 1).copied();
        std::iter::once(self.n_channels).chain(hidden).chain([n_last]).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn image(channels: i64, height: i64, width: i64) -> FeatureShape {
        FeatureShape::Image { channels, height, width }
    }

    #[test]
    fn layers_follow_the_size_of_the_crop() {
        let widths = |side| Crop::of(&image(1, side, side)).unwrap().widths(&[64, 128, 256, 256], 96);
        assert_eq!(widths(8), [1, 96]);
        assert_eq!(widths(16), [1, 64, 96]);
        assert_eq!(widths(64), [1, 64, 128, 256, 96]);
        assert_eq!(widths(128), [1, 64, 128, 256, 256, 96]);
        assert_eq!(widths(512), [1, 64, 128, 256, 256, 256, 256, 96]);
        assert_eq!(Crop { n_channels: 3, side: 32 }.widths(&[7], 2), [3, 7, 7, 2]);
    }

    #[test]
    fn other_shapes_are_refused_with_what_to_do() {
        for shape in [image(1, 4, 4), image(1, 9, 9), image(2, 16, 8), image(0, 8, 8), image(1, 0, 0), image(1, -8, -8)]
        {
            let error = Crop::of(&shape).unwrap_err().to_string();
            assert!(error.contains("a power of two from 8 pixels on; cut crops"), "{error}");
        }
        let error = Crop::of(&FeatureShape::Vector(33)).unwrap_err().to_string();
        assert!(
            error.ends_with("the features of a cell are a row of 33; use another network, such as `mlp`"),
            "{error}"
        );
    }
}
