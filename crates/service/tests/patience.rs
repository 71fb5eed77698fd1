//! How `identify` behaves when the store does not: failures that a real database rarely gives on demand.

#![expect(clippy::unwrap_used, reason = "a test may panic")]

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use mockall::mock;
use onefold_domain::contact::{EvidenceOrder, KnownContact, Received, Statement};
use onefold_domain::customer::KnownCustomer;
use onefold_domain::email::EmailAddress;
use onefold_domain::id::{ContactId, CustomerId};
use onefold_domain::link_key::{LinkKey, StatementKeys};
use onefold_domain::linking::{Candidates, Outcome};
use onefold_domain::policy::LinkPolicy;
use onefold_memory::MemoryStore;
use onefold_service::clock::{SystemClock, SystemRandomness};
use onefold_service::environment::Environment;
use onefold_service::identify::{Identify, IdentifyRequest};
use onefold_service::retry::{Failure, Patience};
use onefold_service::store::{
    AuditReader, ContactReader, CustomerReader, ImportReader, OriginReader, Store, StoreError, TokenReader,
    Transaction, UserReader,
};

mock! {
    Database {}

    #[async_trait]
    impl Store for Database {
        async fn candidates(&self, keys: &[LinkKey]) -> Result<Candidates, StoreError>;
        async fn begin(&self) -> Result<Box<dyn Transaction>, StoreError>;
        async fn ping(&self) -> Result<(), StoreError>;
        fn contacts(&self) -> &dyn ContactReader;
        fn customers(&self) -> &dyn CustomerReader;
        fn users(&self) -> &dyn UserReader;
        fn imports(&self) -> &dyn ImportReader;
        fn tokens(&self) -> &dyn TokenReader;
        fn audit(&self) -> &dyn AuditReader;
        fn origins(&self) -> &dyn OriginReader;
    }
}

const PATIENCE: Patience =
    Patience { attempts: 5, longest_pause: Duration::from_millis(20), deadline: Duration::from_secs(2) };

fn request() -> IdentifyRequest {
    let email = EmailAddress::parse("doc@hillvalley.edu").unwrap();
    IdentifyRequest { statement: Statement::new(Some(email), None).unwrap(), received: Received::default() }
}

fn identify(store: impl Store + 'static) -> Identify {
    let policy = Arc::new(LinkPolicy::shipped());
    let env = Environment::new(Arc::new(store), policy, Arc::new(SystemClock), Arc::new(SystemRandomness));
    Identify::new(env.with_patience(PATIENCE))
}

/// The customer that the request is already part of.
fn known() -> Candidates {
    let statement = request().statement;
    let id = CustomerId(uuid::Uuid::from_u128(1));
    let contact = KnownContact {
        id: ContactId(1),
        order: EvidenceOrder(1),
        email: statement.email().cloned(),
        phone: None,
        user: None,
        is_verified: false,
    };
    let key = StatementKeys::of(&statement, &LinkPolicy::shipped()).email.unwrap();
    Candidates {
        found: vec![(key, id)],
        customers: vec![KnownCustomer { id, version: 1, contacts: vec![contact] }],
    }
}

#[tokio::test]
async fn a_known_customer_costs_one_read_and_no_transaction() {
    let mut store = MockDatabase::new();
    store.expect_candidates().times(1).returning(|_| Ok(known()));
    store.expect_begin().never();
    assert_eq!(identify(store).run(&request()).await.unwrap().outcome, Outcome::Known);
}

#[tokio::test(start_paused = true)]
async fn lost_races_end_after_the_agreed_number_of_attempts() {
    let mut store = MockDatabase::new();
    store.expect_candidates().times(1).returning(|_| Ok(Candidates::default()));
    store.expect_begin().times(5).returning(|| Err(StoreError::Conflict));
    let error = identify(store).run(&request()).await.unwrap_err();
    assert!(matches!(error, Failure::Unavailable { attempts: 5, source: StoreError::Conflict }), "{error:?}");
}

#[tokio::test(start_paused = true)]
async fn a_connection_that_breaks_is_a_reason_to_try_again() {
    let mut store = MockDatabase::new();
    store.expect_candidates().times(1).returning(|_| Err(StoreError::Unavailable("connection reset".into())));
    store.expect_begin().times(4).returning(|| Err(StoreError::Unavailable("connection refused".into())));
    let error = identify(store).run(&request()).await.unwrap_err();
    assert!(matches!(error, Failure::Unavailable { attempts: 5, .. }), "{error:?}");
}

#[tokio::test]
async fn a_defect_is_not_tried_again() {
    let mut store = MockDatabase::new();
    store.expect_candidates().times(1).returning(|_| Err(StoreError::Backend("no such table".into())));
    store.expect_begin().never();
    let error = identify(store).run(&request()).await.unwrap_err();
    assert!(matches!(error, Failure::Store(StoreError::Backend(_))), "{error:?}");
}

#[tokio::test(start_paused = true)]
async fn a_store_that_hangs_is_left_at_the_deadline() {
    // Everybody waits for the one transaction of a store in memory, and somebody keeps it open.
    let store = MemoryStore::default();
    let _kept = store.begin().await.unwrap();
    let identify = identify(store);
    let started = tokio::time::Instant::now();
    assert!(matches!(identify.run(&request()).await, Err(Failure::TimedOut)));
    assert_eq!(started.elapsed(), PATIENCE.deadline);
}
