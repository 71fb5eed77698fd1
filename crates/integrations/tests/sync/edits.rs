//! People edit several fields at once, on either side, of customers whose values were stated by any source: each edit is
//! taken as it is, and brings nothing else along.

use onefold_domain::contact::{Received, Statement};
use onefold_domain::email::EmailAddress;
use onefold_domain::id::CustomerId;
use onefold_domain::phone::PhoneNumber;
use onefold_domain::profile::{Profile, ProfileField};
use onefold_domain::source::ContactSource;
use onefold_integrations::testing::{DoubleChange, DoubleContact};
use onefold_service::contacts::ContactRequest;
use onefold_sync::partner::{PartnerField, PartnerId};
use onefold_sync::run::RunKind;
use onefold_sync::synchroniser::SyncContext;
use serde_json::{Value, json};

use crate::scene::{Scene, person};

on_every_store!(
    of_several_fields_changed_there_each_is_taken,
    one_change_there_brings_no_older_value_back,
    whoever_repeats_a_value_takes_nothing_from_who_corrected_it,
    an_email_corrected_there_comes_in_and_the_old_one_stays,
    a_phone_corrected_there_comes_in_likewise,
    an_import_writes_nothing_there_that_its_plan_does_not_list,
    what_an_import_writes_there_is_in_its_plan,
    a_person_with_a_tax_number_is_renamed_and_stays_a_person,
    a_person_is_renamed_here_and_a_row_of_somebody_else_is_not,
);

/// Every source that a person's statement may have.
const SOURCES: [ContactSource; 5] = [
    ContactSource::Manual,
    ContactSource::SignupForm,
    ContactSource::Auth,
    ContactSource::Order,
    ContactSource::Import,
];

impl Scene {
    fn request(source: ContactSource, email: &str, phone: &str, profile: &Value) -> ContactRequest {
        let statement = Statement::new(EmailAddress::parse(email).ok(), PhoneNumber::parse(phone, None).ok());
        ContactRequest {
            profile: Some(Profile::parse(profile.as_object().unwrap()).unwrap()),
            ..ContactRequest::new(statement.unwrap(), Received::default(), source)
        }
    }

    pub(crate) async fn states(
        &self,
        source: ContactSource,
        email: &str,
        phone: &str,
        profile: &Value,
    ) -> CustomerId {
        let request = Self::request(source, email, phone, profile);
        self.contacts.create_or_update_contact(&request).await.unwrap().0.customer
    }

    async fn shows(&self, customer: CustomerId, expected: &[(&str, &str)]) {
        let shown = Value::Object(self.view(customer).await.profile.to_json());
        for (path, value) in expected {
            assert_eq!(shown.pointer(path).and_then(Value::as_str), Some(*value), "{path} of {shown}");
        }
    }
}

fn ann() -> Value {
    json!({
        "name": "Ann Lee", "companyName": "Lee d.o.o.", "country": "SI",
        "address": {"street": "Lipova pot 7", "city": "Ljubljana", "postalCode": "1000"},
    })
}

async fn synced(scene: &Scene, source: ContactSource, number: usize) -> (CustomerId, PartnerId) {
    let customer = scene.states(source, &format!("ann{number}@example.com"), "", &ann()).await;
    let id = scene.sync(customer).await.mapping.external.unwrap();
    (customer, id)
}

async fn of_several_fields_changed_there_each_is_taken(scene: Scene) {
    for (number, source) in SOURCES.into_iter().enumerate() {
        let (customer, id) = synced(&scene, source, number).await;
        let change = DoubleChange {
            name: Some("Kos d.o.o.".to_owned()),
            contact_name: Some("Ann Kos".to_owned()),
            street: Some("Stara cesta 2".to_owned()),
            ..DoubleChange::default()
        };
        scene.edit_there(&id, &change);
        let synced = scene.sync(customer).await;
        let told = [PartnerField::Name, PartnerField::CompanyName, PartnerField::Street];
        assert_eq!(synced.pulled, told, "{source:?}");
        let expected =
            [("/companyName", "Kos d.o.o."), ("/name", "Ann Kos"), ("/address/street", "Stara cesta 2")];
        scene.shows(customer, &expected).await;
        // The next change here says nothing of what came from there.
        scene.edit(customer, json!({"address": {"city": "Kranj"}})).await;
        scene.worker.work_once().await.unwrap();
        let there = scene.there(&id);
        assert_eq!((there.customer.as_str(), there.contacts[0].name.as_str()), ("Kos d.o.o.", "Ann Kos"));
        assert_eq!(
            (there.addresses[0].street.as_str(), there.addresses[0].city.as_str()),
            ("Stara cesta 2", "Kranj")
        );
    }
    scene.assert_quiet(RunKind::CompareFull).await;
}

