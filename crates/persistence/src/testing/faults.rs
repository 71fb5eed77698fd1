//! Faults of SQLite's storage that need no rights to bring about, on the connection that writes and on those that
//! take its place.

use sea_orm::ConnectionTrait;

use crate::SeaOrmStore;

/// What is the matter with the writer.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum WriterFault {
    /// The file may not grow: `SQLITE_FULL`.
    Full,
    /// `SQLITE_READONLY`.
    ReadOnly,
}

/// Brings a fault about, or takes all of them away.
pub async fn arrange(store: &SeaOrmStore, fault: Option<WriterFault>) {
    // SQLite takes a limit below the present size for that size.
    let pages = if fault == Some(WriterFault::Full) { "1" } else { "4294967294" };
    let query_only = if fault == Some(WriterFault::ReadOnly) { "on" } else { "off" };
    let connection = store.writing_connection();
    let pool = connection.get_sqlite_connection_pool();
    let options = (*pool.connect_options()).clone();
    pool.set_connect_options(options.pragma("max_page_count", pages).pragma("query_only", query_only));
    for pragma in [format!("PRAGMA max_page_count = {pages}"), format!("PRAGMA query_only = {query_only}")] {
        connection.execute_unprepared(&pragma).await.expect("a pragma should be set");
    }
}
