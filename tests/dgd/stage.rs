//! The stage of learning as a run goes through it: from a file, validation cells beside, until it stops by itself.

use crate::near;
use framework::LatentPrior;
use framework::anyhow::Result;
use framework::data::{Dataset, Opened};
use framework::fit::{Checkpoints, Event, Fit, Observer};
use framework::spec::Order;
use serde_json::Value;
use std::sync::atomic::AtomicBool;
use tch::{Device, Kind, Tensor};
use tests_support::dgd::{Published, close_to_largest, golden, tensor};
use tests_support::{GoldenCells, write_golden_cells};

/// A prior whose rows start where the published ones did: those of 24 training and 8 validation cells, or of the latter.
struct StartingAt {
    prior: Box<dyn LatentPrior>,
    training: Tensor,
    validation: Tensor,
}

impl LatentPrior for StartingAt {
    fn per_cell(&self, rows: &Tensor) -> Result<Tensor> {
        self.prior.per_cell(rows)
    }

    fn per_labelled_cell(&self, rows: &Tensor, classes: &Tensor) -> Result<Tensor> {
        self.prior.per_labelled_cell(rows, classes)
    }

    fn per_minibatch(&self) -> Result<Option<Tensor>> {
        self.prior.per_minibatch()
    }

    fn candidates(&self) -> Result<Option<Tensor>> {
        self.prior.candidates()
    }

    fn after_epoch(&self) -> Result<()> {
        self.prior.after_epoch()
    }

    fn initial_rows(&self, n_cells: i64, _dim: i64, _device: Device) -> Result<Tensor> {
        Ok(match n_cells {
            8 => self.validation.copy(),
            _ => Tensor::cat(&[&self.training, &self.validation], 0),
        })
    }
}

/// What is told of each epoch: the terms of training, then of validation.
#[derive(Default)]
struct Told {
    training: Vec<Vec<(String, f64)>>,
    validation: Vec<Vec<(String, f64)>>,
    n_epochs: u64,
}

impl Observer for Told {
    fn observe(&mut self, event: &Event<'_>) {
        match event {
            Event::Epoch { terms, .. } => self.training.push(terms.to_vec()),
            Event::Validation { terms, .. } => self.validation.push(terms.to_vec()),
            Event::Finished { n_epochs, .. } => self.n_epochs = *n_epochs,
            _ => {}
        }
    }
}

/// A term by name.
fn term(terms: &[(String, f64)], name: &str) -> f64 {
    terms.iter().find(|(other, _)| other == name).expect("a term of that name").1
}

/// Reconstruction per cell and feature.
fn reconstruction(terms: &[(String, f64)]) -> f64 {
    (12.0 * term(terms, "rna") + 30.0 * term(terms, "atac")) / 42.0
}

const OVERRIDES: [&str; 9] = [
    "fit.dgd.learning_rate_decoder=1.0",
    "fit.dgd.learning_rate_latent=0.5",
    "fit.dgd.learning_rate_prior=0.5",
    "fit.dgd.learning_rate_covariate=0.05",
    "fit.dgd.n_epochs=60",
    "fit.dgd.minibatch=8",
    "fit.dgd.order=\"sequential\"",
    "fit.dgd.min_epochs=3",
    "fit.dgd.patience=2",
];

/// Writes the cells, and has the model read them and start from the published rows.
fn prepare(file: &Value, published: &mut Published, folder: &std::path::Path, parameters: &Value) -> Opened {
    let rows = |subset: &str| file["counts"][subset].as_array().unwrap().iter();
    let labels =
        file["site_label_train"].as_array().unwrap().iter().map(|label| ["a", "b"][label.as_i64().unwrap() as usize]);
    let sites = labels.chain(std::iter::repeat_n("b", 8)).map(str::to_owned).collect();
    let splits = (0..32).map(|cell| if cell < 24 { "train" } else { "validation" }.to_owned()).collect();
    let cells = GoldenCells {
        counts: rows("train").chain(rows("validation")).collect(),
        columns: vec![("site", sites), ("split", splits)],
    };
    let path = folder.join("cells.h5mu");
    write_golden_cells(&path, ["rna", "atac"], &cells);
    published.experiment.data.path = Some(path);
    published.experiment.data.split.column = Some("split".to_owned());
    let names = [["representation.z", "validation_rep.z"], ["correction_rep.z", "correction_val_rep.z"]];
    let spaces = std::mem::take(&mut published.model.spaces);
    for (mut space, [training, validation]) in spaces.into_iter().zip(names) {
        let start = |name: &str| tensor(&parameters[name], Kind::Double);
        let (training, validation) = (start(training), start(validation));
        space.prior = Box::new(StartingAt { prior: space.prior, training, validation });
        published.model.spaces.push(space);
    }
    Dataset::open_for_training(&published.experiment).expect("cells")
}

#[test]
fn learning_stops_when_the_published_one_did() {
    let _alone = crate::alone();
    let file = golden("train.json");
    let parameters = &file["cases"]["covariate_validation"]["init_params"];
    let expected = &file["cases"]["early_stop"]["f64"];
    let mut published = Published::new(parameters, Kind::Double, &OVERRIDES);
    assert_eq!(published.experiment.fit.dgd.order, Order::Sequential);
    let folder = tempfile::tempdir().unwrap();
    let Opened { dataset, split, .. } = prepare(&file, &mut published, folder.path(), parameters);
    let mut told = Told::default();
    let mut fit = Fit {
        experiment: &published.experiment,
        dataset: &dataset,
        split: &split,
        model: &published.model,
        device: Device::Cpu,
        observer: &mut told,
        interrupted: &AtomicBool::new(false),
        checkpoints: Checkpoints::none(),
    };
    let tables = fit.run().unwrap().tables;
    let history = &expected["history"];
    assert_eq!(told.n_epochs, 7);
    assert_eq!(history["epoch"].as_array().unwrap().len(), 14);
    let number = |key: &str, place: usize| history[key][place].as_f64().unwrap();
    for (epoch, terms) in told.training.iter().enumerate() {
        let what = |name: &str| format!("{name} of epoch {epoch}");
        near(reconstruction(terms), number("reconstruction_loss", epoch), 1e-8, &what("reconstruction"));
        let basal = term(terms, "prior_shared") / 42.0;
        near(basal, number("distribution_loss", epoch), 1e-8, &what("mixture"));
        let others = term(terms, "prior_cov_site") + term(terms, "l1") / 8.0;
        near(reconstruction(terms) + basal + others / 42.0, number("total_loss", epoch), 1e-8, &what("total"));
    }
    for (epoch, terms) in told.validation.iter().enumerate() {
        let what = format!("reconstruction of validation cells, epoch {epoch}");
        near(reconstruction(terms), number("reconstruction_loss", 7 + epoch), 1e-8, &what);
    }
    close_to_largest(&tables[0].rows().narrow(0, 0, 3), &expected["final_z_first3"], 1e-8, "first rows");
}
