//! The connector to MetaKocka over real HTTP: against the double, and with samples of the contract.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on should fail")]

mod double;
mod failures;
mod pace;
mod pulls;
mod reads;
mod samples;
mod support;
mod writes;
