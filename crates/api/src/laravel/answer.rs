//! Bodies and headers as Laravel has them. Only validation messages are translated.

use std::borrow::Cow;

use actix_web::http::StatusCode;
use actix_web::http::header::{ALLOW, CONTENT_LANGUAGE, RETRY_AFTER, VARY, WWW_AUTHENTICATE};
use actix_web::{HttpResponse, HttpResponseBuilder, ResponseError};
use onefold_domain::contact::Channel;
use onefold_service::error::RecordError;
use serde::ser::{Serialize, SerializeMap, Serializer};

use super::errors::{Errors, Fault, Field};
use super::input::BodyTooLarge;
use super::language::Language;
use super::messages::message;
use super::point::{Point, full};
use crate::error::ApiError;

/// The answer to a POST or PUT that worked.
pub(crate) fn contact(point: &Point) -> HttpResponse {
    HttpResponse::Ok().json(ContactBody(point))
}

/// `{"email": "…"}`, or the parts of a number under the name of its channel.
struct ContactBody<'a>(&'a Point);

impl Serialize for ContactBody<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut body = serializer.serialize_map(Some(1))?;
        match self.0 {
            Point::Email(email) => body.serialize_entry(Channel::Email.as_str(), email)?,
            Point::Phone { channel, country_code, number } => {
                let phone = PhoneBody { country_code, number, full: full(country_code, number) };
                body.serialize_entry(channel.channel().as_str(), &phone)?;
            }
        }
        body.end()
    }
}

#[derive(serde::Serialize)]
struct PhoneBody<'a> {
    country_code: &'a str,
    number: &'a str,
    full: String,
}

/// The answer to a request that breaks rules.
pub(crate) fn invalid(errors: &Errors, language: Language) -> HttpResponse {
    HttpResponse::UnprocessableEntity()
        .insert_header((CONTENT_LANGUAGE, language.tag()))
        .insert_header((VARY, "Accept-Language"))
        .json(InvalidBody { message: INVALID, errors: Translated { errors, language } })
}

/// The sentence of every answer that tells of faults, in every language, as in Laravel up to version 8.
const INVALID: &str = "The given data was invalid.";

#[derive(serde::Serialize)]
struct InvalidBody<'a> {
    message: &'static str,
    errors: Translated<'a>,
}

struct Translated<'a> {
    errors: &'a Errors,
    language: Language,
}

/// By hand, since a JSON map of the library sorts its keys, and their order is the contract's.
impl Serialize for Translated<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let errors = self.errors.iter();
        let mut body = serializer.serialize_map(Some(errors.len()))?;
        for (field, faults) in errors {
            body.serialize_entry(field.name(), &sentences(field, faults, self.language))?;
        }
        body.end()
    }
}

/// A sentence that two rules have in common is said once.
fn sentences(field: Field, faults: &[Fault], language: Language) -> Vec<String> {
    let mut sentences: Vec<String> = Vec::with_capacity(faults.len());
    for fault in faults {
        let sentence = message(field, *fault, language);
        if !sentences.contains(&sentence) {
            sentences.push(sentence);
        }
    }
    sentences
}

/// An answer that is one fixed sentence.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) enum ErrorResponse {
    /// A PUT of which nothing could be understood. Laravel would change nothing and call it a success.
    UnreadableBody,
    Unauthenticated,
    Forbidden,
    /// No contact of this id, or none that the caller may know of.
    NotFound,
    UserNotFound,
    MethodNotAllowed {
        method: String,
        /// Without the first slash.
        path: String,
        allow: String,
    },
    BodyTooLarge,
    TooManyAttempts {
        limit: u32,
        /// Seconds until the caller may try again.
        retry_after: u64,
        /// When the caller may try again, in Unix time, if the limit has such a moment.
        reset: Option<i64>,
    },
    /// With the words of the status, and when it is worth trying again.
    Status(StatusCode, Option<u64>),
    ServerError,
}

