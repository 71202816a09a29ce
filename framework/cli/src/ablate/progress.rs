//! Progress over the runs of a study: a bar on a terminal, a line per run elsewhere.

use super::comparison::RunState;
use crate::console::Console;
use crate::run::clock;
use anyhow::Result;
use indicatif::{ProgressBar, ProgressStyle};
use std::time::Duration;

/// How many runs have ended, and how long the others will take.
#[derive(Debug)]
pub(super) struct CellProgress {
    n_cells: usize,
    n_jobs: usize,
    n_ended: usize,
    secs: f64,
    bar: Option<ProgressBar>,
}

impl CellProgress {
    pub(super) fn new(n_cells: usize, n_jobs: usize, console: &Console<'_>) -> CellProgress {
        let style = ProgressStyle::with_template("{bar:30} {pos} of {len} runs, {msg}");
        let bar = (console.is_terminal && !console.quiet).then(|| {
            let bar = ProgressBar::new(n_cells as u64);
            if let Ok(style) = style {
                bar.set_style(style);
            }
            bar.enable_steady_tick(Duration::from_secs(1));
            bar
        });
        CellProgress { n_cells, n_jobs, n_ended: 0, secs: 0.0, bar }
    }

    pub(super) fn started(&mut self, title: &str) {
        if let Some(bar) = &self.bar {
            bar.set_message(format!("{title} goes on{}", self.left()));
        }
    }

    pub(super) fn ended(
        &mut self,
        (title, state, took): (&str, RunState, Duration),
        console: &mut Console<'_>,
    ) -> Result<()> {
        self.n_ended += 1;
        self.secs += took.as_secs_f64();
        let line = format!(
            "{} of {}: {title} {} after {}{}",
            self.n_ended,
            self.n_cells,
            state.name(),
            clock(took.as_secs_f64()),
            self.left()
        );
        match &self.bar {
            Some(bar) => {
                bar.set_position(self.n_ended as u64);
                bar.suspend(|| console.note(&line))
            }
            None => console.note(&line),
        }
    }

    /// Time that the other runs will take, if they take as long as those so far.
    fn left(&self) -> String {
        let n_left = self.n_cells - self.n_ended;
        if self.n_ended == 0 || n_left == 0 {
            return String::new();
        }
        let rounds = n_left as f64 / self.n_jobs.min(n_left) as f64;
        format!(", about {} left", clock(self.secs / self.n_ended as f64 * rounds))
    }

    pub(super) fn finish(&mut self) {
        if let Some(bar) = self.bar.take() {
            bar.finish_and_clear();
        }
    }
}
