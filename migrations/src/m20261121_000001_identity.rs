//! Customers, their contacts, the keys that lead to them, and the record of merges.
//!
//! A key and a contact point at the customer they were born into and never change; only that
//! customer's `root_id` moves when customers merge. So a merge touches customers, never contacts, an
//! absorbed id stays valid for ever, and undoing a merge is the reverse.

use sea_orm_migration::prelude::*;
use sea_orm_migration::sea_orm::DbBackend;

#[derive(DeriveMigrationName)]
pub(super) struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let sqlite = manager.get_database_backend() == DbBackend::Sqlite;
        manager.create_table(clustered(customer(), sqlite)).await?;
        // Only absorbed customers are looked up by their root; a full index would cost an entry for
        // every customer.
        manager
            .get_connection()
            .execute_unprepared("CREATE INDEX customer_absorbed ON customer (root_id) WHERE root_id <> id")
            .await?;
        manager.create_table(contact()).await?;
        let by_customer = Index::create()
            .name("contact_customer")
            .table(Contact::Table)
            .col(Contact::CustomerId)
            .col(Contact::Id)
            .to_owned();
        manager.create_index(by_customer).await?;
        manager.create_table(clustered(contact_point(), sqlite)).await?;
        manager.create_table(link()).await
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        manager.drop_table(Table::drop().table(Link::Table).to_owned()).await?;
        manager.drop_table(Table::drop().table(ContactPoint::Table).to_owned()).await?;
        manager.drop_table(Table::drop().table(Contact::Table).to_owned()).await?;
        manager.drop_table(Table::drop().table(Customer::Table).to_owned()).await
    }
}

/// Keeps the rows in the primary key itself. Otherwise SQLite has a table and beside it an index that
/// repeats most of it. PostgreSQL knows no such tables.
fn clustered(mut table: TableCreateStatement, sqlite: bool) -> TableCreateStatement {
    if sqlite {
        table.extra("WITHOUT ROWID");
    }
    table
}

fn customer() -> TableCreateStatement {
    Table::create()
        .table(Customer::Table)
        .col(ColumnDef::new(Customer::Id).uuid().not_null().primary_key())
        .col(ColumnDef::new(Customer::RootId).uuid().not_null())
        // Raised by every change of a root: the guard of all writers.
        .col(ColumnDef::new(Customer::Version).big_integer().not_null())
        // Empty only between two statements of the transaction that creates the customer.
        .col(ColumnDef::new(Customer::PrimaryContactId).big_integer())
        .col(ColumnDef::new(Customer::CreatedAt).timestamp_with_time_zone().not_null())
        .col(ColumnDef::new(Customer::UpdatedAt).timestamp_with_time_zone().not_null())
        .foreign_key(
            ForeignKey::create()
                .name("customer_root")
                .from(Customer::Table, Customer::RootId)
                .to(Customer::Table, Customer::Id),
        )
        .to_owned()
}

fn contact() -> TableCreateStatement {
    Table::create()
        .table(Contact::Table)
        .col(ColumnDef::new(Contact::Id).big_integer().not_null().auto_increment().primary_key())
        .col(ColumnDef::new(Contact::CustomerId).uuid().not_null())
        .col(ColumnDef::new(Contact::Email).text())
        .col(ColumnDef::new(Contact::Phone).text())
        // The rule for which the value does not link; empty when it does.
        .col(ColumnDef::new(Contact::EmailBlockedBy).text())
        .col(ColumnDef::new(Contact::PhoneBlockedBy).text())
        .col(ColumnDef::new(Contact::UserId).uuid())
        .col(ColumnDef::new(Contact::Source).text().not_null())
        .col(ColumnDef::new(Contact::ReceivedEmail).text())
        .col(ColumnDef::new(Contact::ReceivedPhone).text())
        .col(ColumnDef::new(Contact::CreatedAt).timestamp_with_time_zone().not_null())
        .check(Expr::col(Contact::Email).is_not_null().or(Expr::col(Contact::Phone).is_not_null()))
        .foreign_key(
            ForeignKey::create()
                .name("contact_customer")
                .from(Contact::Table, Contact::CustomerId)
                .to(Customer::Table, Customer::Id),
        )
        .to_owned()
}

/// The lock of identify is the primary key: a key belongs to one customer.
fn contact_point() -> TableCreateStatement {
    Table::create()
        .table(ContactPoint::Table)
        .col(ColumnDef::new(ContactPoint::Kind).small_integer().not_null())
        .col(ColumnDef::new(ContactPoint::Value).text().not_null())
        .col(ColumnDef::new(ContactPoint::CustomerId).uuid().not_null())
        .primary_key(Index::create().col(ContactPoint::Kind).col(ContactPoint::Value))
        .foreign_key(
            ForeignKey::create()
                .name("contact_point_customer")
                .from(ContactPoint::Table, ContactPoint::CustomerId)
                .to(Customer::Table, Customer::Id),
        )
        .to_owned()
}

fn link() -> TableCreateStatement {
    Table::create()
        .table(Link::Table)
        .col(ColumnDef::new(Link::Id).big_integer().not_null().auto_increment().primary_key())
        .col(ColumnDef::new(Link::SurvivorId).uuid().not_null())
        .col(ColumnDef::new(Link::AbsorbedId).uuid().not_null())
        .col(ColumnDef::new(Link::Email).text())
        .col(ColumnDef::new(Link::Phone).text())
        .col(ColumnDef::new(Link::UserId).uuid())
        .col(ColumnDef::new(Link::ContactId).big_integer())
        .col(ColumnDef::new(Link::AfterContactId).big_integer().not_null())
        .col(ColumnDef::new(Link::CreatedAt).timestamp_with_time_zone().not_null())
        .foreign_key(
            ForeignKey::create()
                .name("link_survivor")
                .from(Link::Table, Link::SurvivorId)
                .to(Customer::Table, Customer::Id),
        )
        .foreign_key(
            ForeignKey::create()
                .name("link_absorbed")
                .from(Link::Table, Link::AbsorbedId)
                .to(Customer::Table, Customer::Id),
        )
        .to_owned()
}

#[derive(DeriveIden)]
enum Customer {
    Table,
    Id,
    RootId,
    Version,
    PrimaryContactId,
    CreatedAt,
    UpdatedAt,
}

#[derive(DeriveIden)]
enum Contact {
    Table,
    Id,
    CustomerId,
    Email,
    Phone,
    EmailBlockedBy,
    PhoneBlockedBy,
    UserId,
    Source,
    ReceivedEmail,
    ReceivedPhone,
    CreatedAt,
}

#[derive(DeriveIden)]
enum ContactPoint {
    Table,
    Kind,
    Value,
    CustomerId,
}

#[derive(DeriveIden)]
enum Link {
    Table,
    Id,
    SurvivorId,
    AbsorbedId,
    Email,
    Phone,
    UserId,
    ContactId,
    AfterContactId,
    CreatedAt,
}
