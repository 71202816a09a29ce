//! The features that spaces are explained by: counts as logarithms of shares, measured image features, arrays of obsm.

use crate::evaluate::{Input, Measured, Reading};
use analysis::{FeatureGroupSpec, FeatureScale, Matrix, Values, block_rows, feature_groups};
use anndata::{File, Kind as FileKind, Layer};
use anyhow::{Context, Result, ensure};
use framework::data::{Dataset, data_file, data_files};
use framework::infer::Trained;
use framework::spec::Experiment;
use framework::{FeatureShape, TargetValues};
use std::collections::HashMap;
use tch::{Kind, Tensor};

/// Features of the cells that have them.
#[derive(Debug)]
pub struct FeatureTable {
    /// The modality, or `obsm/KEY`.
    pub name: String,
    /// Names of the features.
    pub names: Vec<String>,
    /// What the numbers are, which says what a fold change is of.
    pub values: Values,
    /// What is done to them first, unless something else is asked for.
    pub scale: FeatureScale,
    /// The cell of the data set of each row, ascending.
    pub cells: Vec<usize>,
    store: Store,
}

#[derive(Debug)]
enum Store {
    Measured(Measured<'static>),
    Dense(Tensor),
}

impl FeatureTable {
    /// What a modality measured: of counts ln(1 + 10⁴ × share of the cell's total), of images the features that were measured
    /// of them, of other values the values that encoders see.
    ///
    /// # Errors
    /// When rows cannot be read; `None` where no cell was measured.
    pub fn of_modality(
        (trained, experiment): (&Trained, &Experiment),
        dataset: &Dataset,
        modality: usize,
    ) -> Result<Option<FeatureTable>> {
        let assay = &dataset.assays[modality];
        if !matches!(assay.modality.shape(), FeatureShape::Vector(_)) {
            return of_images(experiment, dataset, modality).map(Some);
        }
        let are_counts = assay.modality.check_target(TargetValues::Counts).is_ok();
        let reading = match are_counts {
            true => Reading { target: TargetValues::Counts, input: Input::LogSharesOfTarget },
            false => Reading { target: trained.model.target_values()[modality], input: Input::AsPrepared },
        };
        let all: Vec<usize> = (0..dataset.cells.len()).collect();
        let Some(measured) = Measured::gather(assay, &all, reading)? else { return Ok(None) };
        Ok(Some(FeatureTable {
            name: assay.name.clone(),
            names: assay.modality.features().to_vec(),
            values: if are_counts { Values::Log1p } else { Values::Plain },
            scale: if are_counts { FeatureScale::AsIs } else { FeatureScale::Range },
            cells: measured.held(&all),
            store: Store::Measured(measured.in_memory()?),
        }))
    }

    /// The columns of an array of obsm of the run's file, or of the first of its modalities that has one.
    ///
    /// # Errors
    /// When no file of the run has such an array.
    pub fn of_obsm(experiment: &Experiment, dataset: &Dataset, key: &str) -> Result<FeatureTable> {
        for file in data_files(experiment)? {
            let file = file.open()?;
            let found = match file.obsm_names()?.iter().any(|name| name == key) {
                true => Some((file.obsm(key)?, file.cells().to_vec())),
                false => obsm_of_modality(&file, key)?,
            };
            let Some((array, cells)) = found else { continue };
            let names = (1..=array.n_columns).map(|column| format!("{key}_{column}")).collect();
            return dense(format!("obsm/{key}"), names, (&array.values, array.n_columns), (&cells, dataset));
        }
        anyhow::bail!("no file of the run has an array `{key}` in obsm")
    }

    /// The numbers, row by row the cells of the table.
    ///
    /// # Errors
    /// When a number is not finite.
    pub fn matrix(&self) -> Result<Matrix<'_>> {
        match &self.store {
            Store::Measured(measured) => measured.input().matrix(),
            Store::Dense(rows) => Matrix::dense(rows),
        }
    }

