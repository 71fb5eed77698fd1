//! The audit trail: every change leaves an entry with before and after, and nothing else does.

use std::sync::Arc;

use onefold_domain::id::CustomerId;
use onefold_domain::metadata::Metadata;
use onefold_domain::profile::Profile;
use onefold_domain::source::ContactSource;
use onefold_service::actor::{Acting, Actor};
use onefold_service::audit::{AuditAction, AuditDraft, AuditEntry, AuditFilter, AuditSubject, Snapshot};
use onefold_service::contacts::{ContactChange, ContactRequest, Expectation};
use onefold_service::token::TokenId;
use onefold_service::trail::Audit;
use onefold_service::users::NewUser;
use onefold_sync::store::SyncStore;
use serde_json::{Value, json};

use crate::scene::{tell, user};
use crate::use_cases::{UseCases, from, metadata, order, order_of, primary, to_email, to_phone, verified};

on_every_store!(
    a_contact_leaves_a_trail_from_its_creation_to_its_withdrawal,
    what_changes_nothing_leaves_nothing,
    a_claim_and_the_step_back_of_others_are_told,
    customers_that_merge_and_fall_apart_are_told,
    identify_tells_what_it_adds_and_joins,
    a_user_and_a_correction_are_told,
    who_acts_is_on_record,
    a_change_that_is_rolled_back_leaves_nothing,
);

/// The trail of a store.
pub(crate) fn audit(use_cases: &UseCases) -> Audit {
    Audit::new(use_cases.identify.environment().clone())
}

pub(crate) async fn all(use_cases: &UseCases, filter: &AuditFilter) -> Vec<AuditEntry> {
    let mut entries = audit(use_cases).list(filter, None, 500).await.expect("the trail").entries;
    entries.reverse();
    entries
}

/// The entries behind number `seen`, oldest first, as action, subject and what was before and after.
pub(crate) async fn told(use_cases: &UseCases, seen: usize) -> Vec<(String, String, Value, Value)> {
    let json = |snapshot: &Option<Snapshot>| {
        let text = snapshot.as_ref().map_or("null", Snapshot::as_str);
        serde_json::from_str(text).expect("a snapshot is JSON")
    };
    let shown = |entry: &AuditEntry| {
        let facts = &entry.facts;
        let subject = format!("{}:{}", facts.subject_kind, facts.subject_id);
        (facts.action.clone(), subject, json(&facts.before), json(&facts.after))
    };
    all(use_cases, &AuditFilter::default()).await.iter().skip(seen).map(shown).collect()
}

pub(crate) async fn actions(use_cases: &UseCases, seen: usize) -> Vec<String> {
    told(use_cases, seen).await.into_iter().map(|(action, ..)| action).collect()
}

async fn a_contact_leaves_a_trail_from_its_creation_to_its_withdrawal(store: Arc<dyn SyncStore>) {
    let use_cases = UseCases::new(&store);
    let request = order("Doc@HillValley.edu", "");
    let request = ContactRequest { metadata: metadata(&json!({"tier": "gold"})), ..request };
    let contact = use_cases.create(&request).await;
    use_cases.change(contact.id, to_email("emmett@hillvalley.edu")).await;
    use_cases.withdraw(contact.id).await;

    let subject = format!("contact:{}", contact.id.0);
    let first = json!({
        "id": contact.id.0, "kind": "email", "email": "doc@hillvalley.edu", "phone": null, "channel": "email",
        "source": "order", "userId": null, "isPrimary": false, "verifiedAt": null, "metadata": {"tier": "gold"},
        "profile": null, "customerId": contact.customer.0, "importId": null, "blocked": {},
    });
    let mut second = first.clone();
    second["email"] = json!("emmett@hillvalley.edu");
    assert_eq!(
        told(&use_cases, 0).await,
        [
            ("contact.created".to_owned(), subject.clone(), Value::Null, first.clone()),
            ("contact.updated".to_owned(), subject.clone(), first, second.clone()),
            ("contact.withdrawn".to_owned(), subject, second, Value::Null),
        ]
    );
}

