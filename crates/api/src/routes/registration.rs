//! `POST /api/register`: a person becomes a user, and is told to the other system at once.

use actix_web::HttpResponse;
use actix_web::http::header::LOCATION;
use actix_web::web::{self, ServiceConfig};
use chrono::{DateTime, Utc};
use onefold_domain::contact::Received;
use onefold_domain::email::EmailAddress;
use onefold_domain::id::UserId;
use onefold_domain::phone::PhoneNumber;
use onefold_domain::profile::{Profile, ProfileField};
use onefold_service::registration::{NewRegistration, Pushed, RegisterError, Registered};
use onefold_service::token::Ability;
use serde::Serialize;
use serde_json::Map;
use utoipa::ToSchema;
use uuid::Uuid;

use crate::access::Caller;
use crate::app::App;
use crate::envelope::{Enveloped, Refused};
use crate::error::{ApiError, sentence};
use crate::faults::Faults;
use crate::fields::Fields;
use crate::members::Members;
use crate::user_names::in_body;

pub(super) fn configure(config: &mut ServiceConfig) {
    config.service(web::resource("/api/register").post(register));
}

/// Who wants to be registered.
#[derive(ToSchema)]
#[schema(rename_all = "camelCase")]
#[expect(dead_code, reason = "the shape for the document: bodies are read member by member, see `fields`")]
pub(crate) struct RegistrationBody {
    #[schema(example = "Ann", max_length = 200)]
    first_name: String,
    #[schema(example = "Lee", max_length = 200)]
    last_name: String,
    #[schema(example = "ann@example.com")]
    email: String,
    #[schema(example = "+38640000123")]
    phone: Option<String>,
    #[schema(example = "Lee d.o.o.", max_length = 200)]
    company_name: Option<String>,
    /// The UUID that the person has elsewhere, or the external id of a user that exists; left out, a new user is made.
    #[schema(max_length = 255)]
    user_id: Option<String>,
}

/// Somebody who is registered.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = Registration)]
pub(crate) struct RegistrationResponse<'a> {
    /// Always true.
    success: bool,
    #[schema(example = "Customer registered successfully")]
    message: &'static str,
    customer: RegisteredCustomer<'a>,
    gocardless: Gocardless,
    openphone: PushResponse<'a>,
    tokens: GivenToken<'a>,
}

#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct RegisteredCustomer<'a> {
    id: Uuid,
    user_id: Uuid,
    #[schema(example = "Ann")]
    first_name: Option<&'a str>,
    #[schema(example = "Lee")]
    last_name: Option<&'a str>,
    #[schema(example = "ann@example.com")]
    email: &'a str,
    #[schema(example = "+38640000123")]
    phone: Option<&'a str>,
    company_name: Option<&'a str>,
    #[schema(example = "664d0db69fcac7cf2e6ec")]
    open_phone_contact_id: Option<&'a str>,
}

/// Direct debits are not part of Onefold; whoever reads this member is told so.
#[derive(Serialize, ToSchema)]
pub(crate) struct Gocardless {
    #[schema(example = false)]
    integrated: bool,
}

/// What became of the contact in OpenPhone.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = OpenPhonePush)]
pub(crate) struct PushResponse<'a> {
    integrated: bool,
    #[schema(example = "664d0db69fcac7cf2e6ec")]
    #[serde(skip_serializing_if = "Option::is_none")]
    contact_id: Option<&'a str>,
    /// Unless it is integrated: `skipped` (OpenPhone is not configured), `pending` (it is done in a moment, or as soon as
    /// OpenPhone answers) or `failed` (a person has to look).
    #[serde(skip_serializing_if = "Option::is_none")]
    status: Option<&'static str>,
    /// Why it failed.
    #[serde(skip_serializing_if = "Option::is_none")]
    reason: Option<PushFault<'a>>,
}

#[derive(Serialize, ToSchema)]
pub(crate) struct PushFault<'a> {
    #[schema(example = "rejected")]
    code: &'a str,
    message: String,
}

#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct GivenToken<'a> {
    /// Limited to the user's own contacts. It is shown this once.
    #[schema(example = "12|onefold_…")]
    access_token: &'a str,
    #[schema(example = "Bearer")]
    token_type: &'static str,
    expires_at: Option<DateTime<Utc>>,
}

