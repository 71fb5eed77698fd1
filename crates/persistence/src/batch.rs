//! Writing many rows at once, for imports. Rows travel as one JSON text: a statement with a parameter for
//! every value costs more to prepare than to run, and would be another one for each number of rows. Both
//! databases unpack the text; only how they do it differs, in `Unpacked`.

use chrono::{DateTime, SecondsFormat, Utc};
use onefold_domain::block::BlockRule;
use onefold_domain::contact::{Channel, ClaimedBy, ContactDraft};
use onefold_domain::email::EmailAddress;
use onefold_domain::id::{ContactId, CustomerId};
use onefold_domain::link_key::LinkKey;
use onefold_domain::phone::PhoneNumber;
use onefold_service::search::search_text;
use onefold_service::store::{FiledDraft, StoreError};
use sea_orm::sea_query::Value;
use sea_orm::{ConnectionTrait, DbBackend, DbErr, Statement};
use serde::Serialize;
use serde::ser::{SerializeTuple, Serializer};
use uuid::Uuid;

use crate::error::{store_error, unless_taken};
use crate::records::{metadata_text, profile_text};

/// `advance` for many customers.
pub(crate) async fn advance(
    connection: &impl ConnectionTrait,
    guards: &[(CustomerId, i64)],
    at: DateTime<Utc>,
) -> Result<(), StoreError> {
    if guards.is_empty() {
        return Ok(());
    }
    let rows: Vec<_> = guards.iter().map(|(id, version)| (hex(id.0), version)).collect();
    let unpacked = Unpacked::of(connection.get_database_backend());
    let sql = format!(
        "UPDATE customer SET version = customer.version + 1, updated_at = {later}(customer.updated_at, $2) \
         FROM (SELECT {id} AS id, {version} AS version FROM {rows}) guard \
         WHERE customer.id = guard.id AND customer.root_id = guard.id AND customer.version = guard.version",
        id = unpacked.uuid(0),
        version = unpacked.integer(1),
        rows = unpacked.rows(),
        later = unpacked.later(),
    );
    let advanced = write(connection, sql, &rows, vec![at.into()]).await?;
    if advanced == guards.len() as u64 { Ok(()) } else { Err(StoreError::Conflict) }
}

pub(crate) async fn insert_customers(
    connection: &impl ConnectionTrait,
    customers: &[(CustomerId, ContactId)],
    at: DateTime<Utc>,
) -> Result<(), StoreError> {
    if customers.is_empty() {
        return Ok(());
    }
    let rows: Vec<_> = customers.iter().map(|(id, primary)| (hex(id.0), primary.0)).collect();
    let unpacked = Unpacked::of(connection.get_database_backend());
    let sql = format!(
        "INSERT INTO customer (id, root_id, version, primary_contact_id, created_at, updated_at) \
         SELECT {id}, {id}, 1, {primary}, $2, $2 FROM {rows}",
        id = unpacked.uuid(0),
        primary = unpacked.integer(1),
        rows = unpacked.rows(),
    );
    write(connection, sql, &rows, vec![at.into()]).await?;
    Ok(())
}

/// `claim` for many customers. `Conflict` if one of the keys is taken.
pub(crate) async fn claim(
    connection: &impl ConnectionTrait,
    claims: &[(LinkKey, CustomerId)],
) -> Result<(), StoreError> {
    if claims.is_empty() {
        return Ok(());
    }
    let rows: Vec<_> =
        claims.iter().map(|(key, id)| (key.kind as i16, key.value.as_str(), hex(id.0))).collect();
    let unpacked = Unpacked::of(connection.get_database_backend());
    // Without the condition SQLite takes what follows for that of a join.
    let sql = format!(
        "INSERT INTO contact_point (kind, value, customer_id) SELECT {kind}, {value}, {id} FROM {rows} \
         WHERE true ON CONFLICT DO NOTHING",
        kind = unpacked.integer(0),
        value = unpacked.text(1),
        id = unpacked.uuid(2),
        rows = unpacked.rows(),
    );
    let claimed = write(connection, sql, &rows, Vec::new()).await?;
    if claimed == claims.len() as u64 { Ok(()) } else { Err(StoreError::Conflict) }
}

