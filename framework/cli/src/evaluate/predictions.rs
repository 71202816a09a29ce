//! How well features are predicted: each modality from itself, and from each other that shares a space with it.

use super::controls::{Spaces, Task, column_means, depth, row_totals};
use super::evaluation::{MeasuredEntries, Method, PredictionScores, Section};
use super::judge::{Judge, Judged, Receive};
use super::measured::Measured;
use super::seeds::{Draw, generator};
use super::task::{Findings, Scene};
use super::verdict;
use analysis::Matrix;
use anyhow::{Context, Result};
use framework::data::Loader;
use framework::infer::{Predictor, infer_rows, reconstruct_shared};
use framework::{FeatureShape, TargetValues};
use tch::{Device, Kind, Tensor, no_grad};

/// Every modality from its own encoder.
///
/// # Errors
/// When rows cannot be read or a prediction is not finite.
pub(super) fn reconstructions(scene: &Scene<'_>, found: &mut Findings<'_>) -> Result<Vec<PredictionScores>> {
    let mut all = Vec::new();
    for modality in 0..scene.measured.len() {
        let name = scene.name(modality).to_owned();
        if let Some(pair) = Pair::new(scene, modality, modality, found)? {
            (found.progress)(&format!("reconstruction of {name}"));
            all.push(pair.reconstruction().with_context(|| format!("reconstruction of `{name}`"))?);
        }
    }
    Ok(all)
}

/// Every ordered pair of modalities that share a space.
///
/// # Errors
/// When rows cannot be read or a prediction is not finite.
pub(super) fn cross_predictions(scene: &Scene<'_>, found: &mut Findings<'_>) -> Result<Vec<PredictionScores>> {
    let model = &scene.task.trained.model;
    let shares = |source: usize, target: usize| {
        let told = &model.branches[source].reads;
        model.branches[target].reads.iter().any(|space| model.is_shared(*space) && told.contains(space))
    };
    let mut all = Vec::new();
    let n = scene.measured.len();
    for (source, target) in (0..n).flat_map(|source| (0..n).map(move |target| (source, target))) {
        if source == target || !shares(source, target) {
            continue;
        }
        if let Some(pair) = Pair::new(scene, source, target, found)? {
            let (scores, judged) = pair.cross_prediction(found).with_context(|| pair.title())?;
            found.verdicts.extend(verdict::of_prediction(&scores, &judged));
            all.push(scores);
        }
    }
    Ok(all)
}

/// One modality to be predicted from another or itself, in the cells measured by both.
struct Pair<'a> {
    scene: &'a Scene<'a>,
    source: usize,
    target: usize,
    observed: Matrix<'a>,
    measured: &'a Measured<'a>,
    train: Vec<usize>,
    judged: Vec<usize>,
    /// Whether the loss predicts shares of a total that it is told.
    is_told_totals: bool,
}

