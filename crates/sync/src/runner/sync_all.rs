//! A run over all customers: those that changed since they were last synced, and those without a record there. They are
//! listed as a whole before anything is done, page by page, so that the run knows how many there are, can be held before it
//! creates a crowd, and goes on after a crash like a run over a list.

use std::collections::HashMap;

use super::brake::{Bulk, brake};
use super::outcome::{Done, SKIPPED, count, outcome};
use super::{Runner, Stopping, stop_if};
use crate::mapping::{DetachReason, Mapping, MappingStatus};
use crate::run::{ItemOutcome, Run, RunCounts, RunItem};
use crate::sync_error::SyncError;
use onefold_domain::id::{ContactId, CustomerId};
use onefold_service::retry::Failure;
use onefold_service::store::ListedCustomer;

/// How many customers are looked at together.
const PORTION: usize = 500;

/// Why a customer belongs to the run.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Need {
    /// It has no record there.
    Record,
    /// It changed, or the last attempt did not come to its end.
    Sync,
}

/// What a customer needs that is in this version and has these mappings, those that are out of use among them. One with
/// a question that a person has to answer first is left alone: nothing that is tried again could answer it.
fn need(version: i64, mappings: &[Mapping]) -> Option<Need> {
    let Some(used) = mappings.iter().find(|mapping| mapping.detached.is_none()) else {
        // Deleted there: a person says whether it is made anew.
        let is_asked = mappings.iter().any(|mapping| mapping.detached == Some(DetachReason::Gone));
        return (!is_asked).then_some(Need::Record);
    };
    match used.status {
        MappingStatus::Stale => None,
        MappingStatus::Conflict if used.external.is_none() => None,
        _ if used.external.is_none() => Some(Need::Record),
        MappingStatus::Pending | MappingStatus::Error => Some(Need::Sync),
        _ => (used.customer_version != Some(version)).then_some(Need::Sync),
    }
}

/// The list as far as it has come.
#[derive(Default)]
struct Listing {
    after: Option<ContactId>,
    position: u64,
    /// Records that would be created.
    new: u64,
    counts: RunCounts,
}

impl Runner {
    /// Lists everybody who needs a sync and syncs them; returns why the run is held, if a brake holds it.
    pub(super) async fn sync_all(
        &self,
        run: &mut Run,
        stopping: Stopping<'_>,
    ) -> Result<Option<String>, SyncError> {
        // The total is stored when the list is whole.
        if run.counts.total == 0
            && let Some(held) = self.list_all(run, stopping).await?
        {
            return Ok(Some(held));
        }
        self.work_through(run, stopping).await
    }

    /// Begun anew after a crash: what was listed then is listed again in its place. What is left of it behind the end has been
    /// synced meanwhile, and is found so.
    async fn list_all(&self, run: &mut Run, stopping: Stopping<'_>) -> Result<Option<String>, SyncError> {
        let mut listing = Listing::default();
        loop {
            stop_if(stopping)?;
            let page = self.sync.env.store.customers().list(listing.after, PORTION).await;
            let page = page.map_err(Failure::from)?;
            let Some(last) = page.last() else { break };
            listing.after = Some(last.oldest);
            let items = self.list_page(&page, &mut listing).await?;
            self.put(run, &items).await?;
        }
        let kept = self.runs.items(run.id, listing.position, 1).await?;
        if let Some(first) = kept.first() {
            listing.position = self.end_of_items(run.id, first.position).await?;
        }
        run.counts = RunCounts { total: listing.position, ..listing.counts };
        run.updated_at = self.sync.env.base.clock.now().max(run.updated_at);
        self.put(run, &[]).await?;
        Ok(brake(run, &self.sync.settings, Bulk::Created(listing.new)))
    }

