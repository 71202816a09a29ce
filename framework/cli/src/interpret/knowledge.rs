//! What each space tells of the others, of labels and covariates, and of how deeply cells were measured: what leaks where.

mod asked;
mod controls;

use super::findings::KnowledgeOf;
use super::spaces::SpaceOfCells;
use super::splits::HeldOut;
use crate::evaluate::{random_rows, select};
use analysis::{CellSplit, Labels};
use anyhow::{Context, Result};
use asked::{Scores, Target};
pub use controls::ControlRows;
use rand::SeedableRng;
use rand::seq::SliceRandom;
use rand_chacha::ChaCha8Rng;
use std::collections::HashMap;
use tch::Tensor;

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
    /// Which cells are learned from, and which judge; of several splits the mean is told, the network's answer is of the first.
    /// Its seed is also that of permutations and of networks.
    pub held_out: HeldOut<'a>,
    /// What stands beside the spaces.
    pub controls: &'a ControlRows,
}

/// Asks every space (and `made`, what is made of these) for the rows of every other and for numbers (ridge regression), and for labels (logistic regression, and
/// the paper's network); the same is asked of numbers at random, of principal components and of nothing at all, and of the
/// space with answers in another order.
///
/// # Errors
/// When rows are not finite.
pub fn knowledge(
    (spaces, made): (&[SpaceOfCells], &[SpaceOfCells]),
    asked: &Questions<'_>,
    progress: &mut dyn FnMut(&str),
) -> Result<Vec<KnowledgeOf>> {
    let mut all = Vec::new();
    let mut answers = Answers::default();
    let of_space = |space: &SpaceOfCells| spaces.iter().filter(|other| other.name != space.name).collect();
    // what is made of an encoder's spaces tells these
    let of_made = |made: &SpaceOfCells| spaces.iter().filter(|other| other.encoder != made.encoder).collect();
    let with_others = spaces.iter().map(|space| (space, of_space(space)));
    let with_others: Vec<(&SpaceOfCells, Vec<&SpaceOfCells>)> =
        with_others.chain(made.iter().map(|space| (space, of_made(space)))).collect();
    for (space, others) in with_others {
        progress(&format!("what {} knows", space.name));
        let beside = Beside::of(space, asked);
        for question in asked.of(space, &others)? {
            let lines = beside.answered(question, &mut answers);
            all.extend(lines.with_context(|| format!("what `{}` knows", space.name))?);
        }
    }
    Ok(all)
}

/// What is asked of some rows of a space.
struct Question<'q> {
    kind: &'static str,
    of: &'q str,
    /// Rows of the space that have an answer.
    from: Vec<usize>,
    target: Target,
    splits: Vec<CellSplit>,
}

impl Questions<'_> {
    /// The questions that a space has cells for.
    fn of<'q>(&'q self, space: &SpaceOfCells, others: &[&'q SpaceOfCells]) -> Result<Vec<Question<'q>>> {
        let mut all = Vec::new();
        for other in others {
            let rows: HashMap<usize, usize> = other.cells.iter().copied().zip(0..).collect();
            let of_cell = |cell: usize| rows.get(&cell).copied();
            let (from, to) = self.known(space, of_cell);
            all.extend(self.question(
                space,
                ("space", &other.name),
                from,
                Target::Numbers(select(&other.rows, &to)),
            )?);
        }
        for (column, labels) in &self.labels {
            let (from, present) = self.known(space, |cell| labels[cell].as_deref());
            if !present.is_empty() {
                let Labels { names, codes } = Labels::encode(&present)?;
                all.extend(self.question(space, ("label", column), from, Target::Classes(codes, names.len()))?);
            }
        }
        let numbers = self.numbers.iter().map(|column| ("number", column));
        for (kind, (name, values)) in self.depths.iter().map(|column| ("depth", column)).chain(numbers) {
            let (from, known) = self.known(space, |cell| values[cell]);
            let target = Target::Numbers(Tensor::from_slice(&known).view([-1, 1]));
            all.extend(self.question(space, (kind, name), from, target)?);
        }
        Ok(all)
    }

    /// Rows of a space whose cells have something (and a group, where groups are held out), and that.
    fn known<T>(&self, space: &SpaceOfCells, of: impl Fn(usize) -> Option<T>) -> (Vec<usize>, Vec<T>) {
        let cells = space.cells.iter().enumerate().filter(|(_, cell)| self.held_out.has(**cell));
        cells.filter_map(|(row, &cell)| Some((row, of(cell)?))).unzip()
    }

    /// A question with its splits; `None` where there are too few cells, or nothing to be told.
    fn question<'q>(
        &self,
        space: &SpaceOfCells,
        (kind, of): (&'static str, &'q str),
        from: Vec<usize>,
        target: Target,
    ) -> Result<Option<Question<'q>>> {
        let cells: Vec<usize> = from.iter().map(|&row| space.cells[row]).collect();
        let mut splits = self.held_out.splits(&cells)?;
        splits.retain(|split| target.is_question(split));
        Ok((!splits.is_empty()).then_some(Question { kind, of, from, target, splits }))
    }
}