async fn what_changes_nothing_leaves_nothing(store: Arc<dyn SyncStore>) {
    let use_cases = UseCases::new(&store);
    let one = use_cases.user(1).await;
    let contact = use_cases.create(&verified(order_of(one, "doc@hillvalley.edu", ""))).await;
    tell(&use_cases.identify, "doc@hillvalley.edu", "123456").await;
    let before = all(&use_cases, &AuditFilter::default()).await;

    tell(&use_cases.identify, "doc@hillvalley.edu", "123456").await;
    use_cases.upsert(&verified(order_of(one, "doc@hillvalley.edu", ""))).await;
    use_cases.change(contact.id, ContactChange::default()).await;
    use_cases.change(contact.id, to_email("DOC@hillvalley.edu")).await;
    use_cases.rule(contact.customer, json!({})).await;
    let again = NewUser { id: Some(one), ..NewUser::default() };
    use_cases.users.create_user(&again).await.expect_err("the user exists");
    let stale = Expectation::OneOf(vec!["old".to_owned()]);
    use_cases.try_change(contact.id, to_phone("1"), &Expectation::Anything).await.expect_err("another kind");
    use_cases.try_change(contact.id, primary(true), &stale).await.expect_err("a stale change");
    assert_eq!(all(&use_cases, &AuditFilter::default()).await, before);
}

