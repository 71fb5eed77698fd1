//! Mappings as they are stored, of every system.

use crate::environment::SyncEnvironment;
use crate::mapping::Mapping;
use crate::partner::PartnerId;
use onefold_domain::id::CustomerId;
use onefold_service::retry::Failure;
use onefold_service::system::SyncSystem;

/// Shows which records customers have elsewhere.
#[derive(Clone)]
pub struct Mappings {
    env: SyncEnvironment,
}

impl Mappings {
    pub fn new(env: SyncEnvironment) -> Self {
        Self { env }
    }

    /// The records of a customer in other systems, those that are out of use too.
    ///
    /// # Errors
    /// A store that does not answer.
    pub async fn of_customer(&self, id: CustomerId) -> Result<Vec<Mapping>, Failure> {
        let mut mappings = Vec::new();
        for system in SyncSystem::ALL {
            mappings.extend(self.env.store.mappings().of_customer(system, id).await?);
        }
        Ok(mappings)
    }

    /// The mapping that a customer has in use in this system, or one that is out of use; `None` if there is none. An absorbed
    /// customer stands for its survivor.
    ///
    /// # Errors
    /// A store that does not answer.
    pub async fn in_use(&self, system: SyncSystem, customer: CustomerId) -> Result<Option<Mapping>, Failure> {
        let record = self.env.store.customers().get(customer).await?;
        self.filed_under(system, record.map_or(customer, |record| record.id)).await
    }

    pub(crate) async fn filed_under(
        &self,
        system: SyncSystem,
        customer: CustomerId,
    ) -> Result<Option<Mapping>, Failure> {
        let mut mappings = self.env.store.mappings().of_customer(system, customer).await?;
        mappings.sort_by_key(|mapping| mapping.detached.is_some());
        Ok(mappings.into_iter().next())
    }

    /// The mapping of this record; `None` if there is none.
    ///
    /// # Errors
    /// A store that does not answer.
    pub async fn of_partner(&self, system: SyncSystem, id: &PartnerId) -> Result<Option<Mapping>, Failure> {
        Ok(self.env.store.mappings().of_partner(system, id).await?)
    }
}
