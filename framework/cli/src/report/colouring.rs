//! What cells are coloured by: their split, what was measured of them, and columns of obs.

use super::cells::{SUBSETS, pattern_of, place_of};
use crate::drawing::palette::Colour;
use crate::drawing::palette::{NEUTRAL, of_class, of_share};
use anndata::Column;
use anyhow::Result;
use framework::data::{DataFile, data_files};
use framework::run::RunCells;
use framework::spec::Experiment;
use serde::Serialize;
use std::collections::{BTreeMap, HashMap};

/// Classes beyond these, the least frequent ones, have no colour of their own.
const MAX_CLASSES: usize = 36;
/// Whole numbers of more different values than this are a scale, not classes.
const MAX_WHOLE: usize = 24;
/// Colours of a scale.
const N_SHADES: usize = 64;

/// A value of every cell, and how it is shown.
#[derive(Debug, Clone, Serialize)]
pub struct Colouring {
    /// The column, or `split` or `measured by`.
    pub name: String,
    /// The legend.
    pub legend: Legend,
    /// Place of each cell's colour in [`Colouring::colours`].
    #[serde(skip)]
    pub places: Vec<u8>,
    /// All colours.
    #[serde(skip)]
    pub colours: Vec<Colour>,
}

/// What the colours mean.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Legend {
    /// Classes with the number of their cells, in the order of the colours; `others` have none, or no colour of their own.
    Classes {
        /// Names and numbers of cells.
        classes: Vec<(String, usize)>,
        /// Cells in neutral grey and why.
        others: Option<(String, usize)>,
    },
    /// Numbers from the lowest to the highest colour (2nd to 98th percentile); `n_missing` cells have none.
    Scale {
        /// The lowest and the highest colour.
        ends: (f64, f64),
        /// Cells without a number, in neutral grey.
        n_missing: usize,
    },
}

/// Values of a column of obs.
enum Values {
    Labels(Vec<Option<String>>),
    Numbers(Vec<f64>),
}

/// The colourings that every run has: the split, and what was measured where that differs.
pub fn of_run(cells: &RunCells) -> Vec<Colouring> {
    let order: Vec<&str> = SUBSETS.iter().map(|subset| subset.name()).collect();
    let subsets: Vec<Option<String>> =
        cells.subsets.iter().map(|subset| Some(order[place_of(*subset)].to_owned())).collect();
    let mut split = of_labels("split", &subsets);
    if let Legend::Classes { classes, .. } = &mut split.legend {
        // the order of learning, not of frequency
        let mut sorted = classes.clone();
        sorted.sort_by_key(|(name, _)| order.iter().position(|other| other == name));
        let place = |from: usize| sorted.iter().position(|class| *class == classes[from]).unwrap_or(from);
        let places: Vec<u8> = (0..classes.len()).map(|from| place(from) as u8).collect();
        split.places.iter_mut().for_each(|at| *at = places.get(usize::from(*at)).copied().unwrap_or(*at));
        *classes = sorted;
    }
    let patterns: Vec<Option<String>> = (0..cells.n()).map(|cell| Some(pattern_of(cells, cell))).collect();
    let measured = of_labels("measured by", &patterns);
    let is_mosaic = measured.colours.len() > 2;
    std::iter::once(split).chain(is_mosaic.then_some(measured)).collect()
}

/// The colouring of a column; `None` where it is in no file, or holds nothing that has a colour.
///
/// # Errors
/// When a file cannot be read.
pub fn of_column(experiment: &Experiment, cells: &RunCells, name: &str) -> Result<Option<Colouring>> {
    Ok(values(&data_files(experiment)?, &cells.names, name)?.map(|values| match values {
        Values::Labels(labels) => of_labels(name, &labels),
        Values::Numbers(numbers) => of_numbers(name, &numbers),
    }))
}

