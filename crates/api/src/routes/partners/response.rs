//! The answers of calls of one customer or record. `I` and `R` name the record as its system does, see `naming`.

use chrono::{DateTime, Utc};
use onefold_domain::id::{ContactId, CustomerId};
use onefold_sync::mapping::Mapping;
use onefold_sync::synchroniser::SyncPreview;
use serde::Serialize;
use serde_json::Value;
use utoipa::ToSchema;
use uuid::Uuid;

use super::naming::{ContactKey, external};

/// A contact that is in step.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct SyncedContact<I> {
    mapping_id: Uuid,
    #[serde(flatten)]
    record: I,
}

/// A record that was taken in.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct ImportedRecord {
    /// The customer.
    contact_id: Uuid,
    mapping_id: Uuid,
}

/// What would be done. Nothing was.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct PlannedSync<I> {
    /// Always true.
    dry_run: bool,
    /// `create`, `adopt`, `import`, `update`, `unchanged` or `conflict`.
    #[schema(example = "update")]
    action: &'static str,
    /// The customer; null if it is new.
    contact_id: Option<Uuid>,
    #[serde(flatten)]
    record: I,
    mapping_id: Option<Uuid>,
    /// Field by field what would be written where, or asked.
    #[schema(value_type = Vec<BTreeMap<String, Value>>, example = json!([{"field": "city", "write": "remote", "value": "Bled", "instead": null}]))]
    plan: Value,
}

/// What became of it, or with `dryRun` what would become of it.
#[derive(Serialize, ToSchema)]
#[serde(untagged)]
pub(crate) enum SyncedOrPlanned<I> {
    // First in the document, too: a client that tries one after the other would take it for the other.
    Planned(PlannedSync<I>),
    Synced(SyncedContact<I>),
}

/// What became of it, or with `dryRun` what would become of it.
#[derive(Serialize, ToSchema)]
#[serde(untagged)]
pub(crate) enum ImportedOrPlanned<I> {
    Planned(PlannedSync<I>),
    Imported(ImportedRecord),
}

/// How a contact stands with the other side.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct ContactMapping<R> {
    id: Uuid,
    /// The number of the contact that was asked for; otherwise the customer.
    #[schema(value_type = ContactKey)]
    contact_id: Value,
    customer_id: Uuid,
    #[serde(flatten)]
    record: R,
    /// `pending`, `synced`, `conflict`, `error`, `stale` or `detached`.
    #[schema(example = "synced")]
    sync_status: &'static str,
    last_synced_at: Option<DateTime<Utc>>,
}

impl<I: From<Value>> SyncedContact<I> {
    pub(super) fn of(mapping: &Mapping) -> Self {
        Self { mapping_id: mapping.id.0, record: external(mapping.external.as_ref()) }
    }
}

impl ImportedRecord {
    pub(super) fn of(mapping: &Mapping) -> Self {
        Self { contact_id: mapping.customer.0, mapping_id: mapping.id.0 }
    }
}

impl<I: From<Value>> PlannedSync<I> {
    pub(super) fn of(planned: SyncPreview) -> Self {
        Self {
            dry_run: true,
            action: planned.action,
            contact_id: planned.customer.map(|CustomerId(id)| id),
            record: external(planned.external.as_ref()),
            mapping_id: planned.mapping.map(|mapping| mapping.id.0),
            plan: planned.plan,
        }
    }
}

impl<R: for<'a> From<&'a Mapping>> ContactMapping<R> {
    /// `asked` is the number of the contact that was asked for.
    pub(super) fn of(mapping: &Mapping, asked: Option<ContactId>) -> Self {
        let customer = || mapping.customer.0.hyphenated().to_string().into();
        Self {
            id: mapping.id.0,
            contact_id: asked.map_or_else(customer, |asked| asked.0.into()),
            customer_id: mapping.customer.0,
            record: mapping.into(),
            sync_status: mapping.status.as_str(),
            last_synced_at: mapping.last_synced_at,
        }
    }
}
