use std::fmt;

use sea_orm::entity::prelude::*;

#[derive(Clone, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "sync_mapping")]
pub(crate) struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub(crate) id: Uuid,
    pub(crate) system: String,
    pub(crate) customer_id: Uuid,
    pub(crate) contact_id: i64,
    pub(crate) external_id: Option<String>,
    pub(crate) external_address_id: Option<String>,
    pub(crate) external_contact_id: Option<String>,
    pub(crate) status: String,
    pub(crate) detach_reason: Option<String>,
    pub(crate) base: String,
    pub(crate) sent: String,
    pub(crate) kept: String,
    pub(crate) customer_version: Option<i64>,
    pub(crate) missing_since: Option<DateTimeUtc>,
    pub(crate) last_synced_at: Option<DateTimeUtc>,
    pub(crate) error_code: Option<String>,
    pub(crate) error_message: Option<String>,
    pub(crate) lease_owner: Option<Uuid>,
    pub(crate) lease_until: Option<DateTimeUtc>,
    pub(crate) created_by: String,
    pub(crate) updated_by: String,
    pub(crate) created_at: DateTimeUtc,
    pub(crate) updated_at: DateTimeUtc,
    pub(crate) version: i64,
}

#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub(crate) enum Relation {}

impl ActiveModelBehavior for ActiveModel {}

/// Rows hold personal data.
impl fmt::Debug for Model {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("sync_mapping").field("id", &self.id).finish_non_exhaustive()
    }
}