/// Names of all columns of obs.
///
/// # Errors
/// When a file cannot be read.
pub fn columns(experiment: &Experiment) -> Result<Vec<String>> {
    let mut names = std::collections::BTreeSet::new();
    for file in data_files(experiment)? {
        for frame in file.frames()? {
            names.extend(frame.column_names().into_iter().map(str::to_owned));
        }
    }
    Ok(names.into_iter().collect())
}

/// The labels of cells by a column that can be one; `None` where it is in no file or holds real numbers.
///
/// # Errors
/// When a file cannot be read.
pub fn labels(experiment: &Experiment, cells: &RunCells, name: &str) -> Result<Option<Vec<Option<String>>>> {
    Ok(values(&data_files(experiment)?, &cells.names, name)?.and_then(|values| match values {
        Values::Labels(labels) => Some(labels),
        Values::Numbers(_) => None,
    }))
}

/// The values of a column, the first table that has one for a cell winning.
fn values(files: &[DataFile], cells: &[String], name: &str) -> Result<Option<Values>> {
    let places: HashMap<&str, usize> = cells.iter().enumerate().map(|(cell, name)| (name.as_str(), cell)).collect();
    let mut labels: Vec<Option<String>> = vec![None; cells.len()];
    let mut numbers: Vec<f64> = vec![f64::NAN; cells.len()];
    let (mut has_labels, mut has_numbers) = (false, false);
    for frame in files.iter().map(DataFile::frames).collect::<Result<Vec<_>>>()?.iter().flatten() {
        let Some(column) = frame.get(name) else { continue };
        let (found, read) = (column.labels(), column.numbers());
        has_labels |= found.is_some() && !is_scale(column);
        has_numbers |= read.is_some();
        for (row, cell) in frame.index().iter().enumerate() {
            let Some(&cell) = places.get(cell.as_str()) else { continue };
            if labels[cell].is_none() {
                labels[cell] = found.as_ref().and_then(|labels| labels[row].clone());
            }
            if numbers[cell].is_nan() {
                numbers[cell] = read.as_ref().map_or(f64::NAN, |numbers| numbers[row]);
            }
        }
    }
    Ok(match (has_labels, has_numbers) {
        (true, _) => Some(Values::Labels(labels)),
        (false, true) => Some(Values::Numbers(numbers)),
        (false, false) => None,
    })
}

/// Whether whole numbers are too many to be classes.
fn is_scale(column: &Column) -> bool {
    let is_number = matches!(column, Column::Int(_) | Column::Float(_));
    is_number && {
        let numbers = column.numbers().unwrap_or_default();
        let different: std::collections::BTreeSet<u64> = numbers.iter().map(|number| number.to_bits()).collect();
        different.len() > MAX_WHOLE
    }
}

fn of_labels(name: &str, labels: &[Option<String>]) -> Colouring {
    let mut counts: BTreeMap<&str, usize> = BTreeMap::new();
    labels.iter().filter_map(value).for_each(|label| *counts.entry(label).or_default() += 1);
    let mut classes: Vec<(String, usize)> = counts.into_iter().map(|(name, n)| (name.to_owned(), n)).collect();
    // the most frequent first; of equally frequent ones by name
    classes.sort_by_key(|(_, n)| std::cmp::Reverse(*n));
    let rare: usize = classes.iter().skip(MAX_CLASSES).map(|(_, n)| n).sum();
    let n_rare = classes.len().saturating_sub(MAX_CLASSES);
    classes.truncate(MAX_CLASSES);
    let places: HashMap<&str, u8> = classes.iter().zip(0..).map(|((name, _), place)| (name.as_str(), place)).collect();
    let other = classes.len() as u8;
    let of_cell = |label: &Option<String>| value(label).and_then(|label| places.get(label).copied()).unwrap_or(other);
    let places: Vec<u8> = labels.iter().map(of_cell).collect();
    let n_missing = labels.iter().filter(|label| value(label).is_none()).count();
    let others = match (n_missing, n_rare) {
        (0, 0) => None,
        (n, 0) => Some(("no value".to_owned(), n)),
        (0, n_rare) => Some((format!("{n_rare} rarer classes"), rare)),
        (n, n_rare) => Some((format!("{n_rare} rarer classes, or no value"), rare + n)),
    };
    let colours = (0..classes.len()).map(of_class).chain([NEUTRAL]).collect();
    Colouring { name: name.to_owned(), legend: Legend::Classes { classes, others }, places, colours }
}

