//! What the spaces of a model know of labels: which rows are probed, and beside what.

use super::controls::Spaces;
use super::evaluation::{LabelProbe, Method};
use super::factor::Factor;
use super::numbers::{random_rows, select};
use super::probe::{Probed, Prober, Truth};
use super::resamples::Resamples;
use super::seeds::{Draw, generator, key, subset};
use super::task::{Findings, Scene};
use super::verdict::{MIN_CELLS, of_space};
use anyhow::{Context, Result};
use framework::infer::{Embedding, combine, embed};
use tch::Tensor;

/// Probes the rows that encoders give: of each modality, and shared ones as means over modalities.
///
/// # Errors
/// When rows cannot be read or are not finite.
pub(super) fn encoded(scene: &Scene<'_>, found: &mut Findings<'_>) -> Result<Vec<LabelProbe>> {
    let factors = factors(scene, found);
    if factors.is_empty() {
        return Ok(Vec::new());
    }
    (found.progress)("rows of all cells from each encoder");
    let task = scene.task;
    if task.trained.model.mapping.is_some() {
        return joint(scene, &factors, found);
    }
    let embeddings = embed(&task.trained.model, task.dataset, task.trained.device, scene.cells_at_a_time())?;
    let embeddings = embeddings.by_modality();
    let mut all = Vec::new();
    for (label, factor) in &factors {
        for (modality, rows) in embeddings.iter().enumerate() {
            (found.progress)(&format!("{label} in the spaces of {}", scene.name(modality)));
            let probe = Labelled { scene, label, factor }.of_modality(modality, rows, found);
            all.extend(probe.with_context(|| format!("label `{label}`, modality `{}`", scene.name(modality)))?);
        }
        all.extend(Labelled { scene, label, factor }.of_combined(embeddings, found)?);
    }
    Ok(all)
}

/// Probes rows found from all that was measured of a cell: those of training cells as they were learned, those of judged
/// cells as they were mapped.
fn joint(scene: &Scene<'_>, factors: &[(String, Factor)], found: &mut Findings<'_>) -> Result<Vec<LabelProbe>> {
    let mut all = Vec::new();
    for (label, factor) in factors {
        for (place, (name, rows)) in scene.task.rows.into_iter().flatten().enumerate() {
            (found.progress)(&format!("{label} in {name}"));
            let labelled = Labelled { scene, label, factor };
            let group = Group {
                source: "mapped".to_owned(),
                train: factor.labelled(&scene.training),
                judged: factor.labelled(&scene.judged),
                in_sample: scene.cells.in_sample,
                place,
            };
            if labelled.is_enough(&group, found) {
                let spaces = Spaces { train: select(rows, &group.train), judged: select(rows, &group.judged) };
                let method = Method::of_model(name, &format!("{name} (all assays)"));
                let probe = labelled.probe(&group, &[(method, spaces)], None, found);
                all.push(probe.with_context(|| format!("label `{label}`, rows `{name}`"))?);
            }
        }
    }
    Ok(all)
}

/// Probes the rows learned in step 1, space by space, among training cells: a seeded fifth of them is judged; silhouettes
/// are those of all of them.
///
/// # Errors
/// When rows are not finite.
pub(super) fn learned(
    scene: &Scene<'_>,
    rows: &[(String, Tensor)],
    found: &mut Findings<'_>,
) -> Result<Vec<LabelProbe>> {
    let mut all = Vec::new();
    for (label, factor) in &factors(scene, found) {
        for (name, rows) in rows {
            (found.progress)(&format!("{label} in the learned rows of {name}"));
            let probe = Labelled { scene, label, factor }.of_learned(name, rows, found);
            all.extend(probe.with_context(|| format!("label `{label}`, learned rows `{name}`"))?);
        }
    }
    Ok(all)
}

/// The labels that the spec names, as far as they can be probed.
fn factors(scene: &Scene<'_>, found: &mut Findings<'_>) -> Vec<(String, Factor)> {
    let experiment = scene.task.experiment;
    let names: Vec<String> = match experiment.evaluate.labels.is_empty() {
        true => experiment.data.label.iter().cloned().collect(),
        false => experiment.evaluate.labels.clone(),
    };
    if names.is_empty() {
        found.note("no label was probed: name columns of obs in `evaluate.labels`, or one in `data.label`".to_owned());
    }
    let cells = [scene.training.as_slice(), &scene.judged].concat();
    let mut factors = Vec::new();
    for name in names {
        let column = scene.task.dataset.observations.column(&name);
        let factor = column.map_err(|error| format!("{error:#}, so nothing was probed for it"));
        match factor.and_then(|column| Factor::read(&name, column, &cells)) {
            Ok(factor) => factors.push((name, factor)),
            Err(note) => found.note(note),
        }
    }
    factors
}

/// One label to be probed.
struct Labelled<'a> {
    scene: &'a Scene<'a>,
    label: &'a str,
    factor: &'a Factor,
}

