//! The store on SQLite and PostgreSQL: one sea-orm implementation of the traits of the service crate and of the sync crate.
//!
//! Where the databases differ, one function asks which of them it is, and the rest of its file is the same for both:
//!
//! - how a connection is set up, and why one cannot be (`connect`, `refusal`, `schema`; `postgres` with `pooled`, and
//!   `sqlite_file`, are for one of them);
//! - how a writing transaction begins, and what the last one says of the storage (`store`, `transaction`; `sqlite_writer`
//!   with its group commit);
//! - that only PostgreSQL has rows to lock: `due_jobs` says so itself, and of the others sea-orm leaves the lock out where
//!   there is none (`customers`, `jobs`, `imports`, `pace`);
//! - that each has words of its own for lists as parameters (`candidates`), numbers of rows that do not exist yet
//!   (`batch`), substrings (`search`), days and the lesser of two values (`sync_log`, `jobs`);
//! - that SQLite without statistics has to be kept from walking through everything (`contact_metadata`).

mod audit;
mod batch;
mod begun;
mod candidates;
mod config;
mod conflicts;
mod connect;
mod contact_metadata;
mod contacts;
mod customer_snapshots;
mod customers;
mod database_url;
mod due_jobs;
mod entities;
mod error;
mod families;
mod idempotency;
mod imports;
mod jobs;
mod links;
mod listed;
mod mapping_rows;
mod mappings;
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
