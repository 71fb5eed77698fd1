//! The pace at which another system is called, by all processes together: the next moment that is free, the calls that
//! are under way, and who waits for one of them to end. What is decided is a function of what is stored, so that a store
//! only has to read it, locked, and to write it back.

use std::time::Duration;

use async_trait::async_trait;
use chrono::{DateTime, TimeDelta, Utc};
use uuid::Uuid;

use onefold_service::retry::Failure;

/// Calls are so much further apart than the limit asks for, in percent: so they stay below it in every second also where
/// they arrive, though one took 50 ms longer on its way than the next. The clocks of several machines may differ by less.
const MARGIN_PERCENT: u32 = 5;

/// Whoever waits for a place asks again and again, and has given up if nothing is heard for so long.
const WAITS: TimeDelta = TimeDelta::seconds(2);

/// Longer than any call waits and lasts. What is kept for longer was stored before a clock was set back.
const LONGEST: TimeDelta = TimeDelta::minutes(20);

/// More do not stand in line; they ask again, too.
const MOST_WAITING: usize = 100;

/// A call that is under way, or wants to be.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct CallId(pub Uuid);

/// What all processes keep to together. They are told the same.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct PaceLimits {
    pub calls_per_second: u32,
    /// The most calls at a time.
    pub concurrency: usize,
}

impl PaceLimits {
    /// The time from one call to the next.
    pub fn step(&self) -> Duration {
        let calls = self.calls_per_second.max(1);
        // Rounded up to what databases keep.
        let micros = (10_000 * (100 + MARGIN_PERCENT)).div_ceil(calls);
        Duration::from_micros(micros.into())
    }
}

/// Somebody wants to make a call.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct PaceRequest {
    pub call: CallId,
    pub limits: PaceLimits,
    /// The longest wait for the moment.
    pub patience: Duration,
    /// The moment is no earlier than so long from now: what it takes to learn of it.
    pub lead: Duration,
    /// The longest that the call takes. When nobody gave its place back by then, its process died.
    pub lasts: Duration,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum PaceGrant {
    /// The call has a place and is made at this moment, neither before nor much later.
    At(DateTime<Utc>),
    /// All places are taken. It stands in line, if it asks again within a second.
    Full,
    /// The next moment is too far away. Nothing was reserved.
    TooLong,
}

/// Until when something is kept for a call.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Kept {
    pub call: CallId,
    pub until: DateTime<Utc>,
}

/// What is stored for one system.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct PaceState {
    /// The next moment that is free: no call is made before it.
    pub next: DateTime<Utc>,
    pub under_way: Vec<Kept>,
    /// In the order in which places are given to them.
    pub waiting: Vec<Kept>,
}

impl PaceState {
    /// Gives a call its place and its moment, or says why it has none. A call that came too late for its moment asks
    /// again, and keeps its place.
    #[must_use]
    pub fn take(mut self, ask: &PaceRequest, now: DateTime<Utc>) -> (Self, PaceGrant) {
        let (patience, step) = (delta(ask.patience), delta(ask.limits.step()));
        self.forget(now);
        if self.next > now + patience * 2 + WAITS {
            // Nobody reserves that far ahead: the clock was set back.
            self.next = now;
        }
        let at = self.next.max(now + delta(ask.lead));
        if at > now + patience {
            return (self.give_back(ask.call, None), PaceGrant::TooLong);
        }
        if !self.has_turn(ask) {
            self.stand_in_line(ask.call, now);
            return (self, PaceGrant::Full);
        }
        let mut taken = self.give_back(ask.call, None);
        taken.under_way.push(Kept { call: ask.call, until: at + delta(ask.lasts) });
        taken.next = at + step;
        (taken, PaceGrant::At(at))
    }

    /// A call is over or given up. With `hold_off` the other system wants to be left alone until then.
    #[must_use]
    pub fn give_back(mut self, call: CallId, hold_off: Option<DateTime<Utc>>) -> Self {
        self.under_way.retain(|kept| kept.call != call);
        self.waiting.retain(|kept| kept.call != call);
        self.next = hold_off.map_or(self.next, |until| until.max(self.next));
        self
    }

    fn forget(&mut self, now: DateTime<Utc>) {
        let is_alive = |kept: &Kept| now < kept.until && kept.until < now + LONGEST;
        self.under_way.retain(is_alive);
        self.waiting.retain(is_alive);
    }

    /// Places go to those who wait in their order: a process that just gave one back would else be the first to take it,
    /// every time.
    fn has_turn(&self, ask: &PaceRequest) -> bool {
        if self.under_way.iter().any(|kept| kept.call == ask.call) {
            return true;
        }
        let line = self.waiting.iter();
        let before = line.take_while(|kept| kept.call != ask.call).count();
        self.under_way.len() + before < ask.limits.concurrency.max(1)
    }

    fn stand_in_line(&mut self, call: CallId, now: DateTime<Utc>) {
        let until = now + WAITS;
        if let Some(kept) = self.waiting.iter_mut().find(|kept| kept.call == call) {
            // Asking costs no write as long as there is time.
            if kept.until <= now + WAITS / 2 {
                kept.until = until;
            }
        } else if self.waiting.len() < MOST_WAITING {
            self.waiting.push(Kept { call, until });
        }
    }
}

/// None that is asked for here is longer.
fn delta(duration: Duration) -> TimeDelta {
    TimeDelta::from_std(duration).map_or(LONGEST, |delta| delta.min(LONGEST))
}

/// What all processes that call one system have in common.
#[async_trait]
pub trait CallPace: Send + Sync {
    /// A name for a call, to ask with.
    fn name_call(&self) -> CallId;

    /// As [`PaceState::take`].
    ///
    /// # Errors
    /// A store that does not answer.
    async fn take(&self, ask: &PaceRequest) -> Result<PaceGrant, Failure>;

    /// The call is over or given up. With `hold_off` no other is made for so long.
    ///
    /// # Errors
    /// A store that does not answer.
    async fn give_back(&self, call: CallId, hold_off: Option<Duration>) -> Result<(), Failure>;
}

#[cfg(test)]
mod tests;