/// What controls told already: those of spaces of the same size and modality are the same.
#[derive(Default)]
struct Answers(HashMap<(String, String, String), Vec<Scores>>);

/// A space with what stands beside it.
struct Beside<'a> {
    space: &'a SpaceOfCells,
    random: Tensor,
    principal: Option<Tensor>,
    seed: u64,
}

impl<'a> Beside<'a> {
    fn of(space: &'a SpaceOfCells, asked: &Questions<'_>) -> Beside<'a> {
        Beside {
            space,
            random: random_rows(space.cells.len(), space.dim(), asked.held_out.seed),
            principal: asked.controls.principal(space),
            seed: asked.held_out.seed,
        }
    }

    /// A line for each score.
    fn answered(&self, question: Question<'_>, answers: &mut Answers) -> Result<Vec<KnowledgeOf>> {
        let own = self.told(&self.space.rows, &question)?;
        let mut order: Vec<usize> = (0..question.from.len()).collect();
        order.shuffle(&mut ChaCha8Rng::seed_from_u64(self.seed));
        let (kind, of) = (question.kind, question.of);
        let mut of_control = |name: &str, rows: &Tensor| -> Result<Vec<Scores>> {
            let measured = format!("{:?} {:?}", self.space.encoder, self.space.modalities);
            let key = (format!("{name} {} of {measured}", self.space.dim()), kind.to_owned(), of.to_owned());
            if let Some(known) = answers.0.get(&key) {
                return Ok(known.clone());
            }
            let found = self.told(rows, &question)?;
            answers.0.insert(key, found.clone());
            Ok(found)
        };
        let random = of_control("random", &self.random)?;
        let principal = self.principal.as_ref().map(|rows| of_control("principal", rows)).transpose()?;
        let zeros: Vec<Scores> =
            question.splits.iter().map(|split| question.target.told_by_nothing(split)).collect::<Result<_>>()?;
        let mut question = Question { target: question.target.reordered(&order), ..question };
        let first = (question.splits[0].train.len(), question.splits[0].test.len());
        // numbers that hardly vary may not vary at all in another order
        question.splits.retain(|split| question.target.is_question(split));
        let permuted = self.told(&self.space.rows, &question)?;
        let names: Vec<&'static str> = own.first().into_iter().flatten().map(|(name, _)| *name).collect();
        let line = |score: &&'static str| -> Option<KnowledgeOf> {
            let value = Spread::of(&own, score)?;
            Some(KnowledgeOf {
                space: self.space.name.clone(),
                kind: kind.to_owned(),
                of: of.to_owned(),
                score: (*score).to_owned(),
                value: value.mean,
                permuted: Spread::of(&permuted, score)?.mean,
                random: Spread::of(&random, score).map(|found| found.mean),
                principal_components: principal.as_ref().and_then(|found| Some(Spread::of(found, score)?.mean)),
                zeros: Spread::of(&zeros, score).map(|found| found.mean),
                n_cells: first,
                n_splits: value.n,
                deviation: value.deviation,
            })
        };
        Ok(names.iter().filter_map(line).collect())
    }

    /// What rows tell in every split; the network, which is slow, in the first.
    fn told(&self, rows: &Tensor, question: &Question<'_>) -> Result<Vec<Scores>> {
        let rows = select(rows, &question.from);
        let network = |place: usize| (place == 0).then_some(self.seed);
        let splits = question.splits.iter().enumerate();
        let told = splits.map(|(place, split)| question.target.told_by(&rows, split, network(place)));
        told.filter(|scores| scores.as_ref().is_ok_and(|scores| !scores.is_empty()) || scores.is_err()).collect()
    }
}

