//! What one store exports another one imports: each contact comes back as itself, and all of them come to the
//! same customers.

use std::sync::Arc;

use onefold_domain::contact::{Channel, ClaimedBy, ContactRecord, Statement};
use onefold_domain::email::EmailAddress;
use onefold_domain::id::ContactId;
use onefold_domain::phone::PhoneNumber;
use onefold_domain::profile::Profile;
use onefold_domain::source::ContactSource;
use onefold_memory::MemoryStore;
use onefold_persistence::testing::TestDatabase;
use onefold_service::contacts::{ContactRequest, ExportRow};
use onefold_service::file::ImportFormat;
use onefold_service::import::{ImportCounts, ImportOptions, ImportStatus};
use onefold_service::imports::Imports;
use onefold_service::store::ContactFilter;
use onefold_service::user::ExternalId;
use onefold_service::users::NewUser;
use onefold_sync::store::SyncStore;
use proptest::prelude::*;
use serde_json::{Value, json};

use crate::agreement::{People, Step, World, steps};
use crate::scene::{in_time, tell, user};
use crate::use_cases::{UseCases, from, metadata, order, order_of, verified, with_profile};

on_every_store!(
    every_contact_comes_back_as_it_was,
    joins_come_back_in_their_places,
    a_file_finds_what_came_before,
    a_user_comes_with_the_contacts,
    a_database_in_use_keeps_its_own,
    what_changed_at_its_origin_is_brought_up_to_date,
    many_contacts_and_joins_come_in_their_order,
);

/// More contact points than any history has.
const NO_CAP: usize = 1_000;

/// Everything, as the API writes it on lines.
async fn export(use_cases: &UseCases) -> Vec<Value> {
    let (mut rows, mut from) = (Vec::new(), None);
    loop {
        // Small parts, so that their borders are tried as well.
        let page = use_cases.contacts.export(&ContactFilter::default(), from, 7).await.expect("a part");
        rows.extend(page.entries.iter().map(line));
        from = page.next;
        if from.is_none() {
            return rows;
        }
    }
}

fn line(row: &ExportRow) -> Value {
    let email = |statement: &Statement| statement.email().map(|email| email.as_str().to_owned());
    let phone = |statement: &Statement| statement.phone().map(|phone| phone.as_str().to_owned());
    let of = |statement: &Statement| statement.user().map(|user| user.0.to_string());
    match row {
        ExportRow::Contact(exported) => {
            let record = &exported.record;
            json!({
                "kind": record.kind().as_str(), "linkPrecedence": "", "source": record.source.as_str(),
                "email": email(&record.statement), "phone": phone(&record.statement),
                "userId": of(&record.statement),
                "userExternalId": exported.user_external_id.as_ref().map(ExternalId::as_str),
                "channel": record.channel().map(Channel::as_str), "isPrimary": record.details.is_primary,
                "isVerified": record.details.verified_at.is_some(), "verifiedAt": record.details.verified_at,
                "metadata": record.details.metadata.as_map(),
                "profile": record.details.profile.as_ref().map(Profile::to_json),
                "createdAt": record.created_at, "updatedAt": record.updated_at,
                "originHub": exported.origin.hub.0, "originId": exported.origin.number,
                "selfStated": record.statement.is_self_stated(),
                "claimedBy": record.claimed_by.map(ClaimedBy::as_str),
                "receivedEmail": record.received.email, "receivedPhone": record.received.phone,
            })
        }
        ExportRow::Join(join) => json!({
            "kind": "join", "email": email(&join.statement), "phone": phone(&join.statement),
            "userId": of(&join.statement), "createdAt": join.at, "originHub": join.origin.hub.0,
            "originId": join.origin.number,
            "userExternalId": join.user_external_id.as_ref().map(ExternalId::as_str),
        }),
    }
}

async fn import(use_cases: &UseCases, rows: &[Value]) -> ImportCounts {
    let imports = Imports::new(use_cases.identify.environment().clone(), None);
    let options = ImportOptions::default();
    let mut receiving = imports.receive(ImportFormat::Ndjson, options).await.expect("a file may come in");
    let text: String = rows.iter().map(|row| format!("{row}\n")).collect();
    receiving.append(text.as_bytes()).await.expect("a piece should be kept");
    let import = receiving.complete().await.expect("the file should be kept");
    while imports.next().await.expect("the store answers") {}
    let done = imports.import(import.id).await.expect("the store answers").expect("it is kept");
    let failures = imports.failures(import.id, 0, 5).await.expect("the store answers");
    assert_eq!((done.status, &failures), (ImportStatus::Completed, &Vec::new()), "{:?}", done.message);
    done.counts
}

