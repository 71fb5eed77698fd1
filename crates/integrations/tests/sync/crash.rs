//! Killed at every step of creating, updating, taking in and asking, with edits on both sides before the next process
//! goes on: in the end there is one partner for each customer, and no edit is lost.

use std::sync::Arc;
use std::time::Duration;

use onefold_domain::id::CustomerId;
use onefold_domain::survivorship::SurvivorshipRules;
use onefold_integrations::testing::DoubleChange;
use onefold_service::system::SyncSystem;
use onefold_sync::conflict::ConflictStatus;
use onefold_sync::mapping::MappingStatus;
use onefold_sync::partner::PartnerId;
use onefold_sync::resolver::Answer;
use onefold_sync::run::RunKind;
use onefold_sync::synchroniser::{SyncContext, Synchroniser};
use serde_json::json;

use crate::crashing::{Fate, MortalDirectory, MortalStore};
use crate::scene::{Scene, connector, person, settings};

on_every_store!(
    creating_leaves_one_partner,
    updating_loses_no_edit_of_either_side,
    an_edit_between_a_crash_and_the_next_attempt_is_no_conflict,
    taking_in_leaves_one_customer,
    asking_and_deciding_are_done_once,
);

/// More than any of these takes; a test that needs more says so.
const MOST_STEPS: usize = 60;

impl Scene {
    /// This company as a process sees it that dies at this step.
    pub(crate) fn mortal(&self, step: usize) -> (Self, Arc<Fate>) {
        let fate = Fate::at(step);
        let store = Arc::new(MortalStore { inner: self.store.clone(), fate: fate.clone() });
        let mut env = self.env.clone();
        env.store = store.clone();
        let inner = connector(&self.double, self.clock.clone());
        let directory = Arc::new(MortalDirectory { inner, fate: fate.clone() });
        let rules = Arc::new(SurvivorshipRules::shipped());
        let sync =
            Synchroniser::new(env.clone(), SyncSystem::MetaKocka, directory, rules.clone(), settings());
        (Self::around(store, self.clock.clone(), self.double.clone(), env, sync, rules), fate)
    }

    /// Tries until an attempt lives to its end, each one dying a step later than the last; between two of them the
    /// leases run out. Returns how many died.
    async fn die_and_try_again(&self, work: impl AsyncFn(&Self), between: impl AsyncFn(usize)) -> usize {
        for step in 1..MOST_STEPS {
            let (mortal, fate) = self.mortal(step);
            if fate.live(work(&mortal)).await {
                return step - 1;
            }
            self.pass(Duration::from_secs(60 * 60));
            between(step).await;
        }
        panic!("more than {MOST_STEPS} steps");
    }
}

/// Every attempt works on the same company, so later attempts go on from what earlier ones left.
async fn creating_leaves_one_partner(scene: Scene) {
    let customer = scene.contact("Ann Lee", "ann@example.com", "+38640000123").await.customer;
    let work = async |mortal: &Scene| {
        let _ = mortal.sync.sync_customer(customer, SyncContext::default()).await;
    };
    let died = scene.die_and_try_again(work, async |_| assert!(scene.double.partner_count() <= 1)).await;
    assert!(died > 4, "only {died} steps");
    one_of_each(&scene, customer).await;

    // From nothing to each step, and then to the end.
    for step in 1..MOST_STEPS {
        let email = format!("ann{step}@example.com");
        let customer = scene.customer("Ann Lee", &email).await;
        let (mortal, fate) = scene.mortal(step);
        let work = async {
            let _ = mortal.sync.sync_customer(customer, SyncContext::default()).await;
        };
        let lived = fate.live(work).await;
        scene.pass(Duration::from_secs(60 * 60));
        scene.sync(customer).await;
        assert_eq!(scene.double.partner_count(), 1 + step, "step {step}");
        one_of_each(&scene, customer).await;
        if lived {
            assert!(step > 8, "only {step} steps");
            return;
        }
    }
    panic!("more than {MOST_STEPS} steps");
}

async fn one_of_each(scene: &Scene, customer: CustomerId) {
    let mapping = scene.mapping(customer).await;
    assert_eq!(mapping.status, MappingStatus::Synced);
    assert!(mapping.sent.is_empty());
    assert!(scene.double.doubled_ids().is_empty());
    scene.work_off().await;
    scene.assert_quiet(RunKind::CompareFull).await;
}

