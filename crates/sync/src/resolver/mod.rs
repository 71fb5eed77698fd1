//! What a person decides about conflicts with one system, and about what a rule decided.

mod answer;
mod gone;

use std::collections::BTreeMap;

use crate::merge::{Comparison, FieldPlan, Side, SyncPlan};
use crate::synchroniser::{Synchroniser, current};

use crate::conflict::{Conflict, ConflictId, ConflictStatus, ConflictSubject};
use crate::job::JobKind;
use crate::mapping::{DetachReason, Mapping, MappingStatus};
use crate::partner::{PartnerField, PartnerFields, PartnerKind, TaxNumber};
use crate::store::{Open, SyncTransaction};
use crate::sync_error::SyncError;
use crate::view::{SyncText, SyncView};
use onefold_domain::contact::{Received, Statement};
use onefold_domain::country::CountryCode;
use onefold_domain::customer::CustomerRecord;
use onefold_domain::email::EmailAddress;
use onefold_domain::id::CustomerId;
use onefold_domain::phone::{PhoneNumber, Region};
use onefold_domain::profile::Tags;
use onefold_service::actor::Acting;
use onefold_service::contacts::{ContactRequest, upsert};

pub use answer::{Answer, ResolveError};

/// Resolves conflicts with one other system.
#[derive(Clone)]
pub struct Resolver {
    pub(super) sync: Synchroniser,
    /// Of phone numbers without a country code.
    region: Option<Region>,
}

impl Resolver {
    pub fn new(sync: Synchroniser, region: Option<Region>) -> Self {
        Self { sync, region }
    }

    /// Decides on behalf of whoever acts, as conflicts and the audit trail tell it.
    #[must_use]
    pub fn acting(&self, acting: &Acting) -> Self {
        Self { sync: self.sync.acting(acting), region: self.region }
    }

    /// Decides a conflict; one that a rule decided is decided anew. The decision is stored, and a job carries it
    /// out: whoever wants to wait for that syncs the customer. If a side has changed since, both are asked about
    /// again.
    ///
    /// # Errors
    /// See [`ResolveError`].
    pub async fn resolve(&self, id: ConflictId, answer: &Answer) -> Result<Conflict, ResolveError> {
        let resolved = self
            .sync
            .env
            .transact(move |mut transaction: Open| {
                Box::pin(async move {
                    let found = transaction.conflicts().get(id).await?;
                    let conflict = found.ok_or(ResolveError::NoSuchConflict)?;
                    if conflict.status == ConflictStatus::Resolved {
                        return Err(ResolveError::AlreadyResolved);
                    }
                    self.decide(transaction.as_mut(), &conflict, answer).await?;
                    let resolved = self.note(transaction.as_mut(), &conflict, answer).await?;
                    Ok((resolved, transaction))
                })
            })
            .await?;
        tracing::info!(
            customer = %resolved.customer.0, system = %resolved.system, conflict = resolved.id.0,
            subject = resolved.subject.as_str(), resolution = answer.as_str(), "a conflict was resolved"
        );
        Ok(resolved)
    }

    async fn decide(
        &self,
        transaction: &mut dyn SyncTransaction,
        conflict: &Conflict,
        answer: &Answer,
    ) -> Result<(), ResolveError> {
        let mapping = transaction.mappings().get(conflict.mapping).await?;
        let mapping = mapping.ok_or(ResolveError::NoSuchConflict)?;
        match (conflict.subject, answer) {
            (ConflictSubject::Field(field), answer) => {
                self.decide_field(transaction, conflict, mapping, field, answer).await
            }
            (ConflictSubject::SamePartner, Answer::Separate) => Ok(()),
            (ConflictSubject::SamePartner, Answer::Merge) => self.merge(transaction, conflict).await,
            (ConflictSubject::SamePartner, _) => {
                Err(ResolveError::NoAnswer { possible: conflict.subject.answers() })
            }
            (ConflictSubject::SameCustomer, Answer::Local) => Ok(()),
            (ConflictSubject::SameCustomer, Answer::Remote) => {
                self.change_over(transaction, conflict, mapping).await
            }
            (ConflictSubject::Gone, Answer::Recreate) => {
                self.recreate(transaction, conflict.customer, mapping).await
            }
            (ConflictSubject::Gone, Answer::Release) => self.release(transaction, mapping).await,
            (ConflictSubject::SameCustomer | ConflictSubject::Gone, _) => {
                Err(ResolveError::NoAnswer { possible: conflict.subject.answers() })
            }
        }
    }

