//! Rows that any space must be better than: principal components of what its modalities measured, and numbers at random, as
//! many to a cell as the space has.

use crate::evaluate::{Components, principal_components, select};
use crate::interpret::spaces::SpaceOfCells;
use anyhow::Result;
use framework::data::{Dataset, Split};
use framework::infer::Trained;
use framework::spec::Experiment;
use std::collections::HashMap;
use tch::{Device, Kind, Tensor};

/// Principal components of the modalities that spaces are of, found in training cells.
#[derive(Debug)]
pub struct ControlRows {
    by_modality: Vec<Option<Components>>,
}

impl ControlRows {
    /// Decomposes each modality that a space is of, into as many components as the largest of its spaces has numbers.
    ///
    /// # Errors
    /// When rows cannot be read.
    pub fn of(
        (trained, experiment): (&Trained, &Experiment),
        (dataset, split): (&Dataset, &Split),
        spaces: &[&SpaceOfCells],
    ) -> Result<ControlRows> {
        let most = |modality: usize| {
            let of_it = spaces.iter().filter(|space| space.sources().contains(&modality));
            of_it.map(|space| space.dim()).max()
        };
        let components = |modality: usize| match most(modality) {
            None => Ok(None),
            Some(most) => principal_components((trained, experiment), (dataset, split.subsets()), modality, most),
        };
        Ok(ControlRows { by_modality: (0..dataset.assays.len()).map(components).collect::<Result<_>>()? })
    }

    /// No components of so many modalities.
    #[cfg(test)]
    pub(super) fn none(n_modalities: usize) -> ControlRows {
        ControlRows { by_modality: (0..n_modalities).map(|_| None).collect() }
    }

    /// The first components of a space's cells, as many as the space has numbers, split evenly among its modalities; 0, their
    /// mean, where a cell was not measured. `None` where there are none.
    pub fn principal(&self, space: &SpaceOfCells) -> Option<Tensor> {
        let modalities = space.sources();
        let share = space.dim().div_ceil(modalities.len().max(1)) as i64;
        let parts: Vec<Tensor> = modalities
            .iter()
            .filter_map(|&modality| self.by_modality[modality].as_ref())
            .map(|components| of_cells(components, &space.cells, share))
            .collect();
        if parts.is_empty() {
            return None;
        }
        let all = Tensor::cat(&parts, 1);
        Some(all.narrow(1, 0, all.size()[1].min(space.dim() as i64)))
    }
}

fn of_cells(components: &Components, cells: &[usize], n_columns: i64) -> Tensor {
    let rows: HashMap<usize, usize> = components.cells.iter().copied().zip(0..).collect();
    let n_columns = n_columns.min(components.scores.size()[1]);
    let scores = components.scores.narrow(1, 0, n_columns).to_kind(Kind::Double);
    let with_nothing = Tensor::cat(&[&scores, &Tensor::zeros([1, n_columns], (Kind::Double, Device::Cpu))], 0);
    let places: Vec<usize> =
        cells.iter().map(|cell| rows.get(cell).copied().unwrap_or(components.cells.len())).collect();
    select(&with_nothing, &places)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn components_are_split_among_the_modalities_of_a_space() {
        let components = |cells: &[usize], first: f64| Components {
            cells: cells.to_vec(),
            scores: Tensor::arange_start(first, first + 3.0 * cells.len() as f64, (Kind::Double, Device::Cpu))
                .view([-1, 3]),
        };
        let rows = ControlRows { by_modality: vec![Some(components(&[0, 2], 1.0)), Some(components(&[2], 50.0))] };
        let mut space = SpaceOfCells {
            name: "shared".into(),
            space: "shared".into(),
            encoder: None,
            modalities: vec![0, 1],
            cells: vec![0, 2],
            rows: Tensor::zeros([2, 3], (Kind::Double, Device::Cpu)),
        };
        let flat = |of: Option<Tensor>| Vec::<f64>::try_from(of.unwrap().contiguous().view(-1)).unwrap();
        assert_eq!(flat(rows.principal(&space)), [1.0, 2.0, 0.0, 4.0, 5.0, 50.0]);
        space.encoder = Some(0);
        assert_eq!(flat(rows.principal(&space)), [1.0, 2.0, 3.0, 4.0, 5.0, 6.0]);
    }
}
