//! People register: they are in OpenPhone a moment later, once, and no failure there is felt here.

use std::sync::Arc;
use std::time::Duration;

use onefold_domain::contact::{Received, Statement};
use onefold_domain::email::EmailAddress;
use onefold_domain::id::UserId;
use onefold_domain::phone::PhoneNumber;
use onefold_domain::profile::Profile;
use onefold_domain::source::ContactSource;
use onefold_integrations::testing::Lasting;
use onefold_integrations::testing::openphone::{OpenPhoneCall, Trouble};
use onefold_service::contacts::{ContactRequest, Contacts};
use onefold_service::registration::{
    NewRegistration, Pushed, RegisterError, RegistrationSettings, Registrations,
};
use onefold_service::user::User;
use onefold_sync::job::JobStatus;
use onefold_sync::jobs::Jobs;
use onefold_sync::log::SyncOutcome;
use onefold_sync::partner::PartnerId;
use serde_json::json;
use uuid::Uuid;

use crate::company::{Company, HOUR, form, typed_in};

on_every_store!(crate::company::Company:
    who_registers_is_there_at_once_and_once,
    a_guest_is_claimed_and_a_second_registration_is_refused,
    a_user_who_is_known_from_elsewhere_is_completed,
    names_keep_their_parts_and_a_shared_phone_is_each_ones,
    a_job_that_is_at_it_is_waited_for,
    the_same_person_who_registers_many_times_at_once_is_one,
    without_another_system_it_is_skipped,
    an_outage_of_an_hour_is_not_felt_and_made_up_for,
    a_slow_system_is_not_waited_for,
    a_lost_answer_does_not_make_two,
    what_would_fail_again_is_told,
    who_is_there_already_is_found,
    killed_at_any_step_the_person_is_there_once,
);

async fn who_registers_is_there_at_once_and_once(company: Company) {
    let done = company.try_to_register("Ann", "ann@example.com", "+38640000123").await.unwrap();
    let Pushed::Done(id) = &done.pushed else { panic!("{:?}", done.pushed) };
    let there = company.phones.contact(id.as_str()).unwrap();
    assert_eq!(there["defaultFields"]["firstName"], "Ann");
    assert_eq!(there["defaultFields"]["lastName"], "Lee");
    assert_eq!(there["defaultFields"]["company"], "Lee d.o.o.");
    assert_eq!(there["externalId"], done.customer.0.to_string());
    let view = company.view(done.customer).await;
    assert_eq!(view.users, [done.user.id]);
    let points: Vec<_> = view.points.iter().map(|point| (point.value.as_str(), point.is_primary)).collect();
    assert_eq!(points, [("ann@example.com", true), ("+38640000123", true)]);
    assert!(view.contacts.iter().all(|contact| contact.source == ContactSource::SignupForm));
    assert_eq!((done.token.user, done.token.id), (Some(done.user.id), done.token.id));
    let activity = company.activity(done.customer).await;
    assert_eq!(activity.iter().map(|attempt| attempt.outcome).collect::<Vec<_>>(), [SyncOutcome::Created]);
    // Its job finds that all is done, and does not even look.
    company.phones.forget_calls();
    assert_eq!(company.work().await, 1);
    assert_eq!(company.phones.calls().len(), 0);
    company.assert_quiet().await;
    assert_eq!(company.phones.contacts().len(), 1);
}

async fn a_guest_is_claimed_and_a_second_registration_is_refused(company: Company) {
    let contacts = Contacts::new(company.env.base.clone());
    let order = |email: &str, phone: &str| {
        let statement = Statement::new(EmailAddress::parse(email).ok(), PhoneNumber::parse(phone, None).ok());
        ContactRequest::new(statement.unwrap(), Received::default(), ContactSource::Order)
    };
    let guest = contacts.create_contact(&order("ann@example.com", "+38640000123")).await.unwrap();
    let done = company.try_to_register("Ann", "Ann@Example.com", "+386 40 000 123").await.unwrap();
    assert_eq!(done.customer, guest.customer);
    let claimed = contacts.contact(guest.id).await.unwrap();
    assert_eq!(claimed.user(), Some(done.user.id));

    let refused = company.try_to_register("Anna", "ann@example.com", "").await;
    match refused {
        Err(RegisterError::AlreadyRegistered { customer }) => assert_eq!(customer, done.customer),
        other => panic!("{other:?}"),
    }
    // A phone may be a family's.
    let other = company.try_to_register("Bob", "bob@example.com", "+38640000123").await.unwrap();
    assert_ne!(other.user.id, done.user.id);
}

