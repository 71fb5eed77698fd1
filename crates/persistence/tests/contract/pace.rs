//! The pace at which other systems are called, kept by all processes together.

use std::sync::Arc;
use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};
use onefold_domain::policy::LinkPolicy;
use onefold_persistence::testing::TestDatabase;
use onefold_service::clock::{SystemClock, SystemRandomness};
use onefold_sync::environment::SyncEnvironment;
use onefold_sync::pace::{CallId, CallPace, Kept, PaceGrant, PaceLimits, PaceRequest, PaceState};
use onefold_sync::shared_pace::SharedPace;
use onefold_sync::store::SyncStore;
use tokio::task::JoinSet;
use uuid::Uuid;

use crate::sync_scene::{OTHER, SYSTEM, write};

on_every_store!(
    what_nobody_put_is_the_default,
    a_state_takes_the_place_of_the_one_before,
    a_state_is_put_once_committed,
    takers_in_parallel_get_moments_of_their_own,
    no_more_than_the_limit_are_under_way,
);

mod processes {
    use super::*;

    on_both_databases!(two_processes_get_moments_of_their_own, what_nobody_can_read_is_the_default);
}

const STEP: TimeDelta = TimeDelta::microseconds(10_500);

fn kept(number: u128, seconds: i64) -> Kept {
    let until = DateTime::from_timestamp_micros(1_800_000_000_000_001).expect("a moment");
    Kept { call: CallId(Uuid::from_u128(number)), until: until + TimeDelta::seconds(seconds) }
}

fn some_state() -> PaceState {
    PaceState {
        next: kept(0, -5).until,
        under_way: vec![kept(1, 0), kept(2, 9)],
        waiting: vec![kept(u128::MAX, 7), kept(4, 1)],
    }
}

fn pace(store: &Arc<dyn SyncStore>) -> SharedPace {
    let policy = Arc::new(LinkPolicy::shipped());
    let env =
        SyncEnvironment::new(Arc::clone(store), policy, Arc::new(SystemClock), Arc::new(SystemRandomness));
    SharedPace::new(env, SYSTEM)
}

fn ask(pace: &SharedPace, concurrency: usize) -> PaceRequest {
    PaceRequest {
        call: pace.name_call(),
        limits: PaceLimits { calls_per_second: 100, concurrency },
        patience: Duration::from_secs(60),
        lead: Duration::ZERO,
        lasts: Duration::from_secs(60),
    }
}

async fn what_nobody_put_is_the_default(store: Arc<dyn SyncStore>) {
    for _ in 0..2 {
        let known = write(&store, async |to| to.pace().lock(SYSTEM).await.expect("a state")).await;
        assert_eq!(known, PaceState::default());
    }
}

async fn a_state_takes_the_place_of_the_one_before(store: Arc<dyn SyncStore>) {
    let later = PaceState { waiting: Vec::new(), ..some_state() };
    for state in [some_state(), later, PaceState::default()] {
        write(&store, async |to| to.pace().put(SYSTEM, &state).await.expect("put")).await;
        let (known, other) = write(&store, async |to| {
            (to.pace().lock(SYSTEM).await.expect("a state"), to.pace().lock(OTHER).await.expect("a state"))
        })
        .await;
        assert_eq!((known, other), (state, PaceState::default()));
    }
}

async fn a_state_is_put_once_committed(store: Arc<dyn SyncStore>) {
    let mut given_up = store.begin_sync().await.expect("a transaction");
    given_up.pace().put(SYSTEM, &some_state()).await.expect("put");
    assert_eq!(given_up.pace().lock(SYSTEM).await.expect("a state"), some_state());
    drop(given_up);
    let known = write(&store, async |to| to.pace().lock(SYSTEM).await.expect("a state")).await;
    assert_eq!(known, PaceState::default());
}

/// The moments of so many that ask at once, in their order.
async fn moments(paces: &[SharedPace], count: usize) -> Vec<DateTime<Utc>> {
    let mut takers = JoinSet::new();
    for number in 0..count {
        let pace = paces[number % paces.len()].clone();
        takers.spawn(async move {
            match pace.take(&ask(&pace, count)).await.expect("an answer") {
                PaceGrant::At(moment) => moment,
                other => panic!("{other:?}"),
            }
        });
    }
    let mut moments = takers.join_all().await;
    moments.sort_unstable();
    moments
}

fn assert_apart(moments: &[DateTime<Utc>]) {
    for pair in moments.windows(2) {
        assert!(pair[1] - pair[0] >= STEP, "{pair:?}");
    }
}

async fn takers_in_parallel_get_moments_of_their_own(store: Arc<dyn SyncStore>) {
    assert_apart(&moments(&[pace(&store)], 40).await);
}

async fn two_processes_get_moments_of_their_own(database: &TestDatabase) {
    let first: Arc<dyn SyncStore> = Arc::new(database.store().await);
    let second: Arc<dyn SyncStore> = Arc::new(database.store().await);
    assert_apart(&moments(&[pace(&first), pace(&second)], 40).await);
    let known = write(&second, async |to| to.pace().lock(SYSTEM).await.expect("a state")).await;
    assert_eq!(known.under_way.len(), 40);
}

async fn no_more_than_the_limit_are_under_way(store: Arc<dyn SyncStore>) {
    let pace = pace(&store);
    let mut takers = JoinSet::new();
    for _ in 0..12 {
        let pace = pace.clone();
        takers.spawn(async move {
            let ask = ask(&pace, 2);
            (ask, pace.take(&ask).await.expect("an answer"))
        });
    }
    let asked = takers.join_all().await;
    let (under_way, waiting): (Vec<_>, Vec<_>) =
        asked.into_iter().partition(|(_, grant)| matches!(grant, PaceGrant::At(_)));
    assert_eq!(under_way.len(), 2);
    assert!(waiting.iter().all(|(_, grant)| *grant == PaceGrant::Full));
    for (ask, _) in under_way {
        pace.give_back(ask.call, None).await.expect("an answer");
    }
    let known = write(&store, async |to| to.pace().lock(SYSTEM).await.expect("a state")).await;
    assert_eq!((known.under_way.len(), known.waiting.len()), (0, 10));
    let hold_off = Duration::from_secs(30);
    let next = kept(0, 0).call;
    pace.give_back(next, Some(hold_off)).await.expect("an answer");
    let later = write(&store, async |to| to.pace().lock(SYSTEM).await.expect("a state")).await;
    assert!(later.next > known.next + TimeDelta::seconds(20));
}

/// As after a version that keeps more: it costs one call that is too early, not all of them.
async fn what_nobody_can_read_is_the_default(database: &TestDatabase) {
    let store: Arc<dyn SyncStore> = Arc::new(database.store().await);
    write(&store, async |to| to.pace().put(SYSTEM, &some_state()).await.expect("put")).await;
    database.query("UPDATE call_pace SET state = '?'").await;
    assert_apart(&moments(&[pace(&store)], 2).await);
}
