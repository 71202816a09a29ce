//! `cithara inpaint`: the paired-cell inpainting network, learned and judged beside the model of a run.

use super::model::OpenRun;
use super::spaces::results_folder;
use crate::Interrupted;
use crate::arguments::InpaintArguments;
use crate::console::Console;
use crate::decoded_images::image_size;
use crate::evaluate::{EvaluationTask, images_beside};
use crate::failure::Misuse;
use crate::inpaint::{Grouping, Inpainted, Inpainter, InpaintingSpec, LearnedEpoch, Lesson, Stains, picture, write};
use crate::interrupt;
use anyhow::Result;
use framework::Seed;
use framework::data::{Dataset, Split, Subset};
use registry::Catalogue;
use std::ops::ControlFlow;
use std::sync::atomic::Ordering;

/// Sides of images that the network halves twice.
const FACTOR: i64 = 4;

pub(super) fn execute(arguments: &InpaintArguments, catalogue: &Catalogue, console: &mut Console<'_>) -> Result<()> {
    let spec = checked(arguments)?;
    let run = OpenRun::open(&arguments.run, catalogue)?;
    let place = (arguments.out.as_deref(), "inpainting");
    let folder = results_folder(&run, place, ("inpainting.json", "what was painted"), arguments.force)?;
    let (dataset, split) = run.own_data()?;
    let stains = stains(arguments, &run, &dataset)?;
    let seed = arguments.seed.unwrap_or(run.experiment.seed);
    let grouping = Grouping::of(&run.trained, stains.protein);
    let of = |subset: Subset| stains.measured(&split.of(subset));
    let (train, validation) = (of(Subset::Training), of(Subset::Validation));
    if validation.is_empty() {
        console
            .note("note: the run has no validation cells, so learning ends after `--epochs` and nothing is chosen")?;
    }
    let lesson = Lesson { stains, grouping: &grouping, train: &train, validation: &validation };
    let Some(learned) = learn(&spec, lesson, (Seed(seed), &run), console)? else { return Err(Interrupted.into()) };
    let task = EvaluationTask {
        trained: &run.trained,
        experiment: &run.experiment,
        dataset: &dataset,
        split: &split,
        rows: None,
        seed: Seed(run.experiment.seed),
        beside_controls: !arguments.no_controls,
    };
    let pair = (stains.chromatin, stains.protein);
    let evaluation =
        images_beside(&task, pair, &learned, &mut |text| drop(console.note(&format!("evaluating: {text}"))))?;
    let judged = judged(&split, stains);
    let picture = picture((&run.trained, &learned), (stains, &grouping), (&train, &judged))?;
    let name = |modality: usize| dataset.assays[modality].name.clone();
    let found = Inpainted {
        version: env!("CARGO_PKG_VERSION").to_owned(),
        chromatin: name(stains.chromatin),
        protein: name(stains.protein),
        spec,
        seed,
        n_parameters: learned.n_parameters(),
        n_training: learned.n_training,
        epochs: learned.epochs.clone(),
        best_epoch: learned.best_epoch,
        evaluation,
    };
    let written = write(&found, &learned, picture.as_ref(), &folder)?;
    console.results(&found.evaluation.to_text(console.colour), &[], &written)
}

/// Learns, and tells how it goes; `None` where it was interrupted.
fn learn<'a>(
    spec: &InpaintingSpec,
    lesson: Lesson<'a>,
    (seed, run): (Seed, &OpenRun),
    console: &mut Console<'_>,
) -> Result<Option<Inpainter<'a>>> {
    let interrupted = interrupt::flag();
    spec.learn(lesson, (seed, run.trained.device), &mut |LearnedEpoch { epoch, training_mse, validation_mse }| {
        let validation = validation_mse.map_or(String::new(), |mse| format!(", validation {mse:.5}"));
        console.note(&format!("inpainting, epoch {epoch}: squared error {training_mse:.5}{validation}"))?;
        Ok(match interrupted.load(Ordering::Relaxed) {
            true => ControlFlow::Break(()),
            false => ControlFlow::Continue(()),
        })
    })
}

