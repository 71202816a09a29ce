//! A whole run from a file: an epoch of step 1, then one of step 2, as `cithara run` learns.

use crate::case::{Case, modalities, row_name, rows};
use anndata::{Categorical, Column, Csr, Dense, Frame, NewAnnData, NewMuData, write_new_h5mu};
use framework::LatentPrior;
use framework::anyhow::Result;
use framework::data::Dataset;
use framework::fit::{Checkpoints, Event, Fit, Observer};
use framework::spec::Order;
use framework::testing::golden::{PRECISIONS, tensor};
use std::path::Path;
use std::sync::atomic::AtomicBool;
use tch::{Device, Kind, Tensor};

/// A prior whose rows start where the golden ones did.
struct StartingAt {
    prior: Box<dyn LatentPrior>,
    rows: Tensor,
}

impl LatentPrior for StartingAt {
    fn per_cell(&self, rows: &Tensor) -> Result<Tensor> {
        self.prior.per_cell(rows)
    }

    fn initial_rows(&self, n_cells: i64, _dim: i64, _device: Device) -> Result<Tensor> {
        Ok(self.rows.narrow(0, 0, n_cells).copy())
    }
}

/// Counts the steps of both stages.
#[derive(Default)]
struct Steps(u64);

impl Observer for Steps {
    fn observe(&mut self, event: &Event<'_>) {
        if matches!(event, Event::Step { .. }) {
            self.0 += 1;
        }
    }
}

/// The cells of a case as a file: `x` dense, the others sparse, all cells for training.
fn write(case: &Case, path: &Path) {
    let index: Vec<String> = (0..12).map(|cell| format!("cell{cell}")).collect();
    let mut obs = Frame::new(index.clone());
    let train = vec![Some("train".to_owned()); 12];
    obs.insert("split", Column::Categorical(Categorical::from_labels(&train))).unwrap();
    let mut file = NewMuData { obs, ..NewMuData::default() };
    for name in modalities(&case.file) {
        let values = rows(&case.file, name);
        let n_features = values[0].len();
        let var = Frame::new((0..n_features).map(|feature| format!("{name}{feature}")).collect());
        let dense =
            Dense::new(12, n_features, values.concat().into_iter().map(|value| value as f32).collect()).unwrap();
        let obs = Frame::new(index.clone());
        let measured = match name {
            "x" => NewAnnData::new(obs, var, dense),
            _ => NewAnnData::new(obs, var, Csr::from_dense(&dense).unwrap()),
        };
        file.modalities.insert(name.to_owned(), measured);
    }
    write_new_h5mu(path, &file).unwrap();
}

#[test]
fn a_run_of_both_steps_leaves_what_the_golden_program_leaves() {
    let _alone = crate::alone();
    let [_, single] = PRECISIONS;
    let mut case = Case::new("three", single);
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("cells.h5mu");
    write(&case, &path);
    case.experiment.data.path = Some(path);
    case.experiment.data.split.column = Some("split".to_owned());
    let fit = &mut case.experiment.fit;
    (fit.latent.n_epochs, fit.latent.minibatch, fit.latent.order) = (1, 4, Order::Sequential);
    (fit.encoders.n_epochs, fit.encoders.minibatch, fit.encoders.order) = (1, 4, Order::Sequential);
    for space in std::mem::take(&mut case.model.spaces) {
        let rows = tensor(&case.file["parameters"][&row_name(&space.name)], Kind::Float);
        let prior = Box::new(StartingAt { prior: space.prior, rows });
        case.model.spaces.push(framework::model::Space { prior, ..space });
    }
    let opened = Dataset::open_for_training(&case.experiment).unwrap();
    let mut steps = Steps::default();
    let mut fit = Fit {
        experiment: &case.experiment,
        dataset: &opened.dataset,
        split: &opened.split,
        model: &case.model,
        device: Device::Cpu,
        observer: &mut steps,
        interrupted: &AtomicBool::new(false),
        checkpoints: Checkpoints::none(),
    };
    let learned = fit.run().unwrap();
    assert!(learned.is_whole && steps.0 == 6, "three steps of each stage, not {}", steps.0);
    let after = &case.file["run"]["after"];
    let n_compared = case.compare_parameters(after);
    assert_eq!(n_compared, case.model.variables().len());
    case.compare_rows(&learned.tables, after);
}
