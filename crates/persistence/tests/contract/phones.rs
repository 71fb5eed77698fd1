//! Numbers that are more, or less, than digits in a numbering plan: extensions, numbers that no plan knows, and what
//! is no number at all. What they are found by must be the same before and after they were stored.

use std::sync::Arc;

use onefold_domain::block::Part;
use onefold_domain::block::{Block, BlockRule};
use onefold_domain::linking::Outcome;
use onefold_service::store::ContactFilter;

use crate::scene::{phone, recall, seen, service, tell};
use crate::use_cases::{UseCases, ids, order};
use onefold_sync::store::SyncStore;

on_every_store!(
    an_extension_belongs_to_the_number,
    a_number_that_no_plan_knows_keeps_its_plus,
    renumbered_subscribers_stay_themselves,
    what_is_no_number_links_nobody,
    each_is_listed_by_itself,
);

async fn an_extension_belongs_to_the_number(store: Arc<dyn SyncStore>) {
    let service = service(&store);
    let use_cases = tell(&service, "ann@hillvalley.edu", "+1 202 555 0143 x12").await;
    assert_eq!(seen(&use_cases).phones, ["+12025550143;ext=12"]);
    for other in ["+1 202 555 0143 x34", "+1 202 555 0143"] {
        let other = tell(&service, "", other).await;
        assert_eq!(other.outcome, Outcome::Created);
        assert_ne!(other.customer.id, use_cases.customer.id);
    }
    for same in ["+12025550143;ext=12", "tel:+1-202-555-0143;ext=12", "001 202 555 0143 ext. 12 (work)"] {
        assert_eq!(recall(&service, "", same).await, seen(&use_cases), "{same}");
    }
    let home = tell(&service, "ann@home.example", "+1 202 555 0143, Durchwahl 12").await;
    assert_eq!((home.outcome, home.customer.id), (Outcome::Attached, use_cases.customer.id));
}

async fn a_number_that_no_plan_knows_keeps_its_plus(store: Arc<dyn SyncStore>) {
    let service = service(&store);
    let first = tell(&service, "george@hillvalley.edu", "+1234567890").await;
    assert_eq!(seen(&first).phones, ["+1234567890"]);
    assert_eq!(recall(&service, "", "+1 234 567 890").await, seen(&first));
    assert_eq!(recall(&service, "", "001234567890").await, seen(&first));
    // The same digits still link.
    let digits = tell(&service, "biff@hillvalley.edu", "1234567890").await;
    assert_eq!((digits.outcome, digits.customer.id), (Outcome::Attached, first.customer.id));
    // And an extension of it is no more the number itself than that of any other.
    let use_cases = tell(&service, "", "+1234567890 x5").await;
    assert_eq!(
        (use_cases.outcome, seen(&use_cases).phones),
        (Outcome::Created, vec!["+1234567890;ext=5".to_owned()])
    );
    let digits = tell(&service, "", "1234567890 ext 5").await;
    assert_eq!((digits.outcome, digits.customer.id), (Outcome::Attached, use_cases.customer.id));
}

async fn renumbered_subscribers_stay_themselves(store: Arc<dyn SyncStore>) {
    let service = service(&store);
    for (old, new) in [
        ("+229 97 12 34 56", "+229 01 97 12 34 56"),
        ("+225 07 12 34 56", "+225 07 07 12 34 56"),
        ("+52 1 442 755 7404", "+52 442 755 7404"),
    ] {
        let before = tell(&service, "", old).await;
        let after = tell(&service, "", new).await;
        assert_eq!(after.customer.id, before.customer.id, "{new}");
    }
}

async fn what_is_no_number_links_nobody(store: Arc<dyn SyncStore>) {
    let service = service(&store);
    let blocked = [Block { part: Part::Phone, rule: BlockRule::NeverLinks }];
    for (at, text) in
        ["0", "00", "-1", "12", "+386", "+1 000 000 0000", "+386 00 000 000"].into_iter().enumerate()
    {
        let [one, other] = [0, 1].map(|which| format!("{which}-{at}@hillvalley.edu"));
        let one = tell(&service, &one, text).await;
        let other = tell(&service, &other, text).await;
        assert_eq!((other.outcome, &other.blocked[..]), (Outcome::Created, &blocked[..]), "{text}");
        assert_ne!(one.customer.id, other.customer.id, "{text}");
        assert_eq!(seen(&one).phones, seen(&other).phones, "{text}");
    }
}

async fn each_is_listed_by_itself(store: Arc<dyn SyncStore>) {
    let use_cases = UseCases::new(&store);
    let texts = ["+12025550143", "+12025550143;ext=12", "+1234567890", "1234567890", "+1234567890;ext=5"];
    let mut contacts = Vec::new();
    for text in texts {
        let created = use_cases.create(&order("", text)).await;
        assert_eq!(created.statement.phone(), Some(&phone(text)));
        assert_eq!(use_cases.record(created.id).await.statement, created.statement);
        contacts.push(created.id);
    }
    for (text, id) in texts.into_iter().zip(contacts) {
        let filter = ContactFilter { phone: Some(phone(text)), ..ContactFilter::default() };
        assert_eq!(ids(&use_cases.list(&filter).await), [id], "{text}");
    }
    // Whoever searches sees what is shown.
    assert_eq!(use_cases.find("1234567890").await.len(), 2);
    assert_eq!(use_cases.find("+1 234 567 890").await.len(), 2);
}
