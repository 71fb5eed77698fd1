//! How many rows are stored together. Where others wait for the only writer, a batch should not keep them longer
//! than the store wants it to; how many rows that are depends on the machine, on the file and on how much is stored
//! already, so it is measured as the import goes on.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use chrono::TimeDelta;

/// The fewest rows: with less, the import would do little but begin and commit.
const FEWEST: usize = 25;

/// The size of the next batch. Clones share it: one reads rows ahead, the other stores them.
#[derive(Clone)]
pub(super) struct Pace {
    rows: Arc<AtomicUsize>,
    most: usize,
    is_limited: bool,
}

impl Pace {
    /// Batches of at most so many rows; within a limit of time it begins with a sixteenth of them.
    pub(super) fn new(most: usize, is_limited: bool) -> Self {
        let first = if is_limited { (most / 16).max(FEWEST) } else { most };
        Self { rows: Arc::new(AtomicUsize::new(first.min(most))), most, is_limited }
    }

    pub(super) fn rows(&self) -> usize {
        self.rows.load(Ordering::Relaxed)
    }

    /// Goes half of the way to the number that would have taken as long as is wanted. One batch that was held up
    /// says little, and at most halves the next.
    pub(super) fn took(&self, rows: usize, time: TimeDelta, limit: Option<TimeDelta>) {
        let Some(limit) = limit.filter(|_| self.is_limited) else { return };
        let rate = rows as f64 / time.as_seconds_f64().max(1e-6);
        let wanted = (rate * limit.as_seconds_f64()) as usize;
        let now = self.rows();
        let next = now.midpoint(wanted.min(now * 3));
        self.rows.store(next.clamp(FEWEST.min(self.most), self.most), Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LIMIT: TimeDelta = TimeDelta::milliseconds(10);

    /// Where it settles on a machine that takes so many microseconds for a row.
    fn settled(pace: &Pace, each: i64) -> usize {
        for _ in 0..30 {
            let rows = pace.rows();
            pace.took(rows, TimeDelta::microseconds(each * rows as i64), Some(LIMIT));
        }
        pace.rows()
    }

    #[test]
    fn batches_take_as_long_as_is_wanted() {
        let pace = Pace::new(4_000, true);
        assert_eq!(pace.rows(), 250);
        for (each, rows) in [(40, 250), (10, 1_000), (100, 100), (1, 4_000), (5_000, 25), (20, 500)] {
            assert!(settled(&pace, each).abs_diff(rows) <= 2, "{each} µs: {}", pace.rows());
        }
    }

    #[test]
    fn one_slow_batch_halves_the_next_at_most() {
        let pace = Pace::new(4_000, true);
        settled(&pace, 20);
        let before = pace.rows();
        pace.took(before, TimeDelta::seconds(5), Some(LIMIT));
        assert!(pace.rows() >= before / 2);
        pace.took(pace.rows(), TimeDelta::zero(), Some(LIMIT));
        assert!(pace.rows() <= before + 1, "nor does one that took no time change much");
    }

    #[test]
    fn without_a_limit_the_size_stays() {
        let pace = Pace::new(4_000, false);
        assert_eq!(settled(&pace, 5_000), 4_000);
        let few = Pace::new(10, true);
        assert_eq!((few.rows(), settled(&few, 5_000)), (10, 10));
    }
}
