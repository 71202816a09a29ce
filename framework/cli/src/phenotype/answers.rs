//! What was told of each judged cell: the counts that are made of it, and its table.

use super::findings::GroupScore;
use super::question::{Told, Truth};
use std::collections::BTreeMap;

/// What was told of the judged cells of every split from one kind of image.
#[derive(Debug)]
pub struct Answers {
    /// The kind of image in words.
    pub input: String,
    /// What was told, split by split, in the order of the judged cells.
    pub told: Vec<Told>,
}

impl Answers {
    /// `confusion[true][told]` over all splits; none for numbers.
    pub fn confusion(&self, truth: &Truth, judged: &[&[usize]]) -> Vec<Vec<u64>> {
        let Truth::Classes { names, codes } = truth else { return Vec::new() };
        let mut confusion = vec![vec![0; names.len()]; names.len()];
        for (cells, told) in judged.iter().zip(&self.told) {
            let Told::Classes(told) = told else { continue };
            cells.iter().zip(told).for_each(|(&cell, &told)| confusion[codes[cell] as usize][told as usize] += 1);
        }
        confusion
    }

    /// Judged cells and right answers of each held-out group; `group` is that of a cell. None for numbers.
    pub fn by_group(
        &self,
        truth: &Truth,
        judged: &[&[usize]],
        group: impl Fn(usize) -> Option<String>,
    ) -> Vec<GroupScore> {
        let Truth::Classes { codes, .. } = truth else { return Vec::new() };
        let mut counts: BTreeMap<String, (u64, u64)> = BTreeMap::new();
        for (cells, told) in judged.iter().zip(&self.told) {
            let Told::Classes(told) = told else { continue };
            for (&cell, &told) in cells.iter().zip(told) {
                let Some(group) = group(cell) else { continue };
                let (n, n_right) = counts.entry(group).or_default();
                *n += 1;
                *n_right += u64::from(codes[cell] == told);
            }
        }
        counts.into_iter().map(|(group, (n, n_right))| GroupScore { group, n, n_right }).collect()
    }

    /// What was told of one judged cell, in words.
    pub fn words(&self, split: usize, place: usize, names: &[String]) -> String {
        match &self.told[split] {
            Told::Classes(told) => names[told[place] as usize].clone(),
            Told::Numbers(told) => format!("{:.6}", told[place]),
        }
    }
}

impl Truth {
    /// The truth of a cell, in words.
    pub fn words(&self, cell: usize) -> String {
        match self {
            Truth::Classes { names, codes } => names[codes[cell] as usize].clone(),
            Truth::Numbers(numbers) => numbers[cell].to_string(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn right_answers_are_counted_by_class_and_by_group() {
        let truth = Truth::Classes { names: vec!["a".into(), "b".into()], codes: vec![0, 0, 1, 1] };
        let told = vec![Told::Classes(vec![0, 0]), Told::Classes(vec![1, 1])];
        let answers = Answers { input: "real".into(), told };
        let judged: [&[usize]; 2] = [&[0, 2], &[1, 3]];
        assert_eq!(answers.confusion(&truth, &judged), [[1, 1], [1, 1]]);
        let groups = answers.by_group(&truth, &judged, |cell| (cell != 3).then(|| format!("g{}", cell % 2)));
        let of = |group: &str, n, n_right| GroupScore { group: group.into(), n, n_right };
        assert_eq!(groups, [of("g0", 2, 1), of("g1", 1, 0)]);
        assert_eq!((answers.words(1, 0, truth.names()), truth.words(2)), ("b".to_owned(), "b".to_owned()));
    }
}
