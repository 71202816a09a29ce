//! What `cithara inpaint` found, on the page: its picture and its tables of images.

use super::rows::tidied;
use super::written::counted;
use crate::drawing::lettering::plain;
use crate::evaluate::{Part, WrittenTable};
use crate::inpaint::Inpainted;
use serde::Serialize;

/// The section of the page.
#[derive(Debug, Serialize)]
pub struct InpaintingPart {
    lead: String,
    picture: String,
    tables: Vec<WrittenTable>,
}

impl InpaintingPart {
    /// The section of what was found, with its picture, if it has one.
    pub fn of((found, picture): &(Inpainted, String)) -> InpaintingPart {
        let tables = found.evaluation.written_tables();
        InpaintingPart {
            lead: format!(
                "A network of {} trainable numbers is shown {} and {} of a training cell, and paints {} into the {} of another cell. It learned from \
                 {} cells; the state of epoch {} was kept. Beside it the model, which sees no other cell.",
                counted(found.n_parameters),
                plain(&found.chromatin),
                plain(&found.protein),
                plain(&found.protein),
                plain(&found.chromatin),
                counted(found.n_training),
                found.best_epoch
            ),
            picture: picture.clone(),
            tables: tables.iter().filter(|table| table.part == Part::Predictions).map(tidied).collect(),
        }
    }
}
