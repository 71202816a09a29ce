//! What the runs of a study will take, and whether each of its variants can be run at all.

use super::study::Folder;
use crate::plan::Plan;
use anyhow::{Context, Result};
use std::path::Path;
use std::process::{Command, Stdio};

/// The forecast of one variant's runs.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Forecast {
    /// Seconds of learning, at most.
    pub secs: f64,
    /// Peak memory.
    pub memory_bytes: u64,
}

/// Plans a variant in a process of its own: opens its data, builds its model and times a few steps.
///
/// # Errors
/// What keeps the variant from being run.
pub fn forecast(folder: &Folder, variant: usize, program: &Path) -> Result<Forecast> {
    let mut command = Command::new(program);
    command.arg("plan").arg(folder.path().join(folder.spec(variant))).arg("--json").stdin(Stdio::null());
    let found = command.output().with_context(|| format!("`{}` cannot be started", program.display()))?;
    if !found.status.success() {
        let said = String::from_utf8_lossy(&found.stderr);
        let said = said.trim().strip_prefix("error: ").unwrap_or(said.trim()).to_owned();
        let said = if said.is_empty() { format!("planning ended with {}", found.status) } else { said };
        anyhow::bail!("the variant `{}` cannot be run: {said}", folder.study.variants[variant].name);
    }
    let plan: Plan = serde_json::from_slice(&found.stdout).context("a plan cannot be read")?;
    Ok(Forecast { secs: plan.fit_secs(), memory_bytes: plan.peak_memory_bytes })
}
