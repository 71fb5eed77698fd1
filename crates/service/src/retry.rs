//! Trying again. Whatever changes a store rests on what it read; when somebody else was faster, or the
//! database was away for a moment, everything starts over, a bounded number of times and until a deadline.

use std::time::Duration;

use tokio::time::{sleep, timeout};

use crate::clock::Randomness;
use crate::store::StoreError;

/// How long to try before giving up.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Patience {
    /// The most times that the work is started.
    pub attempts: u32,
    /// The longest pause before starting over; the first is at most 1 ms and each doubles the last.
    pub longest_pause: Duration,
    /// The longest time for everything together.
    pub deadline: Duration,
}

impl Default for Patience {
    /// 64 attempts within 10 s, at most 100 ms apart.
    fn default() -> Self {
        Self { attempts: 64, longest_pause: Duration::from_millis(100), deadline: Duration::from_secs(10) }
    }
}

/// Why something was not done although nothing was wrong with it. Nothing was stored.
#[derive(Debug, thiserror::Error)]
pub enum Failure {
    /// Too many callers at once for these values, or the database does not answer. Repeating the
    /// request is harmless.
    #[error("gave up after {attempts} attempts")]
    Unavailable { attempts: u32, source: StoreError },
    /// The time was up while the store was at work.
    #[error("took longer than its deadline")]
    TimedOut,
    #[error(transparent)]
    Store(StoreError),
}

impl From<StoreError> for Failure {
    fn from(error: StoreError) -> Self {
        Self::Store(error)
    }
}

/// An error that may come from a store, and then be a reason to start over.
pub trait Attempted: From<Failure> + Send {
    /// The store's part, or the error itself if it is final.
    fn into_store(self) -> Result<StoreError, Self>;
}

impl Attempted for Failure {
    fn into_store(self) -> Result<StoreError, Self> {
        match self {
            Self::Store(error) => Ok(error),
            other => Err(other),
        }
    }
}

impl Patience {
    /// Calls `attempt` with 0, 1, 2 … until it succeeds, fails for good, or patience is at an end.
    ///
    /// An attempt whose commit was interrupted may have been carried out; what is tried here must find
    /// that out by itself when it starts over.
    pub async fn keep_trying<T, E: Attempted, F: Future<Output = Result<T, E>>>(
        self,
        randomness: &dyn Randomness,
        attempt: impl Fn(u32) -> F,
    ) -> Result<T, E> {
        let trying = async {
            let mut attempts = 0;
            loop {
                let result = attempt(attempts).await;
                attempts += 1;
                let error = match result {
                    Ok(done) => return Ok(done),
                    Err(error) => error.into_store()?,
                };
                match error {
                    // A defect stays one, and no disk is mended within this deadline.
                    StoreError::Backend(_) | StoreError::Storage { .. } => {
                        return Err(Failure::Store(error).into());
                    }
                    source if attempts >= self.attempts => {
                        return Err(Failure::Unavailable { attempts, source }.into());
                    }
                    _ => sleep(self.pause(attempts, randomness)).await,
                }
            }
        };
        timeout(self.deadline, trying).await.unwrap_or_else(|_| Err(Failure::TimedOut.into()))
    }

    fn pause(&self, attempts: u32, randomness: &dyn Randomness) -> Duration {
        let limit = Duration::from_millis(1) * 2_u32.saturating_pow(attempts.saturating_sub(1).min(16));
        randomness.up_to(limit.min(self.longest_pause))
    }
}
