//! What the endpoints are asked: contacts and records by their ids, one or many.

use std::collections::HashSet;

use actix_web::HttpRequest;
use onefold_domain::id::{ContactId, CustomerId};
use onefold_sync::partner::PartnerId;
use onefold_sync::runner::Runner;
use onefold_sync::sync_error::SyncError;
use serde_json::value::RawValue;
use utoipa::ToSchema;
use uuid::Uuid;

use super::naming::{ContactKey, Naming, advice};
use crate::app::App;
use crate::error::ApiError;
use crate::faults::Faults;
use crate::fields::{Fields, text_of};
use crate::members::Members;
use crate::query::Query;

/// The contact to be brought into step.
#[derive(ToSchema)]
#[schema(rename_all = "camelCase")]
#[expect(dead_code, reason = "the shape for the document: bodies are read member by member, see `fields`")]
pub(crate) struct ContactToSync {
    /// The customer's UUID, or the number of one of its contacts.
    #[schema(value_type = ContactKey)]
    contact_id: (),
}

/// The contacts to be brought into step: a list of them, or all that need it.
#[derive(ToSchema)]
#[schema(rename_all = "camelCase")]
#[expect(dead_code, reason = "the shape for the document: bodies are read member by member, see `fields`")]
pub(crate) struct ContactsToSync {
    /// Customers' UUIDs and numbers of contacts. One that stands twice is worked on once.
    #[schema(value_type = Vec<ContactKey>, min_items = 1, max_items = 10_000,
        example = json!(["0198f3a1-7c1e-7bd0-a9a4-0f5b6f3b6c11", 7]))]
    contact_ids: (),
    /// Every customer that changed since it was last synced, or has no record there, in place of a list. One whose record was
    /// deleted there is left to a decision, see `GET /sync/conflicts`.
    #[schema(value_type = Option<bool>)]
    all: (),
}

const CONTACT: &str = "Send the customer's UUID, or the number of one of its contacts.";

/// The most faults of a list that are told; who has more of them has one mistake.
const MOST_FAULTS: usize = 100;

/// Who is meant by a contact of the CRM.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub(super) enum Subject {
    Customer(CustomerId),
    /// Stands for its customer.
    Contact(ContactId),
}

impl Subject {
    pub(super) fn parse(text: &str) -> Option<Self> {
        if let Ok(id) = Uuid::try_parse(text.trim()) {
            return Some(Self::Customer(CustomerId(id)));
        }
        text.trim().parse().ok().filter(|id| *id > 0).map(|id| Self::Contact(ContactId(id)))
    }

    pub(super) async fn customer(self, app: &App) -> Result<CustomerId, SyncError> {
        match self {
            Self::Customer(id) => Ok(id),
            Self::Contact(id) => {
                let contact = app.env.store.contacts().get(id).await?;
                contact.map(|contact| contact.customer).ok_or(SyncError::NoSuchCustomer)
            }
        }
    }

    fn text(self) -> String {
        match self {
            Self::Customer(id) => id.0.hyphenated().to_string(),
            Self::Contact(id) => id.0.to_string(),
        }
    }
}

/// The ids of a bulk call.
#[derive(Default)]
pub(super) struct List {
    /// As a run has them.
    pub(super) subjects: Vec<String>,
    /// As the caller wrote them, in the same order.
    pub(super) written: Vec<Box<RawValue>>,
}

/// Which contacts are to be brought into step.
pub(super) enum Contacts {
    All,
    These(List),
}

/// Which records are to be taken in.
pub(super) enum Partners {
    All,
    These(List),
}

pub(super) fn contact(members: Members) -> Result<Subject, ApiError> {
    let mut fields = Fields::of(members);
    let text = fields.text_or_number("contactId");
    let subject = text.as_deref().and_then(Subject::parse);
    one(fields, "contactId", subject, CONTACT)
}

pub(super) fn contacts(members: Members) -> Result<Contacts, ApiError> {
    let mut fields = Fields::of(members);
    let (given, says_all) = (fields.is_given("contactIds"), fields.is_given("all"));
    if fields.flag("all").flatten() == Some(false) || (given && says_all) {
        fields.faults.add("contactIds", "Send a list of ids, or all: true in its place.");
    }
    if says_all {
        fields.list("contactIds");
        fields.finish()?;
        return Ok(Contacts::All);
    }
    let elements = fields.list("contactIds");
    let parse = |text: &str| Subject::parse(text).map(Subject::text);
    let list = read(&mut fields.faults, "contactIds", elements.filter(|_| given), parse, CONTACT);
    fields.finish()?;
    Ok(Contacts::These(list))
}

pub(super) fn partner<N: Naming>(members: Members) -> Result<PartnerId, ApiError> {
    let mut fields = Fields::of(members);
    let text = fields.text_or_number(N::ID);
    let id = text.and_then(|text| PartnerId::parse(&text).ok());
    one(fields, N::ID, id, &advice::<N>())
}

pub(super) fn partners<N: Naming>(members: Members) -> Result<Partners, ApiError> {
    let mut fields = Fields::of(members);
    let (lists, says_all) = (fields.is_given(N::IDS), fields.is_given("importAll"));
    let all = fields.flag("importAll").flatten();
    let elements = fields.list(N::IDS);
    if lists == says_all || (says_all && all == Some(false)) {
        fields.faults.add(N::IDS, "Send a list of ids, or importAll: true in its place.");
    }
    if says_all {
        fields.finish()?;
        return Ok(Partners::All);
    }
    let parse = |text: &str| PartnerId::parse(text).map(|id| id.as_str().to_owned()).ok();
    let list = match lists {
        true => read(&mut fields.faults, N::IDS, elements, parse, &advice::<N>()),
        false => List::default(),
    };
    fields.finish()?;
    Ok(Partners::These(list))
}

/// Whether the caller only wants to see what would be done.
pub(super) fn is_dry_run(request: &HttpRequest) -> Result<bool, ApiError> {
    let mut query = Query::of(request);
    let dry_run = query.flag("dryRun").unwrap_or_default();
    query.finish()?;
    Ok(dry_run)
}

fn one<T>(mut fields: Fields, name: &'static str, value: Option<T>, advice: &str) -> Result<T, ApiError> {
    if value.is_none() && !fields.faults.has(name) {
        fields.faults.add(name, advice);
    }
    fields.finish()?;
    value.ok_or(ApiError::NotAnObject)
}

fn read(
    faults: &mut Faults,
    name: &'static str,
    elements: Option<Vec<Box<RawValue>>>,
    parse: impl Fn(&str) -> Option<String>,
    advice: &str,
) -> List {
    let elements = elements.unwrap_or_default();
    if !(1..=Runner::MOST_ITEMS).contains(&elements.len()) {
        if !faults.has(name) {
            faults.add(name, format!("Send a list of 1 to {} ids.", Runner::MOST_ITEMS));
        }
        return List::default();
    }
    let (mut list, mut known, mut faulty) = (List::default(), HashSet::new(), 0);
    for (index, element) in elements.into_iter().enumerate() {
        let text = text_of(&element, true).and_then(|text| text.ok_or("Send an id."));
        match text.and_then(|text| parse(&text).ok_or(advice)) {
            Ok(subject) => {
                if known.insert(subject.clone()) {
                    list.subjects.push(subject);
                    list.written.push(element);
                }
            }
            Err(fault) if faulty < MOST_FAULTS => {
                faulty += 1;
                faults.add(format!("{name}[{index}]"), fault);
            }
            Err(_) => {}
        }
    }
    list
}