/// The places of the primaries of all contacts: the same customers, by whatever ids.
fn grouping(contacts: &[ContactRecord]) -> Vec<usize> {
    let place = |primary: ContactId| contacts.iter().position(|other| other.id == primary);
    contacts.iter().map(|record| place(record.primary).expect("the primary is there")).collect()
}

fn memory() -> UseCases {
    let store: Arc<dyn SyncStore> = Arc::new(MemoryStore::default());
    UseCases::new(&store)
}

async fn every_contact_comes_back_as_it_was(store: Arc<dyn SyncStore>) {
    let here = UseCases::new(&store);
    let owner = here.user(1).await;
    for number in 1..=3 {
        let order = order("doc@hillvalley.edu", "");
        here.create(&ContactRequest { metadata: metadata(&json!({"orderId": number})), ..order }).await;
    }
    let rich = verified(with_profile(
        order_of(owner, "", "+1 202 555 0143"),
        &[("firstName", "=1+1"), ("address.city", "Hill\nValley"), ("tags", "VIP, old")],
    ));
    let rich = ContactRequest { is_primary: Some(true), channel: Some(Channel::Whatsapp), ..rich };
    let rich = here.create(&from(ContactSource::Auth, rich)).await;
    for source in ContactSource::ALL {
        here.create(&from(source, order("", "101"))).await;
    }
    tell(&here.identify, "doc@hillvalley.edu", "+12025550143").await;
    // A person rules that there are no notes.
    here.rule(rich.customer, json!({"notes": null, "role": "owner"})).await;
    let contacts = here.everything().await;
    let rows = export(&here).await;

    let there = memory();
    let counts = import(&there, &rows).await;
    assert_eq!(counts.created, rows.len() as u64);
    let copies = there.everything().await;
    assert_eq!(export(&there).await, rows);
    assert_eq!(grouping(&copies), grouping(&contacts));
    for (copy, contact) in copies.iter().zip(&contacts) {
        assert_eq!((copy.origin.expect("an origin").number, copy.version), (contact.id.0, 1));
        assert_eq!((copy.source, &copy.received), (contact.source, &contact.received));
        assert_eq!(copy.details.profile, contact.details.profile);
    }
    // Twice changes nothing, neither there nor here, where it comes from.
    for use_cases in [&there, &here] {
        let before = use_cases.everything().await;
        let counts = import(use_cases, &rows).await;
        assert_eq!((counts.created, counts.updated, counts.unchanged), (0, 0, rows.len() as u64));
        assert_eq!(use_cases.everything().await, before);
    }
    // And what came from there is known here.
    assert_eq!(import(&here, &export(&there).await).await.unchanged, rows.len() as u64);
}

async fn joins_come_back_in_their_places(store: Arc<dyn SyncStore>) {
    let here = UseCases::new(&store);
    here.create(&order("a@x.example", "")).await;
    let withdrawn = here.create(&order("b@x.example", "")).await;
    here.create(&order("", "101")).await;
    tell(&here.identify, "a@x.example", "101").await;
    tell(&here.identify, "b@x.example", "101").await;
    here.create(&order("", "102")).await;
    here.withdraw(withdrawn.id).await;
    let rows = export(&here).await;
    let kinds: Vec<_> = rows.iter().map(|row| row["kind"].as_str().expect("a kind")).collect();
    assert_eq!(kinds, ["email", "phone", "join", "join", "phone"]);
    let there = memory();
    assert_eq!(import(&there, &rows).await.created, 5);
    let copies = there.everything().await;
    assert_eq!(grouping(&copies), [0, 0, 2]);
    assert_eq!(export(&there).await, rows);
    // What the join says of a withdrawn contact's value is evidence there as it is here.
    for use_cases in [&here, &there] {
        let found = tell(&use_cases.identify, "b@x.example", "").await;
        assert_eq!(found.customer.primary(), Some(use_cases.everything().await[0].id));
    }
    assert_eq!(grouping(&there.everything().await), grouping(&here.everything().await));
}

