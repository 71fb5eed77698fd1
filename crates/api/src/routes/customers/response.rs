//! A customer as callers see it.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use onefold_domain::block::{BlockRule, Part};
use onefold_domain::customer::{CustomerView, PointView};
use onefold_domain::source::ContactSource;
use onefold_service::system::SyncSystem;
use onefold_sync::mapping::{DetachReason, Mapping};
use serde::Serialize;
use serde_json::{Map, Value};
use utoipa::ToSchema;
use uuid::Uuid;

use crate::profile_schema::ProfileMembers;
use crate::routes::contacts::Contact;

/// The most contacts that a customer is shown with; `GET /contacts?customerId=` has all of them.
const MAX_CONTACTS: usize = 200;

/// Whom a set of linked contacts belongs to.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Customer<'a> {
    id: Uuid,
    /// The oldest contact.
    primary_contact_id: Option<i64>,
    /// Computed from the contacts: what a person entered counts first, then what is verified, then by source, then
    /// the newest.
    #[schema(value_type = ProfileMembers)]
    profile: Map<String, Value>,
    /// The contact that each field comes from.
    #[schema(value_type = BTreeMap<String, i64>, example = json!({"firstName": 7, "country": 12}))]
    profile_sources: BTreeMap<&'static str, i64>,
    /// Since when each of these fields is what it is.
    profile_set_at: BTreeMap<&'static str, DateTime<Utc>>,
    contact_points: Vec<ContactPoint<'a>>,
    /// The accounts that it has contacts of.
    users: Vec<Uuid>,
    /// The first 200, oldest first. Lists of customers leave them out.
    #[serde(skip_serializing_if = "Option::is_none")]
    contacts: Option<Vec<Contact<'a>>>,
    contact_count: usize,
    /// Its records in other systems. Lists of customers leave them out.
    #[serde(skip_serializing_if = "Option::is_none")]
    mappings: Option<Vec<Mapped>>,
    /// Its contact in OpenPhone that is kept the same; left out if there is none.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(example = "67a1f0c2e4b0a93d5c8e7f11")]
    open_phone_contact_id: Option<String>,
    created_at: DateTime<Utc>,
    updated_at: DateTime<Utc>,
}

/// A record in another system.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Mapped {
    #[schema(example = "metakocka")]
    system: &'static str,
    #[schema(example = "partner")]
    record_type: &'static str,
    /// Null as long as the record is not known to exist.
    #[schema(example = "310000000001")]
    external_id: Option<String>,
    /// `pending`, `synced`, `conflict`, `error`, `stale` or `detached`.
    #[schema(example = "synced")]
    status: &'static str,
    /// `merged`, `gone` or `withdrawn`, if it is detached.
    detached_reason: Option<&'static str>,
    last_synced_at: Option<DateTime<Utc>>,
}

/// An email address or a phone number, with what the contacts say of it.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
struct ContactPoint<'a> {
    /// `email` or `phone`.
    #[schema(example = "email")]
    kind: &'static str,
    #[schema(example = "maker@example.com")]
    value: &'a str,
    is_verified: bool,
    verified_at: Option<DateTime<Utc>>,
    is_primary: bool,
    first_seen_at: DateTime<Utc>,
    last_seen_at: DateTime<Utc>,
    /// Who told of it, the first one first.
    #[schema(example = json!(["order", "auth"]))]
    sources: Vec<&'static str>,
    /// The rule for which it links nobody; null for nearly all.
    blocked_by: Option<&'static str>,
}

/// Part of a list of customers.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Customers<'a> {
    pub(super) customers: Vec<Customer<'a>>,
    /// Where the next page begins; null at the end.
    pub(super) next_cursor: Option<String>,
}

impl<'a> Customer<'a> {
    pub(super) fn of(view: &'a CustomerView, mappings: &[Mapping]) -> Self {
        let contacts = view.contacts.iter().take(MAX_CONTACTS).map(Contact::of).collect();
        Self {
            contacts: Some(contacts),
            mappings: Some(mappings.iter().map(Mapped::of).collect()),
            open_phone_contact_id: in_use(mappings, SyncSystem::OpenPhone),
            ..Self::listed(view)
        }
    }

    pub(super) fn listed(view: &'a CustomerView) -> Self {
        Self {
            id: view.id.0,
            primary_contact_id: view.primary.map(|id| id.0),
            profile: view.profile.to_json(),
            profile_sources: view.profile_sources.iter().map(|(field, id)| (field.as_str(), id.0)).collect(),
            profile_set_at: view.profile_set_at.iter().map(|(field, at)| (field.as_str(), *at)).collect(),
            contact_points: view.points.iter().map(ContactPoint::of).collect(),
            users: view.users.iter().map(|user| user.0).collect(),
            contacts: None,
            contact_count: view.contacts.len(),
            mappings: None,
            open_phone_contact_id: None,
            created_at: view.created_at,
            updated_at: view.updated_at,
        }
    }
}

/// The id of the record that is kept the same there.
fn in_use(mappings: &[Mapping], system: SyncSystem) -> Option<String> {
    let mut used = mappings.iter().filter(|mapping| mapping.system == system && mapping.detached.is_none());
    used.find_map(|mapping| mapping.external.as_ref()).map(|id| id.as_str().to_owned())
}

impl Mapped {
    fn of(mapping: &Mapping) -> Self {
        Self {
            system: mapping.system.as_str(),
            record_type: mapping.system.record_type(),
            external_id: mapping.external.as_ref().map(|id| id.as_str().to_owned()),
            status: mapping.status.as_str(),
            detached_reason: mapping.detached.map(DetachReason::as_str),
            last_synced_at: mapping.last_synced_at,
        }
    }
}

impl<'a> ContactPoint<'a> {
    fn of(point: &'a PointView) -> Self {
        Self {
            kind: match point.part {
                Part::Email => "email",
                Part::Phone => "phone",
            },
            value: &point.value,
            is_verified: point.verified_at.is_some(),
            verified_at: point.verified_at,
            is_primary: point.is_primary,
            first_seen_at: point.first_seen,
            last_seen_at: point.last_seen,
            sources: point.sources.iter().copied().map(ContactSource::as_str).collect(),
            blocked_by: point.blocked_by.map(BlockRule::as_str),
        }
    }
}
