//! What was found, in the run's annotated file, where scanpy and Seurat users go on from.

use super::findings::{Interpreted, SpaceFindings};
use super::spaces::SpaceOfCells;
use crate::run::in_file_order;
use anndata::{Annotator, Dense, File, Kind, UnsTree};
use anyhow::Result;
use framework::spec::Experiment;
use std::collections::HashMap;

/// Adds to each modality of the file whose features explain a space: `varm["cithara_SPACE"]` (Welch's t of each feature at
/// the positive end of each component against its other groups; NaN for features that were not tested) and
/// `uns["rank_genes_groups_SPACE"]`, in the layout of scanpy with a dictionary of arrays for each record array.
///
/// # Errors
/// When the file cannot be written.
pub fn annotate(
    (annotator, file): (&mut Annotator, &File),
    experiment: &Experiment,
    found: &Interpreted,
) -> Result<()> {
    for space in &found.spaces {
        let Some(entry) = experiment.modalities.get(&space.features) else { continue };
        let key = entry.key.as_deref().unwrap_or(&space.features);
        let modality = match file.kind() {
            Kind::H5mu if file.modalities()?.iter().any(|name| name == key) => Some(key),
            Kind::H5ad if experiment.modalities.len() == 1 => None,
            _ => continue,
        };
        let features = file.modality(modality.unwrap_or_default())?;
        annotator.set_varm(modality, &format!("cithara_{}", space.space), &t_values(space, features.features())?)?;
        annotator.set_uns(modality, &format!("rank_genes_groups_{}", space.space), &ranked(space))?;
    }
    Ok(())
}

/// Adds `obsm["cithara_SPACE"]` of spaces that are made of others, in the order of the file's cells; NaN where a cell has no row.
///
/// # Errors
/// When the file cannot be written.
pub fn annotate_rows(
    (annotator, file): (&mut Annotator, &File),
    names: &[String],
    spaces: &[SpaceOfCells],
) -> Result<()> {
    for space in spaces {
        let rows = space.rows_in(file.cells(), names);
        annotator.set_obsm(None, &format!("cithara_{}", space.name), &in_file_order(&space.rows, &rows)?)?;
    }
    Ok(())
}

/// n_features × n_components.
fn t_values(space: &SpaceFindings, features: &[String]) -> Result<Dense> {
    let places: HashMap<&str, usize> = space.names.iter().map(String::as_str).zip(0..).collect();
    let of = |feature: &String, t: &Vec<f64>| places.get(feature.as_str()).and_then(|&place| t.get(place)).copied();
    let row = |feature: &String| space.t.iter().map(|t| of(feature, t).unwrap_or(f64::NAN) as f32).collect::<Vec<_>>();
    Dense::new(features.len(), space.t.len(), features.iter().flat_map(row).collect())
}

/// The features of largest t of every group that could be tested.
fn ranked(space: &SpaceFindings) -> UnsTree {
    let groups: Vec<(String, &[super::findings::RankedFeature])> = (space.components.iter())
        .flat_map(|component| component.groups.iter().map(move |group| (component.component, group)))
        .filter(|(_, group)| !group.ranked.is_empty())
        .map(|(component, group)| (format!("PC{component} {}", group.direction), group.ranked.as_slice()))
        .collect();
    let names: UnsTree = groups
        .iter()
        .map(|(name, ranked)| (name.clone(), ranked.iter().map(|one| one.feature.clone()).collect::<Vec<_>>()))
        .collect();
    let numbers = |of: fn(&super::findings::RankedFeature) -> f64| -> UnsTree {
        groups.iter().map(|(name, ranked)| (name.clone(), ranked.iter().map(of).collect::<Vec<_>>())).collect()
    };
    let params: UnsTree = [("method", "t-test"), ("groupby", "component and direction"), ("reference", "other groups")]
        .into_iter()
        .collect();
    [
        ("params", params),
        ("names", names),
        ("scores", numbers(|one| one.t)),
        ("pvals", numbers(|one| one.p)),
        ("pvals_adj", numbers(|one| one.q)),
        ("logfoldchanges", numbers(|one| one.log2_fold_change)),
    ]
    .into_iter()
    .collect()
}