/// A score over splits.
struct Spread {
    mean: f64,
    n: usize,
    /// Standard deviation over several splits.
    deviation: Option<f64>,
}

impl Spread {
    fn of(splits: &[Scores], score: &str) -> Option<Spread> {
        let values: Vec<f64> =
            splits.iter().flatten().filter(|(name, _)| *name == score).map(|(_, value)| *value).collect();
        let n = values.len();
        if n == 0 {
            return None;
        }
        let mean = values.iter().sum::<f64>() / n as f64;
        let squares: f64 = values.iter().map(|value| (value - mean).powi(2)).sum();
        Some(Spread { mean, n, deviation: (n > 1).then(|| (squares / (n - 1) as f64).sqrt()) })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::evaluate::random_rows;
    use framework::data::{Split, Subset};

    /// 100 cells, of which the first 60 are for training and the last 40 for the test, and a space of them.
    fn cells() -> (Split, SpaceOfCells) {
        let subset = |cell| if cell < 60 { Subset::Training } else { Subset::Test };
        let space = SpaceOfCells {
            name: "shared".into(),
            space: "shared".into(),
            encoder: None,
            modalities: vec![0],
            cells: (0..100).collect(),
            rows: random_rows(100, 2, 1),
        };
        (Split::new((0..100).map(subset).collect()), space)
    }

    fn told(questions: &Questions<'_>, space: SpaceOfCells) -> Vec<KnowledgeOf> {
        knowledge((&[space], &[]), questions, &mut |_| ()).unwrap()
    }

    #[test]
    fn a_space_tells_what_it_holds_and_random_numbers_do_not() {
        let (split, space) = cells();
        let first = Vec::<f64>::try_from(space.rows.select(1, 0).contiguous()).unwrap();
        let number = ("first".to_owned(), first.iter().map(|value| Some(3.0 * value - 1.0)).collect());
        let label = first.iter().map(|value| Some(if *value > 0.0 { "T" } else { "B" }.to_owned())).collect();
        let groups: Vec<Option<u32>> = (0..100).map(|cell| (cell > 0).then_some(cell / 20)).collect();
        let controls = ControlRows::none(1);
        let mut questions = Questions {
            labels: vec![("sign".to_owned(), label)],
            depths: Vec::new(),
            numbers: vec![number],
            held_out: HeldOut { split: &split, groups: None, seed: 7 },
            controls: &controls,
        };
        let found = told(&questions, space);
        let of = |score: &str| found.iter().find(|one| one.score == score).unwrap();
        let number = of("r_squared");
        assert!(number.value > 0.99 && number.random.unwrap() < 0.2 && number.permuted < 0.2, "{number:?}");
        assert_eq!((number.n_cells, number.n_splits, number.deviation), ((60, 40), 1, None));
        assert!(of("balanced_accuracy").value > 0.85 && of("balanced_accuracy").zeros == Some(0.5));
        assert!(number.principal_components.is_none());

        questions.held_out.groups = Some(&groups);
        let found = told(&questions, cells().1);
        let number = found.iter().find(|one| one.score == "r_squared").unwrap();
        assert_eq!((number.n_splits, number.n_cells.0 + number.n_cells.1), (5, 99));
        assert!(number.value > 0.99 && number.deviation.is_some_and(|deviation| deviation < 0.01), "{number:?}");
    }

    #[test]
    fn numbers_that_hardly_vary_do_not_end_everything() {
        let (split, space) = cells();
        // one test cell and one training cell differ; in another order both may be training cells
        let rare = |cell: usize| Some(f64::from(u8::from(cell == 3 || cell == 80)));
        let controls = ControlRows::none(1);
        for seed in 0..20 {
            let questions = Questions {
                labels: Vec::new(),
                depths: Vec::new(),
                numbers: vec![("rare".to_owned(), (0..100).map(rare).collect())],
                held_out: HeldOut { split: &split, groups: None, seed },
                controls: &controls,
            };
            let space = SpaceOfCells { rows: space.rows.shallow_clone(), ..cells().1 };
            assert!(knowledge((&[space], &[]), &questions, &mut |_| ()).is_ok());
        }
    }
}
