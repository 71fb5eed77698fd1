//! Who a batch takes for one: plans carried out on the copy of what the store knows.

use super::super::outcome::PROVISIONAL;
use super::{Batch, Known};
use crate::store::LinkDraft;
use onefold_domain::contact::EvidenceOrder;
use onefold_domain::customer::KnownCustomer;
use onefold_domain::id::{ContactId, CustomerId};
use onefold_domain::link_key::LinkKey;
use onefold_domain::linking::{LinkPlan, Surroundings};

impl Batch<'_> {
    /// Does to the copy what the plan says, and notes it for the store. Returns the plan's customer.
    pub(super) fn apply(&mut self, plan: &LinkPlan, contact: Option<ContactId>) -> usize {
        for (id, _) in &plan.guards {
            let index = self.by_id[id];
            self.customers[index].touched = true;
        }
        let home = match plan.customer {
            Some(id) => self.by_id[&id],
            None => self.found_customer(),
        };
        let id = self.customers[home].customer.id;
        for key in &plan.claims {
            self.owners.insert(key.clone(), home);
            self.writes.customers.claims.push((key.clone(), id));
        }
        let after = self.youngest(plan);
        for absorbed in &plan.absorbed {
            let other = self.by_id[absorbed];
            self.stands_for[other] = home;
            let moved = std::mem::take(&mut self.customers[other].customer.contacts);
            if self.customers[other].stored {
                let stored = moved.iter().map(|contact| contact.id).filter(|id| id.0 < PROVISIONAL);
                self.writes.merged.push((id, *absorbed, stored.collect()));
            }
            let contacts = &mut self.customers[home].customer.contacts;
            contacts.extend(moved);
            contacts.sort_unstable_by_key(|contact| contact.id);
            self.writes.customers.absorbed.push((id, *absorbed));
            if let Some(after) = after {
                let statement = plan.statement.clone();
                self.writes.links.push(LinkDraft {
                    survivor: id,
                    absorbed: *absorbed,
                    statement,
                    beside: None,
                    source: None,
                    contact,
                    after,
                    at: self.at,
                    origin: None,
                });
            }
        }
        home
    }

    pub(super) fn youngest(&self, plan: &LinkPlan) -> Option<EvidenceOrder> {
        let concerned = plan.customer.iter().chain(&plan.absorbed);
        let contacts = concerned.flat_map(|id| &self.customers[self.by_id[id]].customer.contacts);
        contacts.map(|contact| contact.order).max()
    }

    pub(super) fn found_customer(&mut self) -> usize {
        let id = CustomerId(self.randomness.uuid(self.at));
        let index = self.customers.len();
        let customer = KnownCustomer { id, version: 1, contacts: Vec::new() };
        self.customers.push(Known { customer, stored: false, touched: false });
        self.stands_for.push(index);
        self.by_id.insert(id, index);
        self.writes.new.push(id);
        index
    }

    pub(super) fn home(&self, index: usize) -> CustomerId {
        self.customers[self.place(index)].customer.id
    }

    pub(super) fn place(&self, mut index: usize) -> usize {
        while self.stands_for[index] != index {
            index = self.stands_for[index];
        }
        index
    }
}

impl Surroundings for Batch<'_> {
    fn owner(&self, key: &LinkKey) -> Option<usize> {
        self.owners.get(key).map(|index| self.place(*index))
    }

    fn customer(&self, index: usize) -> &KnownCustomer {
        &self.customers[index].customer
    }
}
