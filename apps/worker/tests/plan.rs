//! `onefold-worker plan`, and a comparison that is held: what a person reads at a shell.

#![expect(clippy::unwrap_used, reason = "a test may panic")]

use std::process::{Command, Output};
use std::sync::Arc;

use onefold_domain::contact::{Received, Statement};
use onefold_domain::email::EmailAddress;
use onefold_domain::policy::LinkPolicy;
use onefold_domain::profile::Profile;
use onefold_domain::source::ContactSource;
use onefold_integrations::testing::{
    DoubleAddress, DoubleChange, DoubleContact, DoublePartner, MetaKockaDouble,
};
use onefold_persistence::testing::TestDatabase;
use onefold_service::clock::{SystemClock, SystemRandomness};
use onefold_service::contacts::{ContactRequest, Contacts};
use onefold_sync::environment::SyncEnvironment;
use onefold_sync::store::SyncStore;
use serde_json::json;

fn worker(database: &TestDatabase, double: &MetaKockaDouble, arguments: &[&str]) -> Output {
    let settings = [
        ("DATABASE_URL", database.url()),
        ("METAKOCKA_SECRET_KEY", MetaKockaDouble::SECRET_KEY.to_owned()),
        ("METAKOCKA_COMPANY_ID", MetaKockaDouble::COMPANY_ID.to_owned()),
        ("METAKOCKA_BASE_URL", double.base_url()),
        ("ONEFOLD__METAKOCKA__CALLS_PER_SECOND", "1000".to_owned()),
        ("ONEFOLD__LOG__FILTER", "off".to_owned()),
        ("ONEFOLD__SYNC__BRAKE_RECORDS", "0".to_owned()),
        ("ONEFOLD__SYNC__BRAKE_PERCENT", "0".to_owned()),
    ];
    Command::new(env!("CARGO_BIN_EXE_onefold-worker")).args(arguments).envs(settings).output().unwrap()
}

fn lines(output: &Output) -> Vec<String> {
    String::from_utf8(output.stdout.clone()).unwrap().lines().map(str::to_owned).collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_plan_has_a_line_for_each_write_and_a_held_run_says_why_first() {
    let database = TestDatabase::sqlite();
    let double = MetaKockaDouble::start().await;
    double.fill(2);
    let ann = double.insert(DoublePartner {
        customer: "Ann Lee".to_owned(),
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
        contacts: vec![DoubleContact { email: "ann@example.com".to_owned(), ..DoubleContact::default() }],
        ..DoublePartner::default()
    });
    // What is new there comes in.
    let plan = worker(&database, &double, &["plan"]);
    assert!(plan.status.success(), "{plan:?}");
    let told = lines(&plan);
    let writes: Vec<_> = told.iter().filter(|line| line.starts_with("import\t")).collect();
    assert!(
        writes.len() >= 3 * 5 && writes.iter().all(|line| line.contains(" is written here")),
        "{told:#?}"
    );
    let record = &ann;
    let of_record = |line: &&&String| line.contains(&format!("record {}", record.mk_id));
    assert!(
        writes.iter().filter(of_record).all(|line| line.contains(&record.customer)),
        "each line names whom"
    );
    assert!(told.last().unwrap().starts_with("(plan) MetaKocka compare completed: 3 compared"), "{told:#?}");
    assert!(worker(&database, &double, &["run", "--once"]).status.success());

    // What changed there is written here, and says instead of what.
    let change = DoubleChange { city: Some("Bled".to_owned()), ..DoubleChange::default() };
    double.change(&record.mk_id, &change).unwrap();
    let told = lines(&worker(&database, &double, &["plan"]));
    let [write, _] = &told[..] else { panic!("a write, and what it came to: {told:#?}") };
    assert!(write.starts_with("update\t") && write.contains("city: \"Bled\" is written here"), "{write}");
    assert!(write.contains(&record.customer), "{write}");

    double.remove(&record.mk_id);
    let held = worker(&database, &double, &["run", "--once"]);
    let said = String::from_utf8(held.stderr.clone()).unwrap();
    assert!(!held.status.success(), "{held:?}");
    let why = "MetaKocka compare held: 1 of 3 mappings would be let go, more than 0.";
    assert!(lines(&held)[0].starts_with(why), "{held:?}");
    assert!(said.lines().next().unwrap().contains("1 of 3 mappings would be let go"), "{said}");
    let id = said.split('`').nth(1).unwrap().rsplit(' ').next().unwrap().to_owned();
    let shown = lines(&worker(&database, &double, &["runs", "show", &id]));
    assert!(shown[0].starts_with(why), "the reason is first: {shown:#?}");
    assert!(shown[1].starts_with("stale\t") && shown[1].contains(&record.customer), "{shown:#?}");
}

/// A customer who is not there yet.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_would_be_created_there_is_named() {
    let database = TestDatabase::sqlite();
    let double = MetaKockaDouble::start().await;
    let store: Arc<dyn SyncStore> = Arc::new(database.store().await);
    let policy = Arc::new(LinkPolicy::shipped());
    let env = SyncEnvironment::new(store, policy, Arc::new(SystemClock), Arc::new(SystemRandomness));
    let statement = Statement::new(EmailAddress::parse("ann@example.com").ok(), None).unwrap();
    let profile = json!({"name": "Ann Lee"});
    let request = ContactRequest {
        profile: Some(Profile::parse(profile.as_object().unwrap()).unwrap()),
        ..ContactRequest::new(statement, Received::default(), ContactSource::Order)
    };
    Contacts::new(env.base).create_contact(&request).await.unwrap();
    let told = lines(&worker(&database, &double, &["plan"]));
    assert_eq!(told.len(), 1, "nobody asked for her to be created: {told:#?}");
}
