//! Connectors to other companies' systems, behind the traits of the domain crate.
//!
//! Each has a folder: Ory Kratos reports accounts, MetaKocka keeps partners. OpenPhone will follow. What
//! they share is how a call is made: `http` is the policy of every request, `tls` says whom to trust, `gate`
//! keeps count.

mod breaker;
mod gate;
mod http;
pub mod kratos;
pub mod metakocka;
#[cfg(feature = "testing")]
pub mod testing;
pub mod tls;
