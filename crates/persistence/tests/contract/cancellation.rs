//! Callers who go away, or run out of time, in the middle of it.

use std::future::Future;
use std::pin::pin;
use std::sync::Arc;
use std::task::Poll;
use std::time::Duration;

use onefold_domain::linking::Outcome;
use onefold_service::retry::{Failure, Patience};
use onefold_sync::store::SyncStore;

use crate::by_hand::{at, commit_customer, email_key, phone_key};
use crate::scene::{in_time, recall, request, seen, service, statement, tell};

on_every_store!(
    a_request_cut_off_anywhere_is_done_or_undone,
    writers_who_leave_the_queue_let_the_next_one_in,
    a_caller_who_is_kept_waiting_is_told_in_time,
);

/// A request that attaches to one hot customer is dropped after its first step, then after its
/// second, and so on until it gets through. If one left a lock behind, the next would hang.
async fn a_request_cut_off_anywhere_is_done_or_undone(store: Arc<dyn SyncStore>) {
    let service = service(&store);
    tell(&service, "", "123456").await;
    let mut emails = 0;
    for steps in 0.. {
        let email = format!("m{steps}@hillvalley.edu");
        let asked = request(statement(&email, "123456"));
        let cut_off = up_to(steps, service.run(&asked)).await;
        let answer = tell(&service, &email, "123456").await;
        assert!(matches!(answer.outcome, Outcome::Attached | Outcome::Known));
        emails += 1;
        if let Some(finished) = cut_off {
            assert_eq!(finished.expect("an answer").outcome, Outcome::Attached);
            break;
        }
    }
    let whole = recall(&service, "", "123456").await;
    assert_eq!((whole.emails.len(), whole.contacts()), (emails, emails + 1));
}

async fn writers_who_leave_the_queue_let_the_next_one_in(store: Arc<dyn SyncStore>) {
    let first = store.begin_sync().await.expect("a transaction");
    for _ in 0..20 {
        drop(up_to(1, store.begin_sync()).await);
    }
    drop(first);
    for _ in 0..20 {
        // This one may get its turn, and gives it back at once.
        drop(up_to(1, store.begin_sync()).await);
    }
    let keys = [email_key("marty@hillvalley.edu")];
    commit_customer(&store, &keys, &statement("marty@hillvalley.edu", "")).await;
}

async fn a_caller_who_is_kept_waiting_is_told_in_time(store: Arc<dyn SyncStore>) {
    let keys = [phone_key("123456")];
    let customer = commit_customer(&store, &keys, &statement("", "123456")).await;
    let mut slow = store.begin_sync().await.expect("a transaction");
    slow.customers().advance(customer, 1, at()).await.expect("the version is current");

    let deadline = Duration::from_millis(200);
    let hasty = service(&store).with_patience(Patience { deadline, ..Patience::default() });
    let asked = request(statement("marty@hillvalley.edu", "123456"));
    let refused = hasty.run(&asked).await;
    assert!(matches!(refused, Err(Failure::TimedOut)), "{refused:?}");

    drop(slow);
    let answer = tell(&service(&store), "marty@hillvalley.edu", "123456").await;
    assert_eq!(answer.outcome, Outcome::Attached);
    assert_eq!(seen(&answer).contacts(), 2);
}

mod postgres_only {
    //! What cancelling may leave in the server, seen from there.

    use onefold_persistence::testing::TestDatabase;

    use super::*;

    /// A transaction that nobody knows of would poison the connection for whoever gets it next.
    #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
    async fn writers_who_leave_at_the_door_leave_no_transaction_open() {
        let database = TestDatabase::postgres().await;
        let store = database.store().await;
        let open = format!(
            "SELECT COUNT(*) FROM pg_stat_activity WHERE datname = '{}' AND state LIKE 'idle in%'",
            database.name().expect("a name"),
        );
        for steps in 0..10 {
            drop(up_to(steps, store.begin_sync()).await);
            // Undoing takes a moment. What is never undone stays, and the case runs out of time.
            in_time(async { while database.count(&open).await > 0 {} }).await;
        }
    }
}

/// Lets this work go on for so many steps; `None` if it was dropped before its end.
async fn up_to<T>(steps: usize, work: impl Future<Output = T>) -> Option<T> {
    let mut work = pin!(work);
    let mut left = steps;
    std::future::poll_fn(move |context| {
        if left == 0 {
            return Poll::Ready(None);
        }
        left -= 1;
        match work.as_mut().poll(context) {
            Poll::Ready(done) => Poll::Ready(Some(done)),
            // Nobody wakes us after the last step.
            Poll::Pending if left == 0 => Poll::Ready(None),
            Poll::Pending => Poll::Pending,
        }
    })
    .await
}
