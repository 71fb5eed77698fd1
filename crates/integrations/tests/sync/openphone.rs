//! Customers and their contacts in OpenPhone: changes of both sides, tags, contacts that others keep, and many at once.

use onefold_domain::profile::ProfileField;
use onefold_integrations::testing::openphone::OpenPhoneCall;
use onefold_service::system::SyncSystem;
use onefold_sync::conflict::ConflictFilter;
use onefold_sync::conflicts::Conflicts;
use onefold_sync::log::SyncOutcome;
use onefold_sync::partner::{PartnerField, PartnerId};
use onefold_sync::resolver::{Answer, Resolver};
use onefold_sync::rulebook::Rulebook;
use onefold_sync::rules::{FieldRule, SyncRules};
use onefold_sync::run::RunKind;
use onefold_sync::runner::Runner;
use onefold_sync::synchroniser::Synchroniser;
use serde_json::json;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use crate::company::{Company, HOUR, openphone, typed_in};
use crate::scene::settings;

on_every_store!(crate::company::Company:
    a_change_on_either_side_arrives_at_the_other,
    a_name_goes_both_ways_in_its_parts,
    what_is_taken_back_here_is_emptied_there_but_no_email,
    tags_go_to_their_field,
    contacts_of_other_programs_are_read_only,
    a_conflict_follows_its_rule,
    many_are_sent_and_taken_in_by_runs,
    the_total_of_an_import_is_known_before_the_first_comes_in,
    everybody_is_read_once_before_anybody_is_looked_for,
);

async fn a_change_on_either_side_arrives_at_the_other(company: Company) {
    let done = company.register("Ann", "ann@example.com").await;
    let id = company.mapping(done.customer).await.unwrap().external.unwrap();
    company.work().await;

    company.edit(done.customer, json!({"companyName": "Novak d.o.o."})).await;
    company.work().await;
    assert_eq!(company.contact(done.customer).await["defaultFields"]["company"], "Novak d.o.o.");

    company.edit_there(&id, |contact| {
        contact["defaultFields"]["company"] = "Kos d.o.o.".into();
        contact["defaultFields"]["role"] = "Owner".into();
        contact["defaultFields"]["phoneNumbers"] = json!([{"name": "mobile", "value": "+38640000123"}]);
    });
    company.compare().await;
    let view = company.view(done.customer).await;
    assert_eq!(view.profile.text(ProfileField::CompanyName), Some("Kos d.o.o."));
    assert!(view.points.iter().any(|point| point.value == "+38640000123"), "{:?}", view.points);
    // What has no place here stays there.
    company.edit(done.customer, json!({"companyName": "Zupan d.o.o."})).await;
    company.work().await;
    let there = company.contact(done.customer).await;
    assert_eq!(
        (&there["defaultFields"]["role"], there["defaultFields"]["company"].as_str()),
        (&json!("Owner"), Some("Zupan d.o.o."))
    );
    company.assert_quiet().await;
}

async fn a_name_goes_both_ways_in_its_parts(company: Company) {
    let done = company.register("Ann", "ann@example.com").await;
    let id = company.mapping(done.customer).await.unwrap().external.unwrap();
    company.edit_there(&id, |contact| contact["defaultFields"]["lastName"] = "Zupan Kos".into());
    company.compare().await;
    let view = company.view(done.customer).await;
    let text = |field| view.profile.text(field);
    assert_eq!(
        (text(ProfileField::FirstName), text(ProfileField::LastName)),
        (Some("Ann"), Some("Zupan Kos"))
    );

    company.edit(done.customer, json!({"firstName": "Anna Maria"})).await;
    company.work().await;
    let fields = company.contact(done.customer).await["defaultFields"].clone();
    assert_eq!(
        (fields["firstName"].as_str(), fields["lastName"].as_str()),
        (Some("Anna Maria"), Some("Zupan Kos"))
    );
    company.assert_quiet().await;
}

