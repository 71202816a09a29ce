//! What `cithara interpret` found, on the page: top features and sets of each space, and what each space knows.

use super::written::{counted, counted_of, three};
use crate::drawing::lettering::plain;
use crate::interpret::{
    Classified, ComponentFindings, Feature, Interpreted, KnowledgeOf, Loss, SpaceFindings, agreements_picture,
    curves_picture, shares_picture, two_groups_picture,
};
use serde::Serialize;

/// Components, features of a group, and sets that the page shows.
const MOST_COMPONENTS: usize = 10;
const MOST_FEATURES: usize = 8;
const MOST_SETS: usize = 10;
/// False discovery rate of sets that are shown.
const LEVEL: f64 = 0.05;

/// The section of the page.
#[derive(Debug, Serialize)]
pub struct InterpretationPart {
    lead: String,
    spaces: Vec<SpacePart>,
    /// Titles and pictures of which space knows of which feature.
    shares: Vec<(String, String)>,
    /// Labels by features: title, lead, and rows of feature, loss and false discovery rate.
    classified: Vec<(String, String, Vec<[String; 3]>)>,
    /// How far encoders agree on the spaces that they share.
    agreements: Option<String>,
    /// Cells along components, as pictures, and the spaces they are of.
    along: Vec<String>,
    along_names: Vec<String>,
    /// Numbers in the two groups of each space.
    two_groups: Option<String>,
    /// What is asked, and for each space its name and answers.
    questions: Vec<String>,
    answers: Vec<(String, Vec<String>)>,
    notes: Vec<String>,
}

#[derive(Debug, Serialize)]
struct SpacePart {
    title: String,
    lead: String,
    picture: Option<String>,
    /// Component, share of variance, and features of the negative end, the centre and the positive end.
    components: Vec<[String; 5]>,
    n_components: usize,
    /// Name, features, enrichment, false discovery rate.
    sets: Vec<[String; 4]>,
}

impl InterpretationPart {
    /// The section of what was found.
    pub fn of(found: &Interpreted) -> InterpretationPart {
        let mut questions: Vec<(&str, &str, &str)> = Vec::new();
        for one in &found.knowledge {
            let question = (one.kind.as_str(), one.of.as_str(), one.score.as_str());
            if !questions.contains(&question) {
                questions.push(question);
            }
        }
        let mut names: Vec<&str> = found.knowledge.iter().map(|one| one.space.as_str()).collect();
        names.dedup();
        let answer = |space: &str, question: &(&str, &str, &str)| {
            let is_it = |one: &&KnowledgeOf| {
                one.space == space && (one.kind.as_str(), one.of.as_str(), one.score.as_str()) == *question
            };
            let written = |one: &KnowledgeOf| {
                let controls = [Some(one.permuted), one.random, one.principal_components].map(three);
                format!("{} ({})", three(Some(one.value)), controls.join(" · "))
            };
            found.knowledge.iter().find(is_it).map_or("–".to_owned(), written)
        };
        InterpretationPart {
            lead: format!(
                "Along each principal component of a space, cells at its two ends and in its middle were compared feature by \
                 feature in {} random splits; listed is what differs more than {}-fold in training and test cells of at \
                 least {} of them (Welch t-test, false discovery rate below .05).",
                found.n_repeats, found.fold_change, found.min_repeats
            ),
            spaces: found.spaces.iter().map(space_part).collect(),
            shares: shares_picture(found).into_iter().map(|(table, picture)| (plain(&table), picture)).collect(),
            classified: found.classified.iter().map(classified_part).collect(),
            agreements: (!found.agreements.is_empty()).then(|| agreements_picture(&found.agreements)),
            along: found.along.iter().map(|one| one.svg.clone()).collect(),
            along_names: found.along.iter().map(|one| plain(&one.space)).collect(),
            two_groups: (!found.two_groups.is_empty()).then(|| two_groups_picture(&found.two_groups)),
            questions: questions.iter().map(|(kind, of, score)| question_words(kind, of, score)).collect(),
            answers: names
                .into_iter()
                .map(|space| (plain(space), questions.iter().map(|question| answer(space, question)).collect()))
                .collect(),
            notes: found.notes.iter().map(|note| plain(note)).collect(),
        }
    }
}

fn classified_part(one: &Classified) -> (String, String, Vec<[String; 3]>) {
    let row = |loss: &Loss| {
        let q = loss.q.map_or_else(|| "–".to_owned(), |q| format!("{q:.1e}"));
        [plain(&loss.feature), format!("{:+.3}", -loss.loss), q]
    };
    (
        format!("{} by features of {}", plain(&one.label), plain(&one.features)),
        format!(
            "{} in {} and {} splits: balanced accuracy {:.3}, chance {:.3}",
            one.classifier,
            counted_of(one.n_cells, "cell"),
            one.full.len(),
            one.accuracy(),
            1.0 / one.n_classes as f64
        ),
        one.losses.iter().take(MOST_FEATURES).map(row).collect(),
    )
}

fn question_words(kind: &str, of: &str, score: &str) -> String {
    let score = match score {
        "r_squared" => "R²",
        "spearman" => "Spearman",
        "balanced_accuracy" => "accuracy, linear",
        "balanced_accuracy_network" => "accuracy, network",
        other => other,
    };
    match kind {
        "depth" => format!("depth of {}, {score}", plain(of)),
        _ => format!("{}, {score}", plain(of)),
    }
}

fn space_part(space: &SpaceFindings) -> SpacePart {
    let direction = |component: &ComponentFindings, name: &str| -> String {
        let Some(group) = component.groups.iter().find(|group| group.direction == name) else { return String::new() };
        if group.n_tested == 0 {
            return "too few cells".to_owned();
        }
        let sign = |fold: f64| if fold > 0.0 { "↑" } else { "↓" };
        let written = |feature: &Feature| format!("{}{}", sign(feature.log2_fold_change), plain(&feature.feature));
        let more = group.features.len().saturating_sub(MOST_FEATURES);
        let mut names: Vec<String> = group.features.iter().take(MOST_FEATURES).map(written).collect();
        if more > 0 {
            names.push(format!("and {more} more"));
        }
        if names.is_empty() { "–".to_owned() } else { names.join(", ") }
    };
    let component = |component: &ComponentFindings| {
        [
            component.component.to_string(),
            format!("{:.1} %", 100.0 * component.explained_variance_ratio),
            direction(component, "negative_end"),
            direction(component, "centre"),
            direction(component, "positive_end"),
        ]
    };
    let sets = space.sets.iter().filter(|set| set.q < LEVEL).take(MOST_SETS).map(|set| {
        [
            plain(&set.set),
            format!(
                "{} of {}: {}",
                set.overlap.len(),
                set.n_set,
                plain(&set.overlap[..set.overlap.len().min(8)].join(", "))
            ),
            format!("{:.1}×", set.enrichment),
            format!("{:.1e}", set.q),
        ]
    });
    SpacePart {
        title: format!("{} by features of {}", plain(&space.space), plain(&space.features)),
        lead: format!(
            "{} cells, {}; {} differ. Of its {}, {} have cells at their ends and near their axis to compare.",
            counted(space.n_cells),
            counted_of(space.n_features, "feature"),
            counted(space.explained.len()),
            counted_of(space.components.len(), "component"),
            counted(space.n_tested())
        ),
        picture: (!space.explained.is_empty()).then(|| curves_picture(space)),
        components: space.components.iter().take(MOST_COMPONENTS).map(component).collect(),
        n_components: space.components.len(),
        sets: sets.collect(),
    }
}