impl<'a> Pair<'a> {
    /// `None`, with a note, where too little was measured by both.
    fn new(scene: &'a Scene<'a>, source: usize, target: usize, found: &mut Findings<'_>) -> Result<Option<Pair<'a>>> {
        let (Some(from), Some(measured)) = (&scene.measured[source], &scene.measured[target]) else {
            found.note(format!("`{}` or `{}` was not measured in these cells", scene.name(source), scene.name(target)));
            return Ok(None);
        };
        let both = |cells: &[usize]| measured.held(&from.held(cells));
        let (train, judged) = (both(&scene.training), both(&scene.judged));
        if judged.len() < 2 || train.len() < 2 {
            found.note(format!(
                "`{}` and `{}` were measured together in {} training and {} judged cells; a comparison needs two of each",
                scene.name(source),
                scene.name(target),
                train.len(),
                judged.len()
            ));
            return Ok(None);
        }
        let is_told_totals = is_told_totals(scene, target)?;
        if is_told_totals {
            found.note(format!(
                "the loss of `{}` predicts shares of each cell's total: the model and its controls are told the measured \
                 totals",
                scene.name(target)
            ));
        }
        let observed = measured.target().matrix()?;
        let pair = Pair { scene, source, target, observed, measured, train, judged, is_told_totals };
        Ok(pair.has_entries(found).then_some(pair))
    }

    /// Whether anything was measured to learn from and to judge; says what follows where not everything was.
    fn has_entries(&self, found: &mut Findings<'_>) -> bool {
        let name = self.scene.name(self.target);
        let [train, judged] = [&self.train, &self.judged].map(|cells| self.entries(cells));
        if train.n_entries == 0 || judged.n_entries == 0 {
            found.note(format!(
                "of `{name}` {} entries of training and {} of judged cells were measured that `{}` was measured in, so \
                 there is nothing to compare",
                train.n_entries,
                judged.n_entries,
                self.scene.name(self.source)
            ));
            return false;
        }
        if train.share < 1.0 || judged.share < 1.0 {
            found.note(format!(
                "not every entry of `{name}` was measured, and those that were not count nowhere; controls learn from \
                 what was: a random cell or neighbours without a measurement predict the feature's mean, and ridge is \
                 fitted with that mean in place of each missing one"
            ));
        }
        true
    }

    /// What was measured of some cells.
    fn entries(&self, cells: &[usize]) -> MeasuredEntries {
        let rows = self.measured.rows_of(cells);
        let n_entries: usize = rows.iter().map(|&row| self.observed.n_measured(row)).sum();
        let n_all = rows.len() * self.observed.n_columns();
        MeasuredEntries { n_entries, share: n_entries as f64 / n_all.max(1) as f64 }
    }

    fn title(&self) -> String {
        format!("{} → {}", self.scene.name(self.source), self.scene.name(self.target))
    }

    fn reconstruction(&self) -> Result<PredictionScores> {
        let rows = self.measured.rows_of(&self.judged);
        let judge = self.judge(&rows)?;
        let mut judged = vec![judge.method(Method::of_model("model", "model, full decoder"), |to| self.model(to))?];
        if self.scene.task.trained.model.branches[self.source].shared_decoder.is_some() {
            let method = Method::of_model("model_shared_decoder", "model, shared decoder");
            judged.push(judge.method(method, |receive| self.shared_decoder(receive))?);
        }
        if self.scene.task.beside_controls {
            let train = self.measured.rows_of(&self.train);
            let task = self.task(&train, &rows)?;
            judged.push(judge.method(zeros(), |receive| task.zeros(receive))?);
            judged.push(judge.method(feature_mean(), |receive| task.feature_mean(receive))?);
            if self.values() == TargetValues::Processed {
                judged.extend(self.components(&judge)?);
            }
        }
        Ok(self.scores(Section::Reconstruction, &judged))
    }

    fn cross_prediction(&self, found: &mut Findings<'_>) -> Result<(PredictionScores, Vec<Judged>)> {
        let (rows, train) = (self.measured.rows_of(&self.judged), self.measured.rows_of(&self.train));
        let judge = self.judge(&rows)?;
        (found.progress)(&format!("{}: model", self.title()));
        let mut judged = vec![judge.method(Method::of_model("model", "model"), |receive| self.model(receive))?];
        if self.scene.task.beside_controls {
            judged.extend(self.controls(&judge, &self.task(&train, &rows)?, found)?);
        }
        Ok((self.scores(Section::CrossPrediction, &judged), judged))
    }

    fn controls(&self, judge: &Judge<'_>, task: &Task<'_>, found: &mut Findings<'_>) -> Result<Vec<Judged>> {
        let spec = &self.scene.task.experiment.evaluate;
        let mut say = |what: &str| (found.progress)(&format!("{}: {what}", self.title()));
        say("zeros, mean, random cell and depth");
        let mut judged = vec![
            judge.method(zeros(), |receive| task.zeros(receive))?,
            judge.method(feature_mean(), |receive| task.feature_mean(receive))?,
        ];
        let place = self.source * self.scene.measured.len() + self.target;
        let mut random = generator(self.scene.task.seed, Draw::RandomCell, place);
        let method = Method::control("random_cell", "random training cell");
        judged.push(judge.method(method, |receive| task.random_cell(&mut random, receive))?);
        let depth = self.depth()?;
        let method = Method::control("depth", "ridge (on depth alone)");
        judged.push(judge.method(method, |receive| task.ridge(&depth, spec.ridge, receive))?);
        let Some(spaces) = self.scene.components(self.source, &self.train, &self.judged)? else {
            found.note(format!("`{}` does not vary, so it has no neighbours", self.scene.name(self.source)));
            return Ok(judged);
        };
        let spaces = spaces.first(spec.n_components);
        let (dim, n) = (spaces.dim(), spec.n_prediction_neighbours.min(self.train.len()));
        say("neighbours");
        let method = Method::control("neighbours", format!("neighbours ({n}, on {dim} PCs)"));
        judged.push(judge.method(method, |receive| task.neighbours(&spaces, n, receive))?);
        say("ridge");
        let method = Method::control("ridge", format!("ridge (on {dim} PCs)"));
        judged.push(judge.method(method, |receive| task.ridge(&spaces, spec.ridge, receive))?);
        Ok(judged)
    }

    /// How much the source measured of each cell at all.
    fn depth(&self) -> Result<Spaces> {
        let source = self.scene.measured[self.source].as_ref().context("the source was not measured")?;
        depth(&source.depth_values().matrix()?, &source.rows_of(&self.train), &source.rows_of(&self.judged))
    }

    fn judge<'j>(&'j self, rows: &'j [usize]) -> Result<Judge<'j>> {
        Judge::new(&self.observed, rows, self.measured.target().share_nonzero(rows)?, self.scene.task.seed)
    }

    fn task<'t>(&'t self, train: &'t [usize], judged: &'t [usize]) -> Result<Task<'t>> {
        let totals = match self.is_told_totals {
            true => Some(row_totals(&self.observed, judged)?),
            false => None,
        };
        Ok(Task { target: &self.observed, train, judged, in_sample: self.scene.cells.in_sample, totals })
    }

    /// The model's prediction, by the full decoder from itself and as `predict` from others.
    fn model(&self, receive: &mut Receive<'_>) -> Result<()> {
        let trained = self.scene.task.trained;
        let predictor = Predictor {
            model: &trained.model,
            dataset: self.scene.task.dataset,
            source: self.source,
            target: self.target,
            usual_total: trained.usual_total(self.target),
            device: trained.device,
            minibatch: self.scene.cells_at_a_time(),
            decoded_as: &[],
        };
        predictor.for_each(&self.judged, |block| receive(&block))
    }

    fn shared_decoder(&self, receive: &mut Receive<'_>) -> Result<()> {
        shared_reconstruction(self.scene, self.source, &self.judged, receive)
    }

    /// What as many principal components as the model has numbers per cell keep of the modality.
    fn components(&self, judge: &Judge<'_>) -> Result<Option<Judged>> {
        let dim = self.scene.dim_of(self.source);
        let spaces = self.scene.components(self.source, &self.train, &self.judged)?;
        let (Some(spaces), Some(loadings)) = (spaces, self.scene.loadings(self.source)) else { return Ok(None) };
        let spaces = spaces.first(dim);
        if spaces.dim() == self.observed.n_columns() {
            // as many components as features keep everything, which compares with nothing
            return Ok(None);
        }
        let loadings = loadings.narrow(1, 0, spaces.dim() as i64);
        let mean = column_means(&self.observed, &self.measured.rows_of(&self.train))?;
        let height = self.scene.cells_at_a_time() as i64;
        let predict = |receive: &mut Receive<'_>| {
            for start in (0..spaces.judged.size()[0]).step_by(height as usize) {
                let scores = spaces.judged.narrow(0, start, height.min(spaces.judged.size()[0] - start));
                receive(&(scores.f_matmul(&loadings.tr())? + &mean).to_kind(Kind::Float))?;
            }
            Ok(())
        };
        judge.method(Method::control("pca", format!("PCA ({})", spaces.dim())), predict).map(Some)
    }

    fn values(&self) -> TargetValues {
        match self.scene.task.trained.model.branches[self.target].loss.target() {
            raw @ (TargetValues::Counts | TargetValues::Presence | TargetValues::Trials) => raw,
            TargetValues::Processed | TargetValues::UnitInterval => TargetValues::Processed,
        }
    }

    fn scores(&self, section: Section, judged: &[Judged]) -> PredictionScores {
        PredictionScores {
            section,
            source: self.scene.name(self.source).to_owned(),
            target: self.scene.name(self.target).to_owned(),
            values: match self.values() {
                TargetValues::Counts => "counts",
                TargetValues::Presence => "presence",
                TargetValues::Trials => "share of trials",
                TargetValues::Processed | TargetValues::UnitInterval => "processed",
            }
            .to_owned(),
            n_cells: self.judged.len(),
            n_training: self.train.len(),
            n_features: self.observed.n_columns(),
            measured: Some(self.entries(&self.judged)).filter(|measured| measured.share < 1.0),
            methods: judged.iter().map(|judged| judged.scores.clone()).collect(),
        }
    }
}

