//! What each space tells of the others, of labels and covariates, and of how deeply cells were measured: what leaks where.

use super::findings::KnowledgeOf;
use super::spaces::SpaceOfCells;
use crate::evaluate::select;
use analysis::{CellSplit, Labels, LogisticProbe, MlpProbe, MlpProbeSpec, classification, predictability};
use anyhow::{Context, Result};
use framework::data::{Split, Subset};
use rand::SeedableRng;
use rand::seq::SliceRandom;
use rand_chacha::ChaCha8Rng;
use std::collections::{BTreeSet, HashMap};
use tch::{Kind, Tensor};

/// C of the logistic regression, as in the evaluation.
const INVERSE_PENALTY: f64 = 1.0;
/// Fewer cells on either side are not judged.
const MIN_CELLS: usize = 20;
/// Held out where a run has no test cells.
const TEST_SHARE: f64 = 0.2;

/// A column of labels: its name and a label per cell of the data set.
pub type LabelColumn = (String, Vec<Option<String>>);
/// Numbers of cells: their name, and one per cell of the data set.
pub type NumberColumn = (String, Vec<Option<f64>>);

/// What is asked of the spaces.
#[derive(Debug)]
pub struct Questions<'a> {
    /// Labels and covariates.
    pub labels: Vec<LabelColumn>,
    /// Logarithms of the totals of each modality that counts.
    pub depths: Vec<NumberColumn>,
    /// Columns of obs that hold numbers, and features that were asked for.
    pub numbers: Vec<NumberColumn>,
    /// Which cells are learned from, and which judge.
    pub split: &'a Split,
    /// Seed of permutations and of networks.
    pub seed: u64,
}

/// Asks every space for the rows of every other (ridge regression), for labels (logistic regression, and the paper's network)
/// and for the logarithm of depth (ridge), each beside the same with rows or labels in another order.
///
/// # Errors
/// When rows are not finite.
pub fn knowledge(
    spaces: &[SpaceOfCells],
    asked: &Questions<'_>,
    progress: &mut dyn FnMut(&str),
) -> Result<Vec<KnowledgeOf>> {
    let mut all = Vec::new();
    for space in spaces {
        progress(&format!("what {} knows", space.name));
        let own = |found: Result<Vec<KnowledgeOf>>| found.with_context(|| format!("what `{}` knows", space.name));
        for other in spaces.iter().filter(|other| other.name != space.name) {
            let rows: HashMap<usize, usize> = other.cells.iter().copied().zip(0..).collect();
            let (from, to): (Vec<usize>, Vec<usize>) =
                (space.cells.iter().enumerate()).filter_map(|(place, cell)| Some((place, *rows.get(cell)?))).unzip();
            let target = select(&other.rows, &to);
            all.extend(own(asked.numbers(space, &from, &target, ("space", &other.name)))?);
        }
        for (column, labels) in &asked.labels {
            all.extend(asked.classes(space, labels, column).with_context(|| format!("what `{}` knows", space.name))?);
        }
        let numbers = asked.numbers.iter().map(|column| ("number", column));
        for (kind, (name, values)) in asked.depths.iter().map(|column| ("depth", column)).chain(numbers) {
            let known = |(place, cell): (usize, &usize)| values[*cell].map(|value| (place, value));
            let (from, known): (Vec<usize>, Vec<f64>) = space.cells.iter().enumerate().filter_map(known).unzip();
            let target = Tensor::from_slice(&known).view([-1, 1]);
            all.extend(own(asked.numbers(space, &from, &target, (kind, name)))?);
        }
    }
    Ok(all)
}

