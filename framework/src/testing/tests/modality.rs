//! Broken modalities: successes among trials from two layers, as an assay of a plugin might read them.

use super::{Conformance, Role};
use crate::component::Spec;
use crate::data::{MatrixReading, open_matrix};
use crate::testing::{self, counts, small_h5ad, sparse};
use crate::{
    Alignment, Defaults, FeatureShape, Features, Gathered, Modality, ModalitySpec, Source, Statistics, Step,
    TargetValues, component,
};
use anyhow::{Result, bail, ensure};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::path::PathBuf;
use tch::Kind;
use tempfile::TempDir;

/// Successes in one layer among the trials of another.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
struct ToyModalitySpec {
    /// What is wrong with it; nothing where it is empty.
    fault: String,
}

impl Spec for ToyModalitySpec {}

#[typetag::serialize(name = "toy_modality")]
impl ModalitySpec for ToyModalitySpec {
    fn open(&self, source: &Source<'_>, steps: Vec<Box<dyn Step>>) -> Result<Box<dyn Modality>> {
        ensure!(self.fault != "takes_no_steps" || steps.is_empty(), "this assay takes no steps");
        ensure!(self.fault != "missing_file_unnamed" || source.path.exists(), "something could not be read");
        let reading = |layer: &str| MatrixReading { layer: layer.into(), counts: true, ..MatrixReading::default() };
        let whole = open_matrix(source, &reading("total"), Vec::new())?;
        let alike = vec!["CpG".to_owned(); whole.features().len()];
        Ok(Box::new(Toy {
            successes: Box::new(open_matrix(source, &reading("methylated"), steps)?),
            total: Box::new(whole),
            alike,
            fault: self.fault.clone(),
        }))
    }

    fn defaults(&self) -> Defaults {
        let loss = match self.fault.as_str() {
            "bad_default" => ("toy_loss", "trial = true"),
            _ => ("toy_loss", "trials = true"),
        };
        Defaults { steps: vec![("of_another_crate", "")], encoder: ("mlp", ""), decoder: ("mlp", ""), loss }
    }
}

struct Toy {
    successes: Box<dyn Modality>,
    total: Box<dyn Modality>,
    /// As many names as features, all the same.
    alike: Vec<String>,
    fault: String,
}

impl Toy {
    fn is(&self, fault: &str) -> bool {
        self.fault == fault
    }
}

impl Modality for Toy {
    fn cells(&self) -> &[String] {
        self.successes.cells()
    }

    fn features(&self) -> &[String] {
        let features = self.successes.features();
        match self.fault.as_str() {
            "a_name_is_missing" => &features[1..],
            "names_are_alike" => &self.alike,
            _ => features,
        }
    }

    fn shape(&self) -> FeatureShape {
        self.successes.shape()
    }

    fn filter_round(&mut self, kept: &[bool]) -> Result<Vec<bool>> {
        let answers = self.successes.filter_round(kept)?;
        Ok(if self.is("filter_answers_for_some") { answers[1..].to_vec() } else { answers })
    }

    fn keep_cells(&mut self, rows: &[usize]) -> Result<()> {
        let mut rows = rows.to_vec();
        if self.is("keeps_in_order") {
            rows.sort_unstable();
        }
        if !self.is("keeps_half") {
            self.total.keep_cells(&rows)?;
        }
        self.successes.keep_cells(&rows)
    }

    fn prepare(&mut self, training: &[usize]) -> Result<()> {
        let all: Vec<usize> = (0..self.cells().len()).collect();
        self.total.prepare(&all)?;
        self.successes.prepare(if self.is("fits_on_all") { &all } else { training })
    }

    fn state(&self) -> Value {
        self.successes.state()
    }

    fn restore(&mut self, state: &Value) -> Result<Alignment> {
        let all: Vec<usize> = (0..self.cells().len()).collect();
        self.total.prepare(&all)?;
        if self.is("restores_nothing") {
            self.successes.prepare(&all)?;
            return Ok(Alignment { n_found: self.features().len(), ..Alignment::default() });
        }
        let mut alignment = self.successes.restore(state)?;
        alignment.n_unknown += usize::from(self.is("knows_fewer_features"));
        Ok(alignment)
    }

    fn statistics(&self, rows: &[usize]) -> Result<Statistics> {
        let totals = self.successes.statistics(rows)?;
        Ok(match self.fault.as_str() {
            "statistics_of_cells" => Statistics { n_entries: rows.len() as f64, ..totals },
            "statistics_are_infinite" => Statistics { raw_sum: f64::INFINITY, ..totals },
            "statistics_are_means" => Statistics { raw_sum: totals.raw_sum / rows.len().max(1) as f64, ..totals },
            _ => totals,
        })
    }

    fn check_target(&self, values: TargetValues) -> Result<()> {
        match values {
            TargetValues::Trials => Ok(()),
            _ if self.is("refuses_without_words") => Err(anyhow::anyhow!("")),
            TargetValues::UnitInterval if self.is("promises_too_much") => Ok(()),
            values => self.successes.check_target(values),
        }
    }

