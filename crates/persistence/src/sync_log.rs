//! The log of sync.

use async_trait::async_trait;
use chrono::{DateTime, NaiveDate, NaiveTime, Utc};
use onefold_domain::id::CustomerId;
use onefold_service::store::StoreError;
use onefold_service::system::SyncSystem;
use onefold_sync::log::{LoggedAttempt, SyncAttempt, SyncDay, SyncLogFilter, SyncOutcome};
use onefold_sync::mapping::MappingId;
use onefold_sync::partner::{PartnerField, PartnerId};
use onefold_sync::run::RunId;
use onefold_sync::store::{SyncLogReader, SyncLogRepository};
use sea_orm::sea_query::{Expr, Query};
use sea_orm::{
    ActiveValue::NotSet, ActiveValue::Set, ColumnTrait, ConnectionTrait, DbBackend, DbErr, EntityTrait,
    Order, QueryFilter, QueryOrder, QuerySelect, Select,
};
use uuid::Uuid;

use crate::entities::sync_log::{ActiveModel, Column, Entity, Model};
use crate::error::store_error;
use crate::families::family_of;
use crate::records::known;
use crate::store::{SeaOrmStore, SeaOrmTransaction};
use crate::sync_rows::{external, fault, fault_columns, signed, system, unsigned};

/// Few enough at a time for the parameters that a statement may have.
const PIECE: usize = 1_000;

#[async_trait]
impl SyncLogReader for SeaOrmStore {
    async fn per_day(&self, since: NaiveDate) -> Result<Vec<SyncDay>, StoreError> {
        let backend = self.reader().get_database_backend();
        let counted = days(backend, since).into_tuple().all(self.reader()).await.map_err(store_error)?;
        let days: Result<Vec<_>, _> = counted.into_iter().map(day).collect();
        let mut days = days.map_err(store_error)?;
        // By systems and outcomes as they are declared, which no database knows.
        days.sort_unstable_by_key(|day| (day.date, day.system, day.outcome));
        Ok(days)
    }

    async fn list(
        &self,
        filter: &SyncLogFilter,
        before: Option<i64>,
        limit: usize,
    ) -> Result<Vec<LoggedAttempt>, StoreError> {
        let family = match filter.customer {
            Some(customer) => Some(family_of(self.reader(), customer).await?),
            None => None,
        };
        let list = newest(filter, family.as_deref(), before, limit);
        let found = list.all(self.reader()).await.map_err(store_error)?;
        found.into_iter().map(logged).collect::<Result<_, _>>().map_err(store_error)
    }

    async fn skipped(
        &self,
        system: SyncSystem,
        externals: &[PartnerId],
    ) -> Result<Vec<PartnerId>, StoreError> {
        let mut skipped = Vec::new();
        for externals in externals.chunks(PIECE) {
            let found = of_skipped(system, externals).into_tuple().all(self.reader()).await;
            let found: Vec<Option<String>> = found.map_err(store_error)?;
            for id in found {
                skipped.extend(external(id).map_err(store_error)?);
            }
        }
        Ok(skipped)
    }
}

#[async_trait]
impl SyncLogRepository for SeaOrmTransaction {
    async fn append(&mut self, attempts: &[SyncAttempt]) -> Result<(), StoreError> {
        for attempts in attempts.chunks(PIECE) {
            Entity::insert_many(attempts.iter().map(row))
                .exec_without_returning(self.connection()?)
                .await
                .map_err(store_error)?;
        }
        Ok(())
    }

    async fn forget_before(&mut self, moment: DateTime<Utc>, limit: usize) -> Result<(), StoreError> {
        // Neither database has a limit for what is deleted.
        let old = Query::select()
            .column(Column::Id)
            .from(Entity)
            .and_where(Column::HappenedAt.lt(moment))
            .order_by(Column::HappenedAt, Order::Asc)
            .limit(limit as u64)
            .to_owned();
        Entity::delete_many()
            .filter(Column::Id.in_subquery(old))
            .exec(self.connection()?)
            .await
            .map_err(store_error)?;
        Ok(())
    }
}

/// The customer of the filter, if it has one, is given as its family. As ids and not as a subquery: then a database knows
/// that they are few, and starts from their index. A subquery it would take for so many that it would rather read the
/// log from its end, in search of a page.
fn newest(
    filter: &SyncLogFilter,
    family: Option<&[Uuid]>,
    before: Option<i64>,
    limit: usize,
) -> Select<Entity> {
    let mut list = Entity::find().order_by_desc(Column::Id).limit(limit as u64);
    if let Some(before) = before {
        list = list.filter(Column::Id.lt(before));
    }
    if let Some(family) = family {
        list = list.filter(Column::CustomerId.is_in(family.iter().copied()));
    }
    if let Some(system) = filter.system {
        list = list.filter(Column::System.eq(system.as_str()));
    }
    if let Some(mapping) = filter.mapping {
        list = list.filter(Column::MappingId.eq(mapping.0));
    }
    if let Some(outcome) = filter.outcome {
        list = list.filter(Column::Outcome.eq(outcome.as_str()));
    }
    list
}

