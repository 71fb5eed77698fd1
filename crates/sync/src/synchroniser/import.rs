//! A record that nobody here knows yet. It comes in as a contact of the other system's own, which links like every
//! other; the customer that it ends up with may be an old one. One transaction does all of it, so a record comes in
//! once.

use chrono::{DateTime, Utc};

use super::{SyncContext, Synced, Synchroniser};
use crate::job::JobKind;
use crate::log::SyncOutcome;
use crate::mapping::{DetachReason, Mapping, MappingId, MappingStatus};
use crate::merge::{Side, compare};
use crate::partner::{PartnerId, RemotePartner};
use crate::rules::SyncRules;
use crate::store::{Open, SyncTransaction};
use crate::sync_error::SyncError;
use onefold_domain::contact::{ContactRecord, Received, Statement};
use onefold_domain::customer::CustomerRecord;
use onefold_domain::link_key::StatementKeys;
use onefold_service::contacts::{ContactRequest, create};

use super::reconcile::{Progress, Written};

impl Synchroniser {
    /// Takes a record of the other system in, or brings it into step if it is known.
    ///
    /// # Errors
    /// [`crate::partner::PartnerError::NotFound`], [`SyncError::NoContactPoint`], and those of [`Self::sync_customer`].
    pub async fn import_partner(&self, id: &PartnerId, context: SyncContext) -> Result<Synced, SyncError> {
        self.configured()?;
        match self.mapping_of_partner(id).await? {
            Some(mapping) => self.sync_customer(mapping.customer, context).await,
            None => {
                let partner = self.directory.get(id).await?;
                match self.take_in(&partner, &self.rules().await?, context).await {
                    Err(SyncError::Busy) if context.is_interactive() => self.after_intake(id, context).await,
                    done => done,
                }
            }
        }
    }

    /// Somebody else takes the record in at this moment, or is at the customer that it belongs to.
    async fn after_intake(&self, id: &PartnerId, context: SyncContext) -> Result<Synced, SyncError> {
        match self.mapping_of_partner(id).await? {
            Some(mapping) => self.after_another(mapping.customer, context).await,
            None => Err(SyncError::Busy),
        }
    }

    /// Takes in a record that was just read and has no mapping.
    pub(crate) async fn take_in(
        &self,
        partner: &RemotePartner,
        rules: &SyncRules,
        context: SyncContext,
    ) -> Result<Synced, SyncError> {
        let statement = statement(partner).ok_or(SyncError::NoContactPoint)?;
        let since = self.env.base.clock.now();
        // Chosen once, so that a second try finds the work of the first.
        let id = MappingId(self.env.base.randomness.uuid(since));
        let statement = &statement;
        let taken = self
            .env
            .transact(move |mut transaction: Open| {
                Box::pin(async move {
                    let known = transaction.mappings().of_partner(self.system, &partner.id).await?;
                    let open = transaction.as_mut();
                    let awaiting = match &known {
                        Some(_) => None,
                        None => self.awaiting(open, statement, since).await?,
                    };
                    let taken = match (known, awaiting) {
                        (Some(mapping), _) => self.known(mapping, id),
                        (None, Some(mapping)) => {
                            let adopted = self.adopt_here(open, mapping, partner, since).await?;
                            self.known(adopted, id)
                        }
                        (None, None) => {
                            let (received, source) = (Received::default(), self.system.source());
                            let request = ContactRequest::new(statement.clone(), received, source);
                            let contact = create(open, &self.env.base, &request).await?;
                            self.map(open, id, &contact, partner, rules, (context, since)).await?
                        }
                    };
                    Ok::<_, SyncError>((taken, transaction))
                })
            })
            .await?;
        match taken {
            Taken::In(synced) => {
                self.tell(&synced, context);
                Ok(*synced)
            }
            // Another one was faster; what it did is as good.
            Taken::Known(mapping) => self.sync_with(&mapping, partner.clone(), context).await,
        }
    }

    /// A customer that this record belongs to may be waiting for one: it was to be created, or just was. Then the
    /// record is adopted, and brings no contact of its own.
    async fn awaiting(
        &self,
        transaction: &mut dyn SyncTransaction,
        statement: &Statement,
        at: DateTime<Utc>,
    ) -> Result<Option<Mapping>, SyncError> {
        let keys = StatementKeys::of(statement, &self.env.base.policy).to_vec();
        for customer in transaction.customers().candidates_of_many(&keys).await?.customers {
            let mappings = transaction.mappings().of_customer(self.system, customer.id).await?;
            let waits = |mapping: &Mapping| mapping.detached.is_none() && mapping.external.is_none();
            let Some(mapping) = mappings.into_iter().find(waits) else { continue };
            if mapping.lease.is_some_and(|(_, until)| until > at) {
                // Whoever creates it will say so.
                return Err(SyncError::Busy);
            }
            return Ok(Some(mapping));
        }
        Ok(None)
    }

