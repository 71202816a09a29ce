//! Which cell is shown to the network beside which: drawn without replacement among the training cells of the same protein.

use rand::seq::SliceRandom;
use rand_chacha::ChaCha8Rng;

/// A target cell, and the cell whose chromatin and protein are shown.
pub(super) type Paired = (usize, usize);

/// Each cell of a group with another one of it, each shown once: neighbours in a shuffled ring. Nothing from fewer than two cells.
pub(super) fn ring(cells: &[usize], generator: &mut ChaCha8Rng) -> Vec<Paired> {
    let mut order = cells.to_vec();
    order.shuffle(generator);
    if order.len() < 2 {
        return Vec::new();
    }
    let next = order.iter().cycle().skip(1);
    order.iter().copied().zip(next.copied()).collect()
}

/// For each of some cells one to be shown, none of `train` again before all were, and never the cell itself where there is another.
pub(super) fn shown(train: &[usize], cells: &[usize], generator: &mut ChaCha8Rng) -> Vec<usize> {
    let mut order = train.to_vec();
    order.shuffle(generator);
    let pick = |(place, cell): (usize, &usize)| {
        let found = order[place % order.len()];
        if found == *cell { order[(place + 1) % order.len()] } else { found }
    };
    cells.iter().enumerate().map(pick).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use framework::{Purpose, Seed};

    fn generator(seed: u64) -> ChaCha8Rng {
        Seed(seed).generator(Purpose::Order, 0, 0)
    }

    #[test]
    fn every_cell_is_shown_once_and_never_to_itself() {
        let cells: Vec<usize> = (10..30).collect();
        for seed in 0..50 {
            let pairs = ring(&cells, &mut generator(seed));
            let sorted = |of: fn(&Paired) -> usize| {
                let mut all: Vec<usize> = pairs.iter().map(of).collect();
                all.sort_unstable();
                all
            };
            assert_eq!((sorted(|pair| pair.0), sorted(|pair| pair.1)), (cells.clone(), cells.clone()));
            assert!(pairs.iter().all(|(target, source)| target != source));
        }
        assert_ne!(ring(&cells, &mut generator(1)), ring(&cells, &mut generator(2)));
        assert!(ring(&[4], &mut generator(1)).is_empty());
    }

    #[test]
    fn judged_cells_are_shown_training_cells_each_before_any_twice() {
        let (train, judged): (Vec<usize>, Vec<usize>) = ((0..7).collect(), (7..23).collect());
        let found = shown(&train, &judged, &mut generator(3));
        let count = |cell: usize| found.iter().filter(|other| **other == cell).count();
        assert!((0..7).all(|cell| [2, 3].contains(&count(cell))), "{found:?}");
        // cells that were learned from and are judged are not shown to themselves
        let own = shown(&train, &train, &mut generator(3));
        assert!(own.iter().zip(&train).all(|(shown, cell)| shown != cell));
    }
}
