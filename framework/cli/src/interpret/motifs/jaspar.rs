//! Position frequency matrices from files of JASPAR.

use crate::gene2peak::open_text;
use analysis::FrequencyMatrix;
use anyhow::{Context, Result, bail, ensure};
use std::collections::HashMap;
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};

/// Letters in the order of rows without one.
const LETTERS: [&str; 4] = ["A", "C", "G", "T"];
/// Endings of files in a folder.
const ENDINGS: [&str; 4] = [".jaspar", ".pfm", ".jaspar.gz", ".pfm.gz"];

/// Reads motifs: files in JASPAR's format (`>ID NAME`, then a row of counts for each letter, `A [ 4 19 … ]` or numbers alone in
/// the order A, C, G, T), files of four rows without a name, which then is the file's; perhaps with .gz; folders of such files.
/// Motifs are called `ID NAME`.
///
/// # Errors
/// When a file cannot be read, a line does not fit (named as file:line), a name comes twice, or there is no motif.
pub fn read_motifs(paths: &[PathBuf]) -> Result<Vec<FrequencyMatrix>> {
    let (mut motifs, mut known): (Vec<FrequencyMatrix>, HashMap<String, PathBuf>) = (Vec::new(), HashMap::new());
    for path in paths.iter().map(|path| files(path)).collect::<Result<Vec<_>>>()?.concat() {
        for motif in read_file(&path)? {
            if let Some(first) = known.insert(motif.name().to_owned(), path.clone()) {
                bail!("the motif `{}` is in `{}` and again in `{}`", motif.name(), first.display(), path.display());
            }
            motifs.push(motif);
        }
    }
    Ok(motifs)
}

/// A file, or the files of a folder by name.
fn files(path: &Path) -> Result<Vec<PathBuf>> {
    if !path.is_dir() {
        return Ok(vec![path.to_owned()]);
    }
    let entries = std::fs::read_dir(path).with_context(|| format!("`{}` cannot be read", path.display()))?;
    let mut files = entries.map(|entry| Ok(entry?.path())).collect::<Result<Vec<_>>>()?;
    let is_motif = |file: &PathBuf| {
        let name = file.file_name().unwrap_or_default().to_string_lossy().to_lowercase();
        ENDINGS.iter().any(|ending| name.ends_with(ending))
    };
    files.retain(is_motif);
    files.sort();
    ensure!(
        !files.is_empty(),
        "no file of the folder `{}` ends in .jaspar or .pfm (or either with .gz)",
        path.display()
    );
    Ok(files)
}

/// A motif while it is read: its line, its name, the rows of A, C, G and T.
#[derive(Default)]
struct Unfinished {
    line: usize,
    name: Option<String>,
    rows: [Option<Vec<f64>>; 4],
}

fn read_file(path: &Path) -> Result<Vec<FrequencyMatrix>> {
    let (mut motifs, mut open) = (Vec::new(), Unfinished { line: 1, ..Unfinished::default() });
    let own_name = || {
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        let inner = name.strip_suffix(".gz").unwrap_or(&name);
        inner.rsplit_once('.').map_or(inner, |(stem, _)| stem).to_owned()
    };
    for (number, line) in BufReader::new(open_text(path)?).lines().enumerate() {
        let place = || format!("{}:{}", path.display(), number + 1);
        let line = line.with_context(|| format!("{} cannot be read as text", place()))?;
        let line = line.trim();
        if let Some(name) = line.strip_prefix('>') {
            motifs.extend(open.finished(path, own_name)?);
            let name = name.split_whitespace().collect::<Vec<_>>().join(" ");
            ensure!(!name.is_empty(), "{}: a motif without a name; expected `>ID NAME`", place());
            open = Unfinished { line: number + 1, name: Some(name), ..Unfinished::default() };
        } else if !line.is_empty() {
            open.row(line).with_context(place)?;
        }
    }
    motifs.extend(open.finished(path, own_name)?);
    ensure!(!motifs.is_empty(), "`{}` has no motif", path.display());
    Ok(motifs)
}

impl Unfinished {
    /// Takes a row of counts, of the letter that it names or of the next one.
    fn row(&mut self, line: &str) -> Result<()> {
        let text = line.replace(['[', ']'], " ");
        let mut fields = text.split_whitespace().peekable();
        let first = fields.peek().map(|first| first.to_uppercase()).unwrap_or_default();
        let letter = LETTERS.iter().position(|letter| *letter == first);
        if letter.is_some() {
            fields.next();
        }
        let next = self.rows.iter().position(Option::is_none);
        let place = letter.or(next).context("a fifth row; a motif has one row of counts for each of A, C, G and T")?;
        ensure!(self.rows[place].is_none(), "a second row of {}", LETTERS[place]);
        let number = |field: &str| field.parse::<f64>().with_context(|| format!("`{field}` is no count"));
        let counts = fields.map(number).collect::<Result<Vec<f64>>>()?;
        ensure!(!counts.is_empty(), "a row of {} without a count", LETTERS[place]);
        if let Some(other) = self.rows.iter().flatten().next() {
            let (n, expected) = (counts.len(), other.len());
            ensure!(n == expected, "the row of {} has {n} counts, the one before {expected}", LETTERS[place]);
        }
        self.rows[place] = Some(counts);
        Ok(())
    }

