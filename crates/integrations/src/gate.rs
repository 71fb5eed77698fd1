//! The gate that all calls to one system pass: so many at a time, so many in a second, none while the
//! system is down. One for each system and process.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};
use onefold_domain::Clock;
use tokio::sync::{Semaphore, SemaphorePermit};
use tokio::time::{sleep, timeout};

use crate::breaker::{Breaker, BreakerPolicy, Open};

/// What a gate lets through.
#[derive(Clone, Copy, Debug)]
pub(crate) struct GatePolicy {
    pub(crate) concurrency: usize,
    pub(crate) calls_per_second: u32,
    /// The longest wait before the gate, for a place and for the pace each.
    pub(crate) patience: Duration,
    pub(crate) breaker: BreakerPolicy,
}

pub(crate) struct Gate {
    places: Semaphore,
    pace: Pace,
    breaker: Breaker,
    patience: Duration,
}

/// Why a call was not made.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Closed {
    Open {
        retry_after: Duration,
    },
    /// Too many wait already.
    Busy,
}

/// Leave to make one call. Whoever drops it without a word gave the call up.
pub(crate) struct Pass<'a> {
    gate: &'a Gate,
    _place: SemaphorePermit<'a>,
    is_told: bool,
}

impl Gate {
    pub(crate) fn new(policy: GatePolicy, clock: Arc<dyn Clock>) -> Self {
        Self {
            places: Semaphore::new(policy.concurrency),
            pace: Pace::new(policy.calls_per_second, Arc::clone(&clock)),
            breaker: Breaker::new(policy.breaker, clock),
            patience: policy.patience,
        }
    }

    /// Waits for a turn.
    pub(crate) async fn pass(&self) -> Result<Pass<'_>, Closed> {
        let place = timeout(self.patience, self.places.acquire()).await;
        let place = place.map_err(|_| Closed::Busy)?.map_err(|_| Closed::Busy)?;
        // Before the pace, so that a closed gate answers at once.
        self.breaker.admit().map_err(|Open { retry_after }| Closed::Open { retry_after })?;
        let pass = Pass { gate: self, _place: place, is_told: false };
        let wait = self.pace.reserve(self.patience).ok_or(Closed::Busy)?;
        if !wait.is_zero() {
            sleep(wait).await;
        }
        Ok(pass)
    }
}

impl Pass<'_> {
    /// The system answered, whatever it said.
    pub(crate) fn succeeded(mut self) {
        self.is_told = true;
        self.gate.breaker.succeeded();
    }

    /// The system is not there, or not itself.
    pub(crate) fn failed(mut self) {
        self.is_told = true;
        self.gate.breaker.failed();
    }
}

impl Pass<'_> {
    /// The system answered that it wants to be left alone for so long. Nobody is let through meanwhile; longer
    /// than anybody waits here is of no use.
    pub(crate) fn held_off(self, wait: Duration) {
        self.gate.pace.hold_off(wait.min(self.gate.patience));
        self.succeeded();
    }
}

impl Drop for Pass<'_> {
    fn drop(&mut self) {
        if !self.is_told {
            self.gate.breaker.given_up();
        }
    }
}

/// Hands out moments, evenly spaced. `governor` was rejected here: it tells whether a call may go now, not
/// when it may, so that waiting callers would have to ask again and again.
struct Pace {
    step: Duration,
    clock: Arc<dyn Clock>,
    next: Mutex<DateTime<Utc>>,
}

impl Pace {
    fn new(calls_per_second: u32, clock: Arc<dyn Clock>) -> Self {
        let step = Duration::from_secs(1) / calls_per_second.max(1);
        let next = Mutex::new(clock.now());
        Self { step, clock, next }
    }

    /// How long to wait for the next free moment, which is then taken; `None` when that is too long.
    fn reserve(&self, patience: Duration) -> Option<Duration> {
        let now = self.clock.now();
        let mut next = self.next.lock().unwrap_or_else(PoisonError::into_inner);
        let wait = (*next - now).to_std().unwrap_or_default();
        if wait > patience {
            // Either too many wait, or the clock was set back. The next caller finds a fresh start.
            *next = now;
            return None;
        }
        let step = TimeDelta::from_std(wait + self.step).ok()?;
        *next = now.checked_add_signed(step)?;
        Some(wait)
    }

