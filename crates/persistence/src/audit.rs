//! The audit trail. Entries travel as one JSON text, as in `batch`: the statement is the same for any number
//! of them, and those of identify keep their places in the cache of prepared ones.

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use onefold_domain::id::{CustomerId, UserId};
use onefold_service::audit::{
    AuditAction, AuditDraft, AuditEntry, AuditFacts, AuditFilter, AuditHead, AuditSubject, PendingEntry,
    SealedEntry, Snapshot,
};
use onefold_service::operation::OperationId;
use onefold_service::store::{AuditReader, AuditRepository, StoreError};
use onefold_service::token::TokenId;
use sea_orm::{
    ColumnTrait, ConnectionTrait, EntityTrait, FromQueryResult, QueryFilter, QueryOrder, QuerySelect,
};
use serde_json::{Value, json};
use uuid::Uuid;

use crate::batch::{Kind, Unpacked, hex, moment, write};
use crate::entities::audit_entry::{self, Column};
use crate::entities::audit_pending;
use crate::error::store_error;
use crate::store::{SeaOrmStore, SeaOrmTransaction};
use crate::untold;

#[async_trait]
impl AuditReader for SeaOrmStore {
    async fn list(
        &self,
        filter: &AuditFilter,
        before: Option<u64>,
        limit: usize,
    ) -> Result<Vec<AuditEntry>, StoreError> {
        let mut list = audit_entry::Entity::find().order_by_desc(Column::Number).limit(limit as u64);
        if let Some(before) = before {
            list = list.filter(Column::Number.lt(signed(before)));
        }
        if let Some(subject) = filter.subject {
            list = list
                .filter(Column::SubjectKind.eq(subject.kind()))
                .filter(Column::SubjectId.eq(subject.id()));
        }
        if let Some(customer) = filter.customer {
            list = list.filter(Column::CustomerId.eq(customer.0));
        }
        if let Some(token) = filter.token {
            list = list.filter(Column::TokenId.eq(token.0));
        }
        if let Some(user) = filter.user {
            list = list.filter(Column::UserId.eq(user.0));
        }
        if let Some(action) = filter.action {
            list = list.filter(Column::Action.eq(AuditAction::as_str(action)));
        }
        if let Some(since) = filter.since {
            list = list.filter(Column::HappenedAt.gte(since));
        }
        if let Some(until) = filter.until {
            list = list.filter(Column::HappenedAt.lt(until));
        }
        Ok(list.into_model().all(self.reader()).await.map_err(store_error)?.into_iter().map(entry).collect())
    }

    async fn entries_after(&self, after: u64, limit: usize) -> Result<Vec<AuditEntry>, StoreError> {
        let found = audit_entry::Entity::find()
            .filter(Column::Number.gt(signed(after)))
            .order_by_asc(Column::Number)
            .limit(limit as u64)
            .into_model()
            .all(self.reader())
            .await
            .map_err(store_error)?;
        Ok(found.into_iter().map(entry).collect())
    }

    async fn first_untold(&self) -> Result<Option<AuditSubject>, StoreError> {
        untold::first(self.reader()).await.map_err(store_error)
    }
}

#[async_trait]
impl AuditRepository for SeaOrmTransaction {
    async fn append(&mut self, drafts: &[AuditDraft]) -> Result<(), StoreError> {
        let rows: Vec<_> = drafts.iter().map(|draft| values(&AuditFacts::from(draft))).collect();
        insert(self.connection()?, "audit_pending", &COLUMNS, &rows).await?;
        Ok(())
    }

    async fn head(&mut self) -> Result<Option<AuditHead>, StoreError> {
        let last = audit_entry::Entity::find()
            .order_by_desc(Column::Number)
            .limit(1)
            .into_model::<EntryRow>()
            .one(self.connection()?)
            .await
            .map_err(store_error)?;
        Ok(last.map(|row| AuditHead { number: unsigned(row.number), hash: row.hash }))
    }

    async fn pending(&mut self, limit: usize) -> Result<Vec<PendingEntry>, StoreError> {
        let found = audit_pending::Entity::find()
            .order_by_asc(audit_pending::Column::Id)
            .limit(limit as u64)
            .into_model()
            .all(self.connection()?)
            .await
            .map_err(store_error)?;
        let pending = |row: PendingRow| PendingEntry { id: row.id, facts: row.facts.into() };
        Ok(found.into_iter().map(pending).collect())
    }