async fn what_is_taken_back_here_is_emptied_there_but_no_email(company: Company) {
    let done = company.register("Ann", "ann@example.com").await;
    company.work().await;
    company.edit(done.customer, json!({"companyName": null})).await;
    company.work().await;
    let fields = company.contact(done.customer).await["defaultFields"].clone();
    assert!(fields["company"].is_null(), "{fields}");
    assert_eq!(fields["emails"][0]["value"], "ann@example.com");
    company.assert_quiet().await;
}

async fn tags_go_to_their_field(company: Company) {
    company.phones.define("groups", "multi-select");
    let key = "groups".to_owned().try_into().unwrap();
    let directory = openphone(&company.phones, &company.env, |config| config.tags_field = Some(key));
    let rules = Arc::new(onefold_domain::survivorship::SurvivorshipRules::shipped());
    let (env, system) = (company.env.clone(), SyncSystem::OpenPhone);
    let sync = Synchroniser::new(env, system, Arc::new(directory), rules, settings());
    let company = Company::through(company, sync);
    let done = company.register("Ann", "ann@example.com").await;
    company.edit(done.customer, json!({"tags": ["VIP", "newsletter"]})).await;
    company.work().await;
    let tags = |contact: &serde_json::Value| contact["customFields"][0]["value"].clone();
    assert_eq!(tags(&company.contact(done.customer).await), json!(["newsletter", "VIP"]));
    company.assert_quiet().await;

    let id = company.mapping(done.customer).await.unwrap().external.unwrap();
    company.edit_there(&id, |contact| contact["customFields"][0]["value"] = json!(["VIP", "gold"]));
    company.compare().await;
    let view = company.view(done.customer).await;
    assert_eq!(view.profile.text(ProfileField::Tags), Some("gold, VIP"));
    company.edit(done.customer, json!({"tags": null})).await;
    company.work().await;
    assert!(tags(&company.contact(done.customer).await).is_null());
    company.assert_quiet().await;
}

async fn contacts_of_other_programs_are_read_only(company: Company) {
    let mut foreign = typed_in("Annie", "ann@example.com", "+38640000123");
    foreign["source"] = "hubspot".into();
    let foreign = company.phones.insert(foreign);
    let done = company.register("Ann", "ann@example.com").await;
    let id = PartnerId::parse(foreign["id"].as_str().unwrap()).unwrap();
    assert_eq!(company.mapping(done.customer).await.unwrap().external, Some(id.clone()));
    company.edit(done.customer, json!({"companyName": "Novak d.o.o."})).await;
    company.work().await;
    assert_eq!(company.phones.writes(), 0);
    // What its own program changes comes here all the same.
    company.edit_there(&id, |contact| contact["defaultFields"]["company"] = "Kos d.o.o.".into());
    company.compare().await;
    company.edit_there(&id, |contact| contact["defaultFields"]["company"] = "Zupan d.o.o.".into());
    company.compare().await;
    assert_eq!(
        company.view(done.customer).await.profile.text(ProfileField::CompanyName),
        Some("Zupan d.o.o.")
    );
    assert_eq!(company.phones.writes(), 0);
}

