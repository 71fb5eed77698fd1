use std::fmt;

use sea_orm::entity::prelude::*;

#[derive(Clone, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "link")]
pub(crate) struct Model {
    #[sea_orm(primary_key)]
    pub(crate) id: i64,
    pub(crate) survivor_id: Uuid,
    pub(crate) absorbed_id: Uuid,
    pub(crate) email: Option<String>,
    pub(crate) phone: Option<String>,
    pub(crate) user_id: Option<Uuid>,
    pub(crate) contact_id: Option<i64>,
    pub(crate) after_contact_id: i64,
    pub(crate) created_at: DateTimeUtc,
    pub(crate) revoked_at: Option<DateTimeUtc>,
    pub(crate) customer_id: Uuid,
    pub(crate) origin_hub: Option<Uuid>,
    pub(crate) origin_number: Option<i64>,
    pub(crate) beside_email: Option<String>,
    pub(crate) beside_phone: Option<String>,
    pub(crate) source: Option<String>,
}

#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub(crate) enum Relation {}

impl ActiveModelBehavior for ActiveModel {}

/// Rows hold personal data.
impl fmt::Debug for Model {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("link").field("id", &self.id).finish_non_exhaustive()
    }
}
