//! Finding a component by role and name, and checking it.

use super::declaration::{self, parsed, readable};
use super::mismatch::{Examined, Fault, expect};
use crate::component::{AnySpec, ComponentInfo, Role, declared};
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

/// libtorch has one generator of random numbers: checks that set it wait for each other.
static GENERATOR: Mutex<()> = Mutex::new(());

/// Predictions of this size are legal unless the author says otherwise.
const LARGEST_PREDICTION: f64 = 1e4;

/// The checks of one component, to be started by [`check`](Conformance::check).
///
/// | role | what is checked, besides the declaration |
/// |---|---|
/// | all | name, summary and source; example and empty table read; unknown keys are refused by name; what is written reads back; every key is described and has a default |
/// | encoder, decoder | (encoders with and without a condition, unless they refuse it) builds for vectors of 1, 3, 7 and 33 features and for images, or refuses one of both forms; sizes for one, two and five cells; finite numbers for cells of zeros; cells permuted, changed and alone; sparse as dense; wrong forms refused; gradients reach every parameter and are those of finite differences, in evaluation and in training; same seed, same bits; saved and loaded, same bits |
/// | loss | the same, and finite losses, gradients and expected values at extreme but legal inputs; expected values in the range of the target; cells that were not measured add nothing to the objective, nor do entries without trials |
/// | prior | the same of costs and of divergences; initial rows; far rows |
/// | step | stored entries and zeros stay; selections; learns from training cells only; permuted cells; saved and restored |
/// | modality | names, filtering, kept rows, training cells, targets, any selection of rows, rows that do not exist, statistics, saved and restored; its defaults exist where they are linked |
///
/// Gradients are compared in double precision; where a component cannot work in it a note on standard error says so and
/// single precision is used.
#[derive(Debug)]
pub struct Conformance {
    info: &'static ComponentInfo,
    tables: Vec<String>,
    files: Vec<PathBuf>,
    largest_prediction: f64,
}

/// The checks of a modality, on small made-up files of counts unless [`Conformance::on`] names others.
///
/// # Panics
/// When there is no such modality, or more than one.
#[track_caller]
pub fn modality(name: &str) -> Conformance {
    Conformance::of(Role::Modality, name)
}

/// The checks of an encoder.
///
/// # Panics
/// When there is no such encoder, or more than one.
#[track_caller]
pub fn encoder(name: &str) -> Conformance {
    Conformance::of(Role::Encoder, name)
}

/// The checks of a decoder.
///
/// # Panics
/// When there is no such decoder, or more than one.
#[track_caller]
pub fn decoder(name: &str) -> Conformance {
    Conformance::of(Role::Decoder, name)
}

/// The checks of a prior.
///
/// # Panics
/// When there is no such prior, or more than one.
#[track_caller]
pub fn prior(name: &str) -> Conformance {
    Conformance::of(Role::LatentPrior, name)
}

/// The checks of a loss.
///
/// # Panics
/// When there is no such loss, or more than one.
#[track_caller]
pub fn loss(name: &str) -> Conformance {
    Conformance::of(Role::Loss, name)
}

/// The checks of a step.
///
/// # Panics
/// When there is no such step, or more than one.
#[track_caller]
pub fn step(name: &str) -> Conformance {
    Conformance::of(Role::Step, name)
}

impl Conformance {
    /// The checks of the component that plays this part under this name.
    ///
    /// # Panics
    /// When there is no such component, or more than one.
    #[track_caller]
    pub fn of(role: Role, name: &str) -> Conformance {
        let of_role: Vec<_> = declared().filter(|info| info.role == role).collect();
        let found: Vec<_> = of_role.iter().copied().filter(|info| info.name == name).collect();
        let names: Vec<&str> = of_role.iter().map(|info| info.name).collect();
        let origins: Vec<&str> = found.iter().map(|info| info.origin).collect();
        assert!(
            !found.is_empty(),
            "no {role} `{name}` is declared in this program; declared: {names:?}; name the crate that declares it, or \
             the linker drops it: `use … as _;`"
        );
        assert!(found.len() == 1, "the {role} `{name}` is declared more than once, by {origins:?}");
        Conformance { info: found[0], tables: Vec::new(), files: Vec::new(), largest_prediction: LARGEST_PREDICTION }
    }

    /// Checks it with this table, too (TOML without `kind`); the empty table and the example are checked in any case,
    /// but for modalities, whose files suit some tables only: theirs are the named ones or else the empty one.
    pub fn table(mut self, text: &str) -> Conformance {
        self.tables.push(text.to_owned());
        self
    }

    /// Opens this file, of at least 4 cells; for modalities.
    ///
    /// # Panics
    /// When the component is no modality.
    #[track_caller]
    pub fn on(mut self, path: impl AsRef<Path>) -> Conformance {
        let (role, name) = (self.info.role, self.info.name);
        assert!(role == Role::Modality, "the {role} `{name}` opens no file; `on` is for modalities");
        self.files.push(path.as_ref().to_owned());
        self
    }

    /// The largest size of a prediction that is legal, 10000 unless it is named; for losses whose predictions are, say,
    /// logarithms of rates that must not overflow.
    pub fn predictions_up_to(mut self, largest: f64) -> Conformance {
        self.largest_prediction = largest;
        self
    }

    /// Does all checks.
    ///
    /// # Panics
    /// At the first check that fails, with the component, the check, what it was checked with, what was expected and
    /// what was found.
    #[track_caller]
    pub fn check(self) {
        if let Err(fault) = self.run() {
            panic!("{fault}");
        }
    }

    pub(super) fn run(&self) -> Result<(), Fault> {
        let _alone = GENERATOR.lock().unwrap_or_else(PoisonError::into_inner);
        declaration::check(self.info)?;
        self.all_tables().into_iter().try_for_each(|table| self.check_table(table))
    }

    fn all_tables(&self) -> Vec<&str> {
        let named = self.tables.iter().map(String::as_str);
        match self.info.role {
            Role::Modality if !self.tables.is_empty() => named.collect(),
            Role::Modality => readable(self.info).into_iter().take(1).collect(),
            _ => readable(self.info).into_iter().chain(named).collect(),
        }
    }

    fn check_table(&self, table: &str) -> Result<(), Fault> {
        let examined = Examined { info: self.info, table };
        let mut spec = None;
        examined.check("the table reads without problems", "", || {
            let read = parsed(self.info, table)?;
            let problems = read.validate();
            spec = Some(read);
            expect(problems.is_empty(), "no problem", format!("{problems:?}"))
        })?;
        match spec {
            Some(AnySpec::Modality(spec)) => super::modality::check(&examined, spec.as_ref(), &self.files),
            Some(AnySpec::Encoder(spec)) => super::encoder::check(&examined, spec.as_ref()),
            Some(AnySpec::Decoder(spec)) => super::decoder::check(&examined, spec.as_ref()),
            Some(AnySpec::LatentPrior(spec)) => super::prior::check(&examined, spec.as_ref()),
            Some(AnySpec::Loss(spec)) => super::loss::check(&examined, spec.as_ref(), self.largest_prediction),
            Some(AnySpec::Step(spec)) => super::step::check(&examined, spec.as_ref()),
            None => Ok(()),
        }
    }
}
