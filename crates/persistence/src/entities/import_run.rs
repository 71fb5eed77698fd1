use std::fmt;

use sea_orm::entity::prelude::*;

#[derive(Clone, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "import_run")]
pub(crate) struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub(crate) id: Uuid,
    pub(crate) status: String,
    pub(crate) format: String,
    pub(crate) match_by: String,
    pub(crate) dry_run: bool,
    pub(crate) stop_on_error: bool,
    #[sea_orm(column_name = "sha256")]
    pub(crate) sha256: String,
    pub(crate) bytes: i64,
    pub(crate) position_offset: i64,
    pub(crate) position_line: i64,
    pub(crate) position_row: i64,
    pub(crate) header: Option<String>,
    pub(crate) rows_read: i64,
    pub(crate) rows_created: i64,
    pub(crate) rows_updated: i64,
    pub(crate) rows_unchanged: i64,
    pub(crate) rows_failed: i64,
    pub(crate) message: Option<String>,
    pub(crate) lease_owner: Option<Uuid>,
    pub(crate) lease_until: Option<DateTimeUtc>,
    pub(crate) created_at: DateTimeUtc,
    pub(crate) started_at: Option<DateTimeUtc>,
    pub(crate) updated_at: DateTimeUtc,
    pub(crate) finished_at: Option<DateTimeUtc>,
}

#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub(crate) enum Relation {}

impl ActiveModelBehavior for ActiveModel {}

/// Rows hold personal data.
impl fmt::Debug for Model {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("import_run").finish_non_exhaustive()
    }
}
