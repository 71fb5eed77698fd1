//! What is there already: adopted instead of created twice, or told to be somebody else's.

use onefold_integrations::testing::{DoubleCall, Trouble};
use onefold_sync::conflict::ConflictSubject;
use onefold_sync::log::SyncOutcome;
use onefold_sync::mapping::MappingStatus;
use onefold_sync::partner::PartnerError;
use onefold_sync::resolver::Answer;
use onefold_sync::run::RunKind;
use onefold_sync::sync_error::SyncError;
use onefold_sync::synchroniser::SyncContext;
use serde_json::json;

use crate::scene::{Scene, person};

on_every_store!(
    a_partner_of_the_same_email_is_adopted_and_differences_are_asked_about,
    a_lost_answer_leads_to_adoption_and_not_to_a_second_partner,
    a_lost_answer_is_found_again_though_the_email_changed_meanwhile,
    another_tax_number_is_another_customer,
    a_partner_of_another_customer_is_offered_as_a_merge,
    customers_that_are_said_to_be_separate_get_a_partner_each,
    two_customers_of_one_number_at_once_get_one_partner,
    a_record_is_taken_in_and_finds_its_customer,
    a_record_without_email_and_phone_says_so,
    two_records_of_one_customer_leave_the_second_aside,
);

async fn a_partner_of_the_same_email_is_adopted_and_differences_are_asked_about(scene: Scene) {
    let there = scene.double.insert(person("Ann Lee", "ann@example.com"));
    let customer = scene.customer("Ann Lee", "ann@example.com").await;
    let asked = scene.sync.sync_customer(customer, SyncContext::default()).await;
    assert!(matches!(asked, Err(SyncError::OpenConflict { .. })), "{asked:?}");
    let mapping = scene.mapping(customer).await;
    assert_eq!(mapping.external.unwrap().as_str(), there.mk_id);
    assert_eq!((mapping.status, scene.double.writes()), (MappingStatus::Conflict, 0));
    let open = scene.open_conflicts().await;
    let [street] = &open[..] else { panic!("{open:?}") };
    assert_eq!(street.subject.as_str(), "street");
    assert_eq!(street.local.as_ref().unwrap().as_str(), "Lipova pot 7");
    assert_eq!(street.remote.as_ref().unwrap().as_str(), "Cvetlična pot 12");
}

async fn a_lost_answer_leads_to_adoption_and_not_to_a_second_partner(scene: Scene) {
    let customer = scene.customer("Ann Lee", "ann@example.com").await;
    scene.double.next(DoubleCall::AddPartner, Trouble::LoseAnswer);
    let lost = scene.sync.sync_customer(customer, SyncContext::default()).await;
    assert!(matches!(lost, Err(SyncError::Partner(PartnerError::Uncertain(_)))), "{lost:?}");
    assert_eq!(scene.double.partner_count(), 1);
    assert!(scene.mapping(customer).await.external.is_none());
    // The failure promised another attempt.
    scene.pass(std::time::Duration::from_secs(60));
    assert_eq!(scene.worker.work_once().await.unwrap(), 1);
    assert_eq!((scene.double.partner_count(), scene.double.writes()), (1, 1));
    assert_eq!(scene.mapping(customer).await.status, MappingStatus::Synced);
    scene.assert_quiet(RunKind::CompareFull).await;
}

async fn a_lost_answer_is_found_again_though_the_email_changed_meanwhile(scene: Scene) {
    let record = scene.contact("Ann Lee", "ann@example.com", "+38640000123").await;
    scene.double.next(DoubleCall::AddPartner, Trouble::LoseAnswer);
    scene.sync.sync_customer(record.customer, SyncContext::default()).await.unwrap_err();
    let value = onefold_service::contacts::NewValue::Instead {
        statement: onefold_domain::contact::Statement::new(
            onefold_domain::email::EmailAddress::parse("new@example.com").ok(),
            onefold_domain::phone::PhoneNumber::parse("+38640000999", None).ok(),
        )
        .unwrap(),
        received: onefold_domain::contact::Received::default(),
    };
    let change = onefold_service::contacts::ContactChange { value: Some(value), ..Default::default() };
    let anything = onefold_service::contacts::Expectation::Anything;
    let moved = scene.contacts.change_contact(record.id, &change, &anything).await.unwrap();
    let synced = scene.sync(moved.customer).await;
    assert_eq!(synced.outcome, SyncOutcome::Adopted);
    assert_eq!(scene.double.partner_count(), 1);
    assert_eq!(scene.double.partners()[0].contacts[0].email, "new@example.com");
}

async fn another_tax_number_is_another_customer(scene: Scene) {
    let mut there = person("Lee d.o.o.", "office@example.com");
    there.tax_id_number = "SI11111111".to_owned();
    scene.double.insert(there);
    let customer = scene.customer("Ann Lee", "office@example.com").await;
    scene.edit(customer, json!({"taxNumber": "SI22222222"})).await;
    assert_eq!(scene.sync(customer).await.outcome, SyncOutcome::Created);
    assert_eq!(scene.double.partner_count(), 2);
}

async fn a_partner_of_another_customer_is_offered_as_a_merge(scene: Scene) {
    let (one, other) = same_number(&scene).await;
    let open = scene.open_conflicts().await;
    let [offer] = &open[..] else { panic!("{open:?}") };
    assert_eq!((offer.subject, offer.customer), (ConflictSubject::SamePartner, other));
    assert_eq!(offer.local.as_ref().unwrap().as_str(), one.0.to_string());
    scene.resolver.resolve(offer.id, &Answer::Merge).await.unwrap();
    scene.worker.work_once().await.unwrap();
    assert_eq!(scene.view(other).await.id, scene.view(one).await.id);
    assert_eq!(scene.double.partner_count(), 1);
    assert!(scene.open_conflicts().await.is_empty());
    scene.assert_quiet(RunKind::CompareFull).await;
}

