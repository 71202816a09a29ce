//! Many tests at once.

/// False discovery rates at which each test would be called (Benjamini & Hochberg 1995): q₍ᵢ₎ = min over j ≥ i of m p₍ⱼ₎ / j
/// for the i-th smallest of m p-values, at most 1.
///
/// NaN stays NaN and counts as no test.
pub fn benjamini_hochberg(p_values: &[f64]) -> Vec<f64> {
    let order = ascending(p_values);
    let mut q_values = vec![f64::NAN; p_values.len()];
    let n_tests = order.len() as f64;
    let mut smallest = 1f64;
    for (rank, &place) in order.iter().enumerate().rev() {
        smallest = smallest.min(p_values[place] * n_tests / (rank + 1) as f64);
        q_values[place] = smallest;
    }
    q_values
}

/// P-values corrected so that any false call among all tests is as rare as the level says (Holm 1979):
/// p̃₍ᵢ₎ = max over j ≤ i of (m − j + 1) p₍ⱼ₎ for the i-th smallest of m p-values, at most 1.
///
/// NaN stays NaN and counts as no test.
pub fn holm(p_values: &[f64]) -> Vec<f64> {
    let mut corrected = vec![f64::NAN; p_values.len()];
    let order = ascending(p_values);
    let mut largest = 0f64;
    for (rank, &place) in order.iter().enumerate() {
        largest = largest.max(p_values[place] * (order.len() - rank) as f64).min(1.0);
        corrected[place] = largest;
    }
    corrected
}

/// Places of the p-values that are not NaN, smallest p-value first.
fn ascending(p_values: &[f64]) -> Vec<usize> {
    let mut order: Vec<usize> = (0..p_values.len()).filter(|&place| !p_values[place].is_nan()).collect();
    order.sort_by(|&left, &right| p_values[left].total_cmp(&p_values[right]));
    order
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rates_are_those_of_r() {
        // p.adjust(c(0.01, 0.04, 0.03, 0.005, 0.8), "BH")
        let found = benjamini_hochberg(&[0.01, 0.04, 0.03, 0.005, 0.8]);
        for (found, expected) in found.iter().zip([0.025, 0.05, 0.05, 0.025, 0.8]) {
            assert!((found - expected).abs() < 1e-15, "{found} instead of {expected}");
        }
    }

    #[test]
    fn corrected_values_are_those_of_r() {
        // p.adjust(c(0.01, 0.04, 0.03, 0.005, 0.8), "holm")
        let found = holm(&[0.01, 0.04, 0.03, 0.005, 0.8]);
        for (found, expected) in found.iter().zip([0.04, 0.09, 0.09, 0.025, 0.8]) {
            assert!((found - expected).abs() < 1e-15, "{found} instead of {expected}");
        }
    }

    #[test]
    fn the_example_of_the_paper_rejects_four() {
        // Benjamini & Hochberg 1995, section 4.1
        let p_values = [
            0.0001, 0.0004, 0.0019, 0.0095, 0.0201, 0.0278, 0.0298, 0.0344, 0.0459, 0.3240, 0.4262, 0.5719, 0.6528,
            0.7590, 1.0,
        ];
        let n_rejected = benjamini_hochberg(&p_values).iter().filter(|&&rate| rate <= 0.05).count();
        assert_eq!(n_rejected, 4);
    }

    #[test]
    fn what_is_missing_is_no_test() {
        let found = benjamini_hochberg(&[0.02, f64::NAN, 0.9]);
        assert!((found[0] - 0.04).abs() < 1e-15 && found[1].is_nan() && (found[2] - 0.9).abs() < 1e-15);
        assert!(benjamini_hochberg(&[]).is_empty());
        let found = holm(&[0.02, f64::NAN, 0.9]);
        assert!((found[0] - 0.04).abs() < 1e-15 && found[1].is_nan() && (found[2] - 0.9).abs() < 1e-15);
        assert!(holm(&[]).is_empty());
    }
}
