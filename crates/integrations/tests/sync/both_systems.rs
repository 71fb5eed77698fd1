//! A person who is in OpenPhone and in MetaKocka at once: an edit in one reaches the other through here, and does not
//! come back.

use onefold_domain::id::CustomerId;
use onefold_integrations::testing::DoubleChange;
use onefold_sync::partner::PartnerId;
use onefold_sync::run::RunKind;
use onefold_sync::runner::Runner;
use onefold_sync::synchroniser::SyncContext;
use serde_json::json;

use crate::company::Company;

on_every_store!(crate::company::Company:
    an_edit_in_one_reaches_the_other_and_does_not_come_back,
    edits_in_both_at_once_come_to_rest,
);

impl Company {
    /// Somebody who registered, and is billed.
    async fn in_both(&self) -> (CustomerId, PartnerId, PartnerId) {
        let customer = self.register("Ann", "ann@example.com").await.customer;
        let address = json!({"street": "Lipova pot 7", "city": "Ljubljana", "postalCode": "1000"});
        self.edit(customer, json!({"address": address, "country": "SI"})).await;
        let booked = self.book.sync_customer(customer, SyncContext::default()).await.unwrap();
        self.work().await;
        let phone = self.mapping(customer).await.unwrap().external.unwrap();
        (customer, phone, booked.mapping.external.unwrap())
    }

    async fn compare_books(&self) {
        let runs = Runner::new(self.book.clone());
        let run = runs.request(RunKind::Compare, &[], false).await.unwrap();
        self.worker.execute(run.id).await.unwrap();
    }
}

async fn an_edit_in_one_reaches_the_other_and_does_not_come_back(company: Company) {
    let (customer, phone, booked) = company.in_both().await;
    let writes = || (company.phones.writes(), company.books.writes());
    let (phones, books) = writes();

    company.edit_there(&phone, |contact| contact["defaultFields"]["lastName"] = "Zupan".into());
    company.compare().await;
    company.work().await;
    let partner = company.books.partner(booked.as_str()).unwrap();
    assert!(format!("{partner:?}").contains("Ann Zupan"), "{partner:?}");
    company.compare_books().await;
    company.assert_quiet().await;
    assert_eq!(writes(), (phones, books + 1), "one write, to the other");

    let change = DoubleChange { contact_name: Some("Ann Horvat".to_owned()), ..DoubleChange::default() };
    company.books.change(booked.as_str(), &change).unwrap();
    company.compare_books().await;
    company.work().await;
    assert_eq!(company.contact(customer).await["defaultFields"]["lastName"], "Horvat");
    company.compare_books().await;
    company.assert_quiet().await;
    assert_eq!(writes(), (phones + 1, books + 1));

    // And an edit here reaches both.
    company.edit(customer, json!({"firstName": "Anna"})).await;
    company.work().await;
    company.assert_quiet().await;
    assert_eq!(writes(), (phones + 2, books + 2));
}

async fn edits_in_both_at_once_come_to_rest(company: Company) {
    let (customer, phone, booked) = company.in_both().await;
    company.edit_there(&phone, |contact| contact["defaultFields"]["lastName"] = "Zupan".into());
    let change = DoubleChange { contact_name: Some("Ann Horvat".to_owned()), ..DoubleChange::default() };
    company.books.change(booked.as_str(), &change).unwrap();
    company.compare().await;
    company.compare_books().await;
    for _ in 0..3 {
        company.work().await;
    }
    // Both were changed since they last agreed, so a person is asked; until then each keeps its own.
    let name = company.view(customer).await.full_name().unwrap();
    assert!(["Ann Zupan", "Ann Horvat"].contains(&name.as_str()), "{name}");
    let before = (company.phones.writes(), company.books.writes());
    company.compare().await;
    company.compare_books().await;
    company.work().await;
    assert_eq!((company.phones.writes(), company.books.writes()), before, "nothing goes round and round");
}