/// So many numbers that no row of this table ever had, ascending.
pub(crate) async fn reserve_ids(
    connection: &impl ConnectionTrait,
    table: &str,
    count: usize,
) -> Result<Vec<i64>, StoreError> {
    let backend = connection.get_database_backend();
    let sql = match backend {
        // Nobody else writes while this transaction is open, so the next numbers are free; the table
        // remembers the highest that was used, also of rows that are gone.
        DbBackend::Sqlite => {
            "WITH RECURSIVE next (id, rest) AS (
                 SELECT COALESCE((SELECT seq FROM sqlite_sequence WHERE name = $2), 0) + 1, $1
                 UNION ALL SELECT id + 1, rest - 1 FROM next WHERE rest > 1)
             SELECT id FROM next"
        }
        // Looked up once: by itself it would be called for every number.
        _ => {
            "WITH named AS MATERIALIZED (SELECT CAST(pg_get_serial_sequence($2, 'id') AS regclass) AS ids)
             SELECT nextval(named.ids) FROM named, generate_series(1, $1)"
        }
    };
    if count == 0 {
        return Ok(Vec::new());
    }
    let statement = Statement::from_sql_and_values(backend, sql, [(count as i64).into(), table.into()]);
    let rows = connection.query_all_raw(statement).await.map_err(store_error)?;
    let ids: Result<Vec<i64>, _> = rows.iter().map(|row| row.try_get_by_index(0)).collect();
    let mut ids = ids.map_err(store_error)?;
    ids.sort_unstable();
    Ok(ids)
}

/// A number that no row of this table ever had, and that none will have.
pub(crate) async fn use_up_id(connection: &impl ConnectionTrait, table: &str) -> Result<i64, StoreError> {
    let sql = match connection.get_database_backend() {
        // What `reserve_ids` names is free until a row has it, so here the table has to be told. It knows of
        // itself only when it has had a row; whoever needs an order has one.
        DbBackend::Sqlite => "UPDATE sqlite_sequence SET seq = seq + 1 WHERE name = $1 RETURNING seq",
        _ => "SELECT nextval(CAST(pg_get_serial_sequence($1, 'id') AS regclass))",
    };
    number(connection, sql, table).await
}

/// The highest number that a row of this table ever had.
pub(crate) async fn last_id(connection: &impl ConnectionTrait, table: &str) -> Result<i64, StoreError> {
    let sql = match connection.get_database_backend() {
        DbBackend::Sqlite => "SELECT seq FROM sqlite_sequence WHERE name = $1",
        // What other transactions have taken and not yet committed counts: it may be there before this one.
        _ => "SELECT pg_sequence_last_value(CAST(pg_get_serial_sequence($1, 'id') AS regclass))",
    };
    number(connection, sql, table).await
}

async fn number(connection: &impl ConnectionTrait, sql: &str, table: &str) -> Result<i64, StoreError> {
    let statement = Statement::from_sql_and_values(connection.get_database_backend(), sql, [table.into()]);
    let row = connection.query_one_raw(statement).await.map_err(store_error)?;
    let row = row.ok_or_else(|| StoreError::Backend(format!("{table} has no sequence").into()))?;
    row.try_get_by_index(0).map_err(store_error)
}

pub(crate) async fn insert_contacts(
    connection: &impl ConnectionTrait,
    contacts: &[FiledDraft],
    at: DateTime<Utc>,
) -> Result<(), StoreError> {
    if contacts.is_empty() {
        return Ok(());
    }
    let unpacked = Unpacked::of(connection.get_database_backend());
    let (columns, values) = unpacked.columns(&COLUMNS);
    let rows = unpacked.rows();
    if contacts.iter().all(|contact| contact.times.is_none() && contact.draft.origin.is_none()) {
        // Almost always: every value more that is taken out of a row costs.
        let sql = format!(
            "INSERT INTO contact ({columns}, created_at, updated_at, version) SELECT {values}, $2, $2, 1 FROM {rows}"
        );
        let contacts: Vec<_> = contacts.iter().map(Row).collect();
        write(connection, sql, &contacts, vec![at.into()]).await?;
        return Ok(());
    }
    let (own, own_values) = unpacked.columns_from(COLUMNS.len(), &ORIGIN_COLUMNS);
    let sql = format!(
        "INSERT INTO contact ({columns}, {own}, version) SELECT {values}, {own_values}, 1 FROM {rows}"
    );
    let contacts: Vec<_> = contacts.iter().map(|contact| OriginRow(contact, at)).collect();
    // Another import may bring the same contact this moment.
    write_or(connection, sql, &contacts, Vec::new(), unless_taken).await?;
    Ok(())
}

