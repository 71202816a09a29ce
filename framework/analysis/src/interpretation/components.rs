//! Principal components of a space, told to be the same over repeats.

use anyhow::{Result, ensure};
use tch::Tensor;

use super::spec::{Alignment, InterpretationSpec};
use crate::matrix::Matrix;
use crate::pca::{Pca, PcaSpec, Solver};
use crate::splits::CellSplit;
use crate::tensor::numbers;

/// Components with a smaller share of the variance are rounding.
const SMALLEST_SHARE: f64 = 1e-10;

/// The components of all cells, with which those of repeats are aligned.
pub(super) struct Basis<'a> {
    space: Matrix<'a>,
    loadings: Tensor,
    pub(super) explained_variance_ratio: Vec<f64>,
    alignment: Alignment,
}

/// Scores of the cells of one split on the components of its training cells, cell by cell.
pub(super) struct Scores {
    pub(super) train: Vec<f64>,
    pub(super) test: Vec<f64>,
    /// |r| of each component's loadings with those of all cells.
    pub(super) agreement: Vec<f64>,
}

impl Basis<'_> {
    /// Finds the components of all cells that any split names.
    pub(super) fn fit(space: &Tensor, splits: &[CellSplit], spec: &InterpretationSpec) -> Result<Self> {
        let space = Matrix::dense(space)?;
        let cells = cells_of(splits, space.n_rows());
        let n_train = splits.iter().map(|split| split.train.len()).min().unwrap_or(0);
        ensure!(n_train > 1, "a split has {n_train} training cells; components need two or more");
        let most = space.n_columns().min(n_train - 1).min(spec.n_components.unwrap_or(usize::MAX));
        let pca = fit(&space, &cells, most)?;
        let n = pca.explained_variance_ratio.iter().filter(|&&share| share > SMALLEST_SHARE).count();
        Ok(Self {
            loadings: pca.components().narrow(1, 0, n as i64),
            explained_variance_ratio: pca.explained_variance_ratio[..n].to_vec(),
            space,
            alignment: spec.alignment,
        })
    }

    pub(super) fn n_components(&self) -> usize {
        self.explained_variance_ratio.len()
    }

    /// Components of the training cells of a split, aligned, and what its cells score on them.
    pub(super) fn scores(&self, split: &CellSplit) -> Result<Scores> {
        let n = self.n_components();
        let pca = fit(&self.space, &split.train, n)?;
        let similar = numbers(&self.loadings.tr().f_matmul(pca.components())?)?;
        let at = |reference: usize, own: usize| similar[reference * n + own];
        let partner = match self.alignment {
            Alignment::Matched => matched(&similar, n),
            Alignment::Sign | Alignment::AsFound => (0..n).collect(),
        };
        let turned = |place: usize| self.alignment != Alignment::AsFound && at(place, partner[place]) < 0.0;
        let signs: Vec<f64> = (0..n).map(|place| if turned(place) { -1.0 } else { 1.0 }).collect();
        let scores = |cells: &[usize]| {
            let all = numbers(&pca.transform(&self.space, cells)?)?;
            let aligned = |cell: &[f64]| -> Vec<f64> { (0..n).map(|at| signs[at] * cell[partner[at]]).collect() };
            Ok(all.chunks_exact(n).flat_map(aligned).collect::<Vec<f64>>())
        };
        let (train, test): (Result<_>, Result<_>) = (scores(&split.train), scores(&split.test));
        Ok(Scores {
            train: train?,
            test: test?,
            agreement: (0..n).map(|place| at(place, partner[place]).abs().min(1.0)).collect(),
        })
    }
}

/// Rows that any split names, ascending.
pub(super) fn cells_of(splits: &[CellSplit], n_cells: usize) -> Vec<usize> {
    let mut named = vec![false; n_cells];
    splits.iter().flat_map(|split| split.train.iter().chain(&split.test)).for_each(|&cell| named[cell] = true);
    (0..n_cells).filter(|&cell| named[cell]).collect()
}