async fn a_file_finds_what_came_before(store: Arc<dyn SyncStore>) {
    let (here, there) = (memory(), UseCases::new(&store));
    here.create(&order("a@x.example", "")).await;
    here.create(&order("a@x.example", "")).await;
    let rows = export(&here).await;
    // The same row twice in one file is one contact.
    let doubled: Vec<Value> = rows.iter().chain(&rows).cloned().collect();
    let counts = import(&there, &doubled).await;
    assert_eq!((counts.created, counts.unchanged), (2, 2));
    // What was withdrawn there does not come back.
    let copies = there.everything().await;
    there.withdraw(copies[0].id).await;
    assert_eq!(import(&there, &rows).await.unchanged, 2);
    assert_eq!(there.everything().await.len(), 1);
    // Another database counts from one as well.
    let other = memory();
    other.create(&order("b@x.example", "")).await;
    assert_eq!(import(&there, &export(&other).await).await.created, 1);
    // A copy of the first one goes on under its name: other moments, other contacts.
    let mut copied = rows.clone();
    copied[0]["email"] = json!("c@x.example");
    copied[0]["createdAt"] = json!("2025-12-31T00:00:00Z");
    assert_eq!(import(&there, &copied).await.created, 1);
}

async fn a_user_comes_with_the_contacts(store: Arc<dyn SyncStore>) {
    let (here, there) = (memory(), UseCases::new(&store));
    let external = ExternalId::parse("user_456").expect("an external id");
    let new = NewUser { external_id: Some(external.clone()), ..NewUser::default() };
    let owner = here.users.create_user(&new).await.expect("a user").id;
    let plain = here.user(1).await;
    for owner in [owner, plain] {
        let order = order_of(owner, &format!("{}@x.example", owner.0.simple()), "");
        here.create(&ContactRequest { is_primary: Some(true), ..order }).await;
    }
    let rows = export(&here).await;
    import(&there, &rows).await;
    assert_eq!(there.users.user(owner).await.expect("the user").external_id, Some(external.clone()));
    assert_eq!(there.users.named("user_456").await.expect("an answer"), Some(owner));
    assert_eq!(there.users.user(plain).await.expect("the user").external_id, None);
    assert_eq!(export(&there).await, rows);
    // Where somebody else has the name it is the same account.
    let elsewhere = memory();
    let known = elsewhere.users.create_user(&new).await.expect("a user").id;
    import(&elsewhere, &rows).await;
    assert_eq!(elsewhere.everything().await[0].user(), Some(known));
}

async fn a_database_in_use_keeps_its_own(store: Arc<dyn SyncStore>) {
    let (here, there) = (memory(), UseCases::new(&store));
    let owner = user(1);
    for use_cases in [&here, &there] {
        use_cases.user(1).await;
        let order = order_of(owner, "a@x.example", "101");
        use_cases.create(&ContactRequest { is_primary: Some(true), ..order }).await;
    }
    there.user(2).await;
    there.create(&order_of(user(2), "", "102")).await;
    here.create(&order("a@x.example", "102")).await;
    let rows = export(&here).await;
    assert_eq!(import(&there, &rows).await.created, 2);
    let contacts = there.everything().await;
    assert_eq!(contacts.len(), 4);
    // The user's choice here stays, and no customer has two users.
    let primaries: Vec<_> = contacts.iter().map(|contact| contact.details.is_primary).collect();
    assert_eq!(primaries, [true, false, false, false]);
    assert_eq!(grouping(&contacts), [0, 1, 0, 0]);
    assert!(contacts[3].phone_blocked_by.is_some());
}

async fn what_changed_at_its_origin_is_brought_up_to_date(store: Arc<dyn SyncStore>) {
    let (here, there) = (memory(), UseCases::new(&store));
    let guest = here.create(&order("a@x.example", "")).await;
    let moved = here.create(&order("b@x.example", "")).await;
    let kept = here.create(&order("c@x.example", "")).await;
    import(&there, &export(&here).await).await;
    let owner = here.user(1).await;
    let claim =
        ContactRequest { metadata: metadata(&json!({"tier": 1})), ..order_of(owner, "a@x.example", "") };
    here.upsert(&verified(claim)).await;
    here.change(moved.id, crate::use_cases::to_email("d@x.example")).await;
    let rows = export(&here).await;
    let counts = import(&there, &rows).await;
    assert_eq!((counts.created, counts.updated, counts.unchanged), (0, 2, 1));
    assert_eq!(export(&there).await, rows);
    let copies = there.everything().await;
    assert_eq!(copies[0].user(), Some(owner));
    assert_eq!(copies[1].statement.email().map(EmailAddress::as_str), Some("d@x.example"));
    assert_eq!((guest.id, kept.statement.phone().map(PhoneNumber::as_str)), (ContactId(1), None));
    assert_eq!(import(&there, &rows).await.unchanged, 3);
}

