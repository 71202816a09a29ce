//! `cithara gene2peak`: genes silenced in silico, and what becomes of peaks.

mod cells;
mod genes;

use super::model::{OfInput, OpenRun};
use crate::arguments::Gene2peakArguments;
use crate::console::Console;
use crate::failure::Misuse;
use crate::gene2peak::{Annotation, GeneTask, Link, Linking, Links, Locus, Matched, Places, locus_picture, write_h5ad};
use crate::run::Scene;
use anyhow::{Context, Result};
use cells::Cells;
use framework::Seed;
use framework::data::Dataset;
use framework::infer::Silencing;
use framework::run::write_atomically;
use genes::{Reach, wanted_genes};
use registry::Catalogue;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};
use tch::{Kind, Tensor};

/// More rows make no table that anybody reads.
const MOST_ROWS: usize = 5_000_000;
/// More pictures than these are not drawn unasked.
const MOST_PICTURES: usize = 24;
/// How often long work says how far it is.
const EVERY: Duration = Duration::from_secs(15);

pub(super) fn execute(arguments: &Gene2peakArguments, catalogue: &Catalogue, console: &mut Console<'_>) -> Result<()> {
    let started = Instant::now();
    let run = OpenRun::open(&arguments.run, catalogue)?;
    let out = destination(arguments)?;
    let (source, target) = modalities(arguments, &run)?;
    let annotation = arguments.annotation.as_deref().map(Annotation::read).transpose().of_input()?;
    let names = |modality: usize| run.directory.read_features(&run.trained.model.branches[modality].name).of_input();
    let (genes, features) = (names(source)?, names(target)?);
    let places = [&genes, &features].map(|names| Places::of(names, annotation.as_ref()));
    let wanted = wanted_genes(&arguments.which, &genes, &run.trained.model.branches[source].name)?;
    let (dataset, _) = run.trained.data(&run.experiment, None).of_input()?;
    let seed = Seed(arguments.seed.unwrap_or(run.experiment.seed));
    let cells = Cells::choose(arguments, &run, &dataset, (source, seed))?;
    let task = GeneTask {
        silencing: Silencing { n_steps: arguments.steps, ..Silencing::new(&run.trained.model, source) },
        target,
        dataset: &dataset,
        cells: &cells.chosen,
        rows: &cells.rows,
        places: (&places[0], &places[1]),
        n_most_cells: arguments.max_cells,
        matched: Matched { n_genes: arguments.n_matched, n_features: arguments.n_draws },
        seed,
    };
    ensure_silenceable(&task)?;
    let reach = Reach::of(arguments, &task, annotation.as_ref(), (&genes, wanted))?;
    reach.tell(console)?;
    ensure_readable(&reach)?;
    let (linking, links) = silence(&task, &reach, console)?;
    let told = Links { links: &links, genes: &genes, features: &features, places: &places[1] };
    let written = write(&Writing { out: &out, run: &run, dataset: &dataset, told: &told, reach: &reach })?;
    console.note(&about(&linking, &links, started.elapsed()))?;
    console.note(&format!("written: {}", written.join(", ")))
}

/// The folder, made if it is not there.
fn destination(arguments: &Gene2peakArguments) -> Result<PathBuf> {
    let out = arguments.out.clone().unwrap_or_else(|| arguments.run.join("gene2peak"));
    let table = out.join("gene2peak.tsv");
    if table.exists() && !arguments.force {
        let text = format!("`{}` exists already", table.display());
        return Err(Misuse::new(text).help("choose another `--out` or say `--force`").into());
    }
    std::fs::create_dir_all(&out).with_context(|| format!("`{}` cannot be made", out.display())).of_input()?;
    Ok(out)
}

/// What is silenced, and what is told.
fn modalities(arguments: &Gene2peakArguments, run: &OpenRun) -> Result<(usize, usize)> {
    let model = &run.trained.model;
    let source = match &arguments.from {
        Some(name) => run.modality(name)?,
        None => model.branch("rna").unwrap_or(0),
    };
    let others: Vec<usize> = (0..model.branches.len()).filter(|&other| other != source).collect();
    let target = match (&arguments.to, others.as_slice()) {
        (Some(name), _) => run.modality(name)?,
        (None, [other]) => *other,
        (None, []) => source,
        (None, _) => {
            let names: Vec<&str> = others.iter().map(|&other| model.branches[other].name.as_str()).collect();
            let text = format!("the model has several modalities besides `{}`", model.branches[source].name);
            return Err(Misuse::new(text).help(format!("say `--to` one of {}", names.join(", "))).into());
        }
    };
    if source != target && !model.share_a_space(source, target) {
        let [from, to] = [source, target].map(|modality| model.branches[modality].name.as_str());
        let text = format!("`{from}` and `{to}` share no latent space, so silencing one changes nothing of the other");
        return Err(Misuse::new(text).into());
    }
    Ok((source, target))
}

