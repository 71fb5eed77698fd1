//! Writing here what changed there. A change there is somebody's correction of what the customer showed in these fields:
//! it is kept in the contact that speaks for the other system, and outdoes what was said before by whomever. What
//! others said stays where it is, and says nothing new. Emails and phones come as contacts (`points.rs`).

use chrono::{DateTime, Utc};

use super::Synchroniser;
use crate::merge::{Comparison, Side, profile_patch};
use crate::partner::{PartnerField, PartnerFields};
use crate::store::SyncTransaction;
use onefold_domain::contact::ContactRecord;
use onefold_domain::customer::CustomerRecord;
use onefold_domain::id::CustomerId;
use onefold_domain::profile::Profile;
use onefold_service::customers::speaking_for;
use onefold_service::error::RecordError;
use onefold_service::store::StoreError;
use onefold_service::trail::Change;

/// What became of the fields that were to be written here.
#[derive(Default)]
pub(crate) struct Here {
    pub(crate) pulled: Vec<PartnerField>,
    /// Nothing joins the value to the customer, or the profile cannot hold it.
    pub(crate) refused: Vec<PartnerField>,
}

impl Synchroniser {
    pub(crate) async fn write_here(
        &self,
        transaction: &mut dyn SyncTransaction,
        record: &CustomerRecord,
        compared: &Comparison,
    ) -> Result<Here, RecordError> {
        let mut here = Here::default();
        let fields = compared.to(Side::Local);
        for field in [PartnerField::Email, PartnerField::Phone] {
            if !fields.contains(&field) || knows(record, &compared.theirs, field) {
                continue;
            }
            let record = current(transaction, record.id).await?;
            match self.take_point(transaction, &record, &compared.theirs, field).await? {
                true => here.pulled.push(field),
                false => here.refused.push(field),
            }
        }
        let view = self.view(record);
        let patch = profile_patch(&view, &compared.theirs, &fields);
        if patch.is_empty() {
            return Ok(here);
        }
        // What a partner is has no place of its own here: it goes with the company's name.
        let named = fields.into_iter().filter(|field| !field.is_point() && field.has_rule());
        match Profile::ruling(&view.profile, &patch) {
            Ok(ruling) => {
                self.state(transaction, record.id, &ruling).await?;
                here.pulled.extend(named);
            }
            // What the partner is goes with the company's name, so that neither is left alone.
            Err(_) => here.refused.extend(named),
        }
        Ok(here)
    }

    /// States these values of a customer, so that its profile shows them.
    async fn state(
        &self,
        transaction: &mut dyn SyncTransaction,
        id: CustomerId,
        ruling: &Profile,
    ) -> Result<(), RecordError> {
        let now = self.env.base.clock.now();
        let record = current(transaction, id).await?;
        transaction.customers().advance(record.id, record.version, now).await?;
        let at = record.after_all(now);
        let own = record.contacts.iter().find(|contact| contact.source == self.system.source());
        match own {
            Some(own) => self.correct(transaction, own, ruling, at).await?,
            None => self.speak_for(transaction, &record, ruling, at).await?,
        }
        Ok(())
    }

    async fn correct(
        &self,
        transaction: &mut dyn SyncTransaction,
        before: &ContactRecord,
        ruling: &Profile,
        at: DateTime<Utc>,
    ) -> Result<(), StoreError> {
        let mut after = before.clone();
        after.touch(at);
        let profile = after.details.profile.take().unwrap_or_default();
        after.details.profile = Some(profile.corrected(ruling, self.system.source(), at));
        transaction.contacts().update(&after).await?;
        let changed = Change::contact_updated(before, &after);
        self.env.base.record(transaction, self.env.base.clock.now(), Vec::from_iter(changed)).await
    }

    /// Adds a contact that says of the oldest one's values what the other system knows, and links as that one.
    async fn speak_for(
        &self,
        transaction: &mut dyn SyncTransaction,
        record: &CustomerRecord,
        ruling: &Profile,
        at: DateTime<Utc>,
    ) -> Result<(), StoreError> {
        let Some(oldest) = record.contacts.first() else { return Ok(()) };
        let source = self.system.source();
        let draft = speaking_for(oldest, source, Profile::default().corrected(ruling, source, at));
        let id = transaction.contacts().insert(&draft, record.id, at).await?;
        let added = vec![Change::contact_added(id, record.id, &draft)];
        self.env.base.record(transaction, self.env.base.clock.now(), added).await
    }
}

/// The customer as it stands in this transaction.
pub(crate) async fn current(
    transaction: &mut dyn SyncTransaction,
    id: CustomerId,
) -> Result<CustomerRecord, RecordError> {
    transaction.customers().get(id).await?.ok_or(RecordError::NoSuchCustomer)
}

fn knows(record: &CustomerRecord, theirs: &PartnerFields, field: PartnerField) -> bool {
    record.contacts.iter().any(|contact| match field {
        PartnerField::Email => contact.statement.email() == theirs.email.as_ref(),
        _ => contact.statement.phone() == theirs.phone.as_ref(),
    })
}
