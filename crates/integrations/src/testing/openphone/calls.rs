//! Carries requests out on the book, in the words of the contract.

use hyper::StatusCode;
use serde_json::{Value, json};

use super::book::{Book, BookError, CustomFieldDefinition};
use super::record::{OpenPhoneCall, RecordedCall};
use super::rules::{self, Fault};
use super::{EventKind, State};

/// Status and body; none with 204.
pub(super) type Outcome = (StatusCode, Option<Value>);

impl State {
    pub(super) fn answer(&mut self, asked: &RecordedCall) -> Outcome {
        let faults = rules::faults(asked);
        if !faults.is_empty() {
            return service_error(asked.call, StatusCode::BAD_REQUEST, &faults);
        }
        let (call, id) = (asked.call, asked.id.as_deref().unwrap_or_default());
        let not_found = || refused(call, &BookError::NotFound);
        let outcome = match call {
            OpenPhoneCall::ListFields => Ok((StatusCode::OK, Some(definitions(&self.book.fields)))),
            OpenPhoneCall::List => page(&self.book, asked, self.habits.last_page_has_token),
            OpenPhoneCall::Get => {
                self.book.get(id).map(|contact| one(StatusCode::OK, contact)).ok_or_else(not_found)
            }
            OpenPhoneCall::Create => self.create(&asked.body).map_err(|refusal| refused(call, &refusal)),
            OpenPhoneCall::Update => self.replace(id, &asked.body).map_err(|refusal| refused(call, &refusal)),
            OpenPhoneCall::Delete => match self.book.remove(id) {
                Some(contact) => {
                    self.events.happened(EventKind::Deleted, &contact);
                    Ok((StatusCode::NO_CONTENT, None))
                }
                None => Err(not_found()),
            },
        };
        outcome.unwrap_or_else(|refused| refused)
    }

    fn create(&mut self, body: &Value) -> Result<Outcome, BookError> {
        let contact = self.book.create(body)?;
        self.events.happened(EventKind::Updated, &contact);
        Ok(one(StatusCode::CREATED, &contact))
    }

    fn replace(&mut self, id: &str, body: &Value) -> Result<Outcome, BookError> {
        let contact = self.book.replace(id, body)?;
        self.events.happened(EventKind::Updated, &contact);
        Ok(one(StatusCode::OK, &contact))
    }
}

/// An error of the service itself. Those of custom fields have codes of their own.
pub(super) fn service_error(call: OpenPhoneCall, status: StatusCode, faults: &[Fault]) -> Outcome {
    let usual = status.canonical_reason().unwrap_or("Error");
    let (code, title) = match (call, status) {
        (OpenPhoneCall::ListFields, StatusCode::INTERNAL_SERVER_ERROR) => ("0701", "Unknown"),
        (OpenPhoneCall::ListFields, _) => ("0700", usual),
        (_, StatusCode::INTERNAL_SERVER_ERROR) => ("0801", "Unknown"),
        (_, StatusCode::FORBIDDEN) => ("0801", "Not Phone Number User"),
        _ => ("0800", usual),
    };
    failure(code, title, status, faults)
}

fn failure(code: &str, title: &str, status: StatusCode, faults: &[Fault]) -> Outcome {
    let number = status.as_u16();
    let mut body = json!({
        "message": "The request could not be carried out", "code": format!("{code}{number}"), "status": number,
        "docs": "https://openphone.com/docs", "title": title, "trace": "0",
    });
    // Refusals of this kind say their title twice.
    if code == "0801" && status.is_client_error() {
        body["description"] = title.into();
    }
    if !faults.is_empty() {
        body["errors"] = faults.iter().map(Fault::to_json).collect();
    }
    (status, Some(body))
}

/// A conflict names neither the contact nor the member.
fn refused(call: OpenPhoneCall, refusal: &BookError) -> Outcome {
    match refusal {
        BookError::NotFound => service_error(call, StatusCode::NOT_FOUND, &[]),
        BookError::Taken => service_error(call, StatusCode::CONFLICT, &[]),
        BookError::CustomField => {
            let fault = Fault::new("/customFields", "Unknown key or wrong type");
            failure("0801", "Invalid Custom Field Item", StatusCode::BAD_REQUEST, &[fault])
        }
    }
}

fn one(status: StatusCode, contact: &Value) -> Outcome {
    (status, Some(json!({"data": contact})))
}

fn definitions(fields: &[CustomFieldDefinition]) -> Value {
    let to_json =
        |field: &CustomFieldDefinition| json!({"name": field.name, "key": field.key, "type": field.kind});
    json!({"data": fields.iter().map(to_json).collect::<Vec<_>>()})
}

/// The token is a place in the list, so contacts slip past when others in front of it go.
fn page(book: &Book, asked: &RecordedCall, always_token: bool) -> Result<Outcome, Outcome> {
    let values = |name: &str| {
        asked.query.iter().filter(|(known, _)| known == name).map(|(_, value)| value).collect::<Vec<_>>()
    };
    let (ids, sources) = (values("externalIds"), values("sources"));
    let is_in = |wanted: &[&String], value: &Value| {
        wanted.is_empty()
            || value.as_str().is_some_and(|value| wanted.iter().any(|one| one.as_str() == value))
    };
    let wanted =
        |contact: &&Value| is_in(&ids, &contact["externalId"]) && is_in(&sources, &contact["source"]);
    let found: Vec<_> = book.all().iter().filter(wanted).collect();
    let size: usize = values("maxResults")[0].parse().unwrap_or(10);
    let from: usize = match values("pageToken").first() {
        None => 0,
        Some(token) => token.strip_prefix("from-").and_then(|place| place.parse().ok()).ok_or_else(|| {
            service_error(asked.call, StatusCode::BAD_REQUEST, &[Fault::new("/pageToken", "Invalid token")])
        })?,
    };
    let until = (from + size).min(found.len());
    let data: Vec<_> = found.get(from.min(until)..until).unwrap_or_default().to_vec();
    let next = (until < found.len() || always_token).then(|| format!("from-{until}"));
    // Wrong on purpose, as the contract says of it.
    let body = json!({"data": data, "totalItems": data.len(), "nextPageToken": next});
    Ok((StatusCode::OK, Some(body)))
}