fn of_skipped(system: SyncSystem, externals: &[PartnerId]) -> Select<Entity> {
    Entity::find()
        .select_only()
        .column(Column::ExternalId)
        .distinct()
        // Not a parameter: the index has these rows only, and no database could tell that it is enough.
        .filter(Expr::cust("outcome = 'skipped'"))
        .filter(Column::System.eq(system.as_str()))
        .filter(Column::ExternalId.is_in(externals.iter().map(PartnerId::as_str)))
}

/// Day, system, outcome, and the numbers of attempts: all, those that wrote there, those that wrote here.
type Counted = (NaiveDate, String, String, i64, i64, i64);

fn days(backend: DbBackend, since: NaiveDate) -> Select<Entity> {
    // SQLite's texts are in UTC; what PostgreSQL shows is in the time zone of its session.
    let day = Expr::cust(match backend {
        DbBackend::Sqlite => "date(happened_at)",
        _ => "CAST(happened_at AT TIME ZONE 'UTC' AS date)",
    });
    Entity::find()
        .select_only()
        .column_as(day.clone(), "day")
        .column(Column::System)
        .column(Column::Outcome)
        .column_as(Column::Id.count(), "attempts")
        .column_as(Expr::cust("COUNT(*) FILTER (WHERE pushed <> '[]')"), "attempts_pushed")
        .column_as(Expr::cust("COUNT(*) FILTER (WHERE pulled <> '[]')"), "attempts_pulled")
        .filter(Column::HappenedAt.gte(since.and_time(NaiveTime::MIN).and_utc()))
        .group_by(day)
        .group_by(Column::System)
        .group_by(Column::Outcome)
}

fn day((date, of_system, outcome, attempts, pushed, pulled): Counted) -> Result<SyncDay, DbErr> {
    Ok(SyncDay {
        date,
        system: system(&of_system)?,
        outcome: known(SyncOutcome::parse(&outcome), "outcome")?,
        attempts: unsigned(attempts),
        pushed: unsigned(pushed),
        pulled: unsigned(pulled),
    })
}

fn logged(model: Model) -> Result<LoggedAttempt, DbErr> {
    let attempt = SyncAttempt {
        at: model.happened_at,
        system: system(&model.system)?,
        mapping: model.mapping_id.map(MappingId),
        customer: model.customer_id.map(CustomerId),
        external: external(model.external_id)?,
        run: model.run_id.map(RunId),
        by: model.actor,
        outcome: known(SyncOutcome::parse(&model.outcome), "outcome")?,
        pushed: fields(&model.pushed)?,
        pulled: fields(&model.pulled)?,
        error: fault(model.error_code, model.error_message),
        took_ms: unsigned(model.took_ms),
    };
    Ok(LoggedAttempt { number: model.id, attempt })
}

fn row(attempt: &SyncAttempt) -> ActiveModel {
    let (error_code, error_message) = fault_columns(attempt.error.as_ref());
    ActiveModel {
        id: NotSet,
        happened_at: Set(attempt.at),
        system: Set(attempt.system.as_str().to_owned()),
        mapping_id: Set(attempt.mapping.map(|mapping| mapping.0)),
        customer_id: Set(attempt.customer.map(|customer| customer.0)),
        external_id: Set(attempt.external.as_ref().map(|external| external.as_str().to_owned())),
        run_id: Set(attempt.run.map(|run| run.0)),
        actor: Set(attempt.by.clone()),
        outcome: Set(attempt.outcome.as_str().to_owned()),
        pushed: Set(names(&attempt.pushed)),
        pulled: Set(names(&attempt.pulled)),
        error_code: Set(error_code),
        error_message: Set(error_message),
        took_ms: Set(signed(attempt.took_ms)),
    }
}

/// Names that only a later version knows are left out.
fn fields(text: &str) -> Result<Vec<PartnerField>, DbErr> {
    let names: Option<Vec<String>> = serde_json::from_str(text).ok();
    let names = known(names, "list of fields")?;
    Ok(names.iter().filter_map(|name| PartnerField::parse(name)).collect())
}

fn names(fields: &[PartnerField]) -> String {
    let names: Vec<_> = fields.iter().map(|field| field.as_str()).collect();
    serde_json::json!(names).to_string()
}

