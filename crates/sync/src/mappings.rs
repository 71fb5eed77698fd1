//! Mappings as they are stored, of every system.

use crate::environment::SyncEnvironment;
use crate::mapping::Mapping;
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
}
