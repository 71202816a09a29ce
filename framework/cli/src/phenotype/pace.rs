//! How long learning many networks will take.

use crate::run::clock;
use std::time::{Duration, Instant};

/// Seconds between notes while a network learns.
const BETWEEN_NOTES: Duration = Duration::from_secs(15);

/// How fast networks learn, and how many are left.
pub(super) struct Pace {
    started: Instant,
    network: Instant,
    last: Instant,
    n_done: usize,
    n_all: usize,
}

impl Pace {
    pub(super) fn new(n_all: usize) -> Pace {
        let now = Instant::now();
        Pace { started: now, network: now, last: now, n_done: 0, n_all }
    }

    pub(super) fn done(&mut self) {
        let now = Instant::now();
        (self.network, self.last) = (now, now);
        self.n_done += 1;
    }

    /// Whether a note is due.
    pub(super) fn is_due(&mut self) -> bool {
        let is_due = self.last.elapsed() >= BETWEEN_NOTES;
        if is_due {
            self.last = Instant::now();
        }
        is_due
    }

    /// Time left: as networks took before; of the first one as if it made all its epochs.
    pub(super) fn left(&self, (epoch, n_most): (usize, usize)) -> String {
        let elapsed = self.network.elapsed().as_secs_f64();
        let each = match (self.n_done, epoch) {
            (0, 0) => return "an unknown time".to_owned(),
            (0, epoch) => elapsed / epoch as f64 * n_most as f64,
            (n, _) => (self.network - self.started).as_secs_f64() / n as f64,
        };
        clock((each * (self.n_all - self.n_done) as f64 - elapsed).max(0.0))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn time_left_is_told_as_soon_as_there_is_anything_to_go_by() {
        let mut pace = Pace::new(3);
        assert_eq!(pace.left((0, 10)), "an unknown time");
        pace.started -= Duration::from_secs(60);
        pace.network -= Duration::from_secs(60);
        // two passes of ten took a minute: five minutes for each of three networks, less what is done
        assert_eq!(pace.left((2, 10)), "14:00");
        pace.done();
        assert_eq!(pace.left((0, 10)), "2:00");
        assert!(!pace.is_due());
        pace.last -= BETWEEN_NOTES;
        assert!(pace.is_due() && !pace.is_due());
    }
}
