//! Rows and predictions written into copies of the data files, beside everything that was there.

mod components;

use anndata::{Annotator, Dense, File, Kind, UnsTree};
use anyhow::{Context, Result, ensure};
use framework::FeatureShape;
use framework::data::{DataFile, Dataset, key_in_new};
use framework::infer::{Embeddings, Predictor};
use framework::model::Model;
use framework::spec::{Experiment, ModelKind};
use indexmap::IndexMap;
use std::collections::HashMap;
use tch::{Kind as TensorKind, Tensor};

/// Rows of a layer that are predicted and written at a time.
const ROWS_AT_A_TIME: usize = 1024;

/// Names of the annotated copies of data files in a run directory: `annotated.h5mu`, or with each file's own name where
/// the run read several (numbered where two are called alike).
///
/// Tables of other formats become .h5ad or .h5mu.
///
/// # Errors
/// When a table cannot be read.
pub fn annotated_names(files: &[DataFile]) -> Result<Vec<String>> {
    let mut names: Vec<String> = Vec::with_capacity(files.len());
    for (index, file) in files.iter().enumerate() {
        let (stem, extension) = (file.stem(), file.annotated_ending()?);
        let name = match files.len() {
            1 => format!("annotated.{extension}"),
            _ => format!("annotated_{stem}.{extension}"),
        };
        let is_taken = names.contains(&name);
        names.push(if is_taken { format!("annotated_{}_{stem}.{extension}", index + 1) } else { name });
    }
    Ok(names)
}

/// Writes the rows of every cell: `obsm["X_apollo"]` (all spaces), `X_apollo_shared`, `X_apollo_MODALITY`, for the file
/// as a whole (means over the modalities that tell a row) and for each modality (its own encoder's rows); `uns["cithara"]`.
///
/// Cells that the model did not see (filtered, not measured) get NaN.
///
/// # Errors
/// When the file cannot be written.
pub fn annotate_embedding(
    annotator: &mut Annotator,
    file: &File,
    scene: &Scene<'_>,
    embeddings: &Embeddings,
) -> Result<()> {
    let prefix = obsm_prefix(scene.experiment);
    let places = places_by_name(&scene.dataset.cells);
    if file.kind() == Kind::H5mu || embeddings.by_modality().is_empty() {
        let n_cells = scene.dataset.cells.len();
        let of_space = |space: usize| embeddings.of_space(space, scene.model.spaces[space].dim, n_cells);
        let combined: Vec<Tensor> = (0..scene.model.spaces.len()).map(of_space).collect();
        let rows = file_rows(file.cells(), &places);
        for (name, tensor) in named_spaces(scene.model, &prefix, |space| Some(combined[space].shallow_clone())) {
            annotator.set_obsm(None, &name, &in_file_order(&tensor, &rows)?)?;
        }
        components::annotate(annotator, scene, &combined, &rows)?;
    }
    let modalities = scene.experiment.modalities.iter().zip(embeddings.by_modality());
    for ((name, entry), embedding) in modalities {
        let Some(modality) = scene.modality_in(file, name, entry.key.as_deref())? else { continue };
        let own: HashMap<&str, usize> =
            embedding.cells.iter().enumerate().map(|(row, &cell)| (scene.dataset.cells[cell].as_str(), row)).collect();
        let rows = file_rows(file.modality(&modality)?.cells(), &own);
        let of_space = |space: usize| embedding.rows[space].as_ref().map(Tensor::shallow_clone);
        for (key, tensor) in named_spaces(scene.model, &prefix, of_space) {
            annotator.set_obsm(target(file, &modality), &key, &in_file_order(&tensor, &rows)?)?;
        }
    }
    annotator.set_uns(None, "cithara", &scene.about()?)
}

/// What rows and predictions belong to.
pub struct Scene<'a> {
    /// The spec of the run.
    pub experiment: &'a Experiment,
    /// The model.
    pub model: &'a Model,
    /// The cells that went through it.
    pub dataset: &'a Dataset,
    /// For a file of one modality: which it is.
    pub only_modality: Option<&'a str>,
}

impl Scene<'_> {
    /// Key under which the file holds a modality of the experiment; `None` if it does not.
    fn modality_in(&self, file: &File, name: &str, key: Option<&str>) -> Result<Option<String>> {
        Ok(match file.kind() {
            Kind::H5mu => key_in_new(file, name, key)?,
            Kind::H5ad => {
                let entry = self.experiment.modalities.get(name);
                let own = entry.and_then(|e| e.path.clone()).or_else(|| self.experiment.data.path.clone());
                let is_it = match self.only_modality {
                    Some(only) => only == name,
                    None => self.experiment.modalities.len() == 1 || own.as_deref() == Some(file.path()),
                };
                is_it.then(String::new)
            }
        })
    }

    /// What `uns["cithara"]` says of the run: spec, checksum, seed, version.
    ///
    /// # Errors
    /// When the spec cannot be written.
    pub fn about(&self) -> Result<UnsTree> {
        let spec = toml::to_string(&self.experiment.to_toml()?)?;
        let entries = [
            ("format_version", "1".to_owned()),
            ("version", env!("CARGO_PKG_VERSION").to_owned()),
            ("spec_sha256", framework::run::digest_text(&spec)),
            ("spec", spec),
            ("seed", self.experiment.seed.to_string()),
        ];
        Ok(UnsTree::Branch(entries.into_iter().map(|(k, v)| (k.to_owned(), v.into())).collect::<IndexMap<_, _>>()))
    }
}

