//! What all processes that call another system have in common: when the next call may be made, and which are under way.

use sea_orm_migration::prelude::*;

#[derive(DeriveMigrationName)]
pub(super) struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        // One row for a system, read and written as a whole.
        let system = ColumnDef::new("system").text().not_null().primary_key().to_owned();
        let state = ColumnDef::new("state").text().not_null().to_owned();
        let table = Table::create().table("call_pace").col(system).col(state).to_owned();
        manager.create_table(table).await
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        manager.drop_table(Table::drop().table("call_pace").to_owned()).await
    }
}
