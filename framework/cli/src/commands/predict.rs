//! `cithara predict`: one modality from another, written beside what the file holds.

use super::model::{CELLS_AT_A_TIME, OfInput, OpenRun, finish_copy, start_copy};
use crate::arguments::PredictArguments;
use crate::console::Console;
use crate::failure::Misuse;
use crate::run::{Scene, annotate_prediction};
use anndata::{File, Kind};
use anyhow::Result;
use framework::data::NewData;
use framework::infer::Predictor;

pub(super) fn execute(arguments: &PredictArguments, console: &mut Console<'_>) -> Result<()> {
    let run = OpenRun::open(&arguments.run)?;
    let (source, target) = (modality(&run, &arguments.from)?, modality(&run, &arguments.to)?);
    let file = File::open(&arguments.data).of_input()?;
    let only = (file.kind() == Kind::H5ad).then_some(arguments.from.as_str());
    let dataset = run.new_data(&NewData { path: &arguments.data, modality: only }, console)?;
    if dataset.assays[source].modality.cells().is_empty() {
        let text = format!("`{}` does not hold the modality `{}`", arguments.data.display(), arguments.from);
        return Err(Misuse::new(text).into());
    }
    let features = run.directory.read_features(&arguments.to).of_input()?;
    let (mut annotator, out) = start_copy(&arguments.data, &arguments.destination)?;
    let (model, device) = (&run.trained.model, run.trained.device);
    let usual_total = run.trained.usual_total(target);
    let minibatch = CELLS_AT_A_TIME;
    let predictor = Predictor { model, dataset: &dataset, source, target, usual_total, device, minibatch };
    let scene = Scene { experiment: &run.experiment, model, dataset: &dataset, only_modality: only };
    let place = annotate_prediction(&mut annotator, &file, &scene, &predictor, &features)?;
    console.note(&format!("{} predicted from {}: {place}", arguments.to, arguments.from))?;
    finish_copy(annotator, &out, console)
}

fn modality(run: &OpenRun, name: &str) -> Result<usize> {
    run.trained.model.branch(name).ok_or_else(|| {
        let names: Vec<&str> = run.experiment.modalities.keys().map(String::as_str).collect();
        Misuse::new(format!("the model has no modality `{name}`; modalities: {}", names.join(", "))).into()
    })
}
