//! When a call may be made: by the pace that all processes keep together or, where there is none or its store does not
//! answer, by that of this process alone.

use std::pin::pin;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};
use onefold_service::clock::Clock;
use onefold_sync::pace::{CallId, CallPace, PaceGrant, PaceLimits, PaceRequest, PaceState};
use tokio::runtime::Handle;
use tokio::sync::OwnedSemaphorePermit;
use tokio::time::{Instant, sleep, timeout};
use uuid::Uuid;

/// How long the store may take. A call waits for seconds, so that this is little; without its answer it is made all the
/// same.
const STORE_TIME: Duration = Duration::from_millis(500);

/// When a place is asked for again. Nobody tells that one was given back.
const ASK_AGAIN: Duration = Duration::from_millis(30);

/// A call that is later than this takes another moment: together with the next ones it would be too many in a second.
/// It is less than the margin between moments, since others take their time on the way.
const LATE: TimeDelta = TimeDelta::milliseconds(20);

/// How often. On a machine that is always late it goes on at last, and the other system may say that it was too much.
const MOMENTS: u32 = 4;

/// The process that made a call and gave its place back neither in the time that a call has, nor so long after, died.
const MARGIN: Duration = Duration::from_secs(2);

/// Too many wait already.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Crowded;

pub(crate) struct Turns {
    limits: PaceLimits,
    patience: Duration,
    clock: Arc<dyn Clock>,
    shared: Option<Arc<dyn CallPace>>,
    own: Mutex<PaceState>,
    /// Whether it was told that the store does not answer.
    is_told: AtomicBool,
}

/// A place among the calls under way, here and with all processes. It is given back when it is dropped.
pub(crate) struct Place {
    call: CallId,
    permit: Option<OwnedSemaphorePermit>,
    shared: Option<Arc<dyn CallPace>>,
    hold_off: Option<Duration>,
}

impl Turns {
    pub(crate) fn new(
        limits: PaceLimits,
        patience: Duration,
        clock: Arc<dyn Clock>,
        shared: Option<Arc<dyn CallPace>>,
    ) -> Self {
        let (own, is_told) = Default::default();
        Self { limits, patience, clock, shared, own, is_told }
    }

    /// A place that only this process knows of as yet.
    pub(crate) fn place(&self, permit: OwnedSemaphorePermit) -> Place {
        let call = self.shared.as_ref().map_or(CallId(Uuid::nil()), |shared| shared.name_call());
        Place { call, permit: Some(permit), shared: None, hold_off: None }
    }

    /// Returns when the call may be made, which takes no longer than `lasts`. Others are waited for until `until`.
    pub(crate) async fn wait(
        &self,
        place: &mut Place,
        until: Instant,
        lasts: Duration,
    ) -> Result<(), Crowded> {
        let (mut lead, mut moments) = (Duration::ZERO, 0);
        loop {
            let asked = Instant::now();
            let grant = self.ask(place, lead, lasts).await;
            let took = asked.elapsed();
            match grant {
                PaceGrant::TooLong => return Err(Crowded),
                PaceGrant::Full if Instant::now() >= until => return Err(Crowded),
                PaceGrant::Full => sleep(ASK_AGAIN).await,
                PaceGrant::At(moment) => {
                    moments += 1;
                    if self.reaches(moment).await || moments == MOMENTS {
                        return Ok(());
                    }
                    // Too late for its moment. The next one is no earlier than it takes to learn of it.
                    lead = took;
                }
            }
        }
    }

    /// Nobody here is let through for so long. The other processes learn of it when the place is given back.
    pub(crate) fn hold_off(&self, wait: Duration, place: &mut Place) {
        place.hold_off = Some(wait);
        let until = self.clock.now() + wait;
        self.decide_alone(|own| (own.give_back(place.call, Some(until)), ()));
    }

    /// Waits for a moment, and tells whether it came in time for it.
    async fn reaches(&self, moment: DateTime<Utc>) -> bool {
        if let Ok(wait) = (moment - self.clock.now()).to_std()
            && !wait.is_zero()
        {
            sleep(wait).await;
        }
        self.clock.now() <= moment + LATE
    }

    async fn ask(&self, place: &mut Place, lead: Duration, lasts: Duration) -> PaceGrant {
        let (call, limits, patience) = (place.call, self.limits, self.patience);
        let ask = PaceRequest { call, limits, patience, lead, lasts: lasts + MARGIN };
        if let Some(shared) = &self.shared {
            // Also when it is cut off: it may have been stored.
            place.shared = Some(Arc::clone(shared));
            match timeout(STORE_TIME, shared.take(&ask)).await {
                Ok(Ok(grant)) => {
                    self.is_told.store(false, Ordering::Relaxed);
                    return grant;
                }
                Ok(Err(error)) => self.tell(&error),
                Err(elapsed) => self.tell(&elapsed),
            }
        }
        let now = self.clock.now();
        self.decide_alone(|own| {
            let (taken, grant) = own.take(&ask, now);
            // The places of this process are counted by its gate.
            (taken.give_back(call, None), grant)
        })
    }

    fn tell(&self, error: &(dyn std::error::Error + 'static)) {
        if !self.is_told.swap(true, Ordering::Relaxed) {
            tracing::warn!(error, "the database does not answer: each process keeps the pace of calls alone");
        }
    }

    /// Nothing in here can panic halfway.
    fn decide_alone<T>(&self, decide: impl FnOnce(PaceState) -> (PaceState, T)) -> T {
        let mut own = self.own.lock().unwrap_or_else(PoisonError::into_inner);
        let (decided, told) = decide(std::mem::take(&mut own));
        *own = decided;
        told
    }
}

impl Drop for Place {
    /// Nobody waits for it but the next call of this process: let through before, it would find no place and ask again.
    fn drop(&mut self) {
        let (Some(shared), Ok(runtime)) = (self.shared.take(), Handle::try_current()) else { return };
        let (call, permit, hold_off) = (self.call, self.permit.take(), self.hold_off);
        runtime.spawn(async move {
            let mut giving = pin!(shared.give_back(call, hold_off));
            let given = timeout(STORE_TIME, &mut giving).await;
            drop(permit);
            // It ends by itself; if it never succeeds, the place is free when the call cannot last any longer.
            let given = if let Ok(given) = given { given } else { giving.await };
            if let Err(error) = given {
                tracing::debug!(%error, "a place among the calls under way was not given back");
            }
        });
    }
}

#[cfg(test)]
mod tests;
