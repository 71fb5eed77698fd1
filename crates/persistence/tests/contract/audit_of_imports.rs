//! The audit trail of files, and the trail as a whole: asked for in parts, and made by many at once.

use std::collections::BTreeSet;
use std::sync::Arc;

use onefold_service::actor::{Acting, Actor};
use onefold_service::audit::{AuditAction, AuditFilter, AuditSubject};
use onefold_service::file::ImportFormat;
use onefold_service::import::{Import, ImportOptions, MatchBy};
use onefold_service::imports::Imports;
use onefold_service::token::TokenId;
use onefold_service::users::NewUser;
use onefold_sync::store::SyncStore;
use serde_json::{Value, json};

use crate::audit::{actions, all, audit, told};
use crate::scene::user;
use crate::use_cases::{UseCases, all_together, order, order_of};

on_every_store!(
    a_file_is_told_with_what_it_changed,
    rows_by_user_are_told_one_by_one,
    the_trail_is_filtered_and_paged,
    many_writers_and_sealers_leave_a_chain_without_gaps,
);

fn imports(use_cases: &UseCases) -> Imports {
    Imports::new(use_cases.identify.environment().clone(), None)
}

async fn import(imports: &Imports, options: ImportOptions, file: &str) -> Import {
    let mut receiving = imports.receive(ImportFormat::Csv, options).await.expect("a file may come in");
    receiving.append(file.as_bytes()).await.expect("a piece should be kept");
    let import = receiving.complete().await.expect("the file should be complete");
    imports.run(import.id, &|_| {}).await.expect("the store answers").expect("nobody else is at it")
}

async fn a_file_is_told_with_what_it_changed(store: Arc<dyn SyncStore>) {
    let use_cases = UseCases::new(&store);
    let known = use_cases.create(&order("", "123456")).await;
    let same = use_cases.create(&order("doc@hillvalley.edu", "")).await;
    let seen = told(&use_cases, 0).await.len();
    let file = "email,phone,country,source\n,123456,US,import\nnew@hillvalley.edu,,,\n\
                doc@hillvalley.edu,,,order\ndoc@hillvalley.edu,123456,,\nnewer@hillvalley.edu,,,\n";
    let by = imports(&use_cases).acting(&Acting::of(Actor::CommandLine));
    let done = import(&by, ImportOptions::default(), file).await;
    assert_eq!((done.counts.created, done.counts.updated), (3, 1), "{:?}", done.counts);

    let entries = told(&use_cases, seen).await;
    let names: Vec<_> = entries.iter().map(|(action, ..)| action.as_str()).collect();
    assert_eq!(
        names,
        ["import.received", "customers.merged", "import.updated"],
        "nothing for rows that are new"
    );
    let subject = format!("import:{}", done.id.0);
    let received = &entries[0];
    assert_eq!((&received.1, &received.3["bytes"]), (&subject, &json!(file.len())));
    assert_eq!(received.3["sha256"].as_str().map(str::len), Some(64));
    assert_eq!((&received.3["matchBy"], &received.3["onError"]), (&json!("value"), &json!("continue")));
    let (_, about, before, after) = &entries[2];
    assert_eq!(about, &subject);
    assert_eq!(before["contacts"].as_array().map(Vec::len), Some(1));
    let (before, after) = (&before["contacts"][0], &after["contacts"][0]);
    assert_eq!((&before["id"], &after["id"]), (&json!(known.id.0), &json!(known.id.0)));
    assert_eq!((&before["profile"], &after["profile"]), (&Value::Null, &json!({"country": "US"})));
    assert_eq!((&before["importId"], &after["importId"]), (&Value::Null, &json!(done.id.0)));
    assert_eq!(after["customerId"], json!(known.customer.0), "the older customer survives");
    assert_eq!(entries[1].3, json!({"customerId": known.customer.0, "contactIds": [same.id.0]}));
    for entry in &all(&use_cases, &AuditFilter::default()).await[seen..] {
        assert_eq!(entry.facts.actor, "command_line");
    }

    let dry = ImportOptions { dry_run: true, ..ImportOptions::default() };
    let seen = seen + entries.len();
    import(&by, dry, "email,country\ndoc@hillvalley.edu,SI\n").await;
    assert_eq!(actions(&use_cases, seen).await, ["import.received"]);
}

