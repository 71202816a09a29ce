//! The genes that are silenced, and the features that are told of each.

use crate::arguments::{Gene2peakArguments, GeneArguments};
use crate::commands::model::OfInput;
use crate::console::Console;
use crate::failure::Misuse;
use crate::gene2peak::{Annotation, GeneTask, Place};
use anyhow::{Context, Result};
use std::collections::{BTreeSet, HashMap};

/// Names that are offered for one that is not known.
const N_NEAREST: usize = 3;

/// The features of the source that were asked for, ascending; `None` for all.
pub(super) fn wanted_genes(arguments: &GeneArguments, known: &[String], modality: &str) -> Result<Option<Vec<usize>>> {
    if arguments.all {
        return Ok(None);
    }
    let mut names = arguments.gene.clone();
    if let Some(path) = &arguments.genes {
        let text = std::fs::read_to_string(path).with_context(|| format!("`{}` cannot be read", path.display()));
        names.extend(text.of_input()?.split_whitespace().map(str::to_owned));
    }
    if names.is_empty() {
        return Err(Misuse::new("no gene is named").into());
    }
    let places: HashMap<&str, usize> = known.iter().enumerate().map(|(place, name)| (name.as_str(), place)).collect();
    let mut wanted = BTreeSet::new();
    for name in &names {
        let Some(&place) = places.get(name.as_str()) else {
            let near = nearest(name, known.iter().map(String::as_str));
            let text = format!("the modality `{modality}` of the model has no feature `{name}`");
            return Err(Misuse::new(text).help(format!("nearest names: {}", near.join(", "))).into());
        };
        wanted.insert(place);
    }
    Ok(Some(wanted.into_iter().collect()))
}

/// The names most like one, best first.
fn nearest<'a>(name: &str, known: impl Iterator<Item = &'a str>) -> Vec<&'a str> {
    let name = name.to_lowercase();
    let mut near: Vec<(f64, &str)> =
        known.map(|other| (strsim::jaro_winkler(&name, &other.to_lowercase()), other)).collect();
    near.sort_by(|left, right| right.0.total_cmp(&left.0).then(left.1.cmp(right.1)));
    near.into_iter().take(N_NEAREST).map(|(_, other)| other).collect()
}

/// What is silenced and told.
pub(super) struct Reach {
    /// Genes, each with the features of the target that are told of it, ascending.
    pub(super) genes: Vec<(usize, Vec<usize>)>,
    /// Base pairs to either side, where features are told by place.
    pub(super) window: Option<i64>,
    /// Where these genes lie, as far as it is known.
    pub(super) places_of: HashMap<usize, Option<Place>>,
    /// Name of the target.
    pub(super) target: String,
    notes: Vec<String>,
}

impl Reach {
    /// The genes among the wanted that any cell expresses, and what is beside them.
    ///
    /// # Errors
    /// When no gene is left, saying why.
    pub(super) fn of(
        arguments: &Gene2peakArguments,
        task: &GeneTask<'_>,
        annotation: Option<&Annotation>,
        (names, wanted): (&[String], Option<Vec<usize>>),
    ) -> Result<Reach> {
        let branches = &task.silencing.model.branches;
        let mut reach = Reach {
            genes: Vec::new(),
            window: None,
            places_of: HashMap::new(),
            target: branches[task.target].name.clone(),
            notes: Vec::new(),
        };
        let all = wanted.is_none();
        let mut genes = reach.expressed(task, names, wanted)?;
        let n_features = branches[task.target].n_features.max(0) as usize;
        let near = match reach.by_place(arguments, task, names.len()) {
            false => None,
            true => {
                genes = reach.placed(genes, (task, names), annotation, all)?;
                Some(arguments.window)
            }
        };
        reach.window = near;
        for gene in genes {
            let place = task.places.0.get(gene).cloned();
            let features = match (&place, near) {
                (Some(place), Some(window)) => task.places.1.near(place, window),
                _ => (0..n_features).collect(),
            };
            reach.places_of.insert(gene, place);
            reach.genes.push((gene, features));
        }
        let n_lonely = reach.genes.iter().filter(|(_, features)| features.is_empty()).count();
        if n_lonely == reach.genes.len() {
            let text = format!("no feature of `{}` is within {} bp of the genes", reach.target, arguments.window);
            let help = "say a wider `--window`; do the annotation and the features mean the same genome?";
            return Err(Misuse::new(text).help(help).into());
        }
        if n_lonely > 0 {
            reach.notes.push(format!("{n_lonely} genes have no feature of `{}` near them", reach.target));
            reach.genes.retain(|(_, features)| !features.is_empty());
        }
        Ok(reach)
    }

