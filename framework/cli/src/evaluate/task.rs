//! The whole evaluation, part by part.

use super::controls::Spaces;
use super::evaluation::{Evaluation, JudgedCells};
use super::measured::Measured;
use super::seeds::{Draw, key};
use super::{clustering, images, predictions, principal, spaces};
use crate::decoded_images::image_size;
use analysis::{Pca, block_rows};
use anyhow::{Context, Result, ensure};
use framework::Seed;
use framework::data::{Dataset, Split, Subset};
use framework::infer::Trained;
use framework::spec::Experiment;
use tch::Tensor;

/// Principal components of images at most: 16,384 pixels of 29,174 cells are read seven times in each round of the search, and what
/// is kept of it grows with four times their number.
const MOST_OF_IMAGES: usize = 256;

/// What is evaluated, and on what.
#[derive(Clone, Copy)]
pub struct EvaluationTask<'a> {
    /// The model.
    pub trained: &'a Trained,
    /// Its spec.
    pub experiment: &'a Experiment,
    /// The measurements, prepared as for training.
    pub dataset: &'a Dataset,
    /// What each cell of the data set was used for.
    pub split: &'a Split,
    /// The rows learned in step 1, by name of the space, one per cell of the data set.
    pub rows: Option<&'a [(String, Tensor)]>,
    /// Seed of resamples, random controls and permutations.
    pub seed: Seed,
    /// Whether controls are fitted and judged beside the model; they depend on data and split, not on the model.
    pub beside_controls: bool,
}

/// Evaluates a trained model on its test cells, or where there are none on its validation or training cells.
///
/// `progress` is told what is being computed.
///
/// # Errors
/// When data, split, rows and model do not belong together, rows cannot be read, or the model predicts numbers that are
/// not finite.
pub fn evaluate(task: &EvaluationTask<'_>, progress: &mut dyn FnMut(&str)) -> Result<Evaluation> {
    task.check()?;
    progress("gathering cells");
    let (mut scene, mut notes) = Scene::new(task)?;
    if task.beside_controls {
        scene.find_components(None, progress)?;
        notes.extend(scene.note_on_components());
    } else {
        notes.push("no controls were asked for; `cithara evaluate` of the run adds them".to_owned());
    }
    let patterns = task.dataset.patterns_by_split(task.split);
    if patterns.len() > 1 {
        notes.extend(patterns.iter().map(framework::data::Pattern::sentence));
    }
    let mut found = Findings { progress, notes: std::mem::take(&mut notes), verdicts: Vec::new() };
    let reconstructions = predictions::reconstructions(&scene, &mut found)?;
    let cross_predictions = predictions::cross_predictions(&scene, &mut found)?;
    let images = images::images(&scene, &mut found)?;
    let probes = spaces::encoded(&scene, &mut found)?;
    let learned_rows = match task.rows {
        Some(rows) => spaces::learned(&scene, rows, &mut found)?,
        None => Vec::new(),
    };
    let clusterings = clustering::of_components(&scene, &mut found)?;
    Ok(Evaluation {
        name: task.experiment.name.clone(),
        cells: scene.cells,
        notes: found.notes,
        reconstructions,
        cross_predictions,
        images,
        probes,
        learned_rows,
        clusterings,
        verdicts: found.verdicts,
    })
}

impl EvaluationTask<'_> {
    /// Refuses data, split, rows and model that do not belong together.
    ///
    /// # Errors
    /// Naming what does not fit.
    pub(super) fn check(&self) -> Result<()> {
        let n_cells = self.dataset.cells.len();
        let n_split = self.split.subsets().len();
        ensure!(
            n_split == n_cells,
            "the split is of {n_split} cells but the data hold {n_cells}; expected one subset per cell"
        );
        let (n_data, n_model) = (self.dataset.assays.len(), self.trained.model.branches.len());
        ensure!(n_data == n_model, "the data hold {n_data} modalities but the model {n_model}");
        for (name, rows) in self.rows.unwrap_or_default() {
            ensure!(
                rows.size().first() == Some(&(n_cells as i64)) && rows.dim() == 2,
                "the learned rows of `{name}` have shape {:?}; expected one row for each of the {n_cells} cells",
                rows.size()
            );
        }
        Ok(())
    }
}

