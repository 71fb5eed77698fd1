//! Idempotency keys: carried out once, answered the same, taken over from the dead and not by the slow.

use std::sync::Arc;

use chrono::TimeDelta;
use onefold_domain::policy::LinkPolicy;
use onefold_service::clock::Clock;
use onefold_service::environment::Environment;
use onefold_service::idempotency::{Begun, Idempotency};
use onefold_service::operation::{
    Fingerprint, IdempotencyKey, IdempotencyScope, OperationId, OperationSubject, SealedAnswer,
};
use onefold_service::store::StoreError;
use onefold_service::testing::{ManualClock, SeededRandomness};
use onefold_service::user::User;
use onefold_sync::store::SyncStore;

use crate::scene::user;
use crate::use_cases::all_together;

on_every_store!(
    of_many_who_begin_at_once_one_does,
    an_answer_is_given_again,
    a_key_belongs_to_its_scope,
    what_is_given_up_can_be_begun_again,
    who_is_silent_for_a_minute_loses_the_key,
    of_many_who_take_over_one_does,
    who_prolongs_keeps_the_key,
    what_was_carried_out_is_told,
    what_was_carried_out_is_not_given_up,
    who_lost_the_key_changes_nothing,
    a_change_that_is_just_being_stored_is_not_done_again,
    after_a_day_a_key_is_new,
    what_runs_is_not_forgotten,
);

/// Two servers on one store, and the time of both.
struct Servers {
    store: Arc<dyn SyncStore>,
    clock: Arc<ManualClock>,
    one: Idempotency,
    other: Idempotency,
}

impl Servers {
    fn new(store: &Arc<dyn SyncStore>) -> Self {
        let clock = Arc::new(ManualClock::default());
        let server = |seed| {
            let time: Arc<dyn Clock> = clock.clone();
            let randomness = Arc::new(SeededRandomness::new(seed));
            let policy = Arc::new(LinkPolicy::shipped());
            Idempotency::new(Environment::new(store.clone(), policy, time, randomness))
        };
        Self { store: Arc::clone(store), one: server(1), other: server(2), clock }
    }

    async fn began(&self) -> OperationId {
        new(&begin(&self.one, "key", 1).await)
    }

    /// As the transaction of a change does it: all of it, or nothing.
    async fn carry_out(&self, operation: OperationId, number: u128) -> Result<(), StoreError> {
        let mut transaction = self.store.begin_sync().await?;
        let at = self.clock.now();
        let made =
            User { id: user(number), external_id: None, profile: None, created_at: at, updated_at: at };
        transaction.users().insert(&made).await?;
        transaction.idempotency().carried_out(operation, &subject(number)).await?;
        transaction.commit().await
    }

    async fn exists(&self, number: u128) -> bool {
        self.store.users().get(user(number)).await.expect("an answer").is_some()
    }
}

fn subject(number: u128) -> OperationSubject {
    OperationSubject { kind: "user".to_owned(), id: user(number).0.to_string() }
}

fn answer(text: &str) -> SealedAnswer {
    SealedAnswer(text.as_bytes().to_vec())
}

fn key(text: &str) -> IdempotencyKey {
    IdempotencyKey::parse(text).expect("a key")
}

async fn begin(server: &Idempotency, text: &str, request: u8) -> Begun {
    begin_as(server, &IdempotencyScope::of_token(7), text, request).await
}

async fn begin_as(server: &Idempotency, scope: &IdempotencyScope, text: &str, request: u8) -> Begun {
    server.begin(scope, &key(text), Fingerprint([request; 32])).await.expect("begun")
}

#[track_caller]
fn new(begun: &Begun) -> OperationId {
    match begun {
        Begun::New(operation) => *operation,
        other => panic!("it should be new: {other:?}"),
    }
}

fn is_running(begun: &Begun) -> bool {
    matches!(begun, Begun::Running { .. })
}

fn replay(text: &str) -> Begun {
    Begun::Replay { answer: answer(text), subject: None }
}

async fn of_many_who_begin_at_once_one_does(store: Arc<dyn SyncStore>) {
    let servers = Servers::new(&store);
    let begun = all_together(50, |number| {
        let server = if number % 2 == 0 { &servers.one } else { &servers.other }.clone();
        async move { begin(&server, "key", 1).await }
    })
    .await;
    assert_eq!(begun.iter().filter(|begun| matches!(begun, Begun::New(_))).count(), 1, "{begun:?}");
    assert_eq!(begun.iter().filter(|begun| is_running(begun)).count(), 49);
}

