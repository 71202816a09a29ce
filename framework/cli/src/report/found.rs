//! Everything that the page of a run tells, as `report.json` keeps it.

use super::ablation::ablation_of;
use super::cells::{Pattern, count, patterns};
use super::colouring::{self, Colouring};
use super::image_grid::{ImageGrid, image_grids};
use super::integration::{self, Candidate, Integrated};
use super::layouts::{self, Layout};
use super::warnings::{self, Warning};
use crate::ablate::comparison::Comparison;
use crate::cluster::Clusters;
use crate::evaluate::{Components, Evaluation, principal_components, random_rows};
use crate::inpaint::Inpainted;
use crate::interpret::Interpreted;
use crate::phenotype::Phenotyped;
use crate::run::{Sources, SpaceFacts, SpaceRows, Stage, has_taught_encoders, stages};
use anyhow::{Context, Result};
use framework::data::{Dataset, Subset};
use framework::infer::Trained;
use framework::run::{Provenance, RunCells, RunDirectory};
use framework::spec::Experiment;
use serde::Serialize;
use serde::de::DeserializeOwned;
use std::path::Path;
use tch::Tensor;

/// Components of a modality that spaces are compared with where integration is judged.
const N_COMPONENTS: usize = 50;

/// A run, opened as far as it goes.
pub struct Subject<'a> {
    /// Its directory.
    pub run: &'a RunDirectory,
    /// Its spec.
    pub experiment: &'a Experiment,
    /// Its model; `None` where learning has not come so far.
    pub trained: Option<&'a Trained>,
    /// The rows that it keeps, by space, in the order of its cells.
    pub learned: Option<&'a [(String, Tensor)]>,
    /// Its cells.
    pub cells: &'a RunCells,
}

/// What the page is to have.
#[derive(Debug, Clone, Copy)]
pub struct Request<'a> {
    /// Columns of obs to colour by, beside those that the spec names.
    pub columns: &'a [String],
    /// Whether spaces are drawn.
    pub has_pictures: bool,
    /// Most cells that are drawn.
    pub max_cells: usize,
    /// The folder of an ablation that is shown; `None` for that of which the run is a part.
    pub ablation: Option<&'a Path>,
}

/// What is known of a modality.
#[derive(Debug, Clone, Serialize)]
pub struct ModalityFacts {
    /// Its name.
    pub name: String,
    /// The assay.
    pub kind: String,
    /// Features.
    pub n_features: usize,
    /// Training, validation, test and unused cells that it measured.
    pub n_cells: [usize; 4],
    /// What is done to its values, in order.
    pub steps: Vec<String>,
    /// What compares predictions with measurements.
    pub loss: String,
}

/// All that was found.
#[derive(Debug, Serialize)]
pub struct Found {
    /// Name of the run.
    pub name: String,
    /// The family of models.
    pub model: String,
    /// Trainable numbers in decoders, losses and priors, and in encoders; `None` where there is no model yet.
    pub n_parameters: Option<(usize, usize)>,
    /// What a reader must be warned of.
    pub warnings: Vec<Warning>,
    /// What could not be done, and why.
    pub notes: Vec<String>,
    /// The modalities.
    pub modalities: Vec<ModalityFacts>,
    /// Training, validation, test and unused cells.
    pub n_cells: [usize; 4],
    /// Cells by the modalities that measured them.
    pub patterns: Vec<Pattern>,
    /// How learning went.
    pub stages: Vec<Stage>,
    /// The latent spaces.
    pub spaces: Vec<SpaceFacts>,
    /// What cells are coloured by.
    pub colourings: Vec<Colouring>,
    /// The pictures of spaces.
    pub layouts: Vec<Layout>,
    /// Spaces without a picture, and why.
    pub undrawn: Vec<(String, String)>,
    /// Images of cells beside what the model makes of them.
    #[serde(skip)]
    pub images: Vec<ImageGrid>,
    /// How spaces join covariates and keep labels apart.
    pub integration: Vec<Integrated>,
    /// What `cithara interpret` found, where it was asked; it keeps its own numbers.
    #[serde(skip)]
    pub interpretation: Option<Interpreted>,
    /// The ablation that the run belongs to.
    pub ablation: Option<Comparison>,
    /// What `cithara cluster` found.
    pub clusters: Option<Clusters>,
    /// What `cithara inpaint` found, where it was asked, and its picture.
    #[serde(skip)]
    pub inpainting: Option<(Inpainted, String)>,
    /// What `cithara phenotype` found, where it was asked; it keeps its own numbers.
    #[serde(skip)]
    pub phenotype: Option<Phenotyped>,
    /// The evaluation, where the run has one.
    pub evaluation: Option<Evaluation>,
    /// Where the run comes from.
    pub provenance: Provenance,
}

