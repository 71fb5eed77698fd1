//! What a registration makes of what is known: which keys it rests on, whether the person is registered already, and which
//! contacts it asks for. Pure functions.

use std::collections::BTreeSet;

use chrono::{DateTime, Utc};

use super::{NewRegistration, RegisterError};
use crate::contacts::ContactRequest;
use crate::token::TokenHash;
use onefold_domain::contact::{ClaimedBy, ContactKind, ContactRecord, KnownContact, Received, Statement};
use onefold_domain::email::EmailAddress;
use onefold_domain::id::{ContactId, UserId};
use onefold_domain::link_key::{LinkKey, StatementKeys};
use onefold_domain::linking::Candidates;
use onefold_domain::phone::PhoneNumber;
use onefold_domain::policy::LinkPolicy;
use onefold_domain::source::ContactSource;

/// One registration on its way.
pub(super) struct Case<'a> {
    pub(super) new: &'a NewRegistration,
    pub(super) id: UserId,
    pub(super) hash: TokenHash,
    pub(super) claims_by: ClaimedBy,
    pub(super) at: DateTime<Utc>,
}

impl Case<'_> {
    /// Every key that any of it could be found under, ascending: locked one after the other, two registrations could wait
    /// for each other.
    pub(super) fn keys(&self, policy: &LinkPolicy) -> Vec<LinkKey> {
        let statements = [self.email(), self.phone(), self.both()];
        let keys = statements.iter().flatten().flat_map(|one| StatementKeys::of(one, policy).to_vec());
        keys.collect::<BTreeSet<_>>().into_iter().collect()
    }

    /// The contacts of other users with this email. Whether one of them is an account, the records say.
    pub(super) fn of_others<'a>(
        &'a self,
        candidates: &'a Candidates,
    ) -> impl Iterator<Item = ContactId> + 'a {
        let is_another_users = |contact: &&KnownContact| {
            contact.email.as_ref() == Some(&self.new.email)
                && contact.user.is_some_and(|user| user != self.id)
        };
        contacts(candidates).filter(is_another_users).map(|contact| contact.id)
    }

    fn email(&self) -> Option<Statement> {
        self.states(Some(self.new.email.clone()), None)
    }

    fn phone(&self) -> Option<Statement> {
        self.states(None, self.new.phone.clone())
    }

    /// The way in which an order tells of both.
    fn both(&self) -> Option<Statement> {
        self.states(Some(self.new.email.clone()), Some(self.new.phone.clone()?))
    }

    fn states(&self, email: Option<EmailAddress>, phone: Option<PhoneNumber>) -> Option<Statement> {
        Some(Statement::new(email, phone)?.of_user(self.id))
    }
}

pub(super) fn refuse_registered(own: &[ContactRecord]) -> Result<(), RegisterError> {
    match own.iter().find(|contact| contact.source == ContactSource::SignupForm) {
        Some(contact) => Err(RegisterError::AlreadyRegistered { customer: contact.customer }),
        None => Ok(()),
    }
}

/// A contact for the email and one for the phone, and a guest's that had both.
pub(super) fn requests(
    case: &Case<'_>,
    own: &[ContactRecord],
    candidates: &Candidates,
) -> Vec<ContactRequest> {
    let left_both = contacts(candidates).any(|contact| {
        contact.user.is_none()
            && contact.email.as_ref() == Some(&case.new.email)
            && contact.phone.is_some()
            && contact.phone == case.new.phone
    });
    let has_primary = |kind| {
        own.iter().any(|contact| contact.details.is_primary && ContactKind::of(&contact.statement) == kind)
    };
    let statements = [case.email(), case.phone(), case.both().filter(|_| left_both)];
    let request = |statement: Statement| {
        let kind = ContactKind::of(&statement);
        let received = &case.new.received;
        let received = Received {
            email: received.email.clone().filter(|_| statement.email().is_some()),
            phone: received.phone.clone().filter(|_| statement.phone().is_some()),
        };
        ContactRequest {
            is_primary: (kind != ContactKind::Both && !has_primary(kind)).then_some(true),
            profile: Some(case.new.profile.clone()),
            claims_by: case.claims_by,
            ..ContactRequest::new(statement, received, ContactSource::SignupForm)
        }
    };
    statements.into_iter().flatten().map(request).collect()
}

fn contacts(candidates: &Candidates) -> impl Iterator<Item = &KnownContact> {
    candidates.customers.iter().flat_map(|customer| &customer.contacts)
}
