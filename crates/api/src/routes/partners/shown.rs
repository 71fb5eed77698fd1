//! The answers of the endpoints. `I` and `R` name the record as its system does, see `naming`.

use chrono::{DateTime, Utc};
use onefold_domain::{CustomerId, ItemOutcome, Mapping, PartnerId, Run, Shown, SyncFault};
use serde::Serialize;
use serde_json::Value;
use serde_json::value::RawValue;
use utoipa::ToSchema;
use uuid::Uuid;

use crate::error::sentence;

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
    #[schema(value_type = Vec<Object>, example = json!([{"field": "city", "write": "remote", "value": "Bled", "instead": null}]))]
    plan: Value,
}

/// How a contact stands with the other side.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct ContactMapping<R> {
    id: Uuid,
    /// The customer.
    contact_id: Uuid,
    #[serde(flatten)]
    record: R,
    /// `pending`, `synced`, `conflict`, `error`, `stale` or `detached`.
    #[schema(example = "synced")]
    sync_status: &'static str,
    last_synced_at: Option<DateTime<Utc>>,
}

/// What became of many contacts.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct BulkSynced<I> {
    total: u64,
    succeeded: u64,
    failed: u64,
    /// In the order of the list. Of more than 1,000 those that failed come first, and `runId` leads to the rest.
    results: Vec<ContactResult<I>>,
    /// Stated if `results` does not have all: see `GET /sync/runs/{id}/items`.
    #[serde(skip_serializing_if = "Option::is_none")]
    run_id: Option<Uuid>,
}

/// What became of one of them.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct ContactResult<I> {
    /// As it was sent.
    #[schema(value_type = String, example = "0198f3a1-7c1e-7bd0-a9a4-0f5b6f3b6c11")]
    contact_id: Value,
    success: bool,
    mapping_id: Option<Uuid>,
    #[serde(flatten)]
    record: I,
    error: Option<ResultError>,
    #[serde(flatten)]
    planned: Option<PlannedItem>,
}

/// What became of many records.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct BulkImported<I> {
    total: u64,
    imported: u64,
    failed: u64,
    /// In order; with `importAll`, those that needed nothing are left out. Of more than 1,000 those that failed
    /// come first, and `runId` leads to the rest.
    results: Vec<RecordResult<I>>,
    /// Stated if `results` does not have all: see `GET /sync/runs/{id}/items`.
    #[serde(skip_serializing_if = "Option::is_none")]
    run_id: Option<Uuid>,
}

/// What became of one of them.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct RecordResult<I> {
    #[serde(flatten)]
    record: I,
    success: bool,
    /// The customer.
    contact_id: Option<Uuid>,
    mapping_id: Option<Uuid>,
    error: Option<ResultError>,
    #[serde(flatten)]
    planned: Option<PlannedItem>,
}

/// Of a dry run: what would be done.
#[derive(Serialize, ToSchema)]
pub(crate) struct PlannedItem {
    #[schema(example = "update")]
    action: String,
    #[schema(value_type = Vec<Object>)]
    plan: Value,
}

/// Why one of many failed.
#[derive(Serialize, ToSchema)]
#[schema(as = BulkResultError)]
pub(crate) struct ResultError {
    #[schema(example = "invalid_fields")]
    code: String,
    message: String,
}

/// A bulk call that goes on after its answer.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct RunUnderWay {
    run_id: Uuid,
    /// `queued`, `running` or `held`.
    #[schema(example = "running")]
    status: &'static str,
    /// Of `importAll`, those that were seen so far.
    total: u64,
    succeeded: u64,
    failed: u64,
}

fn external<I: From<Value>>(id: Option<&PartnerId>) -> I {
    id.map_or(Value::Null, |id| id.as_str().into()).into()
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
    pub(super) fn of(shown: Shown) -> Self {
        Self {
            dry_run: true,
            action: shown.action,
            contact_id: shown.customer.map(|CustomerId(id)| id),
            record: external(shown.external.as_ref()),
            mapping_id: shown.mapping.map(|mapping| mapping.id.0),
            plan: shown.plan,
        }
    }
}

impl<R: for<'a> From<&'a Mapping>> ContactMapping<R> {
    pub(super) fn of(mapping: &Mapping) -> Self {
        Self {
            id: mapping.id.0,
            contact_id: mapping.customer.0,
            record: mapping.into(),
            sync_status: mapping.status.as_str(),
            last_synced_at: mapping.last_synced_at,
        }
    }
}

impl RunUnderWay {
    pub(super) fn of(run: &Run) -> Self {
        Self {
            run_id: run.id.0,
            status: run.status.as_str(),
            total: run.counts.total,
            succeeded: run.counts.succeeded,
            failed: run.counts.failed,
        }
    }
}

impl<I> BulkSynced<I> {
    pub(super) fn of(run: &Run, results: Vec<ContactResult<I>>, is_whole: bool) -> Self {
        let (total, succeeded, failed) = (run.counts.total, run.counts.succeeded, run.counts.failed);
        Self { total, succeeded, failed, results, run_id: (!is_whole).then_some(run.id.0) }
    }
}

impl<I> BulkImported<I> {
    pub(super) fn of(run: &Run, results: Vec<RecordResult<I>>, is_whole: bool) -> Self {
        let (total, imported, failed) = (run.counts.total, run.counts.succeeded, run.counts.failed);
        Self { total, imported, failed, results, run_id: (!is_whole).then_some(run.id.0) }
    }
}

impl<I: From<Value>> ContactResult<I> {
    pub(super) fn of(written: Value, dry_run: bool, outcome: ItemOutcome) -> Self {
        Self {
            contact_id: written,
            success: outcome.error.is_none(),
            mapping_id: outcome.mapping.map(|id| id.0),
            record: external(outcome.external.as_ref()),
            error: outcome.error.as_ref().map(ResultError::of),
            planned: dry_run.then(|| PlannedItem::of(outcome)),
        }
    }
}

impl<I: From<Value>> RecordResult<I> {
    pub(super) fn of(written: Value, dry_run: bool, outcome: ItemOutcome) -> Self {
        Self {
            record: written.into(),
            success: outcome.error.is_none(),
            contact_id: outcome.customer.map(|CustomerId(id)| id),
            mapping_id: outcome.mapping.map(|id| id.0),
            error: outcome.error.as_ref().map(ResultError::of),
            planned: dry_run.then(|| PlannedItem::of(outcome)),
        }
    }
}

impl PlannedItem {
    fn of(outcome: ItemOutcome) -> Self {
        Self { action: outcome.action, plan: outcome.plan.unwrap_or_else(|| Value::Array(Vec::new())) }
    }
}

impl ResultError {
    fn of(fault: &SyncFault) -> Self {
        Self { code: fault.code.clone(), message: sentence(&fault.message) }
    }
}

/// An id as it was sent, or as the run has it where nobody sent a list.
pub(super) fn as_written(written: Option<&RawValue>, subject: String) -> Value {
    written.and_then(|written| serde_json::from_str(written.get()).ok()).unwrap_or(Value::String(subject))
}
