use proptest::collection::vec;
use proptest::prelude::*;

use super::*;

const LIMITS: PaceLimits = PaceLimits { calls_per_second: 4, concurrency: 2 };

fn at(milliseconds: i64) -> DateTime<Utc> {
    DateTime::from_timestamp_millis(1_800_000_000_000 + milliseconds).unwrap()
}

fn ask(call: u128) -> PaceRequest {
    PaceRequest {
        call: CallId(Uuid::from_u128(call)),
        limits: LIMITS,
        patience: Duration::from_secs(1),
        lead: Duration::ZERO,
        lasts: Duration::from_secs(10),
    }
}

/// Takes and keeps what is decided.
fn take(state: &mut PaceState, ask: &PaceRequest, now: DateTime<Utc>) -> PaceGrant {
    let (decided, grant) = std::mem::take(state).take(ask, now);
    *state = decided;
    grant
}

fn give_back(state: &mut PaceState, call: u128) {
    *state = std::mem::take(state).give_back(ask(call).call, None);
}

#[test]
fn moments_are_evenly_spaced_with_a_margin_and_unused_ones_are_lost() {
    let mut state = PaceState::default();
    let wide = |call| PaceRequest { limits: PaceLimits { concurrency: 9, ..LIMITS }, ..ask(call) };
    let micros = TimeDelta::microseconds;
    assert_eq!(take(&mut state, &wide(1), at(0)), PaceGrant::At(at(0)));
    assert_eq!(take(&mut state, &wide(2), at(0)), PaceGrant::At(at(0) + micros(262_500)));
    assert_eq!(take(&mut state, &wide(3), at(100)), PaceGrant::At(at(0) + micros(525_000)));
    assert_eq!(take(&mut state, &wide(4), at(5_000)), PaceGrant::At(at(5_000)));
}

#[test]
fn a_wait_that_is_too_long_reserves_nothing() {
    let mut state = PaceState { next: at(1_001), ..PaceState::default() };
    let before = state.clone();
    assert_eq!(take(&mut state, &ask(1), at(0)), PaceGrant::TooLong);
    assert_eq!(state, before);
    assert_eq!(take(&mut state, &ask(1), at(1)), PaceGrant::At(at(1_001)));
}

#[test]
fn places_go_to_those_who_wait_in_their_order() {
    let mut state = PaceState::default();
    for call in [1, 2] {
        assert!(matches!(take(&mut state, &ask(call), at(0)), PaceGrant::At(_)));
    }
    for call in [3, 4] {
        assert_eq!(take(&mut state, &ask(call), at(1)), PaceGrant::Full);
    }
    give_back(&mut state, 1);
    assert_eq!(take(&mut state, &ask(1), at(2)), PaceGrant::Full, "who was there is not the first again");
    assert_eq!(take(&mut state, &ask(4), at(3)), PaceGrant::Full);
    assert!(matches!(take(&mut state, &ask(3), at(4)), PaceGrant::At(_)));
    give_back(&mut state, 2);
    assert!(matches!(take(&mut state, &ask(4), at(5)), PaceGrant::At(_)));
}

#[test]
fn who_waits_and_is_heard_of_no_more_is_passed_over() {
    let mut state = PaceState::default();
    for call in [1, 2, 3, 4] {
        take(&mut state, &ask(call), at(0));
    }
    // Asked in the first second, nothing is written.
    let before = state.clone();
    assert_eq!(take(&mut state, &ask(4), at(900)), PaceGrant::Full);
    assert_eq!(state, before);
    assert_eq!(take(&mut state, &ask(4), at(1_500)), PaceGrant::Full);
    give_back(&mut state, 1);
    assert_eq!(take(&mut state, &ask(4), at(1_999)), PaceGrant::Full);
    assert_eq!(take(&mut state, &ask(4), at(2_000)), PaceGrant::At(at(2_000)));
}

#[test]
fn the_place_of_a_process_that_died_returns() {
    let mut state = PaceState::default();
    let PaceGrant::At(_) = take(&mut state, &ask(1), at(0)) else { panic!("a place") };
    let PaceGrant::At(second) = take(&mut state, &ask(2), at(0)) else { panic!("a place") };
    assert_eq!(take(&mut state, &ask(3), at(9_999)), PaceGrant::Full);
    assert_eq!(take(&mut state, &ask(3), at(10_000)), PaceGrant::At(at(10_000)));
    assert_eq!(take(&mut state, &ask(4), at(10_000)), PaceGrant::Full);
    let later = second + TimeDelta::seconds(10);
    assert!(matches!(take(&mut state, &ask(4), later), PaceGrant::At(_)));
}