    async fn seal(&mut self, entries: &[SealedEntry]) -> Result<(), StoreError> {
        let connection = self.connection()?;
        let columns = [&COLUMNS[..], &CHAIN[..]].concat();
        let rows: Vec<_> = entries.iter().map(|sealed| sealed_values(&sealed.entry)).collect();
        // Who sealed at the same time has these numbers; the database tells when the other one has committed.
        let inserted = insert(connection, "audit_entry", &columns, &rows).await?;
        let unpacked = Unpacked::of(connection.get_database_backend());
        let sql = format!(
            "DELETE FROM audit_pending WHERE id IN (SELECT {id} FROM {rows})",
            id = unpacked.value(0, Kind::Integer),
            rows = unpacked.rows(),
        );
        let ids: Vec<_> = entries.iter().map(|sealed| [sealed.pending]).collect();
        let removed = write(connection, sql, &ids, Vec::new()).await?;
        let all = entries.len() as u64;
        if inserted == all && removed == all { Ok(()) } else { Err(StoreError::Conflict) }
    }
}

/// The columns of what waits, in the order of `values`.
const COLUMNS: [(&str, Kind); 12] = [
    ("happened_at", Kind::Time),
    ("actor", Kind::Text),
    ("token_id", Kind::Integer),
    ("user_id", Kind::Uuid),
    ("request_id", Kind::Text),
    ("operation_id", Kind::Uuid),
    ("action", Kind::Text),
    ("subject_kind", Kind::Text),
    ("subject_id", Kind::Text),
    ("customer_id", Kind::Uuid),
    ("state_before", Kind::Text),
    ("state_after", Kind::Text),
];

/// The columns that an entry has beside those of what waits.
const CHAIN: [(&str, Kind); 3] =
    [("number", Kind::Integer), ("previous_hash", Kind::Text), ("hash", Kind::Text)];

fn values(facts: &AuditFacts) -> Vec<Value> {
    vec![
        moment(facts.at).into(),
        facts.actor.as_str().into(),
        json!(facts.token.map(|token| token.0)),
        json!(facts.user.map(|user| hex(user.0))),
        json!(facts.request_id),
        json!(facts.operation.map(|operation| hex(operation.0))),
        facts.action.as_str().into(),
        facts.subject_kind.as_str().into(),
        facts.subject_id.as_str().into(),
        json!(facts.customer.map(|customer| hex(customer.0))),
        json!(facts.before.as_ref().map(Snapshot::as_str)),
        json!(facts.after.as_ref().map(Snapshot::as_str)),
    ]
}

fn sealed_values(entry: &AuditEntry) -> Vec<Value> {
    let mut row = values(&entry.facts);
    row.extend([
        signed(entry.number).into(),
        entry.previous_hash.as_str().into(),
        entry.hash.as_str().into(),
    ]);
    row
}

/// Adds entries to one of the two tables; says how many rows were new.
async fn insert(
    connection: &impl ConnectionTrait,
    table: &str,
    columns: &[(&str, Kind)],
    rows: &Vec<Vec<Value>>,
) -> Result<u64, StoreError> {
    let unpacked = Unpacked::of(connection.get_database_backend());
    let (names, values) = unpacked.columns(columns);
    // Without the condition SQLite takes what follows for that of a join.
    let sql = format!(
        "INSERT INTO {table} ({names}) SELECT {values} FROM {rows} WHERE true ON CONFLICT DO NOTHING",
        rows = unpacked.rows(),
    );
    write(connection, sql, rows, Vec::new()).await
}

/// The columns that waiting entries and sealed ones have in common.
#[derive(FromQueryResult)]
struct FactsRow {
    happened_at: DateTime<Utc>,
    actor: String,
    token_id: Option<i64>,
    user_id: Option<Uuid>,
    request_id: Option<String>,
    operation_id: Option<Uuid>,
    action: String,
    subject_kind: String,
    subject_id: String,
    customer_id: Option<Uuid>,
    state_before: Option<String>,
    state_after: Option<String>,
}

#[derive(FromQueryResult)]
struct PendingRow {
    id: i64,
    #[sea_orm(nested)]
    facts: FactsRow,
}

#[derive(FromQueryResult)]
struct EntryRow {
    number: i64,
    previous_hash: String,
    hash: String,
    #[sea_orm(nested)]
    facts: FactsRow,
}

impl From<FactsRow> for AuditFacts {
    fn from(row: FactsRow) -> Self {
        Self {
            at: row.happened_at,
            actor: row.actor,
            token: row.token_id.map(TokenId),
            user: row.user_id.map(UserId),
            request_id: row.request_id,
            operation: row.operation_id.map(OperationId),
            action: row.action,
            subject_kind: row.subject_kind,
            subject_id: row.subject_id,
            customer: row.customer_id.map(CustomerId),
            before: row.state_before.map(Snapshot::from_stored),
            after: row.state_after.map(Snapshot::from_stored),
        }
    }
}

fn entry(row: EntryRow) -> AuditEntry {
    let EntryRow { number, previous_hash, hash, facts } = row;
    AuditEntry { number: unsigned(number), facts: facts.into(), previous_hash, hash }
}

/// Databases have no unsigned numbers; no trail reaches the border.
fn signed(number: u64) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}

fn unsigned(number: i64) -> u64 {
    u64::try_from(number).unwrap_or_default()
}