    fn hold_off(&self, wait: Duration) {
        let until = TimeDelta::from_std(wait).ok().and_then(|wait| self.clock.now().checked_add_signed(wait));
        let mut next = self.next.lock().unwrap_or_else(PoisonError::into_inner);
        *next = until.map_or(*next, |until| until.max(*next));
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use std::sync::atomic::{AtomicI64, Ordering};

    use super::*;

    /// A clock that stands still until it is moved.
    #[derive(Default)]
    pub(crate) struct HandClock(AtomicI64);

    impl HandClock {
        pub(crate) fn pass(&self, seconds: i64) {
            self.0.fetch_add(seconds, Ordering::SeqCst);
        }
    }

    impl Clock for HandClock {
        fn now(&self) -> DateTime<Utc> {
            DateTime::from_timestamp(self.0.load(Ordering::SeqCst), 0).unwrap()
        }
    }

    fn gate(clock: Arc<HandClock>, concurrency: usize) -> Gate {
        let breaker = BreakerPolicy { failures: 1, pause: Duration::from_secs(30) };
        let patience = Duration::from_secs(1);
        Gate::new(GatePolicy { concurrency, calls_per_second: 4, patience, breaker }, clock)
    }

    #[test]
    fn moments_are_evenly_spaced_and_unused_ones_are_lost() {
        let clock = Arc::new(HandClock::default());
        let pace = Pace::new(4, clock.clone());
        let reserve = || pace.reserve(Duration::from_secs(1)).map(|wait| wait.as_millis());
        assert_eq!([reserve(), reserve(), reserve()], [Some(0), Some(250), Some(500)]);
        clock.pass(60);
        assert_eq!([reserve(), reserve()], [Some(0), Some(250)]);
    }

    #[test]
    fn a_wait_has_a_limit_also_when_the_clock_is_set_back() {
        let clock = Arc::new(HandClock::default());
        let pace = Pace::new(1, clock.clone());
        let patience = Duration::from_secs(2);
        clock.pass(3_600);
        assert_eq!(pace.reserve(patience), Some(Duration::ZERO));
        clock.pass(-3_600);
        assert_eq!(pace.reserve(patience), None);
        assert_eq!(pace.reserve(patience), Some(Duration::ZERO));
    }

    #[tokio::test(start_paused = true)]
    async fn who_asks_to_be_left_alone_is_and_not_for_longer_than_anybody_waits() {
        for (asked, waited) in [(500, 500), (60_000, 1_000)] {
            let gate = gate(Arc::default(), 2);
            gate.pass().await.unwrap().held_off(Duration::from_millis(asked));
            let before = tokio::time::Instant::now();
            gate.pass().await.unwrap().succeeded();
            assert_eq!(before.elapsed().as_millis(), waited);
        }
    }

    #[tokio::test(start_paused = true)]
    async fn so_many_at_a_time_and_nobody_waits_for_ever() {
        let gate = gate(Arc::default(), 2);
        let first = gate.pass().await.unwrap();
        let _second = gate.pass().await.unwrap();
        assert_eq!(gate.pass().await.err(), Some(Closed::Busy));
        first.succeeded();
        assert!(gate.pass().await.is_ok());
    }

    #[tokio::test(start_paused = true)]
    async fn calls_keep_the_pace() {
        let gate = gate(Arc::default(), 2);
        let start = tokio::time::Instant::now();
        for _ in 0..3 {
            gate.pass().await.unwrap().succeeded();
        }
        // None for the first, then 250 and 500 ms: the clock of the gate stands still.
        assert!((749..=760).contains(&start.elapsed().as_millis()), "{:?}", start.elapsed());
    }

    #[tokio::test(start_paused = true)]
    async fn a_failure_closes_the_gate_and_whoever_goes_away_leaves_it_to_the_next() {
        let clock = Arc::new(HandClock::default());
        let gate = gate(Arc::clone(&clock), 2);
        gate.pass().await.unwrap().failed();
        assert_eq!(gate.pass().await.err(), Some(Closed::Open { retry_after: Duration::from_secs(30) }));
        clock.pass(30);
        drop(gate.pass().await.unwrap());
        gate.pass().await.unwrap().succeeded();
        assert!(gate.pass().await.is_ok());
    }
}
