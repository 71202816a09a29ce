//! What learning remembers, so that it goes on after an end from outside as if there had been none.
//!
//! A checkpoint holds parameters, rows, what optimizers remember, the best state so far, and the place in the stage.
//! Random numbers need no place in it: every draw is keyed by epoch and step.

use super::Stage;
use crate::run::{read_stored, write_tensors};
use anyhow::{Context, Result, bail, ensure};
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::{Map, Value};
use std::collections::{BTreeMap, HashMap};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};
use tch::{Tensor, no_grad};

/// Under which the facts stand in the file, beside the tensors.
const FACTS: &str = "learning";

/// Named tensors, and facts beside them.
#[derive(Debug, Default)]
pub struct Checkpoint {
    tensors: BTreeMap<String, Tensor>,
    facts: Map<String, Value>,
}

/// Something that changes while a model is learned, and can be put back to what it was.
pub(crate) trait Remember {
    /// Puts all that changes into a checkpoint, under names that start with `name`.
    ///
    /// # Errors
    /// When it cannot be stored.
    fn remember(&self, name: &str, checkpoint: &mut Checkpoint) -> Result<()>;

    /// Becomes what was remembered under `name`.
    ///
    /// # Errors
    /// When the checkpoint is of something else.
    fn recall(&mut self, name: &str, checkpoint: &Checkpoint) -> Result<()>;
}

impl Checkpoint {
    /// Takes a handle of a tensor.
    pub(crate) fn put(&mut self, name: impl Into<String>, tensor: &Tensor) {
        self.tensors.insert(name.into(), tensor.detach());
    }

    /// Takes a fact.
    ///
    /// # Errors
    /// When it cannot be written as JSON.
    pub(crate) fn note(&mut self, name: impl Into<String>, fact: impl Serialize) -> Result<()> {
        self.facts.insert(name.into(), serde_json::to_value(fact)?);
        Ok(())
    }

    /// A tensor, on the host.
    ///
    /// # Errors
    /// When there is none of the name.
    pub(crate) fn tensor(&self, name: &str) -> Result<&Tensor> {
        self.tensors.get(name).with_context(|| format!("the checkpoint lacks `{name}`"))
    }

    /// Copies a tensor into one of the same shape.
    ///
    /// # Errors
    /// When there is none of the name and shape.
    pub(crate) fn copy_into(&self, name: &str, tensor: &Tensor) -> Result<()> {
        let stored = self.tensor(name)?;
        ensure!(
            stored.size() == tensor.size() && stored.kind() == tensor.kind(),
            "`{name}` of the checkpoint is {:?} of {:?}, but the model wants {:?} of {:?}",
            stored.size(),
            stored.kind(),
            tensor.size(),
            tensor.kind()
        );
        no_grad(|| tensor.detach().copy_(stored));
        Ok(())
    }

    /// A fact.
    ///
    /// # Errors
    /// When there is none of the name and form.
    pub(crate) fn fact<T: DeserializeOwned>(&self, name: &str) -> Result<T> {
        let fact = self.facts.get(name).with_context(|| format!("the checkpoint lacks `{name}`"))?;
        serde_json::from_value(fact.clone()).with_context(|| format!("`{name}` of the checkpoint is damaged"))
    }

    /// The stage in which learning was.
    ///
    /// # Errors
    /// When the checkpoint does not say.
    pub fn stage(&self) -> Result<Stage> {
        let name: String = self.fact("stage")?;
        Stage::of_name(&name).with_context(|| format!("the checkpoint is of a stage `{name}`, which is not known"))
    }

    /// The epoch in which learning was, from 0.
    ///
    /// # Errors
    /// When the checkpoint does not say.
    pub fn epoch(&self) -> Result<u64> {
        self.fact("epoch")
    }

    /// Refuses numbers that are none: a state to which nobody wants to go back.
    fn ensure_finite(&self) -> Result<()> {
        for (name, tensor) in self.tensors.iter().filter(|(_, tensor)| tensor.is_floating_point()) {
            if !bool::try_from(tensor.isfinite().all())? {
                bail!("`{name}` holds values that are not finite; lower the learning rate");
            }
        }
        Ok(())
    }

    /// Writes the file, whole or not at all.
    fn write(&self, path: &Path) -> Result<()> {
        let tensors: Vec<(String, Tensor)> = self.tensors.iter().map(|(n, t)| (n.clone(), t.shallow_clone())).collect();
        write_tensors(path, &tensors, HashMap::from([(FACTS.to_owned(), serde_json::to_string(&self.facts)?)]))
    }

