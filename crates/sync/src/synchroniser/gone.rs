//! The question of a record that is missing there: opened as soon as it is missed, closed when it is back, when somebody
//! syncs the customer all the same, or when there is no customer any more.

use chrono::{DateTime, Utc};

use super::Synchroniser;
use crate::conflict::{ConflictDraft, ConflictStatus, ConflictSubject};
use crate::mapping::{DetachReason, Mapping, MappingId};
use crate::store::SyncTransaction;
use crate::view::SyncText;
use onefold_domain::id::CustomerId;
use onefold_service::store::StoreError;

/// How a person says that a customer gets a new record.
pub(crate) const RECREATE: &str = "recreate";

impl Synchroniser {
    /// Asks what is to become of the customer.
    pub(crate) async fn ask_about_missing(
        &self,
        transaction: &mut dyn SyncTransaction,
        mapping: &Mapping,
        at: DateTime<Utc>,
    ) -> Result<(), StoreError> {
        let Some(record) = &mapping.external else { return Ok(()) };
        let draft = ConflictDraft {
            mapping: mapping.id,
            system: self.system,
            customer: mapping.customer,
            subject: ConflictSubject::Gone,
            base: None,
            local: None,
            remote: SyncText::new(record.as_str()),
            status: ConflictStatus::Open,
            rule: None,
            at,
        };
        transaction.conflicts().put(&draft).await.map(drop)
    }

    /// Closes the question of a missing record, if it is open.
    pub(crate) async fn ask_no_more(
        &self,
        transaction: &mut dyn SyncTransaction,
        mapping: MappingId,
        resolution: &str,
        at: DateTime<Utc>,
    ) -> Result<(), StoreError> {
        for conflict in transaction.conflicts().open_of(mapping).await? {
            if conflict.subject == ConflictSubject::Gone {
                transaction.conflicts().resolve(conflict.id, resolution, &self.by(), at).await?;
            }
        }
        Ok(())
    }

    /// The customer is about to get a record, whether or not somebody answered: that is the answer.
    pub(super) async fn is_made_anew(
        &self,
        transaction: &mut dyn SyncTransaction,
        customer: CustomerId,
        at: DateTime<Utc>,
    ) -> Result<(), StoreError> {
        for mapping in transaction.mappings().of_customer(self.system, customer).await? {
            if mapping.detached == Some(DetachReason::Gone) {
                self.ask_no_more(transaction, mapping.id, RECREATE, at).await?;
            }
        }
        Ok(())
    }
}
