//! Runs of a study, some at once, each in a process of its own.
//!
//! A child lives no longer than its parent: it ends when its standard input closes, which happens even if the parent is
//! killed. A child that was stopped goes on from its last checkpoint.

use super::comparison::RunState;
use super::ledger::Ledger;
use super::progress::CellProgress;
use super::study::{Cell, Folder};
use crate::console::Console;
use crate::failure::{INTERRUPTED, Interrupted};
use crate::interrupt;
use anyhow::{Context, Result};
use framework::run::write_atomically;
use std::collections::VecDeque;
use std::fs::File;
use std::path::PathBuf;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

/// What every run of a study is told.
pub(super) const ALWAYS: &str = "--no-annotation";
/// What runs of variants are told, too: controls depend on data and split, so once for each seed, beside the base, is enough.
pub(super) const OF_VARIANTS: &str = "--no-controls";

/// How often children are looked at.
const PAUSE: Duration = Duration::from_millis(50);
/// How long children may take to end when asked.
const PATIENCE: Duration = Duration::from_secs(10);

/// What runs may use together.
#[derive(Debug, Clone)]
pub struct Limits {
    /// Runs at once.
    pub n_jobs: usize,
    /// Threads of each.
    pub n_threads: usize,
    /// Memory of all together.
    pub memory_bytes: Option<u64>,
}

/// What is run, and how.
#[derive(Debug)]
pub struct Schedule<'a> {
    /// The study.
    pub folder: &'a Folder,
    /// The program.
    pub program: PathBuf,
    /// What runs may use.
    pub limits: Limits,
    /// Predicted peak memory of a run by variant, where it was asked for.
    pub memory_bytes: Vec<Option<u64>>,
}

/// A run that goes on.
struct Running {
    cell: Cell,
    child: Child,
    start: Instant,
}

