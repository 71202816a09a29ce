//! Sequences of features: cut out of the chromosomes of a FASTA file, or each with its own.
//!
//! A reader of its own: features are cut out of one chromosome after the other, and errors name the line.

use crate::gene2peak::{Place, open_text, place_of_name};
use analysis::Sequence;
use anyhow::{Context, Result, bail, ensure};
use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::io::{BufRead, BufReader};
use std::path::Path;

/// Names that errors show.
const N_SHOWN: usize = 3;

/// The sequences of features.
#[derive(Debug)]
pub struct FeatureSequences {
    of_feature: HashMap<String, Found>,
}

/// What was found of a feature.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Found {
    /// Its sequence.
    Sequence(Sequence),
    /// No sequence has its chromosome's name, nor its own.
    NoChromosome,
    /// It runs past the end of its chromosome.
    PastTheEnd,
}

/// Features that are waited for.
struct Wanted<'a> {
    /// By name, and by what the name says of the place: `chr1:5-9` is `chr1_5_9`.
    own: HashMap<&'a str, &'a str>,
    by_place: HashMap<(String, i64, i64), Vec<&'a str>>,
    by_chromosome: BTreeMap<String, Vec<(&'a str, Place)>>,
}

impl FeatureSequences {
    /// Reads a FASTA file (perhaps .gz) once, holding a chromosome at a time: sequences that are called as features are theirs,
    /// from others, called as chromosomes, those features are cut whose names are places (`chr1:1000-2000`, `chr1-1000-2000`,
    /// `chr1_1000_2000`; from the first position, counted from 0, to that before the last).
    ///
    /// # Errors
    /// When the file is no FASTA (file:line), a chromosome comes twice, or no feature has a sequence, which tells what names
    /// look like on both sides.
    pub fn read(path: &Path, names: &[String]) -> Result<FeatureSequences> {
        let wanted = Wanted::new(names);
        let mut found = FeatureSequences { of_feature: HashMap::new() };
        let mut seen = Vec::new();
        each_record(
            path,
            |name| wanted.wants(name),
            |name, letters| {
                if seen.len() < N_SHOWN {
                    seen.push(name.to_owned());
                }
                letters.map_or(Ok(()), |letters| wanted.take(name, letters, &mut found.of_feature))
            },
        )?;
        let n_found = found.of_feature.values().filter(|one| matches!(one, Found::Sequence(_))).count();
        if n_found == 0 {
            let shown =
                |names: &[String]| names.iter().take(N_SHOWN).map(|name| format!("`{name}`")).collect::<Vec<_>>();
            bail!(
                "no feature has a sequence in `{}`: features are called {} …, sequences {} …; expected sequences called as the \
                 chromosomes in features' names, or as features",
                path.display(),
                shown(names).join(", "),
                shown(&seen).join(", ")
            );
        }
        let unmet = wanted.by_chromosome.values().flatten().map(|(name, _)| (*name).to_owned());
        unmet.for_each(|name| {
            found.of_feature.entry(name).or_insert(Found::NoChromosome);
        });
        Ok(found)
    }

    /// What was found of a feature; `None` of features that are no places and have no sequence of their own.
    pub fn get(&self, name: &str) -> Option<&Found> {
        self.of_feature.get(name)
    }
}