/// What grows while the evaluation goes on.
pub(super) struct Findings<'p> {
    pub progress: &'p mut dyn FnMut(&str),
    pub notes: Vec<String>,
    pub verdicts: Vec<super::Verdict>,
}

impl Findings<'_> {
    /// Keeps a note once.
    pub fn note(&mut self, note: String) {
        if !self.notes.contains(&note) {
            self.notes.push(note);
        }
    }
}

/// Cells, their measurements, and the principal components of each modality.
pub(super) struct Scene<'a> {
    pub task: &'a EvaluationTask<'a>,
    pub cells: JudgedCells,
    pub training: Vec<usize>,
    pub judged: Vec<usize>,
    /// One per modality; `None` where no cell that matters was measured.
    pub measured: Vec<Option<Measured<'a>>>,
    /// One per modality, or none without controls; `None` where there is no variance to decompose.
    components: Vec<Option<Components>>,
}

/// Principal components of what a modality's encoder sees, found in its training cells.
struct Components {
    cells: Vec<usize>,
    pca: Pca,
}

impl<'a> Scene<'a> {
    /// The cells of a task and what was measured of them, and what to know of them.
    ///
    /// # Errors
    /// When rows cannot be read, or the split has no cells.
    pub fn new(task: &'a EvaluationTask<'a>) -> Result<(Scene<'a>, Vec<String>)> {
        let (cells, training, judged) = choose_cells(task.split)?;
        let mut notes = Vec::new();
        if let Some(note) = note_on(&cells) {
            notes.push(note);
        }
        let mut wanted = [training.as_slice(), if cells.in_sample { &[] } else { &judged }].concat();
        wanted.sort_unstable();
        let mut measured = Vec::new();
        for (assay, target) in task.dataset.assays.iter().zip(task.trained.model.target_values()) {
            let reading = principal::reading(target, task.experiment, &assay.name);
            let values = Measured::gather(assay, &wanted, reading);
            measured.push(values.with_context(|| format!("modality `{}`", assay.name))?);
        }
        Ok((Scene { task, cells, training, judged, measured, components: Vec::new() }, notes))
    }

    /// What to know of components of images, where a space is wider than these are.
    fn note_on_components(&self) -> Option<String> {
        let n = (0..self.measured.len()).filter(|&modality| self.dim_of(modality) > MOST_OF_IMAGES);
        let is_image = |modality: &usize| image_size(self.task.dataset, *modality).is_some();
        let wide: Vec<&str> = n.filter(is_image).map(|modality| self.name(modality)).collect();
        (!wide.is_empty()).then(|| {
            format!(
                "spaces of {} have more numbers than the {MOST_OF_IMAGES} principal components of images that they stand beside",
                wide.join(" and ")
            )
        })
    }

    /// Finds the principal components of modalities, of all or of one only.
    ///
    /// # Errors
    /// When rows cannot be read.
    pub fn find_components(&mut self, only: Option<usize>, progress: &mut dyn FnMut(&str)) -> Result<()> {
        for (modality, measured) in self.measured.iter().enumerate() {
            let asked_for = only.is_none_or(|only| only == modality);
            let Some(measured) = measured.as_ref().filter(|_| asked_for) else {
                self.components.push(None);
                continue;
            };
            progress(&format!("principal components of {}", self.name(modality)));
            let cells = measured.held(&self.training);
            let pca = self.fit_components(modality, measured, &cells).context("principal components")?;
            self.components.push(pca.map(|pca| Components { cells, pca }));
        }
        Ok(())
    }

    /// As many components as any control or probe asks for, as far as cells and features allow; of images no more than
    /// [`MOST_OF_IMAGES`], for all pixels of all cells are read many times over for them.
    fn fit_components(&self, modality: usize, measured: &Measured<'_>, cells: &[usize]) -> Result<Option<Pca>> {
        let asked = self.task.experiment.evaluate.n_components.max(self.dim_of(modality));
        let is_image = image_size(self.task.dataset, modality).is_some();
        let most = if is_image { asked.min(MOST_OF_IMAGES) } else { asked };
        principal::fit(measured, cells, most, key(self.task.seed, Draw::Components, modality))
    }

