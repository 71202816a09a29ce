//! Real images that a model was not shown of the cells that are judged.

use super::super::task::Scene;
use anyhow::{Context, Result, ensure};
use framework::Modality;
use framework::data::{Observations, data_files, open_beside};
use framework::spec::UnshownImages;
use std::collections::HashMap;

/// Images of a modality, each of a category of a condition that its cell is not of, as far as the model knows.
pub(super) struct Unshown {
    /// The images.
    pub modality: Box<dyn Modality>,
    /// The row of each cell of the data set among them, and the category; `None` where there is no image or the model does not
    /// know its category.
    pub rows: Vec<Option<(usize, i64)>>,
    /// Index of the condition.
    pub condition: usize,
    /// Cells whose image is of a category that the model does not know.
    pub n_unknown: usize,
}

impl Unshown {
    /// Opens the images that belong to a modality of the model.
    ///
    /// # Errors
    /// When the file does not hold them, or they are of another size.
    pub fn open(scene: &Scene<'_>, target: usize, spec: &UnshownImages) -> Result<Unshown> {
        let (task, name) = (scene.task, scene.name(target));
        let modality = open_beside(task.experiment, name, &spec.key)?;
        let (own, known) = (modality.shape(), task.dataset.assays[target].modality.shape());
        ensure!(own == known, "images of `{}` have the form {own:?}, but those of `{name}` {known:?}", spec.key);
        let model = &task.trained.model;
        let condition = model.conditions.iter().position(|condition| condition.name == spec.condition);
        let condition = condition.with_context(|| format!("the model has no condition `{}`", spec.condition))?;
        let (files, cells) = (data_files(task.experiment)?, &task.dataset.cells);
        let labels = Observations::read(&files, cells, std::slice::from_ref(&spec.column))?;
        let labels = labels.column(&spec.column)?;
        let by_name: HashMap<&str, usize> =
            modality.cells().iter().enumerate().map(|(row, cell)| (cell.as_str(), row)).collect();
        let mut n_unknown = 0;
        let mut row = |(cell, label): (&String, &Option<String>)| {
            let (row, label) = (by_name.get(cell.as_str())?, label.as_ref()?);
            let code = model.conditions[condition].code(label);
            n_unknown += usize::from(code.is_none());
            Some((*row, code?))
        };
        let rows = cells.iter().zip(labels).map(&mut row).collect();
        Ok(Unshown { rows, condition, n_unknown, modality })
    }
}
