//! The file of cells where observations are pairs of a cell and a protein: a modality with all proteins, and one for each other
//! channel. Crops are not copied: `obs` says which cell and channel each observation shows.

use super::cells::{categorical, metadata};
use super::proteins::CELL_COLUMN;
use super::{Assign, CROPS, Measured, Pair, ProteinsSpec};
use anndata::{Dense, Frame, NewAnnData, NewMuData, UnsTree, write_new_h5mu};
use anyhow::{Result, bail};
use framework::data::{CELL_COLUMN_KEY, CHANNEL_COLUMN_KEY, IMAGES_KEY};
use images::{Crops, MASK_CHANNEL};
use std::collections::{HashMap, HashSet};
use std::path::Path;

/// Pairs, and what is known of their cells.
pub struct PairedCells<'a> {
    /// The crops.
    pub crops: &'a Crops,
    /// How proteins are called and were chosen.
    pub spec: &'a ProteinsSpec,
    /// The observations.
    pub pairs: &'a [Pair],
    /// What was measured, by name of the channel.
    pub measured: &'a HashMap<String, Measured>,
}

/// Writes the file of cells; returns the name of each modality and its number of observations.
///
/// # Errors
/// When two observations would have the same name, or the file cannot be written.
pub fn write_pairs(path: &Path, cells: &PairedCells<'_>) -> Result<Vec<(String, usize)>> {
    let all: Vec<&Pair> = cells.pairs.iter().collect();
    let mut file = NewMuData { obs: cells.obs(&all)?, ..NewMuData::default() };
    let (contents, mut written) = (cells.crops.contents(), Vec::new());
    for (channel, name) in contents.channels.iter().enumerate() {
        if name == MASK_CHANNEL || all.iter().any(|pair| pair.channel == channel || pair.unshown == Some(channel)) {
            continue;
        }
        let shown: Vec<&Pair> = all.iter().copied().filter(|pair| contents.cells.has(pair.row, channel)).collect();
        if !shown.is_empty() {
            let about = vec![("channel", name.clone())];
            file.modalities.insert(name.clone(), cells.modality(&shown, |_| channel, about)?);
            written.push((name.clone(), shown.len()));
        }
    }
    let (protein, unshown) = (cells.spec.name.clone(), cells.spec.unshown_name());
    let about = vec![(CHANNEL_COLUMN_KEY, protein.clone())];
    written.push((protein.clone(), all.len()));
    file.modalities.insert(protein, cells.modality(&all, |pair| pair.channel, about)?);
    let others: Vec<&Pair> = all.iter().copied().filter(|pair| pair.unshown.is_some()).collect();
    if !others.is_empty() {
        let about = vec![(CHANNEL_COLUMN_KEY, unshown.clone())];
        let of = |pair: &Pair| pair.unshown.unwrap_or(pair.channel);
        written.push((unshown.clone(), others.len()));
        file.modalities.insert(unshown, cells.modality(&others, of, about)?);
    }
    write_new_h5mu(path, &file)?;
    Ok(written)
}

impl PairedCells<'_> {
    /// `CELL-PROTEIN`, or the name of the cell where it has one observation.
    fn name(&self, pair: &Pair) -> String {
        let contents = self.crops.contents();
        let cell = contents.cells.name(pair.row);
        match self.spec.assign {
            Assign::Each => format!("{cell}-{}", contents.channels[pair.channel]),
            Assign::One => cell,
        }
    }

    fn obs(&self, pairs: &[&Pair]) -> Result<Frame> {
        let contents = self.crops.contents();
        let names: Vec<String> = pairs.iter().map(|pair| self.name(pair)).collect();
        let mut met = HashSet::with_capacity(names.len());
        if let Some(name) = names.iter().find(|name| !met.insert(name.as_str())) {
            bail!("two observations would be called `{name}`; call fields or channels otherwise");
        }
        let rows: Vec<usize> = pairs.iter().map(|pair| pair.row).collect();
        let of_cells = metadata(&contents.cells, &rows)?;
        let mut frame = Frame::new(names);
        let text =
            |of: &dyn Fn(&Pair) -> Option<String>| categorical(&pairs.iter().map(|&pair| of(pair)).collect::<Vec<_>>());
        frame.insert(CELL_COLUMN, text(&|pair| Some(contents.cells.name(pair.row))))?;
        frame.insert(&self.spec.name, text(&|pair| Some(contents.channels[pair.channel].clone())))?;
        if pairs.iter().any(|pair| pair.unshown.is_some()) {
            let other = |pair: &Pair| pair.unshown.map(|place| contents.channels[place].clone());
            frame.insert(&self.spec.unshown_name(), text(&other))?;
        }
        for (name, column) in of_cells.columns() {
            frame.insert(name, column.clone())?;
        }
        Ok(frame)
    }

    /// A modality whose observations each show a channel; `about` says where that stands.
    fn modality(
        &self,
        pairs: &[&Pair],
        channel: impl Fn(&Pair) -> usize,
        about: Vec<(&'static str, String)>,
    ) -> Result<NewAnnData> {
        let shown: Vec<(usize, usize)> = pairs.iter().map(|pair| (pair.row, channel(pair))).collect();
        let (names, x) = self.features(&shown)?;
        let mut modality = NewAnnData::new(self.obs(pairs)?, Frame::new(names), x);
        let places = [("crops", CROPS.to_owned()), (CELL_COLUMN_KEY, CELL_COLUMN.to_owned())];
        let all: Vec<(&str, String)> = places.into_iter().chain(about).collect();
        let about: UnsTree = all.iter().map(|(key, text)| (*key, text.as_str())).collect();
        modality.uns.insert(IMAGES_KEY.to_owned(), about);
        Ok(modality)
    }

    /// What was measured of each crop; 0 for a feature that its channel does not have.
    fn features(&self, shown: &[(usize, usize)]) -> Result<(Vec<String>, Dense)> {
        let channels = &self.crops.contents().channels;
        let mut met: HashSet<usize> = HashSet::new();
        let distinct: Vec<usize> = shown.iter().map(|(_, channel)| *channel).filter(|one| met.insert(*one)).collect();
        let tables: HashMap<usize, (&Measured, HashMap<usize, usize>)> = distinct
            .iter()
            .filter_map(|&channel| {
                let measured = self.measured.get(&channels[channel])?;
                Some((channel, (measured, measured.rows.iter().enumerate().map(|(at, &row)| (row, at)).collect())))
            })
            .collect();
        let mut names: Vec<String> = Vec::new();
        let mut columns: HashMap<&str, usize> = HashMap::new();
        let mut sorted: Vec<usize> = tables.keys().copied().collect();
        sorted.sort_unstable();
        for name in sorted.iter().flat_map(|channel| &tables[channel].0.names) {
            columns.entry(name).or_insert_with(|| {
                names.push(name.clone());
                names.len() - 1
            });
        }
        let mut values = vec![0.0; shown.len() * names.len()];
        for ((row, channel), written) in shown.iter().zip(values.chunks_mut(names.len().max(1))) {
            let Some((measured, places)) = tables.get(channel) else { continue };
            let Some(&at) = places.get(row) else { continue };
            let own = &measured.values[at * measured.names.len()..][..measured.names.len()];
            measured.names.iter().zip(own).for_each(|(name, value)| written[columns[name.as_str()]] = *value);
        }
        Ok((names.clone(), Dense::new(shown.len(), names.len(), values)?))
    }
}
