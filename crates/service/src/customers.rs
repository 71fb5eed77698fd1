//! Customers as people see them: profile, contact points, users and contacts, found by id or by a search,
//! and the profile a person may correct.

use std::sync::Arc;

use crate::actor::Acting;
use crate::contacts::Expectation;
use crate::environment::Environment;
use crate::error::RecordError;
use crate::page::Page;
use crate::search::SearchQuery;
use crate::store::{ListedCustomer, Transaction};
use crate::trail::Change;
use onefold_domain::contact::{ContactDetails, ContactDraft, ContactRecord, Received};
use onefold_domain::customer::{CustomerRecord, CustomerView};
use onefold_domain::id::{ContactId, CustomerId};
use onefold_domain::profile::Profile;
use onefold_domain::source::ContactSource;
use onefold_domain::survivorship::SurvivorshipRules;

/// Customers, and where the next page begins. May hold fewer than were asked for although there are more.
pub type CustomerPage = Page<CustomerView, ContactId>;

/// Shows customers, and keeps what a person says about them.
#[derive(Clone)]
pub struct Customers {
    env: Environment,
    rules: Arc<SurvivorshipRules>,
}

impl Customers {
    pub fn new(env: Environment, rules: Arc<SurvivorshipRules>) -> Self {
        Self { env, rules }
    }

    /// Customers that are corrected on behalf of whoever acts, as the audit trail tells it.
    #[must_use]
    pub fn acting(&self, acting: &Acting) -> Self {
        Self { env: self.env.clone().acting(acting.clone()), rules: Arc::clone(&self.rules) }
    }

    /// The customer of this id, or the one that absorbed it.
    ///
    /// # Errors
    /// [`RecordError::NoSuchCustomer`], also when all its contacts were withdrawn; a store that does not
    /// answer.
    pub async fn customer(&self, id: CustomerId) -> Result<CustomerView, RecordError> {
        let record = self.env.store.customers().get(id).await?.ok_or(RecordError::NoSuchCustomer)?;
        Ok(CustomerView::of(record, &self.rules))
    }

    /// Customers one of whose contacts matches, in the order of the oldest contact that does.
    ///
    /// # Errors
    /// A store that does not answer.
    pub async fn search(
        &self,
        query: &SearchQuery,
        after: Option<ContactId>,
        limit: u16,
    ) -> Result<CustomerPage, RecordError> {
        let stored = self.env.store.customers();
        let found = Page::read(
            usize::from(limit),
            |wanted| stored.search(query, after, wanted),
            |(contact, _): &(ContactId, CustomerId)| *contact,
        );
        let Page { entries: found, next } = found.await?;
        let mut customers = Vec::new();
        for (contact, id) in found {
            let Some(record) = stored.get(id).await? else { continue };
            // A customer is shown with its first match, so that no page repeats it.
            let first = record.contacts.iter().find(|record| query.matches(record)).map(|record| record.id);
            if first == Some(contact) {
                customers.push(CustomerView::of(record, &self.rules));
            }
        }
        Ok(Page { entries: customers, next })
    }

    /// All customers, in the order of their oldest contact.
    ///
    /// # Errors
    /// A store that does not answer.
    pub async fn list(&self, after: Option<ContactId>, limit: u16) -> Result<CustomerPage, RecordError> {
        let stored = self.env.store.customers();
        let found = Page::read(
            usize::from(limit),
            |wanted| stored.list(after, wanted),
            |last: &ListedCustomer| last.oldest,
        );
        let Page { entries: found, next } = found.await?;
        let mut customers = Vec::new();
        for listed in found {
            let record = stored.get(listed.id).await?;
            // Merged since the page was read, it is shown in the place of the one that it belongs to now.
            let record = record.filter(|record| record.id == listed.id);
            customers.extend(record.map(|record| CustomerView::of(record, &self.rules)));
        }
        Ok(Page { entries: customers, next })
    }

    /// Keeps what a person says about a customer as a contact of source `manual`. It corrects what is shown: all that was
    /// said before counts no more, and what is said later is held against it by the rules, of which those that ship
    /// put `manual` first. Withdrawing that contact takes it back. `patch` is a JSON merge patch over the
    /// profile as it is shown; null states that there is no such thing.
    ///
    /// # Errors
    /// [`RecordError::NoSuchCustomer`], [`RecordError::Stale`], [`RecordError::Profile`], a store that does
    /// not answer.
    pub async fn change_profile(
        &self,
        id: CustomerId,
        patch: &serde_json::Map<String, serde_json::Value>,
        expected: &Expectation,
    ) -> Result<CustomerView, RecordError> {
        let record = self
            .env
            .in_transaction(move |mut transaction| {
                Box::pin(async move {
                    let record = self.rule(transaction.as_mut(), id, patch, expected).await?;
                    Ok((record, transaction))
                })
            })
            .await?;
        Ok(CustomerView::of(record, &self.rules))
    }

    async fn rule(
        &self,
        transaction: &mut dyn Transaction,
        id: CustomerId,
        patch: &serde_json::Map<String, serde_json::Value>,
        expected: &Expectation,
    ) -> Result<CustomerRecord, RecordError> {
        let record = transaction.customers().get(id).await?.ok_or(RecordError::NoSuchCustomer)?;
        if !expected.is_met(&record.revision()) {
            return Err(RecordError::Stale);
        }
        let shown = CustomerView::of(record.clone(), &self.rules);
        let ruling = Profile::ruling(&shown.profile, patch).map_err(RecordError::Profile)?;
        if ruling.is_empty() {
            return Ok(record);
        }
        let Some(primary) = record.contacts.first() else { return Err(RecordError::NoSuchCustomer) };
        let now = self.env.clock.now();
        transaction.customers().advance(record.id, record.version, now).await?;
        let at = record.after_all(now);
        let ruling = Profile::default().corrected(&ruling, ContactSource::Manual, at);
        let draft = speaking_for(primary, ContactSource::Manual, ruling);
        let contact = transaction.contacts().insert(&draft, record.id, at).await?;
        let added = Change::contact_added(contact, record.id, &draft);
        self.env.record(transaction, now, vec![added]).await?;
        transaction.customers().get(record.id).await?.ok_or(RecordError::NoSuchCustomer)
    }
}

/// A contact that says of the oldest one's values what this source knows. It links exactly as that one does.
pub fn speaking_for(primary: &ContactRecord, source: ContactSource, profile: Profile) -> ContactDraft {
    ContactDraft {
        statement: primary.statement.clone(),
        claimed_by: primary.claimed_by,
        email_blocked_by: primary.email_blocked_by,
        phone_blocked_by: primary.phone_blocked_by,
        source,
        details: ContactDetails { profile: Some(profile), ..ContactDetails::default() },
        received: Received::default(),
        import: None,
        origin: None,
    }
}
