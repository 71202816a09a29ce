//! Position frequency matrices, and the log-odds made of them.

use anyhow::{Result, ensure};

/// How often each letter was seen at each position of a motif.
#[derive(Debug, Clone, PartialEq)]
pub struct FrequencyMatrix {
    name: String,
    counts: Vec<[f64; 4]>,
}

impl FrequencyMatrix {
    /// Counts (or shares) of A, C, G and T, position by position.
    ///
    /// # Errors
    /// When there is no position, a number is below 0 or not finite, or a position has no letter at all.
    pub fn new(name: impl Into<String>, counts: Vec<[f64; 4]>) -> Result<FrequencyMatrix> {
        let name = name.into();
        ensure!(!counts.is_empty(), "the motif `{name}` has no position");
        for (position, column) in counts.iter().enumerate() {
            let bad = column.iter().find(|count| !(count.is_finite() && **count >= 0.0));
            if let Some(bad) = bad {
                let place = position + 1;
                anyhow::bail!("position {place} of the motif `{name}` holds {bad}; counts are 0 or more");
            }
            ensure!(
                column.iter().sum::<f64>() > 0.0,
                "position {} of the motif `{name}` has no letter at all",
                position + 1
            );
        }
        Ok(FrequencyMatrix { name, counts })
    }

    /// The motif's name.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Positions of the motif.
    pub fn width(&self) -> usize {
        self.counts.len()
    }

    /// log₂ of each letter's share over its share in the background: log₂ ((n_b + c q_b) / (Σ n + c) / q_b) for a
    /// pseudocount c that is spread by the background q.
    ///
    /// # Shapes
    /// One array of A, C, G, T for each position.
    pub fn log_odds(&self, background: [f64; 4], pseudocount: f64) -> Vec<[f64; 4]> {
        let odds = |column: &[f64; 4]| {
            let total: f64 = column.iter().sum::<f64>() + pseudocount;
            [0, 1, 2, 3]
                .map(|letter| ((column[letter] + pseudocount * background[letter]) / total / background[letter]).log2())
        };
        self.counts.iter().map(odds).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn log_odds_are_those_of_the_formula() {
        let motif = FrequencyMatrix::new("m", vec![[9.0, 0.0, 1.0, 0.0], [0.25; 4]]).unwrap();
        let odds = motif.log_odds([0.3, 0.2, 0.2, 0.3], 0.5);
        assert!((odds[0][0] - (9.15f64 / 10.5 / 0.3).log2()).abs() < 1e-14);
        assert!((odds[0][1] - (0.1f64 / 10.5 / 0.2).log2()).abs() < 1e-14);
        assert!((odds[1][3] - (0.4f64 / 1.5 / 0.3).log2()).abs() < 1e-14);
        assert_eq!((motif.width(), motif.name()), (2, "m"));
    }

    #[test]
    fn matrices_that_are_none_are_refused() {
        let told = |counts: Vec<[f64; 4]>| FrequencyMatrix::new("m", counts).unwrap_err().to_string();
        assert!(told(vec![]).contains("no position"));
        assert!(told(vec![[1.0; 4], [0.0; 4]]).contains("position 2 of the motif `m` has no letter"));
        assert!(told(vec![[1.0, -1.0, 0.0, 0.0]]).contains("holds -1"));
        assert!(told(vec![[1.0, f64::NAN, 0.0, 0.0]]).contains("holds NaN"));
    }
}
