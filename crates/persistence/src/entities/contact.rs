use std::fmt;

use sea_orm::entity::prelude::*;

#[derive(Clone, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "contact")]
pub(crate) struct Model {
    #[sea_orm(primary_key)]
    pub(crate) id: i64,
    pub(crate) customer_id: Uuid,
    pub(crate) email: Option<String>,
    pub(crate) phone: Option<String>,
    pub(crate) email_blocked_by: Option<String>,
    pub(crate) phone_blocked_by: Option<String>,
    pub(crate) user_id: Option<Uuid>,
    pub(crate) source: String,
    pub(crate) received_email: Option<String>,
    pub(crate) received_phone: Option<String>,
    pub(crate) created_at: DateTimeUtc,
    pub(crate) channel: Option<String>,
    pub(crate) is_primary: bool,
    pub(crate) verified_at: Option<DateTimeUtc>,
    pub(crate) metadata: Option<String>,
    pub(crate) profile: Option<String>,
    pub(crate) search: Option<String>,
    pub(crate) import_id: Option<Uuid>,
    pub(crate) updated_at: DateTimeUtc,
    pub(crate) withdrawn_at: Option<DateTimeUtc>,
    pub(crate) version: i64,
    pub(crate) origin_hub: Option<Uuid>,
    pub(crate) origin_number: Option<i64>,
    pub(crate) evidence_order: Option<i64>,
    pub(crate) self_stated: bool,
    pub(crate) claimed_by: Option<String>,
}

#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub(crate) enum Relation {}

impl ActiveModelBehavior for ActiveModel {}

/// Rows hold personal data.
impl fmt::Debug for Model {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("contact").field("id", &self.id).finish_non_exhaustive()
    }
}
