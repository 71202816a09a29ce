//! Motifs looked for in sequences, on both strands.

use anyhow::{Result, ensure};
use rayon::prelude::*;

use super::frequencies::FrequencyMatrix;
use super::lack::{LackDistribution, STEPS_PER_BIT, lacks};
use super::sequence::Sequence;
use super::words::{Oriented, WordIndex, each_word};

/// Levels that a scan is built for.
const LEVELS: std::ops::RangeInclusive<f64> = 1e-12..=0.01;
/// Pseudocounts: without one, letters that were never seen would lack infinitely much.
const PSEUDOCOUNTS: std::ops::RangeInclusive<f64> = 1e-6..=1e6;

/// How motifs are looked for.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct MotifSpec {
    /// Probability that a word of chance scores as high as a match must: 5·10⁻⁵ as motifmatchr does.
    pub p: f64,
    /// Count that is spread over the letters of each position by the background: 0.8 as TFBSTools and motifmatchr do.
    pub pseudocount: f64,
}

impl Default for MotifSpec {
    fn default() -> Self {
        Self { p: 5e-5, pseudocount: 0.8 }
    }
}

/// The best match of a motif in a sequence.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct MotifHit {
    /// Place of the motif among those looked for.
    pub motif: usize,
    /// Where the match starts, counted from 0 along the strand that was given.
    pub start: usize,
    /// Whether the other strand matches.
    pub is_reverse: bool,
    /// Sum of the log-odds of its letters, in bits.
    pub score: f64,
    /// Probability that a word of chance scores as high.
    pub p: f64,
}

/// Motifs that are ready to be looked for.
#[derive(Debug)]
pub struct MotifScanner {
    log_odds: Vec<Vec<[f64; 4]>>,
    chance: Vec<LackDistribution>,
    /// What a match may lack; `None` where even the best word is more likely than the level.
    limits: Vec<Option<u32>>,
    oriented: Vec<Oriented>,
    index: WordIndex,
}

/// A match that may yet be bettered: what it lacks, its start, its strand; the smallest is the best.
type Best = Option<(u32, usize, bool)>;

impl MotifScanner {
    /// Makes scores of the motifs and looks up which of them chance reaches at the level.
    ///
    /// # Errors
    /// When the level is not from 10⁻¹² to 0.01, the pseudocount is not from 10⁻⁶ to 10⁶, or a letter has no share in the
    /// background.
    pub fn new(motifs: &[FrequencyMatrix], background: [f64; 4], spec: MotifSpec) -> Result<MotifScanner> {
        let MotifSpec { p, pseudocount } = spec;
        ensure!(LEVELS.contains(&p), "the level of matches is {p}; expected from 1e-12 to 0.01, such as 5e-5");
        ensure!(PSEUDOCOUNTS.contains(&pseudocount), "the pseudocount is {pseudocount}; expected from 1e-6 to 1e6");
        let total: f64 = background.iter().sum();
        ensure!(
            background.iter().all(|share| *share > 0.0) && (total - 1.0).abs() < 1e-9,
            "the shares of A, C, G and T in the background are {background:?}; expected four above 0 that add up to 1"
        );
        let log_odds: Vec<_> = motifs.iter().map(|motif| motif.log_odds(background, pseudocount)).collect();
        let lacks: Vec<_> = log_odds.iter().map(|odds| lacks(odds)).collect();
        let chance: Vec<_> = lacks.par_iter().map(|lacks| LackDistribution::new(lacks, background, p)).collect();
        let limits: Vec<Option<u32>> = chance.iter().map(|chance| chance.limit(p)).collect();
        let both = |motif: usize| {
            let other: Vec<[u32; 4]> = lacks[motif].iter().rev().map(|&[a, c, g, t]| [t, g, c, a]).collect();
            let forward = Oriented::new(motif, false, &lacks[motif], background);
            [forward, Oriented::new(motif, true, &other, background)]
        };
        let reachable = (0..motifs.len()).filter(|&motif| limits[motif].is_some());
        let oriented: Vec<Oriented> = reachable.flat_map(both).collect();
        let known: Vec<u32> = limits.iter().map(|limit| limit.unwrap_or_default()).collect();
        let index = WordIndex::new(&oriented, &known);
        Ok(MotifScanner { log_odds, chance, limits, oriented, index })
    }

    /// The score that a match of a motif must reach, in bits; `None` for motifs so short that even their best word is more
    /// likely than the level.
    pub fn threshold(&self, motif: usize) -> Option<f64> {
        let best = |column: &[f64; 4]| column.iter().copied().fold(f64::NEG_INFINITY, f64::max);
        let limit = (*self.limits.get(motif)?)?;
        Some(self.log_odds[motif].iter().map(best).sum::<f64>() - f64::from(limit) / STEPS_PER_BIT)
    }

