//! What each limit decides, with the time in the test's hand.

use std::sync::Mutex;

use chrono::{DateTime, TimeDelta, Utc};

use super::*;

/// Stands still until it is moved.
struct ByHand(Mutex<DateTime<Utc>>);

impl ByHand {
    fn start() -> Arc<Self> {
        Arc::new(Self(Mutex::new(DateTime::from_timestamp(1_767_225_600, 0).unwrap())))
    }

    fn pass(&self, milliseconds: i64) {
        *self.0.lock().unwrap() += TimeDelta::milliseconds(milliseconds);
    }
}

impl Clock for ByHand {
    fn now(&self) -> DateTime<Utc> {
        *self.0.lock().unwrap()
    }
}

fn limits(configure: impl FnOnce(&mut LimitsConfig)) -> (Limits, Arc<ByHand>) {
    let clock = ByHand::start();
    let mut config = LimitsConfig::default();
    configure(&mut config);
    let port: Arc<dyn Clock> = clock.clone();
    (Limits::new(&config, &port), clock)
}

fn from(text: &str) -> ClientAddress {
    away(ip(text))
}

fn away(address: IpAddr) -> ClientAddress {
    ClientAddress { address, is_this_machine: false }
}

fn ip(text: &str) -> IpAddr {
    text.parse().unwrap()
}

fn fields_written(write: impl FnOnce(&mut HeaderMap)) -> Vec<String> {
    let mut headers = HeaderMap::new();
    write(&mut headers);
    let line = |(name, value): (&HeaderName, &HeaderValue)| format!("{name}: {}", value.to_str().unwrap());
    let mut lines: Vec<String> = headers.iter().map(line).collect();
    lines.sort_unstable();
    lines
}

#[test]
fn a_token_has_its_own_number_and_gets_it_back_with_time() {
    let (limits, clock) = limits(|config| config.token_per_minute = 6);
    for left in (0..6).rev() {
        let decision = limits.token(7);
        assert_eq!((decision.remaining, decision.retry_after_s), (left, None));
    }
    let refused = limits.token(7);
    assert_eq!((refused.remaining, refused.retry_after_s, refused.reset_s), (0, Some(10), 60));
    assert_eq!(limits.token(8).remaining, 5, "another one's");
    clock.pass(9_999);
    assert_eq!(limits.token(7).retry_after_s, Some(1));
    clock.pass(1);
    assert_eq!(limits.token(7).retry_after_s, None, "one every ten seconds");
    assert!(limits.token(7).retry_after_s.is_some());
    clock.pass(60_000);
    assert_eq!(limits.token(7).remaining, 5);
}

#[test]
fn a_clock_that_is_set_back_refuses_nobody_for_longer() {
    let (limits, clock) = limits(|config| config.token_per_minute = 2);
    clock.pass(1_000_000);
    limits.token(7);
    clock.pass(-500_000);
    assert!(limits.token(7).retry_after_s.is_none_or(|seconds| seconds <= 500 + 60));
    assert_eq!(limits.token(8).retry_after_s, None);
}

#[test]
fn addresses_are_counted_by_network_and_this_machine_is_not() {
    let (limits, _) = limits(|config| config.address_per_minute = 1);
    assert_eq!(limits.address(from("203.0.113.5")).retry_after_s, None);
    assert_eq!(limits.address(from("203.0.113.5")).retry_after_s, Some(60));
    assert_eq!(limits.address(from("::ffff:203.0.113.5")).retry_after_s, Some(60));
    assert_eq!(limits.address(from("203.0.113.6")).retry_after_s, None);
    assert_eq!(limits.address(from("2001:db8:1:2::1")).retry_after_s, None);
    assert_eq!(limits.address(from("2001:db8:1:2:ffff::9")).retry_after_s, Some(60));
    assert_eq!(limits.address(from("2001:db8:1:3::1")).retry_after_s, None);
    for own in ["127.0.0.1", "127.9.9.9", "::1", "::ffff:127.0.0.1"] {
        for _ in 0..3 {
            assert_eq!(
                limits.address(ClientAddress { is_this_machine: true, ..from(own) }),
                Decision::unlimited("address"),
                "{own}"
            );
        }
    }
}

