//! All contacts of the workspace, page by page.

use std::collections::HashSet;
use std::sync::Arc;

use async_trait::async_trait;
use onefold_sync::partner::{PartnerError, PartnerId, PartnerPull, RemotePartner};

use super::Connected;
use super::contact::Contact;

/// The most contacts of a page.
pub(super) const PAGE: u16 = 50;

/// The most pages: a million contacts, which takes more than half an hour at ten calls a second.
const MOST_PAGES: usize = 20_000;

/// A page of contacts, and what gives the next one.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct ContactPage {
    pub contacts: Vec<Contact>,
    /// `None` on the last page.
    pub next: Option<PageToken>,
    /// Rows that could not be read.
    pub unreadable: usize,
}

/// Where the next page begins, in their words.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub struct PageToken(pub(super) String);

pub(super) struct Pull {
    connected: Result<Arc<Connected>, Vec<&'static str>>,
    /// Which page is read next; `None` when all were read.
    stage: Option<Stage>,
    seen: HashSet<PartnerId>,
    is_whole: bool,
    is_complete: bool,
}

#[derive(Default)]
struct Stage {
    next: Option<PageToken>,
    tokens: HashSet<PageToken>,
}

impl Pull {
    pub(super) fn new(connected: Result<Arc<Connected>, Vec<&'static str>>) -> Self {
        let stage = Some(Stage::default());
        Self { connected, stage, seen: HashSet::new(), is_whole: true, is_complete: false }
    }

    /// Contacts that came before are left out. One that comes twice shows that the order moved while it was
    /// read, and then another may have slipped past.
    fn new_ones(&mut self, page: ContactPage) -> Vec<RemotePartner> {
        let came = page.contacts.len();
        let mut found: Vec<_> = page.contacts.into_iter().map(|contact| contact.partner).collect();
        found.retain(|partner| self.seen.insert(partner.id.clone()));
        self.is_whole &= found.len() == came && page.unreadable == 0;
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
        let Some(mut stage) = self.stage.take() else { return Ok(None) };
        let mut page = connected.page(stage.next.as_ref()).await?;
        let next = page.next.take();
        let found = self.new_ones(page);
        match next {
            None => {
                self.is_complete = self.is_whole;
                if let Some(index) = &connected.index {
                    // Also when the order moved meanwhile: what slipped past is told of, or seen the next night.
                    index.scanned().await;
                }
            }
            // A token that came before would go round for ever; the real one has given one for a last page.
            Some(token) if stage.tokens.len() < MOST_PAGES && stage.tokens.insert(token.clone()) => {
                stage.next = Some(token);
                self.stage = Some(stage);
            }
            Some(_) => tracing::warn!("OpenPhone's list of contacts does not end"),
        }
        Ok(Some(found))
    }

    fn is_complete(&self) -> bool {
        self.is_complete
    }
}
