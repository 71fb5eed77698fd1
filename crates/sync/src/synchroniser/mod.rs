//! The synchroniser: brings one customer and its partner into step. Every step that writes to the other system
//! stands between two transactions, the first of which says what will be written and the second what came of it;
//! whoever is killed in between leaves a state from which the next one goes on.

mod create;
mod creations;
mod gone;
mod hold;
mod import;
mod local;
mod loss;
mod on_event;
mod open;
mod outcome;
mod points;
mod questions;
mod reconcile;
mod show;

use creations::Creations;

pub(crate) use create::SEPARATE;
pub(crate) use gone::RECREATE;
pub(crate) use local::current;
pub(crate) use loss::Loss;
pub use show::SyncPreview;

use std::sync::Arc;
use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};
use tracing::Instrument;
use uuid::Uuid;

use crate::environment::SyncEnvironment;
use crate::log::SyncOutcome;
use crate::mapping::{DetachReason, Mapping};
use crate::mappings::Mappings;
use crate::merge::fields_of;
use crate::partner::{
    PartnerAbilities, PartnerDirectory, PartnerError, PartnerField, PartnerId, RemotePartner,
};
use crate::rulebook::Rulebook;
use crate::rules::SyncRules;
use crate::run::{Run, RunId};
use crate::sync_error::SyncError;
use crate::view::SyncView;
use onefold_domain::customer::{CustomerRecord, CustomerView};
use onefold_domain::id::{ContactId, CustomerId};
use onefold_domain::survivorship::SurvivorshipRules;
use onefold_service::actor::{Acting, Actor};
use onefold_service::retry::Failure;
use onefold_service::system::SyncSystem;

/// How sync behaves where the configuration has a say.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct SyncSettings {
    /// How long a mapping is left alone with somebody of whom nothing is heard. Whoever works on it renews the lease all the
    /// while, so that it says how soon somebody else goes on where a process died.
    pub lease: Duration,
    /// How long a record may be missing there before its mapping is detached.
    pub grace: Duration,
    /// The most mappings that one run may let go, and the share of all of them, in percent, whichever is larger.
    pub most_lost: u64,
    pub most_lost_percent: u64,
    /// The most records that a run over all customers may create there without a person's word.
    pub most_created: u64,
    /// Whether a comparison takes in records that nobody here knows.
    pub import_new: bool,
}

impl Default for SyncSettings {
    /// 30 seconds, 7 days, 10 mappings or 5 percent, 100 records, and new ones are taken in.
    fn default() -> Self {
        Self {
            lease: Duration::from_secs(30),
            grace: Duration::from_secs(7 * 24 * 60 * 60),
            most_lost: 10,
            most_lost_percent: 5,
            most_created: 100,
            import_new: true,
        }
    }
}

/// What a sync is part of: a run, a job, or neither, when somebody asked for it and waits.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug)]
pub struct SyncContext {
    pub run: Option<RunId>,
    /// Whether a job does it, which is tried again when it fails. Without one a failure that may pass leaves a job behind.
    pub is_job: bool,
}

impl SyncContext {
    /// Whether somebody asked and waits for the answer. A job and a run are taken up again by themselves.
    fn is_interactive(self) -> bool {
        !self.is_job && self.run.is_none()
    }
}

/// What a sync came to.
#[derive(Clone, PartialEq, Debug)]
pub struct Synced {
    pub mapping: Mapping,
    pub outcome: SyncOutcome,
    /// The fields that were written there.
    pub pushed: Vec<PartnerField>,
    /// The fields that were written here.
    pub pulled: Vec<PartnerField>,
}

/// Syncs customers with one other system.
#[derive(Clone)]
pub struct Synchroniser {
    pub(super) env: SyncEnvironment,
    pub(super) system: SyncSystem,
    pub(super) directory: Arc<dyn PartnerDirectory>,
    pub(super) survivorship: Arc<SurvivorshipRules>,
    pub(super) settings: SyncSettings,
    /// The creations that are under way in this process: no two at a time for one email, phone or tax number.
    creations: Arc<Creations>,
    /// Who asked for the run that a worker carries out; `None` where whoever acts asked.
    asked_by: Option<Arc<str>>,
}