/// The cells that the evaluation judges: of the first of these subsets that has any.
fn judged(split: &Split, stains: Stains<'_>) -> Vec<usize> {
    let subsets = [Subset::Test, Subset::Validation, Subset::Training].map(|subset| split.of(subset));
    stains.measured(&subsets.into_iter().find(|cells| !cells.is_empty()).unwrap_or_default())
}

/// What the command line says of learning, if it can be done.
fn checked(arguments: &InpaintArguments) -> Result<InpaintingSpec> {
    let wrong = |text: String| -> Result<InpaintingSpec> { Err(Misuse::new(text).into()) };
    if !(arguments.learning_rate > 0.0 && arguments.learning_rate.is_finite()) {
        return wrong(format!("`--learning-rate {}` must be above 0", arguments.learning_rate));
    }
    if arguments.minibatch < 2 {
        return wrong("`--minibatch 1` has no spread to normalise by; it must be 2 or more".to_owned());
    }
    if arguments.max_cells.is_some_and(|most| most < 2) {
        return wrong("`--max-cells 1` leaves no other cell to be shown; it must be 2 or more".to_owned());
    }
    Ok(InpaintingSpec {
        width: arguments.width,
        learning_rate: arguments.learning_rate,
        minibatch: arguments.minibatch,
        max_epochs: arguments.epochs,
        patience: arguments.patience,
        max_cells: arguments.max_cells,
    })
}

/// The two modalities, as asked for or the only ones that have images.
fn stains<'a>(arguments: &InpaintArguments, run: &OpenRun, dataset: &'a Dataset) -> Result<Stains<'a>> {
    let wrong = |text: String| -> Result<Stains<'a>> { Err(Misuse::new(text).into()) };
    let images: Vec<usize> =
        (0..dataset.assays.len()).filter(|&modality| image_size(dataset, modality).is_some()).collect();
    let name = |modality: usize| dataset.assays[modality].name.as_str();
    let asked = |asked: &Option<String>| asked.as_deref().map(|name| run.modality(name)).transpose();
    let (chromatin, protein) = match (asked(&arguments.from)?, asked(&arguments.to)?, images.as_slice()) {
        (Some(from), Some(to), _) => (from, to),
        (Some(from), None, &[one, two]) => (from, if from == one { two } else { one }),
        (None, Some(to), &[one, two]) => (if to == one { two } else { one }, to),
        (None, None, &[one, two]) => (one, two),
        (_, _, few) => {
            let names: Vec<&str> = few.iter().map(|&modality| name(modality)).collect();
            let names = if names.is_empty() { "none".to_owned() } else { names.join(", ") };
            return wrong(format!("say `--from` and `--to`, two modalities of images; the run has: {names}"));
        }
    };
    if chromatin == protein {
        return wrong(format!("`{}` cannot be painted after itself; say another `--from` or `--to`", name(protein)));
    }
    ensure_alike(dataset, chromatin, protein)?;
    if !run.trained.model.share_a_space(chromatin, protein) {
        let text = format!(
            "the model does not predict `{}` from `{}`, so there is nothing to compare",
            name(protein),
            name(chromatin)
        );
        return wrong(text);
    }
    Ok(Stains { dataset, chromatin, protein })
}

/// Refuses images of different sizes, and those that the network cannot halve twice.
fn ensure_alike(dataset: &Dataset, chromatin: usize, protein: usize) -> Result<()> {
    let name = |modality: usize| dataset.assays[modality].name.as_str();
    let size = |modality: usize| {
        image_size(dataset, modality).ok_or_else(|| Misuse::new(format!("`{}` has no images", name(modality))))
    };
    let (from, to) = (size(chromatin)?, size(protein)?);
    if from == to && to.0 % FACTOR == 0 && to.1 % FACTOR == 0 {
        return Ok(());
    }
    let text = format!(
        "images of `{}` are {} × {} pixels and those of `{}` {} × {}; expected the same, multiples of {FACTOR}",
        name(chromatin),
        from.0,
        from.1,
        name(protein),
        to.0,
        to.1
    );
    Err(Misuse::new(text).into())
}
