//! Many callers at once. Whatever their order was, the result must be one that some order explains.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use onefold_domain::linking::Outcome;
use onefold_service::identify::{Identified, Identify};
use onefold_sync::store::SyncStore;
use tokio::task::JoinSet;

use crate::scene::{Seen, recall, seen, service, tell};

on_every_store!(
    one_new_value_makes_one_customer,
    one_phone_gathers_all_emails,
    a_chain_joined_at_once_becomes_one_customer,
    any_requests_leave_their_components,
);

async fn one_new_value_makes_one_customer(store: Arc<dyn SyncStore>) {
    let service = service(&store);
    let same =
        (0..30).map(|_| (service.clone(), ("lorraine@hillvalley.edu".to_owned(), "123456".to_owned())));
    let answers = all_at_once(same).await;
    let created = answers.iter().filter(|answer| answer.outcome == Outcome::Created).count();
    let known = answers.iter().filter(|answer| answer.outcome == Outcome::Known).count();
    assert_eq!((created, known), (1, 29));
    assert!(answers.iter().all(|answer| seen(answer) == seen(&answers[0])));
    assert_eq!(recall(&service, "", "123456").await.contacts(), 1);
}

async fn one_phone_gathers_all_emails(store: Arc<dyn SyncStore>) {
    let service = service(&store);
    let requests =
        (0..30).map(|number| (service.clone(), (format!("m{number}@hillvalley.edu"), "123456".to_owned())));
    let answers = all_at_once(requests).await;
    let created = answers.iter().filter(|answer| answer.outcome == Outcome::Created).count();
    let attached = answers.iter().filter(|answer| answer.outcome == Outcome::Attached).count();
    assert_eq!((created, attached), (1, 29));
    let whole = recall(&service, "", "123456").await;
    assert_eq!((whole.contacts(), whole.emails.len()), (30, 30));
    assert!(answers.iter().all(|answer| seen(answer).primary == whole.primary));
}

async fn a_chain_joined_at_once_becomes_one_customer(store: Arc<dyn SyncStore>) {
    const LINKS: usize = 16;
    let service = service(&store);
    let email = |link: usize| format!("c{link}@hillvalley.edu");
    let phone = |link: usize| format!("7000{link:02}");
    let mut ids = Vec::new();
    for link in 0..LINKS {
        ids.push(seen(&tell(&service, &email(link), &phone(link)).await).primary);
    }
    let joins = (1..LINKS).map(|link| (service.clone(), (email(link - 1), phone(link))));
    let answers = all_at_once(joins).await;
    // Each joins two that were apart until then, in whatever order they come.
    assert!(answers.iter().all(|answer| answer.outcome == Outcome::Merged));
    let whole = recall(&service, &email(LINKS - 1), "").await;
    assert_eq!((whole.primary, &whole.secondaries[..]), (ids[0], &ids[1..]));
}

async fn any_requests_leave_their_components(store: Arc<dyn SyncStore>) {
    burst(&[service(&store)]).await;
}

/// Two hundred requests over few values, shared out among these services, and all that must hold
/// afterwards. The requests are the same every time, their order is not.
pub(crate) async fn burst(services: &[Identify]) {
    let requests: Vec<(String, String)> = (0..200_u64).map(random_request).collect();
    let calls = requests
        .iter()
        .enumerate()
        .map(|(index, request)| (services[index % services.len()].clone(), request.clone()));
    let answers = all_at_once(calls).await;

    let components = components(&requests);
    let mut customers = BTreeMap::new();
    for (value, component) in &components {
        let (email, phone) = if value.contains('@') { (&value[..], "") } else { ("", &value[..]) };
        let whole = recall(&services[0], email, phone).await;
        assert_eq!(&values(&whole), component, "the customer of {value}");
        // Every contact but those of merged customers brought something new.
        assert!(whole.contacts() <= component.len());
        customers.insert(whole.primary, whole.contacts());
    }
    assert!(customers.len() > 1, "requests that all belong together would prove little");
    for (answer, (email, phone)) in answers.iter().zip(&requests) {
        let shown = values(&seen(answer));
        for value in [email, phone].into_iter().filter(|value| !value.is_empty()) {
            assert!(shown.contains(value), "an answer shows what was asked");
            assert!(shown.is_subset(&components[value]), "an answer shows nobody else's values");
        }
    }
}

/// Few values, so that they meet, in groups, so that not all of them do.
fn random_request(number: u64) -> (String, String) {
    // The high bits of a multiplicative hash are well mixed.
    let draw =
        |salt: u64, below: u64| ((number * 2 + salt).wrapping_mul(0x9E37_79B9_7F4A_7C15) >> 40) % below;
    let group = number % 4;
    let email = format!("g{group}m{}@hillvalley.edu", draw(0, 9));
    let phone = format!("55{group}0{}", draw(1, 9));
    match number % 7 {
        0 => (email, String::new()),
        1 => (String::new(), phone),
        _ => (email, phone),
    }
}

/// Each value with all that belong to it, found the slow and obvious way.
fn components(requests: &[(String, String)]) -> BTreeMap<String, BTreeSet<String>> {
    let mut found: Vec<BTreeSet<String>> = Vec::new();
    for (email, phone) in requests {
        let stated: BTreeSet<String> =
            [email, phone].into_iter().filter(|value| !value.is_empty()).cloned().collect();
        let (touched, apart): (Vec<_>, Vec<_>) =
            found.into_iter().partition(|component| !component.is_disjoint(&stated));
        found = apart;
        found.push(touched.into_iter().flatten().chain(stated).collect());
    }
    found
        .iter()
        .flat_map(|component| component.iter().map(|value| (value.clone(), component.clone())))
        .collect()
}

fn values(seen: &Seen) -> BTreeSet<String> {
    seen.emails.iter().chain(&seen.phones).cloned().collect()
}

/// The answers in the order of the calls.
pub(crate) async fn all_at_once(
    calls: impl Iterator<Item = (Identify, (String, String))>,
) -> Vec<Identified> {
    let mut running = JoinSet::new();
    for (index, (service, (email, phone))) in calls.enumerate() {
        running.spawn(async move { (index, tell(&service, &email, &phone).await) });
    }
    let mut answers = running.join_all().await;
    answers.sort_by_key(|(index, _)| *index);
    answers.into_iter().map(|(_, answer)| answer).collect()
}
