//! Tables of separated text.

use anndata::{DelimitedSpec, NewAnnData, read_delimited};

use crate::files::{folder, matrix, write};
use crate::support::message;

const CELLS_IN_ROWS: &str = ",A,B,A\nc1,1,0,2\nc2,0,0,0\nc3,0,3,0\nc4,4,0,5\n";
const FEATURES_IN_ROWS: &str = "gene\tc1\tc2\tc3\tc4\nA\t1\t0\t0\t4\nB\t0\t0\t3\t0\nA\t2\t0\t0\t5\n";

fn cells_in_rows() -> DelimitedSpec {
    DelimitedSpec { features_in_rows: Some(false), ..DelimitedSpec::default() }
}

fn read(name: &str, text: &str, spec: &DelimitedSpec) -> anyhow::Result<NewAnnData> {
    let folder = folder(&[(name, text)]);
    read_delimited(folder.path().join(name), spec)
}

fn refused(text: &str) -> String {
    message(read("a.csv", text, &cells_in_rows()))
}

fn assert_whole(found: &NewAnnData) {
    assert_eq!(found.obs.index(), ["c1", "c2", "c3", "c4"]);
    assert_eq!(found.var.index(), ["A", "B", "A-1"]);
    assert_eq!(found.x, matrix(&[0, 1, 2]));
}

#[test]
fn both_ways_round_and_every_separator_give_the_same() {
    let features_in_rows = DelimitedSpec { features_in_rows: Some(true), ..DelimitedSpec::default() };
    assert_whole(&read("a.csv", CELLS_IN_ROWS, &cells_in_rows()).unwrap());
    assert_whole(&read("a.tsv.gz", FEATURES_IN_ROWS, &features_in_rows).unwrap());
    assert_whole(&read("a.txt", FEATURES_IN_ROWS, &features_in_rows).unwrap());
    assert_whole(&read("a.txt", &CELLS_IN_ROWS.replace(',', ";"), &cells_in_rows()).unwrap());
    assert_whole(&read("a.csv", &CELLS_IN_ROWS.replace('\n', "\r\n"), &cells_in_rows()).unwrap());
    assert_whole(&read("a.csv", &format!("\u{feff}{CELLS_IN_ROWS}"), &cells_in_rows()).unwrap());
    let semicolons = DelimitedSpec { separator: Some(b';'), ..cells_in_rows() };
    assert_whole(&read("a.csv", &CELLS_IN_ROWS.replace(',', ";"), &semicolons).unwrap());
    // R leaves out the corner
    assert_whole(&read("a.csv", &CELLS_IN_ROWS[1..], &cells_in_rows()).unwrap());
}

#[test]
fn quoted_fields_may_hold_anything() {
    let text = "\"\",\"A, \"\"x\"\"\",\"B\nC\"\n\"c,1\",\"1\",2\n\nc2,3,bad\n";
    let message = refused(text);
    assert!(message.contains("line 5, column 3 (`B\nC`): `bad` is not a number"), "{message}");
    let found = read("a.csv", &text.replace("bad", "1e1"), &cells_in_rows()).unwrap();
    assert_eq!(found.obs.index(), ["c,1", "c2"]);
    assert_eq!(found.var.index(), ["A, \"x\"", "B\nC"]);
}

#[test]
fn rows_without_names_are_numbered() {
    let spec = DelimitedSpec { named_rows: false, ..cells_in_rows() };
    let found = read("a.csv", "A,B,A\n1,0,2\n0,0,0\n", &spec).unwrap();
    assert_eq!((found.obs.index(), found.var.n_rows()), (&["0".to_owned(), "1".to_owned()][..], 3));
}

#[test]
fn which_way_round_is_never_guessed() {
    let message = message(read("a.csv", CELLS_IN_ROWS, &DelimitedSpec::default()));
    assert!(message.contains("its 3 columns begin with `A`, `B`, `A`, its first row is `c1`; say which"), "{message}");
}

#[test]
fn missing_values_are_refused_unless_they_are_zero() {
    for missing in ["", "NA", " nan ", "NULL"] {
        let text = CELLS_IN_ROWS.replace("c2,0", &format!("c2,{missing}"));
        let message = refused(&text);
        assert!(
            message.contains("line 3, column 2 (`A`): ") && message.contains("missing values are zero"),
            "{message}"
        );
        let zero = DelimitedSpec { missing_is_zero: true, ..cells_in_rows() };
        assert_whole(&read("a.csv", &text, &zero).unwrap());
    }
}

#[test]
fn unsound_tables_are_refused_by_line_and_column() {
    let cases = [
        ("c3,0,3", "c3,0,x", "line 4, column 3 (`B`): `x` is not a number"),
        ("c3,0,3", "c3,0,inf", "line 4, column 3 (`B`): inf cannot be held"),
        ("c3,0,3", "c3,0,16777217", "line 4, column 3 (`B`): 16777217 cannot be held"),
        ("c3,0,3,0", "c3,0,3", "line 4: 3 fields, expected 4"),
        ("c3,0,3,0", "c3,0,3,0,0", "line 4: 5 fields, expected 4"),
        ("c3,0,3,0", "c3,\"0,3,0", "line 4: 2 fields, expected 4"),
        ("c3,", ",", "line 4: the row has no name"),
        ("c3,", "c1,", "cells 1 and 3 are both called `c1`"),
        (",A,B", ",A,", "line 1: column 3 has no name"),
    ];
    for (from, to, expected) in cases {
        let message = refused(&CELLS_IN_ROWS.replacen(from, to, 1));
        assert!(message.contains(expected), "{message}");
    }
    let windows = CELLS_IN_ROWS.replace('\n', "\r\n").replace("c3,0,3", "\r\nc3,0,x");
    assert!(refused(&windows).contains("line 5, column 3"), "{}", refused(&windows));
    let last = CELLS_IN_ROWS.trim_end().replace("4,0,5", "4,0,x");
    assert!(refused(&last).contains("line 5, column 4"), "{}", refused(&last));
    assert!(refused("").contains("is empty"));
    assert!(refused(",A,B\n").contains("has no rows"));
    let separator = refused(&CELLS_IN_ROWS.replace(',', ";"));
    assert!(separator.contains("separated by `,`") && separator.contains("perhaps `;`"), "{separator}");
    assert!(message(read("a.txt", "abc\nd\n", &cells_in_rows())).contains("say what does"));
}

#[test]
fn files_cut_off_are_refused() {
    let folder = folder(&[("a.csv.gz", CELLS_IN_ROWS)]);
    let path = folder.path().join("a.csv.gz");
    let whole = std::fs::read(&path).unwrap();
    let cut = write(folder.path(), "cut.csv", &whole[..whole.len() - 9]);
    assert!(message(read_delimited(cut, &cells_in_rows())).contains("is the file whole?"));
    assert!(message(read_delimited(folder.path(), &cells_in_rows())).starts_with("no file"));
}