    async fn list_page(
        &self,
        page: &[ListedCustomer],
        listing: &mut Listing,
    ) -> Result<Vec<RunItem>, SyncError> {
        let ids: Vec<_> = page.iter().map(|customer| customer.id).collect();
        let found = self.sync.env.store.mappings().of_customers(self.sync.system, &ids).await;
        let mut mappings: HashMap<CustomerId, Vec<Mapping>> = HashMap::new();
        for mapping in found.map_err(Failure::from)? {
            mappings.entry(mapping.customer).or_default().push(mapping);
        }
        let mut items = Vec::new();
        for customer in page {
            let of_customer = mappings.remove(&customer.id).unwrap_or_default();
            let Some(need) = need(customer.version, &of_customer) else { continue };
            let lacking = match need {
                Need::Record => self.lacking(customer.id).await?,
                Need::Sync => None,
            };
            match &lacking {
                Some(outcome) => count(&mut listing.counts, outcome),
                None => listing.new += u64::from(need == Need::Record),
            }
            let subject = customer.id.0.hyphenated().to_string();
            items.push(RunItem { position: listing.position, subject, outcome: lacking });
            listing.position += 1;
        }
        Ok(items)
    }

    /// What becomes of a customer of whom too little is known for a record there: nothing, and the item says what is missing.
    async fn lacking(&self, customer: CustomerId) -> Result<Option<ItemOutcome>, SyncError> {
        match self.sync.is_complete(customer).await {
            Ok(()) => Ok(None),
            Err(error @ SyncError::Partner(crate::partner::PartnerError::Invalid(_))) => {
                let skipped = ItemOutcome { action: SKIPPED.to_owned(), ..outcome(Err(error)) };
                Ok(Some(ItemOutcome { customer: Some(customer), ..skipped }))
            }
            // Withdrawn since the page was read.
            Err(SyncError::NoSuchCustomer) => Ok(Some(outcome(Ok(Done::Nothing(customer))))),
            Err(error) => Err(error),
        }
    }
}

#[cfg(test)]
mod tests {
    use chrono::DateTime;
    use uuid::Uuid;

    use super::*;
    use crate::mapping::MappingId;
    use crate::partner::{PartnerId, PartnerParts};
    use crate::view::SyncView;
    use onefold_service::system::SyncSystem;

    fn mapping(status: MappingStatus, detached: Option<DetachReason>, version: Option<i64>) -> Mapping {
        Mapping {
            id: MappingId(Uuid::nil()),
            system: SyncSystem::MetaKocka,
            customer: CustomerId(Uuid::nil()),
            contact: ContactId(1),
            external: PartnerId::parse("7").ok(),
            parts: PartnerParts::default(),
            status,
            detached,
            base: SyncView::new(),
            agreed_at: crate::view::AgreedAt::new(),
            sent: SyncView::new(),
            kept: SyncView::new(),
            customer_version: version,
            missing_since: None,
            last_synced_at: None,
            error: None,
            lease: None,
            created_by: String::new(),
            updated_by: String::new(),
            created_at: DateTime::default(),
            updated_at: DateTime::default(),
            version: 0,
        }
    }

    #[test]
    fn who_changed_or_has_no_record_belongs_to_the_run() {
        use MappingStatus::{Conflict, Detached, Error, Pending, Stale, Synced};
        let in_use = |status, version| vec![mapping(status, None, version)];
        let unknown = |status| vec![Mapping { external: None, ..mapping(status, None, None) }];
        let gone = mapping(Detached, Some(DetachReason::Gone), None);
        let anew = Mapping { external: None, ..mapping(Pending, None, None) };
        for (mappings, expected) in [
            (vec![], Some(Need::Record)),
            (in_use(Synced, Some(2)), None),
            (in_use(Synced, Some(1)), Some(Need::Sync)),
            (in_use(Conflict, Some(2)), None),
            (in_use(Conflict, Some(1)), Some(Need::Sync)),
            (in_use(Error, Some(2)), Some(Need::Sync)),
            (in_use(Stale, Some(1)), None),
            (unknown(Pending), Some(Need::Record)),
            (unknown(Error), Some(Need::Record)),
            (unknown(Conflict), None),
            (vec![gone.clone()], None),
            (vec![gone, anew], Some(Need::Record)),
            (vec![mapping(Detached, Some(DetachReason::Withdrawn), None)], Some(Need::Record)),
        ] {
            assert_eq!(need(2, &mappings), expected, "{mappings:?}");
        }
    }
}
