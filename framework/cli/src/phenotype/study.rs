//! The whole procedure: every kind of image of every modality, split by split.

use super::answers::Answers;
use super::classifier::{ClassifierSpec, Lesson};
use super::comparisons::comparisons;
use super::findings::{InputFindings, InputKind, ModalityFindings, SplitFacts, SplitScores};
use super::pace::Pace;
use super::question::{Question, Truth};
use super::splits::{Design, PhenotypeSplit};
use super::store::ImageStore;
use crate::decoded_images::{Way, image_size, ways};
use crate::failure::{Interrupted, Misuse, one_line};
use crate::report::bytes;
use anyhow::{Context, Result};
use framework::data::{Dataset, Subset};
use framework::infer::Trained;
use framework::{Purpose, Seed};
use rand::seq::SliceRandom;
use std::collections::BTreeSet;
use std::ops::ControlFlow;
use std::sync::atomic::{AtomicBool, Ordering};

/// Fewer cells are not asked.
const MIN_CELLS: usize = 20;
/// Tells the draws of this command from others of the same purpose.
const NETWORKS: u64 = (1 << 32) + 12;
const ORDERS: u64 = (1 << 32) + 13;

/// What is asked of which images, and how.
pub struct Study<'a> {
    /// The model.
    pub trained: &'a Trained,
    /// The measurements.
    pub dataset: &'a Dataset,
    /// What is asked.
    pub question: &'a Question,
    /// How cells are divided.
    pub design: Design<'a>,
    /// Names of the groups that are held out.
    pub groups: &'a [String],
    /// How networks learn.
    pub classifier: ClassifierSpec,
    /// Whether a network also learns permuted labels.
    pub has_permuted: bool,
    /// Cells of the data set that take part, where a label is known.
    pub cells: &'a [usize],
    /// Modalities whose images are asked.
    pub modalities: &'a [usize],
    /// Modalities that images are predicted from.
    pub sources: &'a [usize],
    /// Set from outside to stop.
    pub interrupted: &'a AtomicBool,
}

/// What was found, and what was told of each cell.
pub struct StudyOutcome {
    /// By modality.
    pub modalities: Vec<ModalityFindings>,
    /// By modality: its cells, the truth, the splits, and what was told from each kind of image.
    pub answers: Vec<(Plan, Vec<Answers>)>,
    /// What a reader must know.
    pub notes: Vec<String>,
}

/// What is done with one modality.
pub struct Plan {
    /// The modality.
    pub modality: usize,
    /// Cells of the data set with a label and all images.
    pub cells: Vec<usize>,
    /// What is to be told of each.
    pub truth: Truth,
    /// The kinds of images.
    pub ways: Vec<Way>,
    /// The divisions of the cells, as places among them.
    pub splits: Vec<PhenotypeSplit>,
}

/// Told what is being done.
pub type Notes<'a> = dyn FnMut(&str) -> Result<()> + 'a;

/// Asks the images of each modality. All plans are made before anything is learned. In a split every kind of image meets the same
/// cells in the same order by a network of the same initial weights.
///
/// # Errors
/// When cells are too few, classes are none, an image cannot be made, or the work was stopped.
pub fn study(study: &Study<'_>, notes: &mut Notes<'_>) -> Result<StudyOutcome> {
    let mut outcome = StudyOutcome { modalities: Vec::new(), answers: Vec::new(), notes: Vec::new() };
    let mut plans = Vec::new();
    for &modality in study.modalities {
        let plan = study.plan(modality, &mut outcome.notes);
        plans.push(plan.map_err(|error| match error.is::<Misuse>() {
            true => error,
            false => Misuse::new(one_line(&error)).into(),
        })?);
    }
    let n_networks = plans.iter().map(|plan| study.n_networks(plan)).sum();
    let mut work = Work { study, notes, pace: Pace::new(n_networks) };
    for plan in plans {
        let (findings, answers) = work.modality(&plan)?;
        outcome.modalities.push(findings);
        outcome.answers.push((plan, answers));
    }
    Ok(outcome)
}

