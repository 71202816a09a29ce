//! The measurements of all modalities, their cells aligned by name.

use super::absent::Absent;
use super::files::{NewData, open_own};
use super::{CellCategories, Cohort, Observations, Split, Subset, prepared};
use crate::minibatch::{Minibatch, Part, Target};
use crate::model::Dimensions;
use crate::spec::{CellSet, Experiment};
use crate::{Alignment, Modality, TargetValues};
use anyhow::{Context, Result, bail, ensure};
use std::collections::HashMap;
use std::path::Path;
use tch::Tensor;

/// One modality of a data set.
pub struct Assay {
    /// Its name in the spec.
    pub name: String,
    /// Its measurements.
    pub modality: Box<dyn Modality>,
    /// Row of each cell of the data set in the measurements; `None` where it was not measured.
    pub rows: Vec<Option<u32>>,
}

impl Assay {
    /// Rows of those of `cells` that were measured.
    pub fn measured(&self, cells: &[usize]) -> Vec<usize> {
        cells.iter().filter_map(|&cell| self.rows[cell].map(|row| row as usize)).collect()
    }

    /// Those of `cells` that were measured.
    pub fn measured_cells(&self, cells: &[usize]) -> Vec<usize> {
        cells.iter().copied().filter(|&cell| self.rows[cell].is_some()).collect()
    }
}

/// Cells and what each modality measured of them.
pub struct Dataset {
    /// Names of the cells.
    pub cells: Vec<String>,
    /// The modalities, in the order of the spec.
    pub assays: Vec<Assay>,
    /// Columns of obs that the experiment asks for.
    pub observations: Observations,
    /// For each latent space the class of each cell in the covariate that the space stands for, −1 where it is not known;
    /// empty or `None` where there is no covariate.
    pub classes: Vec<Option<Vec<i64>>>,
    /// For each condition of the model the category of each cell.
    pub categories: Vec<CellCategories>,
}

/// A data set opened for training, with its split.
pub struct Opened {
    /// The prepared data.
    pub dataset: Dataset,
    /// Which cell is used for what.
    pub split: Split,
    /// What is known of the training cells.
    pub cohort: Cohort,
}

impl Dataset {
    /// Opens, aligns, filters, divides and prepares the data of an experiment.
    ///
    /// # Errors
    /// When a file cannot be read, does not hold what its modality expects, or no cell is left.
    pub fn open_for_training(experiment: &Experiment) -> Result<Opened> {
        Dataset::open_within(experiment, None)
    }

    /// The same, unless matrices in memory need more bytes than `max_memory`: that is told before they are read.
    ///
    /// # Errors
    /// The same, and when they do.
    pub fn open_within(experiment: &Experiment, max_memory: Option<u64>) -> Result<Opened> {
        let mut dataset = Dataset::align(open_all(experiment, max_memory)?, experiment.data.cells)?;
        dataset.filter(experiment.data.filter_rounds)?;
        let mut opened = dataset.divide(experiment)?;
        let training = opened.split.of(Subset::Training);
        for assay in &mut opened.dataset.assays {
            let rows = assay.measured(&training);
            ensure!(
                rows.len() >= 2,
                "the modality `{}` has {} training cells, but needs at least 2",
                assay.name,
                rows.len()
            );
            assay.modality.prepare(&rows).with_context(|| format!("modality `{}`", assay.name))?;
        }
        Ok(opened)
    }

    /// As [`Dataset::open_within`], from what an earlier run of the same data kept in `folder`, else kept there for
    /// later ones.
    ///
    /// # Errors
    /// The same, and when a kept file is damaged.
    pub fn open_kept(experiment: &Experiment, folder: &Path, max_memory: Option<u64>) -> Result<Opened> {
        let path = prepared::file_of(experiment, folder)?;
        if path.is_file() {
            return prepared::read(experiment, &path)?.divide(experiment);
        }
        let opened = Dataset::open_within(experiment, max_memory)?;
        let kept = std::fs::create_dir_all(folder).map_err(Into::into);
        if let Err(error) = kept.and_then(|()| prepared::write(&opened.dataset, &path)) {
            log::warn!("prepared data are not kept for other runs: {error:#}");
        }
        Ok(opened)
    }

