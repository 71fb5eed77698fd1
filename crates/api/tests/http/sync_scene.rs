//! The application connected to a double of each other system, and people to sync.

use std::sync::Arc;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use chrono::TimeDelta;
use onefold_api::{App, Config, PartnerWebhook, SyncParts};
use onefold_domain::phone::Region;
use onefold_domain::survivorship::SurvivorshipRules;
use onefold_integrations::metakocka::{self, Credential, MetaKocka};
use onefold_integrations::openphone::{self, OpenPhone, Webhook};
use onefold_integrations::testing::{
    DoubleAddress, DoubleContact, DoublePartner, MetaKockaDouble, openphone::OpenPhoneDouble,
};
use onefold_persistence::testing::TestDatabase;
use onefold_service::environment::SyncTrigger;
use onefold_service::registration::{RegistrationPush, RegistrationSettings, Registrations};
use onefold_service::system::SyncSystem;
use onefold_service::testing::ManualClock;
use onefold_sync::environment::SyncEnvironment;
use onefold_sync::events::PartnerEvents;
use onefold_sync::partner::PartnerDirectory;
use onefold_sync::partner_index::PartnerIndex;
use onefold_sync::synchroniser::{SyncSettings, Synchroniser};
use onefold_sync::worker::{SyncWorker, WorkerSettings};
use reqwest::Method;
use serde_json::{Value, json};

use crate::app::{Answer, TestApp};

pub(crate) const SYNC: &str = "/api/metakocka/contacts/sync";
pub(crate) const IMPORT: &str = "/api/metakocka/contacts/import";
pub(crate) const BULK_SYNC: &str = "/api/metakocka/contacts/bulk-sync";
pub(crate) const BULK_IMPORT: &str = "/api/metakocka/contacts/bulk-import";

/// A server, the doubles that it is connected to, and a worker that works when it is told to.
pub(crate) struct SyncScene {
    pub(crate) app: TestApp,
    /// Of MetaKocka.
    pub(crate) double: MetaKockaDouble,
    pub(crate) openphone: OpenPhoneDouble,
    pub(crate) worker: SyncWorker,
    pub(crate) clock: Arc<ManualClock>,
}

/// How the doubles are reached.
pub(crate) struct Connectors {
    pub(crate) metakocka: metakocka::Config,
    pub(crate) openphone: openphone::Config,
    /// Whether a change here promises a sync of those who are known there, as with the programs. Most tests ask for it.
    pub(crate) triggers: bool,
}

/// Makes two tests of each function, one for each database.
macro_rules! on_both_connected {
    ($($case:ident),+ $(,)?) => {
        mod sqlite {
            $(#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn $case() {
                super::$case(crate::sync_scene::SyncScene::sqlite().await).await;
            })+
        }
        mod postgres {
            $(#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn $case() {
                super::$case(crate::sync_scene::SyncScene::postgres().await).await;
            })+
        }
    };
}
pub(crate) use on_both_connected;

impl Connectors {
    fn to(metakocka: &MetaKockaDouble, openphone: &OpenPhoneDouble) -> Self {
        // The clocks of the connectors stand still, so a pace would be felt.
        let calls_per_second = 1_000_000;
        Self {
            metakocka: metakocka::Config {
                secret_key: Credential::new(MetaKockaDouble::SECRET_KEY),
                company_id: Credential::new(MetaKockaDouble::COMPANY_ID),
                base_url: metakocka::BaseUrl::parse(&metakocka.base_url()).unwrap(),
                calls_per_second,
                ..metakocka::Config::default()
            },
            openphone: openphone::Config {
                api_key: Credential::new(OpenPhoneDouble::API_KEY),
                base_url: openphone::BaseUrl::parse(&openphone.base_url()).unwrap(),
                calls_per_second,
                webhook_keys: vec![STANDARD.encode(SIGNING_KEY).try_into().unwrap()],
                ..openphone::Config::default()
            },
            triggers: false,
        }
    }

    /// The application anew, if changes are to promise anything.
    fn triggered(&self, app: App) -> App {
        if !self.triggers {
            return app;
        }
        let triggers = SyncSystem::ALL.map(|system| SyncTrigger { system, new_customers: false });
        let env = app.env.with_triggers(triggers);
        App::new(env, SurvivorshipRules::shipped(), app.default_region, app.metrics, app.pool)
    }

