//! Fragments counted in peaks and tiles.

use anndata::{
    Counted, Csr, Dense, FragmentSpec, FragmentTotals, Matrix, NewAnnData, Peak, Regions, read_fragments, read_peaks,
};

use crate::files::folder;
use crate::support::message;

/// Two cells: B has one fragment whose ends lie in two peaks, one within a peak, one outside; A has one in the first peak twice.
const FRAGMENTS: &str = "# id=x\nchr1\t100\t250\tB\t3\nchr1\t110\t120\tB\t1\nchr1\t110\t130\tA\t1\nchr1\t110\t130\tA\t1\n\
                         chr1\t900\t950\tB\t1\nchr2\t0\t5\tC\t1\n";
const PEAKS: &str = "chr1\t100\t150\tname\nchr1\t200\t250\nchr2\t0\t10\n";

fn count(spec: &FragmentSpec) -> anyhow::Result<(NewAnnData, FragmentTotals)> {
    let folder = folder(&[("fragments.tsv.gz", FRAGMENTS)]);
    read_fragments(folder.path().join("fragments.tsv.gz"), spec)
}

fn peaks(text: &str) -> anyhow::Result<Vec<Peak>> {
    let folder = folder(&[("peaks.bed.gz", text)]);
    read_peaks(folder.path().join("peaks.bed.gz"))
}

fn dense(n_columns: usize, values: &[f32]) -> Matrix {
    Csr::from_dense(&Dense::new(values.len() / n_columns, n_columns, values.to_vec()).unwrap()).unwrap().into()
}

#[test]
fn ends_count_in_the_peaks_that_hold_them() {
    let regions = Regions::Peaks(peaks(PEAKS).unwrap());
    let mut spec = FragmentSpec { regions, counted: Counted::Fragments, cells: None };
    let (found, totals) = count(&spec).unwrap();
    assert_eq!(found.obs.index(), ["A", "B", "C"]);
    assert_eq!(found.var.index(), ["chr1:100-150", "chr1:200-250", "chr2:0-10"]);
    assert_eq!(found.x, dense(3, &[2.0, 0.0, 0.0, 2.0, 1.0, 0.0, 0.0, 0.0, 1.0]));
    assert_eq!(totals, FragmentTotals { n_fragments: 6, n_outside: 1, n_of_other_cells: 0 });
    spec.counted = Counted::Cuts;
    spec.cells = Some(vec!["B".into(), "Z".into(), "A".into()]);
    let (found, totals) = count(&spec).unwrap();
    assert_eq!(found.obs.index(), ["B", "Z", "A"]);
    assert_eq!(found.x, dense(3, &[3.0, 1.0, 0.0, 0.0, 0.0, 0.0, 4.0, 0.0, 0.0]));
    assert_eq!(totals, FragmentTotals { n_fragments: 5, n_outside: 1, n_of_other_cells: 1 });
}

#[test]
fn tiles_are_those_with_fragments_in_the_order_of_the_genome() {
    let spec = FragmentSpec { regions: Regions::Tiles(100), counted: Counted::Fragments, cells: None };
    let (found, totals) = count(&spec).unwrap();
    assert_eq!(found.var.index(), ["chr1:100-200", "chr1:200-300", "chr1:900-1000", "chr2:0-100"]);
    assert_eq!(found.x, dense(4, &[2.0, 0.0, 0.0, 0.0, 2.0, 1.0, 1.0, 0.0, 0.0, 0.0, 0.0, 1.0]));
    assert_eq!(totals.n_outside, 0);
}

#[test]
fn slips_are_told_with_their_line() {
    assert!(message(peaks("chr1\t5\n")).contains("line 1: 2 columns; expected chromosome, start and end"));
    assert!(message(peaks("chr1\t5\t5\n")).contains("chr1:5-5 ends before it starts"));
    assert!(message(peaks("chr1\t5\t9\nchr1\t5\t9\n")).contains("line 2: the peak chr1:5-9 comes twice"));
    assert!(message(peaks("# nothing\n")).contains("holds no peak"));
    let told = |text: &str| {
        let folder = folder(&[("fragments.tsv", text)]);
        let spec = FragmentSpec { regions: Regions::Tiles(10), counted: Counted::Cuts, cells: None };
        message(read_fragments(folder.path().join("fragments.tsv"), &spec))
    };
    assert!(told("chr1\t5\t9\tA\nchr1\t5\n").contains("line 2: `chr1\t5` is no fragment"));
    assert!(told("chr1\t9\t5\tA\n").contains("line 1: the fragment ends at 5, not after its start 9"));
    let elsewhere = FragmentSpec {
        regions: Regions::Peaks(peaks("1\t0\t1000\n").unwrap()),
        counted: Counted::Fragments,
        cells: None,
    };
    assert!(message(count(&elsewhere)).contains("none of 6 fragments of 3 cells lies in a region"));
}
