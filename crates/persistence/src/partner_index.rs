//! What was seen of records elsewhere. A record is one row, with its values as they came; what it can be found by are
//! rows of their own, which go with it.

use std::borrow::Cow;
use std::collections::{BTreeSet, HashMap};

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use onefold_domain::email::EmailAddress;
use onefold_domain::phone::PhoneNumber;
use onefold_service::store::StoreError;
use onefold_service::system::SyncSystem;
use onefold_sync::partner::{IndexedPartner, PartnerId, PartnerLookup};
use onefold_sync::store::{PartnerIndexReader, PartnerIndexRepository};
use sea_orm::sea_query::OnConflict;
use sea_orm::{
    ActiveValue::Set, ColumnTrait, DbErr, EntityTrait, QueryFilter, QueryOrder, QuerySelect, Select,
};

use crate::batch;
use crate::entities::partner_index::{ActiveModel, Column, Entity, Model};
use crate::entities::{partner_key, partner_scan};
use crate::error::store_error;
use crate::records::known;
use crate::store::{SeaOrmStore, SeaOrmTransaction};

/// Few enough at a time for the parameters that a statement may have.
const PIECE: usize = 1_000;

const EMAIL: &str = "email";
const PHONE: &str = "phone";

/// What a record is found by: the kind of the value, and the value.
type Key<'a> = (&'static str, Cow<'a, str>);

#[async_trait]
impl PartnerIndexReader for SeaOrmStore {
    async fn find(
        &self,
        system: SyncSystem,
        lookup: &PartnerLookup,
        limit: usize,
    ) -> Result<Vec<PartnerId>, StoreError> {
        let Some(key) = looked_up(lookup) else { return Ok(Vec::new()) };
        let with_key: Vec<String> =
            found_by(system, &key, limit).into_tuple().all(self.reader()).await.map_err(store_error)?;
        with_key.iter().map(|id| partner_id(id)).collect::<Result<_, _>>().map_err(store_error)
    }

    async fn of(&self, system: SyncSystem, ids: &[PartnerId]) -> Result<Vec<IndexedPartner>, StoreError> {
        let mut found = Vec::new();
        for ids in ids.chunks(PIECE) {
            found.extend(of_these(system, ids).all(self.reader()).await.map_err(store_error)?);
        }
        found.iter().map(partner).collect::<Result<_, _>>().map_err(store_error)
    }

    async fn scanned_at(&self, system: SyncSystem) -> Result<Option<DateTime<Utc>>, StoreError> {
        let scan = partner_scan::Entity::find_by_id(system.as_str()).one(self.reader()).await;
        Ok(scan.map_err(store_error)?.map(|scan| scan.scanned_at))
    }
}

#[async_trait]
impl PartnerIndexRepository for SeaOrmTransaction {
    async fn put(
        &mut self,
        system: SyncSystem,
        partners: &[IndexedPartner],
        at: DateTime<Utc>,
    ) -> Result<(), StoreError> {
        // Numbered before they are sorted: they are seen in the caller's order, and locked in one for everybody, so that
        // no two wait for each other.
        let numbers = batch::reserve_ids(self.connection()?, "partner_index", partners.len()).await?;
        let mut numbered: Vec<_> = numbers.into_iter().zip(partners).collect();
        numbered.sort_unstable_by(|(_, one), (_, other)| one.id.cmp(&other.id));
        for partners in numbered.chunks(PIECE) {
            let rows = partners.iter().map(|(number, partner)| row(system, *number, partner, at));
            let numbers = self.put_rows(rows.collect()).await?;
            let mut keys = Vec::new();
            for (_, partner) in partners {
                let number = known(numbers.get(partner.id.as_str()), "record").map_err(store_error)?;
                keys.extend(key_rows(system, *number, partner));
            }
            self.put_keys(numbers.into_values().collect(), keys).await?;
        }
        Ok(())
    }