    /// One for each system, as the programs have them.
    fn synchronisers(&self, env: &SyncEnvironment, clock: &Arc<ManualClock>) -> Vec<Synchroniser> {
        let metakocka = MetaKocka::new(&self.metakocka, clock.clone(), None).unwrap();
        let index = Arc::new(PartnerIndex::new(env.clone(), SyncSystem::OpenPhone));
        let openphone = OpenPhone::new(&self.openphone, clock.clone(), Some(index), None).unwrap();
        let directories: [(SyncSystem, Arc<dyn PartnerDirectory>); 2] =
            [(SyncSystem::MetaKocka, Arc::new(metakocka)), (SyncSystem::OpenPhone, Arc::new(openphone))];
        let survivorship = Arc::new(SurvivorshipRules::shipped());
        let settings =
            SyncSettings { most_lost: 2, most_lost_percent: 1, most_created: 2, ..SyncSettings::default() };
        let made = directories.map(|(system, directory)| {
            Synchroniser::new(env.clone(), system, directory, Arc::clone(&survivorship), settings)
        });
        Vec::from(made)
    }
}

/// What the double of OpenPhone signs its reports with.
pub(crate) const SIGNING_KEY: &[u8] = b"\x80\xffa key of bytes";

impl Connectors {
    /// The webhook, as the server puts it together.
    fn around(&self, app: App) -> App {
        let webhook = Webhook::new(&self.openphone).map(|reader| PartnerWebhook {
            reader: Arc::new(reader),
            events: PartnerEvents::new(app.env.clone(), SyncSystem::OpenPhone),
        });
        app.with_partner_webhook(webhook)
    }
}

impl SyncScene {
    pub(crate) async fn sqlite() -> Self {
        Self::with(TestDatabase::sqlite(), Config::default(), |_| {}).await
    }

    pub(crate) async fn postgres() -> Self {
        Self::with(TestDatabase::postgres().await, Config::default(), |_| {}).await
    }

    /// With a configuration of its own of the server and of the connectors.
    pub(crate) async fn with(
        database: TestDatabase,
        config: Config,
        change: impl FnOnce(&mut Connectors),
    ) -> Self {
        let (double, openphone) = (MetaKockaDouble::start().await, OpenPhoneDouble::start().await);
        let mut connectors = Connectors::to(&double, &openphone);
        change(&mut connectors);
        let clock = Arc::new(ManualClock::default());
        let mut worker = None;
        let slovenia = Some(Region::parse("SI").unwrap());
        let app = TestApp::serve(
            database,
            slovenia,
            clock.clone(),
            |app| {
                let app = connectors.triggered(app);
                let syncs = connectors.synchronisers(&app.env, &clock);
                let phone = syncs.iter().find(|sync| sync.system() == SyncSystem::OpenPhone);
                let settings = RegistrationSettings::default();
                let push = phone.cloned().map(|sync| -> Arc<dyn RegistrationPush> { Arc::new(sync) });
                let app = app.clone().with_registrations(Registrations::new(app.env.base, push, settings));
                // Given up at once, so that a test sees it.
                let settings = WorkerSettings { attempts: 1, ..WorkerSettings::default() };
                let made = SyncWorker::new(app.env.clone(), syncs.clone(), settings);
                worker = Some(made.clone());
                connectors.around(app).with_sync(SyncParts { syncs, worker: made })
            },
            config,
        )
        .await;
        Self { app, double, openphone, worker: worker.unwrap(), clock }
    }

    /// A customer with all that MetaKocka needs; its contact is the next number.
    pub(crate) async fn customer(&self, email: &str, name: &str) -> String {
        self.customer_of(json!({"kind": "email", "value": email}), json!({"name": name})).await
    }