/// Cells to learn from and to judge, and a name for where their rows come from.
struct Group {
    source: String,
    train: Vec<usize>,
    judged: Vec<usize>,
    in_sample: bool,
    place: usize,
}

impl Labelled<'_> {
    fn of_modality(&self, modality: usize, rows: &Embedding, found: &mut Findings<'_>) -> Result<Option<LabelProbe>> {
        let (scene, branch) = (self.scene, &self.scene.task.trained.model.branches[modality]);
        let Some(measured) = &scene.measured[modality] else { return Ok(None) };
        let labelled = |cells: &[usize]| self.factor.labelled(&measured.held(cells));
        let group = Group {
            source: branch.name.clone(),
            train: labelled(&scene.training),
            judged: labelled(&scene.judged),
            in_sample: scene.cells.in_sample,
            place: modality,
        };
        let is_shared = |space: &usize| scene.task.trained.model.is_shared(*space);
        let (shared, specific): (Vec<usize>, Vec<usize>) = branch.reads.iter().partition(|&space| is_shared(space));
        let named = [("shared", "shared space", &shared), ("specific", "specific space", &specific)];
        let mut spaces: Vec<(Method, Spaces)> = Vec::new();
        for (name, label, places) in named {
            let rows_of = rows.side_by_side(places).map(|whole| group.rows(&rows.cells, &whole));
            spaces.extend(rows_of.map(|of| (Method::of_model(name, label), of)));
        }
        if spaces.len() != 1 {
            let whole = rows.side_by_side(&branch.reads).context("the encoder tells no rows")?;
            spaces.push((Method::of_model("all", "whole space"), group.rows(&rows.cells, &whole)));
        }
        if !self.is_enough(&group, found) {
            return Ok(None);
        }
        let components = scene.components(modality, &measured.held(&scene.training), &measured.held(&scene.judged))?;
        let components = components.map(|all| Spaces {
            train: select(&all.train, &places(&measured.held(&scene.training), &group.train)),
            judged: select(&all.judged, &places(&measured.held(&scene.judged), &group.judged)),
        });
        self.probe(&group, &spaces, components.as_ref(), found).map(Some)
    }

    fn of_combined(&self, embeddings: &[Embedding], found: &mut Findings<'_>) -> Result<Vec<LabelProbe>> {
        let model = &self.scene.task.trained.model;
        let mut all = Vec::new();
        for (space, entry) in model.spaces.iter().enumerate().filter(|(space, _)| model.is_shared(*space)) {
            let rows = combine(embeddings, space, entry.dim, self.scene.task.dataset.cells.len());
            let is_told =
                |cell: &usize| entry.modalities.iter().any(|&m| embeddings[m].cells.binary_search(cell).is_ok());
            let told = |cells: &[usize]| self.factor.labelled(cells).into_iter().filter(is_told).collect();
            let group = Group {
                source: "combined".to_owned(),
                train: told(&self.scene.training),
                judged: told(&self.scene.judged),
                in_sample: self.scene.cells.in_sample,
                place: embeddings.len() + space,
            };
            if self.is_enough(&group, found) {
                let spaces = Spaces { train: select(&rows, &group.train), judged: select(&rows, &group.judged) };
                let method = Method::of_model(&entry.name, &format!("{} (mean of encoders)", entry.name));
                let probe = self.probe(&group, &[(method, spaces)], None, found);
                all.push(probe.with_context(|| format!("label `{}`, combined `{}`", self.label, entry.name))?);
            }
        }
        Ok(all)
    }

    fn of_learned(&self, name: &str, rows: &Tensor, found: &mut Findings<'_>) -> Result<Option<LabelProbe>> {
        let scene = self.scene;
        let space = scene.task.trained.model.spaces.iter().find(|space| space.name == name);
        let space = space.with_context(|| format!("the model has no latent space `{name}`"))?;
        let is_measured =
            |cell: &usize| space.modalities.iter().any(|&m| scene.task.dataset.assays[m].rows[*cell].is_some());
        let cells: Vec<usize> = self.factor.labelled(&scene.training).into_iter().filter(is_measured).collect();
        let mut random = generator(scene.task.seed, Draw::HeldBack, 0);
        let held_back = subset(cells.len(), cells.len() / 5, &mut random);
        let judged: Vec<usize> = held_back.iter().map(|&place| cells[place]).collect();
        let train = cells.into_iter().filter(|cell| judged.binary_search(cell).is_err()).collect();
        let place = 10_000 + scene.measured.len();
        let group = Group { source: "learned".to_owned(), train, judged, in_sample: false, place };
        if !self.is_enough(&group, found) {
            return Ok(None);
        }
        let spaces = Spaces { train: select(rows, &group.train), judged: select(rows, &group.judged) };
        let method = Method::of_model(name, &format!("{name} (step 1)"));
        self.probe(&group, &[(method, spaces)], None, found).map(Some)
    }

    fn is_enough(&self, group: &Group, found: &mut Findings<'_>) -> bool {
        let (n_train, n_judged) = (group.train.len(), group.judged.len());
        let is_enough = n_train >= 2 && n_judged >= 2;
        if !is_enough {
            found.note(format!(
                "`{}` was not probed in {}: {n_train} training and {n_judged} judged cells have it",
                self.label, group.source
            ));
        }
        is_enough
    }

    fn truth(&self, group: &Group) -> Truth {
        match self.factor {
            Factor::Classes { codes, n_classes } => {
                let of = |cells: &[usize]| cells.iter().filter_map(|&cell| codes[cell]).collect();
                Truth::Classes { train: of(&group.train), judged: of(&group.judged), n_classes: *n_classes }
            }
            Factor::Numbers(numbers) => Truth::Numbers(group.judged.iter().filter_map(|&cell| numbers[cell]).collect()),
        }
    }

    /// Probes spaces beside as many principal components each, and beside permuted labels.
    fn probe(
        &self,
        group: &Group,
        spaces: &[(Method, Spaces)],
        components: Option<&Spaces>,
        found: &mut Findings<'_>,
    ) -> Result<LabelProbe> {
        let truth = self.truth(group);
        let resamples = Resamples::draw(group.judged.len(), self.scene.task.seed, group.place)?;
        let prober = Prober {
            truth: &truth,
            n_neighbours: self.scene.task.experiment.evaluate.n_label_neighbours,
            in_sample: group.in_sample,
            silhouette_of_all: group.is_learned(),
            resamples: &resamples,
            seed: self.scene.task.seed,
        };
        let mut own = Vec::new();
        for (method, spaces) in spaces {
            own.push(prober.probe(method.clone(), spaces)?);
        }
        let mut controls = beside(&prober, &own, components)?;
        found.verdicts.extend(self.verdict(group, &own, &controls));
        if let Some((_, spaces)) = spaces.first().filter(|_| self.scene.task.beside_controls) {
            controls
                .push(prober.probe(Method::control("random", "random numbers"), &self.random(group, spaces.dim()))?);
            controls.push(prober.probe_permuted(spaces)?);
        }
        let n_classes = match self.factor {
            Factor::Classes { n_classes, .. } => Some(*n_classes),
            Factor::Numbers(_) => None,
        };
        Ok(LabelProbe {
            label: self.label.to_owned(),
            source: group.source.clone(),
            n_classes,
            n_training: group.train.len(),
            n_cells: group.judged.len(),
            spaces: own.into_iter().chain(controls).map(|probed| probed.scores).collect(),
        })
    }

    /// Numbers that know nothing of the cells.
    fn random(&self, group: &Group, dim: usize) -> Spaces {
        let n_cells = self.scene.task.dataset.cells.len();
        let seed = key(self.scene.task.seed, Draw::RandomRows, group.place);
        let all = random_rows(n_cells, dim, seed);
        Spaces { train: select(&all, &group.train), judged: select(&all, &group.judged) }
    }

    /// The first space (the shared one, where there is one) beside principal components of equal number.
    fn verdict(&self, group: &Group, own: &[Probed], controls: &[Probed]) -> Option<super::Verdict> {
        let space = own.first()?;
        let control = controls.iter().find(|control| control.scores.dim == space.scores.dim).or(controls.last())?;
        let (accuracy, other) = (space.accuracy.as_ref()?, control.accuracy.as_ref()?);
        let n_cells = group.judged.len();
        let subject = (group.source.as_str(), self.label);
        (n_cells >= MIN_CELLS).then(|| of_space(subject, n_cells, (&space.scores, accuracy), (&control.scores, other)))
    }
}

