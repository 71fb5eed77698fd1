//! Records as the trail shows them: JSON under the names of the API. Pure functions.

use chrono::{DateTime, SecondsFormat, Utc};
use serde_json::{Map, Value, json};

use crate::import::Import;
use crate::token::{Ability, AccessToken};
use crate::user::{ExternalId, User};
use onefold_domain::block::BlockRule;
use onefold_domain::contact::{Channel, ContactDetails, ContactDraft, ContactKind, ContactRecord, Statement};
use onefold_domain::email::EmailAddress;
use onefold_domain::id::{ContactId, CustomerId, ImportId};
use onefold_domain::phone::PhoneNumber;
use onefold_domain::profile::{Attribution, Profile};
use onefold_domain::source::ContactSource;

/// What of a contact is shown. When it was written and how often is left out, so that two snapshots are equal
/// if nothing but that differs.
pub(super) struct StoredContact<'a> {
    pub(super) id: ContactId,
    pub(super) customer: CustomerId,
    statement: &'a Statement,
    email_blocked_by: Option<BlockRule>,
    phone_blocked_by: Option<BlockRule>,
    source: ContactSource,
    details: &'a ContactDetails,
    import: Option<ImportId>,
    /// Who set what the profile attributes to nobody else, and when; `None` for a contact that this very entry is about.
    said: Option<Attribution>,
}

impl<'a> StoredContact<'a> {
    /// A draft that was stored under this id.
    pub(super) fn of_draft(id: ContactId, customer: CustomerId, draft: &'a ContactDraft) -> Self {
        Self {
            id,
            customer,
            statement: &draft.statement,
            email_blocked_by: draft.email_blocked_by,
            phone_blocked_by: draft.phone_blocked_by,
            source: draft.source,
            details: &draft.details,
            import: draft.import,
            said: None,
        }
    }

    pub(super) fn to_json(&self) -> Value {
        let kind = ContactKind::of(self.statement);
        let mut shown = json!({
            "id": self.id.0,
            "kind": kind.as_str(),
            "email": self.statement.email().map(EmailAddress::as_str),
            "phone": self.statement.phone().map(PhoneNumber::as_str),
            "channel": self.details.channel_for(kind).map(Channel::as_str),
            "source": self.source.as_str(),
            "userId": self.statement.user().map(|user| user.0),
            "isPrimary": self.details.is_primary,
            "verifiedAt": self.details.verified_at.map(moment),
            "metadata": self.details.metadata.as_map(),
            "profile": self.details.profile.as_ref().map(Profile::to_json),
            "customerId": self.customer.0,
            "importId": self.import.map(|import| import.0),
            "blocked": self.blocked(),
        });
        let set = self.attributions();
        if !set.is_empty() {
            shown["profileSet"] = set.into();
        }
        shown
    }

    /// Who set the values of the profile, and when.
    fn attributions(&self) -> Map<String, Value> {
        let mut profile = self.details.profile.clone().unwrap_or_default();
        if let Some(said) = self.said {
            profile.attribute(said);
        }
        profile.attributions()
    }

    /// The values that do not link, with the rule that keeps them.
    fn blocked(&self) -> Map<String, Value> {
        [("email", self.email_blocked_by), ("phone", self.phone_blocked_by)]
            .into_iter()
            .filter_map(|(part, rule)| rule.map(|rule| (part.to_owned(), rule.as_str().into())))
            .collect()
    }
}

impl<'a> From<&'a ContactRecord> for StoredContact<'a> {
    fn from(record: &'a ContactRecord) -> Self {
        Self {
            id: record.id,
            customer: record.customer,
            statement: &record.statement,
            email_blocked_by: record.email_blocked_by,
            phone_blocked_by: record.phone_blocked_by,
            source: record.source,
            details: &record.details,
            import: record.import,
            said: Some(Attribution::statement(record.source, record.updated_at)),
        }
    }
}

pub(super) fn of_contact(record: &ContactRecord) -> Value {
    StoredContact::from(record).to_json()
}

/// Without its hash: nobody needs it to know who was let in.
pub(super) fn of_token(token: &AccessToken) -> Value {
    json!({
        "id": token.id.0,
        "name": token.name.as_str(),
        "abilities": token.abilities.iter().map(Ability::as_str).collect::<Vec<_>>(),
        "userId": token.user.map(|user| user.0),
        "expiresAt": token.expires_at,
    })
}

pub(super) fn of_user(user: &User) -> Value {
    json!({
        "id": user.id.0,
        "externalId": user.external_id.as_ref().map(ExternalId::as_str),
        "profile": user.profile.as_ref().map(Profile::to_json),
    })
}

/// What came in, and what is to be done with it.
pub(super) fn of_import(import: &Import) -> Value {
    json!({
        "id": import.id.0,
        "format": import.format.as_str(),
        "bytes": import.bytes,
        "sha256": import.sha256.iter().map(|byte| format!("{byte:02x}")).collect::<String>(),
        "matchBy": import.options.match_by.as_str(),
        "dryRun": import.options.dry_run,
        "onError": if import.options.stop_on_error { "stop" } else { "continue" },
    })
}

/// Contacts, and the customer that they are one of.
pub(super) fn of_grouping(customer: CustomerId, contacts: &[ContactId]) -> Value {
    let ids: Vec<i64> = contacts.iter().map(|contact| contact.0).collect();
    json!({"customerId": customer.0, "contactIds": ids})
}

fn moment(at: DateTime<Utc>) -> String {
    at.to_rfc3339_opts(SecondsFormat::AutoSi, true)
}