    /// A customer with all that MetaKocka needs, and what this contact and this profile say beside it.
    pub(crate) async fn customer_of(&self, mut contact: Value, profile: Value) -> String {
        let mut whole = json!({
            "name": "Ann Lee", "country": "SI",
            "address": {"street": "Lipova pot 7", "city": "Ljubljana", "postalCode": "1000"},
        });
        for (field, value) in profile.as_object().unwrap() {
            whole[field] = value.clone();
        }
        contact["profile"] = whole;
        contact["source"] = json!("order");
        self.app.create("/contacts", contact).await["customerId"].as_str().unwrap().to_owned()
    }

    /// Moves a customer to another city.
    pub(crate) async fn moves_to(&self, customer: &str, city: &str) {
        let address = json!({"street": "Lipova pot 7", "city": city, "postalCode": "1000"});
        let patch = json!({"profile": {"address": address}});
        let answer = self.app.call(Method::PATCH, &format!("/customers/{customer}"), &patch).await;
        assert_eq!(answer.status, 200, "{answer:?}");
    }

    /// Where a customer lives, as far as is known here.
    pub(crate) async fn city_of(&self, customer: &str) -> Value {
        self.app.show(&format!("/customers/{customer}")).await["profile"]["address"]["city"].clone()
    }

    pub(crate) async fn post(&self, path: &str, body: &Value) -> Answer {
        self.app.call(Method::POST, path, body).await
    }

    /// Syncs a contact that can be synced; returns its partner's id.
    pub(crate) async fn synced(&self, contact: &str) -> String {
        let data = succeeded(&self.post(SYNC, &json!({"contactId": contact})).await);
        data["metakockaId"].as_str().unwrap().to_owned()
    }

    pub(crate) async fn rows(&self, table: &str) -> i64 {
        self.app.database.count(&format!("SELECT COUNT(*) FROM {table}")).await
    }

    /// Lets the worker do what is due after this time.
    pub(crate) async fn work_after(&self, seconds: i64) {
        self.clock.pass(TimeDelta::seconds(seconds));
        self.worker.work_once().await.unwrap();
    }
}

/// How a contact stands with MetaKocka.
pub(crate) async fn mapping_of(scene: &SyncScene, contact: &str) -> Value {
    let path = format!("/api/metakocka/contacts/mappings?contactId={contact}");
    succeeded(&scene.app.get(&path).await)
}

/// The data of an answer of 200 in the contract's form.
pub(crate) fn succeeded(answer: &Answer) -> Value {
    assert_eq!((answer.status, answer.header("content-type")), (200, "application/json"), "{answer:?}");
    let mut body = answer.json();
    let data = body["data"].take();
    assert_eq!(body, json!({"success": true, "data": null}), "{answer:?}");
    data
}

/// The details of a refusal in the contract's form.
pub(crate) fn refused(answer: &Answer, status: u16, code: &str) -> Value {
    assert_eq!((answer.status, answer.header("content-type")), (status, "application/json"), "{answer:?}");
    let mut body = answer.json();
    let message = body["error"]["message"].take();
    assert!(message.as_str().is_some_and(|message| message.ends_with('.')), "{answer:?}");
    let details = body["error"]["details"].take();
    assert!(details.is_object(), "{answer:?}");
    let error = json!({"code": code, "message": null, "details": null});
    assert_eq!(body, json!({"success": false, "error": error}), "{answer:?}");
    details
}

/// Somebody as a person in the web application would type them in.
pub(crate) fn partner(name: &str, email: &str) -> DoublePartner {
    DoublePartner {
        customer: name.to_owned(),
        business_entity: Some(false),
        foreign_county: Some(false),
        addresses: vec![DoubleAddress {
            address_type: "Račun".to_owned(),
            street: "Cvetlična pot 12".to_owned(),
            post_number: "1000".to_owned(),
            city: "Ljubljana".to_owned(),
            country: "Slovenija".to_owned(),
            ..DoubleAddress::default()
        }],
        contacts: vec![DoubleContact { email: email.to_owned(), ..DoubleContact::default() }],
        ..DoublePartner::default()
    }
}

/// Somebody as a person in OpenPhone's application would type them in.
pub(crate) fn person(name: &str, email: &str) -> Value {
    let (first, last) = name.rsplit_once(' ').unwrap();
    let emails = json!([{"name": "main", "value": email}]);
    json!({"defaultFields": {"firstName": first, "lastName": last, "emails": emails}})
}
