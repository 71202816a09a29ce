//! Progress of learning: a bar with the time left on a terminal, plain lines elsewhere.

use framework::fit::{Event, Observer, Stage};
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use std::io::Write;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

/// The bar that is on the terminal now, if one is.
static SHOWN: Mutex<Option<ProgressBar>> = Mutex::new(None);

/// Writes to the terminal with the bar out of the way.
pub fn beside_bar(write: impl FnOnce()) {
    match SHOWN.lock().unwrap_or_else(PoisonError::into_inner).as_ref() {
        Some(bar) => bar.suspend(write),
        None => write(),
    }
}

fn show(bar: Option<ProgressBar>) {
    *SHOWN.lock().unwrap_or_else(PoisonError::into_inner) = bar;
}

/// Seconds between plain lines.
const BETWEEN_LINES: Duration = Duration::from_secs(10);

/// Shows the events of learning.
pub struct Progress<'a> {
    plain: Option<&'a mut dyn Write>,
    bar: Option<ProgressBar>,
    n_epochs: u64,
    last_line: Option<Instant>,
    loss: f64,
    best: Option<f64>,
}

impl<'a> Progress<'a> {
    /// A bar on standard error.
    pub fn bar() -> Progress<'a> {
        Progress {
            plain: None,
            bar: Some(ProgressBar::hidden()),
            n_epochs: 0,
            last_line: None,
            loss: f64::NAN,
            best: None,
        }
    }

    /// Lines of text.
    pub fn lines(out: &'a mut dyn Write) -> Progress<'a> {
        Progress { plain: Some(out), bar: None, n_epochs: 0, last_line: None, loss: f64::NAN, best: None }
    }

    /// Nothing at all.
    pub fn silent() -> Progress<'a> {
        Progress { plain: None, bar: None, n_epochs: 0, last_line: None, loss: f64::NAN, best: None }
    }

    fn line(&mut self, text: &str) {
        if let Some(out) = &mut self.plain {
            // A closed pipe must not end the training.
            let _ = writeln!(out, "{text}").and_then(|()| out.flush());
        }
        if let Some(bar) = &self.bar {
            bar.suspend(|| eprintln!("{text}"));
        }
    }

    fn start(&mut self, stage: Stage, n_epochs: u64, n_steps: u64) {
        (self.n_epochs, self.best, self.last_line) = (n_epochs, None, Some(Instant::now()));
        if self.bar.is_some() {
            let style = ProgressStyle::with_template("{prefix} [{bar:30}] {percent:>3}% {msg} {eta} left");
            let bar = ProgressBar::with_draw_target(Some(n_epochs * n_steps), ProgressDrawTarget::stderr());
            bar.set_style(style.unwrap_or_else(|_| ProgressStyle::default_bar()).progress_chars("=> "));
            bar.set_prefix(title(stage));
            show(Some(bar.clone()));
            self.bar = Some(bar);
        } else {
            self.line(&format!("{}: up to {n_epochs} epochs of {n_steps} steps", title(stage)));
        }
    }

    fn epoch(&mut self, stage: Stage, epoch: u64, secs: f64) {
        let message = self.message(epoch);
        if let Some(bar) = &self.bar {
            bar.set_message(message);
            return;
        }
        if self.last_line.is_none_or(|last| last.elapsed() >= BETWEEN_LINES) {
            self.last_line = Some(Instant::now());
            let left = secs * (self.n_epochs - epoch - 1) as f64;
            self.line(&format!("{}: {message}, at most {} left", title(stage), clock(left)));
        }
    }

    fn message(&self, epoch: u64) -> String {
        let best = self.best.map(|best| format!(", best on validation {best:.4}")).unwrap_or_default();
        format!("epoch {} of {}, loss {:.4}{best}", epoch + 1, self.n_epochs, self.loss)
    }
}

impl Drop for Progress<'_> {
    fn drop(&mut self) {
        show(None);
    }
}

impl Observer for Progress<'_> {
    fn observe(&mut self, event: &Event<'_>) {
        match event {
            Event::Started { stage, n_epochs, n_steps, n_steps_done } => {
                self.start(*stage, *n_epochs, *n_steps);
                if let Some(bar) = &self.bar {
                    bar.set_position(*n_steps_done);
                    bar.reset_eta();
                }
            }
            Event::Step { .. } => {
                if let Some(bar) = &self.bar {
                    bar.inc(1);
                }
            }
            Event::Epoch { stage, epoch, terms, secs, .. } => {
                self.loss = terms.iter().filter(|(name, _)| !is_side_term(name)).map(|(_, value)| value).sum();
                self.epoch(*stage, *epoch, *secs);
            }
            Event::Validation { score, is_best, .. } => {
                if *is_best {
                    self.best = Some(*score);
                }
            }
            Event::Finished { stage, n_epochs, kept_epoch, reason } => {
                if let Some(bar) = &self.bar {
                    bar.finish_and_clear();
                    show(None);
                }
                let best = self.best.map(|best| format!(", validation {best:.4}")).unwrap_or_default();
                self.line(&format!(
                    "{}: {n_epochs} epochs ({reason}); kept epoch {}{best}",
                    title(*stage),
                    kept_epoch + 1
                ));
            }
        }
    }
}

/// Terms that are not losses of predictions or rows.
fn is_side_term(name: &str) -> bool {
    name.starts_with("prior_") || name.starts_with("divergence_") || name == "l1"
}

fn title(stage: Stage) -> &'static str {
    match stage {
        Stage::Rows => "step 1, latent rows and decoders",
        Stage::Encoders => "step 2, encoders",
        Stage::OneStep => "one step, encoders and decoders",
        Stage::DecoderOnly => "latent rows, priors and decoders",
    }
}

pub(crate) fn clock(secs: f64) -> String {
    let secs = secs.round().max(0.0) as u64;
    match secs / 3600 {
        0 => format!("{}:{:02}", secs / 60, secs % 60),
        hours => format!("{hours}:{:02}:{:02}", secs % 3600 / 60, secs % 60),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_read_like_a_clock() {
        assert_eq!((clock(5.4), clock(61.0), clock(3_723.0)), ("0:05".into(), "1:01".into(), "1:02:03".into()));
    }
}
