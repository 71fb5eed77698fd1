//! Somebody changes the audit trail past the program. The database refuses at first; whoever takes its guards
//! away is found out by the chain.

use std::sync::Arc;

use onefold_domain::contact::{Received, Statement};
use onefold_domain::email::EmailAddress;
use onefold_domain::policy::LinkPolicy;
use onefold_domain::source::ContactSource;
use onefold_persistence::testing::TestDatabase;
use onefold_service::audit::{AuditFault, AuditHead, AuditSubject};
use onefold_service::clock::{Clock, SystemRandomness};
use onefold_service::contacts::ContactRequest;
use onefold_service::environment::Environment;
use onefold_service::file::ImportFormat;
use onefold_service::import::ImportOptions;
use onefold_service::imports::Imports;
use onefold_service::testing::SteppingClock;
use onefold_service::token::{Abilities, NewToken, TokenName};
use onefold_service::tokens::Tokens;
use onefold_service::trail::Audit;
use onefold_service::users::NewUser;
use onefold_sync::store::SyncStore;

use crate::audit::audit;
use crate::use_cases::UseCases;

on_both_databases!(
    an_entry_can_neither_be_changed_nor_removed,
    a_sound_trail_is_found_sound,
    what_was_tampered_with_is_found,
    a_cut_tail_is_found_by_a_head_that_was_kept,
    what_the_trail_does_not_tell_of_is_found,
    what_is_older_than_the_trail_needs_no_entry,
);

/// A trail of five entries.
async fn trail(database: &TestDatabase) -> (Audit, AuditHead) {
    let store: Arc<dyn SyncStore> = Arc::new(database.store().await);
    let use_cases = UseCases::new(&store);
    for _ in 0..5 {
        use_cases.users.create_user(&NewUser::default()).await.expect("a user");
    }
    let audit = audit(&use_cases);
    let head = verify(&audit, None).await.expect("a sound trail");
    (audit, head.expect("a head"))
}

async fn verify(audit: &Audit, expected: Option<&AuditHead>) -> Result<Option<AuditHead>, AuditFault> {
    audit.verify(expected.cloned()).await.expect("an answer")
}

async fn unguarded(database: &TestDatabase) {
    let guards = match database.name() {
        Some(_) => &["DROP TRIGGER audit_entry_append_only ON audit_entry"][..],
        None => &[
            "DROP TRIGGER audit_entry_no_update",
            "DROP TRIGGER audit_entry_no_delete",
            "DROP TRIGGER audit_entry_no_replace",
        ],
    };
    for guard in guards {
        database.query(guard).await;
    }
}

async fn an_entry_can_neither_be_changed_nor_removed(database: &TestDatabase) {
    let (audit, head) = trail(database).await;
    let copy = "SELECT number, previous_hash, hash, happened_at, 'somebody', action, subject_kind, subject_id
                FROM audit_entry WHERE number = 2";
    let columns = "(number, previous_hash, hash, happened_at, actor, action, subject_kind, subject_id)";
    let mut attempts = vec![
        "UPDATE audit_entry SET actor = 'somebody' WHERE number = 2".to_owned(),
        "UPDATE audit_entry SET actor = actor".to_owned(),
        "DELETE FROM audit_entry WHERE number = 5".to_owned(),
        "DELETE FROM audit_entry".to_owned(),
        format!("INSERT INTO audit_entry {columns} {copy}"),
        format!("INSERT INTO audit_entry {columns} {}", copy.replacen("number", "0", 1)),
    ];
    attempts.push(match database.name() {
        Some(_) => "TRUNCATE audit_entry".to_owned(),
        None => format!("REPLACE INTO audit_entry {columns} {copy}"),
    });
    for attempt in attempts {
        assert!(database.try_query(&attempt).await.is_err(), "{attempt}");
    }
    assert_eq!(verify(&audit, Some(&head)).await, Ok(Some(head)));
}

