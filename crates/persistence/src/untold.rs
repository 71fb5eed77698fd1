//! What is there and the audit trail does not tell of. Both databases are asked in pieces: ids are texts in the trail, and
//! each database writes a UUID as a text in its own way.

use std::collections::HashSet;

use chrono::{DateTime, Utc};
use onefold_domain::id::{ContactId, ImportId, UserId};
use onefold_service::audit::AuditSubject;
use onefold_service::token::TokenId;
use sea_orm::{
    ColumnTrait, ConnectionTrait, DbErr, EntityTrait, QueryFilter, QueryOrder, QuerySelect, Select,
    Statement, TryGetableMany, Value,
};

use crate::entities::{access_token, audit_entry, audit_pending, contact, user_account};

/// Few enough at a time for the parameters that a statement may have.
const PIECE: usize = 1_000;

/// The migration that made the trail.
const TRAIL: &str = "m20261121_000006_audit";

/// A record of which no entry tells.
pub(crate) async fn first(db: &impl ConnectionTrait) -> Result<Option<AuditSubject>, DbErr> {
    let since = began(db).await?;
    let made = contact::Entity::find().filter(contact::Column::CreatedAt.gte(since));
    let single = made.clone().filter(contact::Column::ImportId.is_null());
    let subject = |id| AuditSubject::Contact(ContactId(id));
    if let Some(found) = walk(db, single, contact::Column::Id, subject).await? {
        return Ok(Some(found));
    }
    // What a file brought is told of together: its entry names the file.
    let imported = made.filter(contact::Column::ImportId.is_not_null()).distinct();
    let subject = |id| AuditSubject::Import(ImportId(id));
    if let Some(found) = walk(db, imported, contact::Column::ImportId, subject).await? {
        return Ok(Some(found));
    }
    let users = user_account::Entity::find().filter(user_account::Column::CreatedAt.gte(since));
    if let Some(found) =
        walk(db, users, user_account::Column::Id, |id| AuditSubject::User(UserId(id))).await?
    {
        return Ok(Some(found));
    }
    let tokens = access_token::Entity::find().filter(access_token::Column::CreatedAt.gte(since));
    walk(db, tokens, access_token::Column::Id, |id| AuditSubject::Token(TokenId(id))).await
}

/// When this database was given its trail: what is older, nobody could tell. If nothing says when, all has to be told.
async fn began(db: &impl ConnectionTrait) -> Result<DateTime<Utc>, DbErr> {
    let sql = format!("SELECT applied_at FROM seaql_migrations WHERE version = '{TRAIL}'");
    let row = db.query_one_raw(Statement::from_string(db.get_database_backend(), sql)).await?;
    let seconds: i64 = row.map(|row| row.try_get_by_index(0)).transpose()?.unwrap_or_default();
    Ok(DateTime::from_timestamp(seconds, 0).unwrap_or_default())
}

/// Goes along the records by this column, which is their id or that of what brought them.
async fn walk<E, I>(
    db: &impl ConnectionTrait,
    rows: Select<E>,
    key: E::Column,
    subject: fn(I) -> AuditSubject,
) -> Result<Option<AuditSubject>, DbErr>
where
    E: EntityTrait,
    I: TryGetableMany + Into<Value> + Copy + Send + Sync,
{
    let mut after: Option<I> = None;
    loop {
        let mut piece = rows.clone().select_only().column(key).order_by_asc(key).limit(PIECE as u64);
        if let Some(after) = after {
            piece = piece.filter(key.gt(after));
        }
        let ids: Vec<I> = piece.into_tuple().all(db).await?;
        let subjects: Vec<_> = ids.iter().copied().map(subject).collect();
        if let Some(found) = untold(db, subjects).await? {
            return Ok(Some(found));
        }
        match ids.last() {
            Some(last) if ids.len() == PIECE => after = Some(*last),
            _ => return Ok(None),
        }
    }
}

/// The first of these subjects, all of one kind, that no entry tells of.
async fn untold(
    db: &impl ConnectionTrait,
    mut subjects: Vec<AuditSubject>,
) -> Result<Option<AuditSubject>, DbErr> {
    // An entry that waits may be sealed in between, so that the sealed ones are asked once more.
    for table in [Table::Sealed, Table::Waiting, Table::Sealed] {
        let Some(first) = subjects.first() else { return Ok(None) };
        let told = told(db, table, first.kind(), subjects.iter().map(|subject| subject.id())).await?;
        subjects.retain(|subject| !told.contains(&subject.id()));
    }
    Ok(subjects.first().copied())
}

#[derive(Clone, Copy)]
enum Table {
    Sealed,
    Waiting,
}

async fn told(
    db: &impl ConnectionTrait,
    table: Table,
    kind: &str,
    ids: impl Iterator<Item = String>,
) -> Result<HashSet<String>, DbErr> {
    let found: Vec<String> = match table {
        Table::Sealed => {
            use audit_entry::Column::{SubjectId, SubjectKind};
            let entries =
                audit_entry::Entity::find().filter(SubjectKind.eq(kind)).filter(SubjectId.is_in(ids));
            entries.select_only().column(SubjectId).distinct().into_tuple().all(db).await?
        }
        Table::Waiting => {
            use audit_pending::Column::{SubjectId, SubjectKind};
            let entries =
                audit_pending::Entity::find().filter(SubjectKind.eq(kind)).filter(SubjectId.is_in(ids));
            entries.select_only().column(SubjectId).distinct().into_tuple().all(db).await?
        }
    };
    Ok(found.into_iter().collect())
}