/// The reconstruction of some cells from their shared rows alone.
///
/// # Errors
/// When rows cannot be read, there is no shared decoder, or `receive` fails.
pub(super) fn shared_reconstruction(
    scene: &Scene<'_>,
    modality: usize,
    cells: &[usize],
    receive: &mut Receive<'_>,
) -> Result<()> {
    let trained = scene.task.trained;
    let (model, branch) = (&trained.model, &trained.model.branches[modality]);
    let targets = model.target_values();
    let minibatch = scene.cells_at_a_time();
    let loader = Loader { dataset: scene.task.dataset, minibatch, targets: &targets, device: trained.device };
    loader.for_each_of(modality, cells, |part| {
        let expected = no_grad(|| -> Result<Tensor> {
            let estimate = infer_rows(model, modality, &part)?;
            let prediction = reconstruct_shared(model, branch, &estimate)?.context("there is no shared decoder")?;
            let totals = (branch.loss.target() == TargetValues::Counts).then(|| part.target.totals());
            branch.loss.expectation(&prediction, totals.as_ref())
        })?;
        receive(&expected.to_device(Device::Cpu))
    })
}

fn zeros() -> Method {
    Method::control("zeros", "zeros")
}

fn feature_mean() -> Method {
    Method::control("feature_mean", "mean per feature")
}

/// Whether the expected values of a loss grow with the total that it is told.
fn is_told_totals(scene: &Scene<'_>, target: usize) -> Result<bool> {
    let branch = &scene.task.trained.model.branches[target];
    if branch.loss.target() != TargetValues::Counts {
        return Ok(false);
    }
    let shape = match scene.task.dataset.assays[target].modality.shape() {
        FeatureShape::Vector(n) => vec![1, n],
        FeatureShape::Image { channels, height, width } => vec![1, channels, height, width],
    };
    let options = (Kind::Float, scene.task.trained.device);
    let expected = |total: f64| {
        let totals = Tensor::full([1], total, options);
        no_grad(|| branch.loss.expectation(&Tensor::zeros(&shape, options), Some(&totals)))
    };
    Ok(!expected(1.0)?.allclose(&expected(1000.0)?, 1e-6, 1e-6, false))
}
