//! Whether the two groups that a space falls into differ in a number: the procedure of Zhang et al. 2026 for pairs of stains
//! and the place of proteins (Human Protein Atlas).

use super::findings::TwoGroups;
use super::knowledge::NumberColumn;
use super::spaces::SpaceOfCells;
use crate::evaluate::select;
use analysis::{Against, KMeans, Matrix, Values, group_tests};
use anyhow::{Context, Result};
use tch::{Kind, Tensor};

/// Seeds of k-means that must agree.
const N_SEEDS: u64 = 5;
/// Level before Bonferroni's correction for the number of spaces and numbers.
const LEVEL: f64 = 0.05;
/// Smallest group that is tested.
const MIN_CELLS: usize = 2;

/// Groups the cells of every space by k-means with two means, from five seeds, and tests each number between the groups (Welch's
/// t-test). They differ where p is below 0.05 divided by the number of tests, and the means differ by more than `effect`,
/// with every seed (the paper's caption has 0.1, its methods 0.01, of a proportion).
///
/// # Errors
/// When rows are not finite.
pub fn two_groups(spaces: &[SpaceOfCells], numbers: &[NumberColumn], effect: f64) -> Result<Vec<TwoGroups>> {
    let n_tests = spaces.len() * numbers.len();
    let mut all = Vec::new();
    for space in spaces {
        for (name, values) in numbers {
            let known = |(row, cell): (usize, &usize)| values[*cell].map(|value| (row, value));
            let (rows, values): (Vec<usize>, Vec<f64>) = space.cells.iter().enumerate().filter_map(known).unzip();
            let tested = tests(&space.rows, &rows, &values);
            let tested = tested.with_context(|| format!("`{name}` in two groups of `{}`", space.name))?;
            let Some((differences, p)) = tested else { continue };
            let is_passed = |(difference, p): (&f64, &f64)| *p < LEVEL / n_tests as f64 && difference.abs() > effect;
            all.push(TwoGroups {
                space: space.name.clone(),
                of: name.clone(),
                n_cells: rows.len(),
                differs: differences.iter().zip(&p).all(is_passed),
                level: LEVEL / n_tests as f64,
                effect,
                differences,
                p,
            });
        }
    }
    Ok(all)
}

/// Differences of means (absolute) and p-values, one per seed; `None` where a group is too small.
fn tests(rows: &Tensor, cells: &[usize], values: &[f64]) -> Result<Option<(Vec<f64>, Vec<f64>)>> {
    if cells.len() < 2 * MIN_CELLS {
        return Ok(None);
    }
    let rows = select(rows, cells);
    // a shift changes neither t nor a difference, and amounts must not be below 0
    let least = values.iter().copied().fold(f64::INFINITY, f64::min);
    let shifted: Vec<f64> = values.iter().map(|value| value - least).collect();
    let column = Tensor::from_slice(&shifted).view([-1, 1]).to_kind(Kind::Double);
    let matrix = Matrix::dense(&column)?;
    let (mut differences, mut p) = (Vec::new(), Vec::new());
    for seed in 0..N_SEEDS {
        let of = KMeans::fit(&rows, 2, 1, seed)?.groups(&rows)?;
        let groups: Vec<Vec<usize>> =
            (0..2).map(|group| (0..of.len()).filter(|&cell| of[cell] == group).collect()).collect();
        if groups.iter().any(|group| group.len() < MIN_CELLS) {
            return Ok(None);
        }
        let test = group_tests(&matrix, &groups, Against::OtherGroups, Values::Plain)?;
        differences.push((test[0].mean[0] - test[0].reference_mean[0]).abs());
        p.push(test[0].p[0]);
    }
    Ok(Some((differences, p)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn groups_that_differ_are_told_from_those_that_do_not() {
        let shift: Vec<f64> = (0..200).map(|cell| if cell % 2 == 0 { 0.0 } else { 30.0 }).collect();
        let noise: Vec<f64> = (0..200).map(|cell| f64::from(cell * 37 % 101) / 101.0).collect();
        let rows = Tensor::from_slice(&shift.iter().zip(&noise).map(|(a, b)| a + b).collect::<Vec<_>>()).view([-1, 1]);
        let space = SpaceOfCells {
            name: "one".into(),
            space: "one".into(),
            encoder: None,
            modalities: vec![0],
            cells: (0..200).collect(),
            rows,
        };
        let number = |of: &dyn Fn(usize) -> f64| (0..200).map(|cell| Some(of(cell))).collect::<Vec<_>>();
        let apart = number(&|cell| noise[cell] - if cell % 2 == 0 { 0.5 } else { 0.0 });
        let columns = [("apart".to_owned(), apart), ("noise".to_owned(), number(&|cell| noise[(cell * 7 + 3) % 200]))];
        let found = two_groups(&[space], &columns, 0.1).unwrap();
        assert_eq!(found.iter().map(|one| one.differs).collect::<Vec<_>>(), [true, false]);
        assert_eq!((found[0].level, found[0].n_cells, found[0].p.len()), (0.025, 200, 5));
        assert!(found[0].differences.iter().all(|difference| (0.4..0.6).contains(difference)), "{found:?}");
    }
}
