//! `cithara phenotype`: what images tell of a phenotype, real and as the model makes them.

use super::model::OpenRun;
use super::spaces::{classes_of, column_of_obs, results_folder};
use crate::arguments::{JudgedArgument, PhenotypeArguments};
use crate::console::Console;
use crate::decoded_images::image_size;
use crate::failure::Misuse;
use crate::interrupt;
use crate::phenotype::{
    ClassifierSpec, Design, Judged, Phenotyped, Question, Study, StudyOutcome, study, summary, write,
};
use anyhow::Result;
use framework::Seed;
use framework::data::{Dataset, Split, Subset};
use registry::Catalogue;
use std::collections::BTreeSet;

/// Fewer cells that the model never learned from do not judge unless that is asked for.
const MIN_UNSEEN: usize = 50;

pub(super) fn execute(arguments: &PhenotypeArguments, catalogue: &Catalogue, console: &mut Console<'_>) -> Result<()> {
    let classifier = checked(arguments)?;
    let run = OpenRun::open(&arguments.run, catalogue)?;
    let place = (arguments.out.as_deref(), "phenotype");
    let folder = results_folder(&run, place, ("phenotype.json", "what was told of a phenotype"), arguments.force)?;
    let (dataset, split) = run.own_data()?;
    let asked = Asked::of(arguments, &run, &dataset)?;
    let mut notes = Vec::new();
    let seed = arguments.seed.unwrap_or(run.experiment.seed);
    let mut design = design(arguments, &split, asked.groups.as_deref(), Seed(seed));
    design.judged = judged(arguments, &design, &asked.cells, &mut notes);
    let task = Study {
        trained: &run.trained,
        dataset: &dataset,
        question: &asked.question,
        design: design.clone(),
        groups: &asked.group_names,
        classifier,
        has_permuted: !arguments.no_permuted,
        cells: &asked.cells,
        modalities: &asked.modalities,
        sources: &asked.sources,
        interrupted: interrupt::flag(),
    };
    let StudyOutcome { modalities, answers, notes: of_study } =
        study(&task, &mut |text| console.note(&format!("phenotype: {text}")))?;
    notes.extend(of_study);
    notes.extend(told(&run, arguments));
    let mut found = Phenotyped { modalities, notes, ..described(arguments, &task, seed) };
    found.scores =
        answers.first().map_or(Vec::new(), |(plan, _)| plan.truth.scores()).into_iter().map(str::to_owned).collect();
    found.add_cautions();
    let written = write(&found, &answers, (&dataset, split.subsets()), &folder)?;
    console.results(&summary(&found), &found.notes, &written)
}

/// What is asked, and nothing found yet.
fn described(arguments: &PhenotypeArguments, task: &Study<'_>, seed: u64) -> Phenotyped {
    let design = &task.design;
    Phenotyped {
        version: env!("CARGO_PKG_VERSION").to_owned(),
        label: arguments.label.clone(),
        is_number: arguments.regress,
        hold_out: arguments.division.hold_out.clone(),
        only: arguments.only.clone(),
        judged: design.judged,
        n_repeats: design.n_repeats,
        n_folds: design.n_folds,
        stop_share: design.stop_share,
        max_cells: design.max_cells,
        classifier: task.classifier,
        seed,
        scores: Vec::new(),
        modalities: Vec::new(),
        notes: Vec::new(),
    }
}

/// What the command line asks of which cells.
struct Asked {
    question: Question,
    group_names: Vec<String>,
    groups: Option<Vec<Option<u32>>>,
    cells: Vec<usize>,
    modalities: Vec<usize>,
    sources: Vec<usize>,
}

impl Asked {
    fn of(arguments: &PhenotypeArguments, run: &OpenRun, dataset: &Dataset) -> Result<Asked> {
        let modalities = modalities(arguments, run, dataset)?;
        let sources = match arguments.from.is_empty() {
            true => (0..dataset.assays.len()).collect(),
            false => arguments.from.iter().map(|name| run.modality(name)).collect::<Result<Vec<_>>>()?,
        };
        let column = |name: &str| column_of_obs(run, dataset, name);
        let values = column(&arguments.label)?;
        let question = Question { column: arguments.label.clone(), values, is_number: arguments.regress };
        let (group_names, groups) = match &arguments.division.hold_out {
            None => (Vec::new(), None),
            Some(name) => {
                let (names, groups) = classes_of(&column(name)?);
                (names, Some(groups))
            }
        };
        let only = arguments.only.as_deref().map(|asked| only(asked, &column)).transpose()?;
        let takes_part = |&cell: &usize| {
            let is_in = only.as_ref().is_none_or(|only| only[cell]);
            is_in && question.is_known(cell) && groups.as_ref().is_none_or(|groups| groups[cell].is_some())
        };
        let cells: Vec<usize> = (0..dataset.cells.len()).filter(takes_part).collect();
        if cells.is_empty() {
            return Err(Misuse::new(format!("no cell has a value of `{}`", arguments.label)).into());
        }
        Ok(Asked { question, group_names, groups, cells, modalities, sources })
    }
}

