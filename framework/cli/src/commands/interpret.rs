//! `cithara interpret`: what the latent spaces of a run know of.

use super::model::{OfInput, OpenRun};
use super::spaces::{
    annotate_each, chosen_spaces, classes_of, column_of_obs, label_columns, labels_of_spec, results_folder,
};
use crate::arguments::{InterpretArguments, InterpretChoices};
use crate::console::Console;
use crate::failure::Misuse;
use crate::interpret::{
    Along, Classify, ControlRows, FeatureSets, FeatureTable, GeneSets, HeldOut, Interpreted, LabelColumn, MotifSets,
    NumberColumn, Questions, SpaceOfCells, Study, agreed, along, annotate, annotate_rows, cell_cycle_scores,
    interpret_space, knowledge, spaces_of, summary, two_groups, whole_spaces, write,
};
use crate::run::{has_taught_encoders, stages};
use analysis::{BinSpec, InterpretationSpec, fold_changes};
use anyhow::{Context, Result};
use framework::data::{Dataset, Observations, data_files};
use registry::Catalogue;
use std::collections::hash_map::Entry;
use std::collections::{BTreeSet, HashMap};

/// Steps of the fold changes of curves, and how many (Zhang et al. 2026, code).
const STEP: f64 = 0.2;
const N_FOLD_CHANGES: usize = 35;
/// Fold change of the first.
const FIRST: f64 = 1.2;
/// Columns of numbers with at most so many values are asked for as classes, too.
const MAX_CLASSES: usize = 20;

pub(super) fn execute(arguments: &InterpretArguments, catalogue: &Catalogue, console: &mut Console<'_>) -> Result<()> {
    let run = OpenRun::open(&arguments.run, catalogue)?;
    let place = (arguments.out.as_deref(), "interpretation");
    let folder = results_folder(&run, place, ("interpretation.json", "an interpretation"), arguments.force)?;
    let sets = match arguments.gene_sets.is_empty() {
        true => None,
        false => {
            Some(GeneSets::read(&arguments.gene_sets, arguments.genes.as_deref(), arguments.max_distance).of_input()?)
        }
    };
    let (dataset, split) = run.own_data()?;
    let features: Vec<String> = dataset.assays.iter().flat_map(|assay| assay.modality.features()).cloned().collect();
    let sets = FeatureSets { genes: sets, motifs: MotifSets::read(&arguments.motifs, &features).of_input()? };
    let groups = arguments.hold_out.as_deref().map(|column| classes_held_out(&run, &dataset, column)).transpose()?;
    let study = study(arguments, groups.as_deref())?;
    let learned = run.rows(&dataset.cells)?;
    let has_encoders = has_taught_encoders(&stages(&run.directory));
    let spaces = spaces_of(&run.trained, (&dataset, &split), learned.as_deref(), has_encoders)?;
    let spaces = chosen_spaces(spaces, &arguments.spaces)?;
    let held_out = HeldOut { split: &split, groups: groups.as_deref(), seed: run.experiment.seed };
    let (agreements, parts) = agreed(&spaces, held_out, arguments.min_correlation)?;
    let mut made = whole_spaces(&spaces);
    let n_wholes = made.len();
    made.extend(parts);
    let all: Vec<&SpaceOfCells> = spaces.iter().chain(&made).collect();
    let controls = ControlRows::of((&run.trained, &run.experiment), (&dataset, &split), &all)?;
    let mut questions = questions(&run, &dataset, (held_out, &controls), &arguments.tell)?;
    let (cell_cycle, unscored) = cell_cycle_scores(&run.trained, &run.experiment, &dataset)?;
    questions.numbers.extend(cell_cycle);
    let tested = numbers(&run, &dataset, &arguments.two_groups)?;
    let classify = Classify {
        classifier: arguments.classifier.of(run.experiment.seed),
        n_repeats: arguments.repeats,
        groups: groups.as_deref(),
    };
    let classify = (classify, label_columns(&run, &dataset, &arguments.classify)?);
    let asked = Asked { arguments, study: &study, sets: &sets, classify: &classify };
    let mut found = interpreted(&asked, (&run, &dataset, &spaces), console)?;
    found.notes.extend(unscored);
    let mut notes = Vec::new();
    found.knowledge = knowledge((&spaces, &made), &questions, &mut |text| {
        notes.extend(console.note(&format!("interpreting: {text}")).err());
    })?;
    found.agreements = agreements;
    found.two_groups = two_groups(&spaces, &tested, arguments.effect)?;
    found.along = images_along(&run, &dataset, &spaces, study.spec.bins)?;
    let written = write(&found, &folder)?;
    if !arguments.no_annotation {
        annotate_each(&run, console, |annotator, file| {
            annotate((&mut *annotator, file), &run.experiment, &found)?;
            annotate_rows((annotator, file), &dataset.cells, &made[n_wholes..])
        })?;
    }
    console.results(&summary(&found), &found.notes, &written)
}