async fn one_change_there_brings_no_older_value_back(scene: Scene) {
    for (number, source) in SOURCES.into_iter().enumerate() {
        let (customer, id) = synced(&scene, source, number).await;
        for round in 0..3 {
            let company = format!("Kos {round} d.o.o.");
            scene.edit(customer, json!({"companyName": company})).await;
            scene.worker.work_once().await.unwrap();
            let street = format!("Stara cesta {round}");
            scene.edit_there(&id, &DoubleChange { street: Some(street.clone()), ..DoubleChange::default() });
            scene.run(RunKind::Compare, &[]).await;
            scene.shows(customer, &[("/companyName", &company), ("/address/street", &street)]).await;
            assert_eq!(scene.there(&id).customer, company, "{source:?}");
        }
    }
    scene.assert_quiet(RunKind::CompareFull).await;
}

async fn whoever_repeats_a_value_takes_nothing_from_who_corrected_it(scene: Scene) {
    for (number, source) in SOURCES.into_iter().enumerate() {
        let (customer, id) = synced(&scene, source, number).await;
        let change = DoubleChange { city: Some("Bled".to_owned()), ..DoubleChange::default() };
        scene.edit_there(&id, &change);
        scene.sync(customer).await;
        // An account that logs in again, a file that comes twice: nobody has moved back.
        scene.states(source, &format!("ann{number}@example.com"), "", &ann()).await;
        scene.worker.work_once().await.unwrap();
        scene.shows(customer, &[("/address/city", "Bled"), ("/name", "Ann Lee")]).await;
        assert_eq!(scene.there(&id).addresses[0].city, "Bled");
    }
}

async fn an_email_corrected_there_comes_in_and_the_old_one_stays(scene: Scene) {
    let customer = scene.customer("Ann Lee", "ann@example.com").await;
    let id = scene.sync(customer).await.mapping.external.unwrap();
    let change = DoubleChange { email: Some("lee@example.com".to_owned()), ..DoubleChange::default() };
    scene.edit_there(&id, &change);
    let synced = scene.sync(customer).await;
    assert_eq!((synced.pulled, synced.pushed), (vec![PartnerField::Email], vec![]));
    let view = scene.view(customer).await;
    let emails: Vec<_> = view.points.iter().map(|point| point.value.as_str()).collect();
    assert_eq!(emails, ["ann@example.com", "lee@example.com"]);
    assert_eq!(
        scene.there(&id).contacts[0].email,
        "lee@example.com",
        "nothing is written over the correction"
    );
    // Evidence like any other: both find the customer, and laid from nothing it is the same.
    let found = scene
        .states(ContactSource::Order, "lee@example.com", "+38640000123", &json!({"role": "owner"}))
        .await;
    assert_eq!(found, customer);
    scene.worker.work_once().await.unwrap();
    scene.assert_quiet(RunKind::CompareFull).await;
    // Once more, and the way back of the same.
    for email in ["ann.lee@example.com", "ann@example.com"] {
        scene.edit_there(&id, &DoubleChange { email: Some(email.to_owned()), ..DoubleChange::default() });
        scene.sync(customer).await;
        assert_eq!(scene.there(&id).contacts[0].email, email);
    }
    assert_eq!(scene.view(customer).await.points.len(), 4);
    scene.assert_quiet(RunKind::CompareFull).await;
}

async fn a_phone_corrected_there_comes_in_likewise(scene: Scene) {
    let customer = scene.contact("Ann Lee", "", "+38640000123").await.customer;
    let id = scene.sync(customer).await.mapping.external.unwrap();
    scene
        .edit_there(&id, &DoubleChange { phone: Some("+38640000124".to_owned()), ..DoubleChange::default() });
    assert_eq!(scene.sync(customer).await.pulled, [PartnerField::Phone]);
    assert_eq!(scene.view(customer).await.points.len(), 2);
    scene.assert_quiet(RunKind::CompareFull).await;
}

/// A partner with two people: one has a phone only, the other one an email.
fn two_people(scene: &Scene) -> PartnerId {
    let mut partner = person("Lee d.o.o.", "");
    partner.business_entity = Some(true);
    partner.contacts[0].name = "Ann Lee".to_owned();
    partner.contacts[0].gsm = "+38640000123".to_owned();
    let bob = DoubleContact {
        name: "Bob Kos".to_owned(),
        email: "bob@example.com".to_owned(),
        ..DoubleContact::default()
    };
    partner.contacts.push(bob);
    PartnerId::parse(&scene.double.insert(partner).mk_id).unwrap()
}

