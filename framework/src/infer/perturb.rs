//! In-silico silencing: what a model expects of all features where one of them is imagined to be silent.
//!
//! The row of a cell is moved along the gradient of the probability that the cell has none of the feature, and decoded
//! again (Schuster et al. 2024, Methods, "gene2peak"; its code where the paper is silent). The change is that of shares,
//! silenced minus original: below 0 where a feature falls when the other is silenced.

use crate::fit::{Adam, AdamRule, Frozen};
use crate::model::{Branch, Model, trainable};
use anyhow::{Context, Result, ensure};
use tch::{Kind, Tensor, no_grad, with_grad};

/// Numbers that a decoded piece may have: 64 MiB in single precision.
const NUMBERS_AT_A_TIME: i64 = 1 << 24;

/// How features of one modality are silenced.
pub struct Silencing<'a> {
    /// The model, whose parameters rest.
    pub model: &'a Model,
    /// Index of the modality whose features are silenced.
    pub source: usize,
    /// Steps of each row.
    pub n_steps: u64,
    /// How rows step. A first step of Adam is its learning rate in each dimension, whatever the gradient's length.
    pub rule: AdamRule,
}

impl<'a> Silencing<'a> {
    /// One step, as published.
    pub fn new(model: &'a Model, source: usize) -> Silencing<'a> {
        let rule = AdamRule { learning_rate: 1e-2, beta_1: 0.5, beta_2: 0.7, weight_decay: 1e-4, l1: 0.0 };
        Silencing { model, source, n_steps: 1, rule }
    }

    /// Rows of cells (one tensor per space, n_cells × dim) once the feature of each (i64, [n_cells]) is silenced; `totals`
    /// are the sums over the source's features of each cell, the silenced one included ([n_cells]).
    ///
    /// Rows of spaces that stand for a covariate stay, and those that the source does not read. Cells do not influence
    /// each other, and priors count nothing.
    ///
    /// # Errors
    /// When the source's loss has no probability of a zero, or shapes differ.
    pub fn silence(&self, rows: &[Tensor], features: &Tensor, totals: &Tensor) -> Result<Vec<Tensor>> {
        let branch = &self.model.branches[self.source];
        let _frozen = Frozen::new(trainable(&self.model.generative));
        let moves = |space: usize| branch.reads.contains(&space) && !self.model.spaces[space].is_covariate;
        let leaf = |(space, rows): (usize, &Tensor)| rows.detach().copy().set_requires_grad(moves(space));
        let rows: Vec<Tensor> = rows.iter().enumerate().map(leaf).collect();
        let moved: Vec<Tensor> = rows.iter().filter(|rows| rows.requires_grad()).map(Tensor::shallow_clone).collect();
        ensure!(!moved.is_empty(), "the modality `{}` reads no latent space whose rows could move", branch.name);
        let mut adam = Adam::new(moved, self.rule);
        for _ in 0..self.n_steps {
            adam.zero_gradients();
            with_grad(|| -> Result<()> {
                let prediction = branch.decoder.decode(&read(self.model, branch, &rows)?, false)?;
                let cost = branch.loss.silence(&prediction, features, totals)?;
                cost.f_sum(None::<Kind>)?.f_backward().context("the gradient of silence cannot be computed")
            })
            .with_context(|| format!("modality `{}`", branch.name))?;
            adam.step();
        }
        Ok(rows.into_iter().map(|rows| rows.detach()).collect())
    }
}

/// What a modality's features are expected to be in cells with these rows (one tensor per space), where its loss predicts
/// shares of a total as those: n_cells × n_features.
///
/// # Errors
/// When the rows do not have the widths of the spaces.
pub fn shares(model: &Model, modality: usize, rows: &[Tensor]) -> Result<Tensor> {
    let branch = &model.branches[modality];
    no_grad(|| {
        let prediction = branch.decoder.decode(&read(model, branch, rows)?, false)?;
        Ok(branch.loss.expectation(&prediction, None)?.f_flatten(1, -1)?)
    })
}

/// What the decoder of a modality reads.
fn read(model: &Model, branch: &Branch, rows: &[Tensor]) -> Result<Tensor> {
    ensure!(
        branch.conditions.is_empty(),
        "the decoder of `{}` is told the categories of cells (`[condition.*]`), which silencing does not know",
        branch.name
    );
    let rows: Vec<Tensor> = branch.reads.iter().map(|&space| rows[space].shallow_clone()).collect();
    model.decoder_input(&branch.reads, &rows)
}

/// A feature to be silenced, and the cells in which it is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Silenced {
    /// Index of the feature in the source modality.
    pub feature: usize,
    /// Places of the cells among those of the [`Perturbation`].
    pub cells: Vec<usize>,
}

