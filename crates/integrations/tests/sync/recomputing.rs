//! Customers that are merged and split: their mappings go where the contacts go.

use onefold_domain::contact::{Received, Statement};
use onefold_domain::email::EmailAddress;
use onefold_domain::id::CustomerId;
use onefold_domain::phone::PhoneNumber;
use onefold_domain::source::ContactSource;
use onefold_integrations::testing::DoubleChange;
use onefold_service::contacts::{ContactRequest, Expectation};
use onefold_sync::conflict::ConflictSubject;
use onefold_sync::mapping::{DetachReason, MappingStatus};
use onefold_sync::run::RunKind;

use crate::scene::Scene;

on_every_store!(
    a_mapping_follows_its_customer_into_a_merge,
    of_two_mappings_one_stays_in_use_and_a_split_brings_the_other_back,
);

/// Joins a customer of this email and one of this phone; the contact that does can be withdrawn.
async fn join(scene: &Scene, email: &str, phone: &str) -> onefold_domain::contact::ContactRecord {
    let statement = Statement::new(EmailAddress::parse(email).ok(), PhoneNumber::parse(phone, None).ok());
    let request = ContactRequest::new(statement.unwrap(), Received::default(), ContactSource::Order);
    scene.contacts.create_contact(&request).await.unwrap()
}

async fn a_mapping_follows_its_customer_into_a_merge(scene: Scene) {
    let older = scene.contact("Ann Lee", "ann@example.com", "").await.customer;
    let younger = scene.contact("Ann Lee", "", "+38640000123").await.customer;
    let id = scene.sync(younger).await.mapping.external.unwrap();
    join(&scene, "ann@example.com", "+38640000123").await;
    scene.worker.work_once().await.unwrap();
    assert_eq!(scene.view(younger).await.id, older);
    let mapping = scene.mapping(older).await;
    assert_eq!((mapping.external.as_ref(), mapping.status), (Some(&id), MappingStatus::Synced));
    assert_eq!(scene.there(&id).contacts[0].email, "ann@example.com", "what the partner lacked was written");
    scene.assert_quiet(RunKind::CompareFull).await;
    scene.edit_there(&id, &DoubleChange { city: Some("Bled".to_owned()), ..DoubleChange::default() });
    scene.run(RunKind::Compare, &[]).await;
    let profile = scene.view(older).await.profile;
    assert_eq!(profile.address().unwrap().city.as_deref(), Some("Bled"));
}

async fn of_two_mappings_one_stays_in_use_and_a_split_brings_the_other_back(scene: Scene) {
    let one = scene.contact("Ann Lee", "ann@example.com", "").await.customer;
    let other = scene.contact("Ann Lee", "", "+38640000123").await.customer;
    let ids = [scene.sync(one).await, scene.sync(other).await].map(|synced| synced.mapping.external.unwrap());
    let joining = join(&scene, "ann@example.com", "+38640000123").await;
    scene.worker.work_once().await.unwrap();
    let merged: CustomerId = scene.view(one).await.id;
    assert_eq!(scene.view(other).await.id, merged);
    assert_eq!(scene.mapping(merged).await.external.as_ref(), Some(&ids[0]));
    let aside = scene.sync.mapping_of_partner(&ids[1]).await.unwrap().unwrap();
    assert_eq!((aside.status, aside.detached), (MappingStatus::Detached, Some(DetachReason::Merged)));
    let open = scene.open_conflicts().await;
    assert_eq!(open[0].subject, ConflictSubject::SameCustomer);
    // What is out of use is left alone.
    scene.edit_there(&ids[1], &DoubleChange { city: Some("Bled".to_owned()), ..DoubleChange::default() });
    scene.run(RunKind::Compare, &[]).await;
    assert_eq!(scene.view(merged).await.profile.address().unwrap().city.as_deref(), Some("Ljubljana"));

    scene.contacts.withdraw_contact(joining.id, &Expectation::Anything).await.unwrap();
    scene.worker.work_once().await.unwrap();
    let again = scene.view(other).await.id;
    assert_ne!(again, scene.view(one).await.id);
    assert_eq!(scene.mapping(one).await.external.as_ref(), Some(&ids[0]));
    assert_eq!(scene.mapping(again).await.external.as_ref(), Some(&ids[1]));
    scene.run(RunKind::Compare, &[]).await;
    assert_eq!(scene.view(again).await.profile.address().unwrap().city.as_deref(), Some("Bled"));
    assert_eq!(scene.view(one).await.profile.address().unwrap().city.as_deref(), Some("Ljubljana"));
    assert_eq!(scene.double.partner_count(), 2);
}
