//! `/ia/admin/contacts`: every row of the contract's tables, over HTTP.

mod changes;
mod conventions;
mod faults;
mod languages;
mod linking;
mod order;
mod requests;

use reqwest::Method;
use serde_json::{Value, json};

use crate::app::{Answer, TestApp, send};

const PATH: &str = "/ia/admin/contacts";

/// A user that there is not.
const NOBODY: &str = "8e03978e-40d5-43e8-bc93-6894a57f9324";

type Error = (&'static str, &'static str);

const UUID_REQUIRED: Error = ("uuid", "The uuid field is required.");
const UUID_INVALID: Error = ("uuid", "The uuid field must be a valid UUID.");
const UUID_PROHIBITED: Error = ("uuid", "The uuid field is prohibited.");
const TYPE_REQUIRED: Error = ("type", "The type field is required.");
const TYPE_WITH_NUMBER: Error = ("type", "The type field is required when country code / number is present.");
const TYPE_WITH_EMAIL: Error = ("type", "The type field is required when email is present.");
const TYPE_INVALID: Error = ("type", "The selected type is invalid.");
const EMAIL_REQUIRED: Error = ("email", "The email field is required when type is email.");
const EMAIL_STRING: Error = ("email", "The email field must be a string.");
const EMAIL_INVALID: Error = ("email", "The email must be a valid email address.");
const CODE_REQUIRED: Error = ("country_code", "The country code field is required when type is not email.");
const CODE_STRING: Error = ("country_code", "The country code field must be a string.");
const CODE_LONG: Error = ("country_code", "The country code field must not be greater than 10 characters.");
const CODE_FORMAT: Error = ("country_code", "The country code field format is invalid.");
const NUMBER_REQUIRED: Error = ("number", "The number field is required when type is not email.");
const NUMBER_STRING: Error = ("number", "The number field must be a string.");
const NUMBER_LONG: Error = ("number", "The number field must not be greater than 20 characters.");
const NUMBER_FORMAT: Error = ("number", "The number field format is invalid.");

async fn post(app: &TestApp, body: &Value) -> Answer {
    app.call(Method::POST, PATH, body).await
}

async fn put(app: &TestApp, id: i64, body: &Value) -> Answer {
    app.call(Method::PUT, &format!("{PATH}/{id}"), body).await
}

/// Adds a contact to a user; hands back its id.
async fn add(app: &TestApp, user: &str, body: Value) -> i64 {
    let answer = post(app, &of(user, body.clone())).await;
    assert_eq!(answer.status, 200, "{body}: {answer:?}");
    answer.header("location").strip_prefix("/ia/admin/contacts/").unwrap().parse().unwrap()
}

/// Changes a contact; hands back what was answered.
async fn changed(app: &TestApp, id: i64, body: Value) -> Value {
    let answer = put(app, id, &body).await;
    assert_eq!(answer.status, 200, "{body}: {answer:?}");
    answer.json()
}

/// The body with a user.
fn of(user: &str, mut body: Value) -> Value {
    body["uuid"] = json!(user);
    body
}

fn email(address: &str) -> Value {
    json!({"type": "email", "email": address})
}

fn phone(channel: &str, country_code: &str, number: &str) -> Value {
    json!({"type": channel, "country_code": country_code, "number": number})
}

/// The answer for a number.
fn shown(channel: &str, country_code: &str, number: &str) -> Value {
    json!({channel: {
        "country_code": country_code, "number": number, "full": format!("{country_code} {number}"),
    }})
}

async fn contact(app: &TestApp, id: i64) -> Value {
    app.show(&format!("/contacts/{id}")).await
}

/// A request with this token and, if it is not empty, this body.
async fn with_token(app: &TestApp, token: &str, method: Method, path: &str, body: &str) -> Answer {
    let request = app.bare_request(method, path).header("Content-Type", "application/json");
    let request = if token.is_empty() { request } else { request.bearer_auth(token) };
    send(request.body(body.to_owned())).await
}

/// One fixed sentence, never translated.
fn check_refused(answer: &Answer, status: u16, message: &str) {
    assert_eq!((answer.status, answer.json()), (status, json!({"message": message})), "{answer:?}");
    assert_eq!(answer.header("content-type"), "application/json");
    assert_eq!((answer.header("content-language"), answer.header("vary")), ("", ""));
}

/// To the letter, since the order of the fields is part of the contract.
fn check_invalid(answer: &Answer, language: &str, errors: &[(&str, &str)]) {
    assert_eq!(answer.status, 422, "{errors:?}: {answer:?}");
    assert_eq!(answer.body, invalid(errors));
    assert_eq!(answer.header("content-type"), "application/json");
    assert_eq!((answer.header("content-language"), answer.header("vary")), (language, "Accept-Language"));
}

fn invalid(errors: &[(&str, &str)]) -> String {
    let fields = errors.chunk_by(|one, other| one.0 == other.0).map(|errors| {
        let messages: Vec<_> = errors.iter().map(|(_, message)| message).collect();
        format!("{}:{}", json!(errors[0].0), json!(messages))
    });
    let fields = fields.collect::<Vec<_>>().join(",");
    format!(r#"{{"message":"The given data was invalid.","errors":{{{fields}}}}}"#)
}