/// Finds everything; `progress` is told what is being computed.
///
/// # Errors
/// When a file of the run is damaged, or a column that was asked for is not there.
pub fn find(subject: &Subject<'_>, request: &Request<'_>, progress: &mut dyn FnMut(&str)) -> Result<Found> {
    let Subject { run, experiment, cells, .. } = *subject;
    let mut search = Search { subject, notes: Vec::new(), progress };
    let stages = stages(run);
    let evaluation: Option<Evaluation> = read_json(&run.file("evaluation.json"), "cithara evaluate")?;
    let mut interpretation: Option<Interpreted> =
        read_json(&run.file("interpretation/interpretation.json"), "cithara interpret --force")?;
    for along in interpretation.iter_mut().flat_map(|found| &mut found.along) {
        along.svg = shown(run, &format!("interpretation/{}.svg", along.file));
    }
    let inpainting = read_json(&run.file("inpainting/inpainting.json"), "cithara inpaint --force")?;
    let inpainting = inpainting.map(|found: Inpainted| (found, shown(run, "inpainting/images.svg")));
    let phenotype = read_json(&run.file("phenotype/phenotype.json"), "cithara phenotype --force")?;
    let colourings = search.colourings(request.columns)?;
    let dataset = search.dataset(&stages);
    let spaces = search.spaces(dataset.as_ref(), &stages)?;
    let (layouts, undrawn) = search.layouts(&spaces, request)?;
    let images = search.images(dataset.as_ref())?;
    let integration = search.integration(&spaces, dataset.as_ref())?;
    let notes = search.notes;
    let facts: Vec<SpaceFacts> = spaces.into_iter().map(|space| space.facts).collect();
    let provenance = run.read_provenance()?;
    let mut warnings: Vec<Warning> = stopped(subject, &provenance).into_iter().collect();
    warnings.extend(stages.iter().filter_map(warnings::overfitting));
    warnings.extend(facts.iter().filter_map(warnings::collapsed));
    warnings.extend(evaluation.iter().flat_map(|evaluation| warnings::of_evaluation(evaluation, &facts)));
    let table = experiment.to_toml()?;
    Ok(Found {
        name: experiment.name.clone(),
        model: text_at(&table, &["model", "kind"]),
        n_parameters: subject.trained.map(|trained| trained.model.n_parameters()),
        warnings,
        notes,
        modalities: modalities(subject, &table),
        n_cells: count(cells, |_| true),
        patterns: patterns(cells),
        stages,
        spaces: facts,
        colourings,
        layouts,
        undrawn,
        images,
        integration,
        interpretation,
        ablation: ablation_of(run.path(), request.ablation)?,
        clusters: read_json(&run.file("clusters/clusters.json"), "cithara cluster --force")?,
        inpainting,
        phenotype,
        evaluation,
        provenance,
    })
}

/// What a command has left in a file of the run; `None` where it was not asked.
fn read_json<T: DeserializeOwned>(path: &Path, command: &str) -> Result<Option<T>> {
    if !path.is_file() {
        return Ok(None);
    }
    let text = std::fs::read(path).with_context(|| format!("`{}` cannot be read", path.display()))?;
    let found = serde_json::from_slice(&text);
    found.map(Some).with_context(|| format!("`{}` is damaged; `{command}` makes it again", path.display()))
}

/// A picture of the run; nothing where somebody took it away.
fn shown(run: &RunDirectory, name: &str) -> String {
    std::fs::read_to_string(run.file(name)).unwrap_or_default()
}

/// The warning of a run that has not ended.
fn stopped(subject: &Subject<'_>, provenance: &Provenance) -> Option<Warning> {
    let path = subject.run.path().display();
    let text = match (subject.run.checkpoint().is_file(), provenance.total_secs) {
        (true, _) => format!("learning was stopped, or goes on; go on with it: `cithara resume {path}`"),
        (false, None) if provenance.fit_secs.is_none() => {
            format!("learning has not ended, and keeps no state to go on from: `cithara resume {path}` begins anew")
        }
        (false, None) if subject.run.file("metrics.jsonl").is_file() => {
            format!("the model is learned, but what follows was stopped: `cithara resume {path}` does it")
        }
        _ => return None,
    };
    Some(Warning::new("stopped run", text))
}

