//! `/api/metakocka/contacts`: customers and their partners in MetaKocka.

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
        .service(web::resource("/api/metakocka/contacts/sync").post(sync))
        .service(json::resource("/api/metakocka/contacts/bulk-sync").post(bulk_sync))
        .service(web::resource("/api/metakocka/contacts/mappings").get(mapping))
        .service(web::resource("/api/metakocka/contacts/import").post(import))
        .service(json::resource("/api/metakocka/contacts/bulk-import").post(bulk_import));
}

struct MetaKocka;

impl Naming for MetaKocka {
    const SYSTEM: SyncSystem = SyncSystem::MetaKocka;
    const ID: &'static str = "metakockaId";
    const IDS: &'static str = "metakockaIds";
    type Id = MetaKockaId;
    type Record = MetaKockaPartner;
}

/// A partner, in an answer.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct MetaKockaId {
    /// MetaKocka's id of the partner, in the results of an import as it was sent; null as long as none is known to exist.
    #[schema(value_type = Option<String>, example = "310000000417")]
    metakocka_id: Value,
}

/// A partner and what it is.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct MetaKockaPartner {
    /// Null until the partner is known to exist.
    #[schema(value_type = Option<String>, example = "310000000417")]
    metakocka_id: Value,
    #[schema(example = "partner")]
    metakocka_type: &'static str,
}

/// The partner to be taken in.
#[derive(ToSchema)]
#[schema(as = MetaKockaPartnerToImport, rename_all = "camelCase")]
#[expect(dead_code, reason = "the shape for the document: bodies are read member by member, see `fields`")]
pub(crate) struct ToImport {
    /// MetaKocka's id of the partner.
    #[schema(example = "310000000417")]
    metakocka_id: String,
}

/// The partners to be taken in: a list of them, or all.
#[derive(ToSchema)]
#[schema(as = MetaKockaPartnersToImport, rename_all = "camelCase")]
#[expect(dead_code, reason = "the shape for the document: bodies are read member by member, see `fields`")]
pub(crate) struct ManyToImport {
    /// MetaKocka's ids. One that stands twice is worked on once.
    #[schema(min_items = 1, max_items = 10_000, example = json!(["310000000417"]))]
    metakocka_ids: Option<Vec<String>>,
    /// The whole register, in place of a list.
    import_all: Option<bool>,
}

impl From<Value> for MetaKockaId {
    fn from(metakocka_id: Value) -> Self {
        Self { metakocka_id }
    }
}

impl From<&Mapping> for MetaKockaPartner {
    fn from(mapping: &Mapping) -> Self {
        Self { metakocka_id: id_of(mapping), metakocka_type: mapping.system.record_type() }
    }
}

/// Brings a contact and its partner into step.
///
/// Without a partner yet, MetaKocka's register is searched and what is there adopted; only then one is created.
/// What changed on one side since the last time is written to the other; a field that changed on both is
/// decided by its rule (`GET /sync/rules`).
#[utoipa::path(
    post, path = "/api/metakocka/contacts/sync", tag = "metakocka", operation_id = "metakocka.sync",
    params(
        ("dryRun" = Option<bool>, Query, description = "Say what would be done, field by field, and write nothing"),
        ("Idempotency-Key" = Option<String>, Header, description = "Names the operation: sent again within 24 hours, it is answered as before"),
    ),
    request_body = ContactToSync,
    responses(
        (status = 200, description = "In step", body = Success<SyncedOrPlanned<MetaKockaId>>),
        (status = 400, description = "Not JSON, or a field cannot be accepted; `details` says why, field by field", body = Refused),
        (status = 404, description = "There is no such contact, or its partner is gone", body = Refused),
        (status = 409, description = "A person has to decide first; `details.conflicts` names the conflicts. Or the contact is being synced at this moment", body = Refused),
        (status = 422, description = "A field that MetaKocka needs is missing or too long; `details` names it", body = Refused),
        (status = 502, description = "What MetaKocka said, with its code in `details`, or that it said nothing", body = Refused),
        (status = 503, description = "MetaKocka is not configured (`details.missing`), down or over its quota (`Retry-After`), or the database is away", body = Refused),
    )
)]
pub(crate) async fn sync(
    app: web::Data<App>,
    caller: Caller,
    request: HttpRequest,
    body: web::Json<Members>,
) -> Result<HttpResponse, Enveloped> {
    sync_one::<MetaKocka>(&app, &caller, &request, body).await
}

