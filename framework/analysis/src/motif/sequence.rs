//! Sequences of DNA as codes of letters.

/// The code of a letter that is none of A, C, G, T: no motif goes across it.
pub(super) const BREAK: u8 = 4;

/// A stretch of DNA, one strand of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sequence {
    codes: Vec<u8>,
}

impl Sequence {
    /// Letters in capitals or not; whatever is none of A, C, G, T (U) breaks a match.
    pub fn new(letters: &[u8]) -> Sequence {
        let code = |letter: &u8| match letter {
            b'A' | b'a' => 0,
            b'C' | b'c' => 1,
            b'G' | b'g' => 2,
            b'T' | b't' | b'U' | b'u' => 3,
            _ => BREAK,
        };
        Sequence { codes: letters.iter().map(code).collect() }
    }

    /// Codes of the letters: A 0, C 1, G 2, T 3, else 4.
    pub(super) fn codes(&self) -> &[u8] {
        &self.codes
    }

    /// Number of letters.
    pub fn len(&self) -> usize {
        self.codes.len()
    }

    /// Whether there is no letter.
    pub fn is_empty(&self) -> bool {
        self.codes.is_empty()
    }

    /// How often A, C, G and T occur.
    fn counts(&self) -> [u64; 4] {
        let mut counts = [0; 4];
        for &code in &self.codes {
            if let Some(count) = counts.get_mut(usize::from(code)) {
                *count += 1;
            }
        }
        counts
    }

    /// Share of G and C among the known letters; NaN where none is known.
    pub fn gc_content(&self) -> f64 {
        let counts = self.counts();
        (counts[1] + counts[2]) as f64 / counts.iter().sum::<u64>() as f64
    }
}

/// Shares of A, C, G and T in some sequences and in their other strands, which makes A equal T, and C equal G; a quarter each
/// where no letter is known.
pub fn symmetric_background<'a>(sequences: impl IntoIterator<Item = &'a Sequence>) -> [f64; 4] {
    let (mut n_gc, mut n_all) = (0, 0);
    for counts in sequences.into_iter().map(Sequence::counts) {
        n_gc += counts[1] + counts[2];
        n_all += counts.iter().sum::<u64>();
    }
    let gc = if n_all == 0 { 0.5 } else { n_gc as f64 / n_all as f64 };
    [(1.0 - gc) / 2.0, gc / 2.0, gc / 2.0, (1.0 - gc) / 2.0]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn letters_are_counted_on_both_strands() {
        let sequence = Sequence::new(b"AcgTNNu");
        assert_eq!(sequence.codes(), [0, 1, 2, 3, 4, 4, 3]);
        assert_eq!((sequence.len(), sequence.gc_content()), (7, 0.4));
        assert!(Sequence::new(b"NN").gc_content().is_nan() && Sequence::new(b"").is_empty());
        // five letters and three, six of the eight G or C
        let background = symmetric_background([&Sequence::new(b"ACNGGA"), &Sequence::new(b"GGC")]);
        assert_eq!(background, [0.125, 0.375, 0.375, 0.125]);
        assert_eq!(symmetric_background([]), [0.25; 4]);
    }
}
