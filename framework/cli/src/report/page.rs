//! What the page says, as its template reads it: all texts and numbers as they are to be seen.

use super::ablation::AblationPart;
use super::cells::SUBSETS;
use super::clusters::ClustersPart;
use super::colouring::{Colouring, Legend};
use super::curves::stage_picture;
use super::found::{Found, ModalityFacts};
use super::image_grid::ImageGrid;
use super::inpainting::InpaintingPart;
use super::interpretation::InterpretationPart;
use super::layouts::Layout;
use super::pattern_picture::{MAX_PATTERNS, pattern_picture};
use super::phenotype::PhenotypePart;
use super::rows::{integration_table, modality_row, pattern_row, provenance, space_row, tidied};
use super::scatter::scatter;
use super::tips::{SCRIPT, tips};
use super::warnings::{RULES, Warning};
use super::written::{counted, counted_of, four, three};
use crate::drawing::lettering::plain;
use crate::drawing::palette::css;
use crate::evaluate::{Evaluation, Outcome, Part, WrittenTable};
use crate::run::Stage;
use anyhow::Result;
use serde::Serialize;

/// The whole page.
#[derive(Debug, Serialize)]
pub struct Page {
    name: String,
    made_by: String,
    headline: String,
    warnings: Vec<Warning>,
    rules: Vec<[&'static str; 2]>,
    notes: Vec<String>,
    verdicts: Vec<VerdictPart>,
    tally: String,
    judged: Option<String>,
    modalities: Vec<Vec<String>>,
    spaces: Vec<Vec<String>>,
    subsets: Vec<&'static str>,
    patterns: Vec<Vec<String>>,
    pattern_picture: Option<String>,
    n_patterns_drawn: usize,
    stages: Vec<StagePart>,
    colourings: Vec<ColouringPart>,
    undrawn: Vec<(String, String)>,
    subset_note: Option<String>,
    layouts: Vec<LayoutPart>,
    tables: [Vec<WrittenTable>; 3],
    integration: Vec<WrittenTable>,
    integration_notes: Vec<String>,
    interpretation: Option<InterpretationPart>,
    clusters: Option<ClustersPart>,
    ablation: Option<AblationPart>,
    inpainting: Option<InpaintingPart>,
    phenotype: Option<PhenotypePart>,
    images: Vec<ImagePart>,
    tips: Option<String>,
    script: &'static str,
    provenance: Vec<[String; 2]>,
    command: String,
    spec: String,
    run: String,
}

#[derive(Debug, Serialize)]
struct VerdictPart {
    class: &'static str,
    sign: &'static str,
    word: &'static str,
    sentence: String,
}

#[derive(Debug, Serialize)]
struct StagePart {
    title: String,
    picture: String,
    ending: String,
}

#[derive(Debug, Serialize)]
struct ColouringPart {
    name: String,
    /// Colour, number, name and count.
    classes: Vec<[String; 4]>,
    /// The lowest and the highest number of a scale, and its colours.
    scale: Option<(String, String, String)>,
    pictures: Vec<(String, String)>,
}

#[derive(Debug, Serialize)]
struct ImagePart {
    modality: String,
    subset: &'static str,
    picture: String,
}

#[derive(Debug, Serialize)]
struct LayoutPart {
    space: String,
    caption: String,
}

/// What the page has that is not found in the run's numbers.
#[derive(Debug, Clone, Copy)]
pub struct Setting<'a> {
    /// The program and its version.
    pub made_by: &'a str,
    /// The run directory, as it was named.
    pub run: &'a str,
    /// The resolved spec.
    pub spec: &'a str,
}

