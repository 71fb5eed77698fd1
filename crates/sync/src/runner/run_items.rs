//! The items of a run: how they are stored, and whom they are about.

use super::Runner;
use crate::log::SyncAttempt;
use crate::partner::PartnerId;
use crate::run::{ItemOutcome, Run, RunId, RunItem, RunKind};
use crate::store::Open;
use crate::sync_error::SyncError;

impl Runner {
    /// Stores how far a run is, with what became of some items and what the log is to say.
    pub(super) async fn put_noting(
        &self,
        run: &Run,
        items: &[RunItem],
        attempts: &[SyncAttempt],
    ) -> Result<(), SyncError> {
        self.sync
            .env
            .transact(move |mut transaction: Open| {
                Box::pin(async move {
                    transaction.sync_log().append(attempts).await?;
                    transaction.runs().put_items(run.id, items).await?;
                    transaction.runs().update(run).await?;
                    Ok::<_, SyncError>(((), transaction))
                })
            })
            .await
    }

    /// The position behind the last item, of which those from `from` on are still to be seen.
    pub(super) async fn end_of_items(&self, id: RunId, mut from: u64) -> Result<u64, SyncError> {
        loop {
            match self.runs.items(id, from, 1_000).await?.last() {
                Some(last) => from = last.position + 1,
                None => return Ok(from),
            }
        }
    }

    /// The outcome with whom it is about, also where it came to nothing.
    pub(super) async fn about(&self, kind: RunKind, subject: &str, outcome: ItemOutcome) -> ItemOutcome {
        if outcome.customer.is_some() {
            return outcome;
        }
        let external = (kind == RunKind::Import).then(|| PartnerId::parse(subject).ok()).flatten();
        let customer = match &external {
            Some(id) => self.sync.mapping_of_partner(id).await.ok().flatten().map(|found| found.customer),
            None => self.customer(subject).await.ok(),
        };
        ItemOutcome { customer, external: outcome.external.clone().or(external), ..outcome }
    }
}
