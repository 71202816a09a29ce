//! Which motifs each word of eight letters may belong to: a scan looks them up and judges only these.
//!
//! Of each motif (and its other strand) the eight positions that tell most are looked at. A word that lacks too much there is
//! in no place where the motif is, whatever stands beside it (the lookahead of Pizzi, Rastas & Ukkonen 2011).

/// Letters of a word.
pub(super) const WORD: usize = 8;
const N_WORDS: usize = 1 << (2 * WORD);

/// A motif as it is looked for on one strand.
#[derive(Debug)]
pub(super) struct Oriented {
    /// The motif.
    pub(super) motif: usize,
    /// Whether this is its other strand.
    pub(super) is_reverse: bool,
    /// Positions of the motif.
    pub(super) width: usize,
    /// Position of the word in the motif.
    pub(super) offset: usize,
    /// The other positions with what letters lack there; those that lack most on average first.
    pub(super) rest: Vec<(usize, [u32; 4])>,
    /// The positions of the word.
    window: Vec<[u32; 4]>,
}

impl Oriented {
    /// Takes the window of the largest mean lack.
    pub(super) fn new(motif: usize, is_reverse: bool, lacks: &[[u32; 4]], background: [f64; 4]) -> Oriented {
        let mean = |column: &[u32; 4]| column.iter().zip(background).map(|(lack, q)| f64::from(*lack) * q).sum::<f64>();
        let means: Vec<f64> = lacks.iter().map(mean).collect();
        let length = lacks.len().min(WORD);
        let starts = 0..=lacks.len() - length;
        let sum = |start: usize| means[start..start + length].iter().sum::<f64>();
        let offset = starts.max_by(|&left, &right| sum(left).total_cmp(&sum(right))).unwrap_or_default();
        let window = offset..offset + length;
        let mut rest: Vec<(usize, [u32; 4])> =
            (0..lacks.len()).filter(|place| !window.contains(place)).map(|place| (place, lacks[place])).collect();
        rest.sort_by(|left, right| means[right.0].total_cmp(&means[left.0]));
        Oriented { motif, is_reverse, width: lacks.len(), offset, rest, window: lacks[window].to_vec() }
    }

    /// Calls `each` with every word that lacks at most the limit, and what it lacks.
    fn words(&self, limit: u32, each: &mut impl FnMut(usize, u32)) {
        self.longer((0, 0, 0), limit, each);
    }

    fn longer(&self, (n, word, lack): (usize, usize, u32), limit: u32, each: &mut impl FnMut(usize, u32)) {
        if n == WORD {
            return each(word, lack);
        }
        // behind a motif shorter than a word any letter will do
        let column = self.window.get(n).copied().unwrap_or_default();
        for (letter, more) in column.into_iter().enumerate() {
            if lack + more <= limit {
                self.longer((n + 1, word << 2 | letter, lack + more), limit, each);
            }
        }
    }
}

/// A motif that a word may belong to.
#[derive(Debug, Clone, Copy)]
pub(super) struct Candidate {
    /// Place among the oriented motifs.
    pub(super) oriented: u32,
    /// What the word lacks.
    pub(super) lack: u32,
}

/// Candidates of each word.
#[derive(Debug)]
pub(super) struct WordIndex {
    starts: Vec<usize>,
    candidates: Vec<Candidate>,
}

impl WordIndex {
    /// Lists every word of every motif, each with its own limit.
    pub(super) fn new(motifs: &[Oriented], limits: &[u32]) -> WordIndex {
        let mut starts = vec![0; N_WORDS + 1];
        for motif in motifs {
            motif.words(limits[motif.motif], &mut |word, _| starts[word + 1] += 1);
        }
        for word in 0..N_WORDS {
            starts[word + 1] += starts[word];
        }
        let (mut next, nothing) = (starts.clone(), Candidate { oriented: 0, lack: 0 });
        let mut candidates = vec![nothing; starts[N_WORDS]];
        for (oriented, motif) in motifs.iter().enumerate() {
            motif.words(limits[motif.motif], &mut |word, lack| {
                candidates[next[word]] = Candidate { oriented: oriented as u32, lack };
                next[word] += 1;
            });
        }
        WordIndex { starts, candidates }
    }

    /// The candidates of a word.
    pub(super) fn of(&self, word: usize) -> &[Candidate] {
        &self.candidates[self.starts[word]..self.starts[word + 1]]
    }
}

/// Calls `each` with the start of every stretch of known letters, its end, and within it each place with its word. The last
/// words of a stretch are filled up with A.
pub(super) fn each_word(codes: &[u8], mut each: impl FnMut((usize, usize), usize, usize)) {
    let mut start = 0;
    while start < codes.len() {
        if codes[start] > 3 {
            start += 1;
            continue;
        }
        let end = codes[start..].iter().position(|&code| code > 3).map_or(codes.len(), |length| start + length);
        let letter = |place: usize| if place < end { usize::from(codes[place]) } else { 0 };
        let mut word = (start..start + WORD - 1).fold(0, |word, place| word << 2 | letter(place));
        for place in start..end {
            word = (word << 2 | letter(place + WORD - 1)) & (N_WORDS - 1);
            each((start, end), place, word);
        }
        start = end;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_of_stretches_are_filled_up() {
        let mut found = Vec::new();
        each_word(&[4, 0, 1, 2, 4, 4, 3], |stretch, place, word| found.push((stretch, place, word)));
        let word = |letters: [usize; 8]| letters.iter().fold(0, |word, letter| word * 4 + letter);
        let expected = [
            ((1, 4), 1, word([0, 1, 2, 0, 0, 0, 0, 0])),
            ((1, 4), 2, word([1, 2, 0, 0, 0, 0, 0, 0])),
            ((1, 4), 3, word([2, 0, 0, 0, 0, 0, 0, 0])),
            ((6, 7), 6, word([3, 0, 0, 0, 0, 0, 0, 0])),
        ];
        assert_eq!(found, expected);
    }

    #[test]
    fn the_window_that_tells_most_is_taken() {
        let lacks: Vec<[u32; 4]> = (0..12).map(|place| [0, 1, 1, 1].map(|lack| lack * (place % 10))).collect();
        let oriented = Oriented::new(0, false, &lacks, [0.25; 4]);
        assert_eq!((oriented.offset, oriented.width), (2, 12));
        let rest: Vec<usize> = oriented.rest.iter().map(|(place, _)| *place).collect();
        assert_eq!(rest, [1, 11, 0, 10]);
        let mut n = 0;
        // the best word, and those with one letter wrong where that costs 2 or 3
        oriented.words(3, &mut |_, _| n += 1);
        assert_eq!(n, 1 + 3 + 3);
    }

    #[test]
    fn behind_short_motifs_any_letter_will_do() {
        let oriented = [Oriented::new(0, false, &[[0, 5, 5, 5]; 6], [0.25; 4])];
        let index = WordIndex::new(&oriented, &[4]);
        assert!((0..16).all(|word| index.of(word).len() == 1) && index.of(16).is_empty());
    }
}
