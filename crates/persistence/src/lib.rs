//! The store of the domain crate on SQLite and PostgreSQL: one sea-orm implementation of its traits.
//!
//! The databases differ in three places only: how a connection is set up (`connect`), how a writing
//! transaction begins (`store`, with the group commit of `sqlite_writer`), and that only PostgreSQL
//! has rows to lock (`customers`).

mod audit;
mod batch;
mod config;
mod connect;
mod contacts;
mod customer_pictures;
mod customers;
mod entities;
mod error;
mod idempotency;
mod imports;
mod links;
mod neighbourhood;
mod records;
mod search;
mod sqlite_writer;
mod store;
#[cfg(feature = "testing")]
pub mod testing;
mod tokens;
mod users;

pub use config::{Config, DatabaseUrl, InvalidDatabaseUrl};
pub use error::ConnectError;
pub use store::{PoolStatus, SeaOrmStore};
