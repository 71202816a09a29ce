//! The spaces of a run as they are interpreted: what each modality's encoder tells, or the rows that were learned.

use crate::evaluate::select;
use crate::run::{CELLS_AT_A_TIME, file_rows, is_learned};
use anyhow::Result;
use framework::data::{Dataset, Split};
use framework::infer::{Trained, embed};
use std::collections::{BTreeSet, HashMap};
use tch::{Kind, Tensor};

/// What spaces side by side are called.
const WHOLE: &str = "all";

/// Rows of one latent space, of the cells that have some.
#[derive(Debug)]
pub struct SpaceOfCells {
    /// How it is called: `rna.shared` for what the encoder of `rna` tells of the space `shared`, `shared` for learned rows.
    pub name: String,
    /// The latent space.
    pub space: String,
    /// The modality whose encoder tells it.
    pub encoder: Option<usize>,
    /// The modalities that read it.
    pub modalities: Vec<usize>,
    /// The cells of the data set, ascending.
    pub cells: Vec<usize>,
    /// Their rows: n_cells × dim.
    pub rows: Tensor,
}

impl SpaceOfCells {
    /// The modalities whose measurements its rows are made of.
    pub fn sources(&self) -> Vec<usize> {
        self.encoder.map_or_else(|| self.modalities.clone(), |encoder| vec![encoder])
    }

    /// The row of each cell of a file, by the names of the data set's cells.
    pub fn rows_in(&self, file_cells: &[String], names: &[String]) -> Vec<Option<usize>> {
        let row_of: HashMap<&str, usize> = self.cells.iter().map(|&cell| names[cell].as_str()).zip(0..).collect();
        file_rows(file_cells, &row_of)
    }

    /// Numbers per cell.
    pub fn dim(&self) -> usize {
        self.rows.size()[1] as usize
    }
}

/// All spaces that an encoder tells side by side, as `MODALITY.all`, for each encoder that tells several.
pub fn whole_spaces(spaces: &[SpaceOfCells]) -> Vec<SpaceOfCells> {
    let encoders: BTreeSet<usize> = spaces.iter().filter_map(|space| space.encoder).collect();
    let whole = |encoder: usize| {
        let own: Vec<&SpaceOfCells> = spaces.iter().filter(|space| space.encoder == Some(encoder)).collect();
        let first = own.first().filter(|_| own.len() > 1)?;
        let rows: Vec<&Tensor> = own.iter().map(|space| &space.rows).collect();
        let name = first.name.strip_suffix(&format!(".{}", first.space)).unwrap_or(&first.name);
        Some(SpaceOfCells {
            name: format!("{name}.{WHOLE}"),
            space: WHOLE.to_owned(),
            encoder: Some(encoder),
            modalities: vec![encoder],
            cells: first.cells.clone(),
            rows: Tensor::cat(&rows, 1),
        })
    };
    encoders.into_iter().filter_map(whole).collect()
}

/// The spaces that are to be interpreted: of a model whose encoders were taught what each of them tells of all cells, as the
/// paper does; else the rows that were learned or found (of training cells, where other cells have none).
///
/// Spaces that stand for a covariate are left out.
///
/// # Errors
/// When an encoder refuses cells.
pub fn spaces_of(
    trained: &Trained,
    (dataset, split): (&Dataset, &Split),
    learned: Option<&[(String, Tensor)]>,
    has_encoders: bool,
) -> Result<Vec<SpaceOfCells>> {
    if has_encoders && trained.model.mapping.is_none() {
        return encoded(trained, dataset);
    }
    let model = &trained.model;
    let mut all = Vec::new();
    for space in model.spaces.iter().filter(|space| !space.is_covariate) {
        let Some((_, rows)) = learned.into_iter().flatten().find(|(name, _)| *name == space.name) else { continue };
        let rows = rows.to_kind(Kind::Double);
        let known: Vec<bool> = Vec::try_from(rows.isfinite().all_dim(1, false))?;
        let is_read = |cell: usize| space.modalities.iter().any(|&place| dataset.assays[place].rows[cell].is_some());
        let subset = |cell: usize| split.subsets()[cell];
        let has_row = |cell: usize| known[cell] && is_learned(trained, subset(cell), is_read(cell));
        let cells: Vec<usize> = (0..known.len()).filter(|&cell| has_row(cell)).collect();
        all.push(SpaceOfCells {
            name: space.name.clone(),
            space: space.name.clone(),
            encoder: None,
            modalities: space.modalities.clone(),
            rows: select(&rows, &cells),
            cells,
        });
    }
    Ok(all)
}

fn encoded(trained: &Trained, dataset: &Dataset) -> Result<Vec<SpaceOfCells>> {
    let model = &trained.model;
    let embeddings = embed(model, dataset, trained.device, CELLS_AT_A_TIME)?;
    let mut all = Vec::new();
    for (modality, embedding) in embeddings.by_modality().iter().enumerate() {
        for (space, rows) in model.spaces.iter().zip(&embedding.rows) {
            let Some(rows) = rows.as_ref().filter(|_| !space.is_covariate) else { continue };
            all.push(SpaceOfCells {
                name: format!("{}.{}", model.branches[modality].name, space.name),
                space: space.name.clone(),
                encoder: Some(modality),
                modalities: space.modalities.clone(),
                cells: embedding.cells.clone(),
                rows: rows.to_kind(Kind::Double),
            });
        }
    }
    Ok(all)
}