    /// Reads a checkpoint.
    ///
    /// # Errors
    /// When the file is missing, damaged, or no checkpoint.
    pub fn read(path: &Path) -> Result<Checkpoint> {
        let (tensors, about) = read_stored(path)?;
        let facts = about.get(FACTS).with_context(|| format!("`{}` is not a checkpoint", path.display()))?;
        let facts = serde_json::from_str(facts).with_context(|| format!("`{}` is damaged", path.display()))?;
        Ok(Checkpoint { tensors: tensors.into_iter().collect(), facts })
    }
}

/// When and where checkpoints are written, and the one from which learning goes on.
#[derive(Debug)]
pub struct Checkpoints {
    path: Option<PathBuf>,
    every: Option<Duration>,
    written: Instant,
    started: Instant,
    /// Seconds of learning before this process.
    secs_before: f64,
    resumed: Option<Checkpoint>,
}

impl Checkpoints {
    /// Neither written nor gone on from.
    pub fn none() -> Checkpoints {
        let now = Instant::now();
        Checkpoints { path: None, every: None, written: now, started: now, secs_before: 0.0, resumed: None }
    }

    /// Written to `path` every so many seconds (0: only when learning is interrupted).
    pub fn at(path: PathBuf, every_secs: f64) -> Checkpoints {
        let every = (every_secs > 0.0).then(|| Duration::from_secs_f64(every_secs));
        Checkpoints { path: Some(path), every, ..Checkpoints::none() }
    }

    /// Learning goes on from a checkpoint.
    ///
    /// # Errors
    /// When the checkpoint does not say how long learning took so far.
    pub fn from(self, checkpoint: Checkpoint) -> Result<Checkpoints> {
        Ok(Checkpoints { secs_before: checkpoint.fact("secs")?, resumed: Some(checkpoint), ..self })
    }

    /// Seconds of learning before this process.
    pub fn secs_before(&self) -> f64 {
        self.secs_before
    }

    /// Seconds of learning so far.
    pub fn secs(&self) -> f64 {
        self.secs_before + self.started.elapsed().as_secs_f64()
    }

    /// The checkpoint from which learning goes on.
    pub(crate) fn resumed(&self) -> Option<&Checkpoint> {
        self.resumed.as_ref()
    }

    /// The same, handed over: a stage goes on from it once.
    pub(crate) fn take(&mut self) -> Option<Checkpoint> {
        self.resumed.take()
    }

    /// Whether checkpoints are written at all.
    pub(crate) fn are_kept(&self) -> bool {
        self.path.is_some()
    }

    /// Whether it is time for the next.
    pub(crate) fn is_due(&self) -> bool {
        self.path.is_some() && self.every.is_some_and(|every| self.written.elapsed() >= every)
    }

    /// Writes one; the one before stays if this one is not finite or cannot be written.
    ///
    /// # Errors
    /// When it holds values that are not finite, or the file cannot be written.
    pub(crate) fn write(&mut self, mut checkpoint: Checkpoint) -> Result<()> {
        if let Some(path) = &self.path {
            checkpoint.note("secs", self.secs())?;
            checkpoint.ensure_finite()?;
            checkpoint.write(path)?;
        }
        self.written = Instant::now();
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_checkpoint_comes_back_and_a_state_that_is_not_finite_does_not_replace_it() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("c.safetensors");
        let mut checkpoints = Checkpoints::at(path.clone(), 0.0);
        let of = |values: &[f64]| {
            let mut checkpoint = Checkpoint::default();
            checkpoint.put("x", &Tensor::from_slice(values));
            checkpoint.note("stage", "latent").unwrap();
            checkpoint
        };
        checkpoints.write(of(&[1.0, 2.0])).unwrap();
        let told = checkpoints.write(of(&[1.0, f64::NAN])).unwrap_err().to_string();
        assert!(told.contains("`x` holds values that are not finite"), "{told}");
        let read = Checkpoint::read(&path).unwrap();
        assert_eq!(read.stage().unwrap(), Stage::Rows);
        assert_eq!(read.tensor("x").unwrap(), &Tensor::from_slice(&[1f64, 2.0]));
        assert!(read.copy_into("x", &Tensor::from_slice(&[0f64])).is_err());
        assert!(read.fact::<u64>("epoch").unwrap_err().to_string().contains("lacks `epoch`"));
    }

    #[test]
    fn a_damaged_file_is_told() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("c.safetensors");
        let mut checkpoint = Checkpoint::default();
        checkpoint.put("x", &Tensor::from_slice(&[1f64, 2.0]));
        checkpoint.write(&path).unwrap();
        let bytes = std::fs::read(&path).unwrap();
        std::fs::write(&path, &bytes[..bytes.len() - 1]).unwrap();
        assert!(Checkpoint::read(&path).unwrap_err().to_string().contains("not a whole safetensors file"));
        write_tensors(&path, &[("x".into(), Tensor::from(1.0))], HashMap::new()).unwrap();
        assert!(Checkpoint::read(&path).unwrap_err().to_string().contains("is not a checkpoint"));
    }
}
