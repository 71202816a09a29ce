//! The folder of an ablation: what is to be run, and what has been. The state of a run is read from its files, so nothing is
//! lost when the program, or the machine, is stopped at any moment.
//!
//! | path | what |
//! |---|---|
//! | `study.json` | base, seeds, metrics, margins and the overrides of each variant |
//! | `specs/VARIANT.toml` | what a variant resolves to |
//! | `cells/VARIANT/seed-N/` | an ordinary run directory |
//! | `prepared/` | prepared data, which runs of the same data and seed share; gone when all are done |
//! | `logs/VARIANT.seed-N.log` | what that run said; `.failed` beside it holds its exit code where it failed |
//! | `ledger.tsv` | the state of every run, for people |
//! | `ablation.csv`, `ablation.json`, `report.html` | the comparison |

use super::changes::{changes, portable, read_resolved};
use super::comparison::RunState;
use anyhow::{Context, Result, ensure};
use framework::run::{RunDirectory, write_atomically, write_json};
use indexmap::IndexMap;
use registry::Ablation;
use serde::{Deserialize, Serialize};
use std::path::{Path, PathBuf};
use toml::{Table, Value};

/// What is to be run, as `study.json` holds it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Study {
    /// Name of the ablation.
    pub name: String,
    /// The base spec, as it was named.
    pub base: PathBuf,
    /// Seeds of each variant.
    pub seeds: Vec<u64>,
    /// Metrics that are compared.
    pub metrics: Vec<String>,
    /// Metrics that are better the lower they are, beside those of which the program knows it.
    #[serde(default)]
    pub lower_is_better: Vec<String>,
    /// Margins of equivalence by metric.
    pub margins: IndexMap<String, f64>,
    /// Variants, the base first.
    pub variants: Vec<PlannedVariant>,
}

/// A variant of a study.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct PlannedVariant {
    /// Its name.
    pub name: String,
    /// What its spec replaces in the base spec, or takes out (`!`).
    pub overrides: Vec<String>,
}

/// One run of a study.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Cell {
    /// Place of its variant.
    pub variant: usize,
    /// Its seed.
    pub seed: u64,
}

/// A study and its folder.
#[derive(Debug, Clone)]
pub struct Folder {
    path: PathBuf,
    /// The study.
    pub study: Study,
    specs: Vec<Table>,
}

/// Where runs keep prepared data for each other, below the study's folder.
pub(super) const PREPARED: &str = "prepared";

/// Name of the file that makes a folder a study.
const STUDY: &str = "study.json";

impl Study {
    /// The study of an ablation and a list of its metrics.
    pub fn of(ablation: &Ablation, metrics: Vec<String>) -> Study {
        Study {
            name: ablation.name.clone(),
            base: ablation.base.clone(),
            seeds: ablation.seeds.clone(),
            metrics,
            lower_is_better: ablation.lower_is_better.clone(),
            margins: ablation.margins.clone(),
            variants: (ablation.variants.iter())
                .map(|variant| PlannedVariant { name: variant.name.clone(), overrides: variant.overrides.clone() })
                .collect(),
        }
    }

    /// All runs, seed by seed: after the first seed every variant has a run.
    pub fn cells(&self) -> Vec<Cell> {
        let of = |&seed: &u64| (0..self.variants.len()).map(move |variant| Cell { variant, seed });
        self.seeds.iter().flat_map(of).collect()
    }
}

impl Folder {
    /// Writes study and specs into a folder, which may hold runs of the same study already.
    ///
    /// # Errors
    /// When the folder is something else, or a file cannot be written.
    pub fn make(path: &Path, study: Study, ablation: &Ablation) -> Result<Folder> {
        let is_study = path.join(STUDY).is_file();
        let is_new = !path.exists() || (path.is_dir() && std::fs::read_dir(path)?.next().is_none());
        ensure!(is_study || is_new, "`{}` exists and is no ablation's folder; choose another `--out`", path.display());
        for folder in ["specs", "cells", "logs"] {
            let folder = path.join(folder);
            std::fs::create_dir_all(&folder).with_context(|| format!("`{}` cannot be made", folder.display()))?;
        }
        let mut specs = Vec::new();
        for variant in &ablation.variants {
            let mut spec = variant.experiment.to_toml()?;
            spec.insert("name".to_owned(), Value::String(variant.name.clone()));
            specs.push(spec);
        }
        let folder = Folder { path: path.to_owned(), study, specs };
        for (place, spec) in folder.specs.iter().enumerate() {
            let (file, text) = (folder.path.join(folder.spec(place)), toml::to_string(spec)?);
            // One that is the same keeps its time, which other engines look at.
            if std::fs::read_to_string(&file).is_ok_and(|written| written == text) {
                continue;
            }
            write_atomically(&file, text.as_bytes())?;
        }
        write_json(&folder.path.join(STUDY), &folder.study)?;
        Ok(folder)
    }

    /// Opens the folder of a study.
    ///
    /// # Errors
    /// When it is none, or a file is damaged.
    pub fn open(path: &Path) -> Result<Folder> {
        let file = path.join(STUDY);
        ensure!(file.is_file(), "`{}` is no ablation's folder: it holds no `{STUDY}`", path.display());
        let text = std::fs::read(&file).with_context(|| format!("`{}` cannot be read", file.display()))?;
        let study: Study = serde_json::from_slice(&text).with_context(|| format!("`{}` is damaged", file.display()))?;
        let mut folder = Folder { path: path.to_owned(), study, specs: Vec::new() };
        for place in 0..folder.study.variants.len() {
            folder.specs.push(read_resolved(&path.join(folder.spec(place)))?);
        }
        Ok(folder)
    }

