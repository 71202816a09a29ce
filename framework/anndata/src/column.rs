//! One column of a table, by the kind of its values.

/// Values of one column; a missing value is `None`, or NaN in [`Column::Float`].
#[derive(Debug, Clone, PartialEq)]
pub enum Column {
    /// One of a few named categories each row.
    Categorical(Categorical),
    /// Free text.
    Text(Vec<Option<String>>),
    /// Real numbers; NaN where missing.
    Float(Vec<f64>),
    /// Whole numbers.
    Int(Vec<Option<i64>>),
    /// True or false.
    Bool(Vec<Option<bool>>),
    /// A column in an encoding that this crate does not read; the rest of the table is still there.
    Skipped {
        /// What was found, in words.
        encoding: String,
    },
}

/// A categorical column: each row points into the list of categories.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Categorical {
    /// For each row a place in `categories`, or none.
    pub codes: Vec<Option<u32>>,
    /// Names of the categories, also of those that no row has.
    pub categories: Vec<String>,
    /// Whether the order of the categories has a meaning.
    pub ordered: bool,
}

impl Categorical {
    /// Categories from the labels of the rows, sorted by name as pandas does.
    pub fn from_labels(labels: &[Option<String>]) -> Self {
        let mut categories: Vec<String> = labels.iter().flatten().cloned().collect();
        categories.sort_unstable();
        categories.dedup();
        let code = |label: &String| categories.binary_search(label).ok().map(|place| place as u32);
        let codes = labels.iter().map(|label| label.as_ref().and_then(code)).collect();
        Self { codes, categories, ordered: false }
    }

    /// The category of each row by name.
    pub fn labels(&self) -> Vec<Option<String>> {
        let name = |code: u32| self.categories.get(code as usize).cloned();
        self.codes.iter().map(|code| code.and_then(name)).collect()
    }
}

impl Column {
    /// Number of rows; none for a skipped column.
    pub fn n_rows(&self) -> Option<usize> {
        match self {
            Self::Categorical(column) => Some(column.codes.len()),
            Self::Text(values) => Some(values.len()),
            Self::Float(values) => Some(values.len()),
            Self::Int(values) => Some(values.len()),
            Self::Bool(values) => Some(values.len()),
            Self::Skipped { .. } => None,
        }
    }

    /// What the column holds, in one word for messages.
    pub fn kind(&self) -> &str {
        match self {
            Self::Categorical(_) => "categorical",
            Self::Text(_) => "text",
            Self::Float(_) => "float",
            Self::Int(_) => "integer",
            Self::Bool(_) => "boolean",
            Self::Skipped { encoding } => encoding,
        }
    }

    /// The values as text, where they can serve as labels: categories, text, whole numbers, true or false.
    ///
    /// Real numbers serve when every one of them is whole (`3.0` becomes `3`).
    pub fn labels(&self) -> Option<Vec<Option<String>>> {
        match self {
            Self::Categorical(column) => Some(column.labels()),
            Self::Text(values) => Some(values.clone()),
            Self::Int(values) => Some(as_text(values)),
            Self::Bool(values) => Some(as_text(values)),
            Self::Float(values) if values.iter().all(|v| v.is_nan() || v.fract() == 0.0) => {
                let text = |value: &f64| (!value.is_nan()).then(|| value.to_string());
                Some(values.iter().map(text).collect())
            }
            Self::Float(_) | Self::Skipped { .. } => None,
        }
    }

    /// The values as numbers, NaN where missing; none for text, categories and skipped columns.
    pub fn numbers(&self) -> Option<Vec<f64>> {
        match self {
            Self::Float(values) => Some(values.clone()),
            Self::Int(values) => Some(values.iter().map(|v| v.map_or(f64::NAN, |v| v as f64)).collect()),
            Self::Bool(values) => Some(values.iter().map(|v| v.map_or(f64::NAN, f64::from)).collect()),
            Self::Categorical(_) | Self::Text(_) | Self::Skipped { .. } => None,
        }
    }
}

fn as_text<T: ToString>(values: &[Option<T>]) -> Vec<Option<String>> {
    values.iter().map(|value| value.as_ref().map(T::to_string)).collect()
}
