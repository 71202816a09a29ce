//! Files as other programs write them.

use std::io::Write;
use std::path::{Path, PathBuf};

use anndata::{Column, Csr, Dense, Frame, Matrix, NewAnnData};
use flate2::Compression;
use flate2::write::GzEncoder;
use tempfile::TempDir;

/// Cells × features: what all formats of these tests hold.
pub const COUNTS: [[f32; 3]; 4] = [[1.0, 0.0, 2.0], [0.0, 0.0, 0.0], [0.0, 3.0, 0.0], [4.0, 0.0, 5.0]];

pub const MTX: &str = "%%MatrixMarket matrix coordinate integer general\n%metadata_json: {}\n3 4 5\n\
                       1 1 1\n3 1 2\n2 3 3\n1 4 4\n3 4 5\n";
pub const FEATURES: &str = "ENSG1\tCD3E\tGene Expression\nENSG2\tCD3E\tGene Expression\nCD3\tCD3_TotalC\tAntibody \
                            Capture\n";
pub const BARCODES: &str = "AAAC-1\nAAAG-1\nAAAT-1\nAACA-1\n";

pub fn matrix(columns: &[usize]) -> Matrix {
    let values = COUNTS.iter().flat_map(|row| columns.iter().map(|column| row[*column])).collect();
    Csr::from_dense(&Dense::new(COUNTS.len(), columns.len(), values).unwrap()).unwrap().into()
}

pub fn gzip(text: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
    encoder.write_all(text).unwrap();
    encoder.finish().unwrap()
}

/// A folder of files; those whose names end with `.gz` are compressed.
pub fn folder(files: &[(&str, &str)]) -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    for (name, text) in files {
        write(folder.path(), name, text.as_bytes());
    }
    folder
}

pub fn write(folder: &Path, name: &str, content: &[u8]) -> PathBuf {
    let path = folder.join(name);
    let content = if name.ends_with(".gz") { gzip(content) } else { content.to_vec() };
    std::fs::write(&path, content).unwrap();
    path
}

/// The texts of a column that has no gaps.
pub fn texts(frame: &Frame, column: &str) -> Vec<String> {
    match frame.column(column).unwrap() {
        Column::Text(values) => values.iter().map(|value| value.clone().unwrap()).collect(),
        other => panic!("column `{column}` is {}", other.kind()),
    }
}

/// Checks the two modalities that the 10x formats of these tests hold.
pub fn assert_two_modalities(found: &[(String, NewAnnData)]) {
    let [(rna, genes), (protein, proteins)] = found else { panic!("{} modalities", found.len()) };
    assert_eq!((rna.as_str(), protein.as_str()), ("rna", "protein"));
    assert_eq!(genes.var.index(), ["CD3E", "CD3E-1"]);
    assert_eq!(texts(&genes.var, "gene_ids"), ["ENSG1", "ENSG2"]);
    assert_eq!(texts(&genes.var, "feature_types"), ["Gene Expression"; 2]);
    assert_eq!(proteins.var.index(), ["CD3_TotalC"]);
    assert_eq!(texts(&proteins.var, "feature_types"), ["Antibody Capture"]);
    assert_eq!(genes.obs.index(), ["AAAC-1", "AAAG-1", "AAAT-1", "AACA-1"]);
    assert_eq!(genes.obs, proteins.obs);
    assert_eq!(genes.x, matrix(&[0, 1]));
    assert_eq!(proteins.x, matrix(&[2]));
}