async fn an_answer_is_given_again(store: Arc<dyn SyncStore>) {
    let servers = Servers::new(&store);
    let operation = servers.began().await;
    assert!(is_running(&begin(&servers.other, "key", 1).await));
    assert_eq!(begin(&servers.other, "key", 2).await, Begun::OtherRequest);
    servers.one.finish(operation, &answer("made")).await.expect("finished");
    for server in [&servers.one, &servers.other] {
        assert_eq!(begin(server, "key", 1).await, replay("made"));
        assert_eq!(begin(server, "key", 2).await, Begun::OtherRequest);
    }
    // Long after the lease.
    servers.clock.pass(TimeDelta::hours(23));
    assert_eq!(begin(&servers.one, "key", 1).await, replay("made"));
}

async fn a_key_belongs_to_its_scope(store: Arc<dyn SyncStore>) {
    let servers = Servers::new(&store);
    let (seven, eight, nobody) =
        (IdempotencyScope::of_token(7), IdempotencyScope::of_token(8), IdempotencyScope::anonymous());
    for (number, scope) in [&seven, &eight, &nobody].into_iter().enumerate() {
        let operation = new(&begin_as(&servers.one, scope, "key", 1).await);
        servers.one.finish(operation, &answer(&number.to_string())).await.expect("finished");
    }
    for (number, scope) in [&seven, &eight, &nobody].into_iter().enumerate() {
        assert_eq!(begin_as(&servers.one, scope, "key", 1).await, replay(&number.to_string()));
    }
    // Keys are told apart letter by letter.
    new(&begin_as(&servers.one, &seven, "KEY", 1).await);
}

async fn what_is_given_up_can_be_begun_again(store: Arc<dyn SyncStore>) {
    let servers = Servers::new(&store);
    let operation = servers.began().await;
    servers.one.release(operation).await.expect("released");
    // Whatever it asks for: nothing came of the first.
    let again = new(&begin(&servers.other, "key", 2).await);
    assert_ne!(again, operation);
    servers.one.release(operation).await.expect("nothing of one's own to release");
    assert!(is_running(&begin(&servers.one, "key", 2).await));
}

async fn who_is_silent_for_a_minute_loses_the_key(store: Arc<dyn SyncStore>) {
    let servers = Servers::new(&store);
    let dead = servers.began().await;
    servers.clock.pass(TimeDelta::milliseconds(59_999));
    assert!(is_running(&begin(&servers.other, "key", 1).await));
    servers.clock.pass(TimeDelta::milliseconds(1));
    assert_eq!(begin(&servers.other, "key", 2).await, Begun::OtherRequest);
    let living = new(&begin(&servers.other, "key", 1).await);
    assert_ne!(living, dead);
    assert!(is_running(&begin(&servers.one, "key", 1).await), "with a lease of its own");
    // The dead one wakes up: its word counts no more.
    assert!(!servers.one.renew(dead).await.expect("an answer"));
    servers.one.finish(dead, &answer("late")).await.expect("nothing to finish");
    servers.one.release(dead).await.expect("nothing to release");
    assert!(is_running(&begin(&servers.one, "key", 1).await));
    servers.other.finish(living, &answer("made")).await.expect("finished");
    assert_eq!(begin(&servers.one, "key", 1).await, replay("made"));
}

async fn of_many_who_take_over_one_does(store: Arc<dyn SyncStore>) {
    let servers = Servers::new(&store);
    servers.began().await;
    servers.clock.pass(TimeDelta::seconds(60));
    let begun = all_together(50, |number| {
        let server = if number % 2 == 0 { &servers.one } else { &servers.other }.clone();
        async move { begin(&server, "key", 1).await }
    })
    .await;
    assert_eq!(begun.iter().filter(|begun| matches!(begun, Begun::New(_))).count(), 1, "{begun:?}");
    assert_eq!(begun.iter().filter(|begun| is_running(begun)).count(), 49);
}

async fn who_prolongs_keeps_the_key(store: Arc<dyn SyncStore>) {
    let servers = Servers::new(&store);
    let operation = servers.began().await;
    for _ in 0..5 {
        servers.clock.pass(TimeDelta::seconds(59));
        assert!(servers.one.renew(operation).await.expect("prolonged"));
        assert!(is_running(&begin(&servers.other, "key", 1).await));
    }
    servers.clock.pass(TimeDelta::seconds(60));
    new(&begin(&servers.other, "key", 1).await);
}

/// A server that is killed between the change and its answer.
async fn what_was_carried_out_is_told(store: Arc<dyn SyncStore>) {
    let servers = Servers::new(&store);
    let operation = servers.began().await;
    servers.carry_out(operation, 1).await.expect("carried out");
    assert!(is_running(&begin(&servers.other, "key", 1).await), "it may be about to answer");
    servers.clock.pass(TimeDelta::seconds(60));
    for _ in 0..2 {
        assert_eq!(begin(&servers.other, "key", 1).await, Begun::CarriedOut(subject(1)));
    }
    assert_eq!(begin(&servers.other, "key", 2).await, Begun::OtherRequest);
    // It was only slow.
    servers.one.finish(operation, &answer("made")).await.expect("finished");
    let told = Begun::Replay { answer: answer("made"), subject: Some(subject(1)) };
    assert_eq!(begin(&servers.other, "key", 1).await, told);
}