async fn customers_that_are_said_to_be_separate_get_a_partner_each(scene: Scene) {
    let (one, other) = same_number(&scene).await;
    let offer = scene.open_conflicts().await.remove(0);
    scene.resolver.resolve(offer.id, &Answer::Separate).await.unwrap();
    scene.worker.work_once().await.unwrap();
    assert_eq!(scene.double.partner_count(), 2);
    assert_ne!(scene.mapping(one).await.external, scene.mapping(other).await.external);
    scene.assert_quiet(RunKind::CompareFull).await;
}

async fn two_customers_of_one_number_at_once_get_one_partner(scene: Scene) {
    let mut customers = Vec::new();
    for number in 0..4 {
        let customer = scene.customer("Ann Lee", &format!("ann{number}@example.com")).await;
        scene.edit(customer, json!({"taxNumber": "SI12345678"})).await;
        customers.push(customer.0.to_string());
    }
    let subjects: Vec<_> = customers.iter().map(String::as_str).collect();
    let run = scene.run(RunKind::Sync, &subjects).await;
    assert_eq!(
        (scene.double.partner_count(), run.counts.created, run.counts.conflicts),
        (1, 1, 3),
        "{run:?}"
    );
}

/// Two customers of one tax number, the first of whom has a partner.
async fn same_number(scene: &Scene) -> (onefold_domain::id::CustomerId, onefold_domain::id::CustomerId) {
    let one = scene.customer("Ann Lee", "ann@example.com").await;
    let other = scene.contact("Ann Lee", "", "+38640000123").await.customer;
    for customer in [one, other] {
        scene.edit(customer, json!({"taxNumber": "SI12345678"})).await;
    }
    scene.sync(one).await;
    let asked = scene.sync.sync_customer(other, SyncContext::default()).await;
    assert!(matches!(asked, Err(SyncError::OpenConflict { .. })), "{asked:?}");
    assert_eq!(scene.mapping(other).await.status, MappingStatus::Conflict);
    (one, other)
}

async fn a_record_is_taken_in_and_finds_its_customer(scene: Scene) {
    let ann = scene.double.insert(person("Ann Lee", "ann@example.com"));
    let ben = scene.double.insert(person("Ben Lee", "ben@example.com"));
    let customer = scene.customer("Ben Lee", "ben@example.com").await;
    scene.edit(customer, json!({"address": {"street": "Cvetlična pot 12"}})).await;
    let run = scene.run(RunKind::Import, &[&ann.mk_id, &ben.mk_id, "999"]).await;
    assert_eq!((run.counts.total, run.counts.succeeded, run.counts.failed), (3, 2, 1));
    assert_eq!(scene.mapping(customer).await.external.unwrap().as_str(), ben.mk_id);
    let items = scene.runs.runs.items(run.id, 0, 10).await.unwrap();
    let taken = items[0].outcome.clone().unwrap();
    assert_eq!((taken.action.as_str(), items[0].subject.as_str()), ("imported", ann.mk_id.as_str()));
    let view = scene.view(taken.customer.unwrap()).await;
    assert_eq!(view.profile.text(onefold_domain::profile::ProfileField::Name), Some("Ann Lee"));
    assert_eq!(items[2].outcome.as_ref().unwrap().error.as_ref().unwrap().code, "partner_not_found");
    scene.assert_quiet(RunKind::CompareFull).await;
    // Once more is no second customer.
    let again = scene.run(RunKind::ImportAll, &[]).await;
    assert_eq!((again.counts.total, again.counts.unchanged), (2, 2));
}

async fn a_record_without_email_and_phone_says_so(scene: Scene) {
    let nobody = scene.double.insert(person("Nobody", ""));
    let id = onefold_sync::partner::PartnerId::parse(&nobody.mk_id).unwrap();
    let refused = scene.sync.import_partner(&id, SyncContext::default()).await;
    assert!(matches!(refused, Err(SyncError::NoContactPoint)), "{refused:?}");
    assert!(scene.sync.mapping_of_partner(&id).await.unwrap().is_none());
}

async fn two_records_of_one_customer_leave_the_second_aside(scene: Scene) {
    let first = scene.double.insert(person("Ann Lee", "ann@example.com"));
    let second = scene.double.insert(person("Ann Lee", "ann@example.com"));
    let run = scene.run(RunKind::Import, &[&first.mk_id, &second.mk_id]).await;
    assert_eq!(run.counts.succeeded, 2);
    let open = scene.open_conflicts().await;
    let [twice] = &open[..] else { panic!("{open:?}") };
    assert_eq!(twice.subject, ConflictSubject::SameCustomer);
    let ids = [&twice.local, &twice.remote].map(|id| id.as_ref().unwrap().as_str().to_owned());
    let mut expected = [first.mk_id.clone(), second.mk_id.clone()];
    if ids[0] != expected[0] {
        expected.reverse();
    }
    assert_eq!(ids, expected);
    scene.resolver.resolve(twice.id, &Answer::Remote).await.unwrap();
    scene.worker.work_once().await.unwrap();
    let mapping = scene.mapping(twice.customer).await;
    assert_eq!(mapping.external.unwrap().as_str(), ids[1]);
    assert!(scene.open_conflicts().await.is_empty());
}
