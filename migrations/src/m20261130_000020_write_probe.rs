//! Where a program tries whether the database takes as much as a write needs, when the last one failed for want of
//! storage. Empty at all other times.

use sea_orm_migration::prelude::*;
use sea_orm_migration::schema::big_pk_auto;

#[derive(DeriveMigrationName)]
pub(super) struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let filler = ColumnDef::new("filler").binary().not_null().to_owned();
        let table = Table::create().table("write_probe").col(big_pk_auto("id")).col(filler).to_owned();
        manager.create_table(table).await
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        manager.drop_table(Table::drop().table("write_probe").to_owned()).await
    }
}
