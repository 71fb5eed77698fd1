//! The gate that all calls to one system pass: so many at a time, so many in a second, none while the
//! system is down. One for each system and process; the first two are counted for all processes together.

use std::sync::Arc;
use std::time::Duration;

use onefold_service::clock::Clock;
use onefold_sync::pace::{CallPace, PaceLimits};
use tokio::sync::Semaphore;
use tokio::time::{Instant, timeout_at};

use crate::breaker::{Breaker, BreakerPolicy, Open};
use crate::turn::{Crowded, Place, Turns};

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
    /// The calls that this process may have under way: as many as there may be of all, which it has to itself if it is the
    /// only one.
    places: Arc<Semaphore>,
    turns: Turns,
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
    place: Place,
    is_told: bool,
}

impl Gate {
    /// Without a shared pace this process keeps its own.
    pub(crate) fn new(policy: GatePolicy, clock: Arc<dyn Clock>, shared: Option<Arc<dyn CallPace>>) -> Self {
        let GatePolicy { concurrency, calls_per_second, patience, breaker } = policy;
        let limits = PaceLimits { calls_per_second, concurrency };
        Self {
            places: Arc::new(Semaphore::new(concurrency)),
            turns: Turns::new(limits, patience, Arc::clone(&clock), shared),
            breaker: Breaker::new(breaker, clock),
            patience,
        }
    }

    /// Waits for a turn. The call that is then made takes no longer than `lasts`.
    pub(crate) async fn pass(&self, lasts: Duration) -> Result<Pass<'_>, Closed> {
        let until = Instant::now() + self.patience;
        let permit = timeout_at(until, Arc::clone(&self.places).acquire_owned()).await;
        let permit = permit.map_err(|_| Closed::Busy)?.map_err(|_| Closed::Busy)?;
        // Before the pace, so that a closed gate answers at once.
        self.breaker.admit().map_err(|Open { retry_after }| Closed::Open { retry_after })?;
        let mut pass = Pass { gate: self, place: self.turns.place(permit), is_told: false };
        self.turns.wait(&mut pass.place, until, lasts).await.map_err(|Crowded| Closed::Busy)?;
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
    pub(crate) fn held_off(mut self, wait: Duration) {
        self.gate.turns.hold_off(wait.min(self.gate.patience), &mut self.place);
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

#[cfg(test)]
mod tests {
    use onefold_service::testing::ManualClock;

    use super::*;

    const CALL: Duration = Duration::from_secs(1);

    fn gate(clock: Arc<ManualClock>, concurrency: usize) -> Gate {
        let breaker = BreakerPolicy { failures: 1, pause: Duration::from_secs(30) };
        let patience = Duration::from_secs(1);
        Gate::new(GatePolicy { concurrency, calls_per_second: 4, patience, breaker }, clock, None)
    }

    #[tokio::test(start_paused = true)]
    async fn who_asks_to_be_left_alone_is_and_not_for_longer_than_anybody_waits() {
        for (asked, waited) in [(500, 500), (60_000, 1_000)] {
            let gate = gate(Arc::default(), 2);
            gate.pass(CALL).await.unwrap().held_off(Duration::from_millis(asked));
            let before = tokio::time::Instant::now();
            gate.pass(CALL).await.unwrap().succeeded();
            assert_eq!(before.elapsed().as_millis(), waited);
        }
    }

    #[tokio::test(start_paused = true)]
    async fn so_many_at_a_time_and_nobody_waits_for_ever() {
        let gate = gate(Arc::default(), 2);
        let first = gate.pass(CALL).await.unwrap();
        let _second = gate.pass(CALL).await.unwrap();
        assert_eq!(gate.pass(CALL).await.err(), Some(Closed::Busy));
        first.succeeded();
        assert!(gate.pass(CALL).await.is_ok());
    }

    #[tokio::test(start_paused = true)]
    async fn calls_keep_the_pace() {
        let gate = gate(Arc::default(), 2);
        let start = tokio::time::Instant::now();
        for _ in 0..3 {
            gate.pass(CALL).await.unwrap().succeeded();
        }
        // None for the first, then 262.5 and 525 ms: the clock of the gate stands still.
        assert!((787..=795).contains(&start.elapsed().as_millis()), "{:?}", start.elapsed());
    }

    #[tokio::test(start_paused = true)]
    async fn a_failure_closes_the_gate_and_whoever_goes_away_leaves_it_to_the_next() {
        let clock = Arc::new(ManualClock::default());
        let gate = gate(Arc::clone(&clock), 2);
        gate.pass(CALL).await.unwrap().failed();
        assert_eq!(gate.pass(CALL).await.err(), Some(Closed::Open { retry_after: Duration::from_secs(30) }));
        clock.pass(chrono::TimeDelta::seconds(30));
        drop(gate.pass(CALL).await.unwrap());
        gate.pass(CALL).await.unwrap().succeeded();
        assert!(gate.pass(CALL).await.is_ok());
    }
}
