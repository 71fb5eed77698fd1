use std::fmt;

use sea_orm::entity::prelude::*;

#[derive(Clone, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "sync_log")]
pub(crate) struct Model {
    #[sea_orm(primary_key)]
    pub(crate) id: i64,
    pub(crate) happened_at: DateTimeUtc,
    pub(crate) system: String,
    pub(crate) mapping_id: Option<Uuid>,
    pub(crate) customer_id: Option<Uuid>,
    pub(crate) external_id: Option<String>,
    pub(crate) run_id: Option<Uuid>,
    pub(crate) actor: String,
    pub(crate) outcome: String,
    pub(crate) pushed: String,
    pub(crate) pulled: String,
    pub(crate) error_code: Option<String>,
    pub(crate) error_message: Option<String>,
    pub(crate) took_ms: i64,
}

#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub(crate) enum Relation {}

impl ActiveModelBehavior for ActiveModel {}

/// A message may repeat what the other system said.
impl fmt::Debug for Model {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("sync_log").field("id", &self.id).finish_non_exhaustive()
    }
}
