//! How much a caller may ask for: by token, by address, and more strictly where tokens are guessed. Decisions
//! are made here from keys and time alone; `throttle` and the middleware of access carry them out.
//!
//! Each server counts by itself. Behind a balancer a caller gets as much from each of them; counting together
//! would cost every request a write to the database.

mod address;
mod config;
mod keys;
mod rate;
#[cfg(test)]
mod tests;
mod window;

use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use actix_web::http::header::{HeaderMap, HeaderName, HeaderValue, RETRY_AFTER};
use onefold_service::clock::Clock;

pub(crate) use address::{ClientAddress, TrustedProxies};
pub use config::LimitsConfig;
pub use window::WindowDecision;

use rate::Rate;
use window::FixedWindow;

/// The length of every window. Limits are numbers a minute.
const WINDOW_S: u64 = 60;

const POLICY: HeaderName = HeaderName::from_static("ratelimit-policy");
const RATE_LIMIT: HeaderName = HeaderName::from_static("ratelimit");

/// The limits and what was used of them.
pub struct Limits {
    token: Option<Rate>,
    address: Option<Rate>,
    admin: Option<FixedWindow>,
    failed_auth: Option<FixedWindow>,
    clock: Arc<dyn Clock>,
    pub(crate) request_timeout: Option<Duration>,
    pub(crate) header_bytes: Option<usize>,
}

/// What became of a request under one limit.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Decision {
    /// By which name callers know it.
    pub policy: &'static str,
    /// Requests a minute; 0 if there is no limit.
    pub limit: u32,
    pub remaining: u32,
    /// Seconds until nothing counts as used any more.
    pub reset_s: u64,
    /// Set if the request was refused.
    pub retry_after_s: Option<u64>,
}

impl Limits {
    pub fn new(config: &LimitsConfig, clock: &Arc<dyn Clock>) -> Self {
        let timeout = config.request_timeout_s;
        Self {
            token: Rate::per_minute("token", config.token_per_minute, clock),
            address: Rate::per_minute("address", config.address_per_minute, clock),
            admin: FixedWindow::per_minute(config.admin_per_minute, clock),
            failed_auth: FixedWindow::per_minute(config.failed_auth_per_minute, clock),
            clock: Arc::clone(clock),
            request_timeout: (timeout > 0).then(|| Duration::from_secs(timeout)),
            header_bytes: (config.header_bytes > 0).then_some(config.header_bytes),
        }
    }

    /// A request of this caller. This machine's own are not limited: they are a program's of the same operator. What
    /// came by a proxy that is known as one never is its own, also where the proxy names nobody.
    pub(crate) fn address(&self, client: ClientAddress) -> Decision {
        match &self.address {
            Some(rate) if !client.is_this_machine => rate.take(address_key(client.address)),
            _ => Decision::unlimited("address"),
        }
    }

    /// A request with this token.
    pub fn token(&self, token: i64) -> Decision {
        match &self.token {
            Some(rate) => rate.take(token.cast_unsigned()),
            None => Decision::unlimited("token"),
        }
    }

    /// A request with this token to `/ia/admin`. To be called once it is known whose the token is: what is
    /// answered with 401 is not counted.
    pub fn admin(&self, token: i64) -> WindowDecision {
        match &self.admin {
            Some(window) => window.take(token.cast_unsigned()),
            None => WindowDecision::unlimited(),
        }
    }

    /// Whether this address may name a token at all. To be asked before the token is looked up, so that one who
    /// guesses learns nothing more, not even by a right guess. Takes nothing.
    pub fn may_authenticate(&self, address: IpAddr) -> Decision {
        match &self.failed_auth {
            Some(window) => window.ask(address_key(address)).named("failed-auth", self.clock.now()),
            None => Decision::unlimited("failed-auth"),
        }
    }

    /// This address named a token that is none.
    pub fn failed_authentication(&self, address: IpAddr) {
        if let Some(window) = &self.failed_auth {
            window.take(address_key(address));
        }
    }
}

impl Decision {
    fn unlimited(policy: &'static str) -> Self {
        Self { policy, limit: 0, remaining: 0, reset_s: 0, retry_after_s: None }
    }

    /// Adds the header fields of an answer (draft-ietf-httpapi-ratelimit-headers-10). Where several limits
    /// hold, each is a member of the lists.
    pub fn write(&self, headers: &mut HeaderMap) {
        if self.limit == 0 {
            return;
        }
        let Self { policy, limit, remaining, reset_s, .. } = self;
        let fields = [
            (POLICY, format!("\"{policy}\";q={limit};w={WINDOW_S}")),
            (RATE_LIMIT, format!("\"{policy}\";r={remaining};t={reset_s}")),
        ];
        for (name, value) in fields {
            if let Ok(value) = HeaderValue::try_from(value) {
                headers.append(name, value);
            }
        }
        if let Some(seconds) = self.retry_after_s {
            headers.insert(RETRY_AFTER, HeaderValue::from(seconds));
        }
    }
}

/// Who is counted together: an IPv4 address, or a network of 64 bits, which is what one subscriber of IPv6 has
/// at least.
fn address_key(address: IpAddr) -> u64 {
    match address.to_canonical() {
        IpAddr::V4(address) => u64::from(address.to_bits()),
        IpAddr::V6(address) => u64::try_from(address.to_bits() >> 64).unwrap_or_default(),
    }
}

fn ceil_seconds(time: Duration) -> u64 {
    time.as_secs() + u64::from(time.subsec_nanos() > 0)
}
