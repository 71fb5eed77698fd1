//! The dry run of one customer or record: the same comparison by the same code, and nothing is written on either
//! side.

use chrono::{DateTime, Utc};
use serde_json::{Value, json};

use super::Synchroniser;
use crate::mapping::{Mapping, MappingId};
use crate::mappings::Mappings;
use crate::merge::{compare, fields_of};
use crate::partner::{PartnerError, PartnerField, PartnerId, RemotePartner};
use crate::sync_error::SyncError;
use crate::view::SyncView;
use onefold_domain::contact::{ContactDetails, ContactRecord, EvidenceOrder, Received, Statement};
use onefold_domain::customer::CustomerRecord;
use onefold_domain::id::{ContactId, CustomerId};
use onefold_domain::link_key::StatementKeys;
use onefold_domain::linking::{LinkPlan, decide_record};
use onefold_service::contacts::note_blocks;
use onefold_service::retry::Failure;

/// What a sync would do.
#[derive(Clone, PartialEq, Debug)]
pub struct SyncPreview {
    pub customer: Option<CustomerId>,
    pub mapping: Option<Mapping>,
    pub external: Option<PartnerId>,
    /// `create`, `adopt`, `import`, `update`, `unchanged` or `conflict`.
    pub action: &'static str,
    /// Field by field.
    pub plan: Value,
}

impl Synchroniser {
    /// What [`Self::sync_customer`] would do.
    ///
    /// # Errors
    /// Those that it would have.
    pub async fn show_customer(&self, customer: CustomerId) -> Result<SyncPreview, SyncError> {
        self.configured()?;
        let record = self.env.store.customers().get(customer).await.map_err(Failure::from)?;
        let record = record.ok_or(SyncError::NoSuchCustomer)?;
        let mapping = self.mapping_of_customer(record.id).await?.filter(|mapping| mapping.detached.is_none());
        let external = mapping.as_ref().and_then(|mapping| mapping.external.clone());
        let blank = mapping.unwrap_or_else(|| {
            let at = self.env.base.clock.now();
            self.new_mapping(MappingId(self.env.base.randomness.uuid(at)), &record, at)
        });
        match external {
            Some(id) => {
                let partner = match self.directory.get(&id).await {
                    Err(PartnerError::NotFound) => return Err(SyncError::Missing),
                    read => read?,
                };
                self.show_pair(&record, &partner, &blank, "update").await
            }
            None => self.show_new(&record, &blank).await,
        }
    }

    async fn show_new(&self, record: &CustomerRecord, blank: &Mapping) -> Result<SyncPreview, SyncError> {
        let view = self.view(record);
        let fields = fields_of(&view, None, &SyncView::new());
        let fields = self.directory.as_kept(&fields);
        self.directory.check(&fields)?;
        if let Some(partner) = self.what_is_there(record, blank, &fields).await? {
            return self.show_pair(record, &partner, blank, "adopt").await;
        }
        let write = |field: PartnerField| json!({"field": field.as_str(), "write": "remote", "value": fields.text(field)});
        Ok(SyncPreview {
            customer: Some(record.id),
            mapping: None,
            external: None,
            action: "create",
            plan: fields.stated().map(write).collect(),
        })
    }

    /// What [`Self::import_partner`] would do.
    ///
    /// # Errors
    /// Those that it would have.
    pub async fn show_partner(&self, id: &PartnerId) -> Result<SyncPreview, SyncError> {
        self.configured()?;
        if let Some(mapping) = self.mapping_of_partner(id).await? {
            return self.show_customer(mapping.customer).await;
        }
        let partner = self.directory.get(id).await?;
        self.show_new_partner(&partner).await
    }

    /// What taking in this record would do, which was just read and has no mapping. Whom it would join is decided by the rules
    /// of linking as when it comes in, so that what these customers would get there is in the plan.
    pub(crate) async fn show_new_partner(&self, partner: &RemotePartner) -> Result<SyncPreview, SyncError> {
        let statement = &super::import::statement(partner).ok_or(SyncError::NoContactPoint)?;
        let keys = StatementKeys::of(statement, &self.env.base.policy).to_vec();
        let known = self.env.store.candidates(&keys).await.map_err(Failure::from)?;
        let mut in_use = None;
        for customer in &known.customers {
            let mapping = Mappings::new(self.env.clone()).filed_under(self.system, customer.id).await?;
            let mapping = mapping.filter(|mapping| mapping.detached.is_none());
            if let Some(waiting) = mapping.as_ref().filter(|mapping| mapping.external.is_none()) {
                let found = self.env.store.customers().get(customer.id).await.map_err(Failure::from)?;
                let record = found.ok_or(SyncError::NoSuchCustomer)?;
                return self.show_pair(&record, partner, waiting, "adopt").await;
            }
            in_use = in_use.or(mapping);
        }
        let joined = decide_record(statement, &known, &self.env.base.policy);
        let record = self.joined(statement, &joined).await?;
        // A customer that has a record already keeps that one; this one waits beside it.
        let plan = match in_use {
            Some(_) => Vec::new(),
            None => self.plan_of_intake(&record, partner).await?,
        };
        Ok(Self::shown_intake(partner, joined.customer, statement, plan))
    }

