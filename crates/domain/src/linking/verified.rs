//! Whose a value is: that of the user who verified it last.

use std::collections::HashMap;

use chrono::{DateTime, Utc};

use super::DetailedContact;
use super::decide::rule_of_value;
use crate::block::BlockRule;
use crate::contact::Statement;
use crate::id::{ContactId, UserId};
use crate::link_key::{LinkKey, StatementKeys};
use crate::policy::LinkPolicy;

/// The users to whom verified values belong. A function of evidence and policy; the order in which it came does
/// not matter.
#[derive(Default)]
pub struct Verified {
    by: HashMap<LinkKey, (DateTime<Utc>, ContactId, UserId)>,
    /// Values of which it is known whose they are, though the contact that says so is not at hand.
    known: HashMap<LinkKey, UserId>,
}

impl Verified {
    pub(crate) fn of<'a>(
        contacts: impl IntoIterator<Item = &'a DetailedContact>,
        policy: &LinkPolicy,
    ) -> Self {
        let mut verified = Self::default();
        for contact in contacts {
            verified.add(contact, policy);
        }
        verified
    }

    /// Takes the contact's verification in, if it has one that counts.
    pub fn add(&mut self, contact: &DetailedContact, policy: &LinkPolicy) {
        let (Some(at), Some(user)) = (contact.verified_at, contact.statement.user()) else { return };
        let newer = (at, contact.id, user);
        for key in StatementKeys::of(&contact.statement, policy).values() {
            let known = self.by.entry(key.clone()).or_insert(newer);
            // Of two at one moment that of the younger contact counts as the later.
            *known = (*known).max(newer);
        }
    }

    /// Takes in that this user has verified the value of this key last.
    pub fn note(&mut self, key: LinkKey, user: UserId) {
        self.known.insert(key, user);
    }

    /// The user who verified the value of this key last.
    pub(crate) fn user(&self, key: &LinkKey) -> Option<UserId> {
        self.known.get(key).copied().or_else(|| self.by.get(key).map(|(_, _, user)| *user))
    }

    /// The rules that keep the statement's email and phone from linking, whoever else has them.
    pub fn rules(&self, statement: &Statement, policy: &LinkPolicy) -> [Option<BlockRule>; 2] {
        let keys = StatementKeys::of(statement, policy);
        let verifier = |key: &Option<LinkKey>| key.as_ref().and_then(|key| self.user(key));
        let email = statement.email().and_then(|email| {
            rule_of_value(statement, policy.never_links_email(email), verifier(&keys.email))
        });
        let phone = statement.phone().and_then(|phone| {
            rule_of_value(statement, policy.never_links_phone(phone), verifier(&keys.phone))
        });
        [email, phone]
    }

    /// The rules that keep the two values of a join from linking: the statement's and, in the place of the phone, that of the
    /// statement beside which the join puts it.
    pub(crate) fn rules_of_join(
        &self,
        statement: &Statement,
        beside: Option<&Statement>,
        policy: &LinkPolicy,
    ) -> [Option<BlockRule>; 2] {
        let rules = self.rules(statement, policy);
        let Some(beside) = beside else { return rules };
        let only = |[email, phone]: [Option<BlockRule>; 2]| email.or(phone);
        [only(rules), only(self.rules(beside, policy))]
    }

    /// Whether a claim of a guest's contact is proven: its user has verified one of its values.
    pub fn proves(&self, contact: &DetailedContact, policy: &LinkPolicy) -> bool {
        let user = contact.statement.user();
        contact.claimed_by.is_some()
            && user.is_some()
            && StatementKeys::of(&contact.statement, policy).values().any(|key| self.user(key) == user)
    }

    /// Whether a claim of a guest's contact is void: another user has verified one of its values, and its own
    /// has not.
    pub fn voids(&self, contact: &DetailedContact, policy: &LinkPolicy) -> bool {
        contact.claimed_by.is_some()
            && contact.verified_at.is_none()
            && self.rules(&contact.statement, policy).contains(&Some(BlockRule::VerifiedElsewhere))
    }
}
