//! Several programs on one database: stores that share nothing but it.

use std::sync::Arc;

use onefold_domain::linking::Outcome;
use onefold_persistence::testing::TestDatabase;
use onefold_sync::store::SyncStore;
use tokio::task::JoinSet;

use crate::by_hand::{add_customer, at, commit_customer, email_key, new_id};
use crate::parallel::{all_at_once, burst};
use crate::scene::{recall, service, statement, tell};

on_both_databases!(
    two_programs_leave_what_one_would,
    two_programs_and_one_new_value_make_one_customer,
    what_a_writer_was_told_another_program_reads,
    a_writer_who_gives_up_takes_nobody_along,
    a_closed_store_leaves_its_data,
);

async fn two_programs_leave_what_one_would(database: &TestDatabase) {
    let first: Arc<dyn SyncStore> = Arc::new(database.store().await);
    let second: Arc<dyn SyncStore> = Arc::new(database.store().await);
    burst(&[service(&first), service(&second)]).await;
}

async fn two_programs_and_one_new_value_make_one_customer(database: &TestDatabase) {
    let first: Arc<dyn SyncStore> = Arc::new(database.store().await);
    let second: Arc<dyn SyncStore> = Arc::new(database.store().await);
    let services = [service(&first), service(&second)];
    let calls = (0..30)
        .map(|number| (services[number % 2].clone(), ("doc@hillvalley.edu".to_owned(), "123456".to_owned())));
    let answers = all_at_once(calls).await;
    let created = answers.iter().filter(|answer| answer.outcome == Outcome::Created).count();
    assert_eq!(created, 1);
    assert_eq!(database.count("SELECT COUNT(*) FROM contact").await, 1);
}

/// More writers than SQLite lets share one commit. Whoever has an answer may tell another program,
/// which must then find what it says.
async fn what_a_writer_was_told_another_program_reads(database: &TestDatabase) {
    const WRITERS: usize = 150;
    let here: Arc<dyn SyncStore> = Arc::new(database.store().await);
    let elsewhere: Arc<dyn SyncStore> = Arc::new(database.store().await);
    let (here, elsewhere) = (service(&here), service(&elsewhere));
    let mut writers = JoinSet::new();
    for number in 0..WRITERS {
        let (here, elsewhere) = (here.clone(), elsewhere.clone());
        writers.spawn(async move {
            let email = format!("w{number}@hillvalley.edu");
            assert_eq!(tell(&here, &email, "").await.outcome, Outcome::Created);
            recall(&elsewhere, &email, "").await;
        });
    }
    writers.join_all().await;
    assert_eq!(database.count("SELECT COUNT(*) FROM contact").await, 150);
}

/// Of three writers in a row one commits, one finds its key taken, and one just stops.
async fn a_writer_who_gives_up_takes_nobody_along(database: &TestDatabase) {
    let store: Arc<dyn SyncStore> = Arc::new(database.store().await);
    let taken = [email_key("taken@hillvalley.edu")];
    commit_customer(&store, &taken, &statement("taken@hillvalley.edu", "")).await;
    let mut writers = JoinSet::new();
    for number in 0..60 {
        let (store, taken) = (Arc::clone(&store), taken.clone());
        writers.spawn(async move {
            let email = format!("w{number}@hillvalley.edu");
            let mut transaction = store.begin_sync().await.expect("a transaction");
            let id = new_id();
            if number % 3 == 1 {
                transaction.customers().insert(id, at()).await.expect("a customer");
                transaction.customers().claim(&taken, id).await.expect_err("a taken key");
                return;
            }
            let keys = [email_key(&email)];
            add_customer(&mut *transaction, id, &keys, &statement(&email, "")).await;
            if number % 3 == 0 {
                transaction.commit().await.expect("a commit");
            }
        });
    }
    writers.join_all().await;
    // One more commit comes after all that was given up before it.
    commit_customer(&store, &[email_key("last@hillvalley.edu")], &statement("last@hillvalley.edu", "")).await;
    for table in ["customer", "contact", "contact_point"] {
        let rows = database.count(&format!("SELECT COUNT(*) FROM {table}")).await;
        assert_eq!(rows, 22, "{table}");
    }
}

async fn a_closed_store_leaves_its_data(database: &TestDatabase) {
    let store = database.store().await;
    let shared: Arc<dyn SyncStore> = Arc::new(store.clone());
    commit_customer(&shared, &[email_key("doc@hillvalley.edu")], &statement("doc@hillvalley.edu", "")).await;
    drop(shared);
    store.close().await.expect("a store should close");
    let again: Arc<dyn SyncStore> = Arc::new(database.store().await);
    recall(&service(&again), "doc@hillvalley.edu", "").await;
}
