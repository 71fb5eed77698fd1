//! The whole register. There is no paging: an empty name gives everything in one answer, which works for
//! most registers and is promised by nobody. Where it fails, a search for each letter gives the rest.

use std::collections::HashSet;
use std::sync::Arc;

use async_trait::async_trait;
use onefold_sync::partner::{PartnerError, PartnerId, PartnerPull, RemotePartner};

use super::client::Call;
use super::wire::{Partners, Selector};
use super::{Connected, partners};
use crate::call_error::CallError;
use crate::gate::Closed;
use crate::http::HttpError;

/// What names consist of. A name without any of these is not found, so such a pull is never complete.
const LETTERS: &str = "abcdefghijklmnopqrstuvwxyzčšžćđäöü0123456789";

pub(super) struct Pull {
    connected: Result<Arc<Connected>, Vec<&'static str>>,
    stage: Stage,
    seen: HashSet<PartnerId>,
    is_complete: bool,
}

enum Stage {
    Everything,
    Letters(std::str::Chars<'static>),
    Over,
}

impl Pull {
    pub(super) fn new(connected: Result<Arc<Connected>, Vec<&'static str>>) -> Self {
        Self { connected, stage: Stage::Everything, seen: HashSet::new(), is_complete: false }
    }

    async fn everything(&mut self, connected: &Connected) -> Result<Vec<RemotePartner>, CallError> {
        let list: Partners = connected.client.call(Call::PullPartners, Selector::Name("")).await?;
        let announced = list.partner_list_count.get().and_then(|count| count.parse().ok());
        let rows = list.partner_list.as_ref().map_or(0, |list| list.0.len());
        let found = partners(connected, list)?;
        // Rows without an id, or fewer than announced: something is there that did not come.
        self.is_complete = found.len() == rows && announced.is_none_or(|announced: usize| announced <= rows);
        Ok(found)
    }

    async fn letter(connected: &Connected, letter: char) -> Result<Vec<RemotePartner>, CallError> {
        let mut text = [0; 4];
        let selector = Selector::Name(letter.encode_utf8(&mut text));
        match connected.client.call(Call::PullPartners, selector).await {
            Ok(list) => partners(connected, list),
            Err(CallError::NotFound { .. }) => Ok(Vec::new()),
            Err(error) => Err(error),
        }
    }

    fn new_ones(&mut self, mut found: Vec<RemotePartner>) -> Vec<RemotePartner> {
        found.retain(|partner| self.seen.insert(partner.id.clone()));
        found
    }
}

#[async_trait]
impl PartnerPull for Pull {
    async fn next(&mut self) -> Result<Option<Vec<RemotePartner>>, PartnerError> {
        let connected = match &self.connected {
            Ok(connected) => Arc::clone(connected),
            Err(missing) => return Err(PartnerError::NotConfigured { missing: missing.clone() }),
        };
        // An error or a caller that goes away ends it; so it is over until the answer is there.
        match std::mem::replace(&mut self.stage, Stage::Over) {
            Stage::Over => Ok(None),
            Stage::Everything => match self.everything(&connected).await {
                Ok(found) => Ok(Some(self.new_ones(found))),
                Err(error) if is_too_much(&error) => {
                    tracing::info!("MetaKocka does not give its register at once; it is read by letters");
                    self.stage = Stage::Letters(LETTERS.chars());
                    Ok(Some(Vec::new()))
                }
                Err(error) => Err(error.into_partner_error()),
            },
            Stage::Letters(mut letters) => {
                let Some(letter) = letters.next() else { return Ok(None) };
                let found = Self::letter(&connected, letter).await.map_err(CallError::into_partner_error)?;
                self.stage = Stage::Letters(letters);
                Ok(Some(self.new_ones(found)))
            }
        }
    }

    fn is_complete(&self) -> bool {
        self.is_complete
    }
}

/// Whether smaller questions may help: not when nobody is there or lets us in. "Nothing found" is among
/// them, since it can mean that an empty name is no question.
fn is_too_much(error: &CallError) -> bool {
    match error {
        CallError::Closed(Closed::Open { .. } | Closed::Busy) => false,
        CallError::Http(HttpError::NotSent(_)) => false,
        CallError::Denied(_) | CallError::Quota(_) | CallError::Unreadable(_) => false,
        CallError::Http(_) | CallError::Page(_) | CallError::Internal => true,
        CallError::NotFound { .. } | CallError::Conflict { .. } | CallError::Refused { .. } => true,
    }
}