async fn a_sound_trail_is_found_sound(database: &TestDatabase) {
    let (audit, head) = trail(database).await;
    assert_eq!(head.number, 5);
    let restarted = UseCases::new(&(Arc::new(database.store().await) as Arc<dyn SyncStore>));
    restarted.users.create_user(&NewUser::default()).await.expect("a user");
    let longer = verify(&audit, Some(&head)).await.expect("a sound trail").expect("a head");
    assert_eq!(longer.number, 6);
}

async fn what_was_tampered_with_is_found(database: &TestDatabase) {
    let (audit, head) = trail(database).await;
    unguarded(database).await;
    let kept = "CREATE TABLE kept AS SELECT * FROM audit_entry";
    database.query(kept).await;
    let later = match database.name() {
        Some(_) => "happened_at + interval '1 microsecond'".to_owned(),
        None => "replace(happened_at, '+00:00', '1+00:00')".to_owned(),
    };
    let hash = AuditFault::Hash { number: 3 };
    for (attempt, fault) in [
        ("UPDATE audit_entry SET state_after = replace(state_after, 'null', '\"x\"') WHERE number = 3", hash),
        ("UPDATE audit_entry SET state_after = NULL WHERE number = 3", hash),
        ("UPDATE audit_entry SET actor = 'somebody' WHERE number = 3", hash),
        ("UPDATE audit_entry SET token_id = 7 WHERE number = 3", hash),
        (&format!("UPDATE audit_entry SET happened_at = {later} WHERE number = 3"), hash),
        ("UPDATE audit_entry SET hash = 'x' WHERE number = 3", hash),
        ("DELETE FROM audit_entry WHERE number = 3", AuditFault::Missing { number: 3 }),
        ("DELETE FROM audit_entry WHERE number = 1", AuditFault::Missing { number: 1 }),
        ("DELETE FROM audit_entry", AuditFault::Missing { number: 1 }),
        (
            "UPDATE audit_entry SET subject_id = (SELECT k.subject_id FROM kept k
             WHERE k.number = 7 - audit_entry.number) WHERE number IN (3, 4)",
            hash,
        ),
    ] {
        database.query(attempt).await;
        assert_eq!(verify(&audit, Some(&head)).await, Err(fault), "{attempt}");
        database.query("DELETE FROM audit_entry").await;
        database.query("INSERT INTO audit_entry SELECT * FROM kept").await;
    }
    // Two whole entries change places, over a number that is free.
    for (from, to) in [(3, 9), (4, 3), (9, 4)] {
        database.query(&format!("UPDATE audit_entry SET number = {to} WHERE number = {from}")).await;
    }
    assert_eq!(verify(&audit, None).await, Err(AuditFault::PreviousHash { number: 3 }));
}

async fn a_cut_tail_is_found_by_a_head_that_was_kept(database: &TestDatabase) {
    let (audit, head) = trail(database).await;
    unguarded(database).await;
    database.query("DELETE FROM audit_entry WHERE number > 3").await;
    let cut = verify(&audit, None).await.expect("by itself it is sound").expect("a head");
    assert_eq!(cut.number, 3);
    assert_eq!(verify(&audit, Some(&head)).await, Err(AuditFault::Missing { number: 4 }));
    // The next changes take the numbers of those that are gone.
    let use_cases = UseCases::new(&(Arc::new(database.store().await) as Arc<dyn SyncStore>));
    for _ in 0..3 {
        use_cases.users.create_user(&NewUser::default()).await.expect("a user");
    }
    assert_eq!(verify(&audit, Some(&head)).await, Err(AuditFault::Unexpected { number: 5 }));
    assert_eq!(verify(&audit, Some(&cut)).await.map(|head| head.map(|head| head.number)), Ok(Some(6)));
}

/// The clocks of tests stand before the day on which the schema was made.
const FROM_THE_START: &str = "UPDATE seaql_migrations SET applied_at = 0";

