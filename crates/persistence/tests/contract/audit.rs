//! The audit trail: every change leaves an entry with before and after, and nothing else does.

use std::collections::BTreeSet;
use std::sync::Arc;

use onefold_domain::{
    Acting, Actor, Audit, AuditAction, AuditDraft, AuditEntry, AuditFilter, AuditSubject, ContactChange,
    ContactRequest, ContactSource, CustomerId, Expectation, Import, ImportFormat, ImportOptions, Imports,
    MatchBy, Metadata, NewUser, Profile, Snapshot, Store, TokenId, Users,
};
use serde_json::{Value, json};

use crate::desk::{
    Desk, all_together, from, metadata, order, order_of, primary, to_email, to_phone, verified,
};
use crate::scene::{tell, user};

on_every_store!(
    a_contact_leaves_a_trail_from_its_creation_to_its_withdrawal,
    what_changes_nothing_leaves_nothing,
    a_claim_and_the_step_back_of_others_are_told,
    customers_that_merge_and_fall_apart_are_told,
    identify_tells_what_it_adds_and_joins,
    a_user_and_a_correction_are_told,
    a_file_is_told_with_what_it_changed,
    rows_by_user_are_told_one_by_one,
    who_acts_is_on_record,
    a_change_that_is_rolled_back_leaves_nothing,
    the_trail_is_filtered_and_paged,
    many_writers_and_sealers_leave_a_chain_without_gaps,
);

/// The trail of a store.
pub(crate) fn audit(desk: &Desk) -> Audit {
    Audit::new(desk.identify.environment().clone())
}

async fn all(desk: &Desk, filter: &AuditFilter) -> Vec<AuditEntry> {
    let mut entries = audit(desk).list(filter, None, 500).await.expect("the trail").entries;
    entries.reverse();
    entries
}

/// The entries behind number `seen`, oldest first, as action, subject and what was before and after.
async fn told(desk: &Desk, seen: usize) -> Vec<(String, String, Value, Value)> {
    let json = |snapshot: &Option<Snapshot>| {
        let text = snapshot.as_ref().map_or("null", Snapshot::as_str);
        serde_json::from_str(text).expect("a snapshot is JSON")
    };
    let shown = |entry: &AuditEntry| {
        let facts = &entry.facts;
        let subject = format!("{}:{}", facts.subject_kind, facts.subject_id);
        (facts.action.clone(), subject, json(&facts.before), json(&facts.after))
    };
    all(desk, &AuditFilter::default()).await.iter().skip(seen).map(shown).collect()
}

async fn actions(desk: &Desk, seen: usize) -> Vec<String> {
    told(desk, seen).await.into_iter().map(|(action, ..)| action).collect()
}

async fn a_contact_leaves_a_trail_from_its_creation_to_its_withdrawal(store: Arc<dyn Store>) {
    let desk = Desk::new(&store);
    let request = order("Doc@HillValley.edu", "");
    let request = ContactRequest { metadata: metadata(&json!({"tier": "gold"})), ..request };
    let contact = desk.create(&request).await;
    desk.change(contact.id, to_email("emmett@hillvalley.edu")).await;
    desk.withdraw(contact.id).await;

    let subject = format!("contact:{}", contact.id.0);
    let first = json!({
        "id": contact.id.0, "kind": "email", "email": "doc@hillvalley.edu", "phone": null, "channel": "email",
        "source": "order", "userId": null, "isPrimary": false, "verifiedAt": null, "metadata": {"tier": "gold"},
        "profile": null, "customerId": contact.customer.0, "importId": null, "blocked": {},
    });
    let mut second = first.clone();
    second["email"] = json!("emmett@hillvalley.edu");
    assert_eq!(
        told(&desk, 0).await,
        [
            ("contact.created".to_owned(), subject.clone(), Value::Null, first.clone()),
            ("contact.updated".to_owned(), subject.clone(), first, second.clone()),
            ("contact.withdrawn".to_owned(), subject, second, Value::Null),
        ]
    );
}

async fn what_changes_nothing_leaves_nothing(store: Arc<dyn Store>) {
    let desk = Desk::new(&store);
    let one = desk.user(1).await;
    let contact = desk.create(&verified(order_of(one, "doc@hillvalley.edu", ""))).await;
    tell(&desk.identify, "doc@hillvalley.edu", "123456").await;
    let before = all(&desk, &AuditFilter::default()).await;

    tell(&desk.identify, "doc@hillvalley.edu", "123456").await;
    desk.upsert(&verified(order_of(one, "doc@hillvalley.edu", ""))).await;
    desk.change(contact.id, ContactChange::default()).await;
    desk.change(contact.id, to_email("DOC@hillvalley.edu")).await;
    desk.rule(contact.customer, json!({})).await;
    let again = NewUser { id: Some(one), ..NewUser::default() };
    desk.users.create_user(&again).await.expect_err("the user exists");
    let stale = Expectation::OneOf(vec!["old".to_owned()]);
    desk.try_change(contact.id, to_phone("1"), &Expectation::Anything).await.expect_err("another kind");
    desk.try_change(contact.id, primary(true), &stale).await.expect_err("a stale change");
    assert_eq!(all(&desk, &AuditFilter::default()).await, before);
}

