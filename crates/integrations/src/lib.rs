//! Connectors to other companies' systems, behind the traits of the domain crate.
//!
//! Empty until the first connector arrives: OpenPhone, MetaKocka and Ory Kratos will each have a folder
//! here. The crate exists so that the layering is complete and the programs' dependencies do not change
//! with the first of them.