/// A label that is one.
fn value(label: &Option<String>) -> Option<&str> {
    label.as_deref().map(str::trim).filter(|text| !text.is_empty())
}

fn of_numbers(name: &str, numbers: &[f64]) -> Colouring {
    let mut known: Vec<f64> = numbers.iter().copied().filter(|number| number.is_finite()).collect();
    known.sort_by(f64::total_cmp);
    let at = |share: f64| known.get((share * known.len().saturating_sub(1) as f64).round() as usize).copied();
    let ends = (at(0.02).unwrap_or(0.0), at(0.98).unwrap_or(0.0));
    let range = (ends.1 - ends.0).max(f64::MIN_POSITIVE);
    let shade = |number: f64| (((number - ends.0) / range).clamp(0.0, 1.0) * (N_SHADES - 1) as f64).round() as u8;
    let place = |number: &f64| if number.is_finite() { shade(*number) } else { N_SHADES as u8 };
    let colours = (0..N_SHADES).map(|shade| of_share(shade as f64 / (N_SHADES - 1) as f64)).chain([NEUTRAL]).collect();
    let n_missing = numbers.len() - known.len();
    let places = numbers.iter().map(place).collect();
    Colouring { name: name.to_owned(), legend: Legend::Scale { ends, n_missing }, places, colours }
}

#[cfg(test)]
mod tests {
    use super::*;
    use framework::data::Subset;

    fn some(text: &str) -> Option<String> {
        Some(text.to_owned())
    }

    #[test]
    fn frequent_classes_come_first_and_missing_ones_are_grey() {
        let found = of_labels("type", &[some("T"), some("B"), None, some("T"), some(" ")]);
        assert_eq!(found.places, [0, 1, 2, 0, 2]);
        let classes = vec![("T".to_owned(), 2), ("B".to_owned(), 1)];
        assert_eq!(found.legend, Legend::Classes { classes, others: Some(("no value".to_owned(), 2)) });
        assert_eq!(found.colours.last(), Some(&NEUTRAL));
    }

    #[test]
    fn more_classes_than_colours_are_grey() {
        let labels: Vec<Option<String>> = (0..80).map(|cell| some(&format!("c{}", cell % 40))).collect();
        let found = of_labels("clone", &labels);
        let Legend::Classes { classes, others } = &found.legend else { panic!("classes") };
        assert_eq!((classes.len(), others.as_ref()), (36, Some(&("4 rarer classes".to_owned(), 8))));
    }

    #[test]
    fn numbers_are_a_scale_between_their_percentiles() {
        let numbers: Vec<f64> = (0..=100).map(f64::from).chain([f64::NAN]).collect();
        let found = of_numbers("depth", &numbers);
        assert_eq!(found.legend, Legend::Scale { ends: (2.0, 98.0), n_missing: 1 });
        assert_eq!((found.places[0], found.places[50], found.places[100], found.places[101]), (0, 32, 63, 64));
    }

    #[test]
    fn the_split_is_told_in_its_order() {
        let subsets = vec![Subset::Test, Subset::Test, Subset::Training];
        let names = vec!["a".into(), "b".into(), "c".into()];
        let cells = RunCells { names, subsets, modalities: vec!["x".into()], measured: vec![vec![true; 3]] };
        let found = of_run(&cells);
        assert_eq!((found.len(), found[0].places.clone()), (1, vec![1, 1, 0]));
        let Legend::Classes { classes, .. } = &found[0].legend else { panic!("classes") };
        assert_eq!(classes[0], ("train".to_owned(), 1));
    }
}
