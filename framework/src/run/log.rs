//! `metrics.jsonl`: every term of every epoch, one JSON object per line.

use crate::fit::{Event, Observer};
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
        let named = |terms: &[(String, f64)]| -> serde_json::Map<String, serde_json::Value> {
            terms.iter().map(|(name, value)| (name.clone(), json!(value))).collect()
        };
        match event {
            Event::Epoch { stage, epoch, n_steps_done, terms, secs } => self.write(&json!({
                "stage": stage.name(), "epoch": epoch, "step": n_steps_done, "secs": secs, "terms": named(terms),
            })),
            Event::Validation { stage, epoch, terms, score, is_best } => self.write(&json!({
                "stage": stage.name(), "epoch": epoch, "validation": named(terms), "score": score, "best": is_best,
            })),
            Event::Finished { stage, n_epochs, kept_epoch, reason } => self.write(&json!({
                "stage": stage.name(), "finished": n_epochs, "kept_epoch": kept_epoch, "reason": reason,
            })),
            Event::Started { .. } | Event::Step { .. } => {}
        }
    }
}