async fn a_claim_and_the_step_back_of_others_are_told(store: Arc<dyn SyncStore>) {
    let use_cases = UseCases::new(&store);
    let one = use_cases.user(1).await;
    let first = use_cases.create(&order_of(one, "", "123456")).await;
    use_cases.change(first.id, primary(true)).await;
    let guest = use_cases.create(&order("", "654321")).await;
    let seen = told(&use_cases, 0).await.len();
    let request = ContactRequest { is_primary: Some(true), ..order_of(one, "", "654321") };
    use_cases.upsert(&request).await;

    let entries = told(&use_cases, seen).await;
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

async fn customers_that_merge_and_fall_apart_are_told(store: Arc<dyn SyncStore>) {
    let use_cases = UseCases::new(&store);
    let email = use_cases.create(&order("doc@hillvalley.edu", "")).await;
    let phone = use_cases.create(&order("", "123456")).await;
    let bridge = use_cases.create(&order("doc@hillvalley.edu", "123456")).await;
    let seen = told(&use_cases, 0).await.len();
    let moved = |customer: CustomerId| json!({"customerId": customer.0, "contactIds": [phone.id.0]});
    let merged = &told(&use_cases, 0).await[2];
    let absorbed = format!("customer:{}", phone.customer.0);
    let expected = (moved(phone.customer), moved(email.customer));
    assert_eq!((merged.0.as_str(), &merged.1), ("customers.merged", &absorbed));
    assert_eq!((&merged.2, &merged.3), (&expected.0, &expected.1));

    use_cases.withdraw(bridge.id).await;
    let entries = told(&use_cases, seen).await;
    assert_eq!(entries[0].0, "contact.withdrawn");
    let part = use_cases.record(phone.id).await.customer;
    let split =
        ("customers.split".to_owned(), format!("customer:{}", part.0), moved(email.customer), moved(part));
    assert_eq!(entries[1..], [split]);
}

async fn identify_tells_what_it_adds_and_joins(store: Arc<dyn SyncStore>) {
    let use_cases = UseCases::new(&store);
    tell(&use_cases.identify, "doc@hillvalley.edu", "123456").await;
    let other = tell(&use_cases.identify, "", "654321").await;
    let whole = tell(&use_cases.identify, "doc@hillvalley.edu", "654321").await;
    let entries = told(&use_cases, 0).await;
    assert_eq!(
        actions(&use_cases, 0).await,
        ["contact.created", "contact.created", "customers.merged"],
        "the last statement joins and adds nothing"
    );
    let first = &entries[0].3;
    assert_eq!((&first["kind"], &first["source"]), (&json!("both"), &json!("identify")));
    assert_eq!((&first["email"], &first["phone"]), (&json!("doc@hillvalley.edu"), &json!("123456")));
    assert_eq!(first["customerId"], json!(whole.customer.id.0));
    assert_eq!(entries[2].1, format!("customer:{}", other.customer.id.0));
    tell(&use_cases.identify, "doc@hillvalley.edu", "0000000000").await;
    assert_eq!(told(&use_cases, 3).await[0].3["blocked"], json!({"phone": "never_links"}));
}

async fn a_user_and_a_correction_are_told(store: Arc<dyn SyncStore>) {
    let use_cases = UseCases::new(&store);
    let profile = Profile::from_texts(&[("name", "Zoë Brown")]).expect("a profile");
    let new = NewUser { id: Some(user(1)), external_id: None, profile: Some(profile) };
    use_cases.users.create_user(&new).await.expect("a user");
    let contact =
        use_cases.create(&from(ContactSource::Order, order_of(user(1), "doc@hillvalley.edu", ""))).await;
    use_cases.rule(contact.customer, json!({"companyName": "Clocks"})).await;
    let entries = told(&use_cases, 0).await;
    assert_eq!(actions(&use_cases, 0).await, ["user.created", "contact.created", "contact.created"]);
    let user = json!({"id": user(1).0, "externalId": null, "profile": {"name": "Zoë Brown"}});
    assert_eq!((&entries[0].2, &entries[0].3), (&Value::Null, &user));
    let ruled = &entries[2].3;
    assert_eq!((&ruled["source"], &ruled["profile"]), (&json!("manual"), &json!({"companyName": "Clocks"})));
}

async fn who_acts_is_on_record(store: Arc<dyn SyncStore>) {
    let use_cases = UseCases::new(&store);
    let token = Actor::Token { id: TokenId(7), user: Some(user(9)) };
    for (actor, name, token, by) in [
        (Actor::Program, "program", None, None),
        (Actor::CommandLine, "command_line", None, None),
        (Actor::Anonymous, "anonymous", None, None),
        (token, "token", Some(TokenId(7)), Some(user(9))),
        (Actor::Webhook("kratos"), "webhook:kratos", None, None),
    ] {
        let acting = Acting { actor, request_id: Some("r-1".into()), operation: None };
        use_cases.contacts.acting(&acting).create_contact(&order("", "123456")).await.expect("a contact");
        let last = all(&use_cases, &AuditFilter::default()).await.pop().expect("an entry").facts;
        assert_eq!((last.actor.as_str(), last.token, last.user), (name, token, by));
        assert_eq!(last.request_id.as_deref(), Some("r-1"));
    }
}

async fn a_change_that_is_rolled_back_leaves_nothing(store: Arc<dyn SyncStore>) {
    let use_cases = UseCases::new(&store);
    let one = use_cases.user(1).await;
    use_cases.create(&order_of(one, "", "123456")).await;
    let before = all(&use_cases, &AuditFilter::default()).await;
    // Too large together: it shows only after others have stepped back.
    let large = |name: &str| metadata(&json!({name: "x".repeat(Metadata::MAX_BYTES - 100)}));
    let full = ContactRequest { metadata: large("a"), ..order_of(one, "doc@hillvalley.edu", "") };
    let known = use_cases.create(&full).await;
    let seen = all(&use_cases, &AuditFilter::default()).await;
    assert_eq!(seen.len(), before.len() + 1);
    let request = ContactRequest { metadata: large("b"), ..order_of(one, "doc@hillvalley.edu", "") };
    use_cases.contacts.create_or_update_contact(&request).await.expect_err("too much metadata");
    use_cases.change(known.id, primary(true)).await;
    // An open transaction that is given up, with an entry in it.
    let mut transaction = store.begin_sync().await.expect("a transaction");
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
    assert_eq!(all(&use_cases, &AuditFilter::default()).await.len(), seen.len() + 1);
}
