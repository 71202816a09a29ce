//! What all pictures need: SVG, axes, numbers and text that fit, round ticks.

pub(crate) mod axis;
pub(crate) mod curve;
pub(crate) mod heat_map;
pub(crate) mod lettering;
pub(crate) mod mosaic;
pub(crate) mod numbers;
pub(crate) mod palette;
pub(crate) mod svg;

/// The smallest of 1, 2 and 5 times a power of ten that is not below.
pub(crate) fn round_step(least: f64) -> f64 {
    let power = 10f64.powf(least.log10().floor());
    [1.0, 2.0, 5.0, 10.0].into_iter().map(|times| times * power).find(|step| *step >= least).unwrap_or(power)
}

/// Text with the signs that mean something in HTML and SVG written as entities.
pub(crate) fn escaped(text: &str) -> String {
    let text = text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;");
    text.replace('"', "&quot;").replace('\'', "&#39;")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn steps_are_round() {
        let steps = [0.3, 0.5, 0.7, 1.0, 1.1, 23_000.0].map(round_step);
        for (step, expected) in steps.iter().zip([0.5, 0.5, 1.0, 1.0, 2.0, 50_000.0]) {
            assert!((step / expected - 1.0).abs() < 1e-12, "{step} instead of {expected}");
        }
    }
}
