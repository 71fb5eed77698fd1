//! What use cases tell the trail: changes, from which it makes entries with who acts and when.

use std::collections::BTreeSet;

use chrono::{DateTime, Utc};
use serde_json::{Value, json};

use super::snapshot::{StoredContact, of_contact, of_grouping, of_import, of_token, of_user};
use super::{AuditAction, AuditDraft, AuditSubject, Snapshot};
use crate::import::Import;
use crate::{
    AccessToken, Conflict, ContactDraft, ContactId, ContactRecord, CustomerId, Environment, ImportId,
    OperationSubject, StoreError, SyncRules, SyncSystem, SyncText, Transaction, User,
};

/// Something that was changed.
pub(crate) struct Change {
    pub(crate) action: AuditAction,
    pub(crate) subject: AuditSubject,
    pub(crate) customer: Option<CustomerId>,
    pub(crate) before: Option<Value>,
    pub(crate) after: Option<Value>,
}

/// The most contacts of an import that one entry holds: a page of the trail must stay readable.
const CONTACTS_OF_AN_ENTRY: usize = 100;

impl Change {
    pub(crate) fn contact_created(record: &ContactRecord) -> Self {
        let after = of_contact(record);
        Self::of_a_contact(AuditAction::ContactCreated, record.id, record.customer, None, Some(after))
    }

    /// A draft that was stored under this id.
    pub(crate) fn contact_added(id: ContactId, customer: CustomerId, draft: &ContactDraft) -> Self {
        let after = StoredContact::of_draft(id, customer, draft).to_json();
        Self::of_a_contact(AuditAction::ContactCreated, id, customer, None, Some(after))
    }

    /// `None` if nothing that matters differs.
    pub(crate) fn contact_updated(before: &ContactRecord, after: &ContactRecord) -> Option<Self> {
        Self::between(AuditAction::ContactUpdated, before, after)
    }

    pub(crate) fn contact_claimed(before: &ContactRecord, after: &ContactRecord) -> Option<Self> {
        Self::between(AuditAction::ContactClaimed, before, after)
    }

    pub(crate) fn contact_withdrawn(record: &ContactRecord) -> Self {
        let before = of_contact(record);
        Self::of_a_contact(AuditAction::ContactWithdrawn, record.id, record.customer, Some(before), None)
    }

    /// The survivor has the absorbed customer's contacts from now on.
    pub(crate) fn merged(survivor: CustomerId, absorbed: CustomerId, contacts: &[ContactId]) -> Self {
        Self {
            action: AuditAction::CustomersMerged,
            subject: AuditSubject::Customer(absorbed),
            customer: Some(survivor),
            before: Some(of_grouping(absorbed, contacts)),
            after: Some(of_grouping(survivor, contacts)),
        }
    }

    /// These contacts fell off a customer and are another one's from now on.
    pub(crate) fn split(whole: CustomerId, part: CustomerId, contacts: &[ContactId]) -> Self {
        Self {
            action: AuditAction::CustomersSplit,
            subject: AuditSubject::Customer(part),
            customer: Some(whole),
            before: Some(of_grouping(whole, contacts)),
            after: Some(of_grouping(part, contacts)),
        }
    }

    pub(crate) fn user_created(user: &User) -> Self {
        Self::of_a_user(AuditAction::UserCreated, user, None)
    }

    pub(crate) fn user_updated(before: &User, user: &User) -> Self {
        Self::of_a_user(AuditAction::UserUpdated, user, Some(of_user(before)))
    }

    pub(crate) fn import_received(import: &Import) -> Self {
        Self {
            action: AuditAction::ImportReceived,
            subject: AuditSubject::Import(import.id),
            customer: None,
            before: None,
            after: Some(of_import(import)),
        }
    }

    pub(crate) fn token_created(token: &AccessToken) -> Self {
        Self::of_a_token(AuditAction::TokenCreated, token, None, Some(of_token(token)))
    }

    pub(crate) fn token_revoked(token: &AccessToken) -> Self {
        Self::of_a_token(AuditAction::TokenRevoked, token, Some(of_token(token)), None)
    }

    /// Rows changed these contacts, each given as it was and as it is. Many of them share an entry.
    pub(crate) fn import_updated(import: ImportId, changed: &[(ContactRecord, ContactRecord)]) -> Vec<Self> {
        let list = |records: &mut dyn Iterator<Item = &ContactRecord>| json!({"contacts": records.map(of_contact).collect::<Vec<_>>()});
        let entry = |changed: &[(ContactRecord, ContactRecord)]| Self {
            action: AuditAction::ImportUpdated,
            subject: AuditSubject::Import(import),
            customer: None,
            before: Some(list(&mut changed.iter().map(|(before, _)| before))),
            after: Some(list(&mut changed.iter().map(|(_, after)| after))),
        };
        changed.chunks(CONTACTS_OF_AN_ENTRY).map(entry).collect()
    }

