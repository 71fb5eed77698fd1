//! Bulk: lists and whole registers, with an answer for each, going on where they were cut off.

use onefold_integrations::testing::{DoubleCall, DoubleChange, Lasting, Trouble};
use onefold_service::actor::{Acting, Actor};
use onefold_service::token::TokenId;
use onefold_sync::run::{RunKind, RunStatus};
use onefold_sync::sync_error::SyncError;
use onefold_sync::synchroniser::SyncContext;
use serde_json::json;

use crate::scene::{Scene, person};

on_every_store!(
    a_list_is_synced_and_each_gets_its_answer,
    whoever_asked_for_a_run_stands_in_its_mappings,
    a_whole_register_comes_in,
    a_record_that_cannot_come_in_is_told_once,
    conflicts_are_no_failures,
    an_outcome_names_the_customer_also_when_it_failed,
    a_thousand_unchanged_pairs_cost_no_write,
    a_run_waits_while_no_call_is_made_and_goes_on,
    a_plan_shows_field_by_field_and_writes_nothing,
);

async fn a_list_is_synced_and_each_gets_its_answer(scene: Scene) {
    let good = scene.customer("Ann Lee", "ann@example.com").await;
    let by_number = scene.contact("Ben Lee", "ben@example.com", "").await;
    let poor = scene.customer("Cat Lee", "cat@example.com").await;
    scene.edit(poor, json!({"address": {"street": null}})).await;
    let subjects = [good.0.to_string(), by_number.id.0.to_string(), poor.0.to_string(), "nobody".to_owned()];
    let subjects: Vec<_> = subjects.iter().map(String::as_str).collect();
    let run = scene.run(RunKind::Sync, &subjects).await;
    let counts = run.counts;
    assert_eq!(run.status, RunStatus::Completed);
    assert_eq!((counts.total, counts.succeeded, counts.failed, counts.created), (4, 2, 2, 2));
    let items = scene.runs.runs.items(run.id, 0, 10).await.unwrap();
    let told = items.iter().map(|item| {
        let outcome = item.outcome.clone().unwrap();
        let code = outcome.error.map_or_else(String::new, |error| error.code);
        (item.subject.clone(), outcome.action, code)
    });
    let expected = [
        (subjects[0], "created", ""),
        (subjects[1], "created", ""),
        (subjects[2], "failed", "invalid_fields"),
        (subjects[3], "failed", "not_found"),
    ];
    let expected = expected.map(|(one, two, three)| (one.to_owned(), two.to_owned(), three.to_owned()));
    assert_eq!(told.collect::<Vec<_>>(), expected);
    assert_eq!(scene.double.partner_count(), 2);
}

async fn whoever_asked_for_a_run_stands_in_its_mappings(scene: Scene) {
    let customer = scene.customer("Ann Lee", "ann@example.com").await;
    let caller = Acting::of(Actor::Token { id: TokenId(7), user: None });
    let subjects = [customer.0.to_string()];
    scene.runs.acting(&caller).request(RunKind::Sync, &subjects, false).await.unwrap();
    scene.worker.work_once().await.unwrap();
    let mapping = scene.mapping(customer).await;
    assert_eq!((mapping.created_by.as_str(), mapping.updated_by.as_str()), ("token:7", "token:7"));
    scene.edit(customer, json!({"companyName": "Lee d.o.o."})).await;
    scene.worker.work_once().await.unwrap();
    let mapping = scene.mapping(customer).await;
    assert_eq!((mapping.created_by.as_str(), mapping.updated_by.as_str()), ("token:7", "program"));
}

async fn a_whole_register_comes_in(scene: Scene) {
    scene.double.fill(300);
    scene.double.insert(person("Nobody", ""));
    let run = scene.run(RunKind::ImportAll, &[]).await;
    let counts = run.counts;
    assert_eq!((counts.total, counts.succeeded, counts.skipped, counts.failed), (301, 300, 1, 0), "{run:?}");
    scene.worker.work_once().await.unwrap();
    scene.assert_quiet(RunKind::CompareFull).await;
}

async fn a_record_that_cannot_come_in_is_told_once(scene: Scene) {
    let nobody = scene.double.insert(person("Nobody", "")).mk_id;
    scene.double.insert(person("Ann Lee", "ann@example.com"));
    let plan = scene.run_as(RunKind::Compare, &[], true).await;
    assert_eq!((plan.counts.skipped, plan.counts.created), (1, 1), "a plan notes nothing: {plan:?}");
    let first = scene.run(RunKind::Compare, &[]).await;
    let counts = first.counts;
    assert_eq!((counts.total, counts.succeeded, counts.skipped, counts.failed), (2, 1, 1, 0));
    let items = scene.runs.runs.items(first.id, 0, 10).await.unwrap();
    let skipped = items.iter().find(|item| item.subject == nobody).unwrap().outcome.clone().unwrap();
    assert_eq!(
        (skipped.action.as_str(), skipped.error.unwrap().code.as_str()),
        ("skipped", "no_contact_point")
    );
    for kind in [RunKind::Compare, RunKind::CompareFull, RunKind::ImportAll] {
        let again = scene.run(kind, &[]).await;
        let counts = again.counts;
        assert_eq!((counts.total, counts.unchanged, counts.skipped, counts.failed), (2, 2, 0, 0), "{kind:?}");
        assert!(scene.runs.runs.items(again.id, 0, 10).await.unwrap().is_empty());
    }
    // Whoever asks for just this one is told, as often as it takes.
    let asked = scene.run(RunKind::Import, &[&nobody]).await;
    assert_eq!((asked.counts.skipped, asked.counts.failed), (1, 0));
    let contacts = vec![onefold_integrations::testing::DoubleContact {
        email: "nobody@example.com".to_owned(),
        ..Default::default()
    }];
    scene.double.remove(&nobody);
    let back = scene.double.insert(onefold_integrations::testing::DoublePartner {
        mk_id: nobody.clone(),
        contacts,
        ..person("Nobody", "")
    });
    assert_eq!(scene.run(RunKind::Compare, &[]).await.counts.created, 1, "{back:?}");
}

