//! A circuit breaker: after failures in a row it lets nothing through for a while, then one call that
//! decides for all. It goes by monotonic time, so that a clock that is set back changes nothing; the crates for this read
//! a clock that a test cannot move.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

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
    /// Until then, in monotonic time, nothing is let through; `None` while the circuit is closed.
    open_until: Option<Duration>,
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
        let left = until.saturating_sub(self.clock.elapsed());
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
            state.open_until = Some(self.clock.elapsed() + self.policy.pause);
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
    use chrono::TimeDelta;
    use onefold_service::testing::ManualClock;

    use super::*;

    fn breaker() -> (Arc<ManualClock>, Breaker) {
        let clock = Arc::new(ManualClock::default());
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
        clock.pass(TimeDelta::seconds(29));
        assert_eq!(breaker.admit(), Err(Open { retry_after: Duration::from_secs(1) }));
        clock.pass(TimeDelta::seconds(1));
        assert_eq!(breaker.admit(), Ok(()));
        assert!(breaker.admit().is_err(), "a second call beside the one that decides");
        breaker.failed();
        assert_eq!(breaker.admit(), Err(Open { retry_after: Duration::from_secs(30) }));
        clock.pass(TimeDelta::seconds(30));
        assert_eq!(breaker.admit(), Ok(()));
        breaker.given_up();
        assert_eq!(breaker.admit(), Ok(()), "the next one decides instead");
        breaker.succeeded();
        assert_eq!((breaker.admit(), breaker.admit()), (Ok(()), Ok(())));
    }

    #[test]
    fn late_failures_do_not_lengthen_the_pause() {
        let (clock, breaker) = breaker();
        for _ in 0..3 {
            breaker.failed();
        }
        clock.pass(TimeDelta::seconds(20));
        breaker.failed();
        clock.pass(TimeDelta::seconds(10));
        assert_eq!(breaker.admit(), Ok(()));
        breaker.failed();
        assert_eq!(breaker.admit(), Err(Open { retry_after: Duration::from_secs(30) }));
    }
}