#[cfg(all(test, feature = "testing"))]
mod tests {
    use chrono::TimeDelta;
    use onefold_service::system::SyncSystem;
    use sea_orm::{ConnectionTrait, QueryTrait};

    use onefold_sync::store::SyncStore;

    use super::*;
    use crate::testing::TestDatabase;

    /// Ten attempts of each of these.
    const CUSTOMERS: u128 = 400;

    fn attempt(number: u128) -> SyncAttempt {
        let hours = i64::try_from(number).expect("a small number");
        SyncAttempt {
            at: DateTime::default() + TimeDelta::hours(hours),
            system: SyncSystem::ALL[hours as usize % 2],
            mapping: None,
            customer: Some(CustomerId(Uuid::from_u128(number % CUSTOMERS))),
            external: None,
            run: None,
            by: "program".to_owned(),
            outcome: SyncOutcome::Updated,
            pushed: Vec::new(),
            pulled: Vec::new(),
            error: None,
            took_ms: 0,
        }
    }

    async fn fill(store: &SeaOrmStore) {
        let attempts: Vec<_> = (0..10 * CUSTOMERS).map(attempt).collect();
        let mut transaction = store.begin_sync().await.expect("a transaction");
        transaction.sync_log().append(&attempts).await.expect("appended");
        transaction.commit().await.expect("a commit");
    }

    /// Each line of the database's plans for the log of a customer, for a page of it, and for the last ten days.
    async fn plans(store: &SeaOrmStore, explain: &str, column: usize) -> [Vec<String>; 3] {
        let connection = store.reader();
        let backend = connection.get_database_backend();
        let (all, [one, other]) = (SyncLogFilter::default(), [7, 8].map(Uuid::from_u128));
        let since = attempt(10 * CUSTOMERS - 240).at.date_naive();
        let mut plans = [const { Vec::new() }; 3];
        for (lines, mut statement) in plans.iter_mut().zip([
            newest(&all, Some(&[one]), None, 50).build(backend),
            newest(&all, Some(&[one, other]), Some(3_000), 50).build(backend),
            days(backend, since).build(backend),
        ]) {
            statement.sql.insert_str(0, explain);
            let rows = connection.query_all_raw(statement).await.expect("a plan");
            lines.extend(
                rows.iter().map(|row| row.try_get_by_index::<String>(column).expect("a line of text")),
            );
        }
        plans
    }

    #[tokio::test]
    async fn sqlite_walks_indexes_of_the_log() {
        let database = TestDatabase::sqlite();
        fill(&database.store().await).await;
        for statistics in [false, true] {
            if statistics {
                database.query("ANALYZE").await;
            }
            let [list, page, days] = plans(&database.store().await, "EXPLAIN QUERY PLAN ", 3).await;
            assert_eq!(list, ["SEARCH sync_log USING INDEX sync_log_customer (customer_id=?)"]);
            assert!(page[0].contains("sync_log_customer (customer_id=? AND id<?)"), "{page:#?}");
            assert!(days[0].contains("sync_log_time (happened_at>?)"), "{days:#?}");
        }
    }

    /// Every comparison asks, of each record that cannot come in.
    #[tokio::test]
    async fn what_was_skipped_is_found_by_an_index_of_its_own() {
        let database = TestDatabase::sqlite();
        let store = database.store().await;
        fill(&store).await;
        let ids: Vec<_> = (1..4).filter_map(|id| PartnerId::parse(&id.to_string()).ok()).collect();
        let mut statement = of_skipped(SyncSystem::MetaKocka, &ids).build(DbBackend::Sqlite);
        statement.sql.insert_str(0, "EXPLAIN QUERY PLAN ");
        let rows = store.reader().query_all_raw(statement).await.expect("a plan");
        let lines: Vec<String> =
            rows.iter().map(|row| row.try_get_by_index(3).expect("a line of text")).collect();
        assert!(lines[0].contains("sync_log_skipped (external_id=? AND system=?)"), "{lines:#?}");
    }

    #[tokio::test]
    async fn postgres_walks_indexes_of_the_log() {
        let database = TestDatabase::postgres().await;
        fill(&database.store().await).await;
        for statistics in [false, true] {
            if statistics {
                database.query("ANALYZE").await;
            }
            let [list, page, days] = plans(&database.store().await, "EXPLAIN ", 0).await;
            let walks = |lines: &[String], by: &str| {
                lines.iter().any(|line| line.contains("Index Cond") && line.contains(by))
            };
            assert!(walks(&list, "(customer_id = "), "{list:#?}");
            assert!(walks(&page, "(customer_id = ANY"), "{page:#?}");
            assert!(walks(&page, "(id < "), "{page:#?}");
            assert!(walks(&days, "(happened_at >= "), "{days:#?}");
        }
    }
}
