//! Which regions hold a place of the genome.

use std::collections::HashMap;

use anyhow::{Result, ensure};

use super::{Peak, Regions};

/// Regions by chromosome.
pub(super) enum Known {
    Peaks {
        names: Vec<String>,
        chromosomes: HashMap<String, Vec<Bounds>>,
    },
    Tiles {
        width: u32,
        /// For each chromosome the region of each tile that was met.
        chromosomes: HashMap<String, HashMap<u32, u32>>,
        tiles: Vec<Peak>,
    },
}

/// A peak on its chromosome; they are ordered by start.
#[derive(Clone, Copy)]
pub(super) struct Bounds {
    start: u32,
    end: u32,
    /// The last end of this one and those before it.
    reach: u32,
    region: u32,
}

impl Known {
    pub(super) fn new(regions: &Regions) -> Result<Self> {
        match regions {
            Regions::Tiles(width) => {
                ensure!(*width > 0, "tiles must be at least one base wide");
                Ok(Self::Tiles { width: *width, chromosomes: HashMap::new(), tiles: Vec::new() })
            }
            Regions::Peaks(peaks) => {
                ensure!(!peaks.is_empty(), "there are no peaks to count in");
                let mut chromosomes: HashMap<String, Vec<Bounds>> = HashMap::new();
                for (region, peak) in (0u32..).zip(peaks) {
                    let bounds = Bounds { start: peak.start, end: peak.end, reach: 0, region };
                    chromosomes.entry(peak.chromosome.clone()).or_default().push(bounds);
                }
                for peaks in chromosomes.values_mut() {
                    peaks.sort_unstable_by_key(|bounds| (bounds.start, bounds.region));
                    let mut reach = 0;
                    for bounds in peaks {
                        reach = reach.max(bounds.end);
                        bounds.reach = reach;
                    }
                }
                Ok(Self::Peaks { names: peaks.iter().map(Peak::name).collect(), chromosomes })
            }
        }
    }

    /// Calls `take` with each region that holds the place.
    pub(super) fn holding(&mut self, chromosome: &str, place: u32, take: &mut dyn FnMut(u32)) {
        match self {
            Self::Peaks { chromosomes, .. } => {
                let Some(peaks) = chromosomes.get(chromosome) else { return };
                let n_begun = peaks.partition_point(|bounds| bounds.start <= place);
                for bounds in peaks[..n_begun].iter().rev().take_while(|bounds| bounds.reach > place) {
                    if bounds.end > place {
                        take(bounds.region);
                    }
                }
            }
            Self::Tiles { width, chromosomes, tiles } => {
                if !chromosomes.contains_key(chromosome) {
                    chromosomes.insert(chromosome.to_owned(), HashMap::new());
                }
                let Some(known) = chromosomes.get_mut(chromosome) else { return };
                let tile = place / *width;
                take(*known.entry(tile).or_insert_with(|| {
                    let (chromosome, start) = (chromosome.to_owned(), tile * *width);
                    tiles.push(Peak { chromosome, start, end: start.saturating_add(*width) });
                    tiles.len() as u32 - 1
                }));
            }
        }
    }

    /// Names of the regions, and the order in which they are told.
    pub(super) fn named(&self) -> (Vec<String>, Vec<usize>) {
        match self {
            Self::Peaks { names, .. } => (names.clone(), (0..names.len()).collect()),
            Self::Tiles { tiles, .. } => {
                let mut order: Vec<usize> = (0..tiles.len()).collect();
                order.sort_unstable_by(|left, right| tiles[*left].cmp(&tiles[*right]));
                (tiles.iter().map(Peak::name).collect(), order)
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn peak(chromosome: &str, start: u32, end: u32) -> Peak {
        Peak { chromosome: chromosome.to_owned(), start, end }
    }

    fn holding(known: &mut Known, chromosome: &str, place: u32) -> Vec<u32> {
        let mut found = Vec::new();
        known.holding(chromosome, place, &mut |region| found.push(region));
        found.sort_unstable();
        found
    }

    #[test]
    fn every_peak_that_holds_a_place_is_found() {
        let peaks = vec![peak("1", 50, 60), peak("1", 0, 100), peak("1", 10, 20), peak("2", 0, 5), peak("1", 100, 110)];
        let mut known = Known::new(&Regions::Peaks(peaks.clone())).unwrap();
        for (chromosome, place) in ["1", "2", "3"].iter().flat_map(|name| (0..120).map(move |place| (*name, place))) {
            let holds = |peak: &Peak| peak.chromosome == chromosome && (peak.start..peak.end).contains(&place);
            let expected: Vec<u32> = (0u32..).zip(&peaks).filter(|(_, peak)| holds(peak)).map(|(at, _)| at).collect();
            assert_eq!(holding(&mut known, chromosome, place), expected, "{chromosome}:{place}");
        }
    }

    #[test]
    fn tiles_lie_side_by_side() {
        let mut known = Known::new(&Regions::Tiles(10)).unwrap();
        assert_eq!(holding(&mut known, "2", 25), [0]);
        assert_eq!(holding(&mut known, "1", 9), [1]);
        assert_eq!(holding(&mut known, "1", 10), [2]);
        assert_eq!(holding(&mut known, "2", 20), [0]);
        let (names, order) = known.named();
        assert_eq!(names, ["2:20-30", "1:0-10", "1:10-20"]);
        assert_eq!(order, [1, 2, 0]);
        assert!(Known::new(&Regions::Tiles(0)).is_err());
    }
}
