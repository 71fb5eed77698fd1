//! Writing here what changed there. A profile is computed from contacts, so a value is written where it shows: in the
//! contact that speaks for the other system, or, if a better source outranks that one, in the contact that it
//! came from. Emails and phones come as contacts, and link by the rules that hold for every contact.

use chrono::{DateTime, Utc};

use super::Synchroniser;
use crate::audit::Change;
use crate::contacts::upsert;
use crate::customers::speaking_for;
use crate::sync::plan::Comparison;
use crate::sync::transform::profile_patch;
use crate::sync::{PartnerField, PartnerFields, Side};
use crate::{
    ContactId, ContactRecord, ContactRequest, CustomerId, CustomerRecord, CustomerView, Profile,
    ProfileField, Received, RecordError, Statement, StoreError, Transaction,
};

/// What became of the fields that were to be written here.
#[derive(Default)]
pub(in crate::sync) struct Here {
    pub(in crate::sync) pulled: Vec<PartnerField>,
    /// Nothing joins the value to the customer, or the profile cannot hold it.
    pub(in crate::sync) refused: Vec<PartnerField>,
}

impl Synchroniser {
    pub(in crate::sync) async fn write_here(
        &self,
        transaction: &mut dyn Transaction,
        record: &CustomerRecord,
        compared: &Comparison,
    ) -> Result<Here, RecordError> {
        let mut here = Here::default();
        let fields = compared.to(Side::Local);
        for field in [PartnerField::Email, PartnerField::Phone] {
            if !fields.contains(&field) || knows(record, &compared.theirs, field) {
                continue;
            }
            match joining(record, &compared.theirs, field) {
                Some(statement) => {
                    let request = ContactRequest::new(statement, Received::default(), self.system.source());
                    upsert(transaction, &self.env, &request).await?;
                    here.pulled.push(field);
                }
                None => here.refused.push(field),
            }
        }
        let view = self.view(record);
        let patch = profile_patch(&view, &compared.theirs, &fields);
        if patch.is_empty() {
            return Ok(here);
        }
        let named = fields.into_iter().filter(|field| !is_point(*field));
        match Profile::ruling(&view.profile, &patch) {
            Ok(ruling) => {
                self.state(transaction, record.id, &ruling).await?;
                here.pulled.extend(named);
            }
            Err(_) => here.refused.extend(named),
        }
        Ok(here)
    }

    /// States these values of a customer, so that its profile shows them.
    async fn state(
        &self,
        transaction: &mut dyn Transaction,
        id: CustomerId,
        ruling: &Profile,
    ) -> Result<(), RecordError> {
        let at = self.env.clock.now();
        let record = current(transaction, id).await?;
        transaction.customers().advance(record.id, record.version, at).await?;
        let own = record.contacts.iter().find(|contact| contact.source == self.system.source());
        match own {
            Some(own) => self.overlay(transaction, own, ruling, at).await?,
            None => self.speak_for(transaction, &record, ruling, at).await?,
        }
        let shown = self.view(&current(transaction, id).await?);
        for (contact, rest) in outranked(&shown, ruling) {
            let holder = shown.contacts.iter().find(|record| record.id == contact);
            if let Some(holder) = holder {
                self.overlay(transaction, holder, &rest, at).await?;
            }
        }
        Ok(())
    }

    async fn overlay(
        &self,
        transaction: &mut dyn Transaction,
        before: &ContactRecord,
        ruling: &Profile,
        at: DateTime<Utc>,
    ) -> Result<(), StoreError> {
        let mut after = before.clone();
        let profile = after.details.profile.take().unwrap_or_default();
        after.details.profile = Some(profile.overlay(ruling));
        after.touch(at);
        transaction.contacts().update(&after).await?;
        let changed = Change::contact_updated(before, &after);
        self.env.record(transaction, at, Vec::from_iter(changed)).await
    }

    /// Adds a contact that says of the oldest one's values what the other system knows, and links as that one.
    async fn speak_for(
        &self,
        transaction: &mut dyn Transaction,
        record: &CustomerRecord,
        ruling: &Profile,
        at: DateTime<Utc>,
    ) -> Result<(), StoreError> {
        let Some(oldest) = record.contacts.first() else { return Ok(()) };
        let draft = speaking_for(oldest, self.system.source(), ruling.clone());
        let id = transaction.contacts().insert(&draft, record.id, at).await?;
        self.env.record(transaction, at, vec![Change::contact_added(id, record.id, &draft)]).await
    }
}

/// The customer as it stands in this transaction.
pub(in crate::sync) async fn current(
    transaction: &mut dyn Transaction,
    id: CustomerId,
) -> Result<CustomerRecord, RecordError> {
    transaction.customers().get(id).await?.ok_or(RecordError::NoSuchCustomer)
}

/// What a better source keeps from showing, by the contact that shows something else.
fn outranked(shown: &CustomerView, ruling: &Profile) -> Vec<(ContactId, Profile)> {
    let shows = |field: ProfileField| shown.profile.get(field) == ruling.get(field);
    let hidden = ruling.iter().filter(|(field, _)| !shows(*field));
    let holder =
        |(field, _): (ProfileField, _)| Some((*shown.profile_sources.get(&field)?, ruling.only(field)));
    hidden.filter_map(holder).collect()
}

fn is_point(field: PartnerField) -> bool {
    matches!(field, PartnerField::Email | PartnerField::Phone)
}

fn knows(record: &CustomerRecord, theirs: &PartnerFields, field: PartnerField) -> bool {
    record.contacts.iter().any(|contact| match field {
        PartnerField::Email => contact.statement.email() == theirs.email.as_ref(),
        _ => contact.statement.phone() == theirs.phone.as_ref(),
    })
}

/// A statement that joins the new value to the customer: beside a value that links the customer already, or as its
/// user's. `None` if there is neither: as a contact of its own it would be somebody else's.
fn joining(record: &CustomerRecord, theirs: &PartnerFields, field: PartnerField) -> Option<Statement> {
    let user = record.contacts.iter().find_map(ContactRecord::user);
    let statement = match field {
        PartnerField::Email => {
            let phones = record.contacts.iter().filter(|contact| contact.phone_blocked_by.is_none());
            let mut phones = phones.filter_map(|contact| contact.statement.phone());
            let phone = phones.clone().find(|phone| Some(*phone) == theirs.phone.as_ref());
            let phone = phone.or_else(|| phones.next()).cloned();
            (phone.is_some() || user.is_some()).then(|| Statement::new(theirs.email.clone(), phone))?
        }
        _ => {
            let emails = record.contacts.iter().filter(|contact| contact.email_blocked_by.is_none());
            let mut emails = emails.filter_map(|contact| contact.statement.email());
            let email = emails.clone().find(|email| Some(*email) == theirs.email.as_ref());
            let email = email.or_else(|| emails.next()).cloned();
            (email.is_some() || user.is_some()).then(|| Statement::new(email, theirs.phone.clone()))?
        }
    };
    match user {
        Some(user) => statement.map(|statement| statement.of_user(user)),
        None => statement,
    }
}