    async fn adopt_here(
        &self,
        transaction: &mut dyn SyncTransaction,
        mapping: Mapping,
        partner: &RemotePartner,
        at: DateTime<Utc>,
    ) -> Result<Mapping, SyncError> {
        let (external, parts) = (Some(partner.id.clone()), partner.parts.clone());
        let adopted = Mapping { external, parts, ..self.touched(mapping, at) };
        transaction.mappings().update(&adopted).await?;
        Ok(Mapping { version: adopted.version + 1, ..adopted })
    }

    fn known(&self, mapping: Mapping, id: MappingId) -> Taken {
        if mapping.id == id {
            let outcome = SyncOutcome::Imported;
            return Taken::In(Box::new(Synced { mapping, outcome, pushed: Vec::new(), pulled: Vec::new() }));
        }
        Taken::Known(Box::new(mapping))
    }

    async fn map(
        &self,
        transaction: &mut dyn SyncTransaction,
        id: MappingId,
        contact: &ContactRecord,
        partner: &RemotePartner,
        rules: &SyncRules,
        (context, since): (SyncContext, DateTime<Utc>),
    ) -> Result<Taken, SyncError> {
        let found = transaction.customers().get(contact.customer).await?;
        let customer = found.ok_or(SyncError::NoSuchCustomer)?;
        let leader = self.settle(transaction, &customer, since).await?;
        let mapping = Mapping {
            contact: contact.id,
            external: Some(partner.id.clone()),
            parts: partner.parts.clone(),
            ..self.new_mapping(id, &customer, since)
        };
        let (mapping, progress) = match leader {
            Some(leader) => {
                let aside = mapping.out_of_use(DetachReason::Merged);
                transaction.mappings().insert(&aside).await?;
                self.tell_of_two_records(transaction, &leader, &aside, since).await?;
                (aside, Progress::default())
            }
            None => self.fill(transaction, mapping, &customer, partner, rules, since).await?,
        };
        let outcome = SyncOutcome::Imported;
        self.log_attempt(transaction, &mapping, outcome, &progress, context, since).await?;
        Ok(Taken::In(Box::new(Synced { mapping, outcome, pushed: progress.pushed, pulled: progress.pulled })))
    }

    /// Writes here what the record says, and promises to write there what it lacks.
    async fn fill(
        &self,
        transaction: &mut dyn SyncTransaction,
        mapping: Mapping,
        customer: &CustomerRecord,
        partner: &RemotePartner,
        rules: &SyncRules,
        at: DateTime<Utc>,
    ) -> Result<(Mapping, Progress), SyncError> {
        let (view, abilities) = (self.view(customer), self.directory.abilities());
        let as_kept = |fields: &_| self.directory.as_kept(fields);
        let compared = compare(&view, partner, &mapping, rules, &abilities, as_kept);
        transaction.mappings().insert(&mapping).await?;
        let written = self.write_here(transaction, customer, &compared).await?;
        let to_push = compared.to(Side::Remote);
        let progress = Progress { pulled: written.pulled.clone(), ..Progress::default() };
        let done = Written { partner, compared: &compared, pulled: written.pulled, refused: written.refused };
        let questions = self.note_questions(transaction, &mapping, &done, at).await?;
        let now = transaction.customers().get(customer.id).await?.ok_or(SyncError::NoSuchCustomer)?;
        let mut base = compared.plan.new_base(&compared.base);
        // Nobody has written there yet.
        base.retain(|field, _| !to_push.contains(field) && !done.refused.contains(field));
        let status = match (questions.is_empty(), to_push.is_empty()) {
            (false, _) => MappingStatus::Conflict,
            (true, true) => MappingStatus::Synced,
            (true, false) => MappingStatus::Pending,
        };
        let last_synced_at = to_push.is_empty().then_some(at);
        let customer_version = Some(now.version);
        let agreeing = mapping.agreeing(base, at);
        let filled = Mapping { customer: now.id, status, customer_version, last_synced_at, ..agreeing };
        transaction.mappings().update(&filled).await?;
        if !to_push.is_empty() {
            let job = JobKind::SyncCustomer(self.system, now.id);
            transaction.jobs().enqueue(&[job], at, at).await?;
        }
        Ok((Mapping { version: filled.version + 1, ..filled }, progress))
    }
}

enum Taken {
    In(Box<Synced>),
    Known(Box<Mapping>),
}

/// What the record says of who it is: its own email and phone, or those of its other contact persons.
pub(super) fn statement(partner: &RemotePartner) -> Option<Statement> {
    let email = partner.fields.email.as_ref().or(partner.emails.first());
    let phone = partner.fields.phone.as_ref().or(partner.phones.first());
    Statement::new(email.cloned(), phone.cloned())
}
