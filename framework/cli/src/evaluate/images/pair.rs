//! Images of one modality, predicted from another or from itself.

use super::super::evaluation::{Method, Section};
use super::super::predictions::shared_reconstruction;
use super::super::resamples::Resamples;
use super::super::task::{Findings, Scene};
use super::beside::{PredictImages, TaughtCells};
use super::controls::{images_of, mean_image, nearest_cells, pixels_of, random_cells};
use super::group::Group;
use super::scores::{ImageMethodScores, ImageScores};
use super::tally::{OfCell, compare};
use super::unshown::Unshown;
use analysis::ImageForm;
use anyhow::{Context, Result, ensure};
use framework::FeatureShape;
use framework::data::Assay;
use framework::infer::Predictor;
use std::ops::Range;
use tch::Tensor;

/// Images of one modality to be predicted from another or itself, in the cells measured by both.
pub(super) struct Pair<'a> {
    scene: &'a Scene<'a>,
    source: usize,
    target: usize,
    /// Where the real images are, if not among those that the model knows.
    unshown: Option<Unshown>,
    /// Conditions that groups are made by.
    conditions: Vec<usize>,
    groups: Vec<Group>,
    /// Training and judged cells of all groups and of none, as the other tables have them.
    train: Vec<usize>,
    judged: Vec<usize>,
}

/// A way to predict, and how well each judged cell was: by group, in the order of its cells.
pub(super) type Compared = (Method, Vec<Vec<OfCell>>);