impl Page {
    /// All that is on the page of what was found.
    ///
    /// # Errors
    /// When a picture cannot be made.
    pub fn of(found: &Found, setting: Setting<'_>) -> Result<Page> {
        let is_used = |place: &usize| *place < 3 || found.n_cells[3] > 0;
        let subsets: Vec<usize> = (0..SUBSETS.len()).filter(is_used).collect();
        let written = found.evaluation.as_ref().map(Evaluation::written_tables).unwrap_or_default();
        let of_part = |part| written.iter().filter(|table| table.part == part).map(tidied).collect::<Vec<_>>();
        let names: Vec<String> = found.modalities.iter().map(|modality| plain(&modality.name)).collect();
        Ok(Page {
            name: plain(&found.name),
            made_by: plain(setting.made_by),
            headline: headline(found),
            warnings: found.warnings.iter().map(|one| Warning { rule: one.rule, text: plain(&one.text) }).collect(),
            rules: RULES.map(|(rule, when)| [rule, when]).to_vec(),
            notes: notes(found),
            verdicts: verdicts(found),
            tally: tally(found),
            judged: found.evaluation.as_ref().map(judged),
            modalities: found.modalities.iter().map(|modality| modality_row(modality, &subsets)).collect(),
            spaces: found.spaces.iter().map(space_row).collect(),
            subsets: subsets.iter().map(|&place| SUBSETS[place].name()).collect(),
            patterns: found.patterns.iter().map(|pattern| pattern_row(pattern, &names, &subsets)).collect(),
            pattern_picture: (!found.patterns.is_empty()).then(|| pattern_picture(&found.patterns, &names)),
            n_patterns_drawn: MAX_PATTERNS,
            stages: found.stages.iter().map(stage_part).collect(),
            colourings: colourings(found)?,
            undrawn: found.undrawn.iter().map(|(space, why)| (plain(space), plain(why))).collect(),
            subset_note: subset_note(found),
            layouts: found
                .layouts
                .iter()
                .zip(layout_captions(found))
                .map(|(of, caption)| LayoutPart { space: plain(&of.space), caption })
                .collect(),
            tables: [of_part(Part::Predictions), of_part(Part::Probes), of_part(Part::Clusterings)],
            images: found.images.iter().map(image_part).collect(),
            ablation: found.ablation.as_ref().map(AblationPart::of),
            clusters: found.clusters.as_ref().map(ClustersPart::of),
            interpretation: found.interpretation.as_ref().map(InterpretationPart::of),
            inpainting: found.inpainting.as_ref().map(InpaintingPart::of),
            phenotype: found.phenotype.as_ref().map(PhenotypePart::of),
            integration: found.integration.iter().map(integration_table).collect(),
            integration_notes: found
                .integration
                .iter()
                .flat_map(|one| one.notes.iter().map(|note| plain(note)))
                .collect(),
            tips: if found.layouts.is_empty() { None } else { Some(tips(found)?) },
            script: SCRIPT,
            provenance: provenance(found),
            command: plain(&found.provenance.command.join(" ")),
            spec: plain(setting.spec),
            run: plain(setting.run),
        })
    }
}

fn headline(found: &Found) -> String {
    let of = |modality: &ModalityFacts| {
        format!("{} ({})", plain(&modality.name), counted_of(modality.n_features, "feature"))
    };
    let modalities: Vec<String> = found.modalities.iter().map(of).collect();
    let [train, validation, test, _] = found.n_cells;
    let total: usize = found.n_cells.iter().sum();
    let spaces: Vec<String> =
        found.spaces.iter().map(|space| format!("{} ({})", plain(&space.name), space.dim)).collect();
    let mut text = format!(
        "A model of the family {}, learned from {} of {} measured by {}; {} chose when to stop, {} were kept for tests.",
        plain(&found.model),
        counted(train),
        counted_of(total, "cell"),
        modalities.join(", "),
        counted(validation),
        counted(test)
    );
    if !spaces.is_empty() {
        text.push_str(&format!(" Latent spaces (numbers per cell): {}.", spaces.join(", ")));
    }
    if let Some((generative, inference)) = found.n_parameters {
        text.push_str(&format!(
            " {} trainable numbers in decoders, losses and priors, {} in encoders.",
            counted(generative),
            counted(inference)
        ));
    }
    text
}

fn notes(found: &Found) -> Vec<String> {
    let of_evaluation = found.evaluation.iter().flat_map(|evaluation| &evaluation.notes);
    found.notes.iter().chain(of_evaluation).map(|note| plain(note)).collect()
}

fn judged(evaluation: &Evaluation) -> String {
    let cells = &evaluation.cells;
    let subset = if cells.in_sample { "training" } else { cells.subset.as_str() };
    format!(
        "Judged on {} {subset} cells; the model and its controls learned from {}.",
        counted(cells.n_judged),
        counted(cells.n_training)
    )
}

fn looks(outcome: Outcome) -> (&'static str, &'static str, &'static str) {
    match outcome {
        Outcome::Better => ("better", "✓", "better"),
        Outcome::Level => ("level", "≈", "level"),
        Outcome::Worse => ("worse", "✗", "worse"),
        Outcome::Undecided => ("undecided", "?", "undecided"),
    }
}

fn verdicts(found: &Found) -> Vec<VerdictPart> {
    let verdicts = found.evaluation.iter().flat_map(|evaluation| &evaluation.verdicts);
    let part = |verdict: &crate::evaluate::Verdict| {
        let (class, sign, word) = looks(verdict.outcome);
        VerdictPart { class, sign, word, sentence: plain(&verdict.sentence) }
    };
    verdicts.map(part).collect()
}

