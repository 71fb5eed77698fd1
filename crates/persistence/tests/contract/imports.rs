//! Files: rows that are judged many at a time come to the same as upserts one after the other.

use std::fmt::Write as _;
use std::sync::Arc;

use onefold_domain::block::BlockRule;
use onefold_domain::contact::{ContactRecord, Received, Statement};
use onefold_domain::id::ImportId;
use onefold_domain::source::ContactSource;
use onefold_memory::MemoryStore;
use onefold_persistence::testing::TestDatabase;
use onefold_service::contacts::ContactRequest;
use onefold_service::file::ImportFormat;
use onefold_service::import::{ImportCounts, ImportOptions, ImportStatus};
use onefold_service::imports::Imports;
use onefold_sync::store::SyncStore;
use proptest::prelude::*;
use proptest::strategy::ValueTree;

use crate::scene::{email, in_time, phone, user};
use crate::use_cases::UseCases;

on_every_store!(a_file_comes_to_the_same_as_upserts, files_at_the_same_time_lose_nothing);

/// Few values, so that rows meet. One of each never links.
const EMAILS: [&str; 6] =
    ["a@x.example", "b@x.example", "c@x.example", "d@x.example", "e@x.example", "none@x.example"];
const PHONES: [&str; 5] = ["101", "102", "103", "104", "0000000000"];
const USERS: u128 = 3;

fn statements() -> impl Strategy<Value = Statement> {
    let of = prop::option::weighted(0.3, 1..=USERS);
    (0..EMAILS.len(), 0..PHONES.len(), 0..3_u8, of).prop_map(|(email_index, phone_index, kind, of)| {
        let email = (kind != 0).then(|| email(EMAILS[email_index]));
        let phone = (kind != 1).then(|| phone(PHONES[phone_index]));
        let guests = Statement::new(email, phone).expect("a statement says something");
        of.map_or(guests.clone(), |number| guests.of_user(user(number)))
    })
}

/// Several files, each of which is judged at once.
fn files() -> impl Strategy<Value = Vec<Vec<Statement>>> {
    prop::collection::vec(prop::collection::vec(statements(), 1..30), 1..4)
}

fn csv(rows: &[Statement]) -> String {
    let mut text = "email,phone,userId\n".to_owned();
    for row in rows {
        let email = row.email().map_or("", |email| email.as_str());
        let phone = row.phone().map_or("", |phone| phone.as_str());
        let user = row.user().map(|user| user.0.to_string()).unwrap_or_default();
        let _ = writeln!(text, "{email},{phone},{user}");
    }
    text
}

async fn import(imports: &Imports, rows: &[Statement]) -> ImportCounts {
    let id = send(imports, rows).await;
    counts(imports, id).await
}

/// Sends a file in, and works as long as there is something to do.
async fn send(imports: &Imports, rows: &[Statement]) -> ImportId {
    let mut receiving =
        imports.receive(ImportFormat::Csv, ImportOptions::default()).await.expect("a file may come in");
    receiving.append(csv(rows).as_bytes()).await.expect("a piece should be kept");
    let import = receiving.complete().await.expect("the file should be kept");
    while imports.next().await.expect("the store answers") {}
    import.id
}

async fn counts(imports: &Imports, id: ImportId) -> ImportCounts {
    let done = imports.import(id).await.expect("the store answers").expect("the import is kept");
    assert_eq!((done.status, done.counts.failed), (ImportStatus::Completed, 0), "{:?}", done.message);
    done.counts
}

async fn upsert(use_cases: &UseCases, row: &Statement) {
    let received = Received {
        email: row.email().map(|email| email.as_str().to_owned()),
        phone: row.phone().map(|phone| phone.as_str().to_owned()),
    };
    use_cases.upsert(&ContactRequest::new(row.clone(), received, ContactSource::Import)).await;
}

/// What can be compared: ids and customers by the places of contacts.
type Shape = (Statement, Option<BlockRule>, Option<BlockRule>, usize);

fn shape(contacts: &[ContactRecord]) -> Vec<Shape> {
    let place = |record: &ContactRecord| contacts.iter().position(|other| other.id == record.primary);
    let shape = |record: &ContactRecord| {
        let primary = place(record).expect("the primary is there");
        (record.statement.clone(), record.email_blocked_by, record.phone_blocked_by, primary)
    };
    contacts.iter().map(shape).collect()
}

async fn use_cases(store: &Arc<dyn SyncStore>) -> UseCases {
    let use_cases = UseCases::new(store);
    for number in 1..=USERS {
        use_cases.user(number).await;
    }
    use_cases
}

/// Imports the files into one store and upserts their rows in another.
async fn compare(store: Arc<dyn SyncStore>, files: &[Vec<Statement>]) {
    let other: Arc<dyn SyncStore> = Arc::new(MemoryStore::default());
    let (by_file, by_row) = (use_cases(&store).await, use_cases(&other).await);
    let imports = Imports::new(by_file.identify.environment().clone(), None);
    for file in files {
        let known = by_file.everything().await.len();
        let counts = import(&imports, file).await;
        for row in file {
            upsert(&by_row, row).await;
        }
        let contacts = by_file.everything().await;
        assert_eq!(shape(&contacts), shape(&by_row.everything().await), "{files:?}");
        assert_eq!(counts.created, (contacts.len() - known) as u64);
        assert_eq!(counts.read, file.len() as u64);
        // The same file again says nothing new.
        let again = import(&imports, file).await;
        assert_eq!((again.created, again.updated), (0, 0));
        assert_eq!(by_file.everything().await, contacts);
    }
}

async fn a_file_comes_to_the_same_as_upserts(store: Arc<dyn SyncStore>) {
    let mut runner = proptest::test_runner::TestRunner::deterministic();
    let files = files().new_tree(&mut runner).expect("files").current();
    compare(store, &files).await;
}

async fn files_at_the_same_time_lose_nothing(store: Arc<dyn SyncStore>) {
    let use_cases = use_cases(&store).await;
    let rows: Vec<Statement> = EMAILS[..5]
        .iter()
        .zip(PHONES)
        .map(|(address, number)| {
            Statement::new(Some(email(address)), Some(phone(number))).expect("a statement")
        })
        .collect();
    let all = (0..6).map(|_| {
        let (imports, rows) = (Imports::new(use_cases.identify.environment().clone(), None), rows.clone());
        tokio::spawn(async move { send(&imports, &rows).await })
    });
    let mut ids = Vec::new();
    for one in all.collect::<Vec<_>>() {
        ids.push(one.await.expect("the import should end"));
    }
    // Each worked on whatever was there, so that all have to be back before every file is done.
    let imports = Imports::new(use_cases.identify.environment().clone(), None);
    let mut created = 0;
    for id in ids {
        created += counts(&imports, id).await.created;
    }
    assert_eq!(created, rows.len() as u64);
    assert_eq!(use_cases.everything().await.len(), rows.len(), "one contact for each row");
}

fn check(files: &[Vec<Statement>], store: impl FnOnce() -> Arc<dyn SyncStore>) {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
    runtime.block_on(in_time(compare(store(), files)));
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 96, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn files_agree_with_upserts_in_memory(files in files()) {
        check(&files, || Arc::new(MemoryStore::default()));
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 12, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn files_agree_with_upserts_on_sqlite(files in files()) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
        runtime.block_on(in_time(async {
            let database = TestDatabase::sqlite();
            compare(Arc::new(database.store().await), &files).await;
            database.assert_invariants().await;
        }));
    }
}