async fn a_user_who_is_known_from_elsewhere_is_completed(company: Company) {
    let id = UserId(Uuid::from_u128(7));
    let new = onefold_service::users::NewUser { id: Some(id), ..Default::default() };
    onefold_service::users::Users::new(company.env.base.clone()).create_user(&new).await.unwrap();
    let form = NewRegistration { user: Some(id), ..form("Ann", "ann@example.com", "") };
    let done = company.registrations.register(&form).await.unwrap();
    let User { profile, .. } = &done.user;
    assert_eq!((done.user.id, profile.is_some()), (id, true));
    let again = company.registrations.register(&form).await;
    assert!(matches!(again, Err(RegisterError::AlreadyRegistered { .. })), "{again:?}");
}

async fn names_keep_their_parts_and_a_shared_phone_is_each_ones(company: Company) {
    let phone = "+38640000123";
    company.try_to_register("Ann", "ann@example.com", phone).await.unwrap();
    let profile = json!({"firstName": "Mia", "lastName": "van der Berg"});
    let mia = NewRegistration {
        profile: Profile::parse(profile.as_object().unwrap()).unwrap(),
        ..form("Mia", "mia@example.com", phone)
    };
    let done = company.registrations.register(&mia).await.unwrap();
    let there = company.contact(done.customer).await["defaultFields"].clone();
    assert_eq!((&there["firstName"], &there["lastName"]), (&json!("Mia"), &json!("van der Berg")));
    assert_eq!(there["phoneNumbers"][0]["value"], phone);
    assert_eq!(company.phones.contacts().len(), 2);
    company.assert_quiet().await;
}

async fn a_job_that_is_at_it_is_waited_for(company: Company) {
    // A guest who is there already: claiming it promises a job that is due at once.
    let typed = company.phones.insert(typed_in("Ann", "ann@example.com", "+38640000123"));
    company.compare().await;
    let id = PartnerId::parse(typed["id"].as_str().unwrap()).unwrap();
    company.phones.next(OpenPhoneCall::Get, Trouble::Slow(Duration::from_millis(300)));
    let mapping = company.phone.mapping_of_partner(&id).await.unwrap().unwrap();
    company.edit(mapping.customer, json!({"companyName": "Kos d.o.o."})).await;
    let worker = company.worker.clone();
    let working = tokio::spawn(async move { worker.work_once().await });
    while company.phones.count(OpenPhoneCall::Get) == 0 {
        tokio::task::yield_now().await;
    }
    let done = company.register("Ann", "ann@example.com").await;
    assert_eq!(done.pushed, Pushed::Done(id.as_str().to_owned()));
    working.await.unwrap().unwrap();
    company.work().await;
    company.assert_quiet().await;
}

async fn the_same_person_who_registers_many_times_at_once_is_one(company: Company) {
    let known = form("Ann", "ann@example.com", "");
    let elsewhere = UserId(Uuid::from_u128(7));
    for (email, user) in [("ann@example.com", None), ("eva@example.com", Some(elsewhere))] {
        let form = NewRegistration { email: EmailAddress::parse(email).unwrap(), user, ..known.clone() };
        let registering = (0..12).map(|_| {
            let (registrations, form) = (company.registrations.clone(), form.clone());
            tokio::spawn(async move { registrations.register(&form).await })
        });
        let mut registered = 0;
        for one in registering.collect::<Vec<_>>() {
            match one.await.unwrap() {
                Ok(_) => registered += 1,
                Err(RegisterError::AlreadyRegistered { .. }) => {}
                Err(other) => panic!("{other:?}"),
            }
        }
        assert_eq!(registered, 1, "{email}");
    }
    company.work().await;
    assert_eq!(company.phones.contacts().len(), 2);
}

async fn without_another_system_it_is_skipped(company: Company) {
    let alone = Registrations::new(company.env.base.clone(), None, RegistrationSettings::default());
    let done = alone.register(&form("Ann", "ann@example.com", "")).await.unwrap();
    assert_eq!(done.pushed, Pushed::Skipped);
    assert!(Jobs::new(company.env.clone()).list(None, None, 10).await.unwrap().is_empty());
    assert!(company.phones.calls().is_empty());
}