/// The procedure that the command line asks for.
fn study<'a>(arguments: &InterpretArguments, groups: Option<&'a [Option<u32>]>) -> Result<Study<'a>> {
    let InterpretChoices { centre, centre_percentile, reference, alignment, scale, count } = arguments.choices;
    let last = FIRST + STEP * (N_FOLD_CHANGES - 1) as f64;
    if !(1.0..=last).contains(&arguments.fold_change) {
        let text = format!("`--fold-change {}` must be from 1 to {last:.1}", arguments.fold_change);
        return Err(Misuse::new(text).into());
    }
    if !(0.0..=100.0).contains(&centre_percentile) || centre_percentile == 0.0 {
        let text = format!("`--centre-percentile {centre_percentile}` must be above 0, up to 100");
        return Err(Misuse::new(text).into());
    }
    let min_correlation = arguments.min_correlation;
    if !(min_correlation > 0.0 && min_correlation <= 1.0) {
        let text = format!("`--min-correlation {min_correlation}` must be above 0, up to 1");
        return Err(Misuse::new(text).into());
    }
    let min_repeats = arguments.min_repeats.unwrap_or_else(|| (arguments.repeats * 5).div_ceil(6));
    if min_repeats > arguments.repeats {
        let text = format!("`--min-repeats {min_repeats}` is more than the {} splits", arguments.repeats);
        return Err(Misuse::new(text).into());
    }
    let mut thresholds = fold_changes(FIRST, last, STEP)?;
    let place = thresholds.partition_point(|fold| *fold < arguments.fold_change - 1e-9);
    if thresholds.get(place).is_none_or(|fold| (fold - arguments.fold_change).abs() > 1e-9) {
        thresholds.insert(place, arguments.fold_change);
    }
    let bins = BinSpec { centre: centre.into(), centre_percentile, ..BinSpec::default() };
    Ok(Study {
        spec: InterpretationSpec {
            bins,
            n_components: arguments.components,
            alignment: alignment.into(),
            reference: reference.into(),
            thresholds,
            ..InterpretationSpec::default()
        },
        scale: scale.map(Into::into),
        count: count.into(),
        n_repeats: arguments.repeats,
        min_repeats,
        fold_change: arguments.fold_change,
        groups,
    })
}

/// The class of each cell in a column whose classes are held out as a whole.
fn classes_held_out(run: &OpenRun, dataset: &Dataset, column: &str) -> Result<Vec<Option<u32>>> {
    let files = data_files(&run.experiment).of_input()?;
    let observations = Observations::read(&files, &dataset.cells, &[column.to_owned()]).of_input()?;
    let (names, groups) = classes_of(observations.column(column).of_input()?);
    if names.len() < 2 {
        let text = format!("`--hold-out {column}`: the column has {} classes; at least 2 are needed", names.len());
        return Err(Misuse::new(text).into());
    }
    Ok(groups)
}

