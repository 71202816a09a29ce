//! Motifs as sets of peaks: those in whose sequence a motif occurs.

mod fasta;
mod jaspar;

use super::set_tests::{PlacedSets, SetTests};
use crate::arguments::{MotifArguments, MotifBackground};
use analysis::{FrequencyMatrix, MotifScanner, MotifSpec, Sequence, equal_groups, symmetric_background};
use anyhow::Result;
use fasta::{FeatureSequences, Found};

/// Groups of peaks by GC content.
const N_GC_GROUPS: usize = 10;

/// Motifs, and the sequences that they are looked for in.
#[derive(Debug)]
pub struct MotifSets {
    motifs: Vec<FrequencyMatrix>,
    sequences: FeatureSequences,
    spec: MotifSpec,
    background: MotifBackground,
}

impl MotifSets {
    /// Reads motifs and the sequences of features; `None` where none were asked for.
    ///
    /// # Errors
    /// When a file is not of its format, the level makes no sense, or no feature has a sequence.
    pub fn read(arguments: &MotifArguments, names: &[String]) -> Result<Option<MotifSets>> {
        let Some(path) = &arguments.sequences else { return Ok(None) };
        let spec = MotifSpec { p: arguments.motif_p, ..MotifSpec::default() };
        MotifScanner::new(&[], [0.25; 4], spec)?;
        let motifs = jaspar::read_motifs(&arguments.motifs)?;
        let sequences = FeatureSequences::read(path, names)?;
        Ok(Some(MotifSets { motifs, sequences, spec, background: arguments.motif_background }))
    }

    /// The motifs that occur in any of these features, as sets of them, and words for how many; `None` where no feature has a
    /// sequence. Scores are over the letters of these features.
    ///
    /// # Errors
    /// When a letter does not occur in the sequences.
    pub fn among(&self, table: &str, names: &[String]) -> Result<Option<(PlacedSets, String)>> {
        let found: Vec<Option<&Found>> = names.iter().map(|name| self.sequences.get(name)).collect();
        let known = |found: &Option<&Found>| match found {
            Some(Found::Sequence(sequence)) => Some(sequence.clone()),
            _ => None,
        };
        let sequences: Vec<Option<Sequence>> = found.iter().map(known).collect();
        if sequences.iter().all(Option::is_none) {
            return Ok(None);
        }
        let scanner = MotifScanner::new(&self.motifs, symmetric_background(sequences.iter().flatten()), self.spec)?;
        let members = scanner.occurrences(&sequences);
        let n_short = (0..self.motifs.len()).filter(|&motif| scanner.threshold(motif).is_none()).count();
        let named = self.motifs.iter().map(|motif| motif.name().to_owned()).zip(members);
        let (of_sets, members): (Vec<String>, Vec<Vec<usize>>) =
            named.filter(|(_, members)| !members.is_empty()).unzip();
        let told = self.told((table, &found), of_sets.len(), n_short);
        Ok(Some((PlacedSets { names: of_sets, members, tests: self.tests(&sequences) }, told)))
    }

    /// Strata of the features that have a known letter.
    fn tests(&self, sequences: &[Option<Sequence>]) -> SetTests {
        let gc: Vec<f64> =
            sequences.iter().map(|sequence| sequence.as_ref().map_or(f64::NAN, Sequence::gc_content)).collect();
        let (n_groups, suffix) = match self.background {
            MotifBackground::Tested => (1, ""),
            MotifBackground::GcMatched => (N_GC_GROUPS, "_gc_matched"),
        };
        SetTests::Strata { of_feature: equal_groups(&gc, n_groups), suffix }
    }

