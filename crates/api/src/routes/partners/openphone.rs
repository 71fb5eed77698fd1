//! `/api/openphone/contacts`: customers and their contacts in OpenPhone. By a contact the path means a contact there;
//! a `contactId` is a customer or a contact here, as elsewhere.

use actix_web::web::{self, ServiceConfig};
use actix_web::{HttpRequest, HttpResponse};
use onefold_service::system::SyncSystem;
use onefold_sync::mapping::Mapping;
use serde::Serialize;
use serde_json::Value;
use utoipa::ToSchema;

use super::body::{ContactToSync, ContactsToSync};
use super::bulk_response::{BulkImported, BulkSynced, RunUnderWay};
use super::naming::{Naming, id_of};
use super::response::{ContactMapping, ImportedOrPlanned, SyncedOrPlanned};
use super::{bulk, import_one, show_mapping, sync_one};
use crate::access::Caller;
use crate::app::App;
use crate::envelope::{Enveloped, Refused, Success};
use crate::json;
use crate::members::Members;

pub(super) fn configure(config: &mut ServiceConfig) {
    config
        .service(web::resource("/api/openphone/contacts/sync").post(sync))
        .service(json::resource("/api/openphone/contacts/bulk-sync").post(bulk_sync))
        .service(web::resource("/api/openphone/contacts/mappings").get(mapping))
        .service(web::resource("/api/openphone/contacts/import").post(import))
        .service(json::resource("/api/openphone/contacts/bulk-import").post(bulk_import));
}

struct OpenPhone;

impl Naming for OpenPhone {
    const SYSTEM: SyncSystem = SyncSystem::OpenPhone;
    const ID: &'static str = "openPhoneId";
    const IDS: &'static str = "openPhoneIds";
    type Id = OpenPhoneId;
    type Record = OpenPhoneContact;
}

/// A contact, in an answer.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct OpenPhoneId {
    /// OpenPhone's id of the contact, in the results of an import as it was sent; null as long as none is known to exist.
    #[schema(value_type = Option<String>, example = "67a1f0c2e4b0a93d5c8e7f11")]
    open_phone_id: Value,
}

/// A contact and what it is.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct OpenPhoneContact {
    /// Null until the contact is known to exist.
    #[schema(value_type = Option<String>, example = "67a1f0c2e4b0a93d5c8e7f11")]
    open_phone_id: Value,
    #[schema(example = "contact")]
    open_phone_type: &'static str,
}

/// The contact to be taken in.
#[derive(ToSchema)]
#[schema(as = OpenPhoneContactToImport, rename_all = "camelCase")]
#[expect(dead_code, reason = "the shape for the document: bodies are read member by member, see `fields`")]
pub(crate) struct ToImport {
    /// OpenPhone's id of the contact.
    #[schema(example = "67a1f0c2e4b0a93d5c8e7f11")]
    open_phone_id: String,
}

/// The contacts to be taken in: a list of them, or all.
#[derive(ToSchema)]
#[schema(as = OpenPhoneContactsToImport, rename_all = "camelCase")]
#[expect(dead_code, reason = "the shape for the document: bodies are read member by member, see `fields`")]
pub(crate) struct ManyToImport {
    /// OpenPhone's ids. One that stands twice is worked on once.
    #[schema(min_items = 1, max_items = 10_000, example = json!(["67a1f0c2e4b0a93d5c8e7f11"]))]
    open_phone_ids: Option<Vec<String>>,
    /// All contacts of the workspace, in place of a list.
    import_all: Option<bool>,
}

impl From<Value> for OpenPhoneId {
    fn from(open_phone_id: Value) -> Self {
        Self { open_phone_id }
    }
}

impl From<&Mapping> for OpenPhoneContact {
    fn from(mapping: &Mapping) -> Self {
        Self { open_phone_id: id_of(mapping), open_phone_type: mapping.system.record_type() }
    }
}

/// Brings a customer and its contact in OpenPhone into step.
///
/// Without a contact there yet, the one that bears the customer's id is adopted; only then one is created.
/// What changed on one side since the last time is written to the other; a field that changed on both is
/// decided by its rule (`GET /sync/rules`).
#[utoipa::path(
    post, path = "/api/openphone/contacts/sync", tag = "openphone", operation_id = "openphone.sync",
    params(
        ("dryRun" = Option<bool>, Query, description = "Say what would be done, field by field, and write nothing"),
        ("Idempotency-Key" = Option<String>, Header, description = "Names the operation: sent again within 24 hours, it is answered as before"),
    ),
    request_body = ContactToSync,
    responses(
        (status = 200, description = "In step", body = Success<SyncedOrPlanned<OpenPhoneId>>),
        (status = 400, description = "Not JSON, or a field cannot be accepted; `details` says why, field by field", body = Refused),
        (status = 404, description = "There is no such customer, or its contact is gone", body = Refused),
        (status = 409, description = "A person has to decide first; `details.conflicts` names the conflicts. Or the customer is being synced at this moment", body = Refused),
        (status = 422, description = "A field that OpenPhone needs is missing or too long; `details` names it", body = Refused),
        (status = 502, description = "What OpenPhone said, with its code in `details`, or that it said nothing", body = Refused),
        (status = 503, description = "OpenPhone is not configured (`details.missing`), down or over its quota (`Retry-After`), or the database is away", body = Refused),
    )
)]
pub(crate) async fn sync(
    app: web::Data<App>,
    caller: Caller,
    request: HttpRequest,
    body: web::Json<Members>,
) -> Result<HttpResponse, Enveloped> {
    sync_one::<OpenPhone>(&app, &caller, &request, body).await
}