async fn conflicts_are_no_failures(scene: Scene) {
    let customer = scene.customer("Ann Lee", "ann@example.com").await;
    let id = scene.sync(customer).await.mapping.external.unwrap();
    scene.edit(customer, json!({"address": {"street": "Ours 1"}})).await;
    scene.edit_there(&id, &DoubleChange { street: Some("Theirs 2".to_owned()), ..DoubleChange::default() });
    for dry_run in [true, false] {
        let run = scene.run_as(RunKind::Sync, &[&customer.0.to_string()], dry_run).await;
        let counts = run.counts;
        assert_eq!(
            (counts.total, counts.conflicts, counts.succeeded, counts.failed),
            (1, 1, 0, 0),
            "{run:?}"
        );
    }
}

async fn an_outcome_names_the_customer_also_when_it_failed(scene: Scene) {
    let contact = scene.contact("Ann Lee", "ann@example.com", "").await;
    scene.edit(contact.customer, json!({"address": {"street": null}})).await;
    let run = scene.run(RunKind::Sync, &[&contact.id.0.to_string()]).await;
    let items = scene.runs.runs.items(run.id, 0, 10).await.unwrap();
    let outcome = items[0].outcome.clone().unwrap();
    assert_eq!((outcome.action.as_str(), outcome.customer), ("failed", Some(contact.customer)));
}

async fn a_thousand_unchanged_pairs_cost_no_write(scene: Scene) {
    scene.double.fill(1_000);
    let run = scene.run(RunKind::ImportAll, &[]).await;
    assert_eq!(run.counts.failed, 0, "{run:?}");
    scene.worker.work_once().await.unwrap();
    scene.assert_quiet(RunKind::CompareFull).await;
    scene.assert_quiet(RunKind::Compare).await;
}

async fn a_run_waits_while_no_call_is_made_and_goes_on(scene: Scene) {
    let mut subjects = Vec::new();
    for number in 0..20 {
        let customer = scene.customer("Ann Lee", &format!("ann{number}@example.com")).await;
        subjects.push(customer.0.to_string());
    }
    scene.double.trouble(Some(DoubleCall::GetPartner), Lasting::UntilTold, Trouble::Page(500));
    let subjects: Vec<_> = subjects.iter().map(String::as_str).collect();
    let run = scene.run(RunKind::Sync, &subjects).await;
    assert_eq!(run.status, RunStatus::Running, "the circuit breaker stopped it: {run:?}");
    assert!(run.counts.failed < 20 && run.counts.succeeded == 0);
    scene.double.end_trouble();
    scene.pass(std::time::Duration::from_secs(120));
    scene.worker.work_once().await.unwrap();
    let run = scene.runs.runs.run(run.id).await.unwrap().unwrap();
    assert_eq!((run.status, run.counts.succeeded + run.counts.failed), (RunStatus::Completed, 20));
    // Those that had failed before it stopped were promised another attempt each.
    assert_eq!(scene.double.partner_count(), 20);
}

async fn a_plan_shows_field_by_field_and_writes_nothing(scene: Scene) {
    let customer = scene.customer("Ann Lee", "ann@example.com").await;
    let id = scene.sync(customer).await.mapping.external.unwrap();
    let new = scene.customer("Ben Lee", "ben@example.com").await;
    let unknown = scene.double.insert(person("Cat Lee", "cat@example.com"));
    scene.edit(customer, json!({"companyName": "Lee d.o.o.", "address": {"street": "Ours 1"}})).await;
    let change = DoubleChange {
        city: Some("Bled".to_owned()),
        street: Some("Theirs 2".to_owned()),
        ..DoubleChange::default()
    };
    scene.edit_there(&id, &change);
    let before = (scene.double.writes(), scene.view(customer).await.revision, scene.mapping(customer).await);
    let shown = scene.sync.show_customer(customer).await.unwrap();
    assert_eq!(shown.action, "conflict");
    assert_eq!(
        shown.plan,
        json!([
            {"field": "companyName", "write": "remote", "value": "Lee d.o.o.", "instead": null},
            {"field": "kind", "write": "remote", "value": "company", "instead": null},
            {"field": "street", "ask": {"base": "Lipova pot 7", "local": "Ours 1", "remote": "Theirs 2"}},
            {"field": "city", "write": "local", "value": "Bled", "instead": null},
        ])
    );
    assert_eq!(scene.sync.show_customer(new).await.unwrap().action, "create");
    let run = scene.run_as(RunKind::Compare, &[], true).await;
    assert_eq!((run.status, run.counts.total), (RunStatus::Completed, 2));
    let items = scene.runs.runs.items(run.id, 0, 10).await.unwrap();
    let mut actions: Vec<_> = items
        .iter()
        .map(|item| (item.subject.as_str(), item.outcome.as_ref().unwrap().action.as_str()))
        .collect();
    actions.sort_unstable();
    let mut expected = [(id.as_str(), "conflict"), (unknown.mk_id.as_str(), "import")];
    expected.sort_unstable();
    assert_eq!(actions, expected);
    let after = (scene.double.writes(), scene.view(customer).await.revision, scene.mapping(customer).await);
    assert_eq!(after, before);
    let gone = scene
        .sync
        .sync_customer(onefold_domain::id::CustomerId(uuid::Uuid::nil()), SyncContext::default())
        .await;
    assert!(matches!(gone, Err(SyncError::NoSuchCustomer)));
}
