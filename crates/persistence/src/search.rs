//! Finding contacts by pieces of their text: an index of pieces of three letters on both databases.
//!
//! SQL of our own, since the two indexes are asked in two languages. Either only narrows down; the text
//! itself is compared in the same statement.

use onefold_domain::id::{ContactId, CustomerId};
use onefold_service::search::SearchQuery;
use onefold_service::store::StoreError;
use sea_orm::sea_query::Value;
use sea_orm::{ConnectionTrait, DbBackend, DbErr, QueryResult, Statement};

use crate::error::store_error;

pub(crate) async fn find(
    connection: &impl ConnectionTrait,
    query: &SearchQuery,
    after: Option<ContactId>,
    limit: usize,
) -> Result<Vec<(ContactId, CustomerId)>, StoreError> {
    let statement = statement(connection.get_database_backend(), query, after, limit);
    let rows = connection.query_all_raw(statement).await.map_err(store_error)?;
    rows.iter().map(found).collect::<Result<_, _>>().map_err(store_error)
}

fn statement(backend: DbBackend, query: &SearchQuery, after: Option<ContactId>, limit: usize) -> Statement {
    let mut values: Vec<Value> = vec![after.map_or(0, |id| id.0).into(), (limit as i64).into()];
    let mut conditions = String::new();
    for term in query.terms() {
        values.push(pattern(term).into());
        conditions.push_str(&format!(" AND c.search LIKE ${} ESCAPE '\\'", values.len()));
    }
    let from = match backend {
        DbBackend::Sqlite => {
            values.push(pieces(query).into());
            format!(
                "contact_search s CROSS JOIN contact c ON c.id = s.rowid \
                 JOIN customer m ON m.id = c.customer_id WHERE contact_search MATCH ${} AND s.rowid > $1",
                values.len()
            )
        }
        _ => "contact c JOIN customer m ON m.id = c.customer_id WHERE c.id > $1".to_owned(),
    };
    let sql = format!("SELECT c.id, m.root_id FROM {from}{conditions} ORDER BY c.id LIMIT $2");
    Statement::from_sql_and_values(backend, sql, values)
}

/// What `LIKE` compares, its own signs taken literally.
fn pattern(term: &str) -> String {
    let mut pattern = String::from("%");
    for letter in term.chars() {
        if matches!(letter, '%' | '_' | '\\') {
            pattern.push('\\');
        }
        pattern.push(letter);
    }
    pattern.push('%');
    pattern
}

/// Every piece of three letters of every word, all of which a line must have. Words that are shorter have
/// none; the query has at least one that is not.
fn pieces(query: &SearchQuery) -> String {
    let mut pieces: Vec<String> = query
        .terms()
        .iter()
        .flat_map(|term| {
            let letters: Vec<char> = term.chars().collect();
            letters
                .windows(SearchQuery::SHORTEST)
                .map(|piece| piece.iter().collect())
                .collect::<Vec<String>>()
        })
        .map(|piece| format!("\"{}\"", piece.replace('"', "\"\"")))
        .collect();
    pieces.sort_unstable();
    pieces.dedup();
    pieces.join(" AND ")
}

fn found(row: &QueryResult) -> Result<(ContactId, CustomerId), DbErr> {
    Ok((ContactId(row.try_get_by_index(0)?), CustomerId(row.try_get_by_index(1)?)))
}