/// `12 comparisons with controls: 8 better, 1 level, 3 worse`.
fn tally(found: &Found) -> String {
    let verdicts = || found.evaluation.iter().flat_map(|evaluation| &evaluation.verdicts);
    let outcomes = [Outcome::Better, Outcome::Level, Outcome::Worse, Outcome::Undecided];
    let count = |outcome: Outcome| {
        let n = verdicts().filter(|verdict| verdict.outcome == outcome).count();
        (n > 0).then(|| format!("{n} {}", looks(outcome).2))
    };
    let counts: Vec<String> = outcomes.into_iter().filter_map(count).collect();
    format!("{} with controls: {}", counted_of(verdicts().count(), "comparison"), counts.join(", "))
}

fn stage_part(stage: &Stage) -> StagePart {
    let n_epochs = stage.training.last().map_or(0, |epoch| epoch.epoch + 1);
    let ending = match (&stage.reason, stage.kept_epoch) {
        (Some(reason), Some(kept)) => format!(
            "Ended after {}: {reason}; the state of epoch {kept} was kept.",
            counted_of(n_epochs as usize, "epoch")
        ),
        (Some(reason), None) => format!("Ended after {}: {reason}.", counted_of(n_epochs as usize, "epoch")),
        (None, _) => format!("Has not ended; {} so far.", counted_of(n_epochs as usize, "epoch")),
    };
    StagePart { title: plain(&stage.title()), picture: stage_picture(stage), ending: plain(&ending) }
}

fn colourings(found: &Found) -> Result<Vec<ColouringPart>> {
    if found.layouts.is_empty() {
        return Ok(Vec::new());
    }
    let part = |colouring: &Colouring| -> Result<ColouringPart> {
        let picture = |layout: &Layout| Ok((plain(&layout.space), scatter(layout, colouring)?));
        let (classes, scale) = legend(colouring);
        Ok(ColouringPart {
            name: plain(&colouring.name),
            classes,
            scale,
            pictures: found.layouts.iter().map(picture).collect::<Result<_>>()?,
        })
    };
    found.colourings.iter().map(part).collect()
}

type Classes = Vec<[String; 4]>;
type Scale = Option<(String, String, String)>;

fn legend(colouring: &Colouring) -> (Classes, Scale) {
    let colour = |place: usize| css(colouring.colours[place]);
    let neutral = || css(crate::drawing::palette::NEUTRAL);
    match &colouring.legend {
        Legend::Classes { classes, others } => {
            let entry = |(place, (name, n)): (usize, &(String, usize))| {
                [colour(place), (place + 1).to_string(), plain(name), counted(*n)]
            };
            let others = others.iter().map(|(why, n)| [neutral(), String::new(), plain(why), counted(*n)]);
            (classes.iter().enumerate().map(entry).chain(others).collect(), None)
        }
        Legend::Scale { ends, n_missing } => {
            let missing = [neutral(), String::new(), "no value".to_owned(), counted(*n_missing)];
            let classes = if *n_missing > 0 { vec![missing] } else { Vec::new() };
            let shades = (0..colouring.colours.len() - 1).step_by(7).map(colour).collect::<Vec<_>>().join(", ");
            (classes, Some((four(ends.0), four(ends.1), shades)))
        }
    }
}

fn subset_note(found: &Found) -> Option<String> {
    let layout = found.layouts.iter().find(|layout| layout.n_drawn < layout.n_cells)?;
    Some(format!(
        "Of {} cells a random subset of {} is drawn (seed {}); `--max-cells` draws more.",
        counted(layout.n_cells),
        counted(layout.n_drawn),
        found.provenance.seed
    ))
}

fn layout_captions(found: &Found) -> impl Iterator<Item = String> {
    found.layouts.iter().map(|layout| {
        let space = found.spaces.iter().find(|space| space.name == layout.space);
        let read_by = space.map_or(String::new(), |space| match (&space.covariate, space.modalities.as_slice()) {
            (Some(column), _) => format!("stands for {}", plain(column)),
            (None, [alone]) => format!("specific to {}", plain(alone)),
            (None, several) => format!("shared by {}", plain(&several.join(", "))),
        });
        let rows = space.map_or(String::new(), |space| match (space.n_learned, space.n_encoded) {
            (_, 0) => "learned rows".to_owned(),
            (0, _) => "rows from encoders".to_owned(),
            (learned, encoded) => format!("{} learned rows, {} from encoders", counted(learned), counted(encoded)),
        });
        let trust = layout
            .trustworthiness
            .map_or("its own two dimensions".to_owned(), |trust| format!("trustworthiness {}", three(Some(trust))));
        format!("{read_by}; {} drawn, {rows}; {trust}", counted_of(layout.n_drawn, "cell"))
    })
}
fn image_part(grid: &ImageGrid) -> ImagePart {
    ImagePart { modality: plain(&grid.modality), subset: grid.subset(), picture: grid.picture() }
}
