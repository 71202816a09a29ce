//! How the components of a prior agree with a label, beside principal components grouped by k-means.

use super::controls::Spaces;
use super::evaluation::{Clustering, ClusteringScores, Method};
use super::factor::Factor;
use super::numbers::select;
use super::seeds::{Draw, key};
use super::task::{Findings, Scene};
use analysis::{KMeans, agreement, silhouette};
use anyhow::{Context, Result};
use std::collections::BTreeSet;
use tch::{Device, Kind, Tensor, no_grad};

/// Starts of k-means.
const N_STARTS: usize = 10;

/// Groups the cells by the most probable component of every space that has components and stands for no covariate.
///
/// # Errors
/// When rows are not finite.
pub(super) fn of_components(scene: &Scene<'_>, found: &mut Findings<'_>) -> Result<Vec<Clustering>> {
    let Some(label) = &scene.task.experiment.data.label else { return Ok(Vec::new()) };
    let cells = [scene.training.as_slice(), &scene.judged].concat();
    let column = scene.task.dataset.observations.column(label)?;
    let Ok(Factor::Classes { codes, n_classes }) = Factor::read(label, column, &cells) else { return Ok(Vec::new()) };
    let cells = [&scene.training, &scene.judged].map(|cells| measured_by_all(scene, &codes, cells));
    let truth = cells.each_ref().map(|cells| cells.iter().filter_map(|&cell| codes[cell]).collect());
    let mut all = Vec::new();
    for (name, rows) in scene.task.rows.into_iter().flatten() {
        let space = scene.task.trained.model.spaces.iter().find(|space| &space.name == name && !space.is_covariate);
        let Some(space) = space else { continue };
        let rows_there = rows.to_device(scene.task.trained.device);
        let Some(probabilities) = no_grad(|| space.prior.responsibilities(&rows_there))? else { continue };
        if probabilities.size()[1] < 2 {
            continue;
        }
        (found.progress)(&format!("components of {name} beside {label}"));
        let components = probabilities.argmax(1, false).to_device(Device::Cpu);
        let grouped = Grouped { scene, label, n_classes, cells: &cells, truth: &truth, name, rows };
        all.push(grouped.clustering(&components).with_context(|| format!("components of `{name}`"))?);
    }
    Ok(all)
}

/// Those of some cells that have a label and were measured by every modality.
fn measured_by_all(scene: &Scene<'_>, codes: &[Option<u32>], cells: &[usize]) -> Vec<usize> {
    let labelled = cells.iter().copied().filter(|&cell| codes[cell].is_some()).collect();
    scene.measured.iter().flatten().fold(labelled, |cells: Vec<usize>, measured| measured.held(&cells))
}

/// A space whose components are groups.
struct Grouped<'a> {
    scene: &'a Scene<'a>,
    label: &'a str,
    n_classes: usize,
    /// Labelled training and judged cells that every modality measured.
    cells: &'a [Vec<usize>; 2],
    /// Their classes.
    truth: &'a Groups,
    name: &'a str,
    rows: &'a Tensor,
}

/// The groups of training and of judged cells.
type Groups = [Vec<u32>; 2];

impl Grouped<'_> {
    fn clustering(&self, components: &Tensor) -> Result<Clustering> {
        let [train, judged] = self.cells;
        let of = |cells: &[usize]| -> Result<Vec<u32>> {
            let groups = Vec::<i64>::try_from(select(components, cells))?;
            Ok(groups.into_iter().map(|group| group as u32).collect())
        };
        let method = Method::of_model("components", format!("components of {}", self.name).as_str());
        let mut methods = vec![self.scores(method, &[of(train)?, of(judged)?])?];
        let own = Spaces { train: select(self.rows, train), judged: select(self.rows, judged) };
        let groups = self.k_means(&own)?;
        methods.push(self.scores(Method::of_model("rows_k_means", "k-means of its rows"), &groups)?);
        let mut pieces: Vec<Spaces> = Vec::new();
        for modality in 0..self.scene.measured.len() {
            let Some(spaces) = self.principal(modality, train, judged)? else { continue };
            let name = self.scene.name(modality);
            let method = Method::control(&format!("k_means_{name}"), format!("PCA of {name}, k-means"));
            methods.push(self.scores(method, &self.k_means(&spaces)?)?);
            pieces.push(spaces);
        }
        if pieces.len() > 1 {
            let side_by_side = |of: fn(&Spaces) -> &Tensor| Tensor::cat(&pieces.iter().map(of).collect::<Vec<_>>(), 1);
            let all = Spaces { train: side_by_side(|s| &s.train), judged: side_by_side(|s| &s.judged) };
            let method = Method::control("k_means_all", "PCA of all, k-means");
            methods.push(self.scores(method, &self.k_means(&all)?)?);
        }
        Ok(Clustering {
            space: self.name.to_owned(),
            label: self.label.to_owned(),
            n_classes: self.n_classes,
            methods,
            mixing: self.mixing()?,
        })
    }

    /// As many principal components as the space has numbers, of unit total variance.
    fn principal(&self, modality: usize, train: &[usize], judged: &[usize]) -> Result<Option<Spaces>> {
        let Some(spaces) = self.scene.components(modality, train, judged)? else { return Ok(None) };
        let spaces = spaces.first(self.rows.size()[1] as usize);
        let scale = spaces.train.var_dim([0i64].as_slice(), true, false).sum(Kind::Double).sqrt();
        Ok(Some(Spaces { train: &spaces.train / &scale, judged: &spaces.judged / &scale }))
    }

    fn k_means(&self, spaces: &Spaces) -> Result<Groups> {
        let seed = key(self.scene.task.seed, Draw::Groups, 0);
        let means = KMeans::fit(&spaces.train, self.n_classes, N_STARTS, seed)?;
        Ok([means.groups(&spaces.train)?, means.groups(&spaces.judged)?])
    }

    fn scores(&self, method: Method, groups: &Groups) -> Result<ClusteringScores> {
        let [in_training, in_judged] = [0, 1].map(|subset| agreement(&groups[subset], &self.truth[subset]));
        let (in_training, in_judged) = (in_training?, in_judged?);
        Ok(ClusteringScores {
            method,
            n_groups: groups[0].iter().collect::<BTreeSet<_>>().len(),
            ari_training: in_training.adjusted_rand,
            nmi_training: in_training.normalised_mutual_information,
            ari: in_judged.adjusted_rand,
            nmi: in_judged.normalised_mutual_information,
        })
    }

    fn mixing(&self) -> Result<Vec<(String, f64)>> {
        let task = self.scene.task;
        let mut all = Vec::new();
        for classes in task.trained.cohort.classes.iter().flatten() {
            let Ok(column) = task.dataset.observations.column(&classes.column) else { continue };
            let codes = classes.codes(column);
            let cells: Vec<usize> = self.scene.training.iter().copied().filter(|&cell| codes[cell] >= 0).collect();
            let groups: Vec<u32> = cells.iter().map(|&cell| codes[cell] as u32).collect();
            if groups.iter().collect::<BTreeSet<_>>().len() < 2 {
                continue;
            }
            let seed = key(task.seed, Draw::Silhouette, 1);
            let mean = silhouette(&select(self.rows, &cells), &groups, seed)?.mean;
            all.push((classes.column.clone(), 1.0 - mean));
        }
        Ok(all)
    }
}
