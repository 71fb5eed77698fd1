//! Connectors to other companies' systems, behind the ports of the sync crate (`PartnerDirectory`, `PartnerEventReader`) and of
//! the service crate (`IdentityReader`).
//!
//! Each has a folder: Ory Kratos reports accounts, MetaKocka keeps partners, OpenPhone contacts. What they share is how a call is
//! made: `address` and `credential` say where and in whose name, `reach` keeps it away from the machines of a network that are
//! none of its business, `http` is the policy of every request, `tls` says whom to trust, `gate` keeps count, `turn` and `breaker`
//! say when a call may be made, and `call_error` what a failed one means.

mod address;
mod breaker;
mod call_error;
mod credential;
mod gate;
mod http;
pub mod kratos;
mod listed;
pub mod metakocka;
pub mod openphone;
mod reach;
#[cfg(feature = "testing")]
pub mod testing;
pub mod tls;
mod turn;
