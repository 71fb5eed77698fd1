//! Somebody changes the audit trail past the program. The database refuses at first; whoever takes its guards
//! away is found out by the chain.

use std::sync::Arc;

use onefold_domain::{Audit, AuditFault, AuditHead, NewUser, Store};
use onefold_persistence::testing::TestDatabase;

use crate::audit::audit;
use crate::desk::Desk;

on_both_databases!(
    an_entry_can_neither_be_changed_nor_removed,
    a_sound_trail_is_found_sound,
    what_was_tampered_with_is_found,
    a_cut_tail_is_found_by_a_head_that_was_kept,
);

/// A trail of five entries.
async fn trail(database: &TestDatabase) -> (Audit, AuditHead) {
    let store: Arc<dyn Store> = Arc::new(database.store().await);
    let desk = Desk::new(&store);
    for _ in 0..5 {
        desk.users.create_user(&NewUser::default()).await.expect("a user");
    }
    let audit = audit(&desk);
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
    let restarted = Desk::new(&(Arc::new(database.store().await) as Arc<dyn Store>));
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
    let desk = Desk::new(&(Arc::new(database.store().await) as Arc<dyn Store>));
    for _ in 0..3 {
        desk.users.create_user(&NewUser::default()).await.expect("a user");
    }
    assert_eq!(verify(&audit, Some(&head)).await, Err(AuditFault::Unexpected { number: 5 }));
    assert_eq!(verify(&audit, Some(&cut)).await.map(|head| head.map(|head| head.number)), Ok(Some(6)));
}
