//! Working on something that is leased, and renewing the lease all the while.

use std::pin::pin;
use std::time::Duration;

use tokio::time::{Instant, sleep};

use crate::sync_error::SyncError;

/// Awaits `work` and renews every third of the lease. Ends with the renewal's error when that says `Busy`, since somebody else
/// has taken over, or when none has succeeded for as long as a lease lasts; until then a store that does not answer for a moment
/// ends no call to another system half-way.
///
/// Work goes on while the lease is renewed. If it stood still meanwhile it could be in a transaction for whose end the
/// renewal waits: with one writer, as in SQLite, both would wait for ever, and everybody else with them.
pub(super) async fn while_renewing<T, R>(
    work: impl Future<Output = Result<T, SyncError>>,
    lease: Duration,
    renew: impl Fn() -> R,
) -> Result<T, SyncError>
where
    R: Future<Output = Result<(), SyncError>>,
{
    let mut work = pin!(work);
    let mut renewed = Instant::now();
    loop {
        tokio::select! {
            done = &mut work => return done,
            () = sleep(lease / 3) => {}
        }
        let began = Instant::now();
        let outcome = tokio::select! {
            done = &mut work => return done,
            outcome = renew() => outcome,
        };
        match outcome {
            Ok(()) => renewed = began,
            Err(error) if matches!(error, SyncError::Busy) || renewed.elapsed() >= lease => {
                return Err(error);
            }
            Err(_) => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicU32, Ordering};

    use tokio::sync::Mutex;
    use tokio::time::timeout;

    use super::*;
    use onefold_service::retry::Failure;
    use onefold_service::store::StoreError;

    const LEASE: Duration = Duration::from_secs(30);

    fn no_store() -> SyncError {
        Failure::Store(StoreError::Unavailable("away".into())).into()
    }

    #[tokio::test(start_paused = true)]
    async fn work_in_a_transaction_goes_on_while_the_renewal_waits_for_its_end() {
        let writer = Mutex::new(());
        let work = async {
            let _transaction = writer.lock().await;
            sleep(LEASE).await;
            Ok(1)
        };
        let renew = async || {
            let _transaction = writer.lock().await;
            Ok(())
        };
        let done = timeout(LEASE * 10, while_renewing(work, LEASE, renew)).await;
        assert_eq!(done.unwrap().unwrap(), 1);
    }

    #[tokio::test(start_paused = true)]
    async fn a_store_that_is_away_for_a_moment_ends_nothing() {
        let times = AtomicU32::new(0);
        let renew = async || match times.fetch_add(1, Ordering::SeqCst) {
            0 | 2 => Err(no_store()),
            _ => Ok(()),
        };
        let work = async {
            sleep(LEASE * 2).await;
            Ok(1)
        };
        assert_eq!(while_renewing(work, LEASE, renew).await.unwrap(), 1);
        assert!(times.load(Ordering::SeqCst) >= 5);
    }

    #[tokio::test(start_paused = true)]
    async fn work_ends_when_the_lease_is_lost_or_was_not_renewed_in_its_time() {
        let ends = async |error: fn() -> SyncError| {
            let began = Instant::now();
            let work = std::future::pending::<Result<(), SyncError>>();
            let ended = while_renewing(work, LEASE, async || Err(error())).await;
            (ended.unwrap_err(), began.elapsed())
        };
        let (lost, after) = ends(|| SyncError::Busy).await;
        assert!(matches!(lost, SyncError::Busy) && after < LEASE, "{lost:?} {after:?}");
        let (away, after) = ends(no_store).await;
        assert!(matches!(away, SyncError::Record(_)) && after >= LEASE, "{away:?} {after:?}");
        assert!(after < LEASE * 2, "{after:?}");
    }
}
