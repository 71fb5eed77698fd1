//! What use cases tell the trail: changes, from which it makes entries with who acts and when.

use serde_json::{Value, json};

use super::snapshot::{StoredContact, of_contact, of_grouping, of_import, of_token, of_user};
use crate::audit::{AuditAction, AuditSubject};
use crate::import::Import;
use crate::token::AccessToken;
use crate::user::User;
use onefold_domain::contact::{ContactDraft, ContactRecord};
use onefold_domain::id::{ContactId, CustomerId, ImportId};

/// Something that was changed.
pub struct Change {
    pub action: AuditAction,
    pub subject: AuditSubject,
    /// The customer that it concerns, by the name that it has at this moment.
    pub customer: Option<CustomerId>,
    /// How the subject was, and how it is. Both are kept for ever: no secret may be in them.
    pub before: Option<Value>,
    pub after: Option<Value>,
}

/// The most contacts of an import that one entry holds: a page of the trail must stay readable.
const CONTACTS_OF_AN_ENTRY: usize = 100;

impl Change {
    pub(crate) fn contact_created(record: &ContactRecord) -> Self {
        let after = of_contact(record);
        Self::of_a_contact(AuditAction::ContactCreated, record.id, record.customer, None, Some(after))
    }

    /// A draft that was stored under this id.
    pub fn contact_added(id: ContactId, customer: CustomerId, draft: &ContactDraft) -> Self {
        let after = StoredContact::of_draft(id, customer, draft).to_json();
        Self::of_a_contact(AuditAction::ContactCreated, id, customer, None, Some(after))
    }

    /// `None` if nothing that matters differs.
    pub fn contact_updated(before: &ContactRecord, after: &ContactRecord) -> Option<Self> {
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
    pub(crate) fn makes_its_subject(&self) -> bool {
        use AuditAction::{ContactCreated, ImportReceived, TokenCreated, UserCreated};
        matches!(self.action, ContactCreated | ImportReceived | TokenCreated | UserCreated)
    }
}
