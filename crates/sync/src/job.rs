//! Jobs: work that is promised in the transaction of a change and done afterwards. A job may be done twice and
//! must not mind; it is lost by no crash.

use chrono::{DateTime, Utc};
use uuid::Uuid;

use crate::fault::SyncFault;
use crate::partner::PartnerId;
use crate::run::RunId;
use onefold_domain::id::CustomerId;
use onefold_service::system::SyncSystem;

/// The number of a job.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Debug)]
pub struct JobId(pub i64);

/// What is to be done.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub enum JobKind {
    /// Bring a customer and its record into step.
    SyncCustomer(SyncSystem, CustomerId),
    /// Look at a record of which the other system said that it changed or is gone.
    SyncPartner(SyncSystem, PartnerId),
    /// Start the periodic comparison; comes again by itself.
    Compare(SyncSystem),
    /// Start the daily full comparison; comes again by itself.
    CompareFull(SyncSystem),
    /// Carry out a run, or go on with it.
    Run(RunId),
}

impl JobKind {
    /// What tells jobs apart: of the same key at most one waits at a time, and at most one is at work.
    ///
    /// ```
    /// use onefold_service::system::SyncSystem;
    /// use onefold_sync::job::JobKind;
    ///
    /// let job = JobKind::Compare(SyncSystem::MetaKocka);
    /// assert_eq!(job.key(), "compare/metakocka");
    /// assert_eq!(JobKind::parse(&job.key()), Some(job));
    /// ```
    pub fn key(&self) -> String {
        match self {
            Self::SyncCustomer(system, customer) => format!("customer/{system}/{}", customer.0),
            Self::SyncPartner(system, id) => format!("partner/{system}/{id}"),
            Self::Compare(system) => format!("compare/{system}"),
            Self::CompareFull(system) => format!("compare_full/{system}"),
            Self::Run(run) => format!("run/{}", run.0),
        }
    }

    /// Reads a key that [`Self::key`] gave.
    pub fn parse(key: &str) -> Option<Self> {
        let (kind, subject) = key.split_once('/')?;
        match kind {
            "customer" => {
                let (system, customer) = subject.split_once('/')?;
                let customer = CustomerId(Uuid::parse_str(customer).ok()?);
                Some(Self::SyncCustomer(SyncSystem::parse(system)?, customer))
            }
            "partner" => {
                let (system, id) = subject.split_once('/')?;
                Some(Self::SyncPartner(SyncSystem::parse(system)?, PartnerId::parse(id).ok()?))
            }
            "compare" => SyncSystem::parse(subject).map(Self::Compare),
            "compare_full" => SyncSystem::parse(subject).map(Self::CompareFull),
            "run" => Uuid::parse_str(subject).ok().map(RunId).map(Self::Run),
            _ => None,
        }
    }
}

#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum JobStatus {
    Waiting,
    Running,
    /// Given up after its last attempt; waits for a person who replays or drops it.
    Dead,
}

impl JobStatus {
    pub const ALL: [Self; 3] = [Self::Waiting, Self::Running, Self::Dead];

    pub fn as_str(self) -> &'static str {
        match self {
            Self::Waiting => "waiting",
            Self::Running => "running",
            Self::Dead => "dead",
        }
    }

    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|status| status.as_str() == text)
    }
}

/// A job. One that is done is not kept.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Job {
    pub id: JobId,
    pub kind: JobKind,
    pub status: JobStatus,
    /// How often it was begun.
    pub attempts: u32,
    pub not_before: DateTime<Utc>,
    /// Who is at it, and until when it is left alone with it.
    pub lease: Option<(Uuid, DateTime<Utc>)>,
    /// Why the last attempt failed.
    pub error: Option<SyncFault>,
    pub created_at: DateTime<Utc>,
    pub updated_at: DateTime<Utc>,
}

/// How an attempt ended that did not succeed.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct FailedAttempt {
    /// `None` for one that only has to wait for its turn: the attempt is not counted.
    pub error: Option<SyncFault>,
    /// When it is tried again; `None` gives it up.
    pub not_before: Option<DateTime<Utc>>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn jobs_are_known_by_their_keys() {
        let id = Uuid::from_u128(7);
        let record = PartnerId::parse("a/b").unwrap();
        for kind in [
            JobKind::SyncCustomer(SyncSystem::MetaKocka, CustomerId(id)),
            JobKind::SyncPartner(SyncSystem::OpenPhone, record),
            JobKind::Compare(SyncSystem::MetaKocka),
            JobKind::CompareFull(SyncSystem::MetaKocka),
            JobKind::Run(RunId(id)),
        ] {
            assert_eq!(JobKind::parse(&kind.key()), Some(kind));
        }
        for key in
            ["", "run", "run/1", "compare/other", "customer/metakocka", "partner/openphone/", "partner/7"]
        {
            assert_eq!(JobKind::parse(key), None, "{key}");
        }
    }
}
