use std::fmt;

use sea_orm::entity::prelude::*;

#[derive(Clone, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "sync_run")]
pub(crate) struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub(crate) id: Uuid,
    pub(crate) system: String,
    pub(crate) kind: String,
    pub(crate) dry_run: bool,
    pub(crate) approved: bool,
    pub(crate) status: String,
    pub(crate) items_total: i64,
    pub(crate) items_succeeded: i64,
    pub(crate) items_failed: i64,
    pub(crate) items_skipped: i64,
    pub(crate) items_created: i64,
    pub(crate) items_pushed: i64,
    pub(crate) items_pulled: i64,
    pub(crate) items_unchanged: i64,
    pub(crate) items_conflicts: i64,
    pub(crate) items_stale: i64,
    pub(crate) items_detached: i64,
    pub(crate) message: Option<String>,
    pub(crate) requested_by: String,
    pub(crate) created_at: DateTimeUtc,
    pub(crate) started_at: Option<DateTimeUtc>,
    pub(crate) updated_at: DateTimeUtc,
    pub(crate) finished_at: Option<DateTimeUtc>,
}

#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub(crate) enum Relation {}

impl ActiveModelBehavior for ActiveModel {}

/// A message may repeat what the other system said.
impl fmt::Debug for Model {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("sync_run").field("id", &self.id).finish_non_exhaustive()
    }
}
