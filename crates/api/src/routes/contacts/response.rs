//! A contact record as callers see it.

use chrono::{DateTime, Utc};
use onefold_domain::block::BlockRule;
use onefold_domain::contact::{Channel, ContactKind, ContactRecord};
use onefold_domain::email::EmailAddress;
use onefold_domain::metadata::Metadata;
use onefold_domain::phone::PhoneNumber;
use onefold_domain::profile::Profile;
use serde::Serialize;
use serde_json::{Map, Value};
use utoipa::ToSchema;
use uuid::Uuid;

use crate::profile_schema::ProfileMembers;

/// One statement by one source: an email, a phone, or both.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Contact<'a> {
    #[schema(example = 7)]
    id: i64,
    /// `email`, `phone` or, for a contact that `POST /identify` or an import made of two values, `both`.
    #[schema(example = "email")]
    kind: &'static str,
    /// In canonical form. Contacts of kind `both` have `email` and `phone` instead.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(example = "maker@example.com")]
    value: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    email: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    phone: Option<&'a str>,
    /// The extension of the phone, which is the end of it, behind `;ext=`. Left out when there is none.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(example = "12")]
    ext: Option<&'a str>,
    /// `email`, `telephone`, `whatsapp` or `telegram`; null when nobody said so of a contact of both kinds.
    #[schema(example = "email")]
    channel: Option<&'static str>,
    /// `order`, `auth`, `signup_form`, `manual`, `import`, `identify`, `metakocka` or `openphone`.
    #[schema(example = "order")]
    source: &'static str,
    user_id: Option<Uuid>,
    /// Whether it is the user's first choice among contacts of its kind.
    is_primary: bool,
    is_verified: bool,
    verified_at: Option<DateTime<Utc>>,
    #[schema(value_type = BTreeMap<String, Value>, example = json!({"orderId": "order_123"}))]
    metadata: &'a Map<String, Value>,
    #[schema(value_type = Option<ProfileMembers>)]
    profile: Option<Map<String, Value>>,
    customer_id: Uuid,
    /// `primary` for the oldest contact of its customer, `secondary` for all others.
    #[schema(example = "primary")]
    link_precedence: &'static str,
    /// The primary contact; null for that one itself.
    linked_id: Option<i64>,
    /// Why the value links nobody: `never_links`, `verified_elsewhere`, `unverified`, `two_users` or `customer_full`. Left
    /// out when it does.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(example = "unverified")]
    blocked_by: Option<&'static str>,
    /// Why the email of a contact that holds an email and a phone links nobody.
    #[serde(skip_serializing_if = "Option::is_none")]
    email_blocked_by: Option<&'static str>,
    /// Why the phone of a contact that holds an email and a phone links nobody.
    #[serde(skip_serializing_if = "Option::is_none")]
    phone_blocked_by: Option<&'static str>,
    created_at: DateTime<Utc>,
    updated_at: DateTime<Utc>,
}

impl<'a> Contact<'a> {
    pub(crate) fn of(record: &'a ContactRecord) -> Self {
        let email = record.statement.email().map(EmailAddress::as_str);
        let phone = record.statement.phone().map(PhoneNumber::as_str);
        let kind = record.kind();
        let (value, email, phone) = match kind {
            ContactKind::Both => (None, email, phone),
            ContactKind::Email | ContactKind::Phone => (email.or(phone), None, None),
        };
        let rules =
            [record.email_blocked_by, record.phone_blocked_by].map(|rule| rule.map(BlockRule::as_str));
        let (blocked_by, [email_blocked_by, phone_blocked_by]) = match kind {
            ContactKind::Both => (None, rules),
            ContactKind::Email | ContactKind::Phone => (rules[0].or(rules[1]), [None, None]),
        };
        let linked = record.linked();
        Self {
            id: record.id.0,
            kind: kind.as_str(),
            value,
            email,
            phone,
            ext: record.statement.phone().and_then(PhoneNumber::extension),
            channel: record.channel().map(Channel::as_str),
            source: record.source.as_str(),
            user_id: record.user().map(|user| user.0),
            is_primary: record.details.is_primary,
            is_verified: record.details.verified_at.is_some(),
            verified_at: record.details.verified_at,
            metadata: Metadata::as_map(&record.details.metadata),
            profile: record.details.profile.as_ref().map(Profile::to_json),
            customer_id: record.customer.0,
            link_precedence: if linked.is_some() { "secondary" } else { "primary" },
            linked_id: linked.map(|id| id.0),
            blocked_by,
            email_blocked_by,
            phone_blocked_by,
            created_at: record.created_at,
            updated_at: record.updated_at,
        }
    }
}

/// Part of a list of contacts, oldest first.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Contacts<'a> {
    pub(super) contacts: Vec<Contact<'a>>,
    /// Where the next page begins; null at the end.
    pub(super) next_cursor: Option<String>,
}
