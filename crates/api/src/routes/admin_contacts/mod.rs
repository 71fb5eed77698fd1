//! `/ia/admin/contacts`: contacts as an administration knows them, in the wire conventions of Laravel. They
//! are ordinary contacts: what is written here links by the same rules as everything else.

mod body;
mod stored;

use actix_web::http::header::{ACCEPT_LANGUAGE, CONTENT_TYPE, HeaderName, LOCATION};
use actix_web::web::{self, Payload, ServiceConfig};
use actix_web::{HttpRequest, HttpResponse};
use onefold_domain::contact::{ContactRecord, Received, Statement};
use onefold_domain::email::EmailAddress;
use onefold_domain::id::{ContactId, UserId};
use onefold_domain::phone::{PhoneNumber, Region};
use onefold_domain::source::ContactSource;
use onefold_service::contacts::{ContactRequest, Expectation};
use onefold_service::token::Ability;

pub(crate) use body::{AdminContact, AdminContactBody, AdminContactChange, AdminErrors, AdminMessage};

use crate::access::Caller;
use crate::app::App;
use crate::error::ApiError;
use crate::laravel::answer::{self, ErrorResponse};
use crate::laravel::{ChangeContact, CreateContact, Errors, Input, Language, Point, full};
use crate::operations::body_limit;
use crate::raw_body::whole;
use crate::telemetry::count_contact;

pub(super) fn configure(config: &mut ServiceConfig) {
    config
        .service(web::resource("/ia/admin/contacts").post(create))
        .service(web::resource("/ia/admin/contacts/{contact}").put(change));
}

/// Adds a contact to a user.
///
/// The conventions are those of Laravel: texts are trimmed, an empty one is null, and all faults are told in
/// the order of the fields, in the language that `Accept-Language` asks for (en, pt-BR, es, de, sl).
#[utoipa::path(
    post, path = "/ia/admin/contacts", tag = "admin contacts", operation_id = "adminContacts.create",
    params(("Accept-Language" = Option<String>, Header, description = "For the messages under `errors`")),
    request_body = AdminContactBody,
    responses(
        (status = 200, description = "The contact; the header `Location` is where it is changed", body = AdminContact),
        (status = 404, description = "There is no such user", body = AdminMessage),
        (status = 413, description = "Over 64 KiB", body = AdminMessage),
        (status = 422, description = "What is wrong with each field", body = AdminErrors),
        (status = 503, description = "The database is away", body = AdminMessage),
    )
)]
pub(crate) async fn create(
    app: web::Data<App>,
    caller: Caller,
    request: HttpRequest,
    payload: Payload,
) -> HttpResponse {
    let language = language(&request);
    match try_create(&app, &caller, &request, payload).await {
        Ok((record, point)) => {
            count_contact("created");
            let mut answer = answer::contact(&point);
            if let Ok(location) = format!("/ia/admin/contacts/{}", record.id.0).parse() {
                answer.headers_mut().insert(LOCATION, location);
            }
            answer
        }
        Err(failure) => failure.answer(language),
    }
}

/// Changes a contact: what is not given stays, and another type changes what is stored.
#[utoipa::path(
    put, path = "/ia/admin/contacts/{contact}", tag = "admin contacts", operation_id = "adminContacts.change",
    params(
        ("contact" = i64, Path, description = "The number of the contact"),
        ("Accept-Language" = Option<String>, Header, description = "For the messages under `errors`"),
    ),
    request_body = AdminContactChange,
    responses(
        (status = 200, description = "The contact", body = AdminContact),
        (status = 400, description = "The body is not a JSON object", body = AdminMessage),
        (status = 404, description = "There is no such contact", body = AdminMessage),
        (status = 413, description = "Over 64 KiB", body = AdminMessage),
        (status = 422, description = "What is wrong with each field", body = AdminErrors),
        (status = 503, description = "The database is away", body = AdminMessage),
    )
)]
pub(crate) async fn change(
    app: web::Data<App>,
    caller: Caller,
    request: HttpRequest,
    contact: web::Path<String>,
    payload: Payload,
) -> HttpResponse {
    let language = language(&request);
    match try_change(&app, &caller, &request, &contact, payload).await {
        Ok(point) => {
            count_contact("updated");
            answer::contact(&point)
        }
        Err(failure) => failure.answer(language),
    }
}

/// Why a request was not carried out.
enum Failure {
    Refused(ErrorResponse),
    Invalid(Errors),
}

impl Failure {
    fn answer(&self, language: Language) -> HttpResponse {
        match self {
            Self::Refused(refusal) => refusal.answer(),
            Self::Invalid(errors) => answer::invalid(errors, language),
        }
    }
}

impl<T: Into<ErrorResponse>> From<T> for Failure {
    fn from(refusal: T) -> Self {
        Self::Refused(refusal.into())
    }
}

