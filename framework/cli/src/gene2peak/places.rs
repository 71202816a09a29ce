//! Where features lie on the genome.

use super::annotation::Annotation;
use std::collections::HashMap;

/// The direction in which a gene is read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Strand {
    /// Towards higher positions.
    Forward,
    /// Towards lower positions.
    Reverse,
}

/// A stretch of a chromosome: from `start` (counted from 0) up to, not including, `end`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Place {
    /// Name of the chromosome.
    pub chromosome: String,
    /// First position, in base pairs.
    pub start: i64,
    /// Position behind the last.
    pub end: i64,
    /// The direction of a gene, where it is known.
    pub strand: Option<Strand>,
}

impl Place {
    /// Base pairs between two places: 0 where they overlap or touch; `None` on different chromosomes.
    pub fn gap(&self, other: &Place) -> Option<i64> {
        let apart = (other.start - self.end).max(self.start - other.end).max(0);
        (self.chromosome == other.chromosome).then_some(apart)
    }

    /// Where transcription starts, of a gene whose direction is known.
    pub fn transcription_start(&self) -> Option<i64> {
        self.strand.map(|strand| if strand == Strand::Forward { self.start } else { self.end - 1 })
    }
}

/// Signed distance of a peak from a gene in base pairs, nearest edge of the peak; `None` on different chromosomes.
///
/// From the gene's transcription start where its direction is known: below 0 upstream, above 0 downstream. Else from its
/// nearest edge: below 0 before it on the chromosome, above 0 behind it. 0 where they overlap.
pub fn signed_distance(gene: &Place, peak: &Place) -> Option<i64> {
    if gene.chromosome != peak.chromosome {
        return None;
    }
    let (start, end) = gene.transcription_start().map_or((gene.start, gene.end), |start| (start, start + 1));
    let behind = if peak.start >= end {
        peak.start - (end - 1)
    } else if peak.end <= start {
        (peak.end - 1) - start
    } else {
        0
    };
    Some(if gene.strand == Some(Strand::Reverse) { -behind } else { behind })
}

/// The place that a name such as `chr1:100-200`, `chr1-100-200` or `chr1_100_200` says.
pub fn place_of_name(name: &str) -> Option<Place> {
    let mut parts = name.rsplitn(3, [':', '-', '_']);
    let (end, start, chromosome) = (parts.next()?, parts.next()?, parts.next()?);
    let (start, end) = (position(start)?, position(end)?);
    (!chromosome.is_empty() && start < end).then(|| Place {
        chromosome: chromosome.to_owned(),
        start,
        end,
        strand: None,
    })
}

/// A position, perhaps with commas.
fn position(text: &str) -> Option<i64> {
    let digits: String = text.chars().filter(|&letter| letter != ',').collect();
    let is_number = !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit());
    is_number.then(|| digits.parse().ok()).flatten()
}

/// The places of features, by chromosome.
#[derive(Debug, Clone, Default)]
pub struct Places {
    of_feature: Vec<Option<Place>>,
    by_chromosome: HashMap<String, Vec<usize>>,
}

impl Places {
    /// What names say themselves, or an annotation says of them.
    pub fn of(names: &[String], annotation: Option<&Annotation>) -> Places {
        let place = |name: &String| place_of_name(name).or_else(|| Some(annotation?.get(name)?.place.clone()));
        let of_feature: Vec<Option<Place>> = names.iter().map(place).collect();
        let mut by_chromosome: HashMap<String, Vec<usize>> = HashMap::new();
        for (feature, place) in of_feature.iter().enumerate() {
            if let Some(place) = place {
                by_chromosome.entry(place.chromosome.clone()).or_default().push(feature);
            }
        }
        Places { of_feature, by_chromosome }
    }

    /// The place of a feature.
    pub fn get(&self, feature: usize) -> Option<&Place> {
        self.of_feature.get(feature)?.as_ref()
    }

    /// Number of features whose place is known.
    pub fn n_known(&self) -> usize {
        self.of_feature.iter().flatten().count()
    }

    /// Features at most so many base pairs from a place, in order.
    pub fn near(&self, place: &Place, window: i64) -> Vec<usize> {
        let features = self.by_chromosome.get(&place.chromosome).map_or(&[][..], Vec::as_slice);
        let is_near =
            |feature: usize| self.get(feature).and_then(|other| place.gap(other)).is_some_and(|gap| gap <= window);
        features.iter().copied().filter(|&feature| is_near(feature)).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn place(start: i64, end: i64, strand: Option<Strand>) -> Place {
        Place { chromosome: "chr1".into(), start, end, strand }
    }

    #[test]
    fn names_of_peaks_say_where_they_are() {
        for name in ["chr1:100-200", "chr1-100-200", "chr1_100_200", "chr1:1,00-2,00"] {
            assert_eq!(place_of_name(name), Some(place(100, 200, None)), "{name}");
        }
        let other = place_of_name("chrUn_KI270742v1-5-9").unwrap();
        assert_eq!((other.chromosome.as_str(), other.start), ("chrUn_KI270742v1", 5));
        for name in ["CD3E", "HLA-A", "chr1:200-100", "chr1", "", "a-1", "-1-2", "peak_1_x", "chr1:-5-9-"] {
            assert_eq!(place_of_name(name), None, "{name}");
        }
    }

    #[test]
    fn distances_know_the_direction_of_a_gene() {
        let peaks = [(10, 20), (95, 105), (150, 160), (195, 205), (300, 310)].map(|(from, to)| place(from, to, None));
        let distances = |strand| peaks.each_ref().map(|peak| signed_distance(&place(100, 200, strand), peak).unwrap());
        assert_eq!(distances(None), [-81, 0, 0, 0, 101]);
        assert_eq!(distances(Some(Strand::Forward)), [-81, 0, 50, 95, 200]);
        assert_eq!(distances(Some(Strand::Reverse)), [180, 95, 40, 0, -101]);
        let elsewhere = Place { chromosome: "chr2".into(), ..place(10, 20, None) };
        assert_eq!(signed_distance(&place(0, 9, None), &elsewhere), None);
    }

    #[test]
    fn near_features_are_on_the_same_chromosome() {
        let names = ["chr1:0-10", "chr2:0-10", "chr1:500-510", "gene", "chr1:111-120"].map(str::to_owned);
        let places = Places::of(&names, None);
        assert_eq!(places.near(&place(20, 101, None), 10), [0, 4]);
        assert_eq!((places.n_known(), places.get(3)), (4, None));
    }
}
