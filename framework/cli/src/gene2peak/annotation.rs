//! Where genes lie: BED and GTF files.

use super::places::{Place, Strand};
use anyhow::{Context, Result, ensure};
use flate2::read::MultiGzDecoder;
use std::collections::HashMap;
use std::io::{BufRead, BufReader, Read};
use std::path::Path;

/// A gene of an annotation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Gene {
    /// Its name as it is written.
    pub name: String,
    /// Where it lies.
    pub place: Place,
}

/// Genes by name; of several places of one gene the longest.
#[derive(Debug, Clone, Default)]
pub struct Annotation {
    genes: HashMap<String, Gene>,
}

impl Annotation {
    /// Reads a BED file (chrom, start, end, name, strand; or the six columns with a score before the strand) or a GTF
    /// file (its lines of `gene`, by `gene_name` and `gene_id`), either perhaps compressed with gzip.
    ///
    /// # Errors
    /// When the file cannot be read, a line is not of its form (which is named), or no gene is in it.
    pub fn read(path: &Path) -> Result<Annotation> {
        let name = path.file_name().unwrap_or_default().to_string_lossy().to_lowercase();
        let inner = name.strip_suffix(".gz").unwrap_or(&name);
        let is_gtf = inner.ends_with(".gtf");
        ensure!(
            is_gtf || inner.ends_with(".bed"),
            "`{}` is neither .bed nor .gtf (nor either with .gz); where genes lie is read from those",
            path.display()
        );
        let stream = open_text(path)?;
        let parse = if is_gtf { genes_of_gtf } else { genes_of_bed };
        let mut annotation = Annotation::default();
        for (number, line) in BufReader::new(stream).lines().enumerate() {
            let place = || format!("line {} of `{}`", number + 1, path.display());
            let line = line.with_context(place)?;
            parse(&line).with_context(place)?.into_iter().for_each(|gene| annotation.insert(gene));
        }
        ensure!(!annotation.genes.is_empty(), "`{}` has no gene", path.display());
        Ok(annotation)
    }

    /// The gene of a name.
    pub fn get(&self, name: &str) -> Option<&Gene> {
        self.genes.get(name)
    }

    /// Number of names.
    pub fn n_genes(&self) -> usize {
        self.genes.len()
    }

    /// The names, in no order.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.genes.keys().map(String::as_str)
    }

    fn insert(&mut self, gene: Gene) {
        let length = |gene: &Gene| gene.place.end - gene.place.start;
        match self.genes.get(&gene.name) {
            Some(known) if length(known) >= length(&gene) => {}
            _ => {
                self.genes.insert(gene.name.clone(), gene);
            }
        }
    }
}

/// Opens a text for reading, which is compressed with gzip where its name ends in `.gz`.
///
/// # Errors
/// When it cannot be opened.
pub fn open_text(path: &Path) -> Result<Box<dyn Read>> {
    let file = std::fs::File::open(path).with_context(|| format!("`{}` cannot be opened", path.display()))?;
    let is_compressed = path.extension().is_some_and(|extension| extension.eq_ignore_ascii_case("gz"));
    Ok(if is_compressed { Box::new(MultiGzDecoder::new(file)) } else { Box::new(file) })
}

/// The gene of a line; none of a comment.
fn genes_of_bed(line: &str) -> Result<Vec<Gene>> {
    let is_comment = ["#", "track", "browser"].iter().any(|start| line.starts_with(start));
    if is_comment || line.trim().is_empty() {
        return Ok(Vec::new());
    }
    let fields: Vec<&str> = line.split('\t').collect();
    ensure!(fields.len() >= 4, "{} columns instead of chromosome, start, end, name and strand", fields.len());
    let (start, end) = positions(fields[1], fields[2])?;
    let strand = fields.iter().skip(4).take(2).find_map(|field| strand(field));
    let place = Place { chromosome: fields[0].to_owned(), start, end, strand };
    Ok(vec![Gene { name: fields[3].trim().to_owned(), place }])
}