impl Schedule<'_> {
    /// Runs cells in order. A run that fails hurts no other.
    ///
    /// # Errors
    /// When interrupted, or when a child cannot be started or the ledger cannot be written; runs that went on are ended.
    pub fn run(&self, cells: &[Cell], ledger: &mut Ledger<'_>, console: &mut Console<'_>) -> Result<()> {
        let mut progress = CellProgress::new(cells.len(), self.limits.n_jobs, console);
        let mut waiting: VecDeque<Cell> = cells.iter().copied().collect();
        let mut running: Vec<Running> = Vec::new();
        let outcome = self.go_on(&mut waiting, &mut running, ledger, (&mut progress, console));
        end(&mut running);
        progress.finish();
        outcome
    }

    fn go_on(
        &self,
        waiting: &mut VecDeque<Cell>,
        running: &mut Vec<Running>,
        ledger: &mut Ledger<'_>,
        (progress, console): (&mut CellProgress, &mut Console<'_>),
    ) -> Result<()> {
        let interrupted = interrupt::flag();
        while !waiting.is_empty() || !running.is_empty() {
            if interrupted.load(Ordering::Relaxed) {
                return Err(Interrupted.into());
            }
            while self.has_room(waiting.front(), running) {
                let Some(cell) = waiting.pop_front() else { break };
                match self.start(cell) {
                    Ok(one) => {
                        running.push(one);
                        ledger.set(cell, RunState::Running)?;
                        progress.started(&self.folder.title(cell));
                    }
                    Err(error) => {
                        self.fail(cell, &format!("{error:#}"))?;
                        self.tell((cell, RunState::Failed, Duration::ZERO), ledger, (progress, console))?;
                    }
                }
            }
            let mut still = Vec::new();
            for mut one in running.drain(..) {
                match one.child.try_wait().context("a run cannot be watched")? {
                    None => still.push(one),
                    Some(status) => {
                        let ended = (one.cell, self.ended(one.cell, status)?, one.start.elapsed());
                        self.tell(ended, ledger, (progress, console))?;
                    }
                }
            }
            *running = still;
            std::thread::sleep(PAUSE);
        }
        Ok(())
    }

    /// Whether the next run may start beside those that go on. One run may always.
    fn has_room(&self, next: Option<&Cell>, running: &[Running]) -> bool {
        let Some(next) = next else { return false };
        if running.is_empty() {
            return true;
        }
        let of = |cell: &Cell| self.memory_bytes.get(cell.variant).copied().flatten().unwrap_or(0);
        let held: u64 = running.iter().map(|one| of(&one.cell)).sum();
        let fits = self.limits.memory_bytes.is_none_or(|most| held + of(next) <= most);
        running.len() < self.limits.n_jobs && fits
    }

    fn start(&self, cell: Cell) -> Result<Running> {
        let (path, goes_on) = (self.folder.path(), self.folder.was_stopped(cell)?);
        if !goes_on {
            self.folder.clear(cell)?;
        }
        let log = path.join(self.folder.log(cell, "log"));
        let log = File::options().create(true).append(true).open(&log);
        let log = log.with_context(|| format!("what `{}` says cannot be written", self.folder.title(cell)))?;
        let threads = self.limits.n_threads.to_string();
        let (spec, run) = (path.join(self.folder.spec(cell.variant)), path.join(self.folder.run(cell)));
        let mut command = Command::new(&self.program);
        match goes_on {
            true => command.arg("resume").arg(run),
            false => command.arg("run").arg(spec).arg("--out").arg(run).args(["--set", &format!("seed={}", cell.seed)]),
        };
        command.args(["--stop-with-stdin", ALWAYS, "--prepared"]).arg(self.folder.prepared());
        if cell.variant > 0 {
            command.arg(OF_VARIANTS);
        }
        command.env("OMP_NUM_THREADS", &threads).env("RAYON_NUM_THREADS", &threads);
        command.stdin(Stdio::piped()).stdout(Stdio::null()).stderr(log);
        let child = command.spawn().with_context(|| format!("`{}` cannot be started", self.program.display()))?;
        Ok(Running { cell, child, start: Instant::now() })
    }

    /// What became of a run that has ended; an exit code that is not 0 is kept.
    fn ended(&self, cell: Cell, status: ExitStatus) -> Result<RunState> {
        if status.success() && self.folder.state(cell)? == RunState::Done {
            return Ok(RunState::Done);
        }
        if status.code() == Some(i32::from(INTERRUPTED)) {
            return Ok(RunState::Pending);
        }
        self.fail(cell, &status.to_string())?;
        Ok(RunState::Failed)
    }

    /// Keeps how a run ended that failed.
    fn fail(&self, cell: Cell, how: &str) -> Result<()> {
        let failed = self.folder.path().join(self.folder.log(cell, "failed"));
        write_atomically(&failed, format!("{how}\n").as_bytes())
    }

    /// Tells ledger and reader what became of a run.
    fn tell(
        &self,
        (cell, state, took): (Cell, RunState, Duration),
        ledger: &mut Ledger<'_>,
        (progress, console): (&mut CellProgress, &mut Console<'_>),
    ) -> Result<()> {
        ledger.set(cell, state)?;
        let title = self.folder.title(cell);
        progress.ended((&title, state, took), console)?;
        if state == RunState::Failed {
            console.note(&format!("{title} failed: {}", self.folder.reason(cell)))?;
        }
        Ok(())
    }
}

/// Ends runs that go on: first asked, by closing what they read from, then killed.
fn end(running: &mut Vec<Running>) {
    for one in running.iter_mut() {
        drop(one.child.stdin.take());
    }
    let start = Instant::now();
    while !running.is_empty() {
        running.retain_mut(|one| matches!(one.child.try_wait(), Ok(None)));
        if start.elapsed() > PATIENCE {
            for one in running.iter_mut() {
                // One that has ended meanwhile cannot be killed, and need not be.
                let _ = one.child.kill();
                let _ = one.child.wait();
            }
            return;
        }
        std::thread::sleep(PAUSE);
    }
}
