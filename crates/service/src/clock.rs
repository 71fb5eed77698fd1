//! Time and randomness as ports, so that every rule and every test can be repeated to the letter.
//! The system's clock and generator are read here and nowhere else.

use std::sync::LazyLock;
use std::time::{Duration, Instant};

use chrono::{DateTime, DurationRound, TimeDelta, Utc};
use uuid::{NoContext, Timestamp, Uuid};

/// Says what time it is.
pub trait Clock: Send + Sync {
    /// The present moment in UTC, to the microsecond: the precision that both databases keep.
    fn now(&self) -> DateTime<Utc>;

    /// How long it has been since some moment that stays the same: monotonic time, which goes on evenly when somebody sets
    /// the clock. For pauses and deadlines of this process; nothing of it is stored. A clock of a test may leave it as it
    /// is, if nobody sets it back.
    fn elapsed(&self) -> Duration {
        (self.now() - DateTime::UNIX_EPOCH).to_std().unwrap_or_default()
    }
}

/// Supplies what must differ from call to call.
pub trait Randomness: Send + Sync {
    /// A new UUID of version 7 that carries the moment `at`.
    fn uuid(&self, at: DateTime<Utc>) -> Uuid;

    /// Bytes that nobody can foresee, for secrets.
    ///
    /// # Errors
    /// A machine that has none to give.
    fn fill(&self, bytes: &mut [u8]) -> Result<(), NoRandomness>;

    /// A length of time between nothing and `limit`, for waits that must not fall together.
    fn up_to(&self, limit: Duration) -> Duration;
}

/// The machine has no secure randomness to give.
#[derive(Debug, thiserror::Error)]
#[error("the operating system gives no random bytes")]
pub struct NoRandomness(#[source] pub Box<dyn std::error::Error + Send + Sync>);

/// The clock of the machine.
#[derive(Debug, Clone, Copy, Default)]
pub struct SystemClock;

impl Clock for SystemClock {
    #[expect(clippy::disallowed_methods, reason = "this is the port that the rest goes through")]
    fn now(&self) -> DateTime<Utc> {
        let now = Utc::now();
        now.duration_trunc(TimeDelta::microseconds(1)).unwrap_or(now)
    }

    fn elapsed(&self) -> Duration {
        static START: LazyLock<Instant> = LazyLock::new(Instant::now);
        START.elapsed()
    }
}

/// The operating system's randomness.
#[derive(Debug, Clone, Copy, Default)]
pub struct SystemRandomness;

impl Randomness for SystemRandomness {
    #[expect(clippy::disallowed_methods, reason = "this is the port that the rest goes through")]
    fn uuid(&self, at: DateTime<Utc>) -> Uuid {
        let seconds = u64::try_from(at.timestamp()).unwrap_or_default();
        Uuid::new_v7(Timestamp::from_unix(NoContext, seconds, at.timestamp_subsec_nanos()))
    }

    fn fill(&self, bytes: &mut [u8]) -> Result<(), NoRandomness> {
        getrandom::fill(bytes).map_err(|error| NoRandomness(error.into()))
    }

    #[expect(clippy::disallowed_methods, reason = "this is the port that the rest goes through")]
    fn up_to(&self, limit: Duration) -> Duration {
        limit.mul_f64(fastrand::f64())
    }
}