/// Brings many customers and their contacts into step.
///
/// It is a run: the call answers when it ends, or after 25 s with its id, by which `GET /sync/runs/{id}` shows
/// how far it is. That some fail is a success, with the failures listed.
#[utoipa::path(
    post, path = "/api/openphone/contacts/bulk-sync", tag = "openphone", operation_id = "openphone.bulkSync",
    params(
        ("dryRun" = Option<bool>, Query, description = "Say of each what would be done, and write nothing: results then have `action` and `plan`"),
        ("Idempotency-Key" = Option<String>, Header, description = "Names the operation: sent again within 24 hours, it is answered as before"),
    ),
    request_body = ContactsToSync,
    responses(
        (status = 200, description = "What became of each", body = Success<BulkSynced<OpenPhoneId>>),
        (status = 202, description = "It goes on; the header `Location` is where it is shown", body = Success<RunUnderWay>),
        (status = 400, description = "Not JSON, no ids, more than 10,000, or some that are none", body = Refused),
        (status = 413, description = "Over 512 KiB", body = Refused),
        (status = 502, description = "The run could not go on", body = Refused),
        (status = 503, description = "OpenPhone is not configured (`details.missing`), or the database is away", body = Refused),
    )
)]
pub(crate) async fn bulk_sync(
    app: web::Data<App>,
    caller: Caller,
    request: HttpRequest,
    body: web::Json<Members>,
) -> Result<HttpResponse, Enveloped> {
    bulk::sync_many::<OpenPhone>(&app, &caller, &request, body).await
}

/// How a customer, or a contact, stands with the other side.
#[utoipa::path(
    get, path = "/api/openphone/contacts/mappings", tag = "openphone", operation_id = "openphone.mapping",
    params(
        ("contactId" = Option<String>, Query, description = "The customer's UUID, or the number of one of its contacts"),
        ("openPhoneId" = Option<String>, Query, description = "OpenPhone's id of the contact; exactly one of the two is needed"),
    ),
    responses(
        (status = 200, description = "The mapping", body = Success<ContactMapping<OpenPhoneContact>>),
        (status = 400, description = "Not exactly one of the two", body = Refused),
        (status = 404, description = "There is no such customer, or no mapping", body = Refused),
        (status = 503, description = "The database is away", body = Refused),
    )
)]
pub(crate) async fn mapping(app: web::Data<App>, request: HttpRequest) -> Result<HttpResponse, Enveloped> {
    show_mapping::<OpenPhone>(&app, &request).await
}

/// Takes a contact in, or brings it into step if it is known.
///
/// Its emails and phones link as those of every contact: the customer that it ends up with may be an old one.
#[utoipa::path(
    post, path = "/api/openphone/contacts/import", tag = "openphone", operation_id = "openphone.import",
    params(
        ("dryRun" = Option<bool>, Query, description = "Say what would be done, field by field, and write nothing"),
        ("Idempotency-Key" = Option<String>, Header, description = "Names the operation: sent again within 24 hours, it is answered as before"),
    ),
    request_body = ToImport,
    responses(
        (status = 200, description = "Taken in", body = Success<ImportedOrPlanned<OpenPhoneId>>),
        (status = 400, description = "Not JSON, or a field cannot be accepted; `details` says why, field by field", body = Refused),
        (status = 404, description = "OpenPhone knows no such contact", body = Refused),
        (status = 409, description = "A person has to decide first; `details.conflicts` names the conflicts. Or the customer is being synced at this moment", body = Refused),
        (status = 422, description = "The contact has neither an email nor a phone", body = Refused),
        (status = 502, description = "What OpenPhone said, with its code in `details`, or that it said nothing", body = Refused),
        (status = 503, description = "OpenPhone is not configured (`details.missing`), down or over its quota (`Retry-After`), or the database is away", body = Refused),
    )
)]
pub(crate) async fn import(
    app: web::Data<App>,
    caller: Caller,
    request: HttpRequest,
    body: web::Json<Members>,
) -> Result<HttpResponse, Enveloped> {
    import_one::<OpenPhone>(&app, &caller, &request, body).await
}

/// Takes many contacts in, or all there are.
///
/// It is a run: the call answers when it ends, or after 25 s with its id, by which `GET /sync/runs/{id}` shows
/// how far it is. That some fail is a success, with the failures listed.
#[utoipa::path(
    post, path = "/api/openphone/contacts/bulk-import", tag = "openphone", operation_id = "openphone.bulkImport",
    params(
        ("dryRun" = Option<bool>, Query, description = "Say of each what would be done, and write nothing: results then have `action` and `plan`"),
        ("Idempotency-Key" = Option<String>, Header, description = "Names the operation: sent again within 24 hours, it is answered as before"),
    ),
    request_body = ManyToImport,
    responses(
        (status = 200, description = "What became of each", body = Success<BulkImported<OpenPhoneId>>),
        (status = 202, description = "It goes on; the header `Location` is where it is shown", body = Success<RunUnderWay>),
        (status = 400, description = "Not JSON, neither or both of the two, no ids, more than 10,000, or some that are none", body = Refused),
        (status = 413, description = "Over 512 KiB", body = Refused),
        (status = 502, description = "The run could not go on", body = Refused),
        (status = 503, description = "OpenPhone is not configured (`details.missing`), or the database is away", body = Refused),
    )
)]
pub(crate) async fn bulk_import(
    app: web::Data<App>,
    caller: Caller,
    request: HttpRequest,
    body: web::Json<Members>,
) -> Result<HttpResponse, Enveloped> {
    bulk::import_many::<OpenPhone>(&app, &caller, &request, body).await
}
