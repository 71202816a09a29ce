//! `cithara predict`: one modality from another, written beside what the file holds.

use super::condition::{complete, decoded_as};
use super::model::{OfInput, OpenRun, finish_copy, start_copy};
use super::unseen::NewCells;
use crate::arguments::PredictArguments;
use crate::console::Console;
use crate::failure::Misuse;
use crate::run::{CELLS_AT_A_TIME, Scene, annotate_prediction, predicted_cells};
use anndata::Kind;
use anyhow::Result;
use framework::data::NewData;
use framework::infer::Predictor;
use registry::Catalogue;

pub(super) fn execute(arguments: &PredictArguments, catalogue: &Catalogue, console: &mut Console<'_>) -> Result<()> {
    let mut run = OpenRun::open(&arguments.run, catalogue)?;
    let (source, target) = (run.modality(&arguments.from)?, run.modality(&arguments.to)?);
    let table = arguments.reading.table(&run.experiment, Some(&arguments.from));
    let whole = arguments.reading.new_data(&arguments.data, table.as_ref(), Some(&arguments.from));
    let file = whole.file(&run.experiment).open().of_input()?;
    let only = (file.kind() == Kind::H5ad).then_some(arguments.from.as_str());
    let new = NewData { modality: only, ..whole };
    let mut dataset = run.new_data(&new, console)?;
    let new_cells = NewCells { data: &new, choice: arguments.unseen_classes.map(Into::into) };
    let _ = new_cells.learn(&mut run, &mut dataset, console)?;
    if dataset.assays[source].modality.cells().is_empty() {
        let text = format!("`{}` does not hold the modality `{}`", arguments.data.display(), arguments.from);
        return Err(Misuse::new(text).into());
    }
    if source == target || !run.trained.model.share_a_space(source, target) {
        let text = format!("`{}` cannot be predicted from `{}`", arguments.to, arguments.from);
        return Err(Misuse::new(text).help("name two modalities of which both read a shared latent space").into());
    }
    let decoded_as = decoded_as(&run.trained.model, &arguments.conditions)?;
    complete(&mut dataset, &run.trained.model, &decoded_as, console)?;
    let (model, device) = (&run.trained.model, run.trained.device);
    let usual_total = run.trained.usual_total(target);
    let minibatch = CELLS_AT_A_TIME;
    let (dataset, decoded_as) = (&dataset, decoded_as.as_slice());
    let predictor = Predictor { model, dataset, source, target, usual_total, device, minibatch, decoded_as };
    predictor.ensure_categories(&predicted_cells(dataset, source, target)).of_input()?;
    let features = run.directory.read_features(&arguments.to).of_input()?;
    let (mut annotator, out) = start_copy(&file, &arguments.destination)?;
    let scene = Scene { experiment: &run.experiment, model, dataset, only_modality: only };
    let place = annotate_prediction(&mut annotator, &file, &scene, &predictor, &features)?;
    annotator.set_uns(None, "cithara", &scene.about()?)?;
    console.note(&format!("{} predicted from {}: {place}", arguments.to, arguments.from))?;
    finish_copy(annotator, &out, console)
}