fn modalities(subject: &Subject<'_>, table: &toml::Table) -> Vec<ModalityFacts> {
    let facts = |name: &String| {
        let n_cells = match subject.cells.modalities.iter().position(|other| other == name) {
            Some(place) => count(subject.cells, |cell| subject.cells.measured[place][cell]),
            None => [0; 4],
        };
        let entry = table.get("modality").and_then(|all| all.get(name)).and_then(toml::Value::as_table);
        let text = |keys: &[&str]| entry.map(|entry| text_at(entry, keys)).unwrap_or_default();
        let steps = entry.and_then(|entry| entry.get("steps")).and_then(toml::Value::as_array);
        let kind = |step: &toml::Value| Some(step.get("kind")?.as_str()?.to_owned());
        ModalityFacts {
            name: name.clone(),
            kind: text(&["kind"]),
            n_features: subject.run.read_features(name).map_or(0, |features| features.len()),
            n_cells,
            steps: steps.into_iter().flatten().filter_map(kind).collect(),
            loss: text(&["loss", "kind"]),
        }
    };
    subject.experiment.modalities.keys().map(facts).collect()
}

fn text_at(table: &toml::Table, keys: &[&str]) -> String {
    let (last, above) = keys.split_last().unwrap_or((&"", &[]));
    let inner = above.iter().try_fold(table, |table, key| table.get(*key)?.as_table());
    inner.and_then(|table| table.get(*last)).and_then(toml::Value::as_str).unwrap_or_default().to_owned()
}

/// Pictures of spaces, and spaces without one and why.
type Pictures = (Vec<Layout>, Vec<(String, String)>);

/// The way to what was found.
struct Search<'s, 'a> {
    subject: &'s Subject<'a>,
    notes: Vec<String>,
    progress: &'s mut dyn FnMut(&str),
}

impl Search<'_, '_> {
    /// The columns that the spec names and those that were asked for, then what every run has.
    fn colourings(&mut self, asked: &[String]) -> Result<Vec<Colouring>> {
        let Subject { experiment, cells, .. } = *self.subject;
        let mut names: Vec<String> = experiment.data.label.iter().chain(&experiment.evaluate.labels).cloned().collect();
        names.extend(integration::covariates(experiment));
        let mut found: Vec<Colouring> = Vec::new();
        for (name, is_asked) in names.iter().map(|name| (name, false)).chain(asked.iter().map(|name| (name, true))) {
            if found.iter().any(|colouring| colouring.name == *name) {
                continue;
            }
            match colouring::of_column(experiment, cells, name) {
                Ok(Some(colouring)) => found.push(colouring),
                Ok(None) if is_asked => return Err(super::no_column(experiment, name)?),
                Err(error) if is_asked => return Err(error),
                Ok(None) => self.notes.push(format!("obs has no column `{name}` to colour by")),
                Err(error) => self.notes.push(format!("cells are not coloured by `{name}`: {error:#}")),
            }
        }
        found.extend(colouring::of_run(cells));
        Ok(found)
    }

    /// The data of the run, where anything needs them.
    fn dataset(&mut self, stages: &[Stage]) -> Option<Dataset> {
        let trained = self.subject.trained?;
        let experiment = self.subject.experiment;
        let is_judged = integration::label_of(experiment).is_some() && !integration::covariates(experiment).is_empty();
        if !is_judged && !self.sources(trained, None, stages).needs_data() {
            return None;
        }
        (self.progress)("opening the data");
        match trained.data(experiment, None) {
            Ok((dataset, _)) => Some(dataset),
            Err(error) => {
                self.notes.push(format!(
                    "the data cannot be opened, so cells without learned rows and principal components are missing: {error:#}"
                ));
                None
            }
        }
    }

    fn sources<'b>(&self, trained: &'b Trained, dataset: Option<&'b Dataset>, stages: &[Stage]) -> Sources<'b>
    where
        Self: 'b,
    {
        let Subject { experiment, learned, cells, .. } = *self.subject;
        Sources { trained, experiment, learned, cells, dataset, has_encoders: has_taught_encoders(stages) }
    }

    fn spaces(&mut self, dataset: Option<&Dataset>, stages: &[Stage]) -> Result<Vec<SpaceRows>> {
        let Some(trained) = self.subject.trained else { return Ok(Vec::new()) };
        (self.progress)("rows of every space");
        let mut spaces = self.sources(trained, dataset, stages).all()?;
        let table = self.subject.experiment.to_toml()?;
        for space in &mut spaces {
            space.facts.prior = text_at(&table, &["latent", &space.facts.name, "prior", "kind"]);
        }
        Ok(spaces)
    }

