//! One customer and its partner: created there, changed on either side, and left in peace when nothing changed.

use onefold_domain::profile::ProfileField;
use onefold_integrations::testing::DoubleChange;
use onefold_sync::log::SyncOutcome;
use onefold_sync::mapping::MappingStatus;
use onefold_sync::partner::{PartnerError, PartnerFaultReason, PartnerField};
use onefold_sync::run::RunKind;
use onefold_sync::sync_error::SyncError;
use onefold_sync::synchroniser::SyncContext;
use serde_json::json;

use crate::scene::Scene;

on_every_store!(
    a_customer_is_created_there_once,
    a_change_here_is_written_there_by_its_job,
    a_change_there_is_written_here,
    a_change_there_shows_here_though_a_person_had_typed_the_field,
    an_email_that_is_added_there_comes_beside_the_old_one,
    changes_of_different_fields_meet,
    what_is_emptied_there_is_emptied_here_but_no_email,
    what_cannot_be_sent_is_told_before_anything_is,
    a_customer_that_is_written_here_is_no_news_for_the_same_system,
);

async fn a_customer_is_created_there_once(scene: Scene) {
    let customer = scene.customer("Ann Lee", "ann@example.com").await;
    let synced = scene.sync(customer).await;
    assert_eq!(synced.outcome, SyncOutcome::Created);
    let mapping = scene.mapping(customer).await;
    assert_eq!((mapping.status, mapping.customer), (MappingStatus::Synced, customer));
    assert_eq!(mapping.created_by, "program");
    let there = scene.there(mapping.external.as_ref().unwrap());
    assert_eq!((there.customer.as_str(), there.addresses[0].city.as_str()), ("Ann Lee", "Ljubljana"));

    let again = scene.sync(customer).await;
    assert_eq!((again.outcome, scene.double.writes()), (SyncOutcome::Unchanged, 1));
    scene.assert_quiet(RunKind::Compare).await;
    scene.assert_quiet(RunKind::CompareFull).await;
}

async fn a_change_here_is_written_there_by_its_job(scene: Scene) {
    let customer = scene.customer("Ann Lee", "ann@example.com").await;
    assert_eq!(scene.worker.work_once().await.unwrap(), 0, "a customer without a record promises nothing");
    let id = scene.sync(customer).await.mapping.external.unwrap();
    scene.edit(customer, json!({"address": {"city": "Kranj", "postalCode": "4000"}})).await;
    assert_eq!(scene.worker.work_once().await.unwrap(), 1);
    let address = &scene.there(&id).addresses;
    assert_eq!(address.len(), 1, "no row was added");
    assert_eq!((address[0].city.as_str(), address[0].street.as_str()), ("Kranj", "Lipova pot 7"));
    scene.assert_quiet(RunKind::CompareFull).await;
}

async fn a_change_there_is_written_here(scene: Scene) {
    let customer = scene.customer("Ann Lee", "ann@example.com").await;
    let id = scene.sync(customer).await.mapping.external.unwrap();
    let change = DoubleChange {
        city: Some("Bled".to_owned()),
        name: Some("Ann Lee Novak".to_owned()),
        ..DoubleChange::default()
    };
    scene.edit_there(&id, &change);
    let run = scene.run(RunKind::Compare, &[]).await;
    assert_eq!((run.counts.pulled, run.counts.pushed, scene.double.writes()), (1, 0, 1));
    let profile = scene.view(customer).await.profile;
    assert_eq!(profile.text(ProfileField::Name), Some("Ann Lee Novak"));
    let address = profile.address().unwrap();
    assert_eq!((address.city.as_deref(), address.street.as_deref()), (Some("Bled"), Some("Lipova pot 7")));
    scene.assert_quiet(RunKind::CompareFull).await;
}

async fn a_change_there_shows_here_though_a_person_had_typed_the_field(scene: Scene) {
    let customer = scene.customer("Ann Lee", "ann@example.com").await;
    scene.edit(customer, json!({"address": {"city": "Kranj"}, "notes": "likes tea"})).await;
    let id = scene.sync(customer).await.mapping.external.unwrap();
    scene.edit_there(&id, &DoubleChange { city: Some("Bled".to_owned()), ..DoubleChange::default() });
    scene.run(RunKind::Compare, &[]).await;
    let profile = scene.view(customer).await.profile;
    assert_eq!(profile.address().unwrap().city.as_deref(), Some("Bled"));
    assert_eq!(profile.text(ProfileField::Notes), Some("likes tea"));
    scene.assert_quiet(RunKind::CompareFull).await;
}

