//! How the cases speak: services, requests in one line, and answers that can be compared.

use std::future::Future;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use chrono::TimeDelta;
use onefold_domain::contact::{Received, Statement};
use onefold_domain::email::EmailAddress;
use onefold_domain::id::UserId;
use onefold_domain::linking::Outcome;
use onefold_domain::phone::PhoneNumber;
use onefold_domain::policy::LinkPolicy;
use onefold_service::environment::Environment;
use onefold_service::error::RecordError;
use onefold_service::identify::{Identified, Identify, IdentifyRequest};
use onefold_service::testing::{SeededRandomness, SteppingClock};
use onefold_service::users::{NewUser, Users};
use onefold_sync::store::SyncStore;
use uuid::Uuid;

/// A case that hangs fails instead. Far longer than any takes, also on a busy machine.
const LIMIT: Duration = Duration::from_secs(30);

pub(crate) async fn in_time<T>(case: impl Future<Output = T>) -> T {
    tokio::time::timeout(LIMIT, case).await.expect("the case should end")
}

/// Identify with the policy that ships.
pub(crate) fn service(store: &Arc<dyn SyncStore>) -> Identify {
    service_with(store, LinkPolicy::shipped())
}

pub(crate) fn service_with(store: &Arc<dyn SyncStore>, policy: LinkPolicy) -> Identify {
    // Services may share a database, so their ids must differ.
    static SERVICES: AtomicU64 = AtomicU64::new(0);
    Identify::new(Environment::new(
        store.clone(),
        Arc::new(policy),
        Arc::new(SteppingClock::new(TimeDelta::milliseconds(1))),
        Arc::new(SeededRandomness::new(SERVICES.fetch_add(1, Ordering::Relaxed))),
    ))
}

pub(crate) fn email(text: &str) -> EmailAddress {
    EmailAddress::parse(text).expect("an email address")
}

pub(crate) fn phone(text: &str) -> PhoneNumber {
    PhoneNumber::parse(text, None).expect("a phone number")
}

/// A guest's statement; an empty text means that the value is missing.
pub(crate) fn statement(email_text: &str, phone_text: &str) -> Statement {
    let email = (!email_text.is_empty()).then(|| email(email_text));
    let phone = (!phone_text.is_empty()).then(|| phone(phone_text));
    Statement::new(email, phone).expect("a statement says something")
}

pub(crate) async fn register(env: &Environment, user: UserId) {
    let new = NewUser { id: Some(user), ..NewUser::default() };
    match Users::new(env.clone()).create_user(&new).await {
        Ok(_) | Err(RecordError::UserExists { .. }) => {}
        Err(error) => panic!("a user should be registered: {error}"),
    }
}

pub(crate) fn user(number: u128) -> UserId {
    UserId(Uuid::from_u128(number))
}

pub(crate) fn request(statement: Statement) -> IdentifyRequest {
    let received = Received {
        email: statement.email().map(|email| email.as_str().to_owned()),
        phone: statement.phone().map(|phone| phone.as_str().to_owned()),
    };
    IdentifyRequest { statement, received }
}

/// One request of a guest. An empty text means that the value is missing.
pub(crate) async fn tell(service: &Identify, email: &str, phone: &str) -> Identified {
    tell_statement(service, statement(email, phone)).await
}

/// One request of a user, who is registered if need be.
pub(crate) async fn tell_as(service: &Identify, user: UserId, email: &str, phone: &str) -> Identified {
    register(service.environment(), user).await;
    tell_statement(service, statement(email, phone).of_user(user)).await
}

async fn tell_statement(service: &Identify, statement: Statement) -> Identified {
    service.run(&request(statement)).await.expect("identify should answer")
}

/// An answer as plain values, in the order in which callers see them.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct Seen {
    pub(crate) primary: i64,
    pub(crate) emails: Vec<String>,
    pub(crate) phones: Vec<String>,
    pub(crate) secondaries: Vec<i64>,
}

impl Seen {
    pub(crate) fn contacts(&self) -> usize {
        1 + self.secondaries.len()
    }
}

pub(crate) fn seen(identified: &Identified) -> Seen {
    let summary = identified.customer.summary();
    Seen {
        primary: summary.primary.expect("a customer has a contact").0,
        emails: summary.emails.iter().map(|email| email.as_str().to_owned()).collect(),
        phones: summary.phones.iter().map(|phone| phone.as_str().to_owned()).collect(),
        secondaries: summary.secondaries.iter().map(|id| id.0).collect(),
    }
}

/// Says what is known already, and checks that saying it again changed nothing.
pub(crate) async fn recall(service: &Identify, email: &str, phone: &str) -> Seen {
    let answer = tell(service, email, phone).await;
    assert_eq!(answer.outcome, Outcome::Known, "a repetition should bring no news");
    seen(&answer)
}
