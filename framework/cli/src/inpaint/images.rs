//! The images that the network is shown, and the cells that are of one protein.

use anyhow::Result;
use framework::TargetValues;
use framework::data::Dataset;
use framework::infer::Trained;
use std::collections::BTreeMap;
use tch::{Device, Tensor};

/// The two stains of a data set: what is read, and what is painted.
#[derive(Clone, Copy)]
pub struct Stains<'a> {
    /// The data.
    pub dataset: &'a Dataset,
    /// The modality that is read, such as chromatin.
    pub chromatin: usize,
    /// The modality that is painted.
    pub protein: usize,
}

impl Stains<'_> {
    /// Images of one stain of some cells, which must have been measured: n × 1 × height × width.
    ///
    /// # Errors
    /// When an image cannot be read.
    pub fn of(&self, modality: usize, cells: &[usize], device: Device) -> Result<Tensor> {
        let assay = &self.dataset.assays[modality];
        let gathered = assay.modality.gather(&assay.measured(cells), TargetValues::UnitInterval)?;
        Ok(gathered.target.to_dense().f_to_device(device)?)
    }

    /// Chromatin and protein of some cells: n × 2 × height × width.
    ///
    /// # Errors
    /// When an image cannot be read.
    pub fn both(&self, cells: &[usize], device: Device) -> Result<Tensor> {
        let stains = [self.of(self.chromatin, cells, device)?, self.of(self.protein, cells, device)?];
        Ok(Tensor::f_cat(&stains, 1)?)
    }

    /// Those of some cells that have both stains.
    pub fn measured(&self, cells: &[usize]) -> Vec<usize> {
        let [chromatin, protein] = [self.chromatin, self.protein].map(|modality| &self.dataset.assays[modality]);
        protein.measured_cells(&chromatin.measured_cells(cells))
    }
}

/// Which cells are of one protein: of one category of each condition that the networks of the painted modality are told.
#[derive(Debug, Clone)]
pub struct Grouping {
    /// The conditions, by their place in the model.
    conditions: Vec<usize>,
}

impl Grouping {
    /// The grouping of a modality's cells.
    pub fn of(trained: &Trained, protein: usize) -> Grouping {
        Grouping { conditions: trained.model.branches[protein].conditions.iter().map(|told| told.condition).collect() }
    }

    /// Cells by category, in the order of the categories and each in their own order.
    pub fn groups(&self, dataset: &Dataset, cells: &[usize]) -> BTreeMap<Vec<i64>, Vec<usize>> {
        let mut groups: BTreeMap<Vec<i64>, Vec<usize>> = BTreeMap::new();
        for &cell in cells {
            let codes = self.conditions.iter().map(|&condition| dataset.categories[condition].codes[cell]).collect();
            groups.entry(codes).or_default().push(cell);
        }
        groups
    }
}