    /// Path of the folder.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// What a variant resolves to.
    pub fn resolved(&self, variant: usize) -> &Table {
        &self.specs[variant]
    }

    /// The spec of a variant, below the folder.
    pub fn spec(&self, variant: usize) -> PathBuf {
        PathBuf::from("specs").join(format!("{}.toml", self.study.variants[variant].name))
    }

    /// The run directory of a cell, below the folder.
    pub fn run(&self, cell: Cell) -> PathBuf {
        PathBuf::from("cells").join(&self.study.variants[cell.variant].name).join(format!("seed-{}", cell.seed))
    }

    /// What a run said, below the folder; `ending` is `log` or `failed`.
    pub fn log(&self, cell: Cell, ending: &str) -> PathBuf {
        PathBuf::from("logs").join(format!("{}.{ending}", self.title(cell).replace(' ', ".")))
    }

    /// A cell as it is named to people: variant and seed.
    pub fn title(&self, cell: Cell) -> String {
        format!("{} seed-{}", self.study.variants[cell.variant].name, cell.seed)
    }

    /// The state of a cell, as its files tell; `Running` is known only to who runs it.
    ///
    /// # Errors
    /// When its run was made from another spec.
    pub fn state(&self, cell: Cell) -> Result<RunState> {
        let path = self.path.join(self.run(cell));
        let finished = RunDirectory::open(&path).and_then(|run| run.read_provenance());
        let is_judged = path.join("evaluation.tsv").is_file();
        if finished.is_ok_and(|provenance| provenance.total_secs.is_some()) && is_judged {
            self.ensure_same_spec(cell, &path)?;
            return Ok(RunState::Done);
        }
        let is_failed = self.path.join(self.log(cell, "failed")).is_file();
        Ok(if is_failed { RunState::Failed } else { RunState::Pending })
    }

    /// Refuses a finished run of another spec than its variant's.
    fn ensure_same_spec(&self, cell: Cell, path: &Path) -> Result<()> {
        let mut found = read_resolved(&path.join("spec.toml"))?;
        let mut wanted = self.specs[cell.variant].clone();
        for table in [&mut found, &mut wanted] {
            table.insert("seed".to_owned(), Value::Integer(cell.seed as i64));
            portable(table);
        }
        let changed = changes(&found, &wanted);
        let Some(first) = changed.first() else { return Ok(()) };
        let shown = |value: &Option<String>| value.clone().unwrap_or_else(|| "nothing".to_owned());
        anyhow::bail!(
            "`{}` was run with another spec: `{}` was {}, and is {} now; replace such runs with `--force`, or choose another `--out`",
            path.display(),
            first.key,
            shown(&first.base),
            shown(&first.variant)
        )
    }

    /// Whether a cell was stopped while it was learned, and can go on: it has not failed, and is of its variant's spec.
    ///
    /// # Errors
    /// When it was run from another spec.
    pub fn was_stopped(&self, cell: Cell) -> Result<bool> {
        let path = self.path.join(self.run(cell));
        let can = RunDirectory::open_unfinished(&path).is_ok_and(|run| run.checkpoint().is_file());
        if !can || self.state(cell)? != RunState::Pending {
            return Ok(false);
        }
        self.ensure_same_spec(cell, &path)?;
        Ok(true)
    }

    /// Takes away what a cell left, so that it is run anew.
    ///
    /// # Errors
    /// When a file cannot be removed.
    pub fn clear(&self, cell: Cell) -> Result<()> {
        let run = self.path.join(self.run(cell));
        if run.is_dir() {
            std::fs::remove_dir_all(&run).with_context(|| format!("`{}` cannot be removed", run.display()))?;
        }
        ensure!(!run.exists(), "`{}` is in the way: a run directory is to be made there", run.display());
        for said in ["failed", "log"].map(|ending| self.path.join(self.log(cell, ending))) {
            if said.exists() {
                std::fs::remove_file(&said).with_context(|| format!("`{}` cannot be removed", said.display()))?;
            }
        }
        Ok(())
    }

    /// Where runs keep prepared data for each other.
    pub fn prepared(&self) -> PathBuf {
        self.path.join(PREPARED)
    }

    /// Takes away the prepared data, when no run needs them any more.
    ///
    /// # Errors
    /// When they cannot be removed.
    pub fn forget_prepared(&self) -> Result<()> {
        let path = self.prepared();
        match std::fs::remove_dir_all(&path) {
            Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
                Err(error).with_context(|| format!("`{}` cannot be removed", path.display()))
            }
            _ => Ok(()),
        }
    }

    /// Why a cell failed: the errors that it told, or the last lines of what it said.
    pub fn reason(&self, cell: Cell) -> String {
        let log = std::fs::read_to_string(self.path.join(self.log(cell, "log"))).unwrap_or_default();
        let code = std::fs::read_to_string(self.path.join(self.log(cell, "failed"))).unwrap_or_default();
        let lines: Vec<&str> = log.lines().filter(|line| !line.trim().is_empty()).collect();
        let told = lines.iter().position(|line| line.starts_with("error:"));
        let start = told.unwrap_or(lines.len().saturating_sub(3));
        let said = lines[start..].iter().take(12).copied().collect::<Vec<_>>().join("\n");
        let ended = code.trim();
        if log.is_empty() && !ended.is_empty() {
            return ended.to_owned();
        }
        if said.is_empty() {
            format!("it said nothing and ended with {ended}")
        } else {
            format!("{said}\n(ended with {ended})")
        }
    }
}