/// Mean effects of silenced features on all features of a modality.
#[derive(Debug)]
pub struct Effects {
    /// Mean over the cells of silenced minus original share: n_silenced × n_features on the host.
    pub changes: Tensor,
    /// Mean over the same cells of the original share.
    pub originals: Tensor,
}

/// Features silenced one by one in many cells, and the mean of what follows.
///
/// Memory follows n_silenced × n_features and not the cells: pairs of a silenced feature and a cell are decoded some at
/// a time, the original shares of a cell once.
pub struct Perturbation<'a> {
    /// How features are silenced.
    pub silencing: Silencing<'a>,
    /// Index of the modality whose change is wanted.
    pub target: usize,
    /// Rows of the cells: one tensor per space, n_cells × dim.
    pub rows: &'a [Tensor],
    /// Sum over the source's features of each cell: [n_cells].
    pub totals: &'a Tensor,
}

impl Perturbation<'_> {
    /// The mean effects of each; NaN where a feature has no cell. `each` is told how many pairs of a feature and a cell are
    /// done, and of how many.
    ///
    /// # Errors
    /// As [`Silencing::silence`], or the first error of `each`.
    pub fn effects(&self, silenced: &[Silenced], mut each: impl FnMut(usize, usize) -> Result<()>) -> Result<Effects> {
        let n_features = self.silencing.model.branches[self.target].n_features;
        let form = (self.totals.kind(), self.totals.device());
        let mut changes = Tensor::zeros([silenced.len() as i64, n_features], form);
        let mut originals = changes.zeros_like();
        let at_a_time = (NUMBERS_AT_A_TIME / n_features.max(1)).clamp(16, 1024) as usize;
        let n_pairs: usize = silenced.iter().map(|one| one.cells.len()).sum();
        let mut n_done = 0;
        for group in groups(silenced, at_a_time) {
            let cells = Tensor::from_slice(&group.cells).to_device(form.1);
            let rows: Vec<Tensor> = self.rows.iter().map(|rows| rows.index_select(0, &cells)).collect();
            let before = shares(self.silencing.model, self.target, &rows)?;
            let totals = self.totals.index_select(0, &cells);
            let _ = no_grad(|| originals.addmm_(&group.membership(silenced.len(), form), &before));
            for pairs in group.pairs.chunks(at_a_time) {
                self.add_changes(
                    &Piece { rows: &rows, totals: &totals, before: &before },
                    silenced,
                    pairs,
                    &mut changes,
                )?;
                n_done += pairs.len();
                each(n_done, n_pairs)?;
            }
        }
        let n_cells: Vec<f64> = silenced.iter().map(|one| one.cells.len() as f64).collect();
        let n_cells = Tensor::from_slice(&n_cells).to_kind(form.0).to_device(form.1).unsqueeze(1);
        let mean = |sum: Tensor| (sum / &n_cells).to_device(tch::Device::Cpu);
        Ok(Effects { changes: mean(changes), originals: mean(originals) })
    }

    fn add_changes(&self, piece: &Piece<'_>, silenced: &[Silenced], pairs: &[Pair], sums: &mut Tensor) -> Result<()> {
        let device = piece.totals.device();
        let column = |of: &dyn Fn(&Pair) -> usize| {
            Tensor::from_slice(&pairs.iter().map(|pair| of(pair) as i64).collect::<Vec<_>>()).to_device(device)
        };
        let (own, places) = (column(&|pair| pair.silenced), column(&|pair| pair.place));
        let features = column(&|pair| silenced[pair.silenced].feature);
        let rows: Vec<Tensor> = piece.rows.iter().map(|rows| rows.index_select(0, &places)).collect();
        let moved = self.silencing.silence(&rows, &features, &piece.totals.index_select(0, &places))?;
        no_grad(|| {
            let mut change = shares(self.silencing.model, self.target, &moved)?;
            change -= piece.before.index_select(0, &places);
            let _ = sums.f_index_add_(0, &own, &change)?;
            Ok(())
        })
    }
}