/// One of each kind, in the order in which the trail told of them.
async fn records(database: &TestDatabase) -> (Audit, [AuditSubject; 4]) {
    let store: Arc<dyn SyncStore> = Arc::new(database.store().await);
    let use_cases = UseCases::new(&store);
    let user = use_cases.users.create_user(&NewUser::default()).await.expect("a user");
    let env = Environment::new(
        store.clone(),
        Arc::new(LinkPolicy::shipped()),
        Arc::new(SteppingClock::fixed()),
        Arc::new(SystemRandomness),
    );
    let new = NewToken {
        name: TokenName::parse("ci").expect("a name"),
        abilities: Abilities::default(),
        user: None,
        expires_at: None,
    };
    let (token, _) = Tokens::new(env.clone()).create(&new).await.expect("a token");
    let imports = Imports::new(env, None);
    let mut receiving = imports.receive(ImportFormat::Csv, ImportOptions::default()).await.expect("a start");
    receiving.append(b"email\nmarty@hillvalley.edu\n").await.expect("a piece");
    let import = receiving.complete().await.expect("a file");
    while imports.next().await.expect("an answer") {}
    let email = EmailAddress::parse("doc@hillvalley.edu").expect("an email");
    let statement = Statement::new(Some(email), None).expect("a statement");
    let request = ContactRequest::new(statement, Received::default(), ContactSource::Order);
    let contact = use_cases.contacts.create_contact(&request).await.expect("a contact");
    let subjects = [
        AuditSubject::User(user.id),
        AuditSubject::Token(token.id),
        AuditSubject::Import(import.id),
        AuditSubject::Contact(contact.id),
    ];
    (audit(&use_cases), subjects)
}

async fn what_the_trail_does_not_tell_of_is_found(database: &TestDatabase) {
    let (audit, subjects) = records(database).await;
    database.query(FROM_THE_START).await;
    let head = verify(&audit, None).await.expect("a sound trail").expect("a head");
    assert_eq!(head.number, 4);
    unguarded(database).await;
    database.query("CREATE TABLE kept AS SELECT * FROM audit_entry").await;
    let found = async || match verify(&audit, None).await {
        Err(AuditFault::Untold { subject }) => Some(subject),
        Err(other) => panic!("{other}"),
        Ok(_) => None,
    };
    // Tails of every length, up to the whole trail. What was made last is looked for first.
    for (left, untold) in [(3, subjects[3]), (2, subjects[3]), (0, subjects[3])] {
        database.query(&format!("DELETE FROM audit_entry WHERE number > {left}")).await;
        assert_eq!(found().await, Some(untold), "{left} are left");
    }
    // With the contact out of the way each of the others is missed, too.
    let source = |kind: &str| {
        format!(
            "INSERT INTO audit_pending (happened_at, actor, action, subject_kind, subject_id) SELECT happened_at, actor, action, subject_kind, subject_id FROM kept WHERE subject_kind = '{kind}'"
        )
    };
    for (told, untold) in [("contact", subjects[2]), ("import", subjects[0]), ("user", subjects[1])] {
        database.query(&source(told)).await;
        assert_eq!(found().await, Some(untold), "{told} is told of anew");
    }
    database.query(&source("token")).await;
    assert_eq!(found().await, None, "a chain that was made anew and tells of all needs a head that was kept");
    assert!(verify(&audit, Some(&head)).await.is_err());
}

async fn what_is_older_than_the_trail_needs_no_entry(database: &TestDatabase) {
    let (audit, subjects) = records(database).await;
    unguarded(database).await;
    database.query("DELETE FROM audit_entry").await;
    database.query("DELETE FROM audit_pending").await;
    // The clock of the test stood at this moment.
    let made = SteppingClock::fixed().now().timestamp();
    for (applied_at, is_found) in [(made + 3_600, false), (made, true), (0, true)] {
        database.query(&format!("UPDATE seaql_migrations SET applied_at = {applied_at}")).await;
        let untold = Err(AuditFault::Untold { subject: subjects[3] });
        assert_eq!(verify(&audit, None).await, if is_found { untold } else { Ok(None) }, "{applied_at}");
    }
}