    /// The side that loses is put into the base as it was seen: to the next comparison only the other one has
    /// changed, unless somebody changed the loser again meanwhile.
    async fn decide_field(
        &self,
        transaction: &mut dyn SyncTransaction,
        conflict: &Conflict,
        mapping: Mapping,
        field: PartnerField,
        answer: &Answer,
    ) -> Result<(), ResolveError> {
        let open = conflict.status == ConflictStatus::Open;
        let seen = match (answer, open) {
            (Answer::Local, true) => conflict.remote.clone(),
            (Answer::Remote, true) => {
                if let (true, Some(value)) = (field.is_point(), &conflict.remote) {
                    // Told at once if it cannot be: it would be asked about again by the next comparison.
                    self.write(transaction, conflict, field, value.as_str()).await?;
                }
                conflict.local.clone()
            }
            (Answer::Value(value), _) => {
                self.write(transaction, conflict, field, value).await?;
                conflict.remote.clone().filter(|_| open)
            }
            // Both sides have what the rule chose; the other value comes as a change from here.
            (Answer::Local | Answer::Remote, false) => {
                let chosen = match answer {
                    Answer::Local => &conflict.local,
                    _ => &conflict.remote,
                };
                let value = chosen.as_ref().map_or("", SyncText::as_str);
                return self.write(transaction, conflict, field, value).await;
            }
            (Answer::Merge | Answer::Separate | Answer::Recreate | Answer::Release, _) => {
                return Err(ResolveError::NoAnswer { possible: conflict.subject.answers() });
            }
        };
        if open {
            let mut base = mapping.base.clone();
            base.insert(field, seen);
            let at = self.sync.env.base.clock.now();
            let decided = self.sync.touched(mapping, at).agreeing(base, at);
            transaction.mappings().update(&decided).await?;
        }
        Ok(())
    }

    async fn write(
        &self,
        transaction: &mut dyn SyncTransaction,
        conflict: &Conflict,
        field: PartnerField,
        value: &str,
    ) -> Result<(), ResolveError> {
        let fields = self.parse(field, value).ok_or(ResolveError::InvalidValue { field })?;
        let value = fields.text(field).and_then(SyncText::new);
        let plan = FieldPlan::Take { from: Side::Remote, value, lost: None };
        let compared = Comparison {
            ours: PartnerFields::default(),
            theirs: fields,
            base: SyncView::new(),
            plan: SyncPlan { fields: BTreeMap::from([(field, plan)]) },
        };
        let record = current(transaction, conflict.customer).await.map_err(SyncError::from)?;
        let written = self.sync.write_here(transaction, &record, &compared).await;
        let written = written.map_err(SyncError::from)?;
        if written.refused.is_empty() { Ok(()) } else { Err(ResolveError::NotJoinable) }
    }

    /// The value as a field; an empty text is none.
    fn parse(&self, field: PartnerField, value: &str) -> Option<PartnerFields> {
        let mut fields = PartnerFields::default();
        let text = value.trim();
        if text.is_empty() {
            let optional = !matches!(field, PartnerField::Email | PartnerField::Phone);
            return optional.then_some(fields);
        }
        let plain = || Some(text.to_owned());
        match field {
            PartnerField::Name => fields.name = plain(),
            PartnerField::CompanyName => fields.company_name = plain(),
            PartnerField::Kind => fields.kind = Some(PartnerKind::parse(text)?),
            PartnerField::Street => fields.street = plain(),
            PartnerField::City => fields.city = plain(),
            PartnerField::PostalCode => fields.postal_code = plain(),
            PartnerField::Email => fields.email = Some(EmailAddress::parse(text).ok()?),
            PartnerField::Phone => fields.phone = Some(PhoneNumber::parse(text, self.region).ok()?),
            PartnerField::Country => fields.country = Some(CountryCode::parse(text).ok()?),
            PartnerField::TaxNumber => fields.tax_number = Some(TaxNumber::parse(text).ok()?),
            PartnerField::Tags => fields.tags = Some(Tags::of(text.split(','))),
        }
        Some(fields)
    }