    async fn remove(&mut self, system: SyncSystem, id: &PartnerId) -> Result<(), StoreError> {
        Entity::delete_many()
            .filter(Column::System.eq(system.as_str()))
            .filter(Column::ExternalId.eq(id.as_str()))
            .exec(self.connection()?)
            .await
            .map_err(store_error)?;
        Ok(())
    }

    async fn note_scan(&mut self, system: SyncSystem, at: DateTime<Utc>) -> Result<(), StoreError> {
        use partner_scan::Column;
        let instead = OnConflict::column(Column::System).update_column(Column::ScannedAt).to_owned();
        let scan = partner_scan::ActiveModel { system: Set(system.as_str().to_owned()), scanned_at: Set(at) };
        partner_scan::Entity::insert(scan)
            .on_conflict(instead)
            .exec_without_returning(self.connection()?)
            .await
            .map_err(store_error)?;
        Ok(())
    }
}

impl SeaOrmTransaction {
    /// Puts records in place of what was known of them, and locks them. Says which number each has: one that was known
    /// keeps its own.
    async fn put_rows(&self, rows: Vec<ActiveModel>) -> Result<HashMap<String, i64>, StoreError> {
        let instead = OnConflict::columns([Column::System, Column::ExternalId])
            .update_columns([Column::Emails, Column::Phones, Column::ChangedAt, Column::UpdatedAt])
            .to_owned();
        let stored = Entity::insert_many(rows)
            .on_conflict(instead)
            .exec_with_returning(self.connection()?)
            .await
            .map_err(store_error)?;
        Ok(stored.into_iter().map(|model| (model.external_id, model.id)).collect())
    }

    /// Puts keys in place of all that these records had. The records are locked, so nobody else puts theirs meanwhile.
    async fn put_keys(
        &self,
        numbers: Vec<i64>,
        keys: Vec<partner_key::ActiveModel>,
    ) -> Result<(), StoreError> {
        let connection = self.connection()?;
        partner_key::Entity::delete_many()
            .filter(partner_key::Column::PartnerId.is_in(numbers))
            .exec(connection)
            .await
            .map_err(store_error)?;
        for keys in keys.chunks(PIECE) {
            partner_key::Entity::insert_many(keys.iter().cloned())
                .exec_without_returning(connection)
                .await
                .map_err(store_error)?;
        }
        Ok(())
    }
}

/// The ids of those with this key, in the order of the index that is walked.
fn found_by(system: SyncSystem, (kind, value): &Key<'_>, limit: usize) -> Select<partner_key::Entity> {
    use partner_key::Column;
    partner_key::Entity::find()
        .select_only()
        .column(Column::ExternalId)
        .filter(Column::System.eq(system.as_str()))
        .filter(Column::Kind.eq(*kind))
        .filter(Column::Value.eq(value.as_ref()))
        .order_by_asc(Column::PartnerId)
        .limit(limit as u64)
}

fn of_these(system: SyncSystem, ids: &[PartnerId]) -> Select<Entity> {
    Entity::find()
        .filter(Column::System.eq(system.as_str()))
        .filter(Column::ExternalId.is_in(ids.iter().map(PartnerId::as_str)))
}

fn looked_up(lookup: &PartnerLookup) -> Option<Key<'_>> {
    match lookup {
        PartnerLookup::Email(email) => Some(email_key(email)),
        PartnerLookup::Phone(phone) => Some(phone_key(phone)),
        PartnerLookup::TaxNumber(_) | PartnerLookup::Name(_) => None,
    }
}

fn email_key(email: &EmailAddress) -> Key<'_> {
    (EMAIL, Cow::Borrowed(email.as_str()))
}

fn phone_key(phone: &PhoneNumber) -> Key<'_> {
    (PHONE, phone.match_key())
}