async fn try_create(
    app: &App,
    caller: &Caller,
    request: &HttpRequest,
    payload: Payload,
) -> Result<(ContactRecord, Point), Failure> {
    authorize(caller)?;
    let input = read(request, payload).await?;
    // Whose contact it is to be decides whether this caller may ask, and so comes before all faults.
    if CreateContact::user(&input).is_some_and(|user| !caller.owns(Some(UserId(user)))) {
        return Err(ErrorResponse::Forbidden.into());
    }
    let CreateContact { user, point } = CreateContact::validate(&input).map_err(Failure::Invalid)?;
    let (statement, received) = statement(&point, app.default_region).map_err(Failure::Invalid)?;
    let mut new = ContactRequest::new(statement.of_user(UserId(user)), received, ContactSource::Manual);
    new.channel = Some(point.channel());
    Ok((app.contacts.acting(caller.acting()).create_contact(&new).await?, point))
}

async fn try_change(
    app: &App,
    caller: &Caller,
    request: &HttpRequest,
    contact: &str,
    payload: Payload,
) -> Result<Point, Failure> {
    let id = contact_id(contact).ok_or(ErrorResponse::NotFound)?;
    let record = app.contacts.contact(id).await?;
    authorize(caller)?;
    if !caller.may_see(&record) {
        return Err(ErrorResponse::Forbidden.into());
    }
    let input = read(request, payload).await?;
    if input.is_unreadable() {
        return Err(ErrorResponse::UnreadableBody.into());
    }
    // What the request leaves out comes from what is stored at that moment.
    let decide = |record: &ContactRecord| {
        let stored = stored::of(record);
        let point = ChangeContact::validate(&input, &stored)?.complete(stored.clone())?;
        if stored.is_at(&point) {
            // As in Laravel, where saving what is the same does not touch the row.
            return Ok(None);
        }
        stored::change(record, &point, app.default_region).map(Some)
    };
    let contacts = app.contacts.acting(caller.acting());
    let changed = contacts.change_contact_by(id, &Expectation::Anything, decide).await?;
    let record = changed.map_err(Failure::Invalid)?;
    stored::of(&record).into_point().ok_or_else(|| ErrorResponse::ServerError.into())
}

/// Only as ids are written: the parser alone would take `+5` and `05`, too.
fn contact_id(text: &str) -> Option<ContactId> {
    let id: i64 = text.parse().ok()?;
    (id > 0 && id.to_string() == text).then_some(ContactId(id))
}

/// Only now: a contact that is not there comes before a missing ability, and this before faults of fields.
fn authorize(caller: &Caller) -> Result<(), ErrorResponse> {
    if caller.permits(Ability::AdminContacts) { Ok(()) } else { Err(ErrorResponse::Forbidden) }
}

async fn read(request: &HttpRequest, payload: Payload) -> Result<Input, ErrorResponse> {
    let body = match whole(payload, body_limit(request.path())).await {
        Ok(body) => body,
        // It broke off: what came of it counts as no JSON.
        Err(ApiError::BodyUnreadable) => web::Bytes::new(),
        Err(ApiError::BodyTooLarge { .. }) => return Err(ErrorResponse::BodyTooLarge),
        Err(error) => return Err(error.into()),
    };
    Ok(Input::read(&body, header(request, &CONTENT_TYPE), request.query_string())?)
}

fn language(request: &HttpRequest) -> Language {
    // A list may be spread over several lines (RFC 9110, 5.3).
    let lines = request.headers().get_all(&ACCEPT_LANGUAGE).filter_map(|line| line.to_str().ok());
    Language::negotiate(Some(&lines.collect::<Vec<_>>().join(",")))
}

fn header<'a>(request: &'a HttpRequest, name: &HeaderName) -> Option<&'a str> {
    request.headers().get(name)?.to_str().ok()
}

/// What a point states, and the values as they are to be shown again.
fn statement(point: &Point, region: Option<Region>) -> Result<(Statement, Received), Errors> {
    let (email, phone, received) = match point {
        Point::Email(text) => {
            let email = EmailAddress::parse(text).or_else(|_| EmailAddress::parse_rfc5322(text));
            let email = email.map_err(|_| Errors::email())?;
            (Some(email), None, Received { email: Some(text.clone()), phone: None })
        }
        Point::Phone { country_code, number, .. } => {
            let phone = phone(country_code, number, region).ok_or_else(Errors::number)?;
            (None, Some(phone), Received { email: None, phone: Some(full(country_code, number)) })
        }
    };
    // A point always states one of the two.
    Ok((Statement::new(email, phone).ok_or_else(Errors::email)?, received))
}

/// The number that is meant: with the country code in front, or, where that is none and the number was typed with its
/// country once more, as it stands.
fn phone(country_code: &str, number: &str, region: Option<Region>) -> Option<PhoneNumber> {
    let whole = PhoneNumber::parse_long(&full(country_code, number), region).ok();
    if whole.as_ref().is_some_and(PhoneNumber::is_e164) {
        return whole;
    }
    let twice = PhoneNumber::parse(&format!("+{number}"), None).ok().filter(PhoneNumber::is_e164);
    let country = |phone: &PhoneNumber| phone.country_and_number().map(|(code, _)| format!("+{code}"));
    twice.filter(|twice| country(twice).as_deref() == Some(country_code)).or(whole)
}