/// Refuses a source whose loss knows no probability of a zero, before anything long is done.
fn ensure_silenceable(task: &GeneTask<'_>) -> Result<()> {
    let device = task.rows[0].device();
    let rows: Vec<Tensor> = task.rows.iter().map(|rows| rows.narrow(0, 0, 1)).collect();
    let (feature, total) = (Tensor::zeros([1], (Kind::Int64, device)), Tensor::ones([1], (rows[0].kind(), device)));
    task.silencing.silence(&rows, &feature, &total).map(drop).of_input()
}

fn ensure_readable(reach: &Reach) -> Result<()> {
    let n_rows: usize = reach.genes.iter().map(|(_, near)| near.len()).sum();
    if n_rows <= MOST_ROWS {
        return Ok(());
    }
    let text = format!("{} genes on their features make a table of {n_rows} rows", reach.genes.len());
    let help = "name fewer genes, or say where genes lie with `--annotation` and how far to look with `--window`";
    Err(Misuse::new(text).help(help).into())
}

/// Silences like genes, then the wanted ones, and says now and then how far it is.
fn silence<'a>(task: &'a GeneTask<'a>, reach: &Reach, console: &mut Console<'_>) -> Result<(Linking<'a>, Vec<Link>)> {
    let mut latest = Instant::now();
    let mut what = "genes to compare with";
    let mut tell = |what: &str, n_done: usize, n_all: usize| -> Result<()> {
        if latest.elapsed() < EVERY {
            return Ok(());
        }
        latest = Instant::now();
        console.note(&format!("silencing {what}: {n_done} of {n_all} pairs of a gene and a cell"))
    };
    let wanted: Vec<usize> = reach.genes.iter().map(|(gene, _)| *gene).collect();
    let linking = Linking::new(task, &wanted, &mut |n_done, n_all| tell(what, n_done, n_all))?;
    what = "genes";
    let links = linking.links(&reach.genes, &mut |n_done, n_all| tell(what, n_done, n_all))?;
    Ok((linking, links))
}

/// What is written where.
struct Writing<'a> {
    out: &'a Path,
    run: &'a OpenRun,
    dataset: &'a Dataset,
    told: &'a Links<'a>,
    reach: &'a Reach,
}

/// Writes the table; of several genes a .h5ad; of few genes on the genome pictures. Returns what was written.
fn write(writing: &Writing<'_>) -> Result<Vec<String>> {
    let Writing { out, run, dataset, told, reach } = writing;
    let mut written = Vec::new();
    let mut done = |name: &str| {
        let path = out.join(name);
        written.push(path.display().to_string());
        path
    };
    write_atomically(&done("gene2peak.tsv"), told.to_tsv().as_bytes())?;
    if reach.genes.len() > 1 && !told.links.is_empty() {
        let model = &run.trained.model;
        let scene = Scene { experiment: &run.experiment, model, dataset, only_modality: None };
        write_h5ad(&done("gene2peak.h5ad"), told, scene.about()?)?;
    }
    if reach.window.is_some() && reach.genes.len() <= MOST_PICTURES {
        for (gene, _) in &reach.genes {
            let links: Vec<Link> = told.links.iter().filter(|link| link.gene == *gene).cloned().collect();
            if let (Some(place), Some(window), false) = (&reach.places_of[gene], reach.window, links.is_empty()) {
                let (name, modality) = (told.genes[*gene].as_str(), reach.target.as_str());
                let locus = Locus { gene: name, place, window, links: &links, places: told.places, modality };
                let name: String =
                    name.chars().map(|c| if c.is_alphanumeric() || c == '-' { c } else { '_' }).collect();
                write_atomically(&done(&format!("{name}.svg")), locus_picture(&locus).as_bytes())?;
            }
        }
    }
    Ok(written)
}

/// What was done, in a few words.
fn about(linking: &Linking<'_>, links: &[Link], elapsed: Duration) -> String {
    let n_significant = links.iter().filter(|link| link.q_value <= crate::gene2peak::SIGNIFICANT).count();
    let (fewest, most) = linking.null.n_draws();
    let drawn = if fewest == most { fewest.to_string() } else { format!("{fewest} to {most}") };
    format!(
        "{} links, {n_significant} at a false discovery rate of {}; compared with {} genes of like expression, {drawn} \
         draws each; {:.1} s",
        links.len(),
        crate::gene2peak::SIGNIFICANT,
        linking.null.n_genes(),
        elapsed.as_secs_f64()
    )
}