#[test]
fn who_comes_too_late_for_its_moment_keeps_its_place() {
    let mut state = PaceState::default();
    for call in [1, 2, 3] {
        take(&mut state, &ask(call), at(0));
    }
    let late = PaceRequest { lead: Duration::from_millis(40), ..ask(1) };
    assert_eq!(take(&mut state, &late, at(700)), PaceGrant::At(at(740)));
    assert_eq!(state.under_way.len(), 2);
}

#[test]
fn who_asks_to_be_left_alone_is() {
    let state = PaceState::default().give_back(ask(1).call, Some(at(700)));
    let (mut state, grant) = state.take(&ask(2), at(0));
    assert_eq!(grant, PaceGrant::At(at(700)));
    state = state.give_back(ask(2).call, Some(at(100)));
    assert!(state.next > at(900), "what was reserved stays");
}

#[test]
fn a_clock_that_was_set_back_keeps_nobody() {
    let mut state = PaceState::default();
    for call in [1, 2, 3] {
        take(&mut state, &ask(call), at(3_600_000));
    }
    assert_eq!(take(&mut state, &ask(4), at(0)), PaceGrant::At(at(0)));
    assert_eq!(take(&mut state, &ask(5), at(0)), PaceGrant::At(at(0) + delta(LIMITS.step())));
    assert_eq!((state.under_way.len(), state.waiting.len()), (2, 0));
}

#[test]
fn the_line_has_an_end() {
    let mut state = PaceState::default();
    for call in 0..300 {
        take(&mut state, &ask(call), at(0));
    }
    assert_eq!(state.waiting.len(), MOST_WAITING);
}

#[derive(Clone, Debug)]
enum Step {
    Take(u128),
    Over(u128),
    HoldOff(u128, i64),
    Later(i64),
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let call = 0..12_u128;
    let step = prop_oneof![
        6 => call.clone().prop_map(Step::Take),
        3 => call.clone().prop_map(Step::Over),
        1 => (call, 0..900_i64).prop_map(|(call, wait)| Step::HoldOff(call, wait)),
        4 => (0..400_i64).prop_map(Step::Later),
        1 => Just(Step::Later(4_000)),
    ];
    vec(step, 1..200)
}

proptest! {
    /// Whoever asks, comes too late, ends or dies in whatever order.
    #[test]
    fn limits_are_kept(steps in steps(), calls_per_second in 1..20_u32, concurrency in 1..5_usize) {
        let limits = PaceLimits { calls_per_second, concurrency };
        let (mut state, mut now, mut moments) = (PaceState::default(), at(0), Vec::new());
        let mut under_way: Vec<Kept> = Vec::new();
        for step in steps {
            match step {
                Step::Take(call) => {
                    let asked = PaceRequest { limits, lasts: Duration::from_secs(4), ..ask(call) };
                    if let PaceGrant::At(moment) = take(&mut state, &asked, now) {
                        prop_assert!(moment >= now && moment <= now + TimeDelta::seconds(1));
                        moments.push(moment);
                        under_way.retain(|kept| kept.call != asked.call);
                        under_way.push(Kept { call: asked.call, until: moment + TimeDelta::seconds(4) });
                    } else {
                        // Who is under way and learns that it would wait too long gives up.
                        let kept: Vec<_> = state.under_way.iter().map(|kept| kept.call).collect();
                        under_way.retain(|known| known.call != asked.call || kept.contains(&known.call));
                    }
                }
                Step::Over(call) => {
                    give_back(&mut state, call);
                    under_way.retain(|kept| kept.call != ask(call).call);
                }
                Step::HoldOff(call, wait) => {
                    let until = now + TimeDelta::milliseconds(wait);
                    state = state.give_back(ask(call).call, Some(until));
                    under_way.retain(|kept| kept.call != ask(call).call);
                }
                Step::Later(milliseconds) => now += TimeDelta::milliseconds(milliseconds),
            }
            under_way.retain(|kept| kept.until > now);
            prop_assert!(under_way.len() <= concurrency);
        }
        for some in moments.windows(calls_per_second as usize + 1) {
            prop_assert!(some[some.len() - 1] - some[0] >= TimeDelta::milliseconds(1_050), "{some:?}");
        }
    }
}
