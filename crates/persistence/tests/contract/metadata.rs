//! Finding contacts by their metadata, and that whatever changes it keeps them found.

use std::sync::Arc;

use onefold_domain::contact::ContactKind;
use onefold_domain::id::ContactId;
use onefold_domain::metadata::MetadataFilter;
use onefold_domain::source::ContactSource;
use onefold_service::contacts::{ContactChange, ContactRequest, PageRequest};
use onefold_service::file::ImportFormat;
use onefold_service::import::ImportOptions;
use onefold_service::imports::Imports;
use onefold_service::store::ContactFilter;
use onefold_sync::store::SyncStore;
use serde_json::{Value, json};

use crate::use_cases::{UseCases, from, ids, metadata, order, order_of, to_email};

on_every_store!(
    a_contact_is_found_by_any_plain_member,
    filters_of_metadata_hold_together_with_all_others,
    a_change_is_found_by_what_it_says_now,
    what_is_withdrawn_is_not_found,
    an_import_is_found_by_its_columns,
    pages_of_what_many_have_visit_each_once,
    a_customer_is_found_by_a_piece_of_a_value,
);

fn member(name: &str, value: &str) -> MetadataFilter {
    MetadataFilter::parse(name, value).expect("a filter")
}

fn having(members: &[(&str, &str)]) -> ContactFilter {
    let metadata = members.iter().map(|(name, value)| member(name, value)).collect();
    ContactFilter { metadata, ..ContactFilter::default() }
}

pub(crate) async fn found(use_cases: &UseCases, members: &[(&str, &str)]) -> Vec<ContactId> {
    ids(&use_cases.list(&having(members)).await)
}

pub(crate) fn with(request: ContactRequest, value: &Value) -> ContactRequest {
    ContactRequest { metadata: metadata(value), ..request }
}

fn patch(value: Option<&Value>) -> ContactChange {
    ContactChange { metadata: Some(value.map(metadata)), ..ContactChange::default() }
}

async fn a_contact_is_found_by_any_plain_member(store: Arc<dyn SyncStore>) {
    let use_cases = UseCases::new(&store);
    let long = "é".repeat(255);
    let told = json!({
        "orderId": "order_123", "items": 3, "total": 12.5, "large": u64::MAX, "vip": true, "a.b": "dots",
        "": "nameless", "long": long, "%_'\\\"": "%_'\\\"", "zero": "a\u{0}", "nested": {"orderId": "order_124"},
        "list": ["order_125"], "empty": "", "too": "x".repeat(256),
    });
    let id = use_cases.create(&with(order("marty@hillvalley.edu", ""), &told)).await.id;
    use_cases.create(&with(order("doc@hillvalley.edu", ""), &json!({"other": "order_123"}))).await;
    for (name, value) in [
        ("orderId", "order_123"),
        ("items", "3"),
        ("total", "12.5"),
        ("large", "18446744073709551615"),
        ("vip", "true"),
        ("a.b", "dots"),
        ("", "nameless"),
        ("long", &long),
        ("%_'\\\"", "%_'\\\""),
    ] {
        assert_eq!(found(&use_cases, &[(name, value)]).await, [id], "{name}={value}");
    }
    for (name, value) in [
        ("orderId", "order_12"),
        ("orderId", "Order_123"),
        ("orderid", "order_123"),
        ("orderId", "order_123 "),
        ("orderId", "order_124"),
        ("orderId", "%"),
        ("nested", "order_124"),
        ("list", "order_125"),
        ("total", "12.50"),
        ("vip", "1"),
    ] {
        assert!(found(&use_cases, &[(name, value)]).await.is_empty(), "{name}={value}");
    }
}

async fn filters_of_metadata_hold_together_with_all_others(store: Arc<dyn SyncStore>) {
    let use_cases = UseCases::new(&store);
    let user = use_cases.user(1).await;
    let gold = |id: &str| json!({"tier": "gold", "orderId": id});
    let first = use_cases.create(&with(order("marty@hillvalley.edu", ""), &gold("1"))).await;
    let second = use_cases.create(&with(order_of(user, "", "202020"), &gold("2"))).await;
    let auth = from(ContactSource::Auth, order("doc@hillvalley.edu", ""));
    let third = use_cases.create(&with(auth, &json!({"tier": "silver", "orderId": "1"}))).await;
    let gold = having(&[("tier", "gold")]);
    for (filter, expected) in [
        (gold.clone(), vec![first.id, second.id]),
        (having(&[("tier", "gold"), ("orderId", "1")]), vec![first.id]),
        (having(&[("tier", "silver"), ("orderId", "1")]), vec![third.id]),
        (having(&[("tier", "silver"), ("orderId", "2")]), vec![]),
        (ContactFilter { kind: Some(ContactKind::Phone), ..gold.clone() }, vec![second.id]),
        (ContactFilter { user: Some(user), ..gold.clone() }, vec![second.id]),
        (ContactFilter { source: Some(ContactSource::Auth), ..gold.clone() }, vec![]),
        (ContactFilter { customer: Some(first.customer), ..gold.clone() }, vec![first.id]),
        (ContactFilter { email: first.statement.email().cloned(), ..gold }, vec![first.id]),
    ] {
        assert_eq!(ids(&use_cases.list(&filter).await), expected, "{filter:?}");
    }
}