    /// Principal components of some training cells and some other cells, all of which the modality must hold.
    pub fn components(&self, modality: usize, train: &[usize], judged: &[usize]) -> Result<Option<Spaces>> {
        let (Some(measured), Some(Some(components))) = (&self.measured[modality], self.components.get(modality)) else {
            return Ok(None);
        };
        let own = match components.cells == train {
            true => None,
            false => self.fit_components(modality, measured, train)?,
        };
        let pca = match (&own, components.cells == train) {
            (_, true) => &components.pca,
            (Some(own), false) => own,
            (None, false) => return Ok(None),
        };
        let matrix = measured.input().matrix()?;
        let scores = |cells: &[usize]| pca.transform(&matrix, &measured.rows_of(cells));
        Ok(Some(Spaces { train: scores(train)?, judged: scores(judged)? }))
    }

    /// Loadings of a modality's principal components: n_features × n_components.
    pub fn loadings(&self, modality: usize) -> Option<&Tensor> {
        self.components.get(modality)?.as_ref().map(|components| components.pca.components())
    }

    /// Name of a modality.
    pub fn name(&self, modality: usize) -> &str {
        &self.task.dataset.assays[modality].name
    }

    /// Numbers per cell that the full decoder of a modality reads.
    pub fn dim_of(&self, modality: usize) -> usize {
        let model = &self.task.trained.model;
        model.branches[modality].reads.iter().map(|&space| model.spaces[space].dim as usize).sum()
    }

    /// Cells that fit into a block of predictions of any modality.
    pub fn cells_at_a_time(&self) -> usize {
        let widths = self.task.dataset.assays.iter().map(|assay| assay.modality.shape().n_features() as usize);
        block_rows(widths.max().unwrap_or(1))
    }
}

fn choose_cells(split: &Split) -> Result<(JudgedCells, Vec<usize>, Vec<usize>)> {
    let training = split.of(Subset::Training);
    let candidates = [Subset::Test, Subset::Validation, Subset::Training].map(|subset| (subset, split.of(subset)));
    let chosen = candidates.into_iter().find(|(_, cells)| !cells.is_empty());
    let (subset, judged) = chosen.context("the split holds no cell")?;
    ensure!(training.len() >= 2, "the split holds {} training cells; controls need at least 2", training.len());
    let cells = JudgedCells {
        subset: subset.name().to_owned(),
        in_sample: subset == Subset::Training,
        n_judged: judged.len(),
        n_training: training.len(),
    };
    Ok((cells, training, judged))
}

fn note_on(cells: &JudgedCells) -> Option<String> {
    match cells.subset.as_str() {
        "test" => None,
        "validation" => Some(
            "there are no test cells: validation cells were judged, which decided when training stopped; set \
             `data.split.test` for numbers that nothing was chosen by"
                .to_owned(),
        ),
        _ => Some(
            "there are no test or validation cells: the cells that the model learned from were judged, so the numbers are \
             no forecast for new cells; set `data.split.test`"
                .to_owned(),
        ),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn test_cells_come_first_then_validation_then_training() {
        let (train, validation, test) = (Subset::Training, Subset::Validation, Subset::Test);
        let choose = |subsets: &[Subset]| choose_cells(&Split::new(subsets.to_vec())).unwrap();
        let (cells, training, judged) = choose(&[train, test, validation, train]);
        assert_eq!((cells.subset.as_str(), cells.in_sample, training, judged), ("test", false, vec![0, 3], vec![1]));
        assert!(note_on(&choose(&[train, test, train]).0).is_none());
        let (cells, _, judged) = choose(&[train, train, validation]);
        assert_eq!((cells.subset.as_str(), cells.in_sample, judged), ("validation", false, vec![2]));
        assert!(note_on(&cells).unwrap().contains("no test cells"));
        let (cells, _, judged) = choose(&[train, train]);
        assert!(cells.in_sample && judged == [0, 1]);
        assert!(note_on(&cells).unwrap().contains("no forecast"));
        assert!(choose_cells(&Split::new(vec![train, test])).is_err());
    }
}
