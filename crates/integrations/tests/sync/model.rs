//! Anything that people on both sides, the network and a crash can do, in any order: in the end both sides agree, every
//! customer has one partner, and each value is one that somebody gave last.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use onefold_domain::{Answer, CustomerId, Errand, MemoryStore, RunKind};
use onefold_integrations::testing::{DoubleCall, DoubleChange, Trouble};
use proptest::prelude::*;
use serde_json::json;

use crate::scene::Scene;

const CUSTOMERS: usize = 3;

#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
enum Field {
    City,
    Street,
    Name,
}

#[derive(Clone, Debug)]
enum Step {
    EditHere(usize, Field),
    EditThere(usize, Field),
    Sync(usize),
    Compare,
    /// A sync by a process that dies at this step.
    Crash(usize, usize),
    LoseNext(DoubleCall),
    Work,
    /// An open conflict is decided.
    Decide(bool),
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let who = 0..CUSTOMERS;
    let field = prop::sample::select(vec![Field::City, Field::Street, Field::Name]);
    let call = prop::sample::select(vec![DoubleCall::AddPartner, DoubleCall::UpdatePartner]);
    let step = prop_oneof![
        3 => (who.clone(), field.clone()).prop_map(|(who, field)| Step::EditHere(who, field)),
        3 => (who.clone(), field).prop_map(|(who, field)| Step::EditThere(who, field)),
        3 => who.clone().prop_map(Step::Sync),
        2 => Just(Step::Compare),
        3 => (who, 1..20_usize).prop_map(|(who, step)| Step::Crash(who, step)),
        1 => call.prop_map(Step::LoseNext),
        2 => Just(Step::Work),
        1 => any::<bool>().prop_map(Step::Decide),
    ];
    prop::collection::vec(step, 1..25)
}

/// The last value that somebody gave, on each side.
#[derive(Default)]
struct Said {
    here: BTreeMap<(usize, Field), String>,
    there: BTreeMap<(usize, Field), String>,
}

struct World {
    scene: Scene,
    customers: Vec<CustomerId>,
    said: Said,
}

impl World {
    async fn new() -> Self {
        let scene = Scene::on(Arc::new(MemoryStore::default())).await;
        let mut world = Self { scene, customers: Vec::new(), said: Said::default() };
        for who in 0..CUSTOMERS {
            let customer = world.scene.customer("Ann Lee", &format!("ann{who}@example.com")).await;
            world.customers.push(customer);
            world.said.here.insert((who, Field::Name), "Ann Lee".to_owned());
            world.said.here.insert((who, Field::City), "Ljubljana".to_owned());
            world.said.here.insert((who, Field::Street), "Lipova pot 7".to_owned());
        }
        world
    }

    async fn take(&mut self, step: Step, number: usize) {
        let value = format!("Value {number}");
        match step {
            Step::EditHere(who, field) => {
                let patch = match field {
                    Field::City => json!({"address": {"city": value}}),
                    Field::Street => json!({"address": {"street": value}}),
                    Field::Name => json!({"name": value}),
                };
                self.scene.edit(self.customers[who], patch).await;
                self.said.here.insert((who, field), value);
            }
            Step::EditThere(who, field) => {
                let mapping = self.scene.sync.mapping_of_customer(self.customers[who]).await.unwrap();
                let Some(id) = mapping.and_then(|mapping| mapping.external) else { return };
                let text = Some(value.clone());
                let change = match field {
                    Field::City => DoubleChange { city: text, ..DoubleChange::default() },
                    Field::Street => DoubleChange { street: text, ..DoubleChange::default() },
                    Field::Name => DoubleChange { name: text, ..DoubleChange::default() },
                };
                self.scene.edit_there(&id, &change);
                self.said.there.insert((who, field), value);
            }
            Step::Sync(who) => {
                let _ = self.scene.sync.sync_customer(self.customers[who], Errand::default()).await;
            }
            Step::Compare => {
                self.scene.run(RunKind::Compare, &[]).await;
            }
            Step::Crash(who, at) => {
                let (mortal, fate) = self.scene.mortal(at);
                let customer = self.customers[who];
                let work = async {
                    let _ = mortal.sync.sync_customer(customer, Errand::default()).await;
                };
                fate.live(work).await;
                self.scene.clock.pass(Duration::from_secs(60 * 60));
            }
            Step::LoseNext(call) => self.scene.double.next(call, Trouble::LoseAnswer),
            Step::Work => {
                self.scene.worker.work_once().await.unwrap();
            }
            Step::Decide(local) => self.decide(local).await,
        }
        assert!(self.scene.double.partner_count() <= CUSTOMERS, "a partner too many");
    }

    async fn decide(&self, local: bool) {
        if let Some(conflict) = self.scene.open_conflicts().await.first() {
            let answer = if local { Answer::Local } else { Answer::Remote };
            self.scene.conflicts.resolve(conflict.id, &answer).await.unwrap();
        }
    }

    /// Lets everything that was promised happen, and a person decide what is open.
    async fn come_to_rest(&self) {
        self.scene.double.end_trouble();
        for customer in &self.customers {
            let _ = self.scene.sync.sync_customer(*customer, Errand::default()).await;
        }
        for _ in 0..20 {
            self.scene.clock.pass(Duration::from_secs(3 * 60 * 60));
            self.scene.worker.work_once().await.unwrap();
            self.scene.run(RunKind::CompareFull, &[]).await;
            if self.scene.open_conflicts().await.is_empty() {
                break;
            }
            self.decide(true).await;
        }
        self.scene.worker.work_once().await.unwrap();
        self.scene.assert_quiet(RunKind::CompareFull).await;
    }

    async fn assert_agreed(&self) {
        assert_eq!(self.scene.double.partner_count(), CUSTOMERS);
        assert!(self.scene.double.doubled_ids().is_empty());
        for (who, customer) in self.customers.iter().enumerate() {
            let mapping = self.scene.mapping(*customer).await;
            let there = self.scene.there(mapping.external.as_ref().unwrap());
            assert_eq!((there.addresses.len(), there.contacts.len()), (1, 1), "no row was added");
            let profile = self.scene.view(*customer).await.profile;
            let here = profile.address().unwrap();
            let name = profile.text(onefold_domain::ProfileField::Name);
            let pairs = [
                (Field::City, here.city.as_deref(), there.addresses[0].city.as_str()),
                (Field::Street, here.street.as_deref(), there.addresses[0].street.as_str()),
                (Field::Name, name, there.customer.as_str()),
            ];
            for (field, here, there) in pairs {
                assert_eq!(here.unwrap_or_default(), there, "{who} {field:?}");
                let said = [self.said.here.get(&(who, field)), self.said.there.get(&(who, field))];
                let given = said.iter().flatten().any(|said| said.as_str() == there);
                assert!(given, "{who} {field:?}: {there} instead of {said:?}");
            }
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn both_sides_come_to_agree(steps in steps()) {
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
        runtime.block_on(async {
            let mut world = World::new().await;
            for (number, step) in steps.into_iter().enumerate() {
                world.take(step, number).await;
            }
            world.come_to_rest().await;
            world.assert_agreed().await;
        });
    }
}