/// A customer and its mapping, which is leased to us.
struct Opened {
    mapping: Mapping,
    customer: CustomerRecord,
    owner: Uuid,
    since: DateTime<Utc>,
    /// When the job is due that goes on if nothing comes of this; `None` if somebody else sees to that.
    promised: Option<DateTime<Utc>>,
}

impl Synchroniser {
    pub fn new(
        env: SyncEnvironment,
        system: SyncSystem,
        directory: Arc<dyn PartnerDirectory>,
        survivorship: Arc<SurvivorshipRules>,
        settings: SyncSettings,
    ) -> Self {
        // What it writes here came from there: it must promise no sync that would take it back.
        let env = env.without_trigger(system);
        Self { env, system, directory, survivorship, settings, creations: Arc::default(), asked_by: None }
    }

    /// Syncs on behalf of whoever acts, as mappings, the log and the audit trail tell it.
    #[must_use]
    pub fn acting(&self, acting: &Acting) -> Self {
        Self { env: self.env.clone().acting(acting.clone()), ..self.clone() }
    }

    /// Syncs in the course of this run. Whoever asked for it is named as the one who acted.
    pub(super) fn for_run(&self, run: &Run) -> Self {
        let request_id = Some(format!("run:{}", run.id.0).into());
        let acting = Acting { request_id, ..self.env.base.acting.clone() };
        Self { asked_by: Some(run.requested_by.as_str().into()), ..self.acting(&acting) }
    }

    pub fn system(&self) -> SyncSystem {
        self.system
    }

    /// What the other system can do.
    pub(crate) fn abilities(&self) -> PartnerAbilities {
        self.directory.abilities()
    }