async fn updating_loses_no_edit_of_either_side(scene: Scene) {
    for step in 1..MOST_STEPS {
        let customer = scene.customer("Ann Lee", &format!("ann{step}@example.com")).await;
        let id = scene.sync(customer).await.mapping.external.unwrap();
        scene.edit(customer, json!({"address": {"street": "Ours 1"}, "companyName": "Lee d.o.o."})).await;
        scene.edit_there(&id, &DoubleChange { city: Some("Bled".to_owned()), ..DoubleChange::default() });
        let (mortal, fate) = scene.mortal(step);
        let work = async {
            let _ = mortal.sync.sync_customer(customer, SyncContext::default()).await;
        };
        let lived = fate.live(work).await;
        scene.pass(Duration::from_secs(60 * 60));
        scene.work_off().await;
        let there = scene.there(&id);
        assert_eq!((there.addresses.len(), there.contacts.len()), (1, 1), "step {step}");
        let profile = scene.view(customer).await.profile;
        let here = profile.address().unwrap();
        assert_eq!(
            [here.street.as_deref().unwrap(), here.city.as_deref().unwrap()],
            [there.addresses[0].street.as_str(), there.addresses[0].city.as_str()]
        );
        assert_eq!(
            (here.street.as_deref(), here.city.as_deref()),
            (Some("Ours 1"), Some("Bled")),
            "step {step}"
        );
        assert_eq!(there.customer, "Lee d.o.o.");
        one_of_each(&scene, customer).await;
        if lived {
            assert!(step > 8, "only {step} steps");
            return;
        }
    }
    panic!("more than {MOST_STEPS} steps");
}

/// What we wrote just before we died is found there, and our next edit of the same field is no second opinion.
async fn an_edit_between_a_crash_and_the_next_attempt_is_no_conflict(scene: Scene) {
    let customer = scene.customer("Ann Lee", "ann@example.com").await;
    let id = scene.sync(customer).await.mapping.external.unwrap();
    scene.edit(customer, json!({"address": {"street": "Ours 0"}})).await;
    let work = async |mortal: &Scene| {
        let _ = mortal.sync.sync_customer(customer, SyncContext::default()).await;
    };
    let edit = async |step: usize| {
        scene.edit(customer, json!({"address": {"street": format!("Ours {step}")}})).await;
    };
    let died = scene.die_and_try_again(work, edit).await;
    assert_eq!(scene.there(&id).addresses[0].street, format!("Ours {died}"));
    assert!(scene.open_conflicts().await.is_empty());
    one_of_each(&scene, customer).await;
}

async fn taking_in_leaves_one_customer(scene: Scene) {
    for step in 1..MOST_STEPS {
        let there = scene.double.insert(person("Ann Lee", &format!("ann{step}@example.com")));
        let id = PartnerId::parse(&there.mk_id).unwrap();
        let (mortal, fate) = scene.mortal(step);
        let work = async {
            let _ = mortal.sync.import_partner(&id, SyncContext::default()).await;
        };
        let lived = fate.live(work).await;
        scene.pass(Duration::from_secs(60 * 60));
        let run = scene.run(RunKind::ImportAll, &[]).await;
        assert_eq!(run.counts.failed, 0);
        let mapping = scene.sync.mapping_of_partner(&id).await.unwrap().unwrap();
        assert_eq!(scene.view(mapping.customer).await.contacts.len(), 1, "step {step}");
        one_of_each(&scene, mapping.customer).await;
        if lived {
            return;
        }
    }
    panic!("more than {MOST_STEPS} steps");
}

async fn asking_and_deciding_are_done_once(scene: Scene) {
    let customer = scene.customer("Ann Lee", "ann@example.com").await;
    let id = scene.sync(customer).await.mapping.external.unwrap();
    scene.edit(customer, json!({"address": {"street": "Ours 1"}})).await;
    scene.edit_there(&id, &DoubleChange { street: Some("Theirs 2".to_owned()), ..DoubleChange::default() });
    let work = async |mortal: &Scene| {
        let _ = mortal.sync.sync_customer(customer, SyncContext::default()).await;
    };
    scene.die_and_try_again(work, async |_| {}).await;
    let open = scene.open_conflicts().await;
    let [conflict] = &open[..] else { panic!("{open:?}") };
    let decide = async |mortal: &Scene| {
        let _ = mortal.resolver.resolve(conflict.id, &Answer::Remote).await;
        mortal.worker.work_once().await.unwrap();
    };
    scene.die_and_try_again(decide, async |_| {}).await;
    let conflict = scene.conflicts.get(conflict.id).await.unwrap().unwrap();
    assert_eq!((conflict.status, conflict.resolution.as_deref()), (ConflictStatus::Resolved, Some("remote")));
    let profile = scene.view(customer).await.profile;
    assert_eq!(profile.address().unwrap().street.as_deref(), Some("Theirs 2"));
    assert_eq!(scene.there(&id).addresses[0].street, "Theirs 2");
    one_of_each(&scene, customer).await;
}