async fn a_change_is_found_by_what_it_says_now(store: Arc<dyn SyncStore>) {
    let use_cases = UseCases::new(&store);
    let told = with(order("marty@hillvalley.edu", ""), &json!({"a": "1", "b": "2", "c": {"d": "e"}}));
    let id = use_cases.create(&told).await.id;
    let check = async |present: &[(&str, &str)], absent: &[(&str, &str)]| {
        for member in present {
            assert_eq!(found(&use_cases, &[*member]).await, [id], "{member:?}");
        }
        for member in absent {
            assert!(found(&use_cases, &[*member]).await.is_empty(), "{member:?}");
        }
    };
    use_cases.change(id, patch(Some(&json!({"a": null, "b": 3, "c": "plain"})))).await;
    check(&[("b", "3"), ("c", "plain")], &[("a", "1"), ("b", "2")]).await;
    // Neither another value nor an upsert that says nothing of it loses it.
    use_cases.change(id, to_email("calvin@hillvalley.edu")).await;
    check(&[("b", "3"), ("c", "plain")], &[]).await;
    use_cases.upsert(&with(order("calvin@hillvalley.edu", ""), &json!({"c": null, "f": true}))).await;
    check(&[("b", "3"), ("f", "true")], &[("c", "plain")]).await;
    let user = use_cases.user(1).await;
    use_cases.upsert(&with(order_of(user, "calvin@hillvalley.edu", ""), &json!({"f": "claimed"}))).await;
    check(&[("b", "3"), ("f", "claimed")], &[("f", "true")]).await;
    use_cases.change(id, patch(None)).await;
    check(&[], &[("b", "3"), ("f", "claimed")]).await;
    use_cases.change(id, patch(Some(&json!({"b": "3"})))).await;
    check(&[("b", "3")], &[]).await;
}

async fn what_is_withdrawn_is_not_found(store: Arc<dyn SyncStore>) {
    let use_cases = UseCases::new(&store);
    let told = |email| with(order(email, ""), &json!({"orderId": "order_123"}));
    let gone = use_cases.create(&told("marty@hillvalley.edu")).await.id;
    let left = use_cases.create(&told("doc@hillvalley.edu")).await;
    use_cases.withdraw(gone).await;
    assert_eq!(found(&use_cases, &[("orderId", "order_123")]).await, [left.id]);
    assert_eq!(use_cases.find("order_123").await, [left.customer]);
}

pub(crate) async fn import(store: &Arc<dyn SyncStore>, use_cases: &UseCases, file: &str) {
    let imports = Imports::new(use_cases.identify.environment().clone(), None);
    let mut receiving =
        imports.receive(ImportFormat::Csv, ImportOptions::default()).await.expect("a file may come in");
    receiving.append(file.as_bytes()).await.expect("a piece should be kept");
    let id = receiving.complete().await.expect("the file is there").id;
    while imports.next().await.expect("a file should be imported") {}
    let import = store.imports().get(id).await.expect("an answer").expect("an import");
    assert_eq!(import.counts.failed, 0);
}

async fn an_import_is_found_by_its_columns(store: Arc<dyn SyncStore>) {
    let use_cases = UseCases::new(&store);
    import(&store, &use_cases, "email,tier,order\na@x.example,gold,1\nb@x.example,,2\nc@x.example,gold,3\n")
        .await;
    assert_eq!(found(&use_cases, &[("tier", "gold")]).await, [ContactId(1), ContactId(3)]);
    assert_eq!(found(&use_cases, &[("order", "2")]).await, [ContactId(2)]);
    import(&store, &use_cases, "email,tier,order\na@x.example,silver,1\nd@x.example,gold,\n").await;
    assert_eq!(found(&use_cases, &[("tier", "gold")]).await, [ContactId(3), ContactId(4)]);
    assert_eq!(found(&use_cases, &[("tier", "silver"), ("order", "1")]).await, [ContactId(1)]);
}

async fn pages_of_what_many_have_visit_each_once(store: Arc<dyn SyncStore>) {
    let use_cases = UseCases::new(&store);
    let rows: String =
        (0..50).map(|number| format!("p{number}@x.example,{},{}\n", number % 2, number % 5)).collect();
    import(&store, &use_cases, &format!("email,half,fifth\n{rows}")).await;
    let kind = Some(ContactKind::Email);
    for (filter, count) in [
        (having(&[("half", "0")]), 25),
        (having(&[("half", "0"), ("fifth", "1")]), 5),
        (ContactFilter { kind, ..having(&[("half", "1")]) }, 25),
    ] {
        let (mut seen, mut after) = (Vec::new(), None);
        loop {
            let page =
                use_cases.contacts.contacts(&filter, PageRequest { after, limit: 4 }).await.expect("a page");
            assert!(page.entries.len() <= 4);
            seen.extend(ids(&page.entries));
            let Some(next) = page.next else { break };
            after = Some(next);
        }
        assert_eq!(seen, ids(&use_cases.list(&filter).await));
        assert_eq!(seen.len(), count);
    }
}

async fn a_customer_is_found_by_a_piece_of_a_value(store: Arc<dyn SyncStore>) {
    let use_cases = UseCases::new(&store);
    let told = json!({"orderId": "Ordér_123", "count": 45_678, "vip": true, "inner": {"x": "hidden"}});
    let record = use_cases.create(&with(order("marty@hillvalley.edu", ""), &told)).await;
    for query in ["order_123", "RDER_12", "marty 4567", "order_123 45678"] {
        assert_eq!(use_cases.find(query).await, [record.customer], "{query}");
    }
    for query in ["order_124", "true", "hidden", "orderId"] {
        assert!(use_cases.find(query).await.is_empty(), "{query}");
    }
    use_cases.change(record.id, patch(Some(&json!({"orderId": "other"})))).await;
    assert!(use_cases.find("order_123").await.is_empty());
    assert_eq!(use_cases.find("other").await, [record.customer]);
}
