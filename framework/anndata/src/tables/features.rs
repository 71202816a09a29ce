//! What the 10x formats know of features, and a matrix split by their types.

use anyhow::{Result, ensure};
use indexmap::IndexMap;

use super::names;
use crate::{Column, Csr, Frame, NewAnnData};

/// The feature type where a file states none: older ones hold nothing but genes.
pub(crate) const GENES: &str = "Gene Expression";

/// The features of a matrix; all lists are of one length.
#[derive(Debug, Clone, Default)]
pub(crate) struct Features {
    pub ids: Vec<String>,
    pub names: Vec<String>,
    pub types: Vec<String>,
    /// Whether the file states the types of all features.
    pub are_typed: bool,
    /// None where the format does not tell.
    pub genomes: Option<Vec<String>>,
}

impl Features {
    /// Number of features.
    pub(crate) fn len(&self) -> usize {
        self.ids.len()
    }

    fn select(&self, places: &[usize]) -> Self {
        let select = |texts: &Vec<String>| places.iter().map(|place| texts[*place].clone()).collect();
        Self {
            ids: select(&self.ids),
            names: select(&self.names),
            types: select(&self.types),
            are_typed: self.are_typed,
            genomes: self.genomes.as_ref().map(select),
        }
    }

    fn into_frame(mut self) -> Result<Frame> {
        names::make_unique(&mut self.names);
        let mut frame = Frame::new(self.names);
        frame.insert("gene_ids", text(self.ids))?;
        frame.insert("feature_types", text(self.types))?;
        if let Some(genomes) = self.genomes {
            frame.insert("genome", text(genomes))?;
        }
        Ok(frame)
    }
}

fn text(values: Vec<String>) -> Column {
    Column::Text(values.into_iter().map(Some).collect())
}

/// The features of one modality of a matrix.
pub(crate) struct Group {
    pub name: String,
    pub var: Frame,
    /// The columns of the matrix; none where they are all.
    pub columns: Option<Vec<usize>>,
}

/// The modalities that the feature types make, in the order in which they first come.
///
/// # Errors
/// If there are no features.
pub(crate) fn by_type(features: Features) -> Result<Vec<Group>> {
    ensure!(features.len() > 0, "there are no features; expected at least one");
    let mut places_of: IndexMap<String, Vec<usize>> = IndexMap::new();
    for (place, feature_type) in features.types.iter().enumerate() {
        places_of.entry(names::modality(feature_type)).or_default().push(place);
    }
    if places_of.len() == 1 {
        let name = places_of.into_keys().next().unwrap_or_default();
        return Ok(vec![Group { name, var: features.into_frame()?, columns: None }]);
    }
    let group = |(name, places): (String, Vec<usize>)| {
        Ok(Group { name, var: features.select(&places).into_frame()?, columns: Some(places) })
    };
    places_of.into_iter().map(group).collect()
}

/// One AnnData for each modality that the feature types make, in the order in which they first come.
///
/// # Errors
/// If there are no cells or features, or two cells have one name.
pub(crate) fn split(cells: Vec<String>, features: Features, matrix: Csr) -> Result<Vec<(String, NewAnnData)>> {
    names::ensure_unique_cells(&cells)?;
    let mut groups = by_type(features)?;
    if let [Group { columns: None, .. }] = groups[..]
        && let Some(only) = groups.pop()
    {
        return Ok(vec![(only.name, NewAnnData::new(Frame::new(cells), only.var, matrix))]);
    }
    let part = |group: Group| {
        let matrix = matrix.select_columns(&group.columns.unwrap_or_default())?;
        Ok((group.name, NewAnnData::new(Frame::new(cells.clone()), group.var, matrix)))
    };
    groups.into_iter().map(part).collect()
}
