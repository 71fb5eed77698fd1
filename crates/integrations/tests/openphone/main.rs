//! The connector to OpenPhone over real HTTP, against the double.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on should fail")]

mod contract;
mod directory;
mod double;
mod events;
mod failures;
mod pace;
mod pulls;
mod support;
mod writes;