async fn an_email_that_is_added_there_comes_beside_the_old_one(scene: Scene) {
    let customer = scene.contact("Ann Lee", "ann@example.com", "+38640000123").await.customer;
    let id = scene.sync(customer).await.mapping.external.unwrap();
    scene.edit_there(
        &id,
        &DoubleChange { email: Some("lee@example.com".to_owned()), ..DoubleChange::default() },
    );
    scene.run(RunKind::Compare, &[]).await;
    let view = scene.view(customer).await;
    let points: Vec<_> = view.points.iter().map(|point| point.value.as_str()).collect();
    assert_eq!(points, ["ann@example.com", "+38640000123", "lee@example.com"]);
    assert_eq!(view.id, customer);
    scene.assert_quiet(RunKind::CompareFull).await;
}

async fn changes_of_different_fields_meet(scene: Scene) {
    let customer = scene.customer("Ann Lee", "ann@example.com").await;
    let id = scene.sync(customer).await.mapping.external.unwrap();
    scene.edit(customer, json!({"address": {"street": "Nova ulica 1"}})).await;
    scene.edit_there(&id, &DoubleChange { city: Some("Bled".to_owned()), ..DoubleChange::default() });
    let synced = scene.sync(customer).await;
    assert_eq!((synced.pushed, synced.pulled), (vec![PartnerField::Street], vec![PartnerField::City]));
    let there = &scene.there(&id).addresses[0];
    let profile = scene.view(customer).await.profile;
    let here = profile.address().unwrap();
    assert_eq!((there.street.as_str(), there.city.as_str()), ("Nova ulica 1", "Bled"));
    assert_eq!((here.street.as_deref(), here.city.as_deref()), (Some("Nova ulica 1"), Some("Bled")));
}

async fn what_is_emptied_there_is_emptied_here_but_no_email(scene: Scene) {
    let customer = scene.contact("Ann Lee", "ann@example.com", "+38640000123").await.customer;
    scene.edit(customer, json!({"taxNumber": "SI12345678"})).await;
    let id = scene.sync(customer).await.mapping.external.unwrap();
    let empty = || Some(String::new());
    scene.edit_there(&id, &DoubleChange { tax_id: empty(), email: empty(), ..DoubleChange::default() });
    scene.run(RunKind::Compare, &[]).await;
    let view = scene.view(customer).await;
    assert_eq!(view.profile.text(ProfileField::TaxNumber), None);
    assert_eq!(view.points.len(), 2);
    assert_eq!(scene.double.writes(), 1, "and it is not forced upon them again");
    scene.assert_quiet(RunKind::CompareFull).await;
}

async fn what_cannot_be_sent_is_told_before_anything_is(scene: Scene) {
    let customer = scene.customer("Ann Lee", "ann@example.com").await;
    scene.edit(customer, json!({"address": {"street": null}, "country": null})).await;
    match scene.sync.sync_customer(customer, SyncContext::default()).await {
        Err(SyncError::Partner(PartnerError::Invalid(faults))) => {
            let missing =
                |fault: &onefold_sync::partner::PartnerFault| fault.reason == PartnerFaultReason::Missing;
            assert!(faults.iter().all(missing), "{faults:?}");
            let fields: Vec<_> = faults.iter().map(|fault| fault.field).collect();
            assert_eq!(fields, [PartnerField::Street, PartnerField::Country]);
        }
        other => panic!("{other:?}"),
    }
    let mapping = scene.mapping(customer).await;
    assert_eq!(
        (mapping.status, mapping.error.unwrap().code.as_str()),
        (MappingStatus::Error, "invalid_fields")
    );
    assert!(scene.double.calls().is_empty());
    // Completed, it is created by the job of that change.
    scene.edit(customer, json!({"address": {"street": "Lipova pot 7"}, "country": "SI"})).await;
    scene.worker.work_once().await.unwrap();
    assert_eq!(scene.double.partner_count(), 1);
    assert_eq!(scene.mapping(customer).await.status, MappingStatus::Synced);
}

async fn a_customer_that_is_written_here_is_no_news_for_the_same_system(scene: Scene) {
    let customer = scene.customer("Ann Lee", "ann@example.com").await;
    let id = scene.sync(customer).await.mapping.external.unwrap();
    for round in 0..5 {
        let city = Some(format!("City {round}"));
        scene.edit_there(&id, &DoubleChange { city, ..DoubleChange::default() });
        scene.run(RunKind::Compare, &[]).await;
        scene.edit(customer, json!({"address": {"street": format!("Street {round}")}})).await;
        scene.worker.work_once().await.unwrap();
        assert_eq!(scene.double.writes(), 2 + round);
        scene.assert_quiet(RunKind::Compare).await;
    }
}
