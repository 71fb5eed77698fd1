//! Who creates a record at this moment. Of two customers with one tax number, email or phone the second has to find what the
//! first created; all others go on at the same time. Between processes a person finds out later.

use std::collections::HashSet;
use std::sync::{Arc, Mutex, PoisonError};

use tokio::sync::Notify;

use super::{Opened, Synchroniser};
use crate::partner::PartnerLookup;
use crate::sync_error::SyncError;

/// The values by which records are looked for before they are created, of all creations under way.
#[derive(Default)]
pub(super) struct Creations {
    at_work: Mutex<HashSet<String>>,
    done: Notify,
}

/// Leave to look and to create, as long as it lives.
pub(super) struct Alone {
    creations: Arc<Creations>,
    values: Vec<String>,
}

impl Synchroniser {
    /// Waits until nobody creates what one of these look-ups could find.
    pub(super) async fn alone_with(
        &self,
        opened: &Opened,
        lookups: &[PartnerLookup],
    ) -> Result<Alone, SyncError> {
        let values = lookups.iter().map(value).collect();
        let waiting = async { Ok::<_, SyncError>(Creations::alone(&self.creations, values).await) };
        self.holding(opened, waiting).await
    }
}

impl Creations {
    async fn alone(creations: &Arc<Self>, values: Vec<String>) -> Alone {
        loop {
            let mut done = std::pin::pin!(creations.done.notified());
            // Before the look, so that nobody ends unheard between the two.
            done.as_mut().enable();
            if creations.begin(&values) {
                return Alone { creations: Arc::clone(creations), values };
            }
            done.await;
        }
    }

    /// All of the values or none, so that no two wait for each other.
    fn begin(&self, values: &[String]) -> bool {
        let mut at_work = self.at_work.lock().unwrap_or_else(PoisonError::into_inner);
        let is_free = values.iter().all(|value| !at_work.contains(value));
        if is_free {
            at_work.extend(values.iter().cloned());
        }
        is_free
    }
}

impl Drop for Alone {
    fn drop(&mut self) {
        let mut at_work = self.creations.at_work.lock().unwrap_or_else(PoisonError::into_inner);
        for value in &self.values {
            at_work.remove(value);
        }
        drop(at_work);
        self.creations.done.notify_waiters();
    }
}

/// Equal for look-ups that find the same.
fn value(lookup: &PartnerLookup) -> String {
    match lookup {
        PartnerLookup::Email(email) => format!("email {}", email.as_str()),
        PartnerLookup::Phone(phone) => format!("phone {}", phone.match_key()),
        PartnerLookup::TaxNumber(number) => format!("tax {}", number.key()),
        PartnerLookup::Name(name) => format!("name {}", name.as_str().to_lowercase()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn only_who_could_create_the_same_waits() {
        let creations = Arc::new(Creations::default());
        let values = |values: &[&str]| values.iter().map(|value| (*value).to_owned()).collect::<Vec<_>>();
        let first = Creations::alone(&creations, values(&["email a", "phone 1"])).await;
        let other = Creations::alone(&creations, values(&["email b"])).await;
        let second = tokio::spawn({
            let creations = Arc::clone(&creations);
            async move { Creations::alone(&creations, values(&["email c", "phone 1"])).await.values.clone() }
        });
        tokio::task::yield_now().await;
        assert!(!second.is_finished());
        drop(first);
        assert_eq!(second.await.ok(), Some(values(&["email c", "phone 1"])));
        drop(other);
        assert!(creations.at_work.lock().is_ok_and(|at_work| at_work.is_empty()));
    }
}