/// A gene under its name and under its identifier; none of a line of anything else.
fn genes_of_gtf(line: &str) -> Result<Vec<Gene>> {
    let fields: Vec<&str> = line.split('\t').collect();
    if line.starts_with('#') || line.trim().is_empty() || fields.get(2).is_some_and(|&kind| kind != "gene") {
        return Ok(Vec::new());
    }
    ensure!(fields.len() >= 9, "{} columns instead of the nine of GTF", fields.len());
    let (first, end) = positions(fields[3], fields[4])?;
    let place = Place { chromosome: fields[0].to_owned(), start: first - 1, end, strand: strand(fields[6]) };
    let identifier = attribute(fields[8], "gene_id");
    // Versions (`ENSG00000115738.10`) are written by some and left out by others.
    let unversioned = identifier.and_then(|id| id.split_once('.')).map(|(id, _)| id);
    let mut names: Vec<&str> =
        [attribute(fields[8], "gene_name"), identifier, unversioned].into_iter().flatten().collect();
    names.dedup();
    ensure!(!names.is_empty(), "a gene with neither `gene_name` nor `gene_id`");
    Ok(names.into_iter().map(|name| Gene { name: name.to_owned(), place: place.clone() }).collect())
}

fn positions(start: &str, end: &str) -> Result<(i64, i64)> {
    let number = |text: &str| text.trim().parse().with_context(|| format!("`{text}` is no position"));
    let (start, end): (i64, i64) = (number(start)?, number(end)?);
    ensure!((0..=end).contains(&start), "positions from {start} to {end} do not make a stretch");
    Ok((start, end))
}

fn strand(text: &str) -> Option<Strand> {
    match text.trim() {
        "+" => Some(Strand::Forward),
        "-" => Some(Strand::Reverse),
        _ => None,
    }
}

/// The value of `key "value"` among the attributes of a GTF line.
fn attribute<'a>(attributes: &'a str, key: &str) -> Option<&'a str> {
    attributes.split(';').find_map(|one| {
        let value = one.trim().strip_prefix(key)?.strip_prefix([' ', '='])?;
        Some(value.trim().trim_matches('"'))
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Write;

    fn read(name: &str, bytes: &[u8]) -> Result<Annotation> {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join(name);
        std::fs::write(&path, bytes).unwrap();
        Annotation::read(&path)
    }

    #[test]
    fn both_forms_of_bed_are_read() {
        let text = "# genes\nchr2\t100\t200\tID2\t-\nchr2\t5\t7\tA\t0\t+\nchr2\t0\t500\tID2\t+\nchrX\t1\t2\tB\n";
        let annotation = read("genes.bed", text.as_bytes()).unwrap();
        assert_eq!(annotation.n_genes(), 3);
        let place = |name: &str| annotation.get(name).unwrap().place.clone();
        assert_eq!((place("ID2").end, place("ID2").strand), (500, Some(Strand::Forward)));
        assert_eq!((place("A").start, place("A").strand, place("B").strand), (5, Some(Strand::Forward), None));
    }

    #[test]
    fn genes_of_a_compressed_gtf_have_name_and_identifier() {
        let text = "#!genome\nchr2\tx\tgene\t101\t200\t.\t-\t.\tgene_id \"ENSG1.4\"; gene_name \"ID2\";\n\
                    chr2\tx\texon\t101\t120\t.\t-\t.\tgene_id \"ENSG1.4\"; gene_name \"ID2\";\n";
        let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
        encoder.write_all(text.as_bytes()).unwrap();
        let annotation = read("genes.gtf.gz", &encoder.finish().unwrap()).unwrap();
        for name in ["ID2", "ENSG1.4", "ENSG1"] {
            let place = &annotation.get(name).unwrap().place;
            assert_eq!((place.start, place.end, place.transcription_start()), (100, 200, Some(199)), "{name}");
        }
        assert_eq!(annotation.n_genes(), 3);
    }

    #[test]
    fn lines_that_are_no_genes_are_named() {
        let told = |name: &str, text: &str| format!("{:#}", read(name, text.as_bytes()).unwrap_err());
        assert!(told("a.bed", "chr1\t1\t2\tA\t+\nchr1\tx\t2\tB\t+\n").contains("line 2 of `"));
        assert!(told("a.bed", "chr1 1 2 A +\n").contains("1 columns instead of"));
        assert!(told("a.bed", "chr1\t9\t2\tA\n").contains("do not make a stretch"));
        assert!(told("a.bed", "").contains("has no gene"));
        assert!(told("a.gtf", "chr1\tx\tgene\t1\t2\n").contains("5 columns"));
        assert!(told("a.txt", "").contains("neither .bed nor .gtf"));
    }
}
