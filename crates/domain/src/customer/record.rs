//! A customer in full, as it is stored.

use std::collections::BTreeSet;

use chrono::{DateTime, TimeDelta, Utc};

use crate::contact::ContactRecord;
use crate::id::CustomerId;
use crate::link_key::StatementKeys;
use crate::policy::LinkPolicy;

/// A customer with all its contacts, as a store gives it. An absorbed customer is given as its survivor.
#[derive(Clone, PartialEq, Debug)]
pub struct CustomerRecord {
    pub id: CustomerId,
    pub version: i64,
    pub created_at: DateTime<Utc>,
    pub updated_at: DateTime<Utc>,
    /// Ascending, without those that were withdrawn.
    pub contacts: Vec<ContactRecord>,
}

impl CustomerRecord {
    /// Differs whenever anything of the customer or its contacts does.
    pub fn revision(&self) -> String {
        format!("{}-{}", self.version, self.id.0.simple())
    }

    /// How many contact points its contacts show, those that do not link included.
    pub fn points(&self, policy: &LinkPolicy) -> usize {
        let keys = self.contacts.iter().map(|contact| StatementKeys::of(&contact.statement, policy));
        keys.flat_map(|keys| keys.values().cloned().collect::<Vec<_>>()).collect::<BTreeSet<_>>().len()
    }

    /// This moment, or a later one if a contact has that already, since clocks differ: a correction comes after all that it
    /// corrects.
    pub fn after_all(&self, now: DateTime<Utc>) -> DateTime<Utc> {
        let last = self.contacts.iter().map(|contact| contact.updated_at + TimeDelta::microseconds(1)).max();
        last.map_or(now, |last| last.max(now))
    }
}
