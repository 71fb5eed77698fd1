//! Makes the calls: the raw key in `Authorization`, one answer, and what kind of answer it is. The bodies of
//! errors are not relied upon: the service, its gateway and what stands before both have each their own.

use std::sync::Arc;
use std::time::Duration;

use onefold_service::clock::Clock;
use onefold_sync::pace::CallPace;
use onefold_sync::partner::{PartnerError, RemoteMessage};
use reqwest::header::{AUTHORIZATION, HeaderValue};
use reqwest::{Method, StatusCode};
use serde::Serialize;
use serde::de::DeserializeOwned;

use super::config::{BaseUrl, Config};
use super::wire::Failure;
use crate::call_error::CallError;
use crate::credential::Credential;
use crate::gate::Gate;
use crate::http::{self, Allowance, Answer, Source};

/// A page of fifty contacts, with room for long notes.
const ANSWER_BYTES: usize = 8 * 1024 * 1024;

/// How long to leave it alone when it does not say: its limit is told by the second.
const ONE_LIMIT: Duration = Duration::from_secs(1);

/// The part of a code that says that there is no such contact; a page that is missing has no code.
const NO_CONTACT: &str = "404";

pub(super) struct Client {
    http: reqwest::Client,
    gate: Gate,
    base: BaseUrl,
    key: Credential,
    header: HeaderValue,
    request_time: Duration,
}

/// One call. The query is repeated names and values.
pub(super) struct Call<'a, B = ()> {
    pub(super) method: Method,
    pub(super) path: &'a [&'a str],
    pub(super) query: &'a [(&'a str, &'a str)],
    pub(super) body: Option<B>,
}

impl Client {
    pub(super) fn new(
        config: &Config,
        key: &Credential,
        clock: Arc<dyn Clock>,
        pace: Option<Arc<dyn CallPace>>,
    ) -> Result<Self, Source> {
        let mut header = HeaderValue::from_str(key.expose())?;
        header.set_sensitive(true);
        Ok(Self {
            http: http::client(config.reach()?)?,
            gate: Gate::new(config.gate(), clock, pace),
            base: config.base_url.clone(),
            key: key.clone(),
            header,
            request_time: Duration::from_millis(config.request_timeout_ms),
        })
    }

    /// Makes one call, once, and reads what it answers.
    pub(super) async fn call<R: DeserializeOwned>(
        &self,
        call: Call<'_, impl Serialize>,
    ) -> Result<R, CallError> {
        let read = |answer: &Answer| {
            // A body that is no JSON at all is not theirs.
            if serde_json::from_slice::<serde::de::IgnoredAny>(&answer.body).is_err() {
                return Err(CallError::Page(answer.status));
            }
            serde_json::from_slice(&answer.body).map_err(|error| CallError::Unreadable(error.into()))
        };
        self.send(call, read).await
    }

    /// Makes one call, once, that is answered with 204 and nothing else.
    pub(super) async fn tell(&self, call: Call<'_, impl Serialize>) -> Result<(), CallError> {
        let read = |answer: &Answer| match answer.status {
            StatusCode::NO_CONTENT => Ok(()),
            status => Err(CallError::Page(status)),
        };
        self.send(call, read).await
    }

    async fn send<R>(
        &self,
        call: Call<'_, impl Serialize>,
        read: impl Fn(&Answer) -> Result<R, CallError>,
    ) -> Result<R, CallError> {
        let pass = self.gate.pass(self.request_time).await.map_err(CallError::Closed)?;
        let mut url = self.base.call(call.path);
        if !call.query.is_empty() {
            url.query_pairs_mut().extend_pairs(call.query);
        }
        let mut request = self.http.request(call.method.clone(), url).header(AUTHORIZATION, &self.header);
        if let Some(body) = &call.body {
            request = request.json(body);
        }
        let allowed = Allowance { time: self.request_time, bytes: ANSWER_BYTES };
        let answer = http::send(request, allowed).await.map_err(CallError::Http);
        let result = answer.and_then(|answer| match answer.status.is_success() {
            true => read(&answer),
            false => Err(self.failure(&answer)),
        });
        match &result {
            Err(CallError::Quota(wait)) => pass.held_off(wait.unwrap_or(ONE_LIMIT)),
            Err(error) if error.is_outage() => pass.failed(),
            _ => pass.succeeded(),
        }
        if let Err(error) = &result {
            tracing::debug!(method = %call.method, kind = error.kind(), "OpenPhone did not do as asked");
        }
        result
    }

    /// The status decides. Only "no such contact" needs the body, too: a wrong address is answered with the
    /// same status, and must not look as if contacts were gone.
    fn failure(&self, answer: &Answer) -> CallError {
        let failure = serde_json::from_slice::<Failure>(&answer.body).ok();
        // An answer may quote the request.
        let said = failure.as_ref().map(|failure| failure.said().replace(self.key.expose(), "…"));
        let said = said.map_or_else(RemoteMessage::default, |said| RemoteMessage::new(&said));
        let code = failure.as_ref().and_then(Failure::code);
        match answer.status {
            StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN => CallError::Denied(said),
            StatusCode::NOT_FOUND if code.is_some_and(|code| code.ends_with(NO_CONTACT)) => {
                let said = RemoteMessage::new("Something that the new contact refers to is not there.");
                CallError::NotFound { code: "404", said }
            }
            StatusCode::CONFLICT => {
                let said = RemoteMessage::new("The external id is taken by a contact that is not shown.");
                CallError::Conflict { code: "409", said }
            }
            StatusCode::TOO_MANY_REQUESTS => CallError::Quota(answer.retry_after),
            StatusCode::BAD_REQUEST | StatusCode::UNPROCESSABLE_ENTITY | StatusCode::PAYLOAD_TOO_LARGE => {
                let code = code.map_or_else(|| answer.status.as_u16().to_string(), ToOwned::to_owned);
                CallError::Refused { code, said }
            }
            StatusCode::INTERNAL_SERVER_ERROR if failure.is_some() => CallError::Internal,
            status => CallError::Page(status),
        }
    }
}

impl<'a> Call<'a> {
    pub(super) fn get(path: &'a [&'a str], query: &'a [(&'a str, &'a str)]) -> Self {
        Self { method: Method::GET, path, query, body: None }
    }

    pub(super) fn delete(path: &'a [&'a str]) -> Self {
        Self { method: Method::DELETE, path, query: &[], body: None }
    }
}

impl<'a, B: Serialize> Call<'a, B> {
    pub(super) fn post(path: &'a [&'a str], body: B) -> Self {
        Self { method: Method::POST, path, query: &[], body: Some(body) }
    }

    pub(super) fn patch(path: &'a [&'a str], body: B) -> Self {
        Self { method: Method::PATCH, path, query: &[], body: Some(body) }
    }
}

/// A refusal in words of our own.
pub(super) fn rejected(code: &str, said: &str) -> PartnerError {
    PartnerError::Rejected { code: code.to_owned(), said: RemoteMessage::new(said) }
}
