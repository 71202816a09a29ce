//! Bins of a principal component and the cells near its axis.

use anyhow::{Result, ensure};
use serde::Serialize;
use tch::Tensor;

use super::spec::BinSpec;
use crate::tensor::{host, numbers};

/// A group of cells along a component.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Direction {
    /// The first bins.
    NegativeEnd,
    /// The bin in the middle.
    Centre,
    /// The last bins.
    PositiveEnd,
}

impl Direction {
    /// All three, from the negative to the positive end.
    pub const ALL: [Self; 3] = [Self::NegativeEnd, Self::Centre, Self::PositiveEnd];

    /// The name in tables, such as `negative_end`.
    pub fn name(self) -> &'static str {
        match self {
            Self::NegativeEnd => "negative_end",
            Self::Centre => "centre",
            Self::PositiveEnd => "positive_end",
        }
    }
}

/// One component cut into bins of equally many training cells, and how near its axis a centre cell is.
///
/// Edges are the 100 k / n percentiles of the training scores, k = 1 … n − 1, interpolated linearly (numpy's default). A bin
/// is (lower, upper]; the first and the last are open, so that the training minimum and cells beyond the training range
/// belong to the ends. (The authors' code put all of these into the negative end.)
#[derive(Clone, Debug, PartialEq)]
pub struct ComponentBins {
    component: usize,
    spec: BinSpec,
    edges: Vec<f64>,
    /// A centre cell's distance is below this.
    largest: f64,
}

impl ComponentBins {
    /// Finds the edges and the distance of centre cells from the scores of the training cells on all components kept.
    ///
    /// # Shapes
    /// scores: n_cells × n_components.
    ///
    /// # Errors
    /// When there is no cell or no such component, or the bins asked for make no sense.
    pub fn fit(scores: &Tensor, component: usize, spec: BinSpec) -> Result<Self> {
        spec.check()?;
        let scores = host(scores, "the scores of components")?;
        let n_components = scores.size()[1] as usize;
        ensure!(scores.size()[0] > 0, "there is no training cell to bin");
        ensure!(
            component < n_components,
            "component {component} was asked for, but there are {n_components}, counted from 0"
        );
        Ok(Self::of(&numbers(&scores)?, n_components, component, spec))
    }

    /// The same of scores laid out cell by cell.
    pub(super) fn of(scores: &[f64], n_components: usize, component: usize, spec: BinSpec) -> Self {
        let cells = scores.chunks_exact(n_components);
        let mut along: Vec<f64> = cells.clone().map(|cell| cell[component]).collect();
        along.sort_unstable_by(f64::total_cmp);
        let n_bins = spec.n_bins;
        let edges = (1..n_bins).map(|k| quantile(&along, 100.0 * k as f64 / n_bins as f64 / 100.0)).collect();
        let mut bins = Self { component, spec, edges, largest: 0.0 };
        let mut away: Vec<f64> = cells.map(|cell| bins.distance(cell)).collect();
        away.sort_unstable_by(f64::total_cmp);
        bins.largest = quantile(&away, spec.centre_percentile / 100.0);
        bins
    }

    /// Upper edges of all bins but the last, ascending.
    pub fn edges(&self) -> &[f64] {
        &self.edges
    }

    /// The bin that a score on the component lies in, counted from 0.
    pub fn bin(&self, score: f64) -> usize {
        self.edges.partition_point(|&edge| edge < score)
    }

    /// The group that a bin belongs to; `None` for intermediate bins.
    pub fn direction(&self, bin: usize) -> Option<Direction> {
        match bin {
            _ if bin < self.spec.n_end_bins => Some(Direction::NegativeEnd),
            _ if bin == self.spec.n_bins / 2 => Some(Direction::Centre),
            _ if bin + self.spec.n_end_bins >= self.spec.n_bins => Some(Direction::PositiveEnd),
            _ => None,
        }
    }

    /// Sum of the squared scores of a cell on the other components that count.
    pub fn distance(&self, cell: &[f64]) -> f64 {
        let n_counted = self.spec.centre.n_counted(cell.len());
        let others = cell[..n_counted].iter().enumerate().filter(|(at, _)| *at != self.component);
        others.map(|(_, score)| score * score).sum()
    }

    /// Whether a cell, given by its scores on all components, lies near the axis.
    pub fn is_centre(&self, cell: &[f64]) -> bool {
        self.distance(cell) < self.largest
    }

    /// Places of the centre cells in each group, by [`Direction::ALL`].
    pub(super) fn groups(&self, scores: &[f64], n_components: usize) -> [Vec<usize>; 3] {
        let mut groups = [const { Vec::new() }; 3];
        for (place, cell) in scores.chunks_exact(n_components).enumerate() {
            if let Some(direction) = self.direction(self.bin(cell[self.component]))
                && self.is_centre(cell)
            {
                groups[direction as usize].push(place);
            }
        }
        groups
    }
}

