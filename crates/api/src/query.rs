//! Reads the parameters of an address, page by page ones among them, and keeps every fault.

use std::collections::BTreeMap;

use actix_web::http::header::LINK;
use actix_web::web;
use actix_web::{HttpRequest, HttpResponse, HttpResponseBuilder};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use chrono::{DateTime, Utc};
use onefold_domain::id::{ContactId, UserId};
use onefold_service::contacts::PageRequest;
use uuid::Uuid;

use crate::error::ApiError;
use crate::faults::Faults;
use crate::faults::UNKNOWN_USER;

/// The most entries of a page.
pub(crate) const MAX_PAGE: u16 = 200;

const DEFAULT_PAGE: u16 = 50;

/// The parameters of a request. Each is taken once; what is left over at the end is unknown.
pub(crate) struct Query {
    values: BTreeMap<String, String>,
    known: Vec<&'static str>,
    pub(crate) faults: Faults,
}

impl Query {
    pub(crate) fn of(request: &HttpRequest) -> Self {
        let mut query = Self { values: BTreeMap::new(), known: Vec::new(), faults: Faults::default() };
        let pairs = web::Query::<Vec<(String, String)>>::from_query(request.query_string());
        for (name, value) in pairs.map(web::Query::into_inner).unwrap_or_default() {
            if query.values.insert(name.clone(), value).is_some() {
                query.faults.add(name, "The parameter stands twice; send it once.");
            }
        }
        query
    }

    /// A parameter that is still to be taken.
    pub(crate) fn peek(&self, name: &str) -> Option<&str> {
        self.values.get(name).map(String::as_str).filter(|value| !value.is_empty())
    }

    /// The id of a user who was looked up under the name that the parameter has.
    pub(crate) fn user(&mut self, name: &'static str, found: Option<UserId>) -> Option<UserId> {
        self.text(name)?;
        self.faults.note(name, found.ok_or(UNKNOWN_USER))
    }

    /// An empty parameter counts as left out, as forms send it.
    pub(crate) fn text(&mut self, name: &'static str) -> Option<String> {
        self.known.push(name);
        self.values.remove(name).filter(|value| !value.is_empty())
    }

    /// The parameters whose names begin with this, under what follows it. Callers who misspell another parameter are
    /// told of them as `what`.
    pub(crate) fn starting_with(
        &mut self,
        prefix: &'static str,
        what: &'static str,
    ) -> Vec<(String, String)> {
        self.known.push(what);
        let names: Vec<_> = self.values.keys().filter(|name| name.starts_with(prefix)).cloned().collect();
        let taken = names.into_iter().filter_map(|name| {
            let value = self.values.remove(&name).filter(|value| !value.is_empty())?;
            Some((name[prefix.len()..].to_owned(), value))
        });
        taken.collect()
    }

    pub(crate) fn number(&mut self, name: &'static str, least: u64, most: u64) -> Option<u64> {
        let text = self.text(name)?;
        let number = text.parse().ok().filter(|number| (least..=most).contains(number));
        if number.is_none() {
            self.faults.add(name, format!("Send a whole number from {least} to {most}."));
        }
        number
    }

    pub(crate) fn one_of<T>(
        &mut self,
        name: &'static str,
        choices: &[&str],
        parse: impl FnOnce(&str) -> Option<T>,
    ) -> Option<T> {
        let text = self.text(name)?;
        self.faults.one_of(name, &text, choices, parse)
    }

    pub(crate) fn flag(&mut self, name: &'static str) -> Option<bool> {
        self.one_of(name, &["true", "false"], |text| text.parse().ok())
    }

    /// A moment as RFC 3339 writes it.
    pub(crate) fn moment(&mut self, name: &'static str) -> Option<DateTime<Utc>> {
        let text = self.text(name)?;
        // A plus that was not escaped arrives as a blank.
        let moment = DateTime::parse_from_rfc3339(&text.replace(' ', "+"));
        let moment = moment.map_err(|_| "Send a moment such as 2026-11-21T08:30:00Z.");
        self.faults.note(name, moment).map(|moment| moment.to_utc())
    }

    pub(crate) fn limit(&mut self, most: u16) -> u16 {
        let limit = self.number("limit", 1, u64::from(most));
        limit.and_then(|limit| u16::try_from(limit).ok()).unwrap_or(DEFAULT_PAGE)
    }

    /// The entry that the page follows.
    pub(crate) fn cursor(&mut self) -> Option<i64> {
        self.cursor_of(|bytes| bytes.try_into().ok().map(i64::from_be_bytes).filter(|last| *last >= 0))
    }

    /// The entry that the page follows, where the ids of entries are UUIDs.
    pub(crate) fn uuid_cursor(&mut self) -> Option<Uuid> {
        self.cursor_of(|bytes| Uuid::from_slice(bytes).ok())
    }

    fn cursor_of<T>(&mut self, parse: impl FnOnce(&[u8]) -> Option<T>) -> Option<T> {
        let text = self.text("cursor")?;
        let last = URL_SAFE_NO_PAD.decode(text).ok().and_then(|bytes| parse(&bytes));
        if last.is_none() {
            self.faults.add("cursor", "Send nextCursor of the page before as it was given, or leave it out.");
        }
        last
    }

    pub(crate) fn page(&mut self) -> PageRequest {
        PageRequest { limit: self.limit(MAX_PAGE), after: self.cursor().map(ContactId) }
    }

    /// Refuses the request if anything was wrong with its parameters, or is left over.
    pub(crate) fn finish(mut self) -> Result<(), ApiError> {
        for name in self.values.into_keys() {
            let known = self.known.join(", ");
            self.faults.add(name, format!("There is no such parameter; known are {known}."));
        }
        Ok(self.faults.check()?)
    }
}

/// Opaque, so that nobody builds one: what it holds may change.
fn cursor_after(last: &[u8]) -> String {
    URL_SAFE_NO_PAD.encode(last)
}

/// The value of a `Link` header (RFC 8288) that leads to the next page of the same list.
fn link_to_next(request: &HttpRequest, cursor: &str) -> String {
    let others = request.query_string().split('&').filter(|pair| !pair.is_empty());
    let others = others.filter(|pair| !pair.starts_with("cursor=")).map(|pair| format!("{pair}&"));
    format!("<{}?{}cursor={cursor}>; rel=\"next\"", request.path(), others.collect::<String>())
}

/// The beginning of an answer that is a page: with `Link` if there is a next one, which the cursor leads to.
pub(crate) fn page_answer(request: &HttpRequest, last: Option<i64>) -> (HttpResponseBuilder, Option<String>) {
    page_to(request, last.map(|last| cursor_after(&last.to_be_bytes())))
}

/// The beginning of an answer that is a page of entries whose ids are UUIDs.
pub(crate) fn uuid_page_answer(
    request: &HttpRequest,
    last: Option<Uuid>,
) -> (HttpResponseBuilder, Option<String>) {
    page_to(request, last.map(|last| cursor_after(last.as_bytes())))
}

fn page_to(request: &HttpRequest, next_cursor: Option<String>) -> (HttpResponseBuilder, Option<String>) {
    let mut response = HttpResponse::Ok();
    if let Some(cursor) = &next_cursor {
        response.insert_header((LINK, link_to_next(request, cursor)));
    }
    (response, next_cursor)
}