    fn told(&self, (table, found): (&str, &[Option<&Found>]), n_occurring: usize, n_short: usize) -> String {
        let count = |of: &dyn Fn(&Found) -> bool| found.iter().flatten().filter(|found| of(found)).count();
        let n_known = count(&|found| matches!(found, Found::Sequence(_)));
        let mut text = format!(
            "motifs: {n_known} of {} features of {table} have a sequence, {n_occurring} of {} motifs occur",
            found.len(),
            self.motifs.len()
        );
        let n_unnamed = found.iter().filter(|found| found.is_none()).count();
        let missing = [
            (count(&|found| *found == Found::NoChromosome), "on chromosomes that the file lacks"),
            (count(&|found| *found == Found::PastTheEnd), "past the end of their chromosome"),
            (n_unnamed, "without a place in their name"),
            (n_short, "motifs too short for `--motif-p`"),
        ];
        missing.iter().filter(|(n, _)| *n > 0).for_each(|(n, words)| text.push_str(&format!("; {words}: {n}")));
        text
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Peaks of 60 letters, the planted word in every fourth, and letters that look random between.
    fn read(background: MotifBackground) -> (MotifSets, Vec<String>) {
        let folder = tempfile::tempdir().unwrap();
        let mut state = 5u64;
        let mut letter = || {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            ["A", "C", "G", "T"][(state >> 62) as usize]
        };
        let mut genome: String = (0..6000).map(|_| letter()).collect();
        for peak in (0..100).step_by(4) {
            genome.replace_range(peak * 60 + 20..peak * 60 + 32, "TGACTCATCGGA");
        }
        let rows = ["A", "C", "G", "T"].map(|row| {
            let counts = "TGACTCATCGGA".chars().map(|letter| if row == letter.to_string() { "40 " } else { "0 " });
            format!("{row} [ {}]\n", counts.collect::<String>())
        });
        let (motifs, fasta) = (folder.path().join("m.jaspar"), folder.path().join("g.fa"));
        std::fs::write(&motifs, format!(">M1 planted\n{}>M2\nA [ 9 ]\nC [ 0 ]\nG [ 0 ]\nT [ 0 ]\n", rows.concat()))
            .unwrap();
        std::fs::write(&fasta, format!(">chr1\n{genome}\n")).unwrap();
        let mut names: Vec<String> = (0..100).map(|peak| format!("chr1:{}-{}", peak * 60, peak * 60 + 60)).collect();
        names.extend(["chr1:5990-6010", "chr9:1-20", "gene"].map(str::to_owned));
        let arguments = MotifArguments {
            motifs: vec![motifs],
            sequences: Some(fasta),
            motif_p: 5e-5,
            motif_background: background,
        };
        (MotifSets::read(&arguments, &names).unwrap().unwrap(), names)
    }

    #[test]
    fn peaks_with_a_motif_are_a_set() {
        let (sets, names) = read(MotifBackground::Tested);
        let (placed, told) = sets.among("atac", &names).unwrap().unwrap();
        assert_eq!(placed.names, ["M1 planted"]);
        assert_eq!(placed.members, [(0..100).step_by(4).collect::<Vec<_>>()]);
        let SetTests::Strata { of_feature, suffix } = placed.tests else { panic!("strata were expected") };
        assert_eq!((of_feature[99], &of_feature[100..], suffix), (Some(0), [None; 3].as_slice(), ""));
        assert_eq!(
            told,
            "motifs: 100 of 103 features of atac have a sequence, 1 of 2 motifs occur; on chromosomes that the file lacks: 1; \
             past the end of their chromosome: 1; without a place in their name: 1; motifs too short for `--motif-p`: 1"
        );
        assert!(sets.among("rna", &["gene".to_owned()]).unwrap().is_none());
    }

    #[test]
    fn strata_are_tenths_by_gc_content() {
        let (sets, names) = read(MotifBackground::GcMatched);
        let (placed, _) = sets.among("atac", &names).unwrap().unwrap();
        let SetTests::Strata { of_feature, suffix } = placed.tests else { panic!("strata were expected") };
        assert_eq!((of_feature.iter().flatten().max(), suffix), (Some(&9), "_gc_matched"));
    }
}