/// Brings many contacts and their partners into step.
///
/// It is a run: the call answers when it ends, or after 25 s with its id, by which `GET /sync/runs/{id}` shows
/// how far it is. That some fail is a success, with the failures listed.
#[utoipa::path(
    post, path = "/api/metakocka/contacts/bulk-sync", tag = "metakocka", operation_id = "metakocka.bulkSync",
    params(
        ("dryRun" = Option<bool>, Query, description = "Say of each what would be done, and write nothing: results then have `action` and `plan`"),
        ("Idempotency-Key" = Option<String>, Header, description = "Names the operation: sent again within 24 hours, it is answered as before"),
    ),
    request_body = ContactsToSync,
    responses(
        (status = 200, description = "What became of each", body = Success<BulkSynced<MetaKockaId>>),
        (status = 202, description = "It goes on; the header `Location` is where it is shown", body = Success<RunUnderWay>),
        (status = 400, description = "Not JSON, no ids, more than 10,000, or some that are none", body = Refused),
        (status = 413, description = "Over 512 KiB", body = Refused),
        (status = 502, description = "The run could not go on", body = Refused),
        (status = 503, description = "MetaKocka is not configured (`details.missing`), or the database is away", body = Refused),
    )
)]
pub(crate) async fn bulk_sync(
    app: web::Data<App>,
    caller: Caller,
    request: HttpRequest,
    body: web::Json<Members>,
) -> Result<HttpResponse, Enveloped> {
    bulk::sync_many::<MetaKocka>(&app, &caller, &request, body).await
}

/// How a contact, or a partner, stands with the other side.
#[utoipa::path(
    get, path = "/api/metakocka/contacts/mappings", tag = "metakocka", operation_id = "metakocka.mapping",
    params(
        ("contactId" = Option<String>, Query, description = "The customer's UUID, or the number of one of its contacts"),
        ("metakockaId" = Option<String>, Query, description = "MetaKocka's id of the partner; exactly one of the two is needed"),
    ),
    responses(
        (status = 200, description = "The mapping", body = Success<ContactMapping<MetaKockaPartner>>),
        (status = 400, description = "Not exactly one of the two", body = Refused),
        (status = 404, description = "There is no such contact, or no mapping", body = Refused),
        (status = 503, description = "The database is away", body = Refused),
    )
)]
pub(crate) async fn mapping(app: web::Data<App>, request: HttpRequest) -> Result<HttpResponse, Enveloped> {
    show_mapping::<MetaKocka>(&app, &request).await
}

/// Takes a partner in, or brings it into step if it is known.
///
/// Its email and phone link as those of every contact: the customer that it ends up with may be an old one.
#[utoipa::path(
    post, path = "/api/metakocka/contacts/import", tag = "metakocka", operation_id = "metakocka.import",
    params(
        ("dryRun" = Option<bool>, Query, description = "Say what would be done, field by field, and write nothing"),
        ("Idempotency-Key" = Option<String>, Header, description = "Names the operation: sent again within 24 hours, it is answered as before"),
    ),
    request_body = ToImport,
    responses(
        (status = 200, description = "Taken in", body = Success<ImportedOrPlanned<MetaKockaId>>),
        (status = 400, description = "Not JSON, or a field cannot be accepted; `details` says why, field by field", body = Refused),
        (status = 404, description = "MetaKocka knows no such partner", body = Refused),
        (status = 409, description = "A person has to decide first; `details.conflicts` names the conflicts. Or the contact is being synced at this moment", body = Refused),
        (status = 422, description = "The partner has neither an email nor a phone", body = Refused),
        (status = 502, description = "What MetaKocka said, with its code in `details`, or that it said nothing", body = Refused),
        (status = 503, description = "MetaKocka is not configured (`details.missing`), down or over its quota (`Retry-After`), or the database is away", body = Refused),
    )
)]
pub(crate) async fn import(
    app: web::Data<App>,
    caller: Caller,
    request: HttpRequest,
    body: web::Json<Members>,
) -> Result<HttpResponse, Enveloped> {
    import_one::<MetaKocka>(&app, &caller, &request, body).await
}

/// Takes many partners in, or all there are.
///
/// It is a run: the call answers when it ends, or after 25 s with its id, by which `GET /sync/runs/{id}` shows
/// how far it is. That some fail is a success, with the failures listed.
#[utoipa::path(
    post, path = "/api/metakocka/contacts/bulk-import", tag = "metakocka", operation_id = "metakocka.bulkImport",
    params(
        ("dryRun" = Option<bool>, Query, description = "Say of each what would be done, and write nothing: results then have `action` and `plan`"),
        ("Idempotency-Key" = Option<String>, Header, description = "Names the operation: sent again within 24 hours, it is answered as before"),
    ),
    request_body = ManyToImport,
    responses(
        (status = 200, description = "What became of each", body = Success<BulkImported<MetaKockaId>>),
        (status = 202, description = "It goes on; the header `Location` is where it is shown", body = Success<RunUnderWay>),
        (status = 400, description = "Not JSON, neither or both of the two, no ids, more than 10,000, or some that are none", body = Refused),
        (status = 413, description = "Over 512 KiB", body = Refused),
        (status = 502, description = "The run could not go on", body = Refused),
        (status = 503, description = "MetaKocka is not configured (`details.missing`), or the database is away", body = Refused),
    )
)]
pub(crate) async fn bulk_import(
    app: web::Data<App>,
    caller: Caller,
    request: HttpRequest,
    body: web::Json<Members>,
) -> Result<HttpResponse, Enveloped> {
    bulk::import_many::<MetaKocka>(&app, &caller, &request, body).await
}