impl<'a> Pair<'a> {
    /// The modality as it was measured; `None` where too little was.
    ///
    /// # Errors
    /// When a cell has no category.
    pub fn measured(
        scene: &'a Scene<'a>,
        (source, target): (usize, usize),
        found: &mut Findings<'_>,
    ) -> Result<Option<Pair<'a>>> {
        let Some([train, judged]) = cells_of_both(scene, source, target, &scene.judged) else { return Ok(None) };
        let told = &scene.task.trained.model.branches[target].conditions;
        let conditions: Vec<usize> = told.iter().map(|told| told.condition).collect();
        let categories = &scene.task.dataset.categories;
        ensure!(
            conditions.iter().all(|condition| *condition < categories.len()),
            "the categories of the cells are not known"
        );
        let codes = |cell: usize| conditions.iter().map(|&condition| categories[condition].codes[cell]).collect();
        let (groups, n_lost) = Group::all(&train, &judged, codes, codes);
        let pair = Pair { scene, source, target, unshown: None, conditions, groups, train, judged };
        Ok(pair.noted(n_lost, found))
    }

    /// What the spec says the model was not shown; `None` where it says nothing.
    ///
    /// # Errors
    /// When the images cannot be opened.
    pub fn unshown(
        scene: &'a Scene<'a>,
        (source, target): (usize, usize),
        found: &mut Findings<'_>,
    ) -> Result<Option<Pair<'a>>> {
        let Some(spec) = scene.task.experiment.evaluate.images.unshown.get(scene.name(target)) else { return Ok(None) };
        let unshown = Unshown::open(scene, target, spec).with_context(|| format!("images of `{}`", spec.key))?;
        let Some([train, _]) = cells_of_both(scene, source, target, &[]) else { return Ok(None) };
        if unshown.n_unknown > 0 {
            found.note(format!(
                "{} images of `{}` are of a category that the model does not know, and are not judged",
                unshown.n_unknown, spec.key
            ));
        }
        let Some(from) = &scene.measured[source] else { return Ok(None) };
        let judged: Vec<usize> =
            from.held(&scene.judged).into_iter().filter(|&cell| unshown.rows[cell].is_some()).collect();
        let own = &scene.task.dataset.categories[unshown.condition].codes;
        let shown = |cell: usize| vec![unshown.rows[cell].map_or(-1, |(_, code)| code)];
        let (groups, n_lost) = Group::all(&train, &judged, |cell| vec![own[cell]], shown);
        let conditions = vec![unshown.condition];
        let pair = Pair { scene, source, target, unshown: Some(unshown), conditions, groups, train, judged };
        Ok(pair.noted(n_lost, found))
    }

    /// The pair, if anything is left of it; says what is not.
    fn noted(self, n_lost: usize, found: &mut Findings<'_>) -> Option<Pair<'a>> {
        if n_lost > 0 {
            found.note(format!(
                "images, {}: {n_lost} cells are of categories with fewer than 2 training cells, and are not judged",
                self.title()
            ));
        }
        (!self.groups.is_empty()).then_some(self)
    }

    /// What is predicted from what, in words.
    pub fn title(&self) -> String {
        let (source, target) = (self.scene.name(self.source), self.scene.name(self.target));
        let unshown = if self.unshown.is_some() { " (not shown)" } else { "" };
        if source == target { format!("reconstruction of {target}") } else { format!("{source} → {target}{unshown}") }
    }

    fn assay(&self) -> &Assay {
        &self.scene.task.dataset.assays[self.target]
    }

    /// Compares what every method predicts.
    ///
    /// # Errors
    /// When images cannot be read or a prediction is not finite.
    pub fn methods(
        &self,
        section: Section,
        beside: Option<&dyn PredictImages>,
        found: &mut Findings<'_>,
    ) -> Result<Vec<Compared>> {
        let is_reconstruction = section == Section::Reconstruction;
        let label = if is_reconstruction { "model, full decoder" } else { "model" };
        let mut all = vec![self.compared(Method::of_model("model", label), |at, cells| self.model(at, cells))?];
        let branch = &self.scene.task.trained.model.branches[self.target];
        if is_reconstruction && branch.shared_decoder.is_some() {
            let method = Method::of_model("model_shared_decoder", "model, shared decoder");
            all.push(self.compared(method, |at, cells| self.shared_decoder(at, cells))?);
        }
        if let Some(beside) = beside {
            let taught = |at: usize| TaughtCells { train: &self.groups[at].train, judged: &self.groups[at].judged };
            all.push(self.compared(beside.method(), |at, cells| beside.predict(taught(at), cells))?);
        }
        if self.scene.task.beside_controls {
            self.controls(&mut all, found)?;
        }
        Ok(all)
    }

    fn controls(&self, all: &mut Vec<Compared>, found: &mut Findings<'_>) -> Result<()> {
        let mean = |group: &Group| mean_image(self.assay(), group, self.scene.cells_at_a_time());
        let means: Vec<Vec<f32>> = self.groups.iter().map(mean).collect::<Result<_>>()?;
        let method = Method::control("mean_image", "mean image");
        all.push(self.compared(method, |at, cells| Ok(means[at].repeat(cells.len())))?);
        let black = vec![0f32; self.form()?.n_pixels()];
        let method = Method::control("zeros", "black image");
        all.push(self.compared(method, |_, cells| Ok(black.repeat(cells.len())))?);
        let of_cells = |method: Method, chosen: Vec<Vec<usize>>| {
            self.compared(method, |at, cells| images_of(self.assay(), &chosen[at][cells]))
        };
        let spaces = self.scene.components(self.source, &self.train, &self.judged)?;
        match spaces.map(|spaces| spaces.first(self.scene.task.experiment.evaluate.n_components)) {
            Some(spaces) => {
                let label = format!("nearest cell (on {} PCs of {})", spaces.dim(), self.scene.name(self.source));
                let nearest = nearest_cells(&spaces, (&self.train, &self.judged), &self.groups)?;
                all.push(of_cells(Method::control("nearest_cell", label), nearest)?);
            }
            None => found.note(format!("`{}` does not vary, so it has no neighbours", self.scene.name(self.source))),
        }
        let place = 2 * (self.source * self.scene.measured.len() + self.target) + usize::from(self.unshown.is_some());
        let random = random_cells(self.scene.task.seed, &self.groups, place);
        all.push(of_cells(Method::control("random_cell", "random training cell"), random)?);
        Ok(())
    }

    /// Compares the images of all groups with what a method predicts of some of the judged cells of a group.
    fn compared(&self, method: Method, predict: impl Fn(usize, Range<usize>) -> Result<Vec<f32>>) -> Result<Compared> {
        let chosen = &self.scene.task.experiment.evaluate.images;
        let mut all = Vec::new();
        for (at, group) in self.groups.iter().enumerate() {
            let mut of_group = Vec::with_capacity(group.judged.len());
            for start in (0..group.judged.len()).step_by(chosen.minibatch) {
                let cells = start..(start + chosen.minibatch).min(group.judged.len());
                let predicted =
                    predict(at, cells.clone()).with_context(|| format!("prediction by `{}`", method.label))?;
                of_group.extend(compare(predicted, self.real(&group.judged[cells])?, self.form()?, chosen)?);
            }
            all.push(of_group);
        }
        Ok((method, all))
    }

    fn form(&self) -> Result<ImageForm> {
        match self.assay().modality.shape() {
            FeatureShape::Image { channels, height, width } => {
                Ok(ImageForm { channels: channels as usize, height: height as usize, width: width as usize })
            }
            FeatureShape::Vector(_) => anyhow::bail!("the modality has no images"),
        }
    }

    fn real(&self, cells: &[usize]) -> Result<Vec<f32>> {
        match &self.unshown {
            None => images_of(self.assay(), cells),
            Some(unshown) => {
                let rows: Vec<usize> =
                    cells.iter().filter_map(|&cell| unshown.rows[cell].map(|(row, _)| row)).collect();
                pixels_of(unshown.modality.as_ref(), &rows)
            }
        }
    }

    /// The model's prediction, by the full decoder from itself and as `predict` from others: as cells of their own categories,
    /// or of that of the images that it was not shown.
    fn model(&self, at: usize, cells: Range<usize>) -> Result<Vec<f32>> {
        let task = self.scene.task;
        let mut decoded_as = vec![None; task.trained.model.conditions.len()];
        if let Some(unshown) = &self.unshown {
            decoded_as[unshown.condition] = Some(self.groups[at].codes[0]);
        }
        let predictor = Predictor {
            model: &task.trained.model,
            dataset: task.dataset,
            source: self.source,
            target: self.target,
            usual_total: task.trained.usual_total(self.target),
            device: task.trained.device,
            minibatch: self.scene.cells_at_a_time(),
            decoded_as: &decoded_as,
        };
        let mut pixels = Vec::new();
        predictor.for_each(&self.groups[at].judged[cells], |block| append(&mut pixels, &block))?;
        Ok(pixels)
    }

    fn shared_decoder(&self, at: usize, cells: Range<usize>) -> Result<Vec<f32>> {
        let mut pixels = Vec::new();
        let judged = &self.groups[at].judged[cells];
        shared_reconstruction(self.scene, self.target, judged, &mut |block| append(&mut pixels, block))?;
        Ok(pixels)
    }

    /// Scores over all judged cells, and over those of each category where there are several.
    ///
    /// # Errors
    /// When a number is not finite.
    pub fn scores(&self, section: Section, methods: &[Compared]) -> Result<Vec<ImageScores>> {
        let mut all = vec![self.scores_of(section, methods, None)?];
        for (place, &condition) in self.conditions.iter().enumerate() {
            let mut codes: Vec<i64> = self.groups.iter().map(|group| group.codes[place]).collect();
            codes.sort_unstable();
            codes.dedup();
            if codes.len() > 1 {
                let condition = &self.scene.task.trained.model.conditions[condition];
                for code in codes {
                    let Some(category) = condition.categories.get(code as usize) else { continue };
                    let scores = self.scores_of(section, methods, Some((place, code)))?;
                    all.push(ImageScores { category: Some((condition.name.clone(), category.clone())), ..scores });
                }
            }
        }
        Ok(all)
    }

    fn scores_of(&self, section: Section, methods: &[Compared], only: Option<(usize, i64)>) -> Result<ImageScores> {
        let is_of = |group: &Group| only.is_none_or(|(place, code)| group.codes[place] == code);
        let groups = || self.groups.iter().filter(|group| is_of(group));
        let n_cells = groups().map(|group| group.judged.len()).sum();
        let cells_of = |(_, cells): &'_ Compared| -> Vec<OfCell> {
            let of_groups = self.groups.iter().zip(cells).filter(|(group, _)| is_of(group));
            of_groups.flat_map(|(_, cells)| cells).copied().collect()
        };
        let cells: Vec<Vec<OfCell>> = methods.iter().map(cells_of).collect();
        let resamples = Resamples::draw(n_cells, self.scene.task.seed, n_cells)?;
        let mut scores = Vec::new();
        for ((method, _), own) in methods.iter().zip(&cells) {
            let plain = ImageMethodScores::of(method, own);
            scores.push(if method.is_control { plain.beside(&resamples, &cells[0], own)? } else { plain });
        }
        Ok(ImageScores {
            section,
            source: self.scene.name(self.source).to_owned(),
            target: self.scene.name(self.target).to_owned(),
            unshown: self.unshown.is_some(),
            category: None,
            n_cells,
            n_training: groups().map(|group| group.train.len()).sum(),
            methods: scores,
        })
    }
}

/// Training and judged cells that two modalities measured; `None` where one measured nothing.
fn cells_of_both(scene: &Scene<'_>, source: usize, target: usize, judged: &[usize]) -> Option<[Vec<usize>; 2]> {
    let (from, to) = (scene.measured[source].as_ref()?, scene.measured[target].as_ref()?);
    Some([&scene.training, judged].map(|cells| to.held(&from.held(cells))))
}

fn append(pixels: &mut Vec<f32>, block: &Tensor) -> Result<()> {
    pixels.extend(Vec::<f32>::try_from(block.contiguous().view(-1))?);
    Ok(())
}
