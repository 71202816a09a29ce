//! A label of the cells: classes, or numbers where there are too many values to be classes.

use std::collections::{BTreeMap, BTreeSet};

/// More different values than this are not taken for classes.
pub(super) const MAX_CLASSES: usize = 100;

/// A label, cell by cell of the data set; `None` where a cell has none.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Factor {
    /// Classes, counted from 0.
    Classes {
        /// The class of each cell.
        codes: Vec<Option<u32>>,
        /// Number of classes.
        n_classes: usize,
    },
    /// Numbers.
    Numbers(Vec<Option<f64>>),
}

impl Factor {
    /// Reads a column of obs; `cells` are those that matter.
    ///
    /// # Errors
    /// What keeps it from being probed, for the reader of the evaluation.
    pub fn read(name: &str, column: &[Option<String>], cells: &[usize]) -> Result<Factor, String> {
        let value = |cell: usize| column[cell].as_deref().map(str::trim).filter(|text| !text.is_empty());
        let values: BTreeSet<&str> = cells.iter().filter_map(|&cell| value(cell)).collect();
        match values.len() {
            0 => return Err(format!("the label `{name}` is empty in these cells, so nothing was probed for it")),
            1 => return Err(format!("the label `{name}` is the same in all cells, so nothing was probed for it")),
            2..=MAX_CLASSES => {}
            n => return numbers(n, column.len(), value).ok_or_else(|| too_many(name, n)),
        }
        let codes: BTreeMap<&str, u32> = values.iter().enumerate().map(|(code, value)| (*value, code as u32)).collect();
        let of_cell = |cell: usize| value(cell).and_then(|value| codes.get(value).copied());
        Ok(Factor::Classes { codes: (0..column.len()).map(of_cell).collect(), n_classes: values.len() })
    }

    /// Those of some cells that have the label.
    pub fn labelled(&self, cells: &[usize]) -> Vec<usize> {
        let has_label = |cell: usize| match self {
            Factor::Classes { codes, .. } => codes[cell].is_some(),
            Factor::Numbers(numbers) => numbers[cell].is_some(),
        };
        cells.iter().copied().filter(|&cell| has_label(cell)).collect()
    }
}

fn numbers<'a>(n_values: usize, n_cells: usize, value: impl Fn(usize) -> Option<&'a str>) -> Option<Factor> {
    let mut numbers = Vec::with_capacity(n_cells);
    let mut n_read = BTreeSet::new();
    for cell in 0..n_cells {
        let number = match value(cell) {
            None => None,
            Some(text) => Some(text.parse::<f64>().ok()?),
        };
        let number = number.filter(|number| number.is_finite());
        n_read.extend(number.map(f64::to_bits));
        numbers.push(number);
    }
    (n_values > 1 && n_read.len() > 1).then_some(Factor::Numbers(numbers))
}

fn too_many(name: &str, n_values: usize) -> String {
    format!(
        "the label `{name}` has {n_values} different values that are not numbers; a probe takes at most {MAX_CLASSES} \
         classes: name a coarser column in `evaluate.labels`"
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn column(values: &[&str]) -> Vec<Option<String>> {
        values.iter().map(|value| Some((*value).to_owned())).collect()
    }

    #[test]
    fn classes_are_counted_in_the_cells_that_matter() {
        let mut column = column(&["T", "B", "x", "T", " "]);
        column.push(None);
        let factor = Factor::read("type", &column, &[0, 1, 3, 4, 5]).unwrap();
        let codes = vec![Some(1), Some(0), None, Some(1), None, None];
        assert_eq!(factor, Factor::Classes { codes, n_classes: 2 });
        assert_eq!(factor.labelled(&[0, 2, 4, 1]), [0, 1]);
    }

    #[test]
    fn many_numbers_are_numbers_and_many_names_are_refused() {
        let all: Vec<usize> = (0..150).collect();
        let text =
            |of: &dyn Fn(usize) -> String| -> Vec<Option<String>> { (0..150).map(|cell| Some(of(cell))).collect() };
        let numbers = Factor::read("depth", &text(&|cell| format!("{}.5", cell)), &all).unwrap();
        assert!(matches!(&numbers, Factor::Numbers(numbers) if numbers[2] == Some(2.5)));
        let names = Factor::read("barcode", &text(&|cell| format!("AC{cell}")), &all).unwrap_err();
        assert!(names.contains("`barcode` has 150 different values") && names.contains("evaluate.labels"), "{names}");
        let few = Factor::read("cluster", &text(&|cell| (cell % 7).to_string()), &all).unwrap();
        assert!(matches!(few, Factor::Classes { n_classes: 7, .. }));
    }

    #[test]
    fn labels_that_say_nothing_are_refused() {
        assert!(Factor::read("a", &column(&["T", "T"]), &[0, 1]).unwrap_err().contains("same in all cells"));
        assert!(Factor::read("a", &[None, None], &[0, 1]).unwrap_err().contains("empty"));
    }
}