    fn layouts(&mut self, spaces: &[SpaceRows], request: &Request<'_>) -> Result<Pictures> {
        let (mut drawn, mut undrawn) = (Vec::new(), Vec::new());
        if !request.has_pictures {
            return Ok((drawn, undrawn));
        }
        let seed = self.subject.experiment.seed;
        let chosen = layouts::chosen(self.subject.cells.n(), request.max_cells, seed);
        for space in spaces {
            let name = &space.facts.name;
            (self.progress)(&format!("picture of {name}"));
            match layouts::layout(space, &chosen, seed).with_context(|| format!("picture of `{name}`"))? {
                Ok(layout) => drawn.push(layout),
                Err(why) => undrawn.push((name.clone(), why)),
            }
        }
        Ok((drawn, undrawn))
    }

    fn images(&mut self, dataset: Option<&Dataset>) -> Result<Vec<ImageGrid>> {
        let (Some(trained), Some(dataset)) = (self.subject.trained, dataset) else { return Ok(Vec::new()) };
        (self.progress)("images of cells");
        image_grids(trained, dataset, self.subject.cells, self.subject.experiment.seed)
    }

    fn integration(&mut self, spaces: &[SpaceRows], dataset: Option<&Dataset>) -> Result<Vec<Integrated>> {
        let Subject { experiment, cells, .. } = *self.subject;
        let covariates = integration::covariates(experiment);
        let Some(label) = integration::label_of(experiment).filter(|_| !covariates.is_empty() && !spaces.is_empty())
        else {
            return Ok(Vec::new());
        };
        let Ok(Some(labels)) = colouring::labels(experiment, cells, label) else { return Ok(Vec::new()) };
        let controls = self.components(dataset)?;
        let widest =
            spaces.iter().filter(|space| space.facts.covariate.is_none()).max_by_key(|space| space.cells.len());
        let random = widest
            .map(|space| (&space.cells, random_rows(space.cells.len(), space.facts.dim as usize, experiment.seed)));
        let mut candidates: Vec<Candidate<'_>> = spaces.iter().map(Candidate::of_space).collect();
        let control = |name: String, cells, rows| Candidate { name, is_control: true, covariate: None, cells, rows };
        candidates.extend(controls.iter().map(|(name, of)| control(name.clone(), &of.cells, &of.scores)));
        candidates.extend(random.iter().map(|(cells, rows)| control("random numbers".to_owned(), cells, rows)));
        let mut all = Vec::new();
        for covariate in covariates.iter().filter(|covariate| *covariate != label) {
            let Ok(Some(classes)) = colouring::labels(experiment, cells, covariate) else { continue };
            (self.progress)(&format!("integration of {covariate} beside {label}"));
            let columns = ((label, labels.as_slice()), (covariate.as_str(), classes.as_slice()));
            all.push(integration::integrated(&candidates, columns.0, columns.1, experiment.seed)?);
        }
        Ok(all)
    }

    /// Principal components of every modality, of cells of the run.
    fn components(&mut self, dataset: Option<&Dataset>) -> Result<Vec<(String, Components)>> {
        let (Some(trained), Some(dataset)) = (self.subject.trained, dataset) else { return Ok(Vec::new()) };
        let Subject { experiment, cells, .. } = *self.subject;
        let places = cells.places();
        let of_run: Vec<Option<usize>> = dataset.cells.iter().map(|cell| places.get(cell.as_str()).copied()).collect();
        let subset = |place: &Option<usize>| place.map_or(Subset::Unused, |cell| cells.subsets[cell]);
        let subsets: Vec<Subset> = of_run.iter().map(subset).collect();
        let mut all = Vec::new();
        for (modality, assay) in dataset.assays.iter().enumerate() {
            (self.progress)(&format!("principal components of {}", assay.name));
            let found = principal_components((trained, experiment), (dataset, &subsets), modality, N_COMPONENTS)?;
            let Some(Components { cells, scores }) = found else { continue };
            let known: Vec<usize> = (0..cells.len()).filter(|&row| of_run[cells[row]].is_some()).collect();
            let rows = Tensor::from_slice(&known.iter().map(|&row| row as i64).collect::<Vec<_>>());
            let cells = known.iter().filter_map(|&row| of_run[cells[row]]).collect();
            let n_components = scores.size()[1];
            let scores = scores.f_index_select(0, &rows)?;
            all.push((format!("PCA of {} ({n_components})", assay.name), Components { cells, scores }));
        }
        Ok(all)
    }
}