    /// States that the two customers are one, by an email of one and a phone of the other: evidence like any other,
    /// that can be withdrawn.
    async fn merge(
        &self,
        transaction: &mut dyn SyncTransaction,
        conflict: &Conflict,
    ) -> Result<(), ResolveError> {
        let other = conflict.local.as_ref().and_then(|id| uuid::Uuid::parse_str(id.as_str()).ok());
        let other = CustomerId(other.ok_or(ResolveError::NotJoinable)?);
        let one = current(transaction, conflict.customer).await.map_err(SyncError::from)?;
        let other = current(transaction, other).await.map_err(SyncError::from)?;
        if one.id == other.id {
            return Ok(());
        }
        let statement = across(&one, &other).or_else(|| across(&other, &one));
        let statement = statement.ok_or(ResolveError::NotJoinable)?;
        let request = ContactRequest::new(
            statement,
            Received::default(),
            onefold_domain::source::ContactSource::Manual,
        );
        let (record, _) =
            upsert(transaction, &self.sync.env.base, &request).await.map_err(SyncError::from)?;
        let joined = current(transaction, one.id).await.map_err(SyncError::from)?;
        // A rule may keep the two apart.
        if joined.id == current(transaction, other.id).await.map_err(SyncError::from)?.id
            && record.customer == joined.id
        {
            Ok(())
        } else {
            Err(ResolveError::NotJoinable)
        }
    }

    /// The customer's other record is kept the same from now on, and this one no more.
    async fn change_over(
        &self,
        transaction: &mut dyn SyncTransaction,
        conflict: &Conflict,
        mapping: Mapping,
    ) -> Result<(), ResolveError> {
        let id = conflict.remote.as_ref().and_then(|id| crate::partner::PartnerId::parse(id.as_str()).ok());
        let id = id.ok_or(ResolveError::NoSuchConflict)?;
        let other = transaction.mappings().of_partner(self.sync.system, &id).await?;
        let other = other.ok_or(ResolveError::NoSuchConflict)?;
        let at = self.sync.env.base.clock.now();
        let customer = mapping.customer;
        let aside = self.sync.touched(mapping, at).out_of_use(DetachReason::Merged);
        transaction.mappings().update(&aside).await?;
        let leads = Mapping {
            customer,
            status: MappingStatus::Pending,
            detached: None,
            customer_version: None,
            ..self.sync.touched(other, at)
        };
        Ok(transaction.mappings().update(&leads).await?)
    }

    async fn note(
        &self,
        transaction: &mut dyn SyncTransaction,
        conflict: &Conflict,
        answer: &Answer,
    ) -> Result<Conflict, ResolveError> {
        let at = self.sync.env.base.clock.now();
        let (id, name) = (conflict.id, answer.as_str());
        transaction.conflicts().resolve(id, name, &self.sync.by(), at).await?;
        if *answer != Answer::Release {
            let job = JobKind::SyncCustomer(self.sync.system, conflict.customer);
            transaction.jobs().enqueue(&[job], at, at).await?;
        }
        let changed = crate::audit::conflict_resolved(conflict, name);
        self.sync.env.base.record(transaction, at, vec![changed]).await?;
        transaction.conflicts().get(id).await?.ok_or(ResolveError::NoSuchConflict)
    }
}

/// An email of one beside a phone of the other.
fn across(one: &CustomerRecord, other: &CustomerRecord) -> Option<Statement> {
    let linking = one.contacts.iter().filter(|contact| contact.email_blocked_by.is_none());
    let email = linking.filter_map(|contact| contact.statement.email()).next()?;
    let linking = other.contacts.iter().filter(|contact| contact.phone_blocked_by.is_none());
    let phone = linking.filter_map(|contact| contact.statement.phone()).next()?;
    Statement::new(Some(email.clone()), Some(phone.clone()))
}