    /// Divides filtered cells, and takes note of what is known of them.
    fn divide(mut self, experiment: &Experiment) -> Result<Opened> {
        self.observations = Observations::of_experiment(experiment, &self.cells)?;
        let split = Split::draw(&experiment.data.split, experiment.seed, self.cells.len(), &self.observations)?;
        self.ensure_whole(&split)?;
        let cohort = Cohort::of(experiment, &self.observations, &split.of(Subset::Training))?;
        self.classes = cohort.codes(&self.observations);
        self.categories = CellCategories::all(experiment, &cohort, &self.cells, &self.observations)?;
        self.ensure_all_categories()?;
        Ok(Opened { dataset: self, split, cohort })
    }

    /// Opens data for a trained model: features and fitted steps come from `states` (one per modality of the experiment).
    ///
    /// Modalities that the new file does not hold are left unmeasured.
    ///
    /// # Errors
    /// When no modality of the experiment is found.
    pub fn open_trained(
        experiment: &Experiment,
        states: &[serde_json::Value],
        new: Option<&NewData<'_>>,
    ) -> Result<(Dataset, Vec<Option<Alignment>>)> {
        let opened = match new {
            Some(new) => open_new(experiment, new)?,
            None => open_all(experiment, None)?,
        };
        let mut dataset = Dataset::align(opened, CellSet::Union)?;
        let mut alignments = Vec::new();
        for (assay, state) in dataset.assays.iter_mut().zip(states) {
            let alignment = match assay.modality.cells().is_empty() {
                true => None,
                false => {
                    let alignment = assay.modality.restore(state);
                    let alignment = alignment.with_context(|| format!("modality `{}`", assay.name))?;
                    let max_missing = new.and_then(|new| new.max_missing).unwrap_or(experiment.data.max_missing);
                    alignment.ensure_enough(max_missing).with_context(|| format!("modality `{}`", assay.name))?;
                    Some(alignment)
                }
            };
            alignments.push(alignment);
        }
        Ok((dataset, alignments))
    }

    /// Orders the cells of modalities.
    fn align(opened: Vec<(String, Box<dyn Modality>)>, set: CellSet) -> Result<Dataset> {
        let n_expected = opened.len();
        ensure!(
            opened.iter().any(|(_, modality)| !modality.cells().is_empty()),
            "none of the modalities of the model is in the data"
        );
        let mut count: HashMap<&str, usize> = HashMap::new();
        let mut order: Vec<&str> = Vec::new();
        for (name, modality) in &opened {
            let mut own = std::collections::HashSet::with_capacity(modality.cells().len());
            for cell in modality.cells() {
                ensure!(
                    own.insert(cell.as_str()),
                    "the modality `{name}` has two cells named `{cell}`; make names unique"
                );
                let seen = count.entry(cell).or_insert_with(|| {
                    order.push(cell);
                    0
                });
                *seen += 1;
            }
        }
        if set == CellSet::Intersection {
            order.retain(|cell| count[cell] == n_expected);
            ensure!(!order.is_empty(), "no cell was measured by all modalities; are cells named alike in each?");
        }
        let cells: Vec<String> = order.into_iter().map(str::to_owned).collect();
        let mut assays = Vec::new();
        for (name, modality) in opened {
            let rows = rows_by_name(&cells, modality.cells());
            assays.push(Assay { name, modality, rows });
        }
        ensure_some_overlap(&assays, set)?;
        Ok(Dataset {
            cells,
            assays,
            observations: Observations::default(),
            classes: Vec::new(),
            categories: Vec::new(),
        })
    }

    /// Rounds of filtering, then the measurements hold the kept cells only, in the order of the data set.
    fn filter(&mut self, n_rounds: usize) -> Result<()> {
        let mut kept: Vec<bool> = match self.assays.iter().all(|assay| assay.rows.iter().all(Option::is_some)) {
            true => vec![true; self.cells.len()],
            false => (0..self.cells.len()).map(|cell| self.assays.iter().any(|a| a.rows[cell].is_some())).collect(),
        };
        for _ in 0..n_rounds {
            for assay in &mut self.assays {
                let mut rows_kept = vec![false; assay.modality.cells().len()];
                for (cell, row) in assay.rows.iter().enumerate() {
                    if let Some(row) = row {
                        rows_kept[*row as usize] = kept[cell];
                    }
                }
                let passes =
                    assay.modality.filter_round(&rows_kept).with_context(|| format!("modality `{}`", assay.name))?;
                for (cell, row) in assay.rows.iter().enumerate() {
                    kept[cell] &= row.is_none_or(|row| passes[row as usize]);
                }
            }
        }
        let cells: Vec<usize> = (0..kept.len()).filter(|&cell| kept[cell]).collect();
        if cells.is_empty() {
            bail!(
                "filtering leaves no cell; lower `min_features_per_cell` or `min_cells_per_feature` of the modalities"
            );
        }
        self.keep(&cells)
    }