async fn an_import_writes_nothing_there_that_its_plan_does_not_list(scene: Scene) {
    let id = two_people(&scene);
    let before = scene.there(&id);
    let shown = scene.sync.show_partner(&id).await.unwrap();
    let plan = shown.plan.as_array().unwrap();
    assert!(plan.iter().all(|step| step["write"] == "local"), "{plan:?}");
    for kind in [RunKind::ImportAll, RunKind::Compare, RunKind::CompareFull] {
        scene.run(kind, &[]).await;
        scene.worker.work_once().await.unwrap();
    }
    assert_eq!(scene.there(&id), before, "rows of people keep their owners");
    assert_eq!(scene.double.writes(), 0);
    // Nor does an edit here move them.
    let customer = scene.sync.mapping_of_partner(&id).await.unwrap().unwrap().customer;
    scene.edit(customer, json!({"address": {"city": "Kranj"}})).await;
    scene.worker.work_once().await.unwrap();
    assert_eq!(scene.there(&id).contacts, before.contacts);
    scene.assert_quiet(RunKind::CompareFull).await;
}

async fn what_an_import_writes_there_is_in_its_plan(scene: Scene) {
    let profile = json!({"role": "owner", "taxNumber": "SI12345678"});
    let customer = scene.states(ContactSource::Order, "ann@example.com", "+38640000123", &profile).await;
    let id = PartnerId::parse(&scene.double.insert(person("Ann Lee", "ann@example.com")).mk_id).unwrap();
    let before = scene.view(customer).await.revision;
    let shown = scene.sync.show_partner(&id).await.unwrap();
    assert_eq!(shown.customer, Some(customer));
    let to_there = |step: &&Value| step["write"] == "remote";
    let there: Vec<_> =
        shown.plan.as_array().unwrap().iter().filter(to_there).map(|step| &step["field"]).collect();
    assert_eq!(there, ["phone", "taxNumber"]);
    assert_eq!(scene.view(customer).await.revision, before, "a plan writes nothing");
    scene.run(RunKind::ImportAll, &[]).await;
    scene.worker.work_once().await.unwrap();
    let partner = scene.there(&id);
    assert_eq!(
        (partner.contacts[0].gsm.as_str(), partner.tax_id_number.as_str()),
        ("+38640000123", "SI12345678")
    );
    scene.assert_quiet(RunKind::CompareFull).await;
}

async fn a_person_with_a_tax_number_is_renamed_and_stays_a_person(scene: Scene) {
    let mut partner = person("Ann Lee", "ann@example.com");
    partner.tax_id_number = "12345679".to_owned();
    partner.contacts[0].name = "Ann Lee".to_owned();
    let id = PartnerId::parse(&scene.double.insert(partner).mk_id).unwrap();
    let customer = scene.sync.import_partner(&id, SyncContext::default()).await.unwrap().mapping.customer;
    // The contact row keeps the old name, as it does when somebody renames the partner alone.
    scene.double.edit(id.as_str(), |partner| partner.customer = "Ann Kos".to_owned());
    scene.run(RunKind::Compare, &[]).await;
    let view = scene.view(customer).await;
    assert_eq!(
        (view.full_name().as_deref(), view.profile.text(ProfileField::CompanyName)),
        (Some("Ann Kos"), None)
    );
    scene.edit(customer, json!({"address": {"city": "Kranj"}})).await;
    scene.worker.work_once().await.unwrap();
    let there = scene.there(&id);
    assert_eq!((there.customer.as_str(), there.business_entity), ("Ann Kos", Some(false)));
    scene.assert_quiet(RunKind::CompareFull).await;
    // Flagged as a business by somebody there, it is one.
    scene.double.edit(id.as_str(), |partner| partner.business_entity = Some(true));
    scene.run(RunKind::Compare, &[]).await;
    assert_eq!(scene.view(customer).await.profile.text(ProfileField::CompanyName), Some("Ann Kos"));
    scene.assert_quiet(RunKind::CompareFull).await;
}

async fn a_person_is_renamed_here_and_a_row_of_somebody_else_is_not(scene: Scene) {
    for (contact, renamed) in [("Ann Lee", "Ann Kos"), ("Bob Kos", "Bob Kos")] {
        let email = format!("{}@example.com", contact.to_lowercase().replace(' ', "."));
        let mut partner = person("Ann Lee", &email);
        contact.clone_into(&mut partner.contacts[0].name);
        let id = PartnerId::parse(&scene.double.insert(partner).mk_id).unwrap();
        let customer = scene.sync.import_partner(&id, SyncContext::default()).await.unwrap().mapping.customer;
        scene.edit(customer, json!({"name": "Ann Kos"})).await;
        scene.worker.work_once().await.unwrap();
        let there = scene.there(&id);
        assert_eq!((there.customer.as_str(), there.contacts[0].name.as_str()), ("Ann Kos", renamed));
    }
    scene.assert_quiet(RunKind::CompareFull).await;
}