/// Runs a statement whose first parameter is the text of the rows; says how many rows it wrote.
pub(crate) async fn write(
    connection: &impl ConnectionTrait,
    sql: String,
    rows: &impl Serialize,
    others: Vec<Value>,
) -> Result<u64, StoreError> {
    write_or(connection, sql, rows, others, store_error).await
}

/// Runs a statement whose first parameter is the text of the rows, as [`write`] does; `failure` says what its failure means.
async fn write_or(
    connection: &impl ConnectionTrait,
    sql: String,
    rows: &impl Serialize,
    others: Vec<Value>,
    failure: fn(DbErr) -> StoreError,
) -> Result<u64, StoreError> {
    let text = serde_json::to_string(rows).map_err(|error| StoreError::Backend(error.into()))?;
    let values: Vec<Value> = std::iter::once(text.into()).chain(others).collect();
    let statement = Statement::from_sql_and_values(connection.get_database_backend(), sql, values);
    Ok(connection.execute_raw(statement).await.map_err(failure)?.rows_affected())
}

/// How a database takes values out of the text of the rows.
#[derive(Clone, Copy)]
pub(crate) enum Unpacked {
    Sqlite,
    Postgres,
}

#[derive(Clone, Copy)]
pub(crate) enum Kind {
    Integer,
    Text,
    Uuid,
    Boolean,
    Time,
}

impl Unpacked {
    pub(crate) fn of(backend: DbBackend) -> Self {
        match backend {
            DbBackend::Sqlite => Self::Sqlite,
            _ => Self::Postgres,
        }
    }

    pub(crate) fn rows(self) -> &'static str {
        match self {
            Self::Sqlite => "json_each($1) AS t",
            Self::Postgres => "jsonb_array_elements(CAST($1 AS jsonb)) AS t(value)",
        }
    }

    pub(crate) fn value(self, place: usize, kind: Kind) -> String {
        match (self, kind) {
            // What SQLite takes out of JSON has the type it had there.
            (Self::Sqlite, Kind::Uuid) => format!("unhex(t.value ->> {place})"),
            (Self::Sqlite, _) | (Self::Postgres, Kind::Text) => format!("t.value ->> {place}"),
            (Self::Postgres, Kind::Integer) => format!("CAST(t.value ->> {place} AS bigint)"),
            (Self::Postgres, Kind::Uuid) => format!("CAST(t.value ->> {place} AS uuid)"),
            (Self::Postgres, Kind::Boolean) => format!("CAST(t.value ->> {place} AS boolean)"),
            (Self::Postgres, Kind::Time) => format!("CAST(t.value ->> {place} AS timestamptz)"),
        }
    }

    /// The names of these columns, and the values for them in their order.
    pub(crate) fn columns(self, columns: &[(&str, Kind)]) -> (String, String) {
        self.columns_from(0, columns)
    }

    /// The names of these columns, and the values for them, which begin at this place of a row.
    fn columns_from(self, first: usize, columns: &[(&str, Kind)]) -> (String, String) {
        let names: Vec<_> = columns.iter().map(|(name, _)| *name).collect();
        let values: Vec<_> =
            columns.iter().zip(first..).map(|((_, kind), place)| self.value(place, *kind)).collect();
        (names.join(", "), values.join(", "))
    }

    /// The function that gives the later of two moments.
    fn later(self) -> &'static str {
        match self {
            Self::Sqlite => "MAX",
            Self::Postgres => "GREATEST",
        }
    }

    fn integer(self, place: usize) -> String {
        self.value(place, Kind::Integer)
    }

    fn text(self, place: usize) -> String {
        self.value(place, Kind::Text)
    }

    fn uuid(self, place: usize) -> String {
        self.value(place, Kind::Uuid)
    }
}

