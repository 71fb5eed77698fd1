//! Writing through the traits step by step, in the order that they ask for, where a case is about
//! the steps and not about identify.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use chrono::{DateTime, Utc};
use onefold_domain::contact::{ContactDetails, ContactDraft, EvidenceOrder, Received, Statement};
use onefold_domain::id::{ContactId, CustomerId};
use onefold_domain::link_key::{KeyKind, LinkKey};
use onefold_domain::linking::Candidates;
use onefold_domain::source::ContactSource;
use onefold_service::clock::{Clock, Randomness};
use onefold_service::store::LinkDraft;
use onefold_service::testing::{SeededRandomness, SteppingClock};
use onefold_service::user::User;
use onefold_sync::store::{SyncStore, SyncTransaction};

pub(crate) fn at() -> DateTime<Utc> {
    SteppingClock::fixed().now()
}

pub(crate) fn new_id() -> CustomerId {
    // Seeds far from those of the services, which may write to the same database.
    static DRAWN: AtomicU64 = AtomicU64::new(1 << 32);
    CustomerId(SeededRandomness::new(DRAWN.fetch_add(1, Ordering::Relaxed)).uuid(at()))
}

pub(crate) fn email_key(value: &str) -> LinkKey {
    LinkKey { kind: KeyKind::Email, value: value.to_owned() }
}

pub(crate) fn phone_key(value: &str) -> LinkKey {
    LinkKey { kind: KeyKind::Phone, value: value.to_owned() }
}

/// A new customer with one contact, under these keys.
pub(crate) async fn add_customer(
    transaction: &mut dyn SyncTransaction,
    id: CustomerId,
    keys: &[LinkKey],
    statement: &Statement,
) -> ContactId {
    transaction.customers().insert(id, at()).await.expect("a customer");
    transaction.customers().claim(keys, id).await.expect("keys that are free");
    let contact = add_contact(transaction, id, statement).await;
    transaction.customers().set_primary(id, Some(contact)).await.expect("a primary");
    contact
}

pub(crate) async fn add_contact(
    transaction: &mut dyn SyncTransaction,
    id: CustomerId,
    statement: &Statement,
) -> ContactId {
    if let Some(id) = statement.user() {
        let user = User { id, external_id: None, profile: None, created_at: at(), updated_at: at() };
        transaction.users().insert(&user).await.expect("a user");
    }
    let draft = ContactDraft {
        statement: statement.clone(),
        claimed_by: None,
        email_blocked_by: None,
        phone_blocked_by: None,
        source: ContactSource::Manual,
        details: ContactDetails::default(),
        received: Received::default(),
        import: None,
        origin: None,
    };
    transaction.contacts().insert(&draft, id, at()).await.expect("a contact")
}

/// `add_customer` in a transaction of its own.
pub(crate) async fn commit_customer(
    store: &Arc<dyn SyncStore>,
    keys: &[LinkKey],
    statement: &Statement,
) -> CustomerId {
    let id = new_id();
    let mut transaction = store.begin_sync().await.expect("a transaction");
    add_customer(&mut *transaction, id, keys, statement).await;
    transaction.commit().await.expect("a commit");
    id
}

/// Lets one customer absorb another, and records it. Both are named with their present versions.
pub(crate) async fn merge(
    transaction: &mut dyn SyncTransaction,
    survivor: (CustomerId, i64),
    absorbed: (CustomerId, i64),
    statement: &Statement,
) {
    let mut guards = [survivor, absorbed];
    guards.sort_unstable();
    for (id, version) in guards {
        transaction.customers().advance(id, version, at()).await.expect("a current version");
    }
    transaction.customers().absorb(survivor.0, absorbed.0, at()).await.expect("a merge");
    let link = LinkDraft {
        beside: None,
        source: None,
        survivor: survivor.0,
        absorbed: absorbed.0,
        statement: statement.clone(),
        contact: None,
        after: EvidenceOrder(1),
        at: at(),
        origin: None,
    };
    transaction.links().insert(&link).await.expect("a record of the merge");
}

/// Stores may list keys and customers in any order.
pub(crate) fn sorted(mut candidates: Candidates) -> Candidates {
    candidates.found.sort();
    candidates.customers.sort_by_key(|customer| customer.id);
    candidates
}