/// Some cells before anything was silenced.
struct Piece<'a> {
    rows: &'a [Tensor],
    totals: &'a Tensor,
    before: &'a Tensor,
}

/// A silenced feature, and a cell by its place in a group.
struct Pair {
    silenced: usize,
    place: usize,
}

/// Some cells with all that is silenced in them.
struct Group {
    cells: Vec<i64>,
    /// By silenced feature, ascending.
    pairs: Vec<Pair>,
}

impl Group {
    /// 1 where a feature is silenced in a cell, else 0: n_silenced × n_cells.
    fn membership(&self, n_silenced: usize, form: (Kind, tch::Device)) -> Tensor {
        let n_cells = self.cells.len();
        let mut members = vec![0f32; n_silenced * n_cells];
        for pair in &self.pairs {
            members[pair.silenced * n_cells + pair.place] = 1.0;
        }
        Tensor::from_slice(&members).view([n_silenced as i64, n_cells as i64]).to_kind(form.0).to_device(form.1)
    }
}

/// The cells in which anything is silenced, so many at a time, ascending.
fn groups(silenced: &[Silenced], n_cells: usize) -> Vec<Group> {
    let mut cells: Vec<usize> = silenced.iter().flat_map(|one| one.cells.iter().copied()).collect();
    cells.sort_unstable();
    cells.dedup();
    let mut groups: Vec<Group> = cells
        .chunks(n_cells)
        .map(|cells| Group { cells: cells.iter().map(|&cell| cell as i64).collect(), pairs: Vec::new() })
        .collect();
    for (place, one) in silenced.iter().enumerate() {
        for cell in &one.cells {
            if let Ok(rank) = cells.binary_search(cell) {
                groups[rank / n_cells].pairs.push(Pair { silenced: place, place: rank % n_cells });
            }
        }
    }
    groups
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_pair_is_in_the_group_of_its_cell() {
        let silenced = [
            Silenced { feature: 5, cells: vec![9, 2, 4] },
            Silenced { feature: 1, cells: vec![] },
            Silenced { feature: 0, cells: vec![4, 7] },
        ];
        let groups = groups(&silenced, 3);
        let cells: Vec<&[i64]> = groups.iter().map(|group| group.cells.as_slice()).collect();
        assert_eq!(cells, [&[2, 4, 7][..], &[9]]);
        let mut pairs: Vec<(usize, i64)> = groups
            .iter()
            .flat_map(|group| group.pairs.iter().map(|pair| (pair.silenced, group.cells[pair.place])))
            .collect();
        pairs.sort_unstable();
        assert_eq!(pairs, [(0, 2), (0, 4), (0, 9), (2, 4), (2, 7)]);
        let members = groups[0].membership(3, (Kind::Float, tch::Device::Cpu));
        assert_eq!(
            Vec::<f32>::try_from(members.flatten(0, -1)).unwrap(),
            [1.0, 1.0, 0.0, 0.0, 0.0, 0.0, 0.0, 1.0, 1.0]
        );
    }
}