async fn an_outage_of_an_hour_is_not_felt_and_made_up_for(company: Company) {
    company.phones.trouble(None, Lasting::UntilTold, Trouble::Page(503));
    let mut customers = Vec::new();
    for number in 0..8 {
        let done = company.register("Ann", &format!("ann{number}@example.com")).await;
        assert_eq!(done.pushed, Pushed::Pending);
        customers.push(done.customer);
    }
    for _ in 0..12 {
        company.worker.work_once().await.unwrap();
        company.pass(HOUR / 12);
    }
    assert!(company.phones.contacts().is_empty());
    company.phones.end_trouble();
    company.work().await;
    company.work().await;
    let mut there: Vec<_> =
        company.phones.contacts().iter().map(|contact| contact["externalId"].clone()).collect();
    there.sort_by_key(ToString::to_string);
    let mut expected: Vec<_> = customers.iter().map(|customer| customer.0.to_string()).collect();
    expected.sort();
    assert_eq!(there, expected, "everybody, once");
    let dead = Jobs::new(company.env.clone()).list(Some(JobStatus::Dead), None, 10).await.unwrap();
    assert!(dead.is_empty(), "{dead:?}");
    company.assert_quiet().await;
}

async fn a_slow_system_is_not_waited_for(company: Company) {
    let settings =
        RegistrationSettings { push_deadline: Duration::from_millis(50), ..RegistrationSettings::default() };
    let hasty = Registrations::new(company.env.base.clone(), Some(Arc::new(company.phone.clone())), settings);
    company.phones.next(OpenPhoneCall::Create, Trouble::Slow(Duration::from_millis(400)));
    let done = hasty.register(&form("Ann", "ann@example.com", "")).await.unwrap();
    assert_eq!(done.pushed, Pushed::Pending);
    // What was begun goes on, and whoever comes meanwhile keeps away.
    company.pass(Duration::from_secs(4));
    company.worker.work_once().await.unwrap();
    company.pass(HOUR);
    company.work().await;
    assert_eq!(company.phones.contacts().len(), 1);
    company.assert_quiet().await;
}

async fn a_lost_answer_does_not_make_two(company: Company) {
    company.phones.next(OpenPhoneCall::Create, Trouble::LoseAnswer);
    let done = company.register("Ann", "ann@example.com").await;
    assert_eq!((done.pushed, company.phones.contacts().len()), (Pushed::Pending, 1));
    company.work().await;
    assert_eq!(company.phones.contacts().len(), 1);
    assert!(company.mapping(done.customer).await.unwrap().external.is_some());
    company.assert_quiet().await;
}

async fn what_would_fail_again_is_told(company: Company) {
    company.phones.next(OpenPhoneCall::Create, Trouble::Refuse(400));
    let done = company.register("Ann", "ann@example.com").await;
    let Pushed::Failed(fault) = &done.pushed else { panic!("{:?}", done.pushed) };
    assert_eq!(fault.code, "rejected");
    assert!(!fault.message.contains("ann"), "nothing that they said is repeated: {}", fault.message);
    company.work().await;
    assert_eq!(company.phones.contacts().len(), 1, "its job tries once more");
}

async fn who_is_there_already_is_found(company: Company) {
    let typed = company.phones.insert(typed_in("Annie", "ann@example.com", "+38640000123"));
    let done = company.register("Ann", "ann@example.com").await;
    let id = typed["id"].as_str().unwrap();
    assert_eq!(company.mapping(done.customer).await.unwrap().external.unwrap().as_str(), id);
    assert_eq!(company.phones.contacts().len(), 1);
}

async fn killed_at_any_step_the_person_is_there_once(company: Company) {
    let mut died = 0;
    for step in 1..40 {
        let email = format!("ann{step}@example.com");
        let (mortal, fate) = company.mortal(step);
        let phone = format!("+386400001{step:02}");
        let form = form("Ann", &email, &phone);
        let lived = fate
            .live(async {
                let _ = mortal.registrations.register(&form).await;
            })
            .await;
        drop(mortal);
        // Whether the person knows it or not: registered means there, not registered means not there.
        company.pass(HOUR);
        company.work().await;
        let again = company.try_to_register("Ann", &email, &phone).await;
        let customer = match again {
            Ok(done) => done.customer,
            Err(RegisterError::AlreadyRegistered { customer }) => customer,
            Err(other) => panic!("step {step}: {other:?}"),
        };
        company.work().await;
        let there = company.phones.contacts();
        let of_this = there.iter().filter(|contact| contact["externalId"] == customer.0.to_string());
        assert_eq!(of_this.count(), 1, "step {step}");
        assert_eq!(there.len(), step, "step {step}");
        if lived {
            break;
        }
        died = step;
    }
    assert!(died > 5, "only {died} steps");
    company.assert_quiet().await;
}
