//! What a word lacks of the best one, and how often chance lacks so little.
//!
//! Scores are counted from the best word down, in thousandths of a bit: P(score ≥ t) = P(lack ≤ best − t). Chance's
//! distribution is then needed only as far as the level goes, a few thousand numbers, however far down scores reach.

/// Steps of a bit that scores are rounded to.
pub(super) const STEPS_PER_BIT: f64 = 1000.0;
/// Where the distribution is first cut off, in steps.
const FIRST_BOUND: usize = 4096;

/// What each letter at each position lacks of the best letter there, in steps.
pub(super) fn lacks(log_odds: &[[f64; 4]]) -> Vec<[u32; 4]> {
    let of_column = |column: &[f64; 4]| {
        let best = column.iter().copied().fold(f64::NEG_INFINITY, f64::max);
        column.map(|odds| ((best - odds) * STEPS_PER_BIT).round() as u32)
    };
    log_odds.iter().map(of_column).collect()
}

/// P(lack ≤ k) of a word of independent letters, for k from 0 on until it is above a level.
#[derive(Debug)]
pub(super) struct LackDistribution {
    cumulative: Vec<f64>,
}

impl LackDistribution {
    /// The exact distribution, by adding one position after the other (Staden 1989; Touzet & Varré 2007).
    pub(super) fn new(lacks: &[[u32; 4]], background: [f64; 4], level: f64) -> LackDistribution {
        let largest = |column: &[u32; 4]| column.iter().copied().max().unwrap_or_default() as usize;
        let all: usize = lacks.iter().map(largest).sum();
        let mut bound = FIRST_BOUND;
        loop {
            let mut cumulative = below(lacks, background, bound.min(all));
            let mut total = 0.0;
            for p in &mut cumulative {
                total += *p;
                *p = total;
            }
            if total > level || bound >= all {
                return LackDistribution { cumulative };
            }
            bound *= 2;
        }
    }

    /// The largest lack that chance has at most at the level; `None` where even the best word is more likely.
    pub(super) fn limit(&self, level: f64) -> Option<u32> {
        let n = self.cumulative.partition_point(|p| *p <= level);
        n.checked_sub(1).map(|limit| limit as u32)
    }

    /// P(lack ≤ k); 1 beyond what was computed.
    pub(super) fn p_value(&self, lack: u32) -> f64 {
        self.cumulative.get(lack as usize).map_or(1.0, |p| p.min(1.0))
    }
}

/// P(lack = k) for k up to a bound.
fn below(lacks: &[[u32; 4]], background: [f64; 4], bound: usize) -> Vec<f64> {
    let mut p = vec![0.0; bound + 1];
    p[0] = 1.0;
    for column in lacks {
        let mut next = vec![0.0; bound + 1];
        for (&lack, share) in column.iter().zip(background) {
            let lack = lack as usize;
            if lack <= bound {
                next[lack..].iter_mut().zip(&p).for_each(|(next, p)| *next += share * p);
            }
        }
        p = next;
    }
    p
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::motif::FrequencyMatrix;

    /// All words of a motif, with their probabilities.
    fn enumerated(lacks: &[[u32; 4]], background: [f64; 4]) -> Vec<(u32, f64)> {
        let mut words = vec![(0, 1.0)];
        for column in lacks {
            let longer = |&(lack, p): &(u32, f64)| [0, 1, 2, 3].map(|b| (lack + column[b], p * background[b]));
            words = words.iter().flat_map(longer).collect();
        }
        words
    }

    #[test]
    fn the_distribution_is_that_of_all_words() {
        let counts = vec![
            [8.0, 1.0, 0.0, 3.0],
            [0.0, 12.0, 0.0, 0.0],
            [1.0, 0.0, 11.0, 0.0],
            [0.0, 0.0, 0.0, 12.0],
            [5.0, 5.0, 1.0, 1.0],
            [0.0, 9.0, 3.0, 0.0],
            [11.0, 0.0, 0.0, 1.0],
        ];
        let motif = FrequencyMatrix::new("m", counts).unwrap();
        let background = [0.3, 0.2, 0.2, 0.3];
        let lacks = lacks(&motif.log_odds(background, 0.8));
        let words = enumerated(&lacks, background);
        for level in [1e-4, 2e-3, 0.3] {
            let found = LackDistribution::new(&lacks, background, level);
            let limit = found.limit(level).unwrap();
            let at_most = |lack: u32| words.iter().filter(|word| word.0 <= lack).map(|word| word.1).sum::<f64>();
            assert!(at_most(limit) <= level && at_most(limit + 1) > level, "{level}: {limit}");
            for lack in (0..=limit).step_by(97) {
                assert!((found.p_value(lack) - at_most(lack)).abs() < 1e-14);
            }
        }
    }

    #[test]
    fn short_motifs_reach_no_small_level() {
        let motif = FrequencyMatrix::new("m", vec![[1.0, 0.0, 0.0, 0.0]; 3]).unwrap();
        let lacks = lacks(&motif.log_odds([0.25; 4], 0.8));
        assert_eq!(LackDistribution::new(&lacks, [0.25; 4], 0.01).limit(0.01), None);
        assert_eq!(LackDistribution::new(&lacks, [0.25; 4], 0.02).limit(0.02), Some(lacks[0][1] - 1));
    }
}