    /// The fields that the other system has a place for.
    pub fn fields(&self) -> &'static [PartnerField] {
        self.directory.abilities().fields
    }

    /// # Errors
    /// [`crate::partner::PartnerError::NotConfigured`].
    pub fn configured(&self) -> Result<(), SyncError> {
        Ok(self.directory.configured()?)
    }

    /// Brings a customer and its record there into step. Without one yet, the record is looked for and adopted, or
    /// created. An absorbed customer stands for its survivor.
    ///
    /// # Errors
    /// See [`SyncError`]. Whatever happened is noted in the mapping and in the log.
    pub async fn sync_customer(
        &self,
        customer: CustomerId,
        context: SyncContext,
    ) -> Result<Synced, SyncError> {
        self.configured()?;
        match self.try_to_sync(customer, context).await {
            // A person who clicks twice, or who meets a job, gets what comes of the other one.
            Err(SyncError::Busy) if context.is_interactive() => self.after_another(customer, context).await,
            done => done,
        }
    }

    async fn try_to_sync(&self, customer: CustomerId, context: SyncContext) -> Result<Synced, SyncError> {
        let opened = self.open(customer, context).await?;
        self.bring_into_step(opened, None, context).await
    }

    /// Brings the customer of this mapping and its record into step, the record as it has just been read.
    pub(super) async fn sync_with(
        &self,
        mapping: &Mapping,
        partner: RemotePartner,
        context: SyncContext,
    ) -> Result<Synced, SyncError> {
        let opened = self.open(mapping.customer, context).await?;
        // Of several mappings of a customer one is in use.
        let same = opened.mapping.external.as_ref() == Some(&partner.id);
        let partner = Some(partner).filter(|_| same);
        self.bring_into_step(opened, partner, context).await
    }

    async fn bring_into_step(
        &self,
        opened: Opened,
        partner: Option<RemotePartner>,
        context: SyncContext,
    ) -> Result<Synced, SyncError> {
        let (mapping, owner, since) = (opened.mapping.clone(), opened.owner, opened.since);
        let promised = opened.promised;
        // Whatever is warned of in between, by a connector for instance, names the customer in this way.
        let span = tracing::error_span!("sync", customer = %mapping.customer.0, system = %self.system);
        let work = Box::pin(async {
            match &opened.mapping.external {
                None => self.create(opened, context).await,
                Some(_) => {
                    let nothing = reconcile::Progress::default();
                    self.reconcile(opened, partner, SyncOutcome::Unchanged, nothing, context).await
                }
            }
        });
        let result = work.instrument(span).await;
        if let Err(error) = &result {
            self.note_failure(&mapping, owner, (since, promised), error, context).await;
        }
        result
    }

    /// The customer that a contact resolves to.
    ///
    /// # Errors
    /// [`SyncError::NoSuchCustomer`], a store that does not answer.
    pub async fn customer_of(&self, contact: ContactId) -> Result<CustomerId, SyncError> {
        let record = self.env.store.contacts().get(contact).await.map_err(Failure::from)?;
        record.map(|record| record.customer).ok_or(SyncError::NoSuchCustomer)
    }

    /// The mapping that this customer has in use; `None` if there is none.
    ///
    /// # Errors
    /// A store that does not answer.
    pub async fn mapping_of_customer(&self, customer: CustomerId) -> Result<Option<Mapping>, SyncError> {
        Ok(Mappings::new(self.env.clone()).in_use(self.system, customer).await?)
    }

    /// Whether a change of the customer leaves something to do. Somebody who was faster may have taken it along; a record
    /// that was deleted there is made anew only if somebody asks for it; and a customer that nobody asked to be created
    /// there waits until it has all that a record needs.
    pub(super) async fn is_worth_a_try(&self, customer: CustomerId) -> Result<bool, SyncError> {
        let record = self.env.store.customers().get(customer).await.map_err(Failure::from)?;
        let Some(record) = record else { return Ok(true) };
        match Mappings::new(self.env.clone()).filed_under(self.system, record.id).await? {
            Some(mapping) if mapping.detached == Some(DetachReason::Gone) => Ok(false),
            Some(mapping) => {
                let is_in_step = mapping.is_settled() && mapping.customer_version == Some(record.version);
                Ok(!is_in_step)
            }
            None => Ok(self.check(&record).is_ok()),
        }
    }

    /// Whether all is known of a customer that a record there needs.
    ///
    /// # Errors
    /// [`SyncError::NoSuchCustomer`], [`crate::partner::PartnerError::Invalid`] with what is missing, a store that does not
    /// answer.
    pub(super) async fn is_complete(&self, customer: CustomerId) -> Result<(), SyncError> {
        let record = self.env.store.customers().get(customer).await.map_err(Failure::from)?;
        Ok(self.check(&record.ok_or(SyncError::NoSuchCustomer)?)?)
    }

    fn check(&self, record: &CustomerRecord) -> Result<(), PartnerError> {
        let fields = fields_of(&self.view(record), None, &SyncView::new());
        self.directory.check(&self.directory.as_kept(&fields))
    }

    /// # Errors
    /// A store that does not answer.
    pub async fn mapping_of_partner(&self, id: &PartnerId) -> Result<Option<Mapping>, SyncError> {
        Ok(Mappings::new(self.env.clone()).of_partner(self.system, id).await?)
    }

    /// The rules that hold.
    ///
    /// # Errors
    /// A store that does not answer.
    pub async fn rules(&self) -> Result<SyncRules, SyncError> {
        Ok(Rulebook::new(self.env.clone()).rules(self.system).await?)
    }

    fn view(&self, customer: &CustomerRecord) -> CustomerView {
        CustomerView::of(customer.clone(), &self.survivorship)
    }

    /// Who acts, for mappings, conflicts and the log.
    pub(super) fn by(&self) -> String {
        match (&self.asked_by, self.env.base.acting.actor) {
            (Some(name), _) => name.to_string(),
            (None, Actor::Token { id, .. }) => format!("token:{}", id.0),
            (None, actor) => actor.name(),
        }
    }

    fn lease_until(&self, now: DateTime<Utc>) -> DateTime<Utc> {
        now + TimeDelta::from_std(self.settings.lease).unwrap_or(TimeDelta::MAX)
    }
}
