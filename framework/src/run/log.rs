//! `metrics.jsonl`: every term of every epoch, one JSON object per line.

use super::write_atomically;
use crate::fit::{Event, Observer, Stage};
use anyhow::{Context, Result};
use serde_json::json;
use std::fs::File;
use std::io::{BufWriter, Write};
use std::path::Path;

/// Writes the events of learning as they come.
pub struct MetricsLog {
    file: BufWriter<File>,
    failure: Option<std::io::Error>,
}

impl MetricsLog {
    /// A new log.
    ///
    /// # Errors
    /// When the file cannot be made.
    pub fn create(path: &Path) -> Result<MetricsLog> {
        let file = File::create(path).with_context(|| format!("`{}` cannot be written", path.display()))?;
        Ok(MetricsLog { file: BufWriter::new(file), failure: None })
    }

    /// Goes on with a log from the beginning of an epoch of a stage: what it says of later moments is taken out.
    ///
    /// # Errors
    /// When the file cannot be read or written.
    pub fn resume(path: &Path, stage: Stage, epoch: u64) -> Result<MetricsLog> {
        let text = std::fs::read_to_string(path).with_context(|| format!("`{}` cannot be read", path.display()))?;
        let is_earlier = |line: &&str| {
            let Ok(line) = serde_json::from_str::<serde_json::Value>(line) else { return false };
            let is_same = line["stage"] == stage.name();
            !is_same || line["epoch"].as_u64().is_some_and(|of| of < epoch)
        };
        let mut kept = String::new();
        text.lines().take_while(is_earlier).for_each(|line| kept.extend([line, "\n"]));
        write_atomically(path, kept.as_bytes())?;
        let file = File::options().append(true).open(path);
        let file = file.with_context(|| format!("`{}` cannot be written", path.display()))?;
        Ok(MetricsLog { file: BufWriter::new(file), failure: None })
    }

    /// Ends the log.
    ///
    /// # Errors
    /// The first line that could not be written.
    pub fn finish(mut self) -> Result<()> {
        let flushed = self.file.flush();
        match self.failure.take() {
            Some(error) => Err(error).context("`metrics.jsonl` could not be written to its end"),
            None => flushed.context("`metrics.jsonl` could not be written to its end"),
        }
    }

    fn write(&mut self, line: &serde_json::Value) {
        let written = writeln!(self.file, "{line}").and_then(|()| self.file.flush());
        if let (Err(error), None) = (written, &self.failure) {
            self.failure = Some(error);
        }
    }
}

impl Observer for MetricsLog {
    fn observe(&mut self, event: &Event<'_>) {
        if let Some(line) = log_line(event) {
            self.write(&line);
        }
    }
}

/// What the log says of an event, if it says anything.
pub fn log_line(event: &Event<'_>) -> Option<serde_json::Value> {
    let named = |terms: &[(String, f64)]| -> serde_json::Map<String, serde_json::Value> {
        terms.iter().map(|(name, value)| (name.clone(), json!(value))).collect()
    };
    match event {
        Event::Epoch { stage, epoch, n_steps_done, terms, secs } => Some(json!({
            "stage": stage.name(), "epoch": epoch, "step": n_steps_done, "secs": secs, "terms": named(terms),
        })),
        Event::Validation { stage, epoch, terms, score, is_best } => Some(json!({
            "stage": stage.name(), "epoch": epoch, "validation": named(terms), "score": score, "best": is_best,
        })),
        Event::Finished { stage, n_epochs, kept_epoch, reason } => Some(json!({
            "stage": stage.name(), "finished": n_epochs, "kept_epoch": kept_epoch, "reason": reason,
        })),
        Event::Started { .. } | Event::Step { .. } => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_told_after_a_checkpoint_is_taken_out() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("metrics.jsonl");
        let first = "{\"stage\":\"latent\",\"epoch\":0}\n{\"stage\":\"latent\",\"finished\":1}\n{\"stage\":\"encoders\",\"epoch\":0}\n";
        let later = "{\"stage\":\"encoders\",\"epoch\":1}\n{\"stage\":\"encoders\",\"epo";
        std::fs::write(&path, format!("{first}{later}")).unwrap();
        MetricsLog::resume(&path, Stage::Encoders, 1).unwrap().finish().unwrap();
        assert_eq!(std::fs::read_to_string(&path).unwrap(), first);
        MetricsLog::resume(&path, Stage::Rows, 0).unwrap().finish().unwrap();
        assert_eq!(std::fs::read_to_string(&path).unwrap(), "");
    }
}
