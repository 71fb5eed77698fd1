//! What the cases about sync share: mappings in one line, moments, and transactions of one step.

use std::sync::Arc;

use chrono::{DateTime, TimeDelta, Utc};
use onefold_domain::contact::ContactRecord;
use onefold_service::system::SyncSystem;
use onefold_sync::fault::SyncFault;
use onefold_sync::mapping::{DetachReason, Mapping, MappingId, MappingStatus};
use onefold_sync::partner::{PartnerField, PartnerId, PartnerParts};
use onefold_sync::store::{SyncStore, SyncTransaction};
use onefold_sync::view::{SyncText, SyncView};
use uuid::Uuid;

use crate::by_hand::at;
use crate::use_cases::{UseCases, order};

pub(crate) const SYSTEM: SyncSystem = SyncSystem::MetaKocka;

/// Another system, whose ids of records may be those of [`SYSTEM`].
pub(crate) const OTHER: SyncSystem = SyncSystem::OpenPhone;

/// So many minutes after the moment at which everything is made.
pub(crate) fn minute(number: i64) -> DateTime<Utc> {
    at() + TimeDelta::minutes(number)
}

/// Somebody who works on things.
pub(crate) fn worker(number: u128) -> Uuid {
    Uuid::from_u128(number)
}

pub(crate) fn external(id: &str) -> PartnerId {
    PartnerId::parse(id).expect("an id")
}

pub(crate) fn text(text: &str) -> Option<SyncText> {
    SyncText::new(text)
}

pub(crate) fn view(fields: &[(PartnerField, &str)]) -> SyncView {
    fields.iter().map(|(field, value)| (*field, text(value))).collect()
}

pub(crate) fn fault(code: &str) -> SyncFault {
    SyncFault::new(code, "It said »no«.")
}

/// Does something in a transaction of its own.
pub(crate) async fn write<T>(
    store: &Arc<dyn SyncStore>,
    act: impl AsyncFnOnce(&mut dyn SyncTransaction) -> T,
) -> T {
    let mut transaction = store.begin_sync().await.expect("a transaction");
    let done = act(&mut *transaction).await;
    transaction.commit().await.expect("a commit");
    done
}

/// A mapping that waits to be created there.
pub(crate) fn pending(number: u128, contact: &ContactRecord) -> Mapping {
    Mapping {
        id: MappingId(Uuid::from_u128(number)),
        system: SYSTEM,
        customer: contact.customer,
        contact: contact.id,
        external: None,
        parts: PartnerParts::default(),
        status: MappingStatus::Pending,
        detached: None,
        base: SyncView::new(),
        agreed_at: onefold_sync::view::AgreedAt::new(),
        sent: SyncView::new(),
        kept: SyncView::new(),
        customer_version: None,
        missing_since: None,
        last_synced_at: None,
        error: None,
        lease: None,
        created_by: "program".to_owned(),
        updated_by: "program".to_owned(),
        created_at: at(),
        updated_at: at(),
        version: 1,
    }
}

/// One that has its record.
pub(crate) fn synced(number: u128, contact: &ContactRecord, record: &str) -> Mapping {
    let external = Some(external(record));
    Mapping { status: MappingStatus::Synced, external, ..pending(number, contact) }
}

pub(crate) fn detached(mapping: Mapping, reason: DetachReason) -> Mapping {
    Mapping { status: MappingStatus::Detached, detached: Some(reason), ..mapping }
}

/// Stores a mapping that stands in nobody's way.
pub(crate) async fn insert(store: &Arc<dyn SyncStore>, mapping: &Mapping) {
    assert!(write(store, async |to| to.mappings().insert(mapping).await.expect("an answer")).await);
}

/// Contacts of customers that have nothing to do with each other.
pub(crate) async fn contacts<const N: usize>(use_cases: &UseCases) -> [ContactRecord; N] {
    let mut made = Vec::new();
    for number in 0..N {
        made.push(use_cases.create(&order(&format!("m{number}@hillvalley.edu"), "")).await);
    }
    made.try_into().expect("as many as were asked for")
}