async fn a_claim_and_the_step_back_of_others_are_told(store: Arc<dyn Store>) {
    let desk = Desk::new(&store);
    let one = desk.user(1).await;
    let first = desk.create(&order_of(one, "", "123456")).await;
    desk.change(first.id, primary(true)).await;
    let guest = desk.create(&order("", "654321")).await;
    let seen = told(&desk, 0).await.len();
    let request = ContactRequest { is_primary: Some(true), ..order_of(one, "", "654321") };
    desk.upsert(&request).await;

    let entries = told(&desk, seen).await;
    let of = |action: &str| {
        let found: Vec<_> = entries.iter().filter(|(told, ..)| told == action).collect();
        assert_eq!(found.len(), 1, "{entries:?}");
        found[0].clone()
    };
    assert_eq!(entries.len(), 3);
    let (_, subject, before, after) = of("contact.claimed");
    assert_eq!(subject, format!("contact:{}", guest.id.0));
    assert_eq!((&before["userId"], &after["userId"]), (&Value::Null, &json!(one.0)));
    assert_eq!(
        (&before["customerId"], &after["customerId"]),
        (&json!(guest.customer.0), &json!(first.customer.0))
    );
    let (_, subject, before, after) = of("contact.updated");
    assert_eq!(subject, format!("contact:{}", first.id.0));
    assert_eq!((&before["isPrimary"], &after["isPrimary"]), (&json!(true), &json!(false)));
    let (_, subject, before, after) = of("customers.merged");
    assert_eq!(subject, format!("customer:{}", guest.customer.0));
    assert_eq!(before, json!({"customerId": guest.customer.0, "contactIds": [guest.id.0]}));
    assert_eq!(after, json!({"customerId": first.customer.0, "contactIds": [guest.id.0]}));
}

async fn customers_that_merge_and_fall_apart_are_told(store: Arc<dyn Store>) {
    let desk = Desk::new(&store);
    let email = desk.create(&order("doc@hillvalley.edu", "")).await;
    let phone = desk.create(&order("", "123456")).await;
    let bridge = desk.create(&order("doc@hillvalley.edu", "123456")).await;
    let seen = told(&desk, 0).await.len();
    let moved = |customer: CustomerId| json!({"customerId": customer.0, "contactIds": [phone.id.0]});
    let merged = &told(&desk, 0).await[2];
    let absorbed = format!("customer:{}", phone.customer.0);
    let expected = (moved(phone.customer), moved(email.customer));
    assert_eq!((merged.0.as_str(), &merged.1), ("customers.merged", &absorbed));
    assert_eq!((&merged.2, &merged.3), (&expected.0, &expected.1));

    desk.withdraw(bridge.id).await;
    let entries = told(&desk, seen).await;
    assert_eq!(entries[0].0, "contact.withdrawn");
    let part = desk.record(phone.id).await.customer;
    let split =
        ("customers.split".to_owned(), format!("customer:{}", part.0), moved(email.customer), moved(part));
    assert_eq!(entries[1..], [split]);
}

async fn identify_tells_what_it_adds_and_joins(store: Arc<dyn Store>) {
    let desk = Desk::new(&store);
    tell(&desk.identify, "doc@hillvalley.edu", "123456").await;
    let other = tell(&desk.identify, "", "654321").await;
    let whole = tell(&desk.identify, "doc@hillvalley.edu", "654321").await;
    let entries = told(&desk, 0).await;
    assert_eq!(
        actions(&desk, 0).await,
        ["contact.created", "contact.created", "customers.merged"],
        "the last statement joins and adds nothing"
    );
    let first = &entries[0].3;
    assert_eq!((&first["kind"], &first["source"]), (&json!("both"), &json!("identify")));
    assert_eq!((&first["email"], &first["phone"]), (&json!("doc@hillvalley.edu"), &json!("123456")));
    assert_eq!(first["customerId"], json!(whole.customer.id.0));
    assert_eq!(entries[2].1, format!("customer:{}", other.customer.id.0));
    tell(&desk.identify, "doc@hillvalley.edu", "0000000000").await;
    assert_eq!(told(&desk, 3).await[0].3["blocked"], json!({"phone": "never_links"}));
}