/// Writes what one modality predicts of another as `layers["predicted_from_SOURCE"]` of the target, or as
/// `obsm["predicted_TARGET"]` of the source where the file does not hold the target, or the target is of images; `_CATEGORY`
/// follows for each condition that all cells are decoded as one category of. NaN where nothing is predicted. Values
/// are the loss's expected ones: of successes among trials the share, for every feature of a predicted cell, measured or
/// not.
///
/// Returns where it was written.
///
/// # Errors
/// When the modalities share no space or the file cannot be written.
pub fn annotate_prediction(
    annotator: &mut Annotator,
    file: &File,
    scene: &Scene<'_>,
    predictor: &Predictor<'_>,
    features: &[String],
) -> Result<String> {
    let name = |index: usize| scene.model.branches[index].name.as_str();
    let (source, target_name) = (name(predictor.source), name(predictor.target));
    let entry = |name: &str| scene.experiment.modalities.get(name).and_then(|entry| entry.key.as_deref());
    // the matrix of an assay of images holds features of nuclei, not pixels
    let of_images = matches!(scene.dataset.assays[predictor.target].modality.shape(), FeatureShape::Image { .. });
    match scene.modality_in(file, target_name, entry(target_name))?.filter(|_| !of_images) {
        Some(modality) => {
            let key = format!("predicted_from_{source}{}", decoded_as(predictor));
            let annotated = file.modality(&modality)?;
            let columns = Columns::new(features, annotated.features());
            ensure!(
                columns.n_found > 0,
                "no feature of `{target_name}` in the model is in `{}`",
                file.path().display()
            );
            let layer = annotator.create_layer(target(file, &modality), &key)?;
            let write = |first: usize, rows: &Dense| annotator.write_rows(layer, first, rows);
            predict_rows(scene, predictor, annotated.cells(), &columns, write)?;
            Ok(format!("layers[\"{key}\"] of `{target_name}`"))
        }
        None => {
            let modality = scene.modality_in(file, source, entry(source))?;
            let modality = modality.with_context(|| format!("`{}` does not hold `{source}`", file.path().display()))?;
            let cells = file.modality(&modality)?.cells().to_vec();
            let columns = Columns::new(features, features);
            let key = format!("predicted_{target_name}{}", decoded_as(predictor));
            let array = annotator.create_obsm(target(file, &modality), &key, features.len())?;
            let write = |first: usize, rows: &Dense| annotator.write_rows(array, first, rows);
            predict_rows(scene, predictor, &cells, &columns, write)?;
            let names = UnsTree::Text(features.join("\n"));
            annotator.set_uns(target(file, &modality), &format!("{key}_features"), &names)?;
            Ok(format!("obsm[\"{key}\"] of `{source}`"))
        }
    }
}

/// What the name of a prediction says of the categories that all cells are decoded as; a slash would make a group in HDF5.
fn decoded_as(predictor: &Predictor<'_>) -> String {
    let named = predictor.model.conditions.iter().zip(predictor.decoded_as);
    let category = |(condition, code): (&framework::model::Condition, &Option<i64>)| {
        Some(format!("_{}", condition.categories.get((*code)? as usize)?.replace('/', "_")))
    };
    named.filter_map(category).collect()
}

/// The cells of a data set that get predictions of a modality: images stand with the source, and so does what the file does not
/// hold; all else stands with what was measured.
pub fn predicted_cells(dataset: &Dataset, source: usize, target: usize) -> Vec<usize> {
    let all: Vec<usize> = (0..dataset.cells.len()).collect();
    let cells = dataset.assays[source].measured_cells(&all);
    let modality = &dataset.assays[target].modality;
    match modality.shape() {
        FeatureShape::Vector(_) if !modality.cells().is_empty() => dataset.assays[target].measured_cells(&cells),
        _ => cells,
    }
}

/// Where each feature of the model is among the columns of a file.
struct Columns {
    column_of_feature: Vec<Option<usize>>,
    n_columns: usize,
    n_found: usize,
}

impl Columns {
    fn new(features: &[String], columns: &[String]) -> Columns {
        let places = places_by_name(columns);
        let column_of_feature: Vec<Option<usize>> = features.iter().map(|f| places.get(f.as_str()).copied()).collect();
        let n_found = column_of_feature.iter().flatten().count();
        Columns { column_of_feature, n_columns: columns.len(), n_found }
    }
}

