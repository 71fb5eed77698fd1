//! A customer without a record there. Creation is never tried blind: what may be there already is looked for first,
//! and adopted. So a create whose answer was lost ends in one record, however often it is tried.

use std::collections::BTreeMap;

use super::reconcile::Progress;
use super::{Opened, SyncContext, Synced, Synchroniser};
use crate::conflict::{ConflictDraft, ConflictFilter, ConflictStatus, ConflictSubject};
use crate::log::SyncOutcome;
use crate::mapping::Mapping;
use crate::merge::{fields_of, kept_otherwise, view_of};
use crate::partner::{
    PartnerField, PartnerFields, PartnerId, PartnerLookup, PartnerWritten, RemotePartner, TaxNumber,
};
use crate::store::Open;
use crate::sync_error::SyncError;
use crate::view::{SyncText, SyncView};
use onefold_domain::block::Part;
use onefold_domain::contact::{ContactRecord, Statement};
use onefold_domain::customer::CustomerRecord;
use onefold_domain::email::EmailAddress;
use onefold_domain::phone::PhoneNumber;
use onefold_service::retry::Failure;

/// The most emails, and the most phones, of a customer that are looked for.
const MOST_LOOKUPS: usize = 3;

/// How a person says that a customer and a record of the same values are not the same.
pub(crate) const SEPARATE: &str = "separate";

/// What was found there.
enum Found {
    Nothing,
    /// A record that no customer has yet.
    Free(Box<RemotePartner>),
    /// The only records found are other customers' already; this is one of them.
    Taken(PartnerId, Box<Mapping>),
}

impl Synchroniser {
    pub(super) async fn create(&self, opened: Opened, context: SyncContext) -> Result<Synced, SyncError> {
        let view = self.view(&opened.customer);
        let fields = self.directory.as_kept(&fields_of(&view, None, &SyncView::new()));
        self.directory.check(&fields)?;
        let lookups = self.lookups(&opened.customer, &fields, &opened.mapping.sent);
        let alone = self.alone_with(&opened, &lookups).await?;
        let looked = self.look_for(&lookups, &opened.mapping, &fields);
        match self.holding(&opened, looked).await? {
            Found::Taken(record, other) => self.same_partner(opened, record, *other).await,
            Found::Free(partner) => {
                let opened = self.adopt(opened, &partner).await?;
                // Whoever looks from now on finds that the record is taken.
                drop(alone);
                self.reconcile(opened, Some(*partner), SyncOutcome::Adopted, Progress::default(), context)
                    .await
            }
            Found::Nothing => {
                let sent = view_of(&fields, &self.directory.abilities());
                let opened = self.intend(opened, sent.clone()).await?;
                let written = self.holding(&opened, self.directory.add(&fields, opened.customer.id)).await?;
                let partner = written.partner.clone();
                let opened = self.created(opened, sent, written).await?;
                // Whoever looks from now on finds the record, and that it is taken.
                drop(alone);
                let carried = self.fields();
                let pushed = fields.stated().filter(|field| carried.contains(field)).collect();
                let progress = Progress { pushed, ..Progress::default() };
                self.reconcile(opened, partner, SyncOutcome::Created, progress, context).await
            }
        }
    }

    /// Looks for what the customer is now, and for what it was when an earlier attempt sent it.
    async fn look_for(
        &self,
        lookups: &[PartnerLookup],
        mapping: &Mapping,
        fields: &PartnerFields,
    ) -> Result<Found, SyncError> {
        let mut found: BTreeMap<PartnerId, (usize, usize, RemotePartner)> = BTreeMap::new();
        for lookup in lookups {
            for partner in self.directory.find_by(lookup).await? {
                let theirs = &partner.fields.tax_number;
                // Another tax number is another customer, whoever reads its mail.
                let other = theirs.is_some() && fields.tax_number.is_some() && *theirs != fields.tax_number;
                if !other {
                    let order = found.len();
                    found.entry(partner.id.clone()).or_insert((0, order, partner)).0 += 1;
                }
            }
        }
        for separate in self.known_as_separate(mapping).await? {
            found.remove(&separate);
        }
        // Most in common first, then the oldest, as the directory gave them.
        let mut found: Vec<_> = found.into_values().collect();
        found.sort_by_key(|(matches, order, _)| (std::cmp::Reverse(*matches), *order));
        let mut taken = None;
        for (_, _, partner) in found {
            match self.mapping_of_partner(&partner.id).await? {
                None => return Ok(Found::Free(Box::new(partner))),
                Some(other) => taken = taken.or(Some(Found::Taken(partner.id, Box::new(other)))),
            }
        }
        Ok(taken.unwrap_or(Found::Nothing))
    }