    /// The customer as it would be with what the record says of who it is.
    async fn joined(&self, statement: &Statement, plan: &LinkPlan) -> Result<CustomerRecord, SyncError> {
        let at = self.env.base.clock.now();
        let id = plan.customer.unwrap_or_else(|| CustomerId(self.env.base.randomness.uuid(at)));
        let mut record =
            CustomerRecord { id, version: 0, created_at: at, updated_at: at, contacts: Vec::new() };
        for id in plan.customer.iter().chain(&plan.absorbed) {
            let found = self.env.store.customers().get(*id).await.map_err(Failure::from)?;
            record.contacts.extend(found.into_iter().flat_map(|found| found.contacts));
        }
        record.contacts.sort_by_key(|contact| contact.id);
        record.contacts.push(self.as_contact(statement, record.id, plan, at));
        Ok(record)
    }

    fn as_contact(
        &self,
        statement: &Statement,
        customer: CustomerId,
        plan: &LinkPlan,
        at: DateTime<Utc>,
    ) -> ContactRecord {
        // Younger than all that there are.
        let id = ContactId(i64::MAX);
        let mut contact = ContactRecord {
            id,
            customer,
            customer_version: 0,
            primary: id,
            order: EvidenceOrder(id.0),
            statement: statement.clone(),
            claimed_by: None,
            email_blocked_by: None,
            phone_blocked_by: None,
            source: self.system.source(),
            details: ContactDetails::default(),
            received: Received::default(),
            import: None,
            origin: None,
            created_at: at,
            updated_at: at,
            version: 1,
        };
        note_blocks(&mut contact, plan);
        contact
    }

    async fn plan_of_intake(
        &self,
        record: &CustomerRecord,
        partner: &RemotePartner,
    ) -> Result<Vec<Value>, SyncError> {
        let at = self.env.base.clock.now();
        let blank = self.new_mapping(MappingId(self.env.base.randomness.uuid(at)), record, at);
        let shown = self.show_pair(record, partner, &blank, "import").await?;
        Ok(shown.plan.as_array().cloned().unwrap_or_default())
    }

    /// With the values that the record's own contact brings, by which it was found or founded its customer.
    fn shown_intake(
        partner: &RemotePartner,
        customer: Option<CustomerId>,
        statement: &Statement,
        plan: Vec<Value>,
    ) -> SyncPreview {
        let email = statement.email().map(|email| (PartnerField::Email, email.as_str()));
        let phone = statement.phone().map(|phone| (PartnerField::Phone, phone.as_str()));
        let brought = email.into_iter().chain(phone);
        let brought =
            brought.map(|(field, value)| json!({"field": field.as_str(), "write": "local", "value": value, "instead": null}));
        let mut plan: Vec<Value> = brought.chain(plan).collect();
        let place = |step: &Value| step["field"].as_str().and_then(PartnerField::parse);
        plan.sort_by_key(place);
        SyncPreview {
            customer,
            mapping: None,
            external: Some(partner.id.clone()),
            action: "import",
            plan: plan.into(),
        }
    }

    /// What would be done about a customer and a record.
    pub(crate) async fn show_pair(
        &self,
        record: &CustomerRecord,
        partner: &RemotePartner,
        mapping: &Mapping,
        action: &'static str,
    ) -> Result<SyncPreview, SyncError> {
        let (view, abilities, rules) = (self.view(record), self.directory.abilities(), self.rules().await?);
        let as_kept = |fields: &_| self.directory.as_kept(fields);
        let compared = compare(&view, partner, mapping, &rules, &abilities, as_kept);
        let action = match action {
            "update" if compared.plan.questions().next().is_some() => "conflict",
            "update" if compared.plan.is_settled() => "unchanged",
            action => action,
        };
        let known = mapping.external.is_some();
        Ok(SyncPreview {
            customer: Some(record.id),
            mapping: known.then(|| mapping.clone()),
            external: Some(partner.id.clone()),
            action,
            plan: compared.to_json(),
        })
    }
}
