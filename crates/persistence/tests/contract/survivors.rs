//! What a customer's profile shows of all that its contacts say, and what a person says about it.

use std::sync::Arc;

use onefold_domain::contact::ContactRecord;
use onefold_domain::id::{ContactId, CustomerId};
use onefold_domain::profile::{Profile, ProfileField};
use onefold_domain::source::ContactSource;
use onefold_service::contacts::Expectation;
use onefold_service::error::RecordError;
use onefold_sync::store::SyncStore;
use serde_json::json;

use crate::scene::recall;
use crate::use_cases::{UseCases, from, ids, members, order, order_of, verified, with_profile};

on_every_store!(
    the_best_statement_about_a_field_survives,
    each_field_is_decided_by_itself,
    a_profile_follows_its_contacts,
    a_ruling_is_a_manual_contact_and_is_undone_by_withdrawing_it,
    a_ruling_of_nothing_hides_what_others_say,
    a_ruling_changes_parts_of_an_address,
    a_ruling_links_as_the_oldest_contact_does,
    a_stale_or_faulty_ruling_is_refused,
    a_ruling_on_an_absorbed_customer_reaches_its_survivor,
);

fn named(source: ContactSource, name: &str) -> onefold_service::contacts::ContactRequest {
    with_profile(from(source, order("marty@hillvalley.edu", "")), &[("name", name)])
}

/// The name that is shown, and whose it is.
async fn shown(use_cases: &UseCases, customer: CustomerId) -> (Option<String>, Option<ContactId>) {
    let view = use_cases.customer(customer).await;
    let source = view.profile_sources.get(&ProfileField::Name).copied();
    (view.profile.text(ProfileField::Name).map(str::to_owned), source)
}

/// From the least to the most trusted: each beats all that were said before, whenever it was said.
async fn the_best_statement_about_a_field_survives(store: Arc<dyn SyncStore>) {
    let use_cases = UseCases::new(&store);
    let ascending = [
        named(ContactSource::Identify, "Identified"),
        named(ContactSource::Import, "Imported"),
        named(ContactSource::Order, "Ordered"),
        named(ContactSource::Order, "Ordered later"),
        named(ContactSource::SignupForm, "Signed up"),
        named(ContactSource::Auth, "Logged in"),
        verified(named(ContactSource::Identify, "Identified and verified")),
        verified(named(ContactSource::Auth, "Logged in and verified")),
        named(ContactSource::Manual, "Entered"),
        verified(named(ContactSource::Manual, "Entered and verified")),
    ];
    let weakest = named(ContactSource::Identify, "Identified again");
    let mut contacts: Vec<ContactRecord> = Vec::new();
    for request in &ascending {
        let contact = use_cases.create(request).await;
        let name = request.profile.as_ref().and_then(|profile| profile.text(ProfileField::Name));
        assert_eq!(shown(&use_cases, contact.customer).await, (name.map(str::to_owned), Some(contact.id)));
        contacts.push(contact);
    }
    // It is not the last word that counts, but the best; and so on down when that is taken back.
    use_cases.create(&weakest).await;
    for best in contacts.iter().rev().take(contacts.len() - 1) {
        assert_eq!(shown(&use_cases, best.customer).await.1, Some(best.id));
        use_cases.withdraw(best.id).await;
    }
}

async fn each_field_is_decided_by_itself(store: Arc<dyn SyncStore>) {
    let use_cases = UseCases::new(&store);
    let of = |source, texts: &[(&str, &str)]| with_profile(from(source, order("", "123456")), texts);
    let auth = use_cases.create(&of(ContactSource::Auth, &[("name", "Doc"), ("role", "inventor")])).await;
    let later =
        [("name", "Emmett"), ("country", "US"), ("address.city", "Hill Valley"), ("address.region", "CA")];
    let order = use_cases.create(&of(ContactSource::Order, &later)).await;
    // An address is taken as a whole: no street of one with the city of another.
    let import = [("address.street", "1640 Riverside Drive"), ("website", "https://example.com/doc")];
    let import = use_cases.create(&of(ContactSource::Import, &import)).await;

    let view = use_cases.customer(auth.customer).await;
    let texts =
        [("name", "Doc"), ("role", "inventor"), ("country", "US"), ("website", "https://example.com/doc")];
    let texts = [&texts[..], &later[2..]].concat();
    assert_eq!(view.profile, Profile::from_texts(&texts).expect("a profile"));
    let sources: Vec<_> = view.profile_sources.into_iter().collect();
    let expected = [
        (ProfileField::Name, auth.id),
        (ProfileField::Role, auth.id),
        (ProfileField::Address, order.id),
        (ProfileField::Country, order.id),
        (ProfileField::Website, import.id),
    ];
    assert_eq!(sources, expected);
}

