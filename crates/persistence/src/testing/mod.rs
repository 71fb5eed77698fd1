//! Real databases for tests, here and in the crates above: an SQLite file or a database in a
//! throw-away PostgreSQL server, each for one test. Behind the feature `testing`, for
//! `[dev-dependencies]` only. Everything here panics when it cannot do its work, for a test cannot go
//! on then either.

#![expect(clippy::expect_used, reason = "a test that lacks its database should say so and fail")]

mod cluster;
mod database;
mod faults;
mod invariants;
mod small_disk;

pub use cluster::PostgresCluster;
pub use database::{TestDatabase, count};
pub use faults::{WriterFault, arrange};
pub use invariants::{assert_invariants, broken_invariants};
pub use small_disk::SmallDisk;
