//! k-means: cells grouped around means (Lloyd 1982), started by k-means++ (Arthur and Vassilvitskii 2007).

use crate::random::generator;
use crate::tensor::host;
use anyhow::{Result, ensure};
use rand::Rng;
use tch::{Kind, Tensor};

/// Rounds of Lloyd's algorithm, at most.
const MAX_ROUNDS: usize = 100;

/// A grouping.
#[derive(Debug)]
pub struct KMeans {
    /// The means: n_groups × n_dimensions.
    pub means: Tensor,
    /// Sum of the squared distances of cells to their means.
    pub inertia: f64,
}

impl KMeans {
    /// Groups the cells of a space; the best of `n_starts` seeded starts.
    ///
    /// # Shapes
    /// space: n_cells × n_dimensions.
    ///
    /// # Errors
    /// When a coordinate is not finite or there are fewer cells than groups.
    pub fn fit(space: &Tensor, n_groups: usize, n_starts: usize, seed: u64) -> Result<KMeans> {
        let space = host(space, "the space")?;
        let n_cells = space.size()[0];
        ensure!(
            n_groups >= 1 && n_groups as i64 <= n_cells,
            "{n_groups} groups of {n_cells} cells were asked for; expected from 1 to as many as there are cells"
        );
        let mut best: Option<KMeans> = None;
        for start in 0..n_starts.max(1) {
            let mut random = generator(seed.wrapping_add(start as u64));
            let found = lloyd(&space, plus_plus(&space, n_groups, &mut random))?;
            if best.as_ref().is_none_or(|best| found.inertia < best.inertia) {
                best = Some(found);
            }
        }
        best.ok_or_else(|| anyhow::anyhow!("k-means was not started"))
    }

    /// The group of each cell of a space: the nearest mean.
    ///
    /// # Errors
    /// When the space has other dimensions or a coordinate is not finite.
    pub fn groups(&self, space: &Tensor) -> Result<Vec<u32>> {
        let (groups, _) = nearest(&host(space, "the space")?, &self.means)?;
        Ok(Vec::<i64>::try_from(groups)?.into_iter().map(|group| group as u32).collect())
    }
}

/// Nearest mean of each cell, and the squared distance to it.
fn nearest(space: &Tensor, means: &Tensor) -> Result<(Tensor, Tensor)> {
    let distances = squared_lengths(space).f_unsqueeze(1)? - space.f_matmul(&means.tr())? * 2.0
        + squared_lengths(means).f_unsqueeze(0)?;
    let (least, groups) = distances.min_dim(1, false);
    Ok((groups, least.clamp_min(0.0)))
}

fn squared_lengths(rows: &Tensor) -> Tensor {
    rows.square().sum_dim_intlist([1i64].as_slice(), false, Kind::Double)
}

/// Means drawn one after the other, each from a cell in proportion to its squared distance from those before.
fn plus_plus(space: &Tensor, n_groups: usize, random: &mut impl Rng) -> Tensor {
    let n_cells = space.size()[0];
    let mut means = vec![space.get(random.random_range(0..n_cells as u64) as i64)];
    let mut least = (space - &means[0]).square().sum_dim_intlist([1i64].as_slice(), false, Kind::Double);
    while means.len() < n_groups {
        let cumulative = least.cumsum(0, Kind::Double);
        let total = cumulative.double_value(&[n_cells - 1]);
        let drawn = Tensor::from(random.random::<f64>() * total);
        let cell = drawn.view([1]).searchsorted(&cumulative, false, true, "right", None::<&Tensor>);
        let mean = space.get(cell.int64_value(&[0]).min(n_cells - 1));
        let to_it = (space - &mean).square().sum_dim_intlist([1i64].as_slice(), false, Kind::Double);
        least = least.minimum(&to_it);
        means.push(mean);
    }
    Tensor::stack(&means, 0)
}

fn lloyd(space: &Tensor, mut means: Tensor) -> Result<KMeans> {
    let mut inertia = f64::INFINITY;
    for _ in 0..MAX_ROUNDS {
        let (groups, distances) = nearest(space, &means)?;
        let now = distances.sum(Kind::Double).double_value(&[]);
        if now >= inertia * (1.0 - 1e-9) {
            inertia = now;
            break;
        }
        inertia = now;
        let counts = groups.bincount(None::<&Tensor>, means.size()[0]).to_kind(Kind::Double).unsqueeze(1);
        let sums = means.zeros_like().f_index_add(0, &groups, space)?;
        // a group that lost all its cells keeps its mean
        means = (sums / counts.clamp_min(1.0)).where_self(&counts.gt(0.0), &means);
    }
    Ok(KMeans { means, inertia })
}

#[cfg(test)]
mod tests {
    use super::*;
    use tch::Device;

    #[test]
    fn separate_groups_are_found() {
        tch::manual_seed(3);
        let centres = Tensor::from_slice2(&[[0.0f64, 0.0], [10.0, 0.0], [0.0, 10.0]]);
        let truth: Vec<i64> = (0..90).map(|cell| cell % 3).collect();
        let noise = Tensor::randn([90, 2], (Kind::Double, Device::Cpu));
        let space = centres.index_select(0, &Tensor::from_slice(&truth)) + noise;
        let found = KMeans::fit(&space, 3, 3, 1).unwrap();
        let groups = found.groups(&space).unwrap();
        let truth: Vec<u32> = truth.into_iter().map(|group| group as u32).collect();
        assert_eq!(crate::agreement(&groups, &truth).unwrap().adjusted_rand, 1.0);
        let direct = (&space
            - found.means.index_select(
                0,
                &Tensor::from_slice(&groups.iter().map(|group| i64::from(*group)).collect::<Vec<_>>()),
            ))
        .square()
        .sum(Kind::Double)
        .double_value(&[]);
        assert!((found.inertia - direct).abs() < 1e-6 * direct, "{} is not {direct}", found.inertia);
        assert!(KMeans::fit(&space, 91, 1, 1).is_err());
    }

    #[test]
    fn every_start_lies_in_a_group_of_its_own_where_groups_are_far_apart() {
        let space: Vec<f64> = (0..100).map(|cell| f64::from(cell % 10) * 1e6 + f64::from(cell / 10)).collect();
        let space = Tensor::from_slice(&space).view([100, 1]);
        for seed in 0..20 {
            let means = Vec::<f64>::try_from(plus_plus(&space, 10, &mut generator(seed)).view(-1)).unwrap();
            let mut groups: Vec<i64> = means.iter().map(|mean| (mean / 1e6).round() as i64).collect();
            groups.sort_unstable();
            assert_eq!(groups, (0..10).collect::<Vec<i64>>());
        }
    }

    #[test]
    fn equal_cells_do_no_harm() {
        let space = Tensor::ones([5, 2], (Kind::Double, Device::Cpu));
        assert_eq!(KMeans::fit(&space, 2, 2, 1).unwrap().inertia, 0.0);
    }
}
