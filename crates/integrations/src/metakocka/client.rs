//! Makes the calls: credentials in the body, one answer, and what kind of answer it is. Success is told by
//! the code in the body and never by the HTTP status.

use std::sync::Arc;
use std::time::Duration;

use onefold_service::clock::Clock;
use onefold_sync::pace::CallPace;
use onefold_sync::partner::RemoteMessage;
use reqwest::StatusCode;
use serde::Serialize;
use serde::de::DeserializeOwned;

use super::config::{BaseUrl, Config};
use super::wire::Status;
use crate::call_error::CallError;
use crate::credential::Credential;
use crate::gate::Gate;
use crate::http::{self, Allowance, Answer, Source};

/// More than any single partner needs.
const ANSWER_BYTES: usize = 4 * 1024 * 1024;

/// A register of some hundred thousand partners.
const REGISTER_BYTES: usize = 128 * 1024 * 1024;

/// The calls of the contract.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Call {
    GetPartner,
    /// `get_partner` for the whole register.
    PullPartners,
    AddPartner,
    UpdatePartner,
}

pub(super) struct Client {
    http: reqwest::Client,
    gate: Gate,
    base: BaseUrl,
    key: Credential,
    company: Credential,
    request_time: Duration,
    pull_time: Duration,
}

#[derive(Serialize)]
struct Request<'a, T> {
    secret_key: &'a str,
    company_id: &'a str,
    #[serde(flatten)]
    body: T,
}

impl Call {
    fn name(self) -> &'static str {
        match self {
            Self::GetPartner | Self::PullPartners => "get_partner",
            Self::AddPartner => "add_partner",
            Self::UpdatePartner => "update_partner",
        }
    }
}

impl Client {
    pub(super) fn new(
        config: &Config,
        (key, company): (&Credential, &Credential),
        clock: Arc<dyn Clock>,
        pace: Option<Arc<dyn CallPace>>,
    ) -> Result<Self, Source> {
        Ok(Self {
            http: http::client(config.reach()?)?,
            gate: Gate::new(config.gate(), clock, pace),
            base: config.base_url.clone(),
            key: key.clone(),
            company: company.clone(),
            request_time: Duration::from_millis(config.request_timeout_ms),
            pull_time: Duration::from_millis(config.pull_timeout_ms),
        })
    }

    /// Makes one call, once.
    pub(super) async fn call<R: DeserializeOwned>(
        &self,
        call: Call,
        body: impl Serialize,
    ) -> Result<R, CallError> {
        let allowed = self.allowed(call);
        let pass = self.gate.pass(allowed.time).await.map_err(CallError::Closed)?;
        let body = Request { secret_key: self.key.expose(), company_id: self.company.expose(), body };
        let request = self.http.post(self.base.call(call.name())).json(&body);
        let answer = http::send(request, allowed).await.map_err(CallError::Http);
        let result = answer.and_then(|answer| self.read_reply(&answer));
        match &result {
            Err(error) if error.is_outage() => pass.failed(),
            _ => pass.succeeded(),
        }
        if let Err(error) = &result {
            tracing::debug!(call = call.name(), kind = error.kind(), "MetaKocka did not do as asked");
        }
        result
    }

    fn allowed(&self, call: Call) -> Allowance {
        match call {
            Call::PullPartners => Allowance { time: self.pull_time, bytes: REGISTER_BYTES },
            _ => Allowance { time: self.request_time, bytes: ANSWER_BYTES },
        }
    }

    fn read_reply<R: DeserializeOwned>(&self, answer: &Answer) -> Result<R, CallError> {
        // Neither was ever seen; both would mean the same everywhere.
        match answer.status {
            StatusCode::TOO_MANY_REQUESTS => return Err(CallError::Quota(answer.retry_after)),
            StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN => {
                return Err(CallError::Denied(RemoteMessage::default()));
            }
            _ => {}
        }
        // What kind of text it is declared to be says nothing: proxies send pages with status 200.
        let status = serde_json::from_slice::<Status>(&answer.body);
        let status = status.map_err(|_| CallError::Page(answer.status))?;
        match status.opr_code.get() {
            None | Some("0") => {}
            Some(code) => return Err(self.failure(code, &status)),
        }
        if !answer.status.is_success() {
            return Err(CallError::Page(answer.status));
        }
        serde_json::from_slice(&answer.body).map_err(|error| CallError::Unreadable(error.into()))
    }

    /// A code means several things, so the text decides. Texts are matched loosely: they are misspelt, and
    /// Slovenian at times.
    fn failure(&self, code: &str, status: &Status) -> CallError {
        let text = status.said().to_lowercase();
        let says = |words: &[&str]| words.iter().any(|word| text.contains(word));
        // An answer may quote the request.
        let said = RemoteMessage::new(&status.said().replace(self.key.expose(), "…"));
        match code {
            "3" | "4" => CallError::Denied(said),
            "5" if says(&["quot", "exceed", "kvot", "limit", "prekora"]) => CallError::Quota(None),
            "1" => CallError::Internal,
            "2" | "6" if says(&["no partner", "partner not found", "partner ne obstaja", "ni partner"]) => {
                CallError::NotFound { code: "2", said }
            }
            _ => CallError::Refused { code: code.to_owned(), said },
        }
    }
}