    /// Keeps these cells only, in this order.
    ///
    /// # Errors
    /// When a modality cannot take rows out.
    pub fn keep(&mut self, cells: &[usize]) -> Result<()> {
        self.cells = cells.iter().map(|&cell| std::mem::take(&mut self.cells[cell])).collect();
        for classes in self.classes.iter_mut().flatten() {
            *classes = cells.iter().map(|&cell| classes[cell]).collect();
        }
        for categories in &mut self.categories {
            categories.codes = cells.iter().map(|&cell| categories.codes[cell]).collect();
        }
        for assay in &mut self.assays {
            let rows = assay.measured(cells);
            assay.modality.keep_cells(&rows).with_context(|| format!("modality `{}`", assay.name))?;
            let mut next = 0;
            assay.rows = cells
                .iter()
                .map(|&cell| {
                    assay.rows[cell].map(|_| {
                        next += 1;
                        next - 1
                    })
                })
                .collect();
        }
        Ok(())
    }

    /// What a model must know of each modality.
    ///
    /// # Errors
    /// When rows cannot be read.
    pub fn dimensions(&self, training: &[usize]) -> Result<Vec<Dimensions>> {
        let all: Vec<usize> = (0..self.cells.len()).collect();
        let of = |assay: &Assay| -> Result<Dimensions> {
            Ok(Dimensions {
                shape: assay.modality.shape(),
                training: assay.modality.statistics(&assay.measured(training))?,
                all: assay.modality.statistics(&assay.measured(&all))?,
            })
        };
        let of = |assay: &Assay| of(assay).with_context(|| format!("modality `{}`", assay.name));
        self.assays.iter().map(of).collect()
    }

    /// The minibatch of these cells (on the host); `targets` says which values each modality's loss compares with.
    ///
    /// # Errors
    /// When rows cannot be read.
    pub fn minibatch(&self, cells: &[usize], targets: &[TargetValues]) -> Result<Minibatch> {
        let mut parts = Vec::with_capacity(self.assays.len());
        for (modality, values) in targets.iter().enumerate() {
            let part = self.part(modality, cells, *values);
            parts.push(part.with_context(|| format!("modality `{}`", self.assays[modality].name))?);
        }
        let classes_of = |all: &Option<Vec<i64>>| {
            let all = all.as_ref()?;
            Some(Tensor::from_slice(&cells.iter().map(|&cell| all[cell]).collect::<Vec<_>>()))
        };
        let classes = self.classes.iter().map(classes_of).collect();
        let cells: Vec<i64> = cells.iter().map(|&cell| cell as i64).collect();
        Ok(Minibatch { cells: Tensor::from_slice(&cells), parts, classes })
    }

    /// Tells the modalities of cells that will be read soon, in some order.
    pub fn read_ahead(&self, cells: &[usize]) {
        self.assays.iter().for_each(|assay| assay.modality.read_ahead(&assay.measured(cells)));
    }

    /// What one modality measured of these cells (on the host); `None` if nothing.
    ///
    /// # Errors
    /// When rows cannot be read.
    pub fn part(&self, modality: usize, cells: &[usize], values: TargetValues) -> Result<Option<Part>> {
        let assay = &self.assays[modality];
        let rows = assay.measured(cells);
        if rows.is_empty() {
            return Ok(None);
        }
        let measured = (rows.len() < cells.len()).then(|| {
            let places = (0..cells.len()).filter(|&place| assay.rows[cells[place]].is_some());
            Tensor::from_slice(&places.map(|place| place as i64).collect::<Vec<_>>())
        });
        let gathered = assay.modality.gather(&rows, values)?;
        let target = Target::new(gathered.target).with_trials(gathered.trials);
        let target = target.without(assay.modality.lacking(), values);
        let categories = match self.categories.is_empty() {
            true => Vec::new(),
            false => self.categories_of(modality, &assay.measured_cells(cells))?,
        };
        Ok(Some(Part { measured, input: gathered.input, target, categories }))
    }

