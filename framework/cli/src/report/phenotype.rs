//! What `cithara phenotype` found, on the page: a picture, scores and tests for each modality of images.

use super::written::three;
use crate::drawing::lettering::plain;
use crate::drawing::numbers::{p_value, with_minus};
use crate::phenotype::{Comparison, InputFindings, ModalityFindings, Phenotyped};
use crate::phenotype::{judged_words, mean_words, scores_picture};
use serde::Serialize;

/// The section of the page.
#[derive(Debug, Serialize)]
pub struct PhenotypePart {
    lead: String,
    scores: Vec<String>,
    modalities: Vec<ModalityPart>,
    notes: Vec<String>,
}

#[derive(Debug, Serialize)]
struct ModalityPart {
    title: String,
    lead: String,
    picture: String,
    /// The kind of image, and its scores.
    scores: Vec<(String, Vec<String>)>,
    /// First − second, what is paired, gain, interval and p-values.
    tests: Vec<[String; 8]>,
}

impl PhenotypePart {
    /// The section of what was found.
    pub fn of(found: &Phenotyped) -> PhenotypePart {
        let spec = &found.classifier;
        let only = found.only.as_ref().map_or(String::new(), |only| format!(" of cells with {}", plain(only)));
        PhenotypePart {
            lead: format!(
                "A ResNet-18{} learned {} {} from images{only}: real ones, those that the model reconstructs, those of the shared spaces \
                 alone, and those predicted from other modalities. At most {} passes in minibatches of {}, learning rate {}, \
                 stopped after {} passes without improvement on cells set apart; scores are those of cells that were held out.",
                narrower(spec.width),
                if found.is_number { "the number" } else { "the classes of" },
                plain(&found.label),
                spec.max_epochs,
                spec.minibatch,
                spec.learning_rate,
                spec.patience
            ),
            scores: found.scores.iter().map(|score| score.replace('_', " ")).collect(),
            modalities: found.modalities.iter().map(|one| modality_part(found, one)).collect(),
            notes: found.notes.iter().map(|note| plain(note)).collect(),
        }
    }
}

/// Words for a network of other than the published width.
fn narrower(width: usize) -> String {
    match width {
        64 => String::new(),
        width => format!(" (first stage of {width} channels instead of 64)"),
    }
}

fn modality_part(found: &Phenotyped, one: &ModalityFindings) -> ModalityPart {
    let row = |input: &InputFindings| {
        let values = (0..found.scores.len()).map(|score| with_minus(&mean_words(input, score)));
        (plain(&input.input), values.collect())
    };
    let is_shown = |test: &&Comparison| found.scores.first() == Some(&test.score) || test.unit == "group";
    ModalityPart {
        title: format!("{} from images of {}", plain(&found.label), plain(&one.modality)),
        lead: format!("{} cells; {}.", super::written::counted(one.n_cells), plain(&judged_words(found, one))),
        picture: scores_picture(found, one),
        scores: one.inputs.iter().map(row).collect(),
        tests: one.comparisons.iter().filter(is_shown).map(test_row).collect(),
    }
}

fn test_row(test: &Comparison) -> [String; 8] {
    let interval =
        test.interval.map_or("–".to_owned(), |(low, high)| format!("{} to {}", three(Some(low)), three(Some(high))));
    [
        plain(&format!("{} − {}", test.first, test.second)),
        format!("{} {}s, {}", test.n, test.unit, test.score.replace('_', " ")),
        three(Some(test.gain)),
        interval,
        p_value(test.p_two_sided),
        p_value(test.p_one_sided),
        p_value(test.p_holm),
        p_value(test.p_signed_rank),
    ]
}
