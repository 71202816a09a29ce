//! Graph connectivity: whether the cells of a label hang together.

use anyhow::Result;

use crate::labels::cells_by_group;
use crate::neighbours::Neighbours;
use crate::score::check_codes;

const UNSEEN: usize = usize::MAX;

/// Mean over labels of the share of their cells in their largest connected part: 0 … 1, higher is better.
///
/// Parts are strongly connected ones of the directed graph from each cell to its k nearest others, kept where both have the
/// label: every cell of a part is reached from every other. scib-metrics takes k + 1 = 15, the cell itself counted. Time
/// grows with n_cells × k.
///
/// # Errors
/// When labels are not one per cell.
///
/// # Source
/// Luecken et al. 2022; scib-metrics 0.5.10 `graph_connectivity` (`connection="strong"`).
pub fn graph_connectivity(neighbours: &Neighbours, labels: &[u32]) -> Result<f64> {
    check_codes(neighbours.n_cells(), &[labels])?;
    let all: Vec<usize> = (0..labels.len()).collect();
    let part = Parts::of(neighbours, labels);
    let largest = |cells: &Vec<usize>| {
        let parts = cells_by_group(cells, &part);
        parts.values().map(Vec::len).max().unwrap_or_default() as f64 / cells.len() as f64
    };
    let shares: Vec<f64> = cells_by_group(&all, labels).values().map(largest).collect();
    Ok(shares.iter().sum::<f64>() / shares.len() as f64)
}

/// Strongly connected parts (Tarjan 1972), with a stack of its own instead of recursion.
struct Parts {
    /// When each cell was first seen.
    order: Vec<usize>,
    /// The earliest cell seen that each reaches among those without a part.
    earliest: Vec<usize>,
    open: Vec<usize>,
    part: Vec<u32>,
    n_seen: usize,
    n_parts: u32,
}

impl Parts {
    fn of(neighbours: &Neighbours, labels: &[u32]) -> Vec<u32> {
        let n = labels.len();
        let mut parts = Self {
            order: vec![UNSEEN; n],
            earliest: vec![UNSEEN; n],
            open: Vec::new(),
            part: vec![u32::MAX; n],
            n_seen: 0,
            n_parts: 0,
        };
        for start in 0..n {
            if parts.order[start] == UNSEEN {
                parts.walk(start, neighbours, labels);
            }
        }
        parts.part
    }

    fn walk(&mut self, start: usize, neighbours: &Neighbours, labels: &[u32]) {
        let mut path = vec![(start, 0)];
        self.see(start);
        while let Some((cell, at)) = path.pop() {
            let Some(&other) = neighbours.of(cell).get(at) else {
                self.close(cell);
                if let Some(&(before, _)) = path.last() {
                    self.earliest[before] = self.earliest[before].min(self.earliest[cell]);
                }
                continue;
            };
            path.push((cell, at + 1));
            let other = other as usize;
            if labels.get(other) != Some(&labels[cell]) {
                continue;
            }
            if self.order[other] == UNSEEN {
                self.see(other);
                path.push((other, 0));
            } else if self.part[other] == u32::MAX {
                self.earliest[cell] = self.earliest[cell].min(self.order[other]);
            }
        }
    }

    fn see(&mut self, cell: usize) {
        (self.order[cell], self.earliest[cell]) = (self.n_seen, self.n_seen);
        self.n_seen += 1;
        self.open.push(cell);
    }

    /// A cell that reaches none seen before it closes the part of all that were seen since.
    fn close(&mut self, cell: usize) {
        if self.earliest[cell] != self.order[cell] {
            return;
        }
        while let Some(member) = self.open.pop() {
            self.part[member] = self.n_parts;
            if member == cell {
                break;
            }
        }
        self.n_parts += 1;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn directed(positions: &[u32]) -> Neighbours {
        Neighbours { n_neighbours: 1, positions: positions.to_vec(), distances: vec![1.0; positions.len()] }
    }

    #[test]
    fn parts_are_rings_of_arrows() {
        // 0 → 1 → 2 → 0 is a ring, 3 → 2 leads into it, 4 ⇄ 5
        let neighbours = directed(&[1, 2, 0, 2, 5, 4]);
        assert_eq!(graph_connectivity(&neighbours, &[0; 6]).unwrap(), 0.5);
        assert_eq!(graph_connectivity(&neighbours, &[0, 0, 0, 0, 1, 1]).unwrap(), (0.75 + 1.0) / 2.0);
        assert_eq!(graph_connectivity(&neighbours, &[0, 0, 1, 1, 2, 2]).unwrap(), (0.5 + 0.5 + 1.0) / 3.0);
        assert!(graph_connectivity(&neighbours, &[0; 5]).is_err());
    }

    #[test]
    fn a_long_ring_does_not_exhaust_the_stack() {
        let n = 200_000u32;
        let ring: Vec<u32> = (0..n).map(|cell| (cell + 1) % n).collect();
        assert_eq!(graph_connectivity(&directed(&ring), &vec![0; n as usize]).unwrap(), 1.0);
    }
}