async fn a_conflict_follows_its_rule(company: Company) {
    let done = company.register("Ann", "ann@example.com").await;
    let id = company.mapping(done.customer).await.unwrap().external.unwrap();
    company.work().await;
    let both = async |here: &str, there: &str| {
        company.edit_there(&id, |contact| contact["defaultFields"]["lastName"] = there.into());
        company.edit(done.customer, json!({"lastName": here})).await;
        company.work().await;
    };
    // Nobody rules about names by default: a person is asked.
    both("Novak", "Kos").await;
    let resolver = Resolver::new(company.phone.clone(), None);
    let open = Conflicts::new(company.env.clone()).list(&ConflictFilter::default(), None, 10).await.unwrap();
    let [conflict] = &open[..] else { panic!("{open:?}") };
    assert_eq!(conflict.remote.as_ref().unwrap().as_str(), "Ann Kos");
    resolver.resolve(conflict.id, &Answer::Remote).await.unwrap();
    company.work().await;
    assert_eq!(company.view(done.customer).await.full_name().as_deref(), Some("Ann Kos"));

    let rulebook = Rulebook::new(company.env.clone());
    let rule = |rule| SyncRules::of([(PartnerField::Name, rule)]);
    rulebook.put(SyncSystem::OpenPhone, &rule(FieldRule::Local)).await.unwrap();
    both("Zupan", "Horvat").await;
    assert_eq!(company.contact(done.customer).await["defaultFields"]["lastName"], "Zupan");
    rulebook.put(SyncSystem::OpenPhone, &rule(FieldRule::Remote)).await.unwrap();
    both("Krajnc", "Golob").await;
    assert_eq!(company.view(done.customer).await.full_name().as_deref(), Some("Ann Golob"));
    // The double's clock is not ours: its changes are of another day.
    rulebook.put(SyncSystem::OpenPhone, &rule(FieldRule::Newest)).await.unwrap();
    company.edit_there(&id, |contact| contact["updatedAt"] = "2030-01-01T00:00:00.000Z".into());
    both("Turk", "Bizjak").await;
    let there = company.contact(done.customer).await;
    let newer = if there["updatedAt"].as_str().unwrap() > "2029" { "Ann Bizjak" } else { "Ann Turk" };
    assert_eq!(company.view(done.customer).await.full_name().as_deref(), Some(newer));
    company.assert_quiet().await;
}

async fn many_are_sent_and_taken_in_by_runs(company: Company) {
    for number in 0..30 {
        company.phones.insert(typed_in(
            "Eva",
            &format!("eva{number}@example.com"),
            &format!("+3864000{number:04}"),
        ));
    }
    let run = company.run(RunKind::ImportAll, &[]).await;
    assert_eq!((run.counts.total, run.counts.created, run.counts.failed), (30, 30, 0), "{run:?}");
    company.assert_quiet().await;
    let again = company.run(RunKind::ImportAll, &[]).await;
    assert_eq!(again.counts.created, 0);
    assert_eq!(company.phones.writes(), 0);
}

async fn the_total_of_an_import_is_known_before_the_first_comes_in(company: Company) {
    for number in 0..120 {
        company.phones.insert(typed_in("Eva", &format!("eva{number}@example.com"), ""));
    }
    let runs = Runner::new(company.phone.clone());
    let run = runs.request(RunKind::ImportAll, &[], false).await.unwrap();
    // Cut off as soon as the three pages are read.
    let asked = AtomicUsize::new(0);
    let stopping = || asked.fetch_add(1, Ordering::SeqCst) >= 4;
    company.worker.execute_until(run.id, &stopping).await.unwrap();
    let read = runs.runs.run(run.id).await.unwrap().unwrap().counts;
    assert_eq!((read.total, read.created), (120, 0), "{read:?}");
    company.pass(HOUR);
    company.worker.execute(run.id).await.unwrap();
    let done = runs.runs.run(run.id).await.unwrap().unwrap().counts;
    assert_eq!((done.total, done.created), (120, 120), "{done:?}");
}

async fn everybody_is_read_once_before_anybody_is_looked_for(company: Company) {
    for number in 0..120 {
        company.phones.insert(typed_in("Eva", &format!("eva{number}@example.com"), ""));
    }
    let done = company.register("Eva", "eva77@example.com").await;
    assert_eq!(company.activity(done.customer).await[0].outcome, SyncOutcome::Adopted);
    assert_eq!(company.phones.count(OpenPhoneCall::List), 3);
    company.register("Ann", "ann@example.com").await;
    let scans = company
        .phones
        .calls()
        .iter()
        .filter(|call| {
            call.call == OpenPhoneCall::List && !call.query.iter().any(|(name, _)| name == "externalIds")
        })
        .count();
    assert_eq!(scans, 3, "once is enough");
    assert_eq!(company.phones.contacts().len(), 121);
}
