//! Secrets that were good lately. One who guesses tokens behind a proxy must not lock out everybody else who
//! comes from the same address: when an address has been wrong too often, those who are known here are still
//! looked up. It says nothing of what a secret is worth now; only the database does.

use std::collections::HashSet;
use std::sync::{Mutex, PoisonError};

use onefold_service::token::PresentedToken;

/// More than anybody has tokens; then it begins anew.
const MOST: usize = 100_000;

#[derive(Default)]
pub(crate) struct KnownTokens(Mutex<HashSet<String>>);

impl KnownTokens {
    pub(super) fn knows(&self, presented: &PresentedToken) -> bool {
        self.set(|set| set.contains(&presented.fingerprint()))
    }

    pub(super) fn remember(&self, presented: &PresentedToken) {
        self.set(|set| {
            if set.len() >= MOST {
                set.clear();
            }
            set.insert(presented.fingerprint());
        });
    }

    fn set<T>(&self, work: impl FnOnce(&mut HashSet<String>) -> T) -> T {
        // Nothing in here can be left half done.
        work(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}