impl From<ApiError> for ErrorResponse {
    fn from(error: ApiError) -> Self {
        match error.logged() {
            ApiError::Unavailable(_) | ApiError::TimedOut(_) | ApiError::Storage { .. } => {
                Self::Status(StatusCode::SERVICE_UNAVAILABLE, Some(1))
            }
            ApiError::TooManyRequests { retry_after_s } => {
                Self::Status(StatusCode::TOO_MANY_REQUESTS, Some(retry_after_s))
            }
            ApiError::UnknownContact => Self::NotFound,
            ApiError::UnknownUser => Self::UserNotFound,
            ApiError::IdempotencyRunning { retry_after_s } => {
                Self::Status(StatusCode::CONFLICT, Some(retry_after_s))
            }
            error if error.status_code().is_client_error() => Self::Status(error.status_code(), None),
            _ => Self::ServerError,
        }
    }
}

impl From<RecordError> for ErrorResponse {
    fn from(error: RecordError) -> Self {
        Self::from(ApiError::from(error))
    }
}

impl From<BodyTooLarge> for ErrorResponse {
    fn from(_: BodyTooLarge) -> Self {
        Self::BodyTooLarge
    }
}

#[derive(serde::Serialize)]
struct Message<'a> {
    message: &'a str,
}

impl ErrorResponse {
    pub(crate) fn answer(&self) -> HttpResponse {
        let (status, message) = self.describe();
        let mut answer = HttpResponseBuilder::new(status);
        match self {
            // Laravel sends none; the standard asks for it (RFC 9110, 15.5.2).
            Self::Unauthenticated => {
                answer.insert_header((WWW_AUTHENTICATE, "Bearer"));
            }
            Self::MethodNotAllowed { allow, .. } => {
                answer.insert_header((ALLOW, allow.as_str()));
            }
            Self::TooManyAttempts { limit, retry_after, reset } => {
                answer
                    .insert_header((RETRY_AFTER, retry_after.to_string()))
                    .insert_header(("X-RateLimit-Limit", limit.to_string()))
                    .insert_header(("X-RateLimit-Remaining", "0"));
                if let Some(reset) = reset {
                    answer.insert_header(("X-RateLimit-Reset", reset.to_string()));
                }
            }
            Self::Status(_, Some(seconds)) => {
                answer.insert_header((RETRY_AFTER, seconds.to_string()));
            }
            _ => {}
        }
        answer.json(Message { message: &message })
    }

    /// The one table of these answers.
    fn describe(&self) -> (StatusCode, Cow<'static, str>) {
        let (status, message) = match self {
            Self::UnreadableBody => (StatusCode::BAD_REQUEST, "The request body is not a JSON object."),
            Self::Unauthenticated => (StatusCode::UNAUTHORIZED, "Unauthenticated."),
            Self::Forbidden => (StatusCode::FORBIDDEN, "This action is unauthorized."),
            Self::NotFound => (StatusCode::NOT_FOUND, "Not Found"),
            Self::UserNotFound => (StatusCode::NOT_FOUND, "User not found."),
            Self::BodyTooLarge => (StatusCode::PAYLOAD_TOO_LARGE, "The POST data is too large."),
            Self::TooManyAttempts { .. } => (StatusCode::TOO_MANY_REQUESTS, "Too Many Attempts."),
            Self::Status(StatusCode::TOO_MANY_REQUESTS, _) => {
                (StatusCode::TOO_MANY_REQUESTS, "Too Many Attempts.")
            }
            Self::Status(status, _) => (*status, status.canonical_reason().unwrap_or("Error")),
            Self::ServerError => (StatusCode::INTERNAL_SERVER_ERROR, "Server Error"),
            Self::MethodNotAllowed { method, path, allow } => {
                let message = format!(
                    "The {method} method is not supported for route {path}. Supported methods: {allow}."
                );
                return (StatusCode::METHOD_NOT_ALLOWED, message.into());
            }
        };
        (status, message.into())
    }
}

#[cfg(test)]
mod tests {
    use actix_web::body::MessageBody;

    use super::super::point::PhoneChannel;
    use super::*;

    /// Status, body, and the headers that are asked for.
    fn parts(answer: HttpResponse, headers: &[&str]) -> (u16, String, Vec<String>) {
        let status = answer.status().as_u16();
        assert_eq!(answer.headers().get("Content-Type").unwrap(), "application/json");
        let value = |name: &&str| answer.headers().get(*name).map(|value| value.to_str().unwrap().to_owned());
        let headers = headers.iter().filter_map(value).collect();
        let body = answer.into_body().try_into_bytes().unwrap();
        (status, String::from_utf8(body.to_vec()).unwrap(), headers)
    }

    const TRANSLATION: [&str; 2] = ["Content-Language", "Vary"];

