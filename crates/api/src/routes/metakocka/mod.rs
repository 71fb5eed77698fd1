//! `/api/metakocka/contacts`: customers and their partners in MetaKocka, one by one. `bulk` has the calls for many.

mod body;
pub(super) mod bulk;
mod shown;

use actix_web::web::{self, ServiceConfig};
use actix_web::{HttpRequest, HttpResponse};
use onefold_domain::{Errand, Failure, PartnerId, StoreError, SyncError};
use tokio::task::JoinHandle;

use crate::access::Caller;
use crate::app::App;
use crate::envelope::{Enveloped, Refused, Success};
use crate::error::ApiError;
use crate::fields::Faults;
use crate::json::{self, Members};
use crate::query::Query;
use body::Subject;
pub(crate) use body::{ContactToSync, ContactsToSync, PartnerToImport, PartnersToImport};
use bulk::{bulk_import, bulk_sync};
pub(crate) use shown::PlannedSync;
use shown::{ContactMapping, ImportedPartner, SyncedContact};

pub(super) fn configure(config: &mut ServiceConfig) {
    let list = |path: &str| web::resource(path).app_data(json::config_for(path));
    let [bulk_syncs, bulk_imports] = json::LISTS;
    config
        .service(web::resource("/api/metakocka/contacts/sync").post(sync))
        .service(list(bulk_syncs).post(bulk_sync))
        .service(web::resource("/api/metakocka/contacts/mappings").get(mapping))
        .service(web::resource("/api/metakocka/contacts/import").post(import))
        .service(list(bulk_imports).post(bulk_import));
}

/// Brings a contact and its partner into step.
///
/// Without a partner yet, MetaKocka's register is searched and what is there adopted; only then one is created.
/// What changed on one side since the last time is written to the other; a field that changed on both is
/// decided by its rule (`GET /sync/rules`).
#[utoipa::path(
    post, path = "/api/metakocka/contacts/sync", tag = "metakocka",
    params(
        ("dryRun" = Option<bool>, Query, description = "Say what would be done, field by field, and write nothing: the data are then a `PlannedSync`"),
        ("Idempotency-Key" = Option<String>, Header, description = "Names the operation: sent again within 24 hours, it is answered as before"),
    ),
    request_body = ContactToSync,
    responses(
        (status = 200, description = "In step", body = Success<SyncedContact>),
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
    let dry_run = body::is_dry_run(&request)?;
    let subject = body::contact(body.into_inner())?;
    let sync = app.sync.synchroniser.acting(&caller.syncing());
    sync.configured()?;
    let customer = subject.customer(&sync).await?;
    if dry_run {
        let shown = sync.show_customer(customer).await?;
        return Ok(HttpResponse::Ok().json(Success::of(PlannedSync::of(shown))));
    }
    // Not dropped with the request: whoever hangs up would leave the customer leased for minutes.
    let synced =
        to_its_end(tokio::spawn(async move { sync.sync_customer(customer, Errand::default()).await }));
    let synced = synced.await?;
    Ok(HttpResponse::Ok().json(Success::of(SyncedContact::of(&synced.mapping))))
}

/// How a contact, or a partner, stands with the other side.
#[utoipa::path(
    get, path = "/api/metakocka/contacts/mappings", tag = "metakocka",
    params(
        ("contactId" = Option<String>, Query, description = "The customer's UUID, or the number of one of its contacts"),
        ("metakockaId" = Option<String>, Query, description = "MetaKocka's id of the partner; exactly one of the two is needed"),
    ),
    responses(
        (status = 200, description = "The mapping", body = Success<ContactMapping>),
        (status = 400, description = "Not exactly one of the two", body = Refused),
        (status = 404, description = "There is no such contact, or no mapping", body = Refused),
        (status = 503, description = "The database is away", body = Refused),
    )
)]
pub(crate) async fn mapping(app: web::Data<App>, request: HttpRequest) -> Result<HttpResponse, Enveloped> {
    let sync = &app.sync.synchroniser;
    let found = match wanted(&request)? {
        Wanted::OfContact(subject) => sync.mapping_of_customer(subject.customer(sync).await?).await?,
        Wanted::OfPartner(id) => sync.mapping_of_partner(&id).await?,
    };
    let mapping = found.ok_or(ApiError::UnknownMapping)?;
    Ok(HttpResponse::Ok().json(Success::of(ContactMapping::of(&mapping))))
}

/// Takes a partner in, or brings it into step if it is known.
///
/// Its email and phone link as those of every contact: the customer that it ends up with may be an old one.
#[utoipa::path(
    post, path = "/api/metakocka/contacts/import", tag = "metakocka",
    params(
        ("dryRun" = Option<bool>, Query, description = "Say what would be done, field by field, and write nothing: the data are then a `PlannedSync`"),
        ("Idempotency-Key" = Option<String>, Header, description = "Names the operation: sent again within 24 hours, it is answered as before"),
    ),
    request_body = PartnerToImport,
    responses(
        (status = 200, description = "Taken in", body = Success<ImportedPartner>),
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
    let dry_run = body::is_dry_run(&request)?;
    let partner = body::partner(body.into_inner())?;
    let sync = app.sync.synchroniser.acting(&caller.syncing());
    if dry_run {
        let shown = sync.show_partner(&partner).await?;
        return Ok(HttpResponse::Ok().json(Success::of(PlannedSync::of(shown))));
    }
    let imported =
        to_its_end(tokio::spawn(async move { sync.import_partner(&partner, Errand::default()).await }));
    let imported = imported.await?;
    Ok(HttpResponse::Ok().json(Success::of(ImportedPartner::of(&imported.mapping))))
}

enum Wanted {
    OfContact(Subject),
    OfPartner(PartnerId),
}

fn wanted(request: &HttpRequest) -> Result<Wanted, ApiError> {
    let mut query = Query::of(request);
    let (contact, partner) = (query.text("contactId"), query.text("metakockaId"));
    let one = contact.is_some() != partner.is_some();
    let wanted = match (contact, partner) {
        (Some(text), None) => Subject::parse(&text).map(Wanted::OfContact).ok_or("contactId"),
        (None, Some(text)) => PartnerId::parse(&text).map(Wanted::OfPartner).map_err(|_| "metakockaId"),
        _ => Err("contactId"),
    };
    if let Err(name) = &wanted {
        let advice = if one { "This is no such id." } else { "Send contactId or metakockaId, one of them." };
        query.faults.add(*name, advice);
    }
    query.finish()?;
    wanted.map_err(|_| Faults::default().into())
}

/// Waits for work that goes on when nobody waits for it.
pub(super) async fn to_its_end<T>(working: JoinHandle<Result<T, SyncError>>) -> Result<T, SyncError> {
    let done = working.await;
    done.map_err(|error| Failure::Store(StoreError::Backend(error.into())))?
}
