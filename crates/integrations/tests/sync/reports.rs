//! What OpenPhone reports by itself, from its signed delivery to the customer.

use onefold_domain::profile::ProfileField;
use onefold_sync::events::{EventReceived, PartnerEvent, PartnerEventKind};
use onefold_sync::log::SyncOutcome;
use onefold_sync::mapping::MappingStatus;
use onefold_sync::partner::PartnerId;
use serde_json::{Value, json};

use crate::company::{Company, typed_in};

on_every_store!(crate::company::Company:
    a_change_there_is_here_when_its_report_was_worked_off,
    who_is_new_there_comes_in,
    who_is_deleted_there_is_let_go_and_may_come_back,
    a_report_that_comes_twice_or_late_is_dropped,
    our_own_change_that_is_reported_is_no_news,
    the_report_of_a_contact_that_is_being_created_waits,
);

impl Company {
    /// The report of a contact as it is now.
    fn report(&self, delivery: &str, kind: PartnerEventKind, contact: &Value) -> PartnerEvent {
        let moment = contact["updatedAt"].as_str().unwrap();
        PartnerEvent {
            delivery: delivery.to_owned(),
            kind,
            partner: PartnerId::parse(contact["id"].as_str().unwrap()).unwrap(),
            changed_at: Some(moment.parse().unwrap()),
        }
    }

    async fn told(&self, delivery: &str, contact: &Value) -> EventReceived {
        self.events.receive(&self.report(delivery, PartnerEventKind::Updated, contact)).await.unwrap()
    }
}

async fn a_change_there_is_here_when_its_report_was_worked_off(company: Company) {
    let done = company.register("Ann", "ann@example.com").await;
    let id = company.mapping(done.customer).await.unwrap().external.unwrap();
    company.work().await;
    company.edit_there(&id, |contact| contact["defaultFields"]["company"] = "Kos d.o.o.".into());
    let contact = company.contact(done.customer).await;
    assert_eq!(company.told("msg_1", &contact).await, EventReceived::Promised);
    company.worker.work_once().await.unwrap();
    assert_eq!(company.view(done.customer).await.profile.text(ProfileField::CompanyName), Some("Kos d.o.o."));
    company.assert_quiet().await;
}

async fn who_is_new_there_comes_in(company: Company) {
    let contact = company.phones.insert(typed_in("Eva", "eva@example.com", "+38640000123"));
    company.told("msg_1", &contact).await;
    let nobody = company.phones.insert(json!({"defaultFields": {"firstName": "Nobody"}}));
    company.told("msg_2", &nobody).await;
    assert_eq!(company.worker.work_once().await.unwrap(), 2);
    let id = PartnerId::parse(contact["id"].as_str().unwrap()).unwrap();
    let mapping = company.phone.mapping_of_partner(&id).await.unwrap().unwrap();
    assert_eq!(company.view(mapping.customer).await.full_name().as_deref(), Some("Eva Lee"));
    company.assert_quiet().await;
}

async fn who_is_deleted_there_is_let_go_and_may_come_back(company: Company) {
    let done = company.register("Ann", "ann@example.com").await;
    company.work().await;
    let contact = company.contact(done.customer).await;
    company.phones.remove(contact["id"].as_str().unwrap());
    let deleted = company.report("msg_1", PartnerEventKind::Deleted, &contact);
    assert_eq!(company.events.receive(&deleted).await.unwrap(), EventReceived::Promised);
    company.worker.work_once().await.unwrap();
    let mapping = company.mapping(done.customer).await.unwrap();
    assert_eq!(mapping.status, MappingStatus::Detached);
    // Nothing is deleted here, and nothing made anew there before somebody asks for it.
    company.edit(done.customer, json!({"companyName": "Novak d.o.o."})).await;
    company.work().await;
    assert!(company.phones.contacts().is_empty());
    assert_eq!(company.activity(done.customer).await.last().unwrap().outcome, SyncOutcome::Detached);
    company.sync(done.customer).await;
    assert_eq!(company.contact(done.customer).await["defaultFields"]["company"], "Novak d.o.o.");
    company.assert_quiet().await;
}

async fn a_report_that_comes_twice_or_late_is_dropped(company: Company) {
    let done = company.register("Ann", "ann@example.com").await;
    let id = company.mapping(done.customer).await.unwrap().external.unwrap();
    company.work().await;
    let before = company.contact(done.customer).await;
    company.edit_there(&id, |contact| contact["defaultFields"]["company"] = "Kos d.o.o.".into());
    let after = company.contact(done.customer).await;
    assert_eq!(company.told("msg_2", &after).await, EventReceived::Promised);
    assert_eq!(company.told("msg_2", &after).await, EventReceived::Repeated);
    company.worker.work_once().await.unwrap();
    assert_eq!(company.told("msg_2", &after).await, EventReceived::Repeated);
    assert_eq!(company.told("msg_1", &before).await, EventReceived::Stale);
    assert_eq!(company.worker.work_once().await.unwrap(), 0);
}

async fn our_own_change_that_is_reported_is_no_news(company: Company) {
    let done = company.register("Ann", "ann@example.com").await;
    company.edit(done.customer, json!({"companyName": "Novak d.o.o."})).await;
    company.work().await;
    let (contact, activity) = (company.contact(done.customer).await, company.activity(done.customer).await);
    company.told("msg_1", &contact).await;
    let writes = company.phones.writes();
    assert_eq!(company.worker.work_once().await.unwrap(), 1);
    assert_eq!(company.phones.writes(), writes);
    assert_eq!(company.activity(done.customer).await, activity, "and leaves no trace");
}

async fn the_report_of_a_contact_that_is_being_created_waits(company: Company) {
    // Killed between the creation and its note here; the report of the new contact comes first.
    let mut seen = false;
    for step in 1..30 {
        let email = format!("ann{step}@example.com");
        let (mortal, fate) = company.mortal(step);
        let form = crate::company::form("Ann", &email, "");
        let lived = fate.live(async { drop(mortal.registrations.register(&form).await) }).await;
        if let Some(contact) = company.phones.contacts().get(step - 1).cloned() {
            seen |= !lived;
            company.told(&format!("msg_{step}"), &contact).await;
        }
        company.work().await;
        company.work().await;
        if lived {
            break;
        }
        // Who was not registered tries again.
        let _ = company.try_to_register("Ann", &email, "").await;
        company.work().await;
        assert_eq!(company.phones.contacts().len(), step, "step {step}");
    }
    assert!(seen, "a crash behind the creation was among them");
    company.assert_quiet().await;
}
