//! The store of the domain crate on SQLite and PostgreSQL: one sea-orm implementation of its traits.
//!
//! The databases differ in three places only: how a connection is set up (`connect`, and `postgres` with
//! `pooled`), how a writing transaction begins (`transaction`, with the group commit of `sqlite_writer`), and that
//! only PostgreSQL has rows to lock (`customers`).

mod audit;
mod batch;
mod begun;
mod config;
mod conflicts;
mod connect;
mod contact_metadata;
mod contacts;
mod customer_pictures;
mod customers;
mod database_url;
mod due_jobs;
mod entities;
mod error;
mod idempotency;
mod imports;
mod jobs;
mod links;
mod listed;
mod mapping_rows;
mod mappings;
mod neighbourhood;
mod origins;
mod pace;
mod partner_index;
mod pooled;
mod postgres;
mod reader;
mod records;
mod refusal;
mod runs;
mod schema;
mod search;
mod sqlite_file;
mod sqlite_writer;
mod store;
mod sync_log;
mod sync_rows;
mod sync_rules;
#[cfg(feature = "testing")]
pub mod testing;
mod tokens;
mod transaction;
mod untold;
mod users;
mod watched;
mod write_health;
mod write_probe;

pub use config::{Config, Pooler};
pub use database_url::{DatabaseUrl, InvalidDatabaseUrl};
pub use error::ConnectError;
pub use store::{PoolStatus, SeaOrmStore};