    /// The best match of each motif that has one, in the order of the motifs; of equal ones the first, the given strand first.
    pub fn best_hits(&self, sequence: &Sequence) -> Vec<MotifHit> {
        let mut best = vec![None; self.log_odds.len()];
        self.scan(sequence, &mut best);
        let hit = |(motif, best): (usize, Best)| {
            let (lack, start, is_reverse) = best?;
            let score = self.score(motif, sequence, (start, is_reverse));
            Some(MotifHit { motif, start, is_reverse, score, p: self.chance[motif].p_value(lack) })
        };
        best.into_iter().enumerate().filter_map(hit).collect()
    }

    /// The sequences that each motif has a match in, ascending; `None` has no match.
    pub fn occurrences(&self, sequences: &[Option<Sequence>]) -> Vec<Vec<usize>> {
        let n_motifs = self.log_odds.len();
        let matching = |best: &mut Vec<Best>, sequence: &Option<Sequence>| -> Vec<u32> {
            best.fill(None);
            if let Some(sequence) = sequence {
                self.scan(sequence, best);
            }
            (0..).zip(best.iter()).filter(|(_, best)| best.is_some()).map(|(motif, _)| motif).collect()
        };
        let of_sequence: Vec<Vec<u32>> = sequences.par_iter().map_init(|| vec![None; n_motifs], matching).collect();
        let mut sets = vec![Vec::new(); n_motifs];
        for (sequence, motifs) in of_sequence.iter().enumerate() {
            motifs.iter().for_each(|&motif| sets[motif as usize].push(sequence));
        }
        sets
    }

    /// Keeps the best match of each motif.
    fn scan(&self, sequence: &Sequence, best: &mut [Best]) {
        let codes = sequence.codes();
        each_word(codes, |(first, end), place, word| {
            for candidate in self.index.of(word) {
                let oriented = &self.oriented[candidate.oriented as usize];
                let Some(start) = place.checked_sub(oriented.offset).filter(|&start| start >= first) else { continue };
                let (known, limit) = (&mut best[oriented.motif], self.limits[oriented.motif].unwrap_or_default());
                let limit = known.map_or(limit, |(lack, ..)| lack);
                if start + oriented.width > end || candidate.lack > limit {
                    continue;
                }
                if let Some(lack) = oriented.lack_beside(&codes[start..], candidate.lack, limit) {
                    let found = (lack, start, oriented.is_reverse);
                    if known.is_none_or(|known| found < known) {
                        *known = Some(found);
                    }
                }
            }
        });
    }

    fn score(&self, motif: usize, sequence: &Sequence, (start, is_reverse): (usize, bool)) -> f64 {
        let odds = &self.log_odds[motif];
        let word = &sequence.codes()[start..start + odds.len()];
        let letter = |place: usize| match is_reverse {
            true => 3 - word[odds.len() - 1 - place],
            false => word[place],
        };
        odds.iter().enumerate().map(|(place, column)| column[usize::from(letter(place))]).sum()
    }
}

