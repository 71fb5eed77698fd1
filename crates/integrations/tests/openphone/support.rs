//! A connector that is connected to a double, and people to write about.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use onefold_domain::email::EmailAddress;
use onefold_domain::phone::PhoneNumber;
use onefold_integrations::openphone::{BaseUrl, Config, ContactIndex, Credential, ExternalId, OpenPhone};
use onefold_integrations::testing::openphone::OpenPhoneDouble;
use onefold_service::testing::ManualClock;
use onefold_sync::partner::{
    PartnerChange, PartnerError, PartnerFields, PartnerId, PartnerLookup, RemotePartner,
};
use serde_json::{Value, json};

pub(crate) struct Bench {
    pub(crate) double: OpenPhoneDouble,
    pub(crate) clock: Arc<ManualClock>,
    pub(crate) index: Arc<Remembered>,
    pub(crate) phone: OpenPhone,
}

pub(crate) fn config(base_url: &str) -> Config {
    Config {
        api_key: Credential::new(OpenPhoneDouble::API_KEY),
        base_url: BaseUrl::parse(base_url).unwrap(),
        // The clock stands still, so a pace would be felt.
        calls_per_second: 1_000_000,
        ..Config::default()
    }
}

impl Bench {
    pub(crate) async fn new() -> Self {
        Self::with(|_| {}).await
    }

    pub(crate) async fn with(change: impl FnOnce(&mut Config)) -> Self {
        let double = OpenPhoneDouble::start().await;
        let clock = Arc::new(ManualClock::default());
        let index = Arc::new(Remembered::default());
        let mut config = config(&double.base_url());
        change(&mut config);
        let phone = OpenPhone::new(&config, clock.clone(), Some(index.clone()), None).unwrap();
        Self { double, clock, index, phone }
    }
}

/// An index in memory that never forgets a value, so what it names has to be checked.
#[derive(Default)]
pub(crate) struct Remembered {
    known: Mutex<BTreeMap<PartnerId, Vec<String>>>,
    pub(crate) whole: AtomicBool,
}

impl Remembered {
    pub(crate) fn len(&self) -> usize {
        self.known.lock().unwrap().len()
    }
}

#[async_trait]
impl ContactIndex for Remembered {
    async fn find(&self, lookup: &PartnerLookup) -> Result<Vec<PartnerId>, PartnerError> {
        let value = match lookup {
            PartnerLookup::Email(email) => email.as_str().to_owned(),
            PartnerLookup::Phone(phone) => phone.match_key().into_owned(),
            PartnerLookup::TaxNumber(_) | PartnerLookup::Name(_) => return Ok(Vec::new()),
        };
        let known = self.known.lock().unwrap();
        Ok(known.iter().filter(|(_, values)| values.contains(&value)).map(|(id, _)| id.clone()).collect())
    }

    async fn seen(&self, contacts: &[RemotePartner]) {
        let mut known = self.known.lock().unwrap();
        for contact in contacts {
            let emails = contact.emails.iter().map(|email| email.as_str().to_owned());
            let phones = contact.phones.iter().map(|phone| phone.match_key().into_owned());
            known.entry(contact.id.clone()).or_default().extend(emails.chain(phones));
        }
    }

    async fn is_whole(&self) -> Result<bool, PartnerError> {
        Ok(self.whole.load(Ordering::SeqCst))
    }

    async fn scanned(&self) {
        self.whole.store(true, Ordering::SeqCst);
    }

    async fn gone(&self, id: &PartnerId) {
        self.known.lock().unwrap().remove(id);
    }
}

pub(crate) fn id(contact: &Value) -> PartnerId {
    PartnerId::parse(contact["id"].as_str().unwrap()).unwrap()
}

pub(crate) fn external(text: &str) -> ExternalId {
    ExternalId::parse(text).unwrap()
}

/// What our side knows of Ann.
pub(crate) fn ann() -> PartnerFields {
    PartnerFields {
        name: Some("Ann Lee".to_owned()),
        company_name: Some("Lee d.o.o.".to_owned()),
        email: EmailAddress::parse("ann@example.com").ok(),
        phone: PhoneNumber::parse("+38640000123", None).ok(),
        ..PartnerFields::default()
    }
}

pub(crate) fn change(fields: PartnerFields) -> PartnerChange {
    fields.into()
}

/// Somebody as a person in the application would type them in.
pub(crate) fn person(first: &str, email: &str) -> Value {
    json!({"defaultFields": {
        "firstName": first, "lastName": "Novak",
        "emails": [{"name": "office", "value": email}],
        "phoneNumbers": [{"name": "mobile", "value": "+38631000777"}],
    }})
}
