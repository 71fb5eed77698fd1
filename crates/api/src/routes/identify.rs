//! `POST /identify`.

use actix_web::HttpResponse;
use actix_web::web::{self, ServiceConfig};
use onefold_domain::block::{Block, BlockRule, Part};
use onefold_domain::contact::{Received, Statement};
use onefold_domain::email::EmailAddress;
use onefold_domain::phone::{PhoneNumber, Region};
use onefold_service::identify::{Identified, IdentifyRequest};
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use utoipa::ToSchema;

use crate::access::Caller;
use crate::app::App;
use crate::blocked;
use crate::error::ApiError;
use crate::faults::Faults;
use crate::fields::text_of;
use crate::json::Object;
use crate::problem::Problem;
use crate::telemetry::{BLOCKED, IDENTIFIED};

const EMAIL: &str = "email";
const PHONE: &str = "phoneNumber";

pub(super) fn configure(config: &mut ServiceConfig) {
    config.service(web::resource("/identify").post(identify));
}

/// An email, a phone number, or both. Other fields are ignored, so a whole order may be sent.
//
// The values stay unparsed here, so that a wrong type is reported with its field like any other fault.
#[derive(Deserialize, ToSchema)]
pub(crate) struct IdentifyBody {
    /// At most 254 characters.
    #[serde(default)]
    #[schema(value_type = Option<String>, example = "mcfly@hillvalley.edu", max_length = 254)]
    email: Option<Box<RawValue>>,
    /// At most 64 characters; a whole number may be sent as a JSON number.
    #[serde(default, rename = "phoneNumber")]
    #[schema(schema_with = phone_number_schema)]
    phone_number: Option<Box<RawValue>>,
}

#[derive(Serialize, ToSchema)]
pub(crate) struct IdentifyAnswer<'a> {
    contact: ContactAnswer<'a>,
}

#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
struct ContactAnswer<'a> {
    /// The oldest contact of the customer. The spelling is part of the contract.
    #[schema(example = 1)]
    primary_contatct_id: i64,
    /// The primary's first, then the others by age, none twice.
    #[schema(example = json!(["lorraine@hillvalley.edu", "mcfly@hillvalley.edu"]))]
    emails: Vec<&'a str>,
    /// In the same order.
    #[schema(example = json!(["123456"]))]
    phone_numbers: Vec<&'a str>,
    /// All other contacts of the customer, ascending.
    #[schema(example = json!([23]))]
    secondary_contact_ids: Vec<i64>,
}

/// Finds the customer that an email and a phone number belong to, and links what is new.
///
/// Repeating a request changes nothing. Values that the link policy blocks are kept and answered with
/// the contact that brought them, but join nobody; the header `Onefold-Blocked` names them.
#[utoipa::path(
    post, path = "/identify", tag = "identity", operation_id = "identity.identify",
    params(
        ("Idempotency-Key" = Option<String>, Header, description = "Names the operation: sent again within 24 hours, it is carried out once and answered as before"),
    ),
    request_body = IdentifyBody,
    responses(
        (status = 200, description = "The customer", body = IdentifyAnswer, headers(
            ("Onefold-Blocked" = Option<String>, description = "Values that did not link, and the rule: `phoneNumber;rule=never_links`"),
        )),
        (status = 400, description = "Not JSON, no object, or a field cannot be accepted; `errors` says why, field by field", body = Problem, content_type = "application/problem+json"),
        (status = 413, description = "Over 64 KiB", body = Problem, content_type = "application/problem+json"),
        (status = 415, description = "Not said to be JSON", body = Problem, content_type = "application/problem+json"),
        (status = 503, description = "The database is away", body = Problem, content_type = "application/problem+json"),
    )
)]
pub(crate) async fn identify(
    app: web::Data<App>,
    caller: Caller,
    body: web::Json<Object<IdentifyBody>>,
) -> Result<HttpResponse, ApiError> {
    let request = body.into_inner().0.parse(app.default_region)?;
    let identified = app.identify.acting(caller.acting()).run(&request).await?;
    count(&identified);
    let mut response = HttpResponse::Ok();
    blocked::insert(&mut response, identified.blocked.iter().map(field_and_rule));
    Ok(response.json(answer(&identified)))
}

impl IdentifyBody {
    /// Reports every field that is at fault, not only the first.
    fn parse(&self, region: Option<Region>) -> Result<IdentifyRequest, ApiError> {
        let mut faults = Faults::default();
        let mut text = |field, value: &Option<Box<RawValue>>, numbers| {
            faults.note(field, value.as_deref().map_or(Ok(None), |value| text_of(value, numbers))).flatten()
        };
        let received =
            Received { email: text(EMAIL, &self.email, false), phone: text(PHONE, &self.phone_number, true) };
        let email = received.email.as_deref().map(EmailAddress::parse).transpose();
        let phone = received.phone.as_deref().map(|text| PhoneNumber::parse(text, region)).transpose();
        let email = faults.note(EMAIL, email).flatten();
        let phone = faults.note(PHONE, phone).flatten();
        if self.email.is_none() && self.phone_number.is_none() {
            for field in [EMAIL, PHONE] {
                faults.add(field, "Send an email, a phoneNumber, or both.");
            }
        }
        let statement = Statement::new(email, phone);
        match statement {
            Some(statement) if faults.is_empty() => Ok(IdentifyRequest { statement, received }),
            _ => Err(ApiError::InvalidIdentify(faults.0)),
        }
    }
}

fn answer(identified: &Identified) -> IdentifyAnswer<'_> {
    let summary = identified.customer.summary();
    IdentifyAnswer {
        contact: ContactAnswer {
            primary_contatct_id: summary.primary.map_or(0, |primary| primary.0),
            emails: summary.emails.into_iter().map(EmailAddress::as_str).collect(),
            phone_numbers: summary.phones.into_iter().map(PhoneNumber::as_str).collect(),
            secondary_contact_ids: summary.secondaries.into_iter().map(|id| id.0).collect(),
        },
    }
}

fn count(identified: &Identified) {
    metrics::counter!(IDENTIFIED, "outcome" => identified.outcome.as_str()).increment(1);
    for block in &identified.blocked {
        metrics::counter!(BLOCKED, "rule" => block.rule.as_str()).increment(1);
    }
    tracing::debug!(outcome = identified.outcome.as_str(), blocked = ?identified.blocked, "identified");
}

fn field_and_rule(block: &Block) -> (&'static str, BlockRule) {
    let field = match block.part {
        Part::Email => EMAIL,
        Part::Phone => PHONE,
    };
    (field, block.rule)
}

fn phone_number_schema() -> utoipa::openapi::schema::Schema {
    use utoipa::openapi::schema::{ObjectBuilder, OneOfBuilder, Type};
    let of = |kind| ObjectBuilder::new().schema_type(kind).build();
    OneOfBuilder::new()
        .item(ObjectBuilder::new().schema_type(Type::String).max_length(Some(64)).build())
        .item(of(Type::Integer))
        .item(of(Type::Null))
        .description(Some("At most 64 characters; a whole number may be sent as a JSON number."))
        .examples([serde_json::json!("123456")])
        .build()
        .into()
}