async fn a_user_and_a_correction_are_told(store: Arc<dyn Store>) {
    let desk = Desk::new(&store);
    let profile = Profile::from_texts(&[("name", "Zoë Brown")]).expect("a profile");
    let new = NewUser { id: Some(user(1)), external_id: None, profile: Some(profile) };
    desk.users.create_user(&new).await.expect("a user");
    let contact = desk.create(&from(ContactSource::Order, order_of(user(1), "doc@hillvalley.edu", ""))).await;
    desk.rule(contact.customer, json!({"companyName": "Clocks"})).await;
    let entries = told(&desk, 0).await;
    assert_eq!(actions(&desk, 0).await, ["user.created", "contact.created", "contact.created"]);
    let user = json!({"id": user(1).0, "externalId": null, "profile": {"name": "Zoë Brown"}});
    assert_eq!((&entries[0].2, &entries[0].3), (&Value::Null, &user));
    let ruled = &entries[2].3;
    assert_eq!((&ruled["source"], &ruled["profile"]), (&json!("manual"), &json!({"companyName": "Clocks"})));
}

fn imports(desk: &Desk) -> Imports {
    Imports::new(desk.identify.environment().clone(), None)
}

async fn import(imports: &Imports, options: ImportOptions, file: &str) -> Import {
    let mut receiving = imports.receive(ImportFormat::Csv, options).await.expect("a file may come in");
    receiving.append(file.as_bytes()).await.expect("a piece should be kept");
    let import = receiving.complete().await.expect("the file should be complete");
    imports.run(import.id, &|_| {}).await.expect("the store answers").expect("nobody else is at it")
}

async fn a_file_is_told_with_what_it_changed(store: Arc<dyn Store>) {
    let desk = Desk::new(&store);
    let known = desk.create(&order("", "123456")).await;
    let same = desk.create(&order("doc@hillvalley.edu", "")).await;
    let seen = told(&desk, 0).await.len();
    let file = "email,phone,country,source\n,123456,US,import\nnew@hillvalley.edu,,,\n\
                doc@hillvalley.edu,,,order\ndoc@hillvalley.edu,123456,,\nnewer@hillvalley.edu,,,\n";
    let by = imports(&desk).acting(&Acting::of(Actor::CommandLine));
    let done = import(&by, ImportOptions::default(), file).await;
    assert_eq!((done.counts.created, done.counts.updated), (3, 1), "{:?}", done.counts);

    let entries = told(&desk, seen).await;
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
    for entry in &all(&desk, &AuditFilter::default()).await[seen..] {
        assert_eq!(entry.facts.actor, "command_line");
    }

    let dry = ImportOptions { dry_run: true, ..ImportOptions::default() };
    let seen = seen + entries.len();
    import(&by, dry, "email,country\ndoc@hillvalley.edu,SI\n").await;
    assert_eq!(actions(&desk, seen).await, ["import.received"]);
}

async fn rows_by_user_are_told_one_by_one(store: Arc<dyn Store>) {
    let desk = Desk::new(&store);
    let (one, other) = (desk.user(1).await, desk.user(2).await);
    let known = desk.create(&order_of(one, "doc@hillvalley.edu", "")).await;
    let seen = told(&desk, 0).await.len();
    let file = format!("userId,email\n{},emmett@hillvalley.edu\n{},marty@hillvalley.edu\n", one.0, other.0);
    let by_user = ImportOptions { match_by: MatchBy::UserId, ..ImportOptions::default() };
    let done = import(&imports(&desk), by_user, &file).await;
    assert_eq!((done.counts.created, done.counts.updated), (1, 1));
    let entries = told(&desk, seen).await;
    assert_eq!(actions(&desk, seen).await, ["import.received", "contact.updated"]);
    let (_, subject, before, after) = &entries[1];
    assert_eq!(subject, &format!("contact:{}", known.id.0));
    assert_eq!(
        (&before["email"], &after["email"]),
        (&json!("doc@hillvalley.edu"), &json!("emmett@hillvalley.edu"))
    );
    assert_eq!(after["importId"], json!(done.id.0));
    let last = all(&desk, &AuditFilter::default()).await.pop().expect("an entry");
    assert_eq!(last.facts.request_id, Some(format!("import:{}", done.id.0)));
}