    #[test]
    fn a_contact_is_shown_under_its_channel() {
        let email = Point::Email("ana@example.com".to_owned());
        let body = r#"{"email":"ana@example.com"}"#.to_owned();
        assert_eq!(parts(contact(&email), &TRANSLATION), (200, body, vec![]));
        for (channel, name) in [
            (PhoneChannel::Telephone, "telephone"),
            (PhoneChannel::Whatsapp, "whatsapp"),
            (PhoneChannel::Telegram, "telegram"),
        ] {
            let phone =
                Point::Phone { channel, country_code: "+55".to_owned(), number: "11912345678".to_owned() };
            let number = r#"{"country_code":"+55","number":"11912345678","full":"+55 11912345678"}"#;
            let body = format!("{{\"{name}\":{number}}}");
            assert_eq!(parts(contact(&phone), &TRANSLATION), (200, body, vec![]));
        }
    }

    #[test]
    fn errors_stand_in_the_contracts_order_and_the_callers_language() {
        let mut errors = Errors::default();
        errors.add(Field::Number, Fault::RequiredForPhone);
        errors.add(Field::Email, Fault::NotAString);
        errors.add(Field::Email, Fault::Email);
        errors.add(Field::Email, Fault::Email);
        errors.add(Field::Uuid, Fault::Required);
        let english = concat!(
            r#"{"message":"The given data was invalid.","errors":{"uuid":["The uuid field is required."],"#,
            r#""email":["The email field must be a string.","The email must be a valid email address."],"#,
            r#""number":["The number field is required when type is not email."]}}"#
        );
        let headers = ["en".to_owned(), "Accept-Language".to_owned()].to_vec();
        assert_eq!(
            parts(invalid(&errors, Language::English), &TRANSLATION),
            (422, english.to_owned(), headers)
        );
        let (_, slovenian, headers) = parts(invalid(&errors, Language::Slovenian), &TRANSLATION);
        assert_eq!(headers, ["sl", "Accept-Language"]);
        assert!(slovenian.starts_with(
            r#"{"message":"The given data was invalid.","errors":{"uuid":["Polje uuid je obvezno."],"#
        ));
    }

    #[test]
    fn every_refusal_is_one_fixed_sentence() {
        let method = "PATCH".to_owned();
        let path = "ia/admin/contacts/5".to_owned();
        for (refusal, status, message) in [
            (ErrorResponse::UnreadableBody, 400, "The request body is not a JSON object."),
            (ErrorResponse::Unauthenticated, 401, "Unauthenticated."),
            (ErrorResponse::Forbidden, 403, "This action is unauthorized."),
            (ErrorResponse::NotFound, 404, "Not Found"),
            (ErrorResponse::UserNotFound, 404, "User not found."),
            (
                ErrorResponse::MethodNotAllowed { method, path, allow: "PUT".to_owned() },
                405,
                "The PATCH method is not supported for route ia/admin/contacts/5. Supported methods: PUT.",
            ),
            (ErrorResponse::BodyTooLarge, 413, "The POST data is too large."),
            (
                ErrorResponse::TooManyAttempts { limit: 60, retry_after: 7, reset: Some(1_700_000_007) },
                429,
                "Too Many Attempts.",
            ),
            (ErrorResponse::ServerError, 500, "Server Error"),
        ] {
            let body = format!("{{\"message\":\"{message}\"}}");
            assert_eq!(parts(refusal.answer(), &TRANSLATION), (status, body, vec![]), "{refusal:?}");
        }
    }

    #[test]
    fn some_refusals_have_headers() {
        let throttled =
            ErrorResponse::TooManyAttempts { limit: 60, retry_after: 7, reset: Some(1_700_000_007) };
        let names = ["X-RateLimit-Limit", "X-RateLimit-Remaining", "Retry-After", "X-RateLimit-Reset"];
        assert_eq!(parts(throttled.answer(), &names).2, ["60", "0", "7", "1700000007"]);
        assert_eq!(parts(ErrorResponse::Unauthenticated.answer(), &["WWW-Authenticate"]).2, ["Bearer"]);
        let method = ErrorResponse::MethodNotAllowed {
            method: "GET".to_owned(),
            path: "ia/admin/contacts".to_owned(),
            allow: "POST".to_owned(),
        };
        assert_eq!(parts(method.answer(), &["Allow"]).2, ["POST"]);
    }
}
