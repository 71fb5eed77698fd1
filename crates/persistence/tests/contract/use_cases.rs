//! Contact records, customers and users as the cases speak of them: one line for each thing done.

use std::future::Future;
use std::sync::Arc;

use onefold_domain::contact::{ContactRecord, Received};
use onefold_domain::customer::CustomerView;
use onefold_domain::id::{ContactId, CustomerId, UserId};
use onefold_domain::metadata::Metadata;
use onefold_domain::profile::Profile;
use onefold_domain::source::ContactSource;
use onefold_domain::survivorship::SurvivorshipRules;
use onefold_service::actor::Acting;
use onefold_service::contacts::{
    ContactChange, ContactRequest, Contacts, Expectation, NewValue, PageRequest, Upserted,
};
use onefold_service::customers::Customers;
use onefold_service::error::RecordError;
use onefold_service::identify::Identify;
use onefold_service::search::SearchQuery;
use onefold_service::store::ContactFilter;
use onefold_service::users::Users;
use onefold_sync::store::SyncStore;
use serde_json::Value;
use tokio::task::JoinSet;

use crate::scene::{email, phone, register, service, statement, user};

/// Every use case over one environment.
#[derive(Clone)]
pub(crate) struct UseCases {
    pub(crate) identify: Identify,
    pub(crate) contacts: Contacts,
    pub(crate) customers: Customers,
    pub(crate) users: Users,
}

impl UseCases {
    pub(crate) fn new(store: &Arc<dyn SyncStore>) -> Self {
        Self::over(service(store))
    }

    /// Everything over the environment of this service.
    pub(crate) fn over(identify: Identify) -> Self {
        let env = identify.environment().clone();
        Self {
            identify,
            contacts: Contacts::new(env.clone()),
            customers: Customers::new(env.clone(), Arc::new(SurvivorshipRules::shipped())),
            users: Users::new(env),
        }
    }

    /// The use cases, with contacts that are kept on behalf of whoever acts.
    pub(crate) fn by(&self, acting: &Acting) -> Self {
        Self { contacts: self.contacts.acting(acting), ..self.clone() }
    }

    /// The user of this number, who is registered if need be.
    pub(crate) async fn user(&self, number: u128) -> UserId {
        register(self.identify.environment(), user(number)).await;
        user(number)
    }

    pub(crate) async fn create(&self, request: &ContactRequest) -> ContactRecord {
        self.contacts.create_contact(request).await.expect("a contact should be created")
    }

    pub(crate) async fn upsert(&self, request: &ContactRequest) -> (ContactRecord, Upserted) {
        self.contacts.create_or_update_contact(request).await.expect("a contact should be upserted")
    }

    pub(crate) async fn change(&self, id: ContactId, change: ContactChange) -> ContactRecord {
        self.try_change(id, change, &Expectation::Anything).await.expect("a contact should be changed")
    }

    pub(crate) async fn try_change(
        &self,
        id: ContactId,
        change: ContactChange,
        expected: &Expectation,
    ) -> Result<ContactRecord, RecordError> {
        self.contacts.change_contact(id, &change, expected).await
    }

    pub(crate) async fn withdraw(&self, id: ContactId) {
        let done = self.contacts.withdraw_contact(id, &Expectation::Anything).await;
        done.expect("a contact should be withdrawn");
    }

    pub(crate) async fn record(&self, id: ContactId) -> ContactRecord {
        self.contacts.contact(id).await.expect("the contact should be there")
    }

    pub(crate) async fn customer(&self, id: CustomerId) -> CustomerView {
        self.customers.customer(id).await.expect("the customer should be there")
    }

    /// What a person says about a customer.
    pub(crate) async fn rule(&self, id: CustomerId, patch: Value) -> CustomerView {
        let changed = self.customers.change_profile(id, &members(patch), &Expectation::Anything).await;
        changed.expect("a profile should be changed")
    }

    /// Everything that passes a filter.
    pub(crate) async fn list(&self, filter: &ContactFilter) -> Vec<ContactRecord> {
        let page = PageRequest { after: None, limit: 200 };
        self.contacts.contacts(filter, page).await.expect("a list").entries
    }

    pub(crate) async fn everything(&self) -> Vec<ContactRecord> {
        self.list(&ContactFilter::default()).await
    }

    /// The customers that a search finds, on one page.
    pub(crate) async fn find(&self, text: &str) -> Vec<CustomerId> {
        let query = SearchQuery::parse(text, None).expect("a query");
        let page = self.customers.search(&query, None, 200).await.expect("a search");
        page.entries.into_iter().map(|customer| customer.id).collect()
    }
}

/// What a guest's order says; an empty text means that the value is missing.
pub(crate) fn order(email: &str, phone: &str) -> ContactRequest {
    let text = |text: &str| (!text.is_empty()).then(|| text.to_owned());
    let received = Received { email: text(email), phone: text(phone) };
    ContactRequest::new(statement(email, phone), received, ContactSource::Order)
}

/// What a user's order says.
pub(crate) fn order_of(user: UserId, email: &str, phone: &str) -> ContactRequest {
    let guests = order(email, phone);
    ContactRequest { statement: guests.statement.clone().of_user(user), ..guests }
}

pub(crate) fn from(source: ContactSource, request: ContactRequest) -> ContactRequest {
    ContactRequest { source, ..request }
}

pub(crate) fn verified(request: ContactRequest) -> ContactRequest {
    ContactRequest { is_verified: Some(true), ..request }
}

pub(crate) fn with_profile(request: ContactRequest, texts: &[(&str, &str)]) -> ContactRequest {
    let profile = Profile::from_texts(texts).expect("a profile");
    ContactRequest { profile: Some(profile), ..request }
}

pub(crate) fn metadata(value: &Value) -> Metadata {
    Metadata::parse(value).expect("metadata")
}

pub(crate) fn members(value: Value) -> serde_json::Map<String, Value> {
    match value {
        Value::Object(members) => members,
        other => panic!("no object: {other}"),
    }
}

pub(crate) fn to_email(text: &str) -> ContactChange {
    let value = NewValue::Email { value: email(text), received: text.to_owned() };
    ContactChange { value: Some(value), ..ContactChange::default() }
}

pub(crate) fn to_phone(text: &str) -> ContactChange {
    let value = NewValue::Phone { value: phone(text), received: text.to_owned() };
    ContactChange { value: Some(value), ..ContactChange::default() }
}

pub(crate) fn primary(is_primary: bool) -> ContactChange {
    ContactChange { is_primary: Some(is_primary), ..ContactChange::default() }
}

pub(crate) fn ids(records: &[ContactRecord]) -> Vec<ContactId> {
    records.iter().map(|record| record.id).collect()
}

/// Does something so many times at once; what came of each, in no order.
pub(crate) async fn all_together<T, F>(times: usize, act: impl Fn(usize) -> F) -> Vec<T>
where
    T: Send + 'static,
    F: Future<Output = T> + Send + 'static,
{
    let running: JoinSet<T> = (0..times).map(act).collect();
    running.join_all().await
}
