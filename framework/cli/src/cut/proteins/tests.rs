//! Pairs of cells and proteins of two panels.

use super::*;
use images::{Cell, FieldOfCells, Stored};

/// Fields of panels {a, b, c} and {b}, of two donors, and one without proteins; 10 cells each.
fn contents() -> Contents {
    let field = |name: &str, donor: &str, has: [bool; 5]| FieldOfCells {
        name: name.to_owned(),
        values: vec![donor.to_owned()],
        has: has.to_vec(),
    };
    let all = [true, true, true, true, true];
    let fields = vec![
        field("A", "one", all),
        field("B", "two", all),
        field("C", "two", [true, false, true, false, true]),
        field("D", "two", [true, false, false, false, true]),
    ];
    let cell = |number: u32| Cell { field: number / 10, label: number % 10 + 1, centroid: [0.0; 2], n_pixels: 5 };
    Contents {
        channels: ["dna", "a", "b", "c", MASK_CHANNEL].map(str::to_owned).to_vec(),
        side: 8,
        stored: Stored::U8,
        scale: Stored::U8.scale(),
        inputs_sha256: String::new(),
        files_sha256: String::new(),
        skipped: Vec::new(),
        n_flat_crops: 0,
        cells: Cells { columns: vec!["donor".to_owned()], fields, cells: (0..40).map(cell).collect() },
    }
}

#[test]
fn each_protein_of_a_cell_is_a_pair() {
    let (spec, contents) = (ProteinsSpec::default(), contents());
    let places = spec.places(&contents.channels, Some("dna")).unwrap();
    assert_eq!(places, [1, 2, 3]);
    let pairs = spec.pairs(&contents, &places).unwrap();
    assert_eq!(pairs.len(), 2 * 30 + 10, "the field without proteins gives none");
    assert_eq!(
        pairs[..4].iter().map(|pair| (pair.row, pair.channel)).collect::<Vec<_>>(),
        [(0, 1), (0, 2), (0, 3), (1, 1)]
    );
    assert!(pairs.iter().all(|pair| pair.unshown.is_none()));
}

#[test]
fn one_protein_of_a_cell_is_drawn_in_equal_parts_within_panel_and_class() {
    let contents = contents();
    let spec = |seed, within: &[&str]| ProteinsSpec {
        assign: Assign::One,
        seed,
        within: within.iter().map(|name| (*name).to_owned()).collect(),
        ..ProteinsSpec::default()
    };
    let draw = |seed, within: &[&str]| spec(seed, within).pairs(&contents, &[1, 2, 3]).unwrap();
    let count = |pairs: &[Pair], rows: std::ops::Range<usize>| {
        [1, 2, 3].map(|channel| pairs.iter().filter(|pair| rows.contains(&pair.row) && pair.channel == channel).count())
    };
    let pairs = draw(3, &["donor"]);
    assert_eq!(pairs.iter().map(|pair| pair.row).collect::<Vec<_>>(), (0..30).collect::<Vec<_>>());
    // 10 cells in parts of 3, the last takes the rest, for each donor of the panel; the panel of one has nothing to draw
    assert_eq!(
        (count(&pairs, 0..10), count(&pairs, 10..20), count(&pairs, 20..30)),
        ([3, 3, 4], [3, 3, 4], [0, 10, 0])
    );
    assert_eq!(count(&draw(3, &[]), 0..20), [6, 6, 8]);
    assert!(pairs[..20].iter().all(|pair| pair.unshown.is_some_and(|other| other != pair.channel)));
    assert!(pairs[20..].iter().all(|pair| pair.unshown.is_none()));
    assert_eq!(pairs, draw(3, &["donor"]));
    assert_ne!(pairs, draw(4, &["donor"]));
    let error = spec(0, &["donors"]).pairs(&contents, &[1]).unwrap_err().message;
    assert!(error.contains("`proteins.within`: no column `donors`: did you mean `donor`?"), "{error}");
}

#[test]
fn fewer_cells_than_proteins_are_all_of_the_last() {
    let mut few = contents();
    few.cells.cells.truncate(2);
    let spec = ProteinsSpec { assign: Assign::One, ..ProteinsSpec::default() };
    let pairs = spec.pairs(&few, &[1, 2, 3]).unwrap();
    assert_eq!(pairs.iter().map(|pair| pair.channel).collect::<Vec<_>>(), [3, 3]);
}

#[test]
fn names_that_do_not_fit_are_told() {
    let contents = contents();
    let told = |spec: ProteinsSpec, nuclei: Option<&str>| spec.places(&contents.channels, nuclei).unwrap_err();
    let named = |names: &[&str]| ProteinsSpec {
        channels: names.iter().map(|name| (*name).to_owned()).collect(),
        ..ProteinsSpec::default()
    };
    let error = told(named(&["a", "d"]), Some("dna"));
    assert!(error.message.contains("names `d`") && error.help.as_deref() == Some("channels: dna, a, b, c"), "{error}");
    assert!(told(named(&["dna"]), Some("dna")).message.contains("nuclei are found there"));
    assert!(told(named(&[]), None).message.contains("is left out"));
    let clash = ProteinsSpec { name: "c".to_owned(), ..named(&["a", "b"]) };
    assert!(told(clash, Some("dna")).message.contains("leads to a modality `c`"));
    let taken = ProteinsSpec { name: "cell".to_owned(), ..named(&[]) };
    assert!(told(taken, Some("dna")).message.contains("a column of another meaning"));
    let column = ProteinsSpec { name: "donor".to_owned(), ..named(&[]) };
    assert!(column.pairs(&contents, &[1]).unwrap_err().message.contains("has a column `donor`"));
}
