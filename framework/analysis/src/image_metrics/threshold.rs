//! Images without their most frequent brightness, as the published comparison of images takes it away.

/// The most frequent value, the smallest of several that are equally frequent; `None` of nothing. Values that differ in the
/// last bit are different.
pub fn mode(values: &[f32]) -> Option<f32> {
    // −0 and 0 are one value
    let mut sorted: Vec<f32> = values.iter().map(|value| value + 0.0).collect();
    sorted.sort_unstable_by(f32::total_cmp);
    let runs = sorted.chunk_by(|left, right| left == right);
    runs.fold(None, |best: Option<&[f32]>, run| match best {
        Some(best) if best.len() >= run.len() => Some(best),
        _ => Some(run),
    })
    .map(|run| run[0])
}

/// Takes the mode away, sets to 0 what is below it, and divides by the largest value that is left: max(x − mode, 0) /
/// max(x − mode). All 0 where nothing is above the mode.
///
/// # Source
/// Zhang et al. 2026, code of the comparison of predicted images, where `values` are those of a minibatch of predictions.
pub fn mode_threshold(values: &mut [f32]) {
    let Some(mode) = mode(values) else { return };
    values.iter_mut().for_each(|value| *value = (*value - mode).max(0.0));
    let largest = values.iter().copied().fold(0.0, f32::max);
    if largest > 0.0 {
        values.iter_mut().for_each(|value| *value /= largest);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_most_frequent_value_is_found() {
        assert_eq!(mode(&[]), None);
        assert_eq!(mode(&[0.5, 0.25, 0.5, 0.75]), Some(0.5));
        assert_eq!(mode(&[0.75, 0.25, 0.75, 0.25, 0.5]), Some(0.25));
        assert_eq!(mode(&[0.75, 0.0, 0.75, -0.0, 0.0]), Some(0.0));
    }

    #[test]
    fn what_is_below_the_mode_is_nothing_and_the_largest_is_one() {
        let mut values = [0.25, 0.25, 0.0, 0.5, 0.75];
        mode_threshold(&mut values);
        assert_eq!(values, [0.0, 0.0, 0.0, 0.5, 1.0]);
        let mut values = [0.5f32; 4];
        mode_threshold(&mut values);
        assert_eq!(values, [0.0; 4]);
    }
}