impl Study<'_> {
    fn name(&self, modality: usize) -> &str {
        &self.dataset.assays[modality].name
    }

    fn n_networks(&self, plan: &Plan) -> usize {
        (plan.ways.len() + usize::from(self.has_permuted)) * plan.splits.len()
    }

    fn plan(&self, modality: usize, notes: &mut Vec<String>) -> Result<Plan> {
        let assays = &self.dataset.assays;
        let mut cells = assays[modality].measured_cells(self.cells);
        let mut chosen = Vec::new();
        for way in ways(self.trained, modality) {
            let source = way.source(modality);
            if source != modality {
                let common = assays[source].measured_cells(&cells);
                if !self.sources.contains(&source) {
                    continue;
                }
                if common.len() < MIN_CELLS {
                    let names = (self.name(source), self.name(modality));
                    notes.push(format!(
                        "{} and {} have {} cells in common: not predicted",
                        names.0,
                        names.1,
                        common.len()
                    ));
                    continue;
                }
                cells = common;
            }
            chosen.push(way);
        }
        anyhow::ensure!(
            cells.len() >= MIN_CELLS,
            "`{}` has {} cells with an image and a value of `{}`; at least {MIN_CELLS} are needed",
            self.name(modality),
            cells.len(),
            self.question.column
        );
        let truth = self.question.truth(&cells)?;
        let splits = self.design.splits(&cells, &truth);
        let splits = splits.with_context(|| format!("images of `{}`", self.name(modality)))?;
        Ok(Plan { modality, cells, truth, ways: chosen, splits })
    }

    /// What the cells of a split are.
    fn facts(&self, plan: &Plan, split: &PhenotypeSplit) -> SplitFacts {
        let subset = |place: &&usize| self.design.subsets[plan.cells[**place]];
        let n = |wanted: Subset| split.judged.iter().filter(|place| subset(place) == wanted).count();
        let group = |place: usize| self.design.groups.and_then(|groups| groups[plan.cells[place]]);
        let met: BTreeSet<u32> =
            (0..plan.cells.len()).filter(|place| subset(&place) == Subset::Training).filter_map(group).collect();
        let classes = |places: &[usize]| -> BTreeSet<u32> {
            match &plan.truth {
                Truth::Classes { codes, .. } => places.iter().map(|&place| codes[place]).collect(),
                Truth::Numbers(_) => BTreeSet::new(),
            }
        };
        SplitFacts {
            n_learned: split.learned.len(),
            n_stopping: split.stopping.len(),
            n_judged: split.judged.len(),
            n_judged_model_learned: n(Subset::Training),
            n_judged_model_stopped: n(Subset::Validation),
            groups: split.held.iter().map(|&group| self.groups[group as usize].clone()).collect(),
            n_groups_model_learned: split.held.iter().filter(|group| met.contains(group)).count(),
            n_unlearned_classes: classes(&split.judged).difference(&classes(&split.learned)).count(),
        }
    }
}

/// What is being done.
struct Work<'s, 'a, 'n> {
    study: &'s Study<'a>,
    notes: &'s mut Notes<'n>,
    pace: Pace,
}

/// Learning from one kind of image.
#[derive(Clone, Copy)]
struct Input<'i> {
    plan: &'i Plan,
    images: &'i ImageStore,
    words: &'i str,
    kind: InputKind,
}