    /// The record that would be adopted.
    pub(super) async fn what_is_there(
        &self,
        customer: &CustomerRecord,
        mapping: &Mapping,
        fields: &PartnerFields,
    ) -> Result<Option<RemotePartner>, SyncError> {
        match self.look_for(&self.lookups(customer, fields, &mapping.sent), mapping, fields).await? {
            Found::Nothing => Ok(None),
            Found::Free(partner) => Ok(Some(*partner)),
            Found::Taken(..) => Err(SyncError::OpenConflict { conflicts: Vec::new() }),
        }
    }

    fn lookups(
        &self,
        customer: &CustomerRecord,
        fields: &PartnerFields,
        sent: &SyncView,
    ) -> Vec<PartnerLookup> {
        let text = |field| sent.get(&field).and_then(Option::as_ref).map(SyncText::as_str);
        let numbers = fields.tax_number.clone().into_iter();
        let sent_number = text(PartnerField::TaxNumber).and_then(|number| TaxNumber::parse(number).ok());
        let statements = || customer.contacts.iter();
        let linking_email = statements().filter(|contact| contact.email_blocked_by.is_none());
        let emails = linking_email.filter_map(|contact| contact.statement.email().cloned());
        let linking_phone = statements().filter(|contact| contact.phone_blocked_by.is_none());
        let phones = linking_phone.filter_map(|contact| contact.statement.phone().cloned());
        let sent_email = text(PartnerField::Email).map(|text| EmailAddress::from_canonical(text.to_owned()));
        let sent_phone = text(PartnerField::Phone).and_then(|text| PhoneNumber::parse(text, None).ok());
        let numbers = numbers.chain(sent_number).map(PartnerLookup::TaxNumber);
        // First what an earlier attempt sent: if that created a record, it is found by it.
        let emails = sent_email.into_iter().chain(fields.email.clone()).chain(emails);
        let emails =
            emails.filter(|email| !is_shared(customer, Part::Email, |one| one.email() == Some(email)));
        let phones = sent_phone.into_iter().chain(fields.phone.clone()).chain(phones);
        let phones = phones.filter(|phone| {
            let same = |one: &Statement| one.phone().is_some_and(|one| one.match_key() == phone.match_key());
            !is_shared(customer, Part::Phone, same)
        });
        let (emails, phones) = (emails.map(PartnerLookup::Email), phones.map(PartnerLookup::Phone));
        let mut lookups = some_of(numbers);
        lookups.extend(some_of(emails));
        lookups.extend(some_of(phones));
        lookups.retain(|lookup| self.directory.abilities().lookups.contains(&lookup.kind()));
        lookups
    }

    /// Records of which a person has said that they are somebody else.
    async fn known_as_separate(&self, mapping: &Mapping) -> Result<Vec<PartnerId>, SyncError> {
        let filter = ConflictFilter {
            mapping: Some(mapping.id),
            status: Some(ConflictStatus::Resolved),
            ..ConflictFilter::default()
        };
        let resolved = self.env.store.conflicts().list(&filter, None, 100).await.map_err(Failure::from)?;
        let separate = resolved.iter().filter(|conflict| {
            conflict.subject == ConflictSubject::SamePartner
                && conflict.resolution.as_deref() == Some(SEPARATE)
        });
        let record = separate.filter_map(|conflict| conflict.remote.as_ref());
        Ok(record.filter_map(|id| PartnerId::parse(id.as_str()).ok()).collect())
    }

