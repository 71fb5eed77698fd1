//! Access tokens. A revoked one stays, since the record of who did what names it.

use sea_orm_migration::prelude::*;

#[derive(DeriveMigrationName)]
pub(super) struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        manager.create_table(access_token()).await
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        manager.drop_table(Table::drop().table(AccessToken::Table).to_owned()).await
    }
}

fn access_token() -> TableCreateStatement {
    Table::create()
        .table(AccessToken::Table)
        .col(ColumnDef::new(AccessToken::Id).big_integer().not_null().auto_increment().primary_key())
        .col(ColumnDef::new(AccessToken::Name).text().not_null())
        // SHA-256 of the secret in hexadecimal.
        .col(ColumnDef::new(AccessToken::Hash).text().not_null().unique_key())
        // A JSON array of names.
        .col(ColumnDef::new(AccessToken::Abilities).text().not_null())
        .col(ColumnDef::new(AccessToken::UserId).uuid())
        .col(ColumnDef::new(AccessToken::ExpiresAt).timestamp_with_time_zone())
        .col(ColumnDef::new(AccessToken::LastUsedAt).timestamp_with_time_zone())
        .col(ColumnDef::new(AccessToken::CreatedAt).timestamp_with_time_zone().not_null())
        .col(ColumnDef::new(AccessToken::RevokedAt).timestamp_with_time_zone())
        .foreign_key(
            ForeignKey::create()
                .name("access_token_user")
                .from(AccessToken::Table, AccessToken::UserId)
                .to(UserAccount::Table, UserAccount::Id),
        )
        .to_owned()
}

#[derive(DeriveIden)]
enum AccessToken {
    Table,
    Id,
    Name,
    Hash,
    Abilities,
    UserId,
    ExpiresAt,
    LastUsedAt,
    CreatedAt,
    RevokedAt,
}

#[derive(DeriveIden)]
enum UserAccount {
    Table,
    Id,
}