impl Questions<'_> {
    /// Training and judged rows among some cells; `None` where they are too few.
    fn split_of(&self, cells: &[usize]) -> Result<Option<CellSplit>> {
        let of = |wanted: Subset| -> Vec<usize> {
            (0..cells.len()).filter(|&row| self.split.subsets()[cells[row]] == wanted).collect()
        };
        let (train, test) = (of(Subset::Training), of(Subset::Test));
        let split = match (train.len() >= MIN_CELLS && test.len() >= MIN_CELLS, cells.len() >= 5 * MIN_CELLS) {
            (true, _) => Some(CellSplit { train, test }),
            (false, true) => Some(CellSplit::random(cells.len(), TEST_SHARE, self.seed)?),
            (false, false) => None,
        };
        Ok(split)
    }

    fn shuffled(&self, n: usize) -> Vec<usize> {
        let mut order: Vec<usize> = (0..n).collect();
        order.shuffle(&mut ChaCha8Rng::seed_from_u64(self.seed));
        order
    }

    /// Share of the variance of some numbers that rows of a space tell; `from` are its rows that go with them.
    fn numbers(
        &self,
        space: &SpaceOfCells,
        from: &[usize],
        target: &Tensor,
        (kind, of): (&str, &str),
    ) -> Result<Vec<KnowledgeOf>> {
        let cells: Vec<usize> = from.iter().map(|&row| space.cells[row]).collect();
        let Some(split) = self.split_of(&cells)? else { return Ok(Vec::new()) };
        let rows = select(&space.rows, from);
        let varies = |of: &Tensor, cells: &[usize]| {
            select(of, cells).var_dim([0i64].as_slice(), true, false).max().double_value(&[]) > 0.0
        };
        if !varies(target, &split.test) || !varies(&rows, &split.train) {
            return Ok(Vec::new());
        }
        let found = predictability(&rows, target, &split)?;
        let order = select(target, &self.shuffled(from.len()));
        let Ok(permuted) = predictability(&rows, &order, &split) else { return Ok(Vec::new()) };
        let line = |score: &str, value: f64, permuted: f64| KnowledgeOf {
            space: space.name.clone(),
            kind: kind.to_owned(),
            of: of.to_owned(),
            score: score.to_owned(),
            value,
            permuted,
            n_cells: (split.train.len(), split.test.len()),
        };
        let mut lines = vec![line("r_squared", found.r_squared, permuted.r_squared)];
        if let ([Some(value)], [permuted]) = (found.spearman.as_slice(), permuted.spearman.as_slice()) {
            lines.push(line("spearman", *value, permuted.unwrap_or_default()));
        }
        Ok(lines)
    }

    /// Balanced accuracy of labels, by logistic regression and by the paper's network.
    fn classes(&self, space: &SpaceOfCells, labels: &[Option<String>], column: &str) -> Result<Vec<KnowledgeOf>> {
        let known: Vec<usize> = (0..space.cells.len()).filter(|&row| labels[space.cells[row]].is_some()).collect();
        let cells: Vec<usize> = known.iter().map(|&row| space.cells[row]).collect();
        let Some(split) = self.split_of(&cells)? else { return Ok(Vec::new()) };
        let present: Vec<&str> = cells.iter().filter_map(|&cell| labels[cell].as_deref()).collect();
        let Labels { names, codes } = Labels::encode(&present)?;
        let rows = select(&space.rows, &known).to_kind(Kind::Float);
        let of = |cells: &[usize]| cells.iter().map(|&row| codes[row]).collect::<Vec<u32>>();
        let (train, truth) = (of(&split.train), of(&split.test));
        if train.iter().collect::<BTreeSet<_>>().len() < 2 || names.len() > split.train.len() / 2 {
            return Ok(Vec::new());
        }
        let (from, judged) = (select(&rows, &split.train), select(&rows, &split.test));
        let permuted: Vec<u32> = self.shuffled(train.len()).into_iter().map(|row| train[row]).collect();
        let accuracy = |predicted: &[u32]| Ok(classification(&truth, predicted, names.len())?.balanced_accuracy);
        let logistic = |labels: &[u32]| -> Result<f64> {
            accuracy(&LogisticProbe::fit(&from, labels, INVERSE_PENALTY)?.predict(&judged)?)
        };
        let network = |labels: &[u32]| -> Result<f64> {
            let spec = MlpProbeSpec { seed: self.seed, ..MlpProbeSpec::default() };
            accuracy(&MlpProbe::fit(&from, labels, spec)?.predict(&judged)?)
        };
        let line = |score: &str, value: f64, permuted: f64| KnowledgeOf {
            space: space.name.clone(),
            kind: "label".to_owned(),
            of: column.to_owned(),
            score: score.to_owned(),
            value,
            permuted,
            n_cells: (split.train.len(), split.test.len()),
        };
        Ok(vec![
            line("balanced_accuracy", logistic(&train)?, logistic(&permuted)?),
            line("balanced_accuracy_network", network(&train)?, network(&permuted)?),
        ])
    }
}