    fn gather(&self, rows: &[usize], values: TargetValues) -> Result<Gathered> {
        let n_cells = self.cells().len();
        let mut rows = rows.to_vec();
        match self.fault.as_str() {
            "absent_row_panics" => assert!(rows.iter().all(|row| *row < n_cells), "no such row"),
            "absent_row_is_the_last" => rows.iter_mut().for_each(|row| *row = (*row).min(n_cells - 1)),
            "each_row_once" => rows.dedup_by_key(|row| *row % 2),
            _ => {}
        }
        if values != TargetValues::Trials {
            return self.successes.gather(&rows, values);
        }
        let successes = self.successes.gather(&rows, TargetValues::Counts)?;
        let trials = self.total.gather(&rows, TargetValues::Counts)?.target;
        let (input, target) = (successes.input, successes.target);
        Ok(match self.fault.as_str() {
            "columns_beyond" => {
                let Features::Sparse(mut input) = sparse(&input.to_dense()) else { bail!("not sparse") };
                input.indices += 1;
                Gathered { input: Features::Sparse(input), target, trials: Some(trials) }
            }
            "sparse" => {
                Gathered { input, target: sparse(&target.to_dense()), trials: Some(sparse(&trials.to_dense())) }
            }
            "no_trials" => Gathered::new(input, target),
            "exchanged" => Gathered { input, target: trials, trials: Some(target) },
            "double_precision" => {
                let input = Features::Dense(input.to_dense().to_kind(Kind::Double));
                Gathered { input, target, trials: Some(trials) }
            }
            _ => Gathered { input, target, trials: Some(trials) },
        })
    }

    fn n_bytes(&self) -> u64 {
        if self.is("holds_nothing") { 0 } else { self.successes.n_bytes() + self.total.n_bytes() }
    }
}

component! {
    role: Modality,
    name: "toy_modality",
    spec: ToyModalitySpec,
    summary: "successes among trials, broken where it is told to be",
    source: "a test",
    example: "",
}

/// A file of two layers: trials, and successes among them.
fn file() -> (TempDir, PathBuf) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("small.h5ad");
    let total = counts(10, 6, 1);
    let mut methylated = total.clone();
    methylated.values.iter_mut().enumerate().for_each(|(place, value)| *value = (*value - (place % 3) as f32).max(0.0));
    small_h5ad(&path, &total, &[("total", &total), ("methylated", &methylated)]).unwrap();
    (folder, path)
}

#[test]
fn a_sound_modality_passes() {
    let (_folder, path) = file();
    testing::modality("toy_modality").on(&path).check();
    testing::modality("toy_modality").table("fault = \"takes_no_steps\"").on(&path).check();
    testing::modality("toy_modality").table("fault = \"sparse\"").on(&path).check();
}

#[test]
fn a_file_that_does_not_suit_is_told_with_its_name() {
    let told = Conformance::of(Role::Modality, "toy_modality").run().unwrap_err().to_string();
    assert!(told.contains("does not conform: it opens") && told.contains("dense.h5ad"), "{told}");
    assert!(told.contains("also without steps"), "{told}");
}

#[test]
fn broken_modalities_are_caught() {
    let faults = [
        ("bad_default", "what it uses by default exists", "a valid table of the loss `toy_loss`"),
        ("a_name_is_missing", "it opens, and names", "names of 6 features"),
        ("names_are_alike", "it opens, and names", "1 names of 6"),
        ("holds_nothing", "it opens, and names", "0 bytes"),
        ("missing_file_unnamed", "a file that is not there", "an error that names `there_is_no_such_file`"),
        ("filter_answers_for_some", "filtering answers for every cell", "10 answers"),
        ("keeps_in_order", "rows are kept in the order asked for", "the cells [\"c3\", \"c0\", \"c2\"]"),
        ("fits_on_all", "steps are fitted on the training cells", "a step fitted on [[0, 2, 4, 6, 8]]"),
        ("refuses_without_words", "some target can be gathered", "an error without text"),
        ("promises_too_much", "some target can be gathered", "a target of UnitInterval"),
        ("columns_beyond", "some target can be gathered", "offsets and indices of compressed sparse rows"),
        ("no_trials", "some target can be gathered", "trials for Trials: true"),
        ("exchanged", "some target can be gathered", "a target of Trials"),
        ("double_precision", "some target can be gathered", "numbers of kind Float"),
        ("each_row_once", "any rows can be gathered", "of the whole"),
        ("absent_row_panics", "a row that does not exist is refused", "panicked: no such row"),
        ("absent_row_is_the_last", "a row that does not exist is refused", "row 10 of 10 cells is refused"),
        ("keeps_half", "rows that were kept are gathered as before", "the rows that were kept"),
        ("statistics_of_cells", "statistics are finite and add up", "60 entries"),
        ("statistics_are_infinite", "statistics are finite and add up", "finite totals"),
        ("statistics_are_means", "statistics are finite and add up", "of two parts"),
        ("knows_fewer_features", "what is saved and restored", "all features of the same file"),
        ("restores_nothing", "what is saved and restored gives the same rows", "of the run that was saved"),
    ];
    let (_folder, path) = file();
    for (fault, check, words) in faults {
        let conformance = testing::modality("toy_modality").table(&format!("fault = \"{fault}\"")).on(&path);
        let told = conformance.run().err().unwrap_or_else(|| panic!("the kit did not notice `{fault}`")).to_string();
        let first = format!("the modality `toy_modality` does not conform: {check}");
        assert!(told.starts_with(&first) && told.contains(words), "`{fault}`:\n{told}");
    }
}
