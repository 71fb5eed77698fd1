//! `/api/<system>/contacts`: customers and their records in another system. Each system's file has its endpoints, under the
//! names that they use and as they are documented; what they do is the same for all and stands here, and in `bulk`
//! for many at once.

mod body;
mod bulk;
mod bulk_response;
pub(super) mod metakocka;
mod naming;
pub(super) mod openphone;
mod response;

use actix_web::web::{self, ServiceConfig};
use actix_web::{HttpRequest, HttpResponse};
use onefold_service::retry::Failure;
use onefold_service::store::StoreError;
use onefold_sync::mappings::Mappings;
use onefold_sync::partner::PartnerId;
use onefold_sync::sync_error::SyncError;
use onefold_sync::synchroniser::SyncContext;
use tokio::task::JoinHandle;

use crate::access::Caller;
use crate::app::App;
use crate::envelope::{Enveloped, Success};
use crate::error::ApiError;
use crate::faults::Faults;
use crate::members::Members;
use crate::query::Query;
use body::Subject;
use naming::Naming;
use response::{
    ContactMapping, ImportedOrPlanned, ImportedRecord, PlannedSync, SyncedContact, SyncedOrPlanned,
};

pub(super) fn configure(config: &mut ServiceConfig) {
    config.configure(metakocka::configure).configure(openphone::configure);
}

/// Brings one customer and its record into step.
async fn sync_one<N: Naming>(
    app: &App,
    caller: &Caller,
    request: &HttpRequest,
    body: web::Json<Members>,
) -> Result<HttpResponse, Enveloped> {
    let dry_run = body::is_dry_run(request)?;
    let subject = body::contact(body.into_inner())?;
    let sync = app.sync.of(N::SYSTEM)?.acting(&caller.syncing());
    sync.configured()?;
    let customer = subject.customer(app).await?;
    if dry_run {
        let planned = PlannedSync::<N::Id>::of(sync.show_customer(customer).await?);
        return Ok(HttpResponse::Ok().json(Success::of(SyncedOrPlanned::Planned(planned))));
    }
    // Not dropped with the request: whoever hangs up would leave the customer leased for minutes.
    let synced =
        to_its_end(tokio::spawn(async move { sync.sync_customer(customer, SyncContext::default()).await }));
    let synced = SyncedContact::<N::Id>::of(&synced.await?.mapping);
    Ok(HttpResponse::Ok().json(Success::of(SyncedOrPlanned::Synced(synced))))
}

/// How a customer, or a record, stands with the other side.
async fn show_mapping<N: Naming>(app: &App, request: &HttpRequest) -> Result<HttpResponse, Enveloped> {
    let mappings = Mappings::new(app.env.clone());
    let wanted = wanted::<N>(request)?;
    let asked = match wanted {
        Wanted::OfContact(Subject::Contact(number)) => Some(number),
        _ => None,
    };
    let found = match wanted {
        Wanted::OfContact(subject) => mappings.in_use(N::SYSTEM, subject.customer(app).await?).await?,
        Wanted::OfPartner(id) => mappings.of_partner(N::SYSTEM, &id).await?,
    };
    let mapping = found.ok_or(ApiError::UnknownMapping)?;
    Ok(HttpResponse::Ok().json(Success::of(ContactMapping::<N::Record>::of(&mapping, asked))))
}

/// Takes one record in, or brings it into step if it is known.
async fn import_one<N: Naming>(
    app: &App,
    caller: &Caller,
    request: &HttpRequest,
    body: web::Json<Members>,
) -> Result<HttpResponse, Enveloped> {
    let dry_run = body::is_dry_run(request)?;
    let partner = body::partner::<N>(body.into_inner())?;
    let sync = app.sync.of(N::SYSTEM)?.acting(&caller.syncing());
    if dry_run {
        let planned = PlannedSync::<N::Id>::of(sync.show_partner(&partner).await?);
        return Ok(HttpResponse::Ok().json(Success::of(ImportedOrPlanned::Planned(planned))));
    }
    let imported =
        to_its_end(tokio::spawn(async move { sync.import_partner(&partner, SyncContext::default()).await }));
    let imported = ImportedRecord::of(&imported.await?.mapping);
    Ok(HttpResponse::Ok().json(Success::of(ImportedOrPlanned::<N::Id>::Imported(imported))))
}

enum Wanted {
    OfContact(Subject),
    OfPartner(PartnerId),
}

fn wanted<N: Naming>(request: &HttpRequest) -> Result<Wanted, ApiError> {
    let mut query = Query::of(request);
    let (contact, partner) = (query.text("contactId"), query.text(N::ID));
    let one = contact.is_some() != partner.is_some();
    let wanted = match (contact, partner) {
        (Some(text), None) => Subject::parse(&text).map(Wanted::OfContact).ok_or("contactId"),
        (None, Some(text)) => PartnerId::parse(&text).map(Wanted::OfPartner).map_err(|_| N::ID),
        _ => Err("contactId"),
    };
    if let Err(name) = &wanted {
        let advice = match one {
            true => "This is no such id.".to_owned(),
            false => format!("Send contactId or {}, one of them.", N::ID),
        };
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