/// Registers a person.
///
/// A user, a contact for the email and one for the phone, and a token are made at once; what a guest of the same values
/// left becomes the user's. Then OpenPhone is told, for two seconds at most. Whatever it answers, the person is
/// registered; what could not be done is made up for.
#[utoipa::path(
    post, path = "/api/register", tag = "registration", operation_id = "registration.register",
    params(
        ("Idempotency-Key" = Option<String>, Header, description = "Names the operation: sent again within 24 hours by the same token, it is carried out once and answered as before, with the same token for the user"),
    ),
    request_body = RegistrationBody,
    responses(
        (status = 201, description = "Registered", body = RegistrationResponse),
        (status = 400, description = "Not JSON, or a field cannot be accepted; `details` says why, field by field", body = Refused),
        (status = 409, description = "The person is registered already; `details.customerId` says as whom, to tokens with `customers:read`", body = Refused),
        (status = 503, description = "The database is away", body = Refused),
    )
)]
pub(crate) async fn register(
    app: web::Data<App>,
    caller: Caller,
    body: web::Json<Members>,
) -> Result<HttpResponse, Enveloped> {
    let body = body.into_inner();
    let user = in_body(&app, &caller, &body).await?;
    let new = new_registration(&app, body, user)?;
    let registrations = app.registrations.acting(caller.acting());
    let done = match registrations.register(&new).await {
        Ok(done) => done,
        Err(RegisterError::AlreadyRegistered { customer }) => {
            // Whoever may not read customers must not learn who is one.
            let known = caller.permits(Ability::CustomersRead).then_some(customer);
            return Err(ApiError::AlreadyRegistered(known).into());
        }
        Err(RegisterError::Record(error)) => return Err(error.into()),
    };
    let location = format!("/customers/{}", done.customer.0);
    Ok(HttpResponse::Created().insert_header((LOCATION, location)).json(registration_response(&new, &done)))
}

fn new_registration(app: &App, body: Members, user: Option<UserId>) -> Result<NewRegistration, ApiError> {
    let mut fields = Fields::of(body);
    let mut profile = Map::new();
    for (name, is_needed) in [("firstName", true), ("lastName", true), ("companyName", false)] {
        let text = fields.text(name).filter(|text| !text.trim().is_empty());
        if is_needed && text.is_none() && !fields.faults.has(name) {
            fields.faults.add(name, "Send the name.");
        }
        profile.extend(text.map(|text| (name.to_owned(), text.into())));
    }
    let profile = Profile::parse(&profile);
    for fault in profile.as_ref().err().into_iter().flatten() {
        fields.faults.add(fault.path.clone(), fault.reason.to_string());
    }
    let received = Received { email: fields.text("email"), phone: fields.text_or_number("phone") };
    let received = Received { phone: received.phone.filter(|text| !text.trim().is_empty()), ..received };
    if received.email.is_none() && !fields.faults.has("email") {
        fields.faults.add("email", "Send the email address.");
    }
    let email = received.email.as_deref();
    let email = email.and_then(|text| fields.faults.note("email", EmailAddress::parse(text)));
    let phone = received.phone.as_deref();
    let phone =
        phone.and_then(|text| fields.faults.note("phone", PhoneNumber::parse(text, app.default_region)));
    let user = fields.user("userId", user);
    fields.finish()?;
    let (Some(email), Ok(profile)) = (email, profile) else { return Err(Faults::default().into()) };
    Ok(NewRegistration { email, phone, received, profile, user })
}

fn registration_response<'a>(new: &'a NewRegistration, done: &'a Registered) -> RegistrationResponse<'a> {
    let contact = match &done.pushed {
        Pushed::Done(id) => Some(id.as_str()),
        _ => None,
    };
    let text = |field| new.profile.text(field);
    let UserId(user_id) = done.user.id;
    RegistrationResponse {
        success: true,
        message: "Customer registered successfully",
        customer: RegisteredCustomer {
            id: done.customer.0,
            user_id,
            first_name: text(ProfileField::FirstName),
            last_name: text(ProfileField::LastName),
            email: new.email.as_str(),
            phone: new.phone.as_ref().map(PhoneNumber::as_str),
            company_name: text(ProfileField::CompanyName),
            open_phone_contact_id: contact,
        },
        gocardless: Gocardless { integrated: false },
        openphone: push_response(&done.pushed),
        tokens: GivenToken {
            access_token: done.secret.expose(),
            token_type: "Bearer",
            expires_at: done.token.expires_at,
        },
    }
}

fn push_response(pushed: &Pushed) -> PushResponse<'_> {
    let (status, reason) = match pushed {
        Pushed::Done(_) => (None, None),
        Pushed::Skipped => (Some("skipped"), None),
        Pushed::Pending => (Some("pending"), None),
        Pushed::Failed(fault) => {
            let reason = PushFault { code: &fault.code, message: sentence(&fault.message) };
            (Some("failed"), Some(reason))
        }
    };
    let contact_id = match pushed {
        Pushed::Done(id) => Some(id.as_str()),
        _ => None,
    };
    PushResponse { integrated: contact_id.is_some(), contact_id, status, reason }
}
