//! Runs: work on many customers, with its progress and an answer for each of them.

use chrono::{DateTime, Utc};
use uuid::Uuid;

use crate::fault::SyncFault;
use crate::mapping::MappingId;
use crate::partner::PartnerId;
use onefold_domain::id::CustomerId;
use onefold_service::system::SyncSystem;

/// The id of a run.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Debug)]
pub struct RunId(pub Uuid);

/// What a run does.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum RunKind {
    /// Brings the customers that it lists into step.
    Sync,
    /// Brings every customer into step that changed since it was last synced, or has no record there.
    SyncAll,
    /// Takes in the records that it lists.
    Import,
    /// Takes in every record there is.
    ImportAll,
    /// Compares both sides: what changed there, what is new, what is missing, what changed here.
    Compare,
    /// Compares both sides as `Compare` does, and looks at every field also of what seems unchanged.
    CompareFull,
}

impl RunKind {
    pub const ALL: [Self; 6] =
        [Self::Sync, Self::SyncAll, Self::Import, Self::ImportAll, Self::Compare, Self::CompareFull];

    pub fn as_str(self) -> &'static str {
        match self {
            Self::Sync => "sync",
            Self::SyncAll => "sync_all",
            Self::Import => "import",
            Self::ImportAll => "import_all",
            Self::Compare => "compare",
            Self::CompareFull => "compare_full",
        }
    }

    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.as_str() == text)
    }

    /// Whether it looks at both sides as wholes.
    pub fn compares(self) -> bool {
        matches!(self, Self::Compare | Self::CompareFull)
    }
}

#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum RunStatus {
    Queued,
    Running,
    /// A brake stopped it; it goes on when somebody approves.
    Held,
    Completed,
    /// It could not go on at all; what it had done stays.
    Failed,
}

impl RunStatus {
    pub const ALL: [Self; 5] = [Self::Queued, Self::Running, Self::Held, Self::Completed, Self::Failed];

    pub fn as_str(self) -> &'static str {
        match self {
            Self::Queued => "queued",
            Self::Running => "running",
            Self::Held => "held",
            Self::Completed => "completed",
            Self::Failed => "failed",
        }
    }

    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|status| status.as_str() == text)
    }

    /// Whether nothing more happens unless somebody acts.
    pub fn rests(self) -> bool {
        matches!(self, Self::Held | Self::Completed | Self::Failed)
    }
}

/// What has become of the items: each succeeded, failed, was skipped, or is in conflict. Of those that succeeded, the
/// others tell what was done.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug)]
pub struct RunCounts {
    /// Known from the beginning for a list, and for a register once it was read; otherwise it grows while records come in.
    pub total: u64,
    pub succeeded: u64,
    pub failed: u64,
    /// Cannot come in, or go there, as they are: told once, and no failure.
    pub skipped: u64,
    /// Items of which a record was created there or a customer here.
    pub created: u64,
    /// Items of which something was written there.
    pub pushed: u64,
    /// Items of which something was written here.
    pub pulled: u64,
    pub unchanged: u64,
    /// Items with a question that a person has to answer.
    pub conflicts: u64,
    /// Records that are missing there since this run.
    pub stale: u64,
    /// Mappings that this run took out of use.
    pub detached: u64,
}

/// A run.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Run {
    pub id: RunId,
    pub system: SyncSystem,
    pub kind: RunKind,
    pub dry_run: bool,
    /// Whether somebody has released its brakes.
    pub approved: bool,
    pub status: RunStatus,
    pub counts: RunCounts,
    /// Why it failed or is held.
    pub message: Option<String>,
    /// The name of who asked for it, as the audit trail has it.
    pub requested_by: String,
    pub created_at: DateTime<Utc>,
    pub started_at: Option<DateTime<Utc>>,
    pub updated_at: DateTime<Utc>,
    pub finished_at: Option<DateTime<Utc>>,
}

/// One of the things that a run works on.
#[derive(Clone, PartialEq, Debug)]
pub struct RunItem {
    /// From 0, in the order of the list.
    pub position: u64,
    /// As the caller wrote it: a customer or a contact, or a record of the other system.
    pub subject: String,
    /// `None` until its turn has come.
    pub outcome: Option<ItemOutcome>,
}

/// What became of an item.
#[derive(Clone, PartialEq, Debug, Default)]
pub struct ItemOutcome {
    pub customer: Option<CustomerId>,
    pub mapping: Option<MappingId>,
    pub external: Option<PartnerId>,
    /// What was done, such as `created`, or would be in a dry run.
    pub action: String,
    /// `None` if it succeeded.
    pub error: Option<SyncFault>,
    /// Of a dry run: field by field what would be written. Holds personal data.
    pub plan: Option<serde_json::Value>,
}
