//! What stays in the tables as evidence, read with plain SQL since no port reads it yet.

use std::sync::Arc;

use onefold_domain::contact::Received;
use onefold_persistence::testing::TestDatabase;
use onefold_service::identify::IdentifyRequest;
use onefold_sync::store::SyncStore;
use uuid::Uuid;

use crate::scene::{register, seen, service, statement, tell, tell_as, user};

on_both_databases!(
    values_are_kept_as_received,
    a_contact_keeps_why_it_does_not_link,
    a_merge_keeps_what_caused_it,
    a_merge_that_brings_news_names_its_contact,
);

async fn values_are_kept_as_received(database: &TestDatabase) {
    let store: Arc<dyn SyncStore> = Arc::new(database.store().await);
    let received = Received {
        email: Some("  Lorraine@HillValley.EDU ".to_owned()),
        phone: Some("(12) 34-56 ☎".to_owned()),
    };
    let statement = statement("lorraine@hillvalley.edu", "123456").of_user(user(9));
    let request = IdentifyRequest { statement, received: received.clone() };
    let service = service(&store);
    register(service.environment(), user(9)).await;
    service.run(&request).await.expect("identify should answer");

    let rows = database
        .query("SELECT email, phone, received_email, received_phone, source, user_id FROM contact")
        .await;
    let [row] = &rows[..] else { panic!("one contact") };
    let text = |index| row.try_get_by_index::<Option<String>>(index).expect("a text");
    assert_eq!(text(0).as_deref(), Some("lorraine@hillvalley.edu"));
    assert_eq!(text(1).as_deref(), Some("123456"));
    assert_eq!((text(2), text(3)), (received.email, received.phone));
    assert_eq!(text(4).as_deref(), Some("identify"));
    assert_eq!(row.try_get_by_index::<Uuid>(5).expect("a user"), user(9).0);
}

async fn a_contact_keeps_why_it_does_not_link(database: &TestDatabase) {
    let store: Arc<dyn SyncStore> = Arc::new(database.store().await);
    let service = service(&store);
    tell(&service, "noemail@hillvalley.edu", "123456").await;
    tell_as(&service, user(1), "marty@hillvalley.edu", "").await;
    tell_as(&service, user(2), "doc@hillvalley.edu", "").await;
    tell_as(&service, user(2), "marty@hillvalley.edu", "").await;
    let rows = database.query("SELECT email_blocked_by, phone_blocked_by FROM contact ORDER BY id").await;
    let rules: Vec<(Option<String>, Option<String>)> = rows
        .iter()
        .map(|row| (row.try_get_by_index(0).expect("a rule"), row.try_get_by_index(1).expect("a rule")))
        .collect();
    let email = |rule: &str| (Some(rule.to_owned()), None);
    assert_eq!(rules, [email("never_links"), (None, None), (None, None), email("two_users")]);
}

async fn a_merge_keeps_what_caused_it(database: &TestDatabase) {
    let store: Arc<dyn SyncStore> = Arc::new(database.store().await);
    let service = service(&store);
    let older = tell(&service, "george@hillvalley.edu", "919191").await;
    let younger = tell(&service, "biffsucks@hillvalley.edu", "717171").await;
    let link = "SELECT survivor_id, absorbed_id, email, phone, contact_id, after_contact_id FROM link";
    assert!(database.query(link).await.is_empty());
    tell(&service, "george@hillvalley.edu", "717171").await;

    let rows = database.query(link).await;
    let [row] = &rows[..] else { panic!("one link") };
    let id = |index| row.try_get_by_index::<Uuid>(index).expect("an id");
    assert_eq!((id(0), id(1)), (older.customer.id.0, younger.customer.id.0));
    let text = |index| row.try_get_by_index::<String>(index).expect("a text");
    assert_eq!((text(2), text(3)), ("george@hillvalley.edu".to_owned(), "717171".to_owned()));
    assert_eq!(row.try_get_by_index::<Option<i64>>(4).expect("no contact"), None);
    assert_eq!(row.try_get_by_index::<i64>(5).expect("a contact"), seen(&younger).primary);
}

async fn a_merge_that_brings_news_names_its_contact(database: &TestDatabase) {
    let store: Arc<dyn SyncStore> = Arc::new(database.store().await);
    let service = service(&store);
    tell(&service, "seamus@hillvalley.edu", "").await;
    tell(&service, "", "181818").await;
    let joined = tell_as(&service, user(3), "seamus@hillvalley.edu", "181818").await;
    let added = seen(&joined).secondaries[1];
    assert_eq!(database.count("SELECT contact_id FROM link").await, added);
}
