//! The course of a loss over epochs, made fit for a picture.

use super::numbers::is_drawable;

/// A curve is drawn with at most about so many points.
const POINTS: usize = 240;

/// Epochs and losses.
pub type Losses = [(u64, f64)];

/// The parts of a curve between losses that are no numbers.
pub fn unbroken(points: &Losses) -> Vec<Vec<(u64, f64)>> {
    let parts = points.split(|(_, loss)| !is_drawable(*loss));
    parts.filter(|part| !part.is_empty()).map(<[_]>::to_vec).collect()
}

/// A curve with fewer points that still shows every peak: of each stretch the lowest and the highest, and both ends.
pub fn thinned(points: &Losses) -> Vec<(u64, f64)> {
    if points.len() <= POINTS {
        return points.to_vec();
    }
    let stretch = points.len().div_ceil(POINTS / 2);
    let mut kept: Vec<(u64, f64)> = vec![points[0]];
    for part in points.chunks(stretch) {
        let lowest = part.iter().min_by(|a, b| a.1.total_cmp(&b.1));
        let highest = part.iter().max_by(|a, b| a.1.total_cmp(&b.1));
        kept.extend(lowest.into_iter().chain(highest));
    }
    kept.extend(points.last());
    kept.sort_by_key(|point| point.0);
    kept.dedup();
    kept
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn peaks_survive_thinning() {
        let mut points: Vec<(u64, f64)> = (0..5000).map(|epoch| (epoch, 1.0)).collect();
        points[3333].1 = 9.0;
        let kept = thinned(&points);
        assert!(kept.len() <= POINTS + 2 && kept.contains(&(3333, 9.0)));
        assert_eq!((kept.first(), kept.last()), (points.first(), points.last()));
        assert!(kept.is_sorted_by_key(|point| point.0));
    }

    #[test]
    fn gaps_break_curves() {
        let nan = f64::NAN;
        assert_eq!(unbroken(&[(0, nan), (1, 2.0), (2, nan), (3, 1.0), (4, 0.5)]).len(), 2);
    }
}