    /// Another customer has the record that this one should have: they are probably one.
    async fn same_partner(
        &self,
        opened: Opened,
        record: PartnerId,
        other: Mapping,
    ) -> Result<Synced, SyncError> {
        let draft = ConflictDraft {
            mapping: opened.mapping.id,
            system: self.system,
            customer: opened.customer.id,
            subject: ConflictSubject::SamePartner,
            base: None,
            local: SyncText::new(&other.customer.0.hyphenated().to_string()),
            remote: SyncText::new(record.as_str()),
            status: ConflictStatus::Open,
            rule: None,
            at: self.env.base.clock.now(),
        };
        let draft = &draft;
        let conflict = self
            .env
            .transact(move |mut transaction: Open| {
                Box::pin(async move {
                    Ok::<_, SyncError>((transaction.conflicts().put(draft).await?, transaction))
                })
            })
            .await?;
        Err(SyncError::OpenConflict { conflicts: vec![conflict] })
    }

    /// The record is the customer's from now on. Nothing is agreed on yet but what we sent ourselves: where the
    /// two differ, the rules decide as if both had changed.
    async fn adopt(&self, opened: Opened, partner: &RemotePartner) -> Result<Opened, SyncError> {
        let adopted = Mapping {
            external: Some(partner.id.clone()),
            parts: partner.parts.clone(),
            ..opened.mapping.clone()
        };
        self.store(opened, adopted).await
    }

    /// It exists there: from here on nothing creates it again.
    async fn created(
        &self,
        opened: Opened,
        sent: SyncView,
        written: PartnerWritten,
    ) -> Result<Opened, SyncError> {
        let abilities = self.directory.abilities();
        let mut mapping = Mapping {
            external: Some(written.id.clone()),
            parts: written.parts.clone(),
            ..opened.mapping.clone()
        };
        if let Some(partner) = &written.partner {
            mapping.kept = kept_otherwise(&written.differing, partner, &abilities);
            mapping.sent = SyncView::new();
            mapping = mapping.agreeing(sent, self.env.base.clock.now());
        }
        self.store(opened, mapping).await
    }

    /// Says what will be written there, before it is.
    pub(super) async fn intend(&self, opened: Opened, sent: SyncView) -> Result<Opened, SyncError> {
        let mapping = Mapping { sent, ..opened.mapping.clone() };
        self.store(opened, mapping).await
    }

    /// Stores the mapping while it is leased to us, and makes the lease last for the next call.
    pub(super) async fn store(&self, opened: Opened, mapping: Mapping) -> Result<Opened, SyncError> {
        let at = self.env.base.clock.now();
        let mapping = self.touched(mapping, at);
        let (owner, until) = (opened.owner, self.lease_until(at));
        let stored = &mapping;
        self.env
            .transact(move |mut transaction: Open| {
                Box::pin(async move {
                    let mappings = transaction.mappings();
                    let held = mappings.lease(stored.id, owner, at, until).await?.ok_or(SyncError::Busy)?;
                    // An earlier try may have been carried out although its commit failed to say so.
                    let done = Mapping { lease: None, ..held } == next(stored);
                    if !done {
                        mappings.update(stored).await?;
                    }
                    Ok::<_, SyncError>(((), transaction))
                })
            })
            .await?;
        Ok(Opened { mapping: Mapping { lease: Some((owner, until)), ..next(&mapping) }, ..opened })
    }
}

/// The mapping as it is after an update.
fn next(mapping: &Mapping) -> Mapping {
    Mapping { version: mapping.version + 1, lease: None, ..mapping.clone() }
}

/// Whether the customer has the value and is not known by it: whoever else has it there is somebody else.
fn is_shared(customer: &CustomerRecord, part: Part, has: impl Fn(&Statement) -> bool) -> bool {
    let mut holders = customer.contacts.iter().filter(|contact| has(&contact.statement)).peekable();
    let blocked = |contact: &ContactRecord| match part {
        Part::Email => contact.email_blocked_by.is_some(),
        Part::Phone => contact.phone_blocked_by.is_some(),
    };
    holders.peek().is_some() && holders.all(blocked)
}

/// The first few of these look-ups, none twice.
fn some_of(lookups: impl Iterator<Item = PartnerLookup>) -> Vec<PartnerLookup> {
    let mut some: Vec<PartnerLookup> = Vec::new();
    for lookup in lookups {
        if some.len() < MOST_LOOKUPS && !some.contains(&lookup) {
            some.push(lookup);
        }
    }
    some
}