/// Every space by every table of features that suits it.
fn interpreted(
    asked: &Asked<'_>,
    (run, dataset, spaces): (&OpenRun, &Dataset, &[SpaceOfCells]),
    console: &mut Console<'_>,
) -> Result<Interpreted> {
    let (arguments, mut found) = (asked.arguments, Interpreted::new(asked.study));
    let chosen: Vec<usize> = arguments.features.iter().map(|name| run.modality(name)).collect::<Result<_>>()?;
    for modality in 0..dataset.assays.len() {
        let suits = |space: &&SpaceOfCells| match chosen.is_empty() {
            false => chosen.contains(&modality),
            true => space.sources().contains(&modality),
        };
        let suited: Vec<&SpaceOfCells> = spaces.iter().filter(suits).collect();
        if suited.is_empty() {
            continue;
        }
        let table = FeatureTable::of_modality((&run.trained, &run.experiment), dataset, modality).of_input()?;
        let Some(table) = table else { continue };
        let table = grouped(table, arguments, console)?;
        explain(asked, &suited, &table, (&mut found, console))?;
    }
    for key in &arguments.obsm {
        let table = FeatureTable::of_obsm(&run.experiment, dataset, key).of_input()?;
        let table = grouped(table, arguments, console)?;
        explain(asked, &spaces.iter().collect::<Vec<_>>(), &table, (&mut found, console))?;
    }
    Ok(found)
}

/// Cells along the components of each space, as images of the modality whose encoder tells it, else of all that read it.
fn images_along(run: &OpenRun, dataset: &Dataset, spaces: &[SpaceOfCells], spec: BinSpec) -> Result<Vec<Along>> {
    let mut all = Vec::new();
    for space in spaces {
        for modality in space.sources() {
            let found = along((&run.trained, dataset), space, modality, spec);
            all.extend(found.with_context(|| format!("images along `{}`", space.name))?);
        }
    }
    Ok(all)
}

/// One feature of each group of correlated ones, if that was asked for.
fn grouped(table: FeatureTable, arguments: &InterpretArguments, console: &mut Console<'_>) -> Result<FeatureTable> {
    let Some(threshold) = arguments.group_features else { return Ok(table) };
    let n_all = table.names.len();
    let table = table.grouped(threshold).of_input()?;
    console.note(&format!("{}: {} groups of {n_all} features, one of each is taken", table.name, table.names.len()))?;
    Ok(table)
}

/// What the command line asks for, read.
struct Asked<'a> {
    arguments: &'a InterpretArguments,
    study: &'a Study<'a>,
    sets: &'a FeatureSets,
    classify: &'a (Classify<'a>, Vec<LabelColumn>),
}

fn explain(
    asked: &Asked<'_>,
    spaces: &[&SpaceOfCells],
    table: &FeatureTable,
    (found, console): (&mut Interpreted, &mut Console<'_>),
) -> Result<()> {
    let Asked { study, sets, classify: (classify, labels), .. } = asked;
    let (placed, told) = sets.among(&table.name, &table.names).of_input()?;
    told.iter().try_for_each(|words| console.note(words))?;
    for space in spaces {
        console.note(&format!("interpreting: {} by {} features of {}", space.name, table.names.len(), table.name))?;
        match interpret_space(study, space, table, &placed)? {
            Some(findings) => found.spaces.push(findings),
            None => found.notes.push(format!("{} has too few cells with features of {}", space.name, table.name)),
        }
    }
    for label in labels {
        console.note(&format!("classifying: {} by features of {}", label.0, table.name))?;
        match classify.classified(table, label)? {
            Ok(classified) => found.classified.push(classified),
            Err(reason) => found.notes.push(format!("{} is not classified by {}: {reason}", label.0, table.name)),
        }
    }
    Ok(())
}

/// Labels and covariates of the spec, the depth of each modality that counts, and what was asked for.
fn questions<'a>(
    run: &OpenRun,
    dataset: &Dataset,
    (held_out, controls): (HeldOut<'a>, &'a ControlRows),
    tell: &[String],
) -> Result<Questions<'a>> {
    let of_spec = labels_of_spec(run);
    let mut names: Vec<&String> = of_spec.iter().collect();
    let (features, columns): (Vec<&String>, Vec<&String>) = tell.iter().partition(|name| name.contains('/'));
    names.extend(columns);
    let mut asked = Questions { labels: Vec::new(), depths: Vec::new(), numbers: Vec::new(), held_out, controls };
    for name in names {
        if asked.labels.iter().any(|(known, _)| known == name) || asked.numbers.iter().any(|(known, _)| known == name) {
            continue;
        }
        let column = column_of_obs(run, dataset, name)?;
        let numbers = parsed(&column);
        let n_values = column.iter().flatten().collect::<BTreeSet<_>>().len();
        if numbers.is_err() || n_values <= MAX_CLASSES {
            asked.labels.push((name.clone(), column));
        }
        if let Ok(numbers) = numbers {
            asked.numbers.push((name.clone(), numbers));
        }
    }
    asked.depths = depths(dataset)?;
    asked.numbers.extend(numbers(run, dataset, features)?);
    Ok(asked)
}