    pub(crate) fn sync_rules_changed(
        system: SyncSystem,
        before: Option<&SyncRules>,
        after: &SyncRules,
    ) -> Self {
        let told = |rules: &SyncRules| {
            rules.iter().map(|(field, rule)| (field.as_str().to_owned(), rule.as_str().into())).collect()
        };
        Self {
            action: AuditAction::SyncRulesChanged,
            subject: AuditSubject::Sync(system),
            customer: None,
            before: before.map(told).map(Value::Object),
            after: Some(Value::Object(told(after))),
        }
    }

    pub(crate) fn conflict_resolved(conflict: &Conflict, resolution: &str) -> Self {
        let text = |text: &Option<SyncText>| text.as_ref().map(|text| text.as_str().to_owned());
        let (local, remote) = (text(&conflict.local), text(&conflict.remote));
        let before = json!({"conflict": conflict.id.0, "system": conflict.system.as_str(),
            "field": conflict.subject.as_str(), "local": local, "remote": remote});
        Self {
            action: AuditAction::ConflictResolved,
            subject: AuditSubject::Customer(conflict.customer),
            customer: Some(conflict.customer),
            before: Some(before),
            after: Some(json!({"conflict": conflict.id.0, "resolution": resolution})),
        }
    }

    fn between(action: AuditAction, before: &ContactRecord, after: &ContactRecord) -> Option<Self> {
        let (was, is) = (of_contact(before), of_contact(after));
        (was != is).then(|| Self::of_a_contact(action, after.id, after.customer, Some(was), Some(is)))
    }

    fn of_a_contact(
        action: AuditAction,
        id: ContactId,
        customer: CustomerId,
        before: Option<Value>,
        after: Option<Value>,
    ) -> Self {
        Self { action, subject: AuditSubject::Contact(id), customer: Some(customer), before, after }
    }

    fn of_a_user(action: AuditAction, user: &User, before: Option<Value>) -> Self {
        let after = Some(of_user(user));
        Self { action, subject: AuditSubject::User(user.id), customer: None, before, after }
    }
}

impl Change {
    fn of_a_token(
        action: AuditAction,
        token: &AccessToken,
        before: Option<Value>,
        after: Option<Value>,
    ) -> Self {
        Self { action, subject: AuditSubject::Token(token.id), customer: None, before, after }
    }

    /// Whether this is what a request with an idempotency key was for; the rest follows from it.
    fn makes_its_subject(&self) -> bool {
        use AuditAction::{ContactCreated, ImportReceived, TokenCreated, UserCreated};
        matches!(self.action, ContactCreated | ImportReceived | TokenCreated | UserCreated)
    }
}

impl Environment {
    /// Appends changes to the trail, in the transaction that makes them: both are stored, or neither is. If they
    /// are the work of a request with an idempotency key, the key learns in the same transaction that it was
    /// carried out; a server that had lost the key meanwhile stores nothing.
    pub(crate) async fn record(
        &self,
        transaction: &mut dyn Transaction,
        at: DateTime<Utc>,
        changes: Vec<Change>,
    ) -> Result<(), StoreError> {
        let made = changes.iter().find(|change| change.makes_its_subject());
        if let (Some(operation), Some(made)) = (self.acting.operation, made) {
            let subject = OperationSubject { kind: made.subject.kind().to_owned(), id: made.subject.id() };
            transaction.idempotency().carried_out(operation, &subject).await?;
        }
        if !self.triggers.is_empty() {
            self.promise_sync(transaction, at, &changed_customers(&changes)).await?;
        }
        let draft = |change: Change| AuditDraft {
            at,
            acting: self.acting.clone(),
            action: change.action,
            subject: change.subject,
            customer: change.customer,
            before: change.before.as_ref().map(Snapshot::of),
            after: change.after.as_ref().map(Snapshot::of),
        };
        let drafts: Vec<_> = changes.into_iter().map(draft).collect();
        if drafts.is_empty() {
            return Ok(());
        }
        transaction.audit().append(&drafts).await
    }
}

/// The customers that changes are about, those on both sides of a merge or a split included.
fn changed_customers(changes: &[Change]) -> BTreeSet<CustomerId> {
    let subject = |change: &Change| match change.subject {
        AuditSubject::Customer(customer) => Some(customer),
        _ => None,
    };
    changes.iter().flat_map(|change| [change.customer, subject(change)]).flatten().collect()
}