    /// The motif; nothing of a file that began with a name.
    fn finished(&self, path: &Path, own_name: impl Fn() -> String) -> Result<Option<FrequencyMatrix>> {
        if self.name.is_none() && self.rows.iter().all(Option::is_none) {
            return Ok(None);
        }
        let place = || format!("{}:{}", path.display(), self.line);
        let [Some(a), Some(c), Some(g), Some(t)] = &self.rows else {
            let n = self.rows.iter().flatten().count();
            bail!("{}: a motif with {n} rows of counts; expected one for each of A, C, G and T", place());
        };
        let columns = (0..a.len()).map(|position| [a[position], c[position], g[position], t[position]]).collect();
        FrequencyMatrix::new(self.name.clone().unwrap_or_else(own_name), columns).with_context(place).map(Some)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(name: &str, text: &str) -> Result<Vec<FrequencyMatrix>> {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join(name);
        std::fs::write(&path, text).unwrap();
        read_motifs(&[path])
    }

    #[test]
    fn the_forms_of_jaspar_are_read() {
        let jaspar =
            ">MA1.1\tONE::two\nA [ 1 2 ]\nC [3   4]\nG [ 5 6 ]\nT [ 7 8 ]\n\n>MA2.1\r\n1 2\r\n3 4\r\n5 6\r\n7.5 8\r\n";
        let found = read("all.jaspar", jaspar).unwrap();
        assert_eq!((found[0].name(), found[1].name(), found.len()), ("MA1.1 ONE::two", "MA2.1", 2));
        let expected = |last| FrequencyMatrix::new("m", vec![[1.0, 3.0, 5.0, last], [2.0, 4.0, 6.0, 8.0]]).unwrap();
        let odds = |motif: &FrequencyMatrix| motif.log_odds([0.25; 4], 1.0);
        assert_eq!((odds(&found[0]), odds(&found[1])), (odds(&expected(7.0)), odds(&expected(7.5))));
        let plain = read("MA0098.3.pfm", "1 2\n3 4\n5 6\n7 8\n").unwrap();
        assert_eq!((plain[0].name(), odds(&plain[0])), ("MA0098.3", odds(&expected(7.0))));
        let other_order = read("m.pfm", "T 7 8\nA 1 2\nG 5 6\nC 3 4\n").unwrap();
        assert_eq!(odds(&other_order[0]), odds(&expected(7.0)));
    }

    #[test]
    fn folders_are_read_by_name_and_names_come_once() {
        let folder = tempfile::tempdir().unwrap();
        let keep = |name: &str| std::fs::write(folder.path().join(name), "1\n2\n3\n4\n").unwrap();
        ["b.pfm", "a.pfm", "README.txt"].into_iter().for_each(keep);
        let found = read_motifs(&[folder.path().to_owned()]).unwrap();
        assert_eq!(found.iter().map(FrequencyMatrix::name).collect::<Vec<_>>(), ["a", "b"]);
        let twice = read_motifs(&[folder.path().to_owned(), folder.path().join("a.pfm")]).unwrap_err().to_string();
        assert!(twice.contains("the motif `a` is in"), "{twice}");
        std::fs::remove_file(folder.path().join("a.pfm")).unwrap();
        std::fs::remove_file(folder.path().join("b.pfm")).unwrap();
        assert!(read_motifs(&[folder.path().to_owned()]).unwrap_err().to_string().contains("no file of the folder"));
    }

    #[test]
    fn lines_that_do_not_fit_are_named() {
        let told = |text: &str| format!("{:#}", read("m.jaspar", text).unwrap_err());
        assert!(told(">a\n1 2\n3 4\n5 6\n").contains("m.jaspar:1: a motif with 3 rows"));
        assert!(told("1\n2\n3\n4\n5\n").contains("m.jaspar:5: a fifth row"));
        assert!(told(">a\n1 2\n3\n").contains("m.jaspar:3: the row of C has 1 counts, the one before 2"));
        assert!(told(">a\n1 x\n").contains("m.jaspar:2: `x` is no count"));
        assert!(told("A 1\nA 2\n").contains("m.jaspar:2: a second row of A"));
        assert!(told(">a\n1 0\n2 0\n3 0\n4 0\n").contains("position 2 of the motif `a` has no letter"));
        assert!(told("> \n1\n").contains("m.jaspar:1: a motif without a name"));
        assert!(told("\n").contains("has no motif"));
    }
}
