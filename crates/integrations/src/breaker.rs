//! A circuit breaker: after failures in a row it lets nothing through for a while, then one call that
//! decides for all. The crates for this read the machine's own clock, which a test cannot move.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};
use onefold_service::clock::Clock;

/// When to stop calling, and for how long.
#[derive(Clone, Copy, Debug)]
pub(crate) struct BreakerPolicy {
    /// So many failures in a row open the circuit.
    pub(crate) failures: u32,
    /// How long nothing is let through.
    pub(crate) pause: Duration,
}

pub(crate) struct Breaker {
    policy: BreakerPolicy,
    clock: Arc<dyn Clock>,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    failures: u32,
    /// Until then nothing is let through; `None` while the circuit is closed.
    open_until: Option<DateTime<Utc>>,
    /// The one call after the pause is on its way.
    probing: bool,
}

/// The circuit is open.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Open {
    pub(crate) retry_after: Duration,
}

impl Breaker {
    pub(crate) fn new(policy: BreakerPolicy, clock: Arc<dyn Clock>) -> Self {
        Self { policy, clock, state: Mutex::default() }
    }

    /// Lets a call through or not. Who is let through tells how it went, also when it was given up.
    pub(crate) fn admit(&self) -> Result<(), Open> {
        let mut state = self.lock();
        let Some(until) = state.open_until else { return Ok(()) };
        // A clock that was set back must not keep the circuit open for longer than its pause.
        let left = (until - self.clock.now()).to_std().unwrap_or_default().min(self.policy.pause);
        if left.is_zero() && !state.probing {
            state.probing = true;
            return Ok(());
        }
        Err(Open { retry_after: left.max(Duration::from_secs(1)) })
    }

    pub(crate) fn succeeded(&self) {
        *self.lock() = State::default();
    }

    pub(crate) fn failed(&self) {
        let mut state = self.lock();
        state.failures = state.failures.saturating_add(1);
        // Calls that were on their way when it opened must not lengthen the pause.
        if state.probing || (state.open_until.is_none() && state.failures >= self.policy.failures) {
            let pause = TimeDelta::from_std(self.policy.pause).unwrap_or(TimeDelta::MAX);
            state.open_until = self.clock.now().checked_add_signed(pause);
            state.probing = false;
        }
    }

    /// Nobody knows how it went: the caller went away.
    pub(crate) fn given_up(&self) {
        self.lock().probing = false;
    }

    /// Nothing in here can panic halfway, so what a panic elsewhere left is whole.
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::gate::tests::HandClock;

    fn breaker() -> (Arc<HandClock>, Breaker) {
        let clock = Arc::new(HandClock::default());
        let policy = BreakerPolicy { failures: 3, pause: Duration::from_secs(30) };
        (Arc::clone(&clock), Breaker::new(policy, clock))
    }

    #[test]
    fn only_failures_in_a_row_open_it() {
        let (_, breaker) = breaker();
        for _ in 0..5 {
            breaker.failed();
            breaker.failed();
            breaker.succeeded();
        }
        assert_eq!(breaker.admit(), Ok(()));
        for _ in 0..3 {
            breaker.failed();
        }
        assert_eq!(breaker.admit(), Err(Open { retry_after: Duration::from_secs(30) }));
    }

    #[test]
    fn after_the_pause_one_call_decides() {
        let (clock, breaker) = breaker();
        for _ in 0..3 {
            breaker.failed();
        }
        clock.pass(29);
        assert_eq!(breaker.admit(), Err(Open { retry_after: Duration::from_secs(1) }));
        clock.pass(1);
        assert_eq!(breaker.admit(), Ok(()));
        assert!(breaker.admit().is_err(), "a second call beside the one that decides");
        breaker.failed();
        assert_eq!(breaker.admit(), Err(Open { retry_after: Duration::from_secs(30) }));
        clock.pass(30);
        assert_eq!(breaker.admit(), Ok(()));
        breaker.given_up();
        assert_eq!(breaker.admit(), Ok(()), "the next one decides instead");
        breaker.succeeded();
        assert_eq!((breaker.admit(), breaker.admit()), (Ok(()), Ok(())));
    }

    #[test]
    fn late_failures_and_a_clock_set_back_do_not_lengthen_the_pause() {
        let (clock, breaker) = breaker();
        for _ in 0..3 {
            breaker.failed();
        }
        clock.pass(20);
        breaker.failed();
        clock.pass(10);
        assert_eq!(breaker.admit(), Ok(()));
        breaker.failed();
        clock.pass(-3_600);
        assert_eq!(breaker.admit(), Err(Open { retry_after: Duration::from_secs(30) }));
    }
}