async fn many_contacts_and_joins_come_in_their_order(store: Arc<dyn SyncStore>) {
    let (here, there) = (memory(), UseCases::new(&store));
    for number in 0..60 {
        here.create(&order(&format!("{number}@x.example"), "")).await;
        here.create(&order("", &format!("10{number}"))).await;
        if number % 3 == 0 {
            tell(&here.identify, &format!("{number}@x.example"), &format!("10{number}")).await;
        }
    }
    let rows = export(&here).await;
    assert_eq!(import(&there, &rows).await.created, rows.len() as u64);
    assert_eq!(export(&there).await, rows);
    assert_eq!(grouping(&there.everything().await), grouping(&here.everything().await));
}

/// Whatever happened here: it all comes there, and from there to a third place.
async fn come_back(here: Arc<dyn SyncStore>, there: Arc<dyn SyncStore>, history: &[Step], people: People) {
    let world = World::new(&here, NO_CAP).await;
    for step in history {
        world.take(step, people).await;
    }
    let (here, there, third) = (world.use_cases, UseCases::new(&there), memory());
    let (contacts, rows) = (here.everything().await, export(&here).await);
    assert_eq!(import(&there, &rows).await.created, rows.len() as u64);
    let copies = there.everything().await;
    // A join whose contacts were all withdrawn comes behind the one that it is about now.
    let (contact_rows, joins) = apart(&rows);
    assert_eq!(apart(&export(&there).await), (contact_rows, joins));
    import(&third, &rows).await;
    // A file has no place for the order that a changed value has among others. It matters where users are kept apart.
    let in_order = contacts.iter().all(|contact| contact.order.0 == contact.id.0);
    if people == People::Guests || in_order {
        assert_eq!(grouping(&copies), grouping(&contacts), "{rows:#?}");
    }
    assert_eq!(grouping(&third.everything().await), grouping(&copies), "the same file, the same customers");
    for use_cases in [&there, &here] {
        let before = use_cases.everything().await;
        assert_eq!(import(use_cases, &rows).await.unchanged, rows.len() as u64);
        assert_eq!(use_cases.everything().await, before);
    }
}

/// The contacts in their order, and the joins in the order of their names.
fn apart(rows: &[Value]) -> (Vec<Value>, Vec<String>) {
    let (joins, contacts): (Vec<Value>, Vec<Value>) =
        rows.iter().cloned().partition(|row| row["kind"] == "join");
    let mut joins: Vec<String> = joins.iter().map(Value::to_string).collect();
    joins.sort_unstable();
    (contacts, joins)
}

fn run(case: impl Future<Output = ()>) {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
    runtime.block_on(in_time(case));
}

fn cases(cases: u32) -> ProptestConfig {
    ProptestConfig { cases, failure_persistence: None, ..ProptestConfig::default() }
}

async fn on_sqlite(history: &[Step], people: People) {
    let (one, other) = (TestDatabase::sqlite(), TestDatabase::sqlite());
    let (here, there) = (Arc::new(one.store().await), Arc::new(other.store().await));
    come_back(here, there, history, people).await;
    one.assert_invariants().await;
    other.assert_invariants().await;
}

proptest! {
    #![proptest_config(cases(64))]

    #[test]
    fn histories_of_guests_come_back_in_memory((_, history) in steps(People::Guests)) {
        let (here, there) = (Arc::new(MemoryStore::default()), Arc::new(MemoryStore::default()));
        run(come_back(here, there, &history, People::Guests));
    }

    #[test]
    fn histories_of_users_come_back_in_memory((_, history) in steps(People::Verifiers)) {
        let (here, there) = (Arc::new(MemoryStore::default()), Arc::new(MemoryStore::default()));
        run(come_back(here, there, &history, People::Verifiers));
    }
}

proptest! {
    #![proptest_config(cases(8))]

    #[test]
    fn histories_of_guests_come_back_on_sqlite((_, history) in steps(People::Guests)) {
        run(on_sqlite(&history, People::Guests));
    }

    #[test]
    fn histories_of_users_come_back_on_sqlite((_, history) in steps(People::Verifiers)) {
        run(on_sqlite(&history, People::Verifiers));
    }
}
