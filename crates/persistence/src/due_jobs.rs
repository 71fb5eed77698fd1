//! Which job is taken next. Of one kind at most one is at work, also with many workers:
//!
//! - Two workers do not take the same row: the one who looks locks it, the other skips what is locked, and what was
//!   taken and committed meanwhile is judged again by its new state.
//! - Nor do they take two rows of one kind. At most one of them waits (`job_waiting`). It is passed over while another
//!   one runs, even if that one's lease has run out: its owner may be alive and extend it, so that one is taken
//!   over first, and is due itself. What this statement cannot see, since it reads what was committed before it
//!   began, ends at `job_running`, by which a kind runs once: the update fails, and the worker starts over.

use chrono::{DateTime, Utc};
use onefold_sync::job::JobKind;
use sea_orm::sea_query::Value;
use sea_orm::{DbBackend, Statement};

/// Walks those that are not dead in their order. The condition on that is part of the text, or the partial index would
/// not be used; and as two alternatives instead of `CASE` SQLite would look up all of both and sort them. A job that
/// runs was due once: the bound on `not_before` loses none and keeps the walk from all that wait for a later time.
const DUE: &str = "
SELECT j.* FROM job j WHERE j.status <> 'dead' AND j.not_before <= $1 AND CASE j.status
WHEN 'waiting' THEN NOT EXISTS (SELECT 1 FROM job r WHERE r.job_key = j.job_key AND r.status = 'running')
ELSE j.lease_until <= $1 END";

const THIS_KIND: &str = " AND j.job_key = $2";

const OLDEST: &str = " ORDER BY j.not_before, j.id LIMIT 1";

const LOCKED: &str = " FOR UPDATE OF j SKIP LOCKED";

pub(crate) fn oldest(backend: DbBackend, only: Option<&JobKind>, now: DateTime<Utc>) -> Statement {
    let mut sql = DUE.to_owned();
    let mut values: Vec<Value> = vec![now.into()];
    if let Some(only) = only {
        sql.push_str(THIS_KIND);
        values.push(only.key().into());
    }
    sql.push_str(OLDEST);
    // SQLite has one writer at a time and no rows to lock.
    if backend != DbBackend::Sqlite {
        sql.push_str(LOCKED);
    }
    Statement::from_sql_and_values(backend, sql, values)
}

#[cfg(all(test, feature = "testing"))]
mod tests {
    use onefold_service::system::SyncSystem;
    use sea_orm::ConnectionTrait;

    use super::*;
    use crate::SeaOrmStore;
    use crate::testing::TestDatabase;

    const ONLY: Option<&JobKind> = Some(&JobKind::Compare(SyncSystem::MetaKocka));

    /// Each line of the database's plan. Of one that sorts it would look at all that are due to take one.
    async fn plan(store: &SeaOrmStore, only: Option<&JobKind>, explain: &str, column: usize) -> Vec<String> {
        let connection = store.reader();
        let mut statement = oldest(connection.get_database_backend(), only, DateTime::default());
        statement.sql.insert_str(0, explain);
        let rows = connection.query_all_raw(statement).await.expect("a plan");
        rows.iter().map(|row| row.try_get_by_index(column).expect("a line of text")).collect()
    }

    #[tokio::test]
    async fn sqlite_walks_the_jobs_in_their_order() {
        let database = TestDatabase::sqlite();
        let store = database.store().await;
        let lines = plan(&store, None, "EXPLAIN QUERY PLAN", 3).await;
        assert!(lines.iter().any(|line| line.contains("job_due (not_before<")), "{lines:#?}");
        assert!(lines.iter().any(|line| line.contains("job_running (job_key=")), "{lines:#?}");
        assert!(!lines.iter().any(|line| line.contains("B-TREE")), "{lines:#?}");
        let lines = plan(&store, ONLY, "EXPLAIN QUERY PLAN", 3).await;
        assert!(lines.iter().any(|line| line.contains("job_kind (job_key=")), "{lines:#?}");
    }

    #[tokio::test]
    async fn postgres_walks_the_jobs_in_their_order() {
        let database = TestDatabase::postgres().await;
        let store = database.store().await;
        let lines = plan(&store, None, "EXPLAIN", 0).await;
        assert!(lines.iter().any(|line| line.contains("job_due")), "{lines:#?}");
        assert!(!lines.iter().any(|line| line.contains("Seq Scan")), "{lines:#?}");
        let lines = plan(&store, ONLY, "EXPLAIN", 0).await;
        assert!(lines.iter().any(|line| line.contains("job_kind")), "{lines:#?}");
    }
}