/// As many principal components as each probed space has numbers per cell, each number of them once.
fn beside(prober: &Prober<'_>, own: &[Probed], components: Option<&Spaces>) -> Result<Vec<Probed>> {
    let mut controls: Vec<Probed> = Vec::new();
    for components in components.iter().flat_map(|all| own.iter().map(|probed| all.first(probed.scores.dim))) {
        let dim = components.dim();
        if controls.iter().all(|control| control.scores.dim != dim) {
            let method = Method::control(&format!("pca_{dim}"), format!("PCA ({dim})"));
            controls.push(prober.probe(method, &components)?);
        }
    }
    Ok(controls)
}

impl Group {
    /// Whether the rows are those of step 1: none of them was held back while they were learned.
    fn is_learned(&self) -> bool {
        self.source == "learned"
    }

    /// Rows of training and judged cells, out of those of `cells` (ascending).
    fn rows(&self, cells: &[usize], rows: &Tensor) -> Spaces {
        Spaces { train: select(rows, &places(cells, &self.train)), judged: select(rows, &places(cells, &self.judged)) }
    }
}

/// Place of each of `some` in `cells` (ascending, holding all of them).
fn places(cells: &[usize], some: &[usize]) -> Vec<usize> {
    some.iter().filter_map(|cell| cells.binary_search(cell).ok()).collect()
}
