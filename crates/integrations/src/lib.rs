//! Connectors to other companies' systems, behind the traits of the domain crate.
//!
//! Each has a folder: Ory Kratos reports accounts. OpenPhone and MetaKocka will follow.

pub mod kratos;