async fn rows_by_user_are_told_one_by_one(store: Arc<dyn SyncStore>) {
    let use_cases = UseCases::new(&store);
    let (one, other) = (use_cases.user(1).await, use_cases.user(2).await);
    let known = use_cases.create(&order_of(one, "doc@hillvalley.edu", "")).await;
    let seen = told(&use_cases, 0).await.len();
    let file = format!("userId,email\n{},emmett@hillvalley.edu\n{},marty@hillvalley.edu\n", one.0, other.0);
    let by_user = ImportOptions { match_by: MatchBy::UserId, ..ImportOptions::default() };
    let done = import(&imports(&use_cases), by_user, &file).await;
    assert_eq!((done.counts.created, done.counts.updated), (1, 1));
    let entries = told(&use_cases, seen).await;
    assert_eq!(actions(&use_cases, seen).await, ["import.received", "contact.updated"]);
    let (_, subject, before, after) = &entries[1];
    assert_eq!(subject, &format!("contact:{}", known.id.0));
    assert_eq!(
        (&before["email"], &after["email"]),
        (&json!("doc@hillvalley.edu"), &json!("emmett@hillvalley.edu"))
    );
    assert_eq!(after["importId"], json!(done.id.0));
    let last = all(&use_cases, &AuditFilter::default()).await.pop().expect("an entry");
    assert_eq!(last.facts.request_id, Some(format!("import:{}", done.id.0)));
}

async fn the_trail_is_filtered_and_paged(store: Arc<dyn SyncStore>) {
    let use_cases = UseCases::new(&store);
    let token = Acting::of(Actor::Token { id: TokenId(7), user: Some(user(9)) });
    let contact = use_cases.create(&order("doc@hillvalley.edu", "")).await;
    let by_token =
        use_cases.contacts.acting(&token).create_contact(&order("", "123456")).await.expect("a contact");
    use_cases.withdraw(contact.id).await;
    use_cases.user(1).await;
    let everything = all(&use_cases, &AuditFilter::default()).await;
    let numbers = async |filter: AuditFilter| -> Vec<u64> {
        all(&use_cases, &filter).await.iter().map(|entry| entry.number).collect()
    };
    let any = AuditFilter::default;
    assert_eq!(numbers(any()).await, [1, 2, 3, 4]);
    let subject = Some(AuditSubject::Contact(contact.id));
    assert_eq!(numbers(AuditFilter { subject, ..any() }).await, [1, 3]);
    assert_eq!(
        numbers(AuditFilter { subject, action: Some(AuditAction::ContactWithdrawn), ..any() }).await,
        [3]
    );
    assert_eq!(numbers(AuditFilter { customer: Some(by_token.customer), ..any() }).await, [2]);
    assert_eq!(numbers(AuditFilter { token: Some(TokenId(7)), ..any() }).await, [2]);
    assert_eq!(numbers(AuditFilter { user: Some(user(9)), ..any() }).await, [2]);
    assert_eq!(numbers(AuditFilter { action: Some(AuditAction::UserCreated), ..any() }).await, [4]);
    let (second, fourth) = (Some(everything[1].facts.at), Some(everything[3].facts.at));
    assert_eq!(numbers(AuditFilter { since: second, until: fourth, ..any() }).await, [2, 3]);

    let mut seen = Vec::new();
    let mut before = None;
    loop {
        let page = audit(&use_cases).list(&any(), before, 3).await.expect("a page");
        seen.extend(page.entries.iter().map(|entry| entry.number));
        before = page.next;
        if before.is_none() {
            break;
        }
    }
    assert_eq!(seen, [4, 3, 2, 1]);
}

async fn many_writers_and_sealers_leave_a_chain_without_gaps(store: Arc<dyn SyncStore>) {
    const WRITERS: usize = 8;
    const EACH: usize = 25;
    let use_cases = UseCases::new(&store);
    all_together(WRITERS + 2, |index| {
        let use_cases = use_cases.clone();
        async move {
            for _ in 0..EACH {
                if index < WRITERS {
                    use_cases.users.create_user(&NewUser::default()).await.expect("a user");
                } else {
                    audit(&use_cases).seal().await.expect("a seal");
                }
            }
        }
    })
    .await;
    let entries = all(&use_cases, &AuditFilter::default()).await;
    let numbers: Vec<u64> = entries.iter().map(|entry| entry.number).collect();
    assert_eq!(numbers, (1..=(WRITERS * EACH) as u64).collect::<Vec<_>>());
    let subjects: BTreeSet<_> = entries.iter().map(|entry| &entry.facts.subject_id).collect();
    assert_eq!(subjects.len(), WRITERS * EACH, "each change once");
    let head =
        audit(&use_cases).verify(None).await.expect("an answer").expect("a sound chain").expect("a head");
    assert_eq!((head.number, &head.hash), (entries.len() as u64, &entries[entries.len() - 1].hash));
    assert_eq!(audit(&use_cases).seal().await.expect("a seal"), 0);
}