    /// Says what was decided.
    pub(super) fn tell(&self, console: &mut Console<'_>) -> Result<()> {
        self.notes.iter().try_for_each(|note| console.note(note))
    }

    /// Those that a cell expresses.
    fn expressed(&mut self, task: &GeneTask<'_>, names: &[String], wanted: Option<Vec<usize>>) -> Result<Vec<usize>> {
        let (is_all, wanted) = (wanted.is_none(), wanted.unwrap_or_else(|| (0..names.len()).collect()));
        let found = task.expressing(&wanted)?;
        let (silent, expressed): (Vec<usize>, Vec<usize>) =
            (0..wanted.len()).partition(|&place| found[place].n_all == 0);
        let n_cells = task.cells.len();
        if expressed.is_empty() {
            let which = if wanted.len() == 1 { format!("`{}`", names[wanted[0]]) } else { "any of these genes".into() };
            let text = format!("none of the {n_cells} cells expresses {which}, so there is nothing to silence");
            return Err(Misuse::new(text).help("choose other cells with `--subset` or `--cells`").into());
        }
        if !silent.is_empty() {
            let silent: Vec<usize> = silent.into_iter().map(|place| wanted[place]).collect();
            self.note_some("no cell expresses", &silent, names);
        }
        let n_drawn = expressed.iter().filter(|&&place| found[place].n_all > task.n_most_cells).count();
        if n_drawn > 0 {
            let most = task.n_most_cells;
            self.notes
                .push(format!("{n_drawn} genes are expressed by more than {most} cells; {most} are drawn of each"));
        }
        let scope = if is_all { "all expressed" } else { "these" };
        self.notes.push(format!("{n_cells} cells; {} genes ({scope}) are silenced", expressed.len()));
        Ok(expressed.into_iter().map(|place| wanted[place]).collect())
    }

    /// Whether features are told by place, and if not why not.
    fn by_place(&mut self, arguments: &Gene2peakArguments, task: &GeneTask<'_>, n_genes: usize) -> bool {
        let why = if arguments.window == 0 {
            "`--window` is 0"
        } else if task.places.0.n_known() == 0 && arguments.annotation.is_none() {
            "no `--annotation` says where genes lie"
        } else if task.places.1.n_known() == 0 {
            "names of features do not say where they lie"
        } else {
            let (n_known, window) = (task.places.0.n_known(), arguments.window);
            self.notes
                .push(format!("places of {n_known} of {n_genes} genes are known; window {window} bp to either side"));
            return true;
        };
        self.notes.push(format!("{why}: all features of `{}` are told", self.target));
        false
    }

    /// Those whose place is known.
    fn placed(
        &mut self,
        genes: Vec<usize>,
        (task, names): (&GeneTask<'_>, &[String]),
        annotation: Option<&Annotation>,
        is_all: bool,
    ) -> Result<Vec<usize>> {
        let (placed, unplaced): (Vec<usize>, Vec<usize>) =
            genes.into_iter().partition(|&gene| task.places.0.get(gene).is_some());
        if !placed.is_empty() {
            if !unplaced.is_empty() {
                self.note_some("left out, as the annotation does not know", &unplaced, names);
            }
            return Ok(placed);
        }
        let which = if is_all { "any gene of the model".to_owned() } else { format!("`{}`", names[unplaced[0]]) };
        let near = annotation.map(|annotation| nearest(&names[unplaced[0]], annotation.names())).unwrap_or_default();
        let text = format!("the annotation does not know {which}, so there is no window around it");
        let help = format!("nearest names in it: {}; or say `--window 0` for all features", near.join(", "));
        Err(Misuse::new(text).help(help).into())
    }

    fn note_some(&mut self, what: &str, genes: &[usize], names: &[String]) {
        let first: Vec<&str> = genes.iter().take(3).map(|&gene| names[gene].as_str()).collect();
        let more = if genes.len() > first.len() { " …" } else { "" };
        self.notes.push(format!("{what} {} genes ({}{more})", genes.len(), first.join(", ")));
    }
}
