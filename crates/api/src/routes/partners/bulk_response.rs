//! The answers of calls of many: what became of each, or that the run goes on. `I` names the record as its system does, see
//! `naming`.

use onefold_domain::id::CustomerId;
use onefold_sync::fault::SyncFault;
use onefold_sync::run::{ItemOutcome, Run, RunCounts};
use serde::Serialize;
use serde_json::Value;
use serde_json::value::RawValue;
use utoipa::ToSchema;
use uuid::Uuid;

use super::naming::{ContactKey, external};
use crate::error::sentence;
use crate::routes::sync::people::Person;

/// What became of many contacts.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct BulkSynced<I> {
    total: u64,
    succeeded: u64,
    failed: u64,
    /// A person has to decide about these. Left out if there are none.
    #[serde(skip_serializing_if = "is_none")]
    conflicts: u64,
    /// With `all`: too little is known of these for a record there. Left out if there are none.
    #[serde(skip_serializing_if = "is_none")]
    skipped: u64,
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
    #[schema(value_type = ContactKey)]
    contact_id: Value,
    success: bool,
    /// With `all`: what the customer is called.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(example = "Ann Lee")]
    name: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(example = "ann@example.com")]
    email: Option<String>,
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
    /// A person has to decide about these. Left out if there are none.
    #[serde(skip_serializing_if = "is_none")]
    conflicts: u64,
    /// They have neither an email nor a phone. With `importAll` each is told once. Left out if there are none.
    #[serde(skip_serializing_if = "is_none")]
    skipped: u64,
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
    #[schema(value_type = Vec<BTreeMap<String, Value>>)]
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
    /// Of a register that is still being read, those that were seen so far.
    total: u64,
    succeeded: u64,
    failed: u64,
    #[serde(skip_serializing_if = "is_none")]
    conflicts: u64,
    #[serde(skip_serializing_if = "is_none")]
    skipped: u64,
    /// Why it is held, or waits; otherwise left out.
    #[serde(skip_serializing_if = "Option::is_none")]
    message: Option<String>,
}

/// Callers who know nothing of these counts go on without them.
#[expect(clippy::trivially_copy_pass_by_ref, reason = "what serde calls")]
fn is_none(count: &u64) -> bool {
    *count == 0
}

impl RunUnderWay {
    pub(super) fn of(run: &Run) -> Self {
        Self {
            run_id: run.id.0,
            status: run.status.as_str(),
            total: run.counts.total,
            succeeded: run.counts.succeeded,
            failed: run.counts.failed,
            conflicts: run.counts.conflicts,
            skipped: run.counts.skipped,
            message: run.message.as_deref().map(sentence),
        }
    }
}

impl<I> BulkSynced<I> {
    pub(super) fn of(run: &Run, results: Vec<ContactResult<I>>, is_whole: bool) -> Self {
        let RunCounts { total, succeeded, failed, conflicts, skipped, .. } = run.counts;
        Self {
            total,
            succeeded,
            failed,
            conflicts,
            skipped,
            results,
            run_id: (!is_whole).then_some(run.id.0),
        }
    }
}

impl<I> BulkImported<I> {
    pub(super) fn of(run: &Run, results: Vec<RecordResult<I>>, is_whole: bool) -> Self {
        let RunCounts { total, succeeded: imported, failed, conflicts, skipped, .. } = run.counts;
        Self { total, imported, failed, conflicts, skipped, results, run_id: (!is_whole).then_some(run.id.0) }
    }
}

impl<I: From<Value>> ContactResult<I> {
    pub(super) fn of(written: Value, dry_run: bool, outcome: ItemOutcome) -> Self {
        Self {
            contact_id: written,
            success: outcome.error.is_none(),
            name: None,
            email: None,
            mapping_id: outcome.mapping.map(|id| id.0),
            record: external(outcome.external.as_ref()),
            error: outcome.error.as_ref().map(ResultError::of),
            planned: dry_run.then(|| PlannedItem::of(outcome)),
        }
    }

    pub(super) fn about(self, person: Option<&Person>) -> Self {
        let name = person.and_then(Person::title).map(ToOwned::to_owned);
        let email = person.and_then(Person::email).map(ToOwned::to_owned);
        Self { name, email, ..self }
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
