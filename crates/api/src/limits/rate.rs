//! A rate for each key: as many at once as a minute has, and then as many as time gives back (GCRA).

use std::num::NonZeroU32;
use std::sync::Arc;
use std::time::Duration;

use governor::clock::Clock as GovernorClock;
use governor::middleware::StateInformationMiddleware;
use governor::state::keyed::DashMapStateStore;
use governor::{Quota, RateLimiter};
use onefold_service::clock::Clock;

use super::keys::Keys;
use super::{Decision, WINDOW_S, ceil_seconds};

/// One limit, kept for every key by itself.
pub(super) struct Rate {
    policy: &'static str,
    limit: NonZeroU32,
    limiter: RateLimiter<u64, DashMapStateStore<u64>, PortClock, StateInformationMiddleware>,
    clock: PortClock,
    keys: Keys,
}

impl Rate {
    /// `None` for a limit of 0.
    pub(super) fn per_minute(policy: &'static str, limit: u32, clock: &Arc<dyn Clock>) -> Option<Self> {
        let limit = NonZeroU32::new(limit)?;
        let clock = PortClock(Arc::clone(clock));
        let limiter = RateLimiter::new(Quota::per_minute(limit), DashMapStateStore::default(), clock.clone());
        Some(Self { policy, limit, limiter, clock, keys: Keys::default() })
    }

    pub(super) fn take(&self, key: u64) -> Decision {
        let key = self.keys.key(key, || {
            self.limiter.retain_recent();
            self.limiter.len()
        });
        let limit = self.limit.get();
        let (remaining, retry_after_s) = match self.limiter.check_key(&key) {
            Ok(state) => (state.remaining_burst_capacity(), None),
            Err(until) => (0, Some(ceil_seconds(until.wait_time_from(self.clock.now())).max(1))),
        };
        let used = u64::from(limit.saturating_sub(remaining));
        let reset_s = (used * WINDOW_S).div_ceil(u64::from(limit));
        Decision { policy: self.policy, limit, remaining, reset_s, retry_after_s }
    }
}

/// Our clock as governor reads one: the time since 1970. It may be set back; governor then counts no time.
#[derive(Clone)]
struct PortClock(Arc<dyn Clock>);

impl GovernorClock for PortClock {
    type Instant = Duration;

    fn now(&self) -> Duration {
        Duration::from_micros(u64::try_from(self.0.now().timestamp_micros()).unwrap_or_default())
    }
}