async fn a_profile_follows_its_contacts(store: Arc<dyn SyncStore>) {
    let use_cases = UseCases::new(&store);
    let older = use_cases.create(&named(ContactSource::Order, "Marty")).await;
    let newer = use_cases.create(&named(ContactSource::Order, "Calvin")).await;
    assert_eq!(shown(&use_cases, older.customer).await, (Some("Calvin".to_owned()), Some(newer.id)));
    // Said once more it is the newest.
    let (said, _) = use_cases.upsert(&named(ContactSource::Order, "Marty")).await;
    assert_eq!(said.id, older.id);
    assert_eq!(shown(&use_cases, older.customer).await, (Some("Marty".to_owned()), Some(older.id)));
    // Two customers that become one show one profile.
    let doc = with_profile(verified(order("", "123456")), &[("name", "Doc")]);
    let doc = use_cases.create(&doc).await;
    let bridge = use_cases.create(&order("marty@hillvalley.edu", "123456")).await;
    assert_eq!(shown(&use_cases, older.customer).await, (Some("Doc".to_owned()), Some(doc.id)));
    use_cases.withdraw(bridge.id).await;
    assert_eq!(shown(&use_cases, older.customer).await.1, Some(older.id));
    assert_eq!(shown(&use_cases, doc.customer).await.1, Some(doc.id));
}

async fn a_ruling_is_a_manual_contact_and_is_undone_by_withdrawing_it(store: Arc<dyn SyncStore>) {
    let use_cases = UseCases::new(&store);
    let contact = use_cases.create(&verified(named(ContactSource::Auth, "Calvin Klein"))).await;
    let before = use_cases.customer(contact.customer).await;
    let ruled =
        use_cases.rule(contact.customer, json!({"name": "Marty McFly", "notes": "plays guitar"})).await;
    assert_eq!(use_cases.customer(contact.customer).await, ruled);
    assert_eq!(ruled.profile.text(ProfileField::Name), Some("Marty McFly"));
    assert_ne!(ruled.revision, before.revision);

    let [_, manual] = &ruled.contacts[..] else { panic!("two contacts") };
    assert_eq!((manual.source, &manual.statement), (ContactSource::Manual, &contact.statement));
    assert_eq!(ruled.profile_sources[&ProfileField::Name], manual.id);
    assert_eq!(ruled.profile_sources[&ProfileField::Notes], manual.id);
    // What anybody else says later does not matter.
    use_cases.upsert(&verified(named(ContactSource::Auth, "Clint Eastwood"))).await;
    assert_eq!(shown(&use_cases, contact.customer).await.1, Some(manual.id));
    assert_eq!(use_cases.find("guitar").await, [] as [CustomerId; 0], "notes are not searched");
    assert_eq!(use_cases.find("mcfly").await, [contact.customer]);

    use_cases.withdraw(manual.id).await;
    let undone = use_cases.customer(contact.customer).await;
    assert_eq!(undone.profile, Profile::from_texts(&[("name", "Clint Eastwood")]).expect("a profile"));
    assert_eq!(ids(&undone.contacts), [contact.id]);
}

async fn a_ruling_of_nothing_hides_what_others_say(store: Arc<dyn SyncStore>) {
    let use_cases = UseCases::new(&store);
    let contact = use_cases.create(&named(ContactSource::Auth, "Calvin Klein")).await;
    let ruled = use_cases.rule(contact.customer, json!({"name": null})).await;
    let manual = ruled.contacts[1].id;
    assert!(!ruled.profile.states(ProfileField::Name));
    assert_eq!(ruled.profile_sources[&ProfileField::Name], manual);
    use_cases.upsert(&verified(named(ContactSource::Auth, "Clint Eastwood"))).await;
    assert_eq!(shown(&use_cases, contact.customer).await, (None, Some(manual)));
    // A later ruling counts more than an earlier one.
    use_cases.rule(contact.customer, json!({"name": "Marty"})).await;
    assert_eq!(shown(&use_cases, contact.customer).await.0.as_deref(), Some("Marty"));
    use_cases.withdraw(manual).await;
    assert_eq!(shown(&use_cases, contact.customer).await.0.as_deref(), Some("Marty"));
}