/// A column of texts as numbers.
fn parsed(column: &[Option<String>]) -> Result<Vec<Option<f64>>, std::num::ParseFloatError> {
    column.iter().map(|value| value.as_ref().map(|text| text.parse()).transpose()).collect()
}

/// Columns of obs that hold numbers, and features as `MODALITY/FEATURE`.
fn numbers<'n>(
    run: &OpenRun,
    dataset: &Dataset,
    names: impl IntoIterator<Item = &'n String>,
) -> Result<Vec<NumberColumn>> {
    let mut tables = HashMap::new();
    let of = |name: &String| -> Result<NumberColumn> {
        if name.contains('/') {
            return Ok((name.clone(), feature((run, dataset), &mut tables, name)?));
        }
        let numbers = parsed(&column_of_obs(run, dataset, name)?);
        let wrong = |_| Misuse::new(format!("the column `{name}` holds other than numbers"));
        Ok((name.clone(), numbers.map_err(wrong)?))
    };
    names.into_iter().map(of).collect()
}

/// The logarithm of each cell's total, of each modality that counts.
fn depths(dataset: &Dataset) -> Result<Vec<NumberColumn>> {
    let mut depths = Vec::new();
    for assay in &dataset.assays {
        if assay.modality.check_target(framework::TargetValues::Counts).is_err() {
            continue;
        }
        let depth = |row: &Option<u32>| -> Result<Option<f64>> {
            let Some(row) = row else { return Ok(None) };
            let total = assay.modality.statistics(&[*row as usize])?.raw_sum;
            Ok((total > 0.0).then(|| total.ln()))
        };
        depths.push((assay.name.clone(), assay.rows.iter().map(depth).collect::<Result<_>>()?));
    }
    Ok(depths)
}

/// The values of `MODALITY/FEATURE`, by cell of the data set; a modality's table is read once.
fn feature(
    (run, dataset): (&OpenRun, &Dataset),
    tables: &mut HashMap<usize, Option<FeatureTable>>,
    asked: &str,
) -> Result<Vec<Option<f64>>> {
    let (modality, name) = asked.split_once('/').unwrap_or((asked, ""));
    let place = run.modality(modality)?;
    let table = match tables.entry(place) {
        Entry::Occupied(read) => read.into_mut(),
        Entry::Vacant(unread) => {
            unread.insert(FeatureTable::of_modality((&run.trained, &run.experiment), dataset, place).of_input()?)
        }
    };
    let unknown =
        || -> anyhow::Error { Misuse::new(format!("`{asked}`: `{modality}` has no feature `{name}`")).into() };
    let table = table.as_ref().ok_or_else(unknown)?;
    let column = table.names.iter().position(|other| other == name).ok_or_else(unknown)?;
    table.column(column, dataset.cells.len())
}