async fn what_was_carried_out_is_not_given_up(store: Arc<dyn SyncStore>) {
    let servers = Servers::new(&store);
    let operation = servers.began().await;
    servers.carry_out(operation, 1).await.expect("carried out");
    servers.one.release(operation).await.expect("nothing to release");
    servers.clock.pass(TimeDelta::seconds(60));
    assert_eq!(begin(&servers.other, "key", 1).await, Begun::CarriedOut(subject(1)));
}

/// A server that stands still for a minute and then goes on as if nothing had happened.
async fn who_lost_the_key_changes_nothing(store: Arc<dyn SyncStore>) {
    let servers = Servers::new(&store);
    let slow = servers.began().await;
    servers.clock.pass(TimeDelta::seconds(60));
    let quick = new(&begin(&servers.other, "key", 1).await);
    assert!(matches!(servers.carry_out(slow, 1).await, Err(StoreError::Conflict)));
    servers.carry_out(quick, 2).await.expect("carried out");
    assert!(matches!(servers.carry_out(slow, 1).await, Err(StoreError::Conflict)));
    assert!(!servers.exists(1).await && servers.exists(2).await);
    // Nor does one whose key was given up.
    let gone = new(&begin(&servers.one, "other", 1).await);
    servers.one.release(gone).await.expect("released");
    assert!(matches!(servers.carry_out(gone, 3).await, Err(StoreError::Conflict)));
    assert!(!servers.exists(3).await);
}

async fn a_change_that_is_just_being_stored_is_not_done_again(store: Arc<dyn SyncStore>) {
    let servers = Servers::new(&store);
    let operation = servers.began().await;
    servers.clock.pass(TimeDelta::seconds(60));
    let mut transaction = store.begin_sync().await.expect("a transaction");
    transaction.idempotency().carried_out(operation, &subject(1)).await.expect("carried out");
    // Both see the lease that ran out, and have to wait for what becomes of the change.
    let (takes, gives) = (servers.other.clone(), servers.one.clone());
    let taking = tokio::spawn(async move { begin(&takes, "key", 1).await });
    let giving = tokio::spawn(async move { gives.release(operation).await });
    tokio::task::yield_now().await;
    transaction.commit().await.expect("committed");
    assert_eq!(taking.await.expect("an end"), Begun::CarriedOut(subject(1)));
    giving.await.expect("an end").expect("nothing to release");
    assert_eq!(begin(&servers.other, "key", 1).await, Begun::CarriedOut(subject(1)));
}

async fn after_a_day_a_key_is_new(store: Arc<dyn SyncStore>) {
    let servers = Servers::new(&store);
    for (number, name) in ["a", "b", "c"].into_iter().enumerate() {
        let operation = new(&begin(&servers.one, name, 1).await);
        servers.one.finish(operation, &answer(&number.to_string())).await.expect("finished");
    }
    servers.clock.pass(TimeDelta::hours(24) - TimeDelta::milliseconds(1));
    assert_eq!(servers.one.forget_expired(10).await.expect("an answer"), 0);
    assert_eq!(begin(&servers.one, "a", 1).await, replay("0"));
    servers.clock.pass(TimeDelta::milliseconds(1));
    // Also if nobody has tidied up yet, and for whatever it asks.
    let operation = new(&begin(&servers.one, "a", 2).await);
    servers.one.finish(operation, &answer("anew")).await.expect("finished");
    assert_eq!(begin(&servers.other, "a", 2).await, replay("anew"));
    assert_eq!(servers.one.forget_expired(1).await.expect("an answer"), 1);
    assert_eq!(servers.one.forget_expired(10).await.expect("an answer"), 1);
    assert_eq!(servers.one.forget_expired(10).await.expect("an answer"), 0);
    assert_eq!(begin(&servers.one, "a", 2).await, replay("anew"));
}

async fn what_runs_is_not_forgotten(store: Arc<dyn SyncStore>) {
    let servers = Servers::new(&store);
    let operation = servers.began().await;
    servers.clock.pass(TimeDelta::hours(25));
    assert!(servers.one.renew(operation).await.expect("prolonged"));
    assert_eq!(servers.one.forget_expired(10).await.expect("an answer"), 0);
    assert!(is_running(&begin(&servers.other, "key", 1).await));
}