async fn a_ruling_changes_parts_of_an_address(store: Arc<dyn SyncStore>) {
    let use_cases = UseCases::new(&store);
    let texts =
        [("address.street", "9303 Lyon Drive"), ("address.city", "Hill Valley"), ("address.region", "NV")];
    let contact = use_cases.create(&with_profile(order("marty@hillvalley.edu", ""), &texts)).await;
    let patch = json!({"address": {"region": "CA", "street": null}});
    let ruled = use_cases.rule(contact.customer, patch).await;
    let expected = [("address.city", "Hill Valley"), ("address.region", "CA")];
    assert_eq!(ruled.profile, Profile::from_texts(&expected).expect("a profile"));
}

async fn a_ruling_links_as_the_oldest_contact_does(store: Arc<dyn SyncStore>) {
    let use_cases = UseCases::new(&store);
    let (one, other) = (use_cases.user(1).await, use_cases.user(2).await);
    let owner = use_cases.create(&order_of(one, "marty@hillvalley.edu", "")).await;
    let kept_out = use_cases.create(&order_of(other, "marty@hillvalley.edu", "")).await;
    let ruled = use_cases.rule(kept_out.customer, json!({"name": "Doc"})).await;
    assert_eq!((ruled.id, ruled.users), (kept_out.customer, vec![other]));
    let manual = &ruled.contacts[1];
    assert_eq!(manual.email_blocked_by, kept_out.email_blocked_by);
    // It stands for its customer when the oldest contact is gone.
    use_cases.withdraw(kept_out.id).await;
    let left = use_cases.customer(kept_out.customer).await;
    assert_eq!((left.primary, left.profile), (Some(manual.id), ruled.profile));
    assert_eq!(use_cases.customer(owner.customer).await.contacts.len(), 1);
    assert_eq!(recall(&use_cases.identify, "marty@hillvalley.edu", "").await.primary, owner.id.0);
}

async fn a_stale_or_faulty_ruling_is_refused(store: Arc<dyn SyncStore>) {
    let use_cases = UseCases::new(&store);
    let contact = use_cases.create(&named(ContactSource::Order, "Marty")).await;
    let seen = Expectation::OneOf(vec![use_cases.customer(contact.customer).await.revision]);
    let rule = async |patch, expected: &Expectation| {
        use_cases.customers.change_profile(contact.customer, &members(patch), expected).await
    };
    let faulty = rule(json!({"name": "Marty", "country": "Nowhere"}), &seen).await;
    assert!(matches!(faulty, Err(RecordError::Profile(faults)) if faults.len() == 1));
    // To say nothing is no ruling.
    rule(json!({}), &seen).await.expect("an empty patch");
    assert_eq!(use_cases.everything().await.len(), 1);

    let ruled = rule(json!({"role": "son"}), &seen).await.expect("the state that was seen");
    assert!(matches!(rule(json!({"role": "boy"}), &seen).await, Err(RecordError::Stale)));
    assert_eq!(use_cases.customer(contact.customer).await, ruled);
    for record in &ruled.contacts {
        use_cases.withdraw(record.id).await;
    }
    let gone = rule(json!({"role": "boy"}), &Expectation::Anything).await;
    assert!(matches!(gone, Err(RecordError::NoSuchCustomer)));
}

async fn a_ruling_on_an_absorbed_customer_reaches_its_survivor(store: Arc<dyn SyncStore>) {
    let use_cases = UseCases::new(&store);
    let older = use_cases.create(&order("marty@hillvalley.edu", "")).await;
    let younger = use_cases.create(&order("", "123456")).await;
    use_cases.create(&order("marty@hillvalley.edu", "123456")).await;
    let ruled = use_cases.rule(younger.customer, json!({"name": "Marty"})).await;
    assert_eq!(ruled.id, older.customer);
    assert_eq!(shown(&use_cases, older.customer).await.0.as_deref(), Some("Marty"));
}