/// The columns of a contact in the order in which `Row` writes them.
const COLUMNS: [(&str, Kind); 19] = [
    ("id", Kind::Integer),
    ("customer_id", Kind::Uuid),
    ("email", Kind::Text),
    ("phone", Kind::Text),
    ("email_blocked_by", Kind::Text),
    ("phone_blocked_by", Kind::Text),
    ("user_id", Kind::Uuid),
    ("source", Kind::Text),
    ("received_email", Kind::Text),
    ("received_phone", Kind::Text),
    ("channel", Kind::Text),
    ("is_primary", Kind::Boolean),
    ("verified_at", Kind::Time),
    ("metadata", Kind::Text),
    ("profile", Kind::Text),
    ("search", Kind::Text),
    ("import_id", Kind::Uuid),
    ("self_stated", Kind::Boolean),
    ("claimed_by", Kind::Text),
];

struct Row<'a>(&'a FiledDraft);

impl Serialize for Row<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut row = serializer.serialize_tuple(COLUMNS.len())?;
        self.write(&mut row)?;
        row.end()
    }
}

impl Row<'_> {
    fn write<S: SerializeTuple>(&self, row: &mut S) -> Result<(), S::Error> {
        let FiledDraft { id, customer, draft, .. } = self.0;
        let ContactDraft { statement, details, received, .. } = draft;
        row.serialize_element(&id.0)?;
        row.serialize_element(&hex(customer.0))?;
        row.serialize_element(&statement.email().map(EmailAddress::as_str))?;
        row.serialize_element(&statement.phone().map(PhoneNumber::as_stored))?;
        row.serialize_element(&draft.email_blocked_by.map(BlockRule::as_str))?;
        row.serialize_element(&draft.phone_blocked_by.map(BlockRule::as_str))?;
        row.serialize_element(&statement.user().map(|user| hex(user.0)))?;
        row.serialize_element(draft.source.as_str())?;
        row.serialize_element(&received.email)?;
        row.serialize_element(&received.phone)?;
        row.serialize_element(&details.channel.map(Channel::as_str))?;
        row.serialize_element(&details.is_primary)?;
        row.serialize_element(&details.verified_at.map(moment))?;
        row.serialize_element(&metadata_text(&details.metadata))?;
        row.serialize_element(&profile_text(details.profile.as_ref()))?;
        row.serialize_element(&search_text(statement, details.profile.as_ref(), &details.metadata))?;
        row.serialize_element(&draft.import.map(|import| hex(import.0)))?;
        row.serialize_element(&statement.is_self_stated())?;
        row.serialize_element(&draft.claimed_by.map(ClaimedBy::as_str))
    }
}

/// The columns that follow for contacts that were made elsewhere.
const ORIGIN_COLUMNS: [(&str, Kind); 4] = [
    ("origin_hub", Kind::Uuid),
    ("origin_number", Kind::Integer),
    ("created_at", Kind::Time),
    ("updated_at", Kind::Time),
];

/// A row of an import that brings contacts which were made elsewhere; one that was not is made at this moment.
struct OriginRow<'a>(&'a FiledDraft, DateTime<Utc>);

impl Serialize for OriginRow<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let Self(filed, at) = self;
        let (created_at, updated_at) = filed.times.unwrap_or((*at, *at));
        let mut row = serializer.serialize_tuple(COLUMNS.len() + ORIGIN_COLUMNS.len())?;
        Row(filed).write(&mut row)?;
        row.serialize_element(&filed.draft.origin.map(|origin| hex(origin.hub.0)))?;
        row.serialize_element(&filed.draft.origin.map(|origin| origin.number))?;
        row.serialize_element(&moment(created_at))?;
        row.serialize_element(&moment(updated_at))?;
        row.end()
    }
}

/// As sea-orm writes times to SQLite, where they are text.
pub(crate) fn moment(at: DateTime<Utc>) -> String {
    at.to_rfc3339_opts(SecondsFormat::AutoSi, false)
}

/// Both databases read it: SQLite as bytes, PostgreSQL as a UUID.
pub(crate) fn hex(id: Uuid) -> String {
    id.simple().to_string()
}