fn fit(space: &Matrix, cells: &[usize], n_components: usize) -> Result<Pca> {
    Pca::fit(space, cells, PcaSpec { n_components, seed: 0, solver: Solver::Exact })
}

/// For each component of all cells the one of the repeat that it is paired with: largest |r| first, one to one.
fn matched(similar: &[f64], n: usize) -> Vec<usize> {
    let mut pairs: Vec<usize> = (0..n * n).collect();
    pairs.sort_by(|&left, &right| similar[right].abs().total_cmp(&similar[left].abs()));
    let (mut partner, mut taken) = (vec![None; n], vec![false; n]);
    for (reference, own) in pairs.into_iter().map(|pair| (pair / n, pair % n)) {
        if partner[reference].is_none() && !taken[own] {
            (partner[reference], taken[own]) = (Some(own), true);
        }
    }
    partner.into_iter().flatten().collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn components_are_paired_one_to_one() {
        // the first two have changed places, the second turned; the third has no better partner left
        let similar = [0.1, 0.99, 0.2, -0.98, 0.1, 0.1, 0.3, 0.1, 0.05];
        assert_eq!(matched(&similar, 3), [1, 0, 2]);
        assert!(matched(&[], 0).is_empty());
    }

    /// Cells in both directions of two axes, the first (1, 0, 0), the second about (0, 1, −1); so far out along each in the
    /// first and the second half of the cells. The larger loading of the second axis is now one, now the other.
    fn space(first: [f64; 2], second: [f64; 2]) -> Tensor {
        let cell = |at: usize| {
            let (half, side) = (at / 200, if at % 4 < 2 { 1.0 } else { -1.0 });
            let tilt = if half == 0 { [0.98, -1.02] } else { [1.01, -0.99] };
            match at % 2 {
                0 => [side * first[half], 0.0, 0.0, 0.0],
                _ => [0.0, side * second[half] * tilt[0], side * second[half] * tilt[1], 0.0],
            }
        };
        Tensor::from_slice(&(0..400).flat_map(cell).collect::<Vec<f64>>()).view([400, 4])
    }

    /// Whether cells score on the components of either half what they score on those of all cells, more or less.
    fn is_aligned(space: &Tensor, alignment: Alignment) -> bool {
        let halves = [(0..200).collect(), (200..400).collect()];
        let [first, second]: &[Vec<usize>; 2] = &halves;
        let split = |train: &Vec<usize>, test: &Vec<usize>| CellSplit { train: train.clone(), test: test.clone() };
        let splits = [split(first, second), split(second, first)];
        let spec = InterpretationSpec { alignment, ..InterpretationSpec::default() };
        let basis = Basis::fit(space, &splits, &spec).unwrap();
        // the fourth dimension does not vary
        assert_eq!(basis.n_components(), 3);
        let all = numbers(&space.f_matmul(&basis.loadings).unwrap()).unwrap();
        let n = basis.n_components();
        splits.iter().all(|split| {
            let scores = basis.scores(split).unwrap();
            let own = |cells: &[usize], found: &[f64]| {
                cells
                    .iter()
                    .enumerate()
                    .all(|(place, cell)| (0..2).all(|at| (found[place * n + at] - all[cell * n + at]).abs() < 0.1))
            };
            own(&split.train, &scores.train)
                && own(&split.test, &scores.test)
                && scores.agreement[..2].iter().all(|&r| r > 0.99 && r <= 1.0)
        })
    }

    #[test]
    fn components_of_nearly_equal_variance_are_told_apart() {
        let changing = space([1.1, 1.0], [0.7, 0.72]);
        assert!(is_aligned(&changing, Alignment::Matched));
        assert!(!is_aligned(&changing, Alignment::Sign) && !is_aligned(&changing, Alignment::AsFound));
    }

    #[test]
    fn signs_are_those_of_all_cells() {
        let keeping = space([2.0, 2.0], [0.7, 0.7]);
        assert!(is_aligned(&keeping, Alignment::Matched) && is_aligned(&keeping, Alignment::Sign));
        assert!(!is_aligned(&keeping, Alignment::AsFound));
    }
}