async fn who_acts_is_on_record(store: Arc<dyn Store>) {
    let desk = Desk::new(&store);
    let token = Actor::Token { id: TokenId(7), user: Some(user(9)) };
    for (actor, name, token, by) in [
        (Actor::Program, "program", None, None),
        (Actor::CommandLine, "command_line", None, None),
        (Actor::Anonymous, "anonymous", None, None),
        (token, "token", Some(TokenId(7)), Some(user(9))),
        (Actor::Webhook("kratos"), "webhook:kratos", None, None),
    ] {
        let acting = Acting { actor, request_id: Some("r-1".into()), operation: None };
        desk.contacts.acting(&acting).create_contact(&order("", "123456")).await.expect("a contact");
        let last = all(&desk, &AuditFilter::default()).await.pop().expect("an entry").facts;
        assert_eq!((last.actor.as_str(), last.token, last.user), (name, token, by));
        assert_eq!(last.request_id.as_deref(), Some("r-1"));
    }
}

async fn a_change_that_is_rolled_back_leaves_nothing(store: Arc<dyn Store>) {
    let desk = Desk::new(&store);
    let one = desk.user(1).await;
    desk.create(&order_of(one, "", "123456")).await;
    let before = all(&desk, &AuditFilter::default()).await;
    // Too large together: it shows only after others have stepped back.
    let large = |name: &str| metadata(&json!({name: "x".repeat(Metadata::MAX_BYTES - 100)}));
    let full = ContactRequest { metadata: large("a"), ..order_of(one, "doc@hillvalley.edu", "") };
    let known = desk.create(&full).await;
    let seen = all(&desk, &AuditFilter::default()).await;
    assert_eq!(seen.len(), before.len() + 1);
    let request = ContactRequest { metadata: large("b"), ..order_of(one, "doc@hillvalley.edu", "") };
    desk.contacts.create_or_update_contact(&request).await.expect_err("too much metadata");
    desk.change(known.id, primary(true)).await;
    // An open transaction that is given up, with an entry in it.
    let mut transaction = store.begin().await.expect("a transaction");
    let draft = AuditDraft {
        at: crate::by_hand::at(),
        acting: Acting::default(),
        action: AuditAction::ContactUpdated,
        subject: AuditSubject::Contact(known.id),
        customer: None,
        before: None,
        after: None,
    };
    transaction.audit().append(&[draft]).await.expect("an entry");
    drop(transaction);
    assert_eq!(all(&desk, &AuditFilter::default()).await.len(), seen.len() + 1);
}

async fn the_trail_is_filtered_and_paged(store: Arc<dyn Store>) {
    let desk = Desk::new(&store);
    let token = Acting::of(Actor::Token { id: TokenId(7), user: Some(user(9)) });
    let contact = desk.create(&order("doc@hillvalley.edu", "")).await;
    let by_token =
        desk.contacts.acting(&token).create_contact(&order("", "123456")).await.expect("a contact");
    desk.withdraw(contact.id).await;
    desk.user(1).await;
    let everything = all(&desk, &AuditFilter::default()).await;
    let numbers = async |filter: AuditFilter| -> Vec<u64> {
        all(&desk, &filter).await.iter().map(|entry| entry.number).collect()
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
        let page = audit(&desk).list(&any(), before, 3).await.expect("a page");
        seen.extend(page.entries.iter().map(|entry| entry.number));
        before = page.next;
        if before.is_none() {
            break;
        }
    }
    assert_eq!(seen, [4, 3, 2, 1]);
}

async fn many_writers_and_sealers_leave_a_chain_without_gaps(store: Arc<dyn Store>) {
    const WRITERS: usize = 8;
    const EACH: usize = 25;
    let desk = Desk::new(&store);
    all_together(WRITERS + 2, |index| {
        let desk = desk.clone();
        async move {
            let users = Users::new(desk.identify.environment().clone());
            for _ in 0..EACH {
                if index < WRITERS {
                    users.create_user(&NewUser::default()).await.expect("a user");
                } else {
                    audit(&desk).seal().await.expect("a seal");
                }
            }
        }
    })
    .await;
    let entries = all(&desk, &AuditFilter::default()).await;
    let numbers: Vec<u64> = entries.iter().map(|entry| entry.number).collect();
    assert_eq!(numbers, (1..=(WRITERS * EACH) as u64).collect::<Vec<_>>());
    let subjects: BTreeSet<_> = entries.iter().map(|entry| &entry.facts.subject_id).collect();
    assert_eq!(subjects.len(), WRITERS * EACH, "each change once");
    let head = audit(&desk).verify(None).await.expect("an answer").expect("a sound chain").expect("a head");
    assert_eq!((head.number, &head.hash), (entries.len() as u64, &entries[entries.len() - 1].hash));
    assert_eq!(audit(&desk).seal().await.expect("a seal"), 0);
}