impl Oriented {
    /// What letters lack at all positions, if that is at most the limit; known letters only.
    fn lack_beside(&self, codes: &[u8], of_word: u32, limit: u32) -> Option<u32> {
        let mut lack = of_word;
        for (position, column) in &self.rest {
            lack += column[usize::from(codes[*position])];
            if lack > limit {
                return None;
            }
        }
        Some(lack)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Numbers that look random.
    struct Draw(u64);

    impl Draw {
        fn below(&mut self, n: u64) -> u64 {
            self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            (self.0 >> 33) % n
        }
    }

    fn motif(width: usize, draw: &mut Draw) -> FrequencyMatrix {
        let column = |draw: &mut Draw| {
            let mut counts = [0.0; 4];
            for _ in 0..20 {
                let letter = if draw.below(10) < 7 { draw.below(64) % 2 * 3 } else { draw.below(4) };
                counts[letter as usize] += 1.0;
            }
            counts.rotate_left(draw.below(4) as usize);
            counts
        };
        FrequencyMatrix::new("m", (0..width).map(|_| column(draw)).collect()).unwrap()
    }

    fn letters(n: u64, draw: &mut Draw) -> Vec<u8> {
        (0..n).map(|_| if draw.below(50) == 0 { b'N' } else { b"ACGT"[draw.below(4) as usize] }).collect()
    }

    /// Every place, both strands, one letter after the other.
    fn plain(motif: &FrequencyMatrix, limit: u32, codes: &[u8], background: [f64; 4]) -> Best {
        let lacks = lacks(&motif.log_odds(background, 0.8));
        let mut best: Best = None;
        for (start, word) in
            codes.windows(lacks.len()).enumerate().filter(|(_, word)| word.iter().all(|&code| code < 4))
        {
            for is_reverse in [false, true] {
                let letter =
                    |place: usize| usize::from(if is_reverse { 3 - word[word.len() - 1 - place] } else { word[place] });
                let lack = (0..word.len()).map(|place| lacks[place][letter(place)]).sum();
                if lack <= limit && best.is_none_or(|best| (lack, start, is_reverse) < best) {
                    best = Some((lack, start, is_reverse));
                }
            }
        }
        best
    }

    #[test]
    fn the_index_finds_what_looking_everywhere_finds() {
        let mut draw = Draw(7);
        let background = [0.3, 0.2, 0.2, 0.3];
        let motifs: Vec<FrequencyMatrix> = (4..24).map(|width| motif(width, &mut draw)).collect();
        let scanner = MotifScanner::new(&motifs, background, MotifSpec { p: 3e-3, pseudocount: 0.8 }).unwrap();
        let mut n_found = 0;
        for n in [0, 3, 5, 7, 8, 9, 25, 60, 150, 400, 900] {
            let sequence = Sequence::new(&letters(n, &mut draw));
            let found = scanner.best_hits(&sequence);
            for (place, motif) in motifs.iter().enumerate() {
                let limit = scanner.limits[place];
                let best = limit.and_then(|limit| plain(motif, limit, sequence.codes(), background));
                let found = found.iter().find(|hit| hit.motif == place);
                assert_eq!(
                    found.map(|hit| (hit.start, hit.is_reverse)),
                    best.map(|best| (best.1, best.2)),
                    "{n} {place}"
                );
                if let Some(hit) = found {
                    assert!(hit.p <= 3e-3 && hit.score >= scanner.threshold(place).unwrap() - 0.02);
                    n_found += 1;
                }
            }
        }
        assert!(n_found > 40, "{n_found}");
    }

    #[test]
    fn chance_matches_as_often_as_the_level_says() {
        let mut draw = Draw(11);
        let motifs: Vec<FrequencyMatrix> = (9..15).map(|width| motif(width, &mut draw)).collect();
        let spec = MotifSpec { p: 1e-3, ..MotifSpec::default() };
        let scanner = MotifScanner::new(&motifs, [0.25; 4], spec).unwrap();
        // one word a sequence: matches on either strand
        let n = 40_000;
        for (place, motif) in motifs.iter().enumerate() {
            let sequence = |_| {
                Some(Sequence::new(&(0..motif.width()).map(|_| b"ACGT"[draw.below(4) as usize]).collect::<Vec<_>>()))
            };
            let sequences: Vec<Option<Sequence>> = (0..n).map(sequence).collect();
            let share = scanner.occurrences(&sequences)[place].len() as f64 / n as f64;
            // 2 · 10⁻³ but for rounding and overlap of the strands; standard error 2.2 · 10⁻⁴
            assert!((1.1e-3..2.9e-3).contains(&share), "{share}");
        }
    }

    #[test]
    fn both_strands_are_looked_at_and_breaks_are_kept_out() {
        let counts: Vec<[f64; 4]> = [0, 0, 1, 2, 3, 1, 1, 0, 2]
            .map(|letter| [0, 1, 2, 3].map(|other| if other == letter { 50.0 } else { 0.0 }))
            .to_vec();
        let motif = [FrequencyMatrix::new("m", counts).unwrap()];
        let scanner = MotifScanner::new(&motif, [0.25; 4], MotifSpec::default()).unwrap();
        let found =
            |text: &[u8]| scanner.best_hits(&Sequence::new(text)).first().map(|hit| (hit.start, hit.is_reverse));
        assert_eq!(found(b"ttAACGTCCAG"), Some((2, false)));
        assert_eq!(found(b"cCTGGACGTTgg"), Some((1, true)));
        assert_eq!((found(b"AACGTNCCAG"), found(b"AACGTCCA")), (None, None));
        let sequences = [None, Some(Sequence::new(b"AACGTCCAG")), Some(Sequence::new(b"A"))];
        assert_eq!(scanner.occurrences(&sequences), [[1]]);
    }

    #[test]
    fn levels_and_backgrounds_that_make_no_sense_are_refused() {
        let told = |background, p, pseudocount| {
            MotifScanner::new(&[], background, MotifSpec { p, pseudocount }).unwrap_err().to_string()
        };
        assert!(told([0.25; 4], 0.5, 0.8).contains("the level of matches is 0.5"));
        assert!(told([0.25; 4], 1e-4, 0.0).contains("the pseudocount is 0"));
        assert!(told([0.5, 0.0, 0.0, 0.5], 1e-4, 0.8).contains("above 0 that add up to 1"));
        let short = [FrequencyMatrix::new("m", vec![[1.0, 0.0, 0.0, 0.0]; 4]).unwrap()];
        let scanner = MotifScanner::new(&short, [0.25; 4], MotifSpec::default()).unwrap();
        assert!(scanner.threshold(0).is_none() && scanner.best_hits(&Sequence::new(b"AAAAAA")).is_empty());
    }
}