    /// For each condition of the model the categories of these cells, which a modality measured.
    fn categories_of(&self, modality: usize, cells: &[usize]) -> Result<Vec<Tensor>> {
        self.ensure_categories(modality, cells)?;
        let codes = |categories: &CellCategories| cells.iter().map(|&cell| categories.codes[cell]).collect::<Vec<_>>();
        Ok(self.categories.iter().map(|categories| Tensor::from_slice(&codes(categories))).collect())
    }

    /// Refuses cells that a modality measured, but that lack a category that its networks are told.
    ///
    /// # Errors
    /// Naming the first cell.
    pub fn ensure_all_categories(&self) -> Result<()> {
        for (modality, assay) in self.assays.iter().enumerate() {
            let measured: Vec<usize> = (0..self.cells.len()).filter(|&cell| assay.rows[cell].is_some()).collect();
            self.ensure_categories(modality, &measured)?;
        }
        Ok(())
    }

    /// Refuses cells without a category that the networks of a modality are told.
    ///
    /// # Errors
    /// Naming the first cell.
    pub fn ensure_categories(&self, modality: usize, cells: &[usize]) -> Result<()> {
        let told = self.categories.iter().filter(|categories| categories.modalities.contains(&modality));
        for categories in told {
            let unknown = cells.iter().copied().find(|&cell| categories.codes[cell] < 0);
            if let Some(cell) = unknown {
                bail!(
                    "the cell `{}` has no value in the column `{}` of obs, but the networks of `{}` are told it (condition `{}`)",
                    self.cells[cell],
                    categories.column,
                    self.assays[modality].name,
                    categories.condition
                );
            }
        }
        Ok(())
    }
}

/// Opens every modality of an experiment; matrices in memory must not need more bytes than `max_memory`.
fn open_all(experiment: &Experiment, max_memory: Option<u64>) -> Result<Vec<(String, Box<dyn Modality>)>> {
    let mut opened: Vec<(String, Box<dyn Modality>)> = Vec::new();
    for name in experiment.modalities.keys() {
        let held: u64 = opened.iter().map(|(_, modality)| modality.n_bytes()).sum();
        let left = max_memory.map(|most| most.saturating_sub(held));
        let modality = open_own(experiment, name, None, left).with_context(|| format!("modality `{name}`"))?;
        opened.push((name.clone(), modality));
    }
    Ok(opened)
}

/// Opens every modality of an experiment in new data; those that the data lack have no cells.
fn open_new(experiment: &Experiment, new: &NewData<'_>) -> Result<Vec<(String, Box<dyn Modality>)>> {
    let open = |name: &String| {
        let opened = new.open(experiment, name).with_context(|| format!("modality `{name}`"))?;
        Ok((name.clone(), opened.unwrap_or_else(|| Box::new(Absent))))
    };
    experiment.modalities.keys().map(open).collect()
}

/// Opens another modality of the file of a modality, read as that one is.
///
/// # Errors
/// When the file does not hold it, or it is not what the assay expects.
pub fn open_beside(experiment: &Experiment, name: &str, key: &str) -> Result<Box<dyn Modality>> {
    open_own(experiment, name, Some(key), None)
}

fn rows_by_name(cells: &[String], own: &[String]) -> Vec<Option<u32>> {
    let rows: HashMap<&str, u32> = own.iter().enumerate().map(|(row, cell)| (cell.as_str(), row as u32)).collect();
    cells.iter().map(|cell| rows.get(cell.as_str()).copied()).collect()
}

/// Refuses modalities without a single common cell: almost always cells named differently.
fn ensure_some_overlap(assays: &[Assay], set: CellSet) -> Result<()> {
    let present: Vec<&Assay> = assays.iter().filter(|assay| !assay.modality.cells().is_empty()).collect();
    let [first, rest @ ..] = present.as_slice() else { return Ok(()) };
    let shares = |assay: &Assay| first.rows.iter().zip(&assay.rows).any(|(a, b)| a.is_some() && b.is_some());
    if set == CellSet::Union && !rest.is_empty() && !rest.iter().any(|assay| shares(assay)) {
        let names = |assay: &Assay| assay.modality.cells().iter().take(2).cloned().collect::<Vec<_>>().join("`, `");
        bail!(
            "no cell of `{}` (`{}`) is in any other modality (`{}`: `{}`); name the same cell alike in each file",
            first.name,
            names(first),
            rest[0].name,
            names(rest[0])
        );
    }
    Ok(())
}
