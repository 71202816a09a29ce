//! What is done to images of training cells, as a spec says it.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// How images of training cells are changed while networks are learned.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Augmentation {
    /// Not at all (as the published models).
    #[default]
    None,
    /// Turned by 0 to 3 quarters and mirrored or not, at random anew in every step: all images of a cell alike.
    Turns,
}
