//! `[proteins]`: which channels are proteins of one modality, and which pairs of a cell and a protein are observed.

use crate::failure::Misuse;
use framework::{Purpose, Seed};
use images::{Cells, Contents, MASK_CHANNEL};
use rand::Rng;
use rand::seq::SliceRandom;
use serde::Deserialize;
use std::collections::BTreeMap;

/// Name of the column of obs with the cell that a pair is of.
pub const CELL_COLUMN: &str = "cell";

/// Which proteins of a cell are observed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Assign {
    /// Each: as many observations of a cell as its field has proteins.
    #[default]
    Each,
    /// One, drawn: within each panel (and each class of `within`) cells are shuffled and cut into equal parts, one for each
    /// protein in order, the last with what remains (Zhang et al. 2026, code).
    One,
}

/// `[proteins]`: the channels of all proteins become one modality, whose observations are pairs of a cell and a protein.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct ProteinsSpec {
    /// The channels that are proteins; where left out, all but that of the nuclei.
    pub channels: Vec<String>,
    /// Which proteins of a cell are observed.
    pub assign: Assign,
    /// What the modality, and the column of obs that says which protein an observation shows, are called.
    pub name: String,
    /// Columns of the table of fields within whose classes proteins are drawn; beside them always the panel, which is the set of
    /// proteins of a field. For `assign = "one"`.
    pub within: Vec<String>,
    /// Seed of the draw. For `assign = "one"`.
    pub seed: u64,
}

impl Default for ProteinsSpec {
    fn default() -> Self {
        ProteinsSpec {
            channels: Vec::new(),
            assign: Assign::Each,
            name: "protein".to_owned(),
            within: Vec::new(),
            seed: 0,
        }
    }
}

/// An observation: a cell, shown in one of its proteins.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Pair {
    /// Row of the cell in the crops.
    pub row: usize,
    /// The channel of the protein.
    pub channel: usize,
    /// Channel of another protein of the cell that no observation shows; with `assign = "one"`, where there is one.
    pub unshown: Option<usize>,
}

impl ProteinsSpec {
    /// The places of the proteins among channels, in their order; `nuclei` is the channel of the nuclei, where one is named.
    ///
    /// # Errors
    /// When a name is that of no channel, or does not fit.
    pub fn places(&self, channels: &[String], nuclei: Option<&str>) -> Result<Vec<usize>, Misuse> {
        let others: Vec<&String> = channels.iter().filter(|name| *name != MASK_CHANNEL).collect();
        let listed = || others.iter().map(|name| name.as_str()).collect::<Vec<_>>().join(", ");
        for name in &self.channels {
            if !others.contains(&name) {
                let message = format!("`proteins.channels` names `{name}`, but no channel is called so");
                return Err(Misuse::new(message).help(format!("channels: {}", listed())));
            }
            if nuclei == Some(name) {
                return Err(Misuse::new(format!("`proteins.channels` names `{name}`, but nuclei are found there")));
            }
        }
        let is_protein = |name: &String| match self.channels.is_empty() {
            true => name != MASK_CHANNEL && nuclei != Some(name),
            false => self.channels.contains(name),
        };
        if self.channels.is_empty() && nuclei.is_none() {
            let message =
                "`proteins.channels` is left out, but no `nucleus_channel` says which channel is not a protein";
            return Err(Misuse::new(message).help(format!("name the proteins among the channels: {}", listed())));
        }
        let places: Vec<usize> = (0..channels.len()).filter(|&place| is_protein(&channels[place])).collect();
        let clash = |name: &&String| **name == self.name || **name == self.unshown_name();
        let rest = others.iter().filter(|name| !is_protein(name)).copied();
        match rest.clone().find(clash) {
            _ if places.is_empty() => Err(Misuse::new("`[proteins]` is there, but no channel is a protein")),
            _ if self.name.is_empty() => Err(Misuse::new("`proteins.name` is empty; name the modality")),
            _ if [CELL_COLUMN, "field"].contains(&self.name.as_str()) => Err(Misuse::new(format!(
                "`proteins.name` is `{}`, a column of another meaning; choose another",
                self.name
            ))),
            Some(taken) => {
                Err(Misuse::new(format!("`proteins.name` leads to a modality `{taken}`, but a channel is called so")))
            }
            None => Ok(places),
        }
    }

    /// Name of the modality with proteins that no observation shows, and of the column of obs that says which they are.
    pub fn unshown_name(&self) -> String {
        format!("other_{}", self.name)
    }

    /// The observations, cell by cell; cells that have none of the proteins are left out.
    ///
    /// # Errors
    /// When a column of `within` is not there, or a column of the table has the name of one that is written.
    pub fn pairs(&self, contents: &Contents, proteins: &[usize]) -> Result<Vec<Pair>, Misuse> {
        let cells = &contents.cells;
        for name in [CELL_COLUMN, &self.name, &self.unshown_name()] {
            if cells.columns.iter().any(|column| column == name) {
                let message =
                    format!("the table of fields has a column `{name}`, which pairs of cells and proteins need");
                return Err(Misuse::new(message).help("rename the column, or set `proteins.name`"));
            }
        }
        match self.assign {
            Assign::Each => Ok(each(cells, proteins)),
            Assign::One => self.one(cells, proteins),
        }
    }

    fn one(&self, cells: &Cells, proteins: &[usize]) -> Result<Vec<Pair>, Misuse> {
        let column =
            |name: &String| cells.column(name).map_err(|error| Misuse::new(format!("`proteins.within`: {error:#}")));
        let columns = self.within.iter().map(column).collect::<Result<Vec<_>, _>>()?;
        // cells by panel and class
        let mut groups: BTreeMap<(Vec<usize>, Vec<&str>), Vec<usize>> = BTreeMap::new();
        for row in 0..cells.n_cells() {
            let panel: Vec<usize> = proteins.iter().copied().filter(|&place| cells.has(row, place)).collect();
            if !panel.is_empty() {
                let class = columns.iter().map(|column| column[row]).collect();
                groups.entry((panel, class)).or_default().push(row);
            }
        }
        let mut pairs = Vec::new();
        for (number, ((panel, _), mut rows)) in groups.into_iter().enumerate() {
            let mut generator = Seed(self.seed).generator(Purpose::Proteins, number as u64, 0);
            rows.shuffle(&mut generator);
            let size = rows.len() / panel.len();
            for (place, row) in rows.into_iter().enumerate() {
                let part = place.checked_div(size).map_or(panel.len() - 1, |part| part.min(panel.len() - 1));
                let step = if panel.len() > 1 { generator.random_range(1..panel.len()) } else { 0 };
                let unshown = (step > 0).then(|| panel[(part + step) % panel.len()]);
                pairs.push(Pair { row, channel: panel[part], unshown });
            }
        }
        pairs.sort_unstable_by_key(|pair| pair.row);
        Ok(pairs)
    }
}

fn each(cells: &Cells, proteins: &[usize]) -> Vec<Pair> {
    let of = |row: usize| {
        let shown = proteins.iter().filter(move |&&channel| cells.has(row, channel));
        shown.map(move |&channel| Pair { row, channel, unshown: None })
    };
    (0..cells.n_cells()).flat_map(of).collect()
}

#[cfg(test)]
mod tests;
