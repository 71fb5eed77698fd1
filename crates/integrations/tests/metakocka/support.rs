//! A connector that is connected to a double, and people to write about.

use std::sync::Arc;

use onefold_domain::country::CountryCode;
use onefold_domain::email::EmailAddress;
use onefold_domain::id::CustomerId;
use onefold_domain::phone::PhoneNumber;
use onefold_integrations::metakocka::{BaseUrl, Config, Credential, MetaKocka};
use onefold_integrations::testing::{DoubleAddress, DoubleContact, DoublePartner, MetaKockaDouble};
use onefold_service::testing::ManualClock;
use onefold_sync::partner::{
    PartnerDirectory, PartnerError, PartnerFields, PartnerId, PartnerKind, PartnerWritten,
};
use uuid::Uuid;

pub(crate) struct Bench {
    pub(crate) double: MetaKockaDouble,
    pub(crate) clock: Arc<ManualClock>,
    pub(crate) mk: MetaKocka,
}

pub(crate) fn config(base_url: &str) -> Config {
    Config {
        secret_key: Credential::new(MetaKockaDouble::SECRET_KEY),
        company_id: Credential::new(MetaKockaDouble::COMPANY_ID),
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
        let double = MetaKockaDouble::start().await;
        let clock = Arc::new(ManualClock::default());
        let mut config = config(&double.base_url());
        change(&mut config);
        let mk = MetaKocka::new(&config, clock.clone(), None).unwrap();
        Self { double, clock, mk }
    }

    pub(crate) async fn add(&self, fields: &PartnerFields) -> Result<PartnerWritten, PartnerError> {
        self.mk.add(fields, CustomerId(Uuid::nil())).await
    }
}

pub(crate) fn id(text: &str) -> PartnerId {
    PartnerId::parse(text).unwrap()
}

/// What our side knows of Ann.
pub(crate) fn ann() -> PartnerFields {
    PartnerFields {
        name: Some("Ann Lee".to_owned()),
        kind: Some(PartnerKind::Person),
        email: EmailAddress::parse("ann@example.com").ok(),
        phone: PhoneNumber::parse("+38640000123", None).ok(),
        street: Some("Lipova pot 7".to_owned()),
        city: Some("Ljubljana".to_owned()),
        postal_code: Some("1000".to_owned()),
        country: CountryCode::parse("SI").ok(),
        ..PartnerFields::default()
    }
}

/// Somebody as a person in the web application would type them in.
pub(crate) fn person(name: &str, email: &str) -> DoublePartner {
    DoublePartner {
        customer: name.to_owned(),
        business_entity: Some(false),
        foreign_county: Some(false),
        addresses: vec![DoubleAddress {
            address_type: "Račun".to_owned(),
            street: "Cvetlična pot 12".to_owned(),
            post_number: "1000".to_owned(),
            city: "Ljubljana".to_owned(),
            country: "Slovenija".to_owned(),
            ..DoubleAddress::default()
        }],
        contacts: vec![DoubleContact { email: email.to_owned(), ..DoubleContact::default() }],
        ..DoublePartner::default()
    }
}