impl Work<'_, '_, '_> {
    fn modality(&mut self, plan: &Plan) -> Result<(ModalityFindings, Vec<Answers>)> {
        let study = self.study;
        let name = study.name(plan.modality).to_owned();
        let size = image_size(study.dataset, plan.modality).context("the modality has no images")?;
        let held = bytes(ImageStore::n_bytes(plan.cells.len(), size));
        (self.notes)(&format!("{name}: {} cells, {held} of images at a time", plan.cells.len()))?;
        let (mut inputs, mut answers) = (Vec::new(), Vec::new());
        let mut keep = |(found, told): (InputFindings, Answers)| {
            inputs.push(found);
            answers.push(told);
        };
        let mut permuted = None;
        for &way in &plan.ways {
            let words = way.words(study.trained);
            let images = ImageStore::of_cells((study.trained, study.dataset), (plan.modality, way), &plan.cells);
            let images = images.with_context(|| format!("images of `{name}`, {words}"))?;
            keep(self.input(Input { plan, images: &images, words: &words, kind: kind(way) })?);
            if way == Way::Real && study.has_permuted {
                let words = "real, labels permuted";
                permuted = Some(self.input(Input { plan, images: &images, words, kind: InputKind::Permuted })?);
            }
        }
        permuted.into_iter().for_each(&mut keep);
        keep(self.unseen(plan)?);
        let splits: Vec<SplitFacts> = plan.splits.iter().map(|split| study.facts(plan, split)).collect();
        let comparisons = comparisons(&inputs, &plan.truth.scores(), &splits);
        let classes = plan.truth.names().to_vec();
        Ok((
            ModalityFindings { modality: name, n_cells: plan.cells.len(), classes, splits, inputs, comparisons },
            answers,
        ))
    }

    fn input(&mut self, input: Input<'_>) -> Result<(InputFindings, Answers)> {
        let Input { plan, words, kind, .. } = input;
        let (mut splits, mut told) = (Vec::new(), Vec::new());
        for (repeat, split) in plan.splits.iter().enumerate() {
            let (scores, answer) = self.network(input, (repeat, split))?;
            splits.push(scores);
            told.push(answer);
        }
        Ok(self.found(plan, (words, kind), (splits, Answers { input: words.to_owned(), told })))
    }

    /// One network: learned, judged.
    fn network(
        &mut self,
        input: Input<'_>,
        (repeat, split): (usize, &PhenotypeSplit),
    ) -> Result<(SplitScores, super::question::Told)> {
        let study = self.study;
        let Input { plan, images, words, kind } = input;
        let seed = Seed(study.design.seed.key(Purpose::Evaluation, NETWORKS, repeat as u64));
        let truth = match kind {
            InputKind::Permuted => permuted(&plan.truth, split, seed),
            _ => plan.truth.clone(),
        };
        let lesson = Lesson { images, truth: &truth, learned: &split.learned, stopping: &split.stopping };
        let title = format!("{}, {words}, split {} of {}", study.name(plan.modality), repeat + 1, plan.splits.len());
        let (notes, pace) = (&mut *self.notes, &mut self.pace);
        let n_most = study.classifier.max_epochs;
        let learned = study.classifier.learn(lesson, (seed, study.trained.device), &mut |epoch, loss| {
            if study.interrupted.load(Ordering::Relaxed) {
                return Ok(ControlFlow::Break(()));
            }
            if pace.is_due() {
                let left = pace.left((epoch, n_most));
                notes(&format!("{title}: epoch {epoch} of at most {n_most}, loss {loss:.4}, about {left} left"))?;
            }
            Ok(ControlFlow::Continue(()))
        });
        let learned = learned.with_context(|| title.clone())?.ok_or(Interrupted)?;
        let told = learned.answer(images, &split.judged)?;
        let scores = plan.truth.score(&split.judged, &told, &split.learned)?;
        pace.done();
        let score = scores[0].map_or("not defined".to_owned(), |score| format!("{score:.3}"));
        let (what, left) = (plan.truth.scores()[0].replace('_', " "), pace.left((0, n_most)));
        let epochs = format!("{} epochs, kept {}", learned.n_epochs, learned.best_epoch);
        notes(&format!("{title}: {what} {score} ({epochs}), about {left} left"))?;
        Ok((SplitScores { scores, n_epochs: learned.n_epochs, best_epoch: learned.best_epoch }, told))
    }

    /// What is told without looking at images.
    fn unseen(&self, plan: &Plan) -> Result<(InputFindings, Answers)> {
        let words = if plan.truth.names().is_empty() { "no image: mean" } else { "no image: most frequent class" };
        let (mut splits, mut told) = (Vec::new(), Vec::new());
        for split in &plan.splits {
            let answer = plan.truth.unseen(&split.learned, split.judged.len());
            let scores = plan.truth.score(&split.judged, &answer, &split.learned)?;
            splits.push(SplitScores { scores, n_epochs: 0, best_epoch: 0 });
            told.push(answer);
        }
        Ok(self.found(plan, (words, InputKind::Unseen), (splits, Answers { input: words.to_owned(), told })))
    }

    fn found(
        &self,
        plan: &Plan,
        (words, kind): (&str, InputKind),
        (splits, answers): (Vec<SplitScores>, Answers),
    ) -> (InputFindings, Answers) {
        let study = self.study;
        let judged: Vec<&[usize]> = plan.splits.iter().map(|split| split.judged.as_slice()).collect();
        let group = |place: usize| {
            let group = study.design.groups.and_then(|groups| groups[plan.cells[place]])?;
            Some(study.groups[group as usize].clone())
        };
        let found = InputFindings {
            input: words.to_owned(),
            kind,
            splits,
            groups: answers.by_group(&plan.truth, &judged, group),
            confusion: answers.confusion(&plan.truth, &judged),
        };
        (found, answers)
    }
}

fn kind(way: Way) -> InputKind {
    match way {
        Way::Real => InputKind::Real,
        Way::Reconstructed => InputKind::Reconstructed,
        Way::SharedOnly => InputKind::SharedOnly,
        Way::From(_) => InputKind::Predicted,
    }
}

/// The truth with the labels of the cells that are learned from and stopped by given to each other.
fn permuted(truth: &Truth, split: &PhenotypeSplit, seed: Seed) -> Truth {
    let cells: Vec<usize> = split.learned.iter().chain(&split.stopping).copied().collect();
    let mut order = cells.clone();
    order.shuffle(&mut seed.generator(Purpose::Evaluation, ORDERS, 0));
    truth.permuted(&cells, &order)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn permuted_labels_are_those_of_other_learned_cells_only() {
        let codes: Vec<u32> = (0..40).map(|cell| cell % 4).collect();
        let names = ["a", "b", "c", "d"].map(str::to_owned).to_vec();
        let truth = Truth::Classes { names, codes: codes.clone() };
        let split = PhenotypeSplit {
            learned: (0..24).collect(),
            stopping: (24..30).collect(),
            judged: (30..40).collect(),
            held: Vec::new(),
        };
        let Truth::Classes { codes: moved, .. } = permuted(&truth, &split, Seed(1)) else { panic!() };
        assert_eq!(moved[30..], codes[30..]);
        assert_ne!(moved[..30], codes[..30]);
        let sorted = |codes: &[u32]| {
            let mut sorted = codes[..30].to_vec();
            sorted.sort_unstable();
            sorted
        };
        assert_eq!(sorted(&moved), sorted(&codes));
    }
}