/// Predicts the cells of a file in its order, some rows at a time.
fn predict_rows(
    scene: &Scene<'_>,
    predictor: &Predictor<'_>,
    cells: &[String],
    columns: &Columns,
    mut write: impl FnMut(usize, &Dense) -> Result<()>,
) -> Result<()> {
    let places = places_by_name(&scene.dataset.cells);
    let source = &scene.dataset.assays[predictor.source];
    let in_file: Vec<Option<usize>> = cells.iter().map(|cell| places.get(cell.as_str()).copied()).collect();
    for (chunk, file_cells) in in_file.chunks(ROWS_AT_A_TIME).enumerate() {
        let measured = |cell: &Option<usize>| cell.filter(|&cell| source.rows[cell].is_some());
        let rows: Vec<usize> = (0..file_cells.len()).filter(|&row| measured(&file_cells[row]).is_some()).collect();
        let wanted: Vec<usize> = file_cells.iter().filter_map(measured).collect();
        let n = columns.n_columns;
        let mut block = Dense::new(file_cells.len(), n, vec![f32::NAN; file_cells.len() * n])?;
        let mut next = rows.into_iter();
        predictor.for_each(&wanted, |expected| {
            let n_features = columns.column_of_feature.len();
            let values = Vec::<f32>::try_from(expected.to_kind(TensorKind::Float).flatten(0, -1))?;
            for predicted in values.chunks(n_features) {
                let row = next.next().context("more predictions than cells")? * n;
                for (value, column) in predicted.iter().zip(&columns.column_of_feature) {
                    if let Some(column) = column {
                        block.values[row + column] = *value;
                    }
                }
            }
            Ok(())
        })?;
        write(chunk * ROWS_AT_A_TIME, &block)?;
    }
    Ok(())
}

/// The space whose rows stand for a cell in a model without encoders.
const BASAL: &str = "shared";

/// Prefix of the keys of obsm: `X_apollo` or `X_autoencoder`.
fn obsm_prefix(experiment: &Experiment) -> String {
    match experiment.model.kind {
        ModelKind::Apollo => "X_apollo".to_owned(),
        ModelKind::Dgd => "X_dgd".to_owned(),
        ModelKind::Autoencoder => "X_autoencoder".to_owned(),
    }
}

/// The keys of obsm with their tensors: all known spaces side by side, then each. In a model without encoders the space
/// that all modalities share stands for all: covariates have theirs beside it.
fn named_spaces(model: &Model, prefix: &str, rows: impl Fn(usize) -> Option<Tensor>) -> Vec<(String, Tensor)> {
    let known: Vec<(&str, Tensor)> = (0..model.spaces.len())
        .filter_map(|space| rows(space).map(|rows| (model.spaces[space].name.as_str(), rows)))
        .collect();
    let all: Vec<&Tensor> = known.iter().map(|(_, rows)| rows).collect();
    if all.is_empty() {
        return Vec::new();
    }
    let basal = known.iter().find(|(name, _)| model.mapping.is_some() && *name == BASAL);
    let first = basal.map_or_else(|| Tensor::cat(&all, 1), |(_, rows)| rows.shallow_clone());
    let mut named = vec![(prefix.to_owned(), first)];
    let others = known.iter().filter(|(name, _)| basal.is_none_or(|(other, _)| other != name));
    named.extend(others.map(|(name, rows)| (format!("{prefix}_{name}"), rows.shallow_clone())));
    named
}

fn target<'a>(file: &File, modality: &'a str) -> Option<&'a str> {
    (file.kind() == Kind::H5mu).then_some(modality)
}

fn places_by_name(names: &[String]) -> HashMap<&str, usize> {
    names.iter().enumerate().map(|(place, name)| (name.as_str(), place)).collect()
}

/// The row of each cell of a file, by name.
pub(crate) fn file_rows(cells: &[String], places: &HashMap<&str, usize>) -> Vec<Option<usize>> {
    cells.iter().map(|cell| places.get(cell.as_str()).copied()).collect()
}

/// Rows of a tensor in the order of a file's cells; NaN where there is none.
pub(crate) fn in_file_order(tensor: &Tensor, rows: &[Option<usize>]) -> Result<Dense> {
    let dim = tensor.size()[1] as usize;
    let values = Vec::<f32>::try_from(tensor.to_kind(TensorKind::Float).contiguous().flatten(0, -1))?;
    let mut ordered = vec![f32::NAN; rows.len() * dim];
    for (place, row) in rows.iter().enumerate() {
        if let Some(row) = row {
            ordered[place * dim..(place + 1) * dim].copy_from_slice(&values[row * dim..(row + 1) * dim]);
        }
    }
    Dense::new(rows.len(), dim, ordered)
}