#[test]
fn the_window_of_admin_begins_with_its_first_request() {
    let (limits, clock) = limits(|config| config.admin_per_minute = 2);
    clock.pass(30_000);
    let first = limits.admin(7);
    assert_eq!((first.limit, first.remaining, first.retry_after_s), (2, 1, None));
    clock.pass(40_000);
    assert_eq!(limits.admin(7).remaining, 0);
    for _ in 0..3 {
        let refused = limits.admin(7);
        assert_eq!((refused.remaining, refused.retry_after_s), (0, Some(20)));
        assert_eq!(refused.resets_at, first.resets_at, "what is refused does not count");
    }
    assert_eq!(limits.admin(8).remaining, 1, "another one's");
    clock.pass(19_999);
    assert_eq!(limits.admin(7).retry_after_s, Some(1));
    clock.pass(1);
    assert_eq!(limits.admin(7).remaining, 1, "a new window, all at once");
}

#[test]
fn tokens_are_not_to_be_guessed() {
    let (limits, clock) = limits(|config| config.failed_auth_per_minute = 2);
    let (one, other) = (ip("127.0.0.1"), ip("203.0.113.5"));
    for _ in 0..9 {
        assert_eq!(limits.may_authenticate(one).remaining, 2, "asking takes nothing");
    }
    limits.failed_authentication(one);
    assert_eq!(limits.may_authenticate(one).retry_after_s, None);
    limits.failed_authentication(one);
    assert_eq!(limits.may_authenticate(one).retry_after_s, Some(60));
    assert_eq!(limits.may_authenticate(other).retry_after_s, None);
    clock.pass(59_000);
    limits.failed_authentication(one);
    assert_eq!(limits.may_authenticate(one).retry_after_s, Some(1), "the window is not prolonged");
    clock.pass(1_000);
    assert_eq!(limits.may_authenticate(one).remaining, 2);
}

#[test]
fn what_is_off_refuses_and_tells_nothing() {
    let (limits, _) = limits(|config| {
        *config = LimitsConfig {
            token_per_minute: 0,
            address_per_minute: 0,
            admin_per_minute: 0,
            failed_auth_per_minute: 0,
            request_timeout_s: 0,
            header_bytes: 0,
        }
    });
    let address = ip("203.0.113.5");
    limits.failed_authentication(address);
    for decision in [limits.token(7), limits.address(away(address)), limits.may_authenticate(address)] {
        assert_eq!((decision.limit, decision.retry_after_s), (0, None));
        assert!(fields_written(|headers| decision.write(headers)).is_empty());
    }
    assert!(fields_written(|headers| limits.admin(7).write(headers)).is_empty());
    assert_eq!((limits.request_timeout, limits.header_bytes), (None, None));
}

#[test]
fn decisions_are_told_in_header_fields() {
    let (limits, _) = limits(|config| {
        (config.token_per_minute, config.address_per_minute, config.admin_per_minute) = (2, 4, 1);
    });
    let both = fields_written(|headers| {
        limits.token(7).write(headers);
        limits.address(from("203.0.113.5")).write(headers);
    });
    assert_eq!(
        both,
        [
            "ratelimit-policy: \"address\";q=4;w=60",
            "ratelimit-policy: \"token\";q=2;w=60",
            "ratelimit: \"address\";r=3;t=15",
            "ratelimit: \"token\";r=1;t=30",
        ]
    );
    limits.token(7);
    let refused = fields_written(|headers| limits.token(7).write(headers));
    assert_eq!(
        refused,
        ["ratelimit-policy: \"token\";q=2;w=60", "ratelimit: \"token\";r=0;t=60", "retry-after: 30"]
    );
    let passed = fields_written(|headers| limits.admin(7).write(headers));
    assert_eq!(passed, ["x-ratelimit-limit: 1", "x-ratelimit-remaining: 0"]);
    let refused = fields_written(|headers| limits.admin(7).write(headers));
    assert_eq!(
        refused,
        [
            "retry-after: 60",
            "x-ratelimit-limit: 1",
            "x-ratelimit-remaining: 0",
            "x-ratelimit-reset: 1767225660"
        ]
    );
}
