//! Tables of counts in text: MatrixMarket folders of 10x Genomics, separated text, and tables that are joined to cells.

use anndata::{DelimitedSpec, read_delimited, read_frame, read_matrix_market};

use crate::{Scratch, sound};

/// Parts of an input are separated by a line of this.
const NEXT: &str = "\n====\n";

/// Reads bytes as every kind of table. The first byte says how separated text is to be understood.
pub fn read_everything(bytes: &[u8]) {
    let Some((choices, content)) = bytes.split_first() else { return };
    read_separated(content, *choices);
    read_folder(content, choices & 64 != 0);
}

fn read_separated(content: &[u8], choices: u8) {
    let scratch = Scratch::new();
    let chosen = |bit: u8| choices & bit != 0;
    let spec = DelimitedSpec {
        features_in_rows: Some(chosen(1)),
        separator: chosen(2).then_some(if chosen(4) { b';' } else { b' ' }),
        named_rows: chosen(8),
        missing_is_zero: chosen(16),
        ..DelimitedSpec::default()
    };
    let path = scratch.file(if chosen(32) { "a.csv" } else { "a.txt" }, content);
    if let Ok(found) = read_delimited(&path, &spec) {
        sound::converted(&found);
    }
    if let Ok(found) = read_frame(&path, spec.named_rows) {
        sound::frame(&found);
    }
}

/// A folder of three files, whose parts of the input are separated by a line of its own; those that are missing are sound.
fn read_folder(content: &[u8], is_old: bool) {
    let text = String::from_utf8_lossy(content);
    let mut parts = text.split(NEXT);
    let mut part = |sound: &str| parts.next().filter(|part| !part.is_empty()).unwrap_or(sound).as_bytes().to_vec();
    let scratch = Scratch::new();
    let matrix = part("%%MatrixMarket matrix coordinate integer general\n3 4 2\n1 1 1\n3 4 5\n");
    let features =
        part("ENSG1\tCD3E\tGene Expression\nENSG2\tCD3E\tGene Expression\nCD3\tCD3_TotalC\tAntibody Capture\n");
    scratch.file("matrix.mtx", &matrix);
    scratch.file(if is_old { "genes.tsv" } else { "features.tsv" }, &features);
    scratch.file("barcodes.tsv", &part("AAAC-1\nAAAG-1\nAAAT-1\nAACA-1\n"));
    if let Ok(found) = read_matrix_market(scratch.folder()) {
        found.iter().for_each(|(_, modality)| sound::converted(modality));
    }
}
