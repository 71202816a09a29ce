//! Sets of genes from GMT files, as sets of the features that were tested.

use super::set_tests::{PlacedSets, SetTests};
use crate::gene2peak::{Annotation, Gene, Places, open_text};
use anyhow::{Context, Result, ensure};
use std::collections::{BTreeSet, HashMap};
use std::path::{Path, PathBuf};

/// Sets of genes by name.
#[derive(Debug)]
pub struct GeneSets {
    sets: Vec<(String, Vec<String>)>,
    genes: Option<GenePlaces>,
}

impl GeneSets {
    /// Reads GMT files (also .gz): lines of a name, a description and genes, by tabs; and where genes lie, for features that
    /// are peaks.
    ///
    /// # Errors
    /// When a file cannot be read, or a line is no set (which is named).
    pub fn read(paths: &[PathBuf], genes: Option<&Path>, max_distance: usize) -> Result<GeneSets> {
        let mut sets: Vec<(String, Vec<String>)> = Vec::new();
        for path in paths {
            let text = std::io::read_to_string(open_text(path)?);
            let text = text.with_context(|| format!("`{}` cannot be read as text", path.display()))?;
            for (number, line) in text.lines().enumerate().filter(|(_, line)| !line.trim().is_empty()) {
                let fields: Vec<&str> = line.split('\t').map(str::trim).collect();
                ensure!(
                    fields.len() >= 3 && !fields[0].is_empty(),
                    "{}:{}: a line of GMT is a name, a description and at least one gene, with tabs between; this one has \
                     {} fields",
                    path.display(),
                    number + 1,
                    fields.len()
                );
                let genes = fields[2..].iter().filter(|gene| !gene.is_empty()).map(|gene| (*gene).to_owned()).collect();
                sets.push((fields[0].to_owned(), genes));
            }
        }
        ensure!(!sets.is_empty(), "there is no set of genes in the files");
        let genes = genes.map(|path| GenePlaces::read(path, max_distance)).transpose()?;
        Ok(GeneSets { sets, genes })
    }

    /// Number of sets.
    pub fn n_sets(&self) -> usize {
        self.sets.len()
    }

    /// The sets that hold any of these features: by name, as written or in capitals; peaks, whose names are places, by the
    /// genes near them.
    pub fn among(&self, names: &[String]) -> PlacedSets {
        let exact: HashMap<&str, usize> = names.iter().map(String::as_str).zip(0..).collect();
        let capitals: HashMap<String, usize> = names.iter().map(|name| name.to_uppercase()).zip(0..).collect();
        let places = self.genes.as_ref().map(|_| Places::of(names, None));
        let features_of = |gene: &str| -> Vec<usize> {
            let named = exact.get(gene).or_else(|| capitals.get(&gene.to_uppercase())).copied();
            let near = (self.genes.iter().zip(&places))
                .filter_map(|(genes, places)| Some(places.near(&genes.find(gene)?.place, genes.max_distance)));
            named.into_iter().chain(near.flatten()).collect()
        };
        let genes: BTreeSet<&str> = self.sets.iter().flat_map(|(_, genes)| genes).map(String::as_str).collect();
        let found: HashMap<&str, Vec<usize>> = genes.into_iter().map(|gene| (gene, features_of(gene))).collect();
        let placed = self.sets.iter().map(|(name, genes)| {
            let members: BTreeSet<usize> = genes.iter().flat_map(|gene| &found[gene.as_str()]).copied().collect();
            (name.clone(), members.into_iter().collect::<Vec<_>>())
        });
        let (names, members) = placed.filter(|(_, members)| !members.is_empty()).unzip();
        PlacedSets { names, members, tests: SetTests::AllFeatures }
    }
}

/// Where genes lie, and how far from one a peak may be.
#[derive(Debug)]
struct GenePlaces {
    annotation: Annotation,
    /// The name of each gene by its capitals: sets of human genes are used for mouse, too.
    capitals: HashMap<String, String>,
    max_distance: i64,
}

impl GenePlaces {
    fn read(path: &Path, max_distance: usize) -> Result<GenePlaces> {
        let annotation = Annotation::read(path)?;
        let capitals = annotation.names().map(|name| (name.to_uppercase(), name.to_owned())).collect();
        Ok(GenePlaces { annotation, capitals, max_distance: max_distance as i64 })
    }

    fn find(&self, gene: &str) -> Option<&Gene> {
        self.annotation.get(gene).or_else(|| self.annotation.get(self.capitals.get(&gene.to_uppercase())?))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn file(folder: &tempfile::TempDir, name: &str, text: &str) -> PathBuf {
        let path = folder.path().join(name);
        std::fs::write(&path, text).unwrap();
        path
    }

    #[test]
    fn genes_are_found_by_name_and_peaks_by_the_genes_near_them() {
        let folder = tempfile::tempdir().unwrap();
        let gmt = file(&folder, "sets.gmt", "one\tfirst\tCD3E\tMS4A1\ntwo\tsecond\tGNLY\nthree\tthird\tNOT_THERE\n");
        let bed = file(&folder, "genes.bed", "chr1\t1000\t2000\tGnly\t+\nchr2\t10\t20\tCD3E\t-\n");
        let names = |texts: &[&str]| texts.iter().map(|text| (*text).to_owned()).collect::<Vec<_>>();
        let sets = GeneSets::read(&[gmt], Some(&bed), 500).unwrap();
        assert_eq!(sets.n_sets(), 3);
        let genes = sets.among(&names(&["Gnly", "CD3E", "ACTB"]));
        assert_eq!((genes.names, genes.members), (names(&["one", "two"]), vec![vec![1], vec![0]]));
        let peaks = sets.among(&names(&["chr1:2400-2600", "chr1:2600-2700", "chr1-900-950"]));
        assert_eq!((peaks.names, peaks.members), (names(&["two"]), vec![vec![0, 2]]));
    }

    #[test]
    fn lines_that_are_no_sets_are_named() {
        let folder = tempfile::tempdir().unwrap();
        let bad = file(&folder, "bad.gmt", "one\tfirst\tA\nonly a name\n");
        let error = GeneSets::read(&[bad], None, 1).unwrap_err().to_string();
        assert!(error.contains("bad.gmt:2:") && error.contains("1 fields"), "{error}");
        assert!(GeneSets::read(&[file(&folder, "empty.gmt", "\n")], None, 1).is_err());
    }
}