/// What the command line says of learning, if it can be done.
fn checked(arguments: &PhenotypeArguments) -> Result<ClassifierSpec> {
    let (choices, division) = (&arguments.classifier, &arguments.division);
    let wrong = |text: String| -> Result<ClassifierSpec> { Err(Misuse::new(text).into()) };
    if !(choices.learning_rate > 0.0 && choices.learning_rate.is_finite()) {
        return wrong(format!("`--learning-rate {}` must be above 0", choices.learning_rate));
    }
    if choices.minibatch < 2 {
        return wrong("`--minibatch 1` has no spread to normalise by; it must be 2 or more".to_owned());
    }
    if !(division.stop_share > 0.0 && division.stop_share < 1.0) {
        return wrong(format!("`--stop-share {}` must be above 0 and below 1", division.stop_share));
    }
    if division.folds < 2 {
        return wrong("`--folds 1` leaves nothing to learn from; it must be 2 or more".to_owned());
    }
    Ok(ClassifierSpec {
        width: choices.width,
        learning_rate: choices.learning_rate,
        minibatch: choices.minibatch,
        max_epochs: choices.epochs,
        patience: choices.patience,
    })
}

/// The modalities of images that were asked for.
fn modalities(arguments: &PhenotypeArguments, run: &OpenRun, dataset: &Dataset) -> Result<Vec<usize>> {
    let asked: Vec<usize> = arguments.modalities.iter().map(|name| run.modality(name)).collect::<Result<_>>()?;
    let has_images = |modality: &usize| image_size(dataset, *modality).is_some();
    if let Some(place) = asked.iter().position(|modality| !has_images(modality)) {
        return Err(Misuse::new(format!("`{}` has no images", arguments.modalities[place])).into());
    }
    let all: Vec<usize> = (0..dataset.assays.len()).filter(has_images).collect();
    if all.is_empty() {
        let help = "spaces of other assays are asked for labels by `cithara evaluate` and `cithara interpret`";
        return Err(Misuse::new("no modality of the run has images").help(help).into());
    }
    Ok(if asked.is_empty() { all } else { asked })
}

/// Whether each cell has the value that `COLUMN=VALUE` says.
fn only(asked: &str, column: &dyn Fn(&str) -> Result<Vec<Option<String>>>) -> Result<Vec<bool>> {
    let Some((name, value)) = asked.split_once('=') else {
        let text = format!("`--only {asked}` must be a column of obs and a value, such as `protein=CD4`");
        return Err(Misuse::new(text).into());
    };
    let values = column(name)?;
    let is_it: Vec<bool> = values.iter().map(|own| own.as_deref() == Some(value)).collect();
    if !is_it.contains(&true) {
        let known: BTreeSet<&str> = values.iter().flatten().map(String::as_str).collect();
        let known: Vec<&str> = known.into_iter().take(30).collect();
        let text = format!("no cell has `{value}` in the column `{name}` of obs; values: {}", known.join(", "));
        return Err(Misuse::new(text).into());
    }
    Ok(is_it)
}

fn design<'a>(
    arguments: &PhenotypeArguments,
    split: &'a Split,
    groups: Option<&'a [Option<u32>]>,
    seed: Seed,
) -> Design<'a> {
    let division = &arguments.division;
    Design {
        subsets: split.subsets(),
        groups,
        judged: Judged::Unseen,
        n_repeats: division.repeats,
        n_folds: division.folds,
        stop_share: division.stop_share,
        max_cells: division.max_cells,
        seed,
    }
}

/// Which cells may judge: as asked; else those that the model never learned from, where they are enough.
fn judged(arguments: &PhenotypeArguments, design: &Design<'_>, cells: &[usize], notes: &mut Vec<String>) -> Judged {
    match arguments.division.cells {
        Some(JudgedArgument::Test) => return Judged::Unseen,
        Some(JudgedArgument::All) => return Judged::All,
        None => {}
    }
    let is_unseen = |&&cell: &&usize| matches!(design.subsets[cell], Subset::Test | Subset::Unused);
    let (n_unseen, n_units) = (cells.iter().filter(is_unseen).count(), design.n_units(cells));
    if n_unseen >= MIN_UNSEEN && n_units >= 2 {
        return Judged::Unseen;
    }
    notes.push(format!(
        "the model left only {n_unseen} of these cells unseen, so all cells judge: their reconstructed and predicted images may be \
         better than those of new cells"
    ));
    Judged::All
}

/// Whether networks of the model are told what the images are asked for.
fn told(run: &OpenRun, arguments: &PhenotypeArguments) -> Option<String> {
    let known = run.trained.cohort.conditions.iter().any(|condition| condition.column == arguments.label);
    known.then(|| {
        format!(
            "networks of the model are told `{}` of each cell: reconstructed and predicted images may show it whatever was measured",
            arguments.label
        )
    })
}
