use std::fmt;

use sea_orm::entity::prelude::*;

#[derive(Clone, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "sync_conflict")]
pub(crate) struct Model {
    #[sea_orm(primary_key)]
    pub(crate) id: i64,
    pub(crate) mapping_id: Uuid,
    pub(crate) system: String,
    pub(crate) customer_id: Uuid,
    pub(crate) subject: String,
    pub(crate) base_value: Option<String>,
    pub(crate) local_value: Option<String>,
    pub(crate) remote_value: Option<String>,
    pub(crate) status: String,
    pub(crate) rule: Option<String>,
    pub(crate) resolution: Option<String>,
    pub(crate) resolved_by: Option<String>,
    pub(crate) created_at: DateTimeUtc,
    pub(crate) resolved_at: Option<DateTimeUtc>,
}

#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub(crate) enum Relation {}

impl ActiveModelBehavior for ActiveModel {}

/// Rows hold personal data.
impl fmt::Debug for Model {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("sync_conflict").field("id", &self.id).finish_non_exhaustive()
    }
}