/// Numbers that are the same share a key, so there may be fewer than values.
fn key_rows(system: SyncSystem, number: i64, partner: &IndexedPartner) -> Vec<partner_key::ActiveModel> {
    let emails = partner.emails.iter().map(email_key);
    let keys: BTreeSet<_> = emails.chain(partner.phones.iter().map(phone_key)).collect();
    let row = |(kind, value): Key<'_>| partner_key::ActiveModel {
        system: Set(system.as_str().to_owned()),
        kind: Set(kind.to_owned()),
        value: Set(value.into_owned()),
        partner_id: Set(number),
        external_id: Set(partner.id.as_str().to_owned()),
    };
    keys.into_iter().map(row).collect()
}

fn row(system: SyncSystem, number: i64, partner: &IndexedPartner, at: DateTime<Utc>) -> ActiveModel {
    ActiveModel {
        id: Set(number),
        system: Set(system.as_str().to_owned()),
        external_id: Set(partner.id.as_str().to_owned()),
        emails: Set(array(partner.emails.iter().map(EmailAddress::as_str))),
        phones: Set(array(partner.phones.iter().map(PhoneNumber::as_stored))),
        changed_at: Set(partner.changed_at),
        updated_at: Set(at),
    }
}

fn partner(model: &Model) -> Result<IndexedPartner, DbErr> {
    Ok(IndexedPartner {
        id: partner_id(&model.external_id)?,
        emails: texts(&model.emails)?.into_iter().map(EmailAddress::from_canonical).collect(),
        phones: texts(&model.phones)?.into_iter().map(PhoneNumber::from_canonical).collect(),
        changed_at: model.changed_at,
    })
}

fn partner_id(text: &str) -> Result<PartnerId, DbErr> {
    known(PartnerId::parse(text).ok(), "id of another system")
}

fn array<'a>(texts: impl Iterator<Item = &'a str>) -> String {
    serde_json::json!(texts.collect::<Vec<_>>()).to_string()
}

fn texts(array: &str) -> Result<Vec<String>, DbErr> {
    known(serde_json::from_str(array).ok(), "list of values")
}

#[cfg(all(test, feature = "testing"))]
mod tests {
    use sea_orm::{ConnectionTrait, QueryTrait};

    use super::*;
    use crate::testing::TestDatabase;

    /// Each line of the database's plans for the look-ups of this file.
    async fn plans(store: &SeaOrmStore, explain: &str, column: usize) -> Vec<String> {
        let system = SyncSystem::OpenPhone;
        let id = PartnerId::parse("1").expect("an id");
        let connection = store.reader();
        let backend = connection.get_database_backend();
        let mut lines = Vec::new();
        for mut statement in [
            found_by(system, &(PHONE, Cow::Borrowed("1")), 20).build(backend),
            of_these(system, &[id]).build(backend),
        ] {
            statement.sql.insert_str(0, explain);
            let rows = connection.query_all_raw(statement).await.expect("a plan");
            lines.extend(
                rows.iter().map(|row| row.try_get_by_index::<String>(column).expect("a line of text")),
            );
        }
        lines
    }

    #[tokio::test]
    async fn sqlite_walks_one_index_for_each_look_up() {
        let database = TestDatabase::sqlite();
        let lines = plans(&database.store().await, "EXPLAIN QUERY PLAN ", 3).await;
        assert_eq!(lines.len(), 2, "nothing is sorted: {lines:#?}");
        assert!(lines[0].contains("(system=? AND kind=? AND value=?)"), "{lines:#?}");
        assert!(lines[1].contains("partner_index_record (system=? AND external_id=?)"), "{lines:#?}");
    }

    #[tokio::test]
    async fn postgres_walks_one_index_for_each_look_up() {
        let database = TestDatabase::postgres().await;
        let lines = plans(&database.store().await, "EXPLAIN ", 0).await;
        let condition = |line: &&String| line.contains("Index Cond");
        let walked: Vec<_> = lines.iter().filter(condition).collect();
        assert_eq!(walked.len(), 2, "{lines:#?}");
        assert!(walked[0].contains("(value = "), "{lines:#?}");
        assert!(walked[1].contains("(external_id = "), "{lines:#?}");
        assert!(!lines.iter().any(|line| line.contains("Sort")), "{lines:#?}");
    }
}