    /// The representatives of groups of correlated features, features without a group among them.
    ///
    /// # Errors
    /// When there are too many features to be correlated, or the threshold is none.
    pub fn grouped(self, threshold: f64) -> Result<FeatureTable> {
        let groups = feature_groups(&self.matrix()?, FeatureGroupSpec { threshold, ..FeatureGroupSpec::default() })?;
        let kept: Vec<i64> = groups.iter().map(|group| group.representative as i64).collect();
        let names = groups.iter().map(|group| self.names[group.representative].clone()).collect();
        let all: Vec<usize> = (0..self.cells.len()).collect();
        let (matrix, kept) = (self.matrix()?, Tensor::from_slice(&kept));
        let blocks = all.chunks(block_rows(self.names.len()));
        let blocks =
            blocks.map(|block| Ok(matrix.rows(block)?.f_index_select(1, &kept)?)).collect::<Result<Vec<_>>>()?;
        let rows = Tensor::f_cat(&blocks, 0)?;
        drop(matrix);
        Ok(FeatureTable { names, store: Store::Dense(rows), ..self })
    }

    /// The values of one feature, by cell of the data set.
    ///
    /// # Errors
    /// When a number is not finite.
    pub fn column(&self, feature: usize, n_cells: usize) -> Result<Vec<Option<f64>>> {
        let matrix = self.matrix()?;
        let mut values = vec![None; n_cells];
        let all: Vec<usize> = (0..self.cells.len()).collect();
        for rows in all.chunks(block_rows(self.names.len())) {
            let column = matrix.rows(rows)?.select(1, feature as i64).to_kind(Kind::Double);
            let column: Vec<f64> = Vec::try_from(column)?;
            rows.iter().zip(column).for_each(|(&row, value)| values[self.cells[row]] = Some(value));
        }
        Ok(values)
    }

    /// Row of each cell of the data set that is in the table.
    pub fn row_of(&self) -> HashMap<usize, usize> {
        self.cells.iter().copied().zip(0..).collect()
    }
}

fn obsm_of_modality(file: &File, key: &str) -> Result<Option<(anndata::Dense, Vec<String>)>> {
    if file.kind() != FileKind::H5mu {
        return Ok(None);
    }
    for name in file.modalities()? {
        let modality = file.modality(&name)?;
        if modality.obsm_names()?.iter().any(|other| other == key) {
            return Ok(Some((modality.obsm(key)?, modality.cells().to_vec())));
        }
    }
    Ok(None)
}

/// The matrix that lies beside the images of a modality.
fn of_images(experiment: &Experiment, dataset: &Dataset, modality: usize) -> Result<FeatureTable> {
    let name = &dataset.assays[modality].name;
    let entry = experiment.modalities.get(name).context("the spec lacks the modality")?;
    let source = data_file(experiment, name)?;
    let file = source.open()?;
    let annotated = match file.kind() {
        FileKind::H5mu => file.modality(entry.key.as_deref().unwrap_or(name))?,
        FileKind::H5ad => file.modality("")?,
    };
    let matrix = annotated.matrix(&Layer::X)?;
    let n_columns = annotated.features().len();
    ensure!(
        n_columns > 0,
        "`{name}` of `{}` has no measured features; cut with `features = true`, or name others with `--features` or `--obsm`",
        source.path.display()
    );
    let mut values = vec![0.0; annotated.cells().len() * n_columns];
    for row in 0..annotated.cells().len() {
        let (columns, stored) = matrix.row(row);
        for (column, value) in columns.iter().zip(stored) {
            values[row * n_columns + *column as usize] = *value;
        }
    }
    dense(name.clone(), annotated.features().to_vec(), (&values, n_columns), (annotated.cells(), dataset))
}

/// A table of dense rows, those of the cells of the data set.
fn dense(
    name: String,
    names: Vec<String>,
    (values, n_columns): (&[f32], usize),
    (cells, dataset): (&[String], &Dataset),
) -> Result<FeatureTable> {
    let rows: HashMap<&str, usize> = cells.iter().map(String::as_str).zip(0..).collect();
    let of_cell = |cell: usize| rows.get(dataset.cells[cell].as_str()).map(|&row| (cell, row));
    let is_known =
        |(_, row): &(usize, usize)| values[row * n_columns..][..n_columns].iter().all(|value| value.is_finite());
    let known: Vec<(usize, usize)> = (0..dataset.cells.len()).filter_map(of_cell).filter(is_known).collect();
    ensure!(!known.is_empty(), "no cell of the run has numbers in `{name}`");
    let flat: Vec<f32> = known.iter().flat_map(|(_, row)| &values[row * n_columns..][..n_columns]).copied().collect();
    Ok(FeatureTable {
        name,
        names,
        values: Values::Plain,
        scale: FeatureScale::Range,
        cells: known.iter().map(|(cell, _)| *cell).collect(),
        store: Store::Dense(Tensor::from_slice(&flat).view([known.len() as i64, n_columns as i64])),
    })
}
