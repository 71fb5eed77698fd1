//! A number for each key within a fixed window, which begins with the first of them.

use std::collections::HashMap;
use std::num::NonZeroU32;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use actix_web::http::header::{HeaderMap, HeaderName, HeaderValue, RETRY_AFTER};
use chrono::{DateTime, TimeDelta, Utc};
use onefold_service::clock::Clock;

use super::keys::Keys;
use super::{Decision, WINDOW_S};

const LIMIT: HeaderName = HeaderName::from_static("x-ratelimit-limit");
const REMAINING: HeaderName = HeaderName::from_static("x-ratelimit-remaining");
const RESET: HeaderName = HeaderName::from_static("x-ratelimit-reset");

/// One limit, kept for every key by itself. Unlike [`super::rate::Rate`] it can be asked without being used.
pub(super) struct FixedWindow {
    limit: NonZeroU32,
    clock: Arc<dyn Clock>,
    windows: Mutex<HashMap<u64, Window>>,
    keys: Keys,
}

#[derive(Clone, Copy)]
struct Window {
    used: u32,
    ends: DateTime<Utc>,
}

/// What became of a request, in the words of Laravel's throttle, which clients of `/ia/admin` know.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct WindowDecision {
    /// 0 if there is no limit.
    pub limit: u32,
    pub remaining: u32,
    /// When the window ends.
    pub resets_at: DateTime<Utc>,
    /// Set if the request was refused.
    pub retry_after_s: Option<u64>,
}

impl FixedWindow {
    /// `None` for a limit of 0.
    pub(super) fn per_minute(limit: u32, clock: &Arc<dyn Clock>) -> Option<Self> {
        let limit = NonZeroU32::new(limit)?;
        Some(Self { limit, clock: Arc::clone(clock), windows: Mutex::default(), keys: Keys::default() })
    }

    /// Takes one, unless there is none left. What is refused does not count.
    pub(super) fn take(&self, key: u64) -> WindowDecision {
        let now = self.clock.now();
        let mut windows = self.windows();
        let key = self.key(&mut windows, key, now);
        let window = windows.entry(key).or_insert(Window::new(now));
        if window.ends <= now {
            *window = Window::new(now);
        }
        let refused = window.used >= self.limit.get();
        if !refused {
            window.used += 1;
        }
        self.decision(*window, now, refused)
    }

    /// Whether `take` would be refused.
    pub(super) fn ask(&self, key: u64) -> WindowDecision {
        let now = self.clock.now();
        let mut windows = self.windows();
        let key = self.key(&mut windows, key, now);
        let window = windows.get(&key).copied().filter(|window| window.ends > now);
        let window = window.unwrap_or(Window::new(now));
        self.decision(window, now, window.used >= self.limit.get())
    }

    fn key(&self, windows: &mut HashMap<u64, Window>, key: u64, now: DateTime<Utc>) -> u64 {
        self.keys.key(key, || {
            windows.retain(|_, window| window.ends > now);
            windows.len()
        })
    }

    fn decision(&self, window: Window, now: DateTime<Utc>, refused: bool) -> WindowDecision {
        let left = u64::try_from((window.ends - now).num_milliseconds()).unwrap_or_default();
        WindowDecision {
            limit: self.limit.get(),
            remaining: self.limit.get().saturating_sub(window.used),
            resets_at: window.ends,
            retry_after_s: refused.then(|| left.div_ceil(1_000).max(1)),
        }
    }

    fn windows(&self) -> MutexGuard<'_, HashMap<u64, Window>> {
        // Nothing in here can be left half done.
        self.windows.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Window {
    fn new(now: DateTime<Utc>) -> Self {
        Self { used: 0, ends: now + TimeDelta::seconds(WINDOW_S.cast_signed()) }
    }
}

impl WindowDecision {
    /// Where there is no limit.
    pub(super) fn unlimited() -> Self {
        Self { limit: 0, remaining: 0, resets_at: DateTime::UNIX_EPOCH, retry_after_s: None }
    }

    /// The header fields of an answer: on every one that passed the throttle, and on the refusal.
    pub fn write(&self, headers: &mut HeaderMap) {
        if self.limit == 0 {
            return;
        }
        headers.insert(LIMIT, HeaderValue::from(self.limit));
        headers.insert(REMAINING, HeaderValue::from(self.remaining));
        if let Some(seconds) = self.retry_after_s {
            headers.insert(RETRY_AFTER, HeaderValue::from(seconds));
            headers.insert(RESET, HeaderValue::from(self.resets_at.timestamp()));
        }
    }

    /// The decision in the form of the limits that count by tokens and addresses.
    pub(super) fn named(self, policy: &'static str, now: DateTime<Utc>) -> Decision {
        let reset_s = u64::try_from((self.resets_at - now).num_seconds()).unwrap_or_default();
        Decision {
            policy,
            limit: self.limit,
            remaining: self.remaining,
            reset_s,
            retry_after_s: self.retry_after_s,
        }
    }
}