/// A quantile of ascending values, interpolated linearly; numpy's `percentile`, to the last digit.
fn quantile(ascending: &[f64], share: f64) -> f64 {
    let at = (ascending.len() - 1) as f64 * share;
    let below = at.floor() as usize;
    let (low, part) = (ascending[below], at - at.floor());
    let high = ascending[(below + 1).min(ascending.len() - 1)];
    if part < 0.5 { low + (high - low) * part } else { high - (high - low) * (1.0 - part) }
}

#[cfg(test)]
mod tests {
    use super::super::spec::CentreRule;
    use super::*;

    fn bins_of(scores: &[f64], spec: BinSpec) -> ComponentBins {
        ComponentBins::of(scores, 1, 0, spec)
    }

    #[test]
    fn quantiles_are_those_of_numpy() {
        // numpy.percentile([0.3, 1.7, 2.9, 7.1, 11.3], 100 * k / 11) and 15
        let values = [0.3, 1.7, 2.9, 7.1, 11.3];
        let spec = BinSpec { centre: CentreRule::All, ..BinSpec::default() };
        let expected = [
            0.809090909090909,
            1.3181818181818183,
            1.8090909090909089,
            2.245454545454545,
            2.6818181818181817,
            3.663636363636364,
            5.1909090909090905,
            6.718181818181818,
            8.245454545454546,
            9.772727272727273,
        ];
        let edges = bins_of(&values, spec).edges;
        assert!(edges.iter().zip(expected).all(|(a, b)| (a - b).abs() < 1e-14), "{edges:?}");
        assert!((quantile(&values, 0.15) - 1.14).abs() < 1e-14);
        assert_eq!((quantile(&values, 0.0), quantile(&values, 1.0), quantile(&[4.0], 0.3)), (0.3, 11.3, 4.0));
    }

    #[test]
    fn bins_hold_equally_many_and_ends_are_open() {
        let scores: Vec<f64> = (0..110).map(f64::from).collect();
        let bins = bins_of(&scores, BinSpec::default());
        let mut n = [0; 11];
        scores.iter().for_each(|&score| n[bins.bin(score)] += 1);
        assert_eq!(n, [10; 11]);
        // the training minimum and everything beyond: where they are, not all in the negative end
        assert_eq!([0.0, -1e9, 109.0, 1e9].map(|score| bins.bin(score)), [0, 0, 10, 10]);
        // (lower, upper]
        let edge = bins.edges()[4];
        assert_eq!((bins.bin(edge), bins.bin(edge + 1e-9)), (4, 5));
        let named: Vec<Option<Direction>> = (0..11).map(|bin| bins.direction(bin)).collect();
        let ends = |end| vec![Some(end), Some(end)];
        let expected = [ends(Direction::NegativeEnd), vec![None; 3], vec![Some(Direction::Centre)], vec![None; 3]];
        assert_eq!(named, [expected.concat(), ends(Direction::PositiveEnd)].concat());
    }

    #[test]
    fn the_centre_is_near_the_axis_of_the_components_that_count() {
        // twelve components, of which one is off 0, more so for later cells
        let n_centre = |off: usize, component, centre| {
            let cell = |at: i32| (0..12).map(move |place| if place == off { f64::from(at) } else { 0.0 });
            let cells: Vec<f64> = (0..20).flat_map(cell).collect();
            let bins = ComponentBins::of(&cells, 12, component, BinSpec { centre, ..BinSpec::default() });
            cells.chunks(12).filter(|cell| bins.is_centre(cell)).count()
        };
        // the 15th percentile of 0, 1, 4, … is between the squares of the third and fourth cell: 2.85
        assert_eq!(n_centre(11, 0, CentreRule::All), 3);
        assert_eq!(n_centre(11, 0, CentreRule::First(12)), 3);
        assert_eq!(n_centre(9, 0, CentreRule::FirstTen), 3);
        // strictly below: all are at distance 0 of the components that count
        assert_eq!(n_centre(10, 0, CentreRule::FirstTen), 0);
        assert_eq!(n_centre(11, 0, CentreRule::First(11)), 0);
        assert_eq!(n_centre(11, 11, CentreRule::All), 0);
    }

    #[test]
    fn missing_components_are_refused() {
        let scores = Tensor::from_slice(&[0.0, 1.0]).view([2, 1]);
        let failure = ComponentBins::fit(&scores, 1, BinSpec::default()).unwrap_err().to_string();
        assert_eq!(failure, "component 1 was asked for, but there are 1, counted from 0");
        assert!(ComponentBins::fit(&scores, 0, BinSpec { n_bins: 4, ..BinSpec::default() }).is_err());
    }
}