impl<'a> Wanted<'a> {
    fn new(names: &'a [String]) -> Wanted<'a> {
        let mut wanted = Wanted {
            own: names.iter().map(|name| (name.as_str(), name.as_str())).collect(),
            by_place: HashMap::new(),
            by_chromosome: BTreeMap::new(),
        };
        for name in names.iter().collect::<BTreeSet<_>>() {
            if let Some(place) = place_of_name(name) {
                wanted.by_place.entry(key(&place)).or_default().push(name);
                wanted.by_chromosome.entry(place.chromosome.clone()).or_default().push((name, place));
            }
        }
        wanted
    }

    fn wants(&self, name: &str) -> bool {
        self.own.contains_key(name) || self.by_chromosome.contains_key(name) || !self.of_place(name).is_empty()
    }

    /// The features whose place a name says.
    fn of_place(&self, name: &str) -> &[&'a str] {
        place_of_name(name).and_then(|place| self.by_place.get(&key(&place))).map_or(&[], Vec::as_slice)
    }

    fn take(&self, name: &str, letters: &[u8], found: &mut HashMap<String, Found>) -> Result<()> {
        let own: Vec<&str> = match self.own.get(name) {
            Some(own) => vec![own],
            None => self.of_place(name).to_vec(),
        };
        let of_chromosome = self.by_chromosome.get(name).filter(|_| own.is_empty());
        let cut = of_chromosome.into_iter().flatten().map(|(feature, place)| {
            let letters = letters.get(place.start as usize..place.end as usize);
            (*feature, letters.map_or(Found::PastTheEnd, |letters| Found::Sequence(Sequence::new(letters))))
        });
        let whole = own.iter().map(|feature| (*feature, Found::Sequence(Sequence::new(letters))));
        for (feature, sequence) in whole.chain(cut) {
            let before = found.insert(feature.to_owned(), sequence);
            ensure!(before.is_none(), "a second sequence `{name}`");
        }
        Ok(())
    }
}

fn key(place: &Place) -> (String, i64, i64) {
    (place.chromosome.clone(), place.start, place.end)
}

/// Calls `each` with the name (up to the first space) of each sequence, and its letters where they are wanted.
fn each_record(
    path: &Path,
    wants: impl Fn(&str) -> bool,
    mut each: impl FnMut(&str, Option<&[u8]>) -> Result<()>,
) -> Result<()> {
    let mut stream = BufReader::with_capacity(1 << 20, open_text(path)?);
    let (mut line, mut letters) = (Vec::new(), Vec::new());
    let mut open: Option<(String, bool)> = None;
    for number in 1.. {
        let place = || format!("{}:{number}", path.display());
        line.clear();
        let n_bytes =
            stream.read_until(b'\n', &mut line).with_context(|| format!("`{}` cannot be read", path.display()))?;
        let text = line.trim_ascii();
        if n_bytes == 0 || text.first() == Some(&b'>') {
            if let Some((name, is_wanted)) = &open {
                each(name, is_wanted.then_some(letters.as_slice())).with_context(place)?;
            }
            if n_bytes == 0 {
                break;
            }
            let header = String::from_utf8_lossy(&text[1..]);
            let name =
                header.split_whitespace().next().with_context(|| format!("{}: a sequence without a name", place()))?;
            open = Some((name.to_owned(), wants(name)));
            letters.clear();
            continue;
        }
        match &open {
            Some((_, true)) => {
                let bad = text.iter().find(|letter| !letter.is_ascii_alphabetic() && !b"*-".contains(letter));
                let told = |bad: &u8| format!("{}: `{}` is no letter of a sequence", place(), bad.escape_ascii());
                bad.map_or(Ok(()), |bad| bail!(told(bad)))?;
                letters.extend_from_slice(text);
            }
            Some((_, false)) => {}
            None => ensure!(text.is_empty(), "{}: no FASTA: a sequence starts with a line `>NAME`", place()),
        }
    }
    ensure!(open.is_some(), "`{}` has no sequence", path.display());
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Write;

    fn names(of: &[&str]) -> Vec<String> {
        of.iter().map(|name| (*name).to_owned()).collect()
    }

    fn read(file: &str, text: &str, features: &[&str]) -> Result<FeatureSequences> {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join(file);
        let mut bytes = text.as_bytes().to_vec();
        if file.ends_with(".gz") {
            let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
            encoder.write_all(&bytes).unwrap();
            bytes = encoder.finish().unwrap();
        }
        std::fs::write(&path, bytes).unwrap();
        FeatureSequences::read(&path, &names(features))
    }

    fn sequence(text: &str) -> Option<Found> {
        Some(Found::Sequence(Sequence::new(text.as_bytes())))
    }

    #[test]
    fn peaks_are_cut_out_of_chromosomes() {
        let text = ">chr1 the first\nACGTA\nCGTNN\r\n\n>other\n!!!\n>chr2\nTTTTG\n";
        for file in ["genome.fa", "genome.fa.gz"] {
            let features = ["chr1:2-7", "chr2_4_5", "chr1-8-10", "chr2-4-6", "chr3:1-2", "gene", "chr1:0-10"];
            let found = read(file, text, &features).unwrap();
            assert_eq!(found.get("chr1:2-7").cloned(), sequence("GTACG"));
            assert_eq!(found.get("chr2_4_5").cloned(), sequence("G"));
            assert_eq!(
                (found.get("chr1-8-10").cloned(), found.get("chr1:0-10").cloned()),
                (sequence("NN"), sequence("ACGTACGTNN"))
            );
            assert_eq!(found.get("chr2-4-6"), Some(&Found::PastTheEnd));
            assert_eq!((found.get("chr3:1-2"), found.get("gene")), (Some(&Found::NoChromosome), None));
        }
    }

    #[test]
    fn features_may_have_sequences_of_their_own() {
        let found = read("own.fa", ">peak1\nACG\n>chr1:5-9\nTTGG\n", &["peak1", "chr1_5_9", "peak2"]).unwrap();
        assert_eq!((found.get("peak1").cloned(), found.get("chr1_5_9").cloned()), (sequence("ACG"), sequence("TTGG")));
        assert_eq!(found.get("peak2"), None);
    }

    #[test]
    fn what_is_wrong_is_told_with_names_of_both_sides() {
        let told = |text: &str, features: &[&str]| format!("{:#}", read("g.fa", text, features).unwrap_err());
        let none = told(">1\nACGT\n>2\nAC\n", &["chr1:1-2", "chr2:1-2"]);
        assert!(none.contains("features are called `chr1:1-2`, `chr2:1-2` …, sequences `1`, `2` …"), "{none}");
        assert!(told("ACGT\n", &["chr1:1-2"]).contains("g.fa:1: no FASTA"));
        assert!(told(">chr1\nAC4T\n", &["chr1:1-2"]).contains("g.fa:2: `4` is no letter"));
        assert!(told(">chr1\nACGT\n>chr1\nACGT\n", &["chr1:1-2"]).contains("a second sequence `chr1`"));
        assert!(told(">\nACGT\n", &["chr1:1-2"]).contains("g.fa:1: a sequence without a name"));
        assert!(told("", &["chr1:1-2"]).contains("has no sequence"));
    }
}
