//! `cithara cluster`: cells of each latent space in clusters.

use super::model::OpenRun;
use super::spaces::{annotate_each, chosen_spaces, label_columns, labels_of_spec, results_folder};
use crate::arguments::ClusterArguments;
use crate::cluster::{
    Agreed, ClusterSpec, Clustered, Clusters, Composition, LabelColumn, Method, SpaceClusters, agreed, annotate,
    clustered, picture_of, summary, write,
};
use crate::console::Console;
use crate::evaluate::{random_rows, select};
use crate::failure::Misuse;
use crate::interpret::{ControlRows, SpaceOfCells, spaces_of};
use crate::run::{has_taught_encoders, stages};
use anyhow::{Context, Result};
use framework::data::Dataset;
use registry::Catalogue;
use std::collections::BTreeSet;

/// Fewer cells are not grouped.
const MIN_CELLS: usize = 10;

/// A picture's places of the drawn cells.
type Points = Vec<[f64; 2]>;

pub(super) fn execute(arguments: &ClusterArguments, catalogue: &Catalogue, console: &mut Console<'_>) -> Result<()> {
    let run = OpenRun::open(&arguments.run, catalogue)?;
    let place = (arguments.out.as_deref(), "clusters");
    let folder = results_folder(&run, place, ("clusters.json", "clusters"), arguments.force)?;
    let (dataset, split) = run.own_data()?;
    let mut names = labels_of_spec(&run);
    names.extend(arguments.labels.iter().cloned());
    let labels = label_columns(&run, &dataset, &names)?;
    let spec = spec(arguments, &labels, run.experiment.seed)?;
    let learned = run.rows(&dataset.cells)?;
    let has_encoders = has_taught_encoders(&stages(&run.directory));
    let spaces = spaces_of(&run.trained, (&dataset, &split), learned.as_deref(), has_encoders)?;
    let spaces = chosen_spaces(spaces, &arguments.spaces)?;
    let controls =
        ControlRows::of((&run.trained, &run.experiment), (&dataset, &split), &spaces.iter().collect::<Vec<_>>())?;
    let task = Task { spec, dataset: &dataset, labels: &labels, controls: &controls, has_pictures: !arguments.no_umap };
    let (mut found, mut groups) = (Clusters::new(spec), Vec::new());
    for space in &spaces {
        if space.cells.len() < MIN_CELLS {
            found.notes.push(format!(
                "{} has {} cells with rows; at least {MIN_CELLS} are needed",
                space.name,
                space.cells.len()
            ));
            continue;
        }
        console.note(&format!("clustering: {}, {} cells", space.name, space.cells.len()))?;
        let (clusters, points) = task.clusters(space, &mut found)?;
        groups.push((space, clusters, points));
    }
    let written = write(&found, &folder)?;
    if !arguments.no_annotation {
        annotate_each(&run, console, |annotator, file| {
            groups.iter().try_for_each(|(space, clusters, points)| {
                let what = (*space, clusters, points.as_deref());
                annotate((&mut *annotator, file), what, (&dataset.cells, spec.method, spec.n_neighbours))
            })
        })?;
    }
    console.results(&summary(&found), &found.notes, &written)
}

fn spec(arguments: &ClusterArguments, labels: &[LabelColumn], seed: u64) -> Result<ClusterSpec> {
    let resolution = arguments.resolution;
    if !(resolution > 0.0 && resolution.is_finite()) {
        return Err(Misuse::new(format!("`--resolution {resolution}` must be a number above 0")).into());
    }
    if arguments.neighbours < 2 {
        return Err(Misuse::new("`--neighbours 1` is the cell itself; at least 2 are needed".to_owned()).into());
    }
    let n_classes = labels.first().map(|(_, column)| column.iter().flatten().collect::<BTreeSet<_>>().len());
    let n_clusters = match (arguments.method, arguments.n_clusters.or(n_classes.filter(|n| *n > 0))) {
        (_, Some(n_clusters)) => n_clusters,
        (Method::Leiden, None) => 1,
        (Method::KMeans, None) => {
            return Err(Misuse::new("the run has no label, so k-means needs `--n-clusters`".to_owned()).into());
        }
    };
    Ok(ClusterSpec {
        method: arguments.method,
        resolution,
        n_clusters,
        n_neighbours: arguments.neighbours,
        max_cells: arguments.max_cells.max(MIN_CELLS),
        seed: arguments.seed.unwrap_or(seed),
    })
}

/// How spaces are grouped, and what they are compared with.
struct Task<'a> {
    spec: ClusterSpec,
    dataset: &'a Dataset,
    labels: &'a [LabelColumn],
    controls: &'a ControlRows,
    has_pictures: bool,
}

impl Task<'_> {
    /// Groups a space and its controls, and adds what is found.
    fn clusters(&self, space: &SpaceOfCells, found: &mut Clusters) -> Result<(Clustered, Option<Points>)> {
        let clusters = clustered(&space.rows, self.spec).with_context(|| format!("clusters of `{}`", space.name))?;
        let graph = clusters.graph.as_ref().filter(|_| self.has_pictures);
        let drawn = graph.map(|graph| picture_of(&select(&space.rows, &clusters.drawn), graph, self.spec.seed));
        let points = drawn.transpose().with_context(|| format!("picture of `{}`", space.name))?;
        let of_labels = self.agreed(space, (&space.name, false), &clusters.groups)?;
        let (agreement, compositions): (Vec<Agreed>, Vec<Composition>) = of_labels.into_iter().unzip();
        found.agreement.extend(agreement);
        let random = random_rows(space.cells.len(), space.dim(), self.spec.seed);
        let principal = self.controls.principal(space).map(|rows| ("principal components", rows));
        for (name, rows) in principal.into_iter().chain([("random numbers", random)]) {
            let name = format!("{}: {} {name}", space.name, rows.size()[1]);
            let groups = clustered(&rows, self.spec).with_context(|| format!("clusters of {name}"))?.groups;
            found.agreement.extend(self.agreed(space, (&name, true), &groups)?.into_iter().map(|(agreed, _)| agreed));
        }
        let mut sizes = vec![0; clusters.n_groups];
        clusters.groups.iter().for_each(|&group| sizes[group as usize] += 1);
        let mut places = vec![None; space.cells.len()];
        for (&row, point) in clusters.drawn.iter().zip(points.iter().flatten()) {
            places[row] = Some(*point);
        }
        let name = |row: usize| self.dataset.cells[space.cells[row]].clone();
        found.spaces.push(SpaceClusters {
            space: space.name.clone(),
            sizes,
            objective: clusters.objective,
            silhouette: clusters.silhouette,
            n_drawn: clusters.drawn.len(),
            compositions,
            cells: (0..places.len()).map(|row| (name(row), clusters.groups[row], places[row])).collect(),
        });
        Ok((clusters, points))
    }

    fn agreed(
        &self,
        space: &SpaceOfCells,
        (name, is_control): (&str, bool),
        groups: &[u32],
    ) -> Result<Vec<(Agreed, Composition)>> {
        let of = |label| agreed((name, &space.name, is_control), (&space.cells, groups), label);
        self.labels.iter().filter_map(|label| of(label).transpose()).collect()
    }
}
