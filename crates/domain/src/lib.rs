#![doc = include_str!("../README.md")]

mod clock;
mod contact;
mod customer;
mod email;
mod identify;
mod link_key;
mod linking;
mod memory;
mod phone;
mod policy;
mod store;
mod text;

pub use clock::{Clock, Randomness, SystemClock, SystemRandomness};
pub use contact::{ContactDraft, ContactId, ContactSource, KnownContact, Received, Statement, UserId};
pub use customer::{CustomerId, CustomerSummary, KnownCustomer};
pub use email::{EmailAddress, InvalidEmail};
pub use identify::{Identified, Identify, IdentifyError, IdentifyRequest, Patience};
pub use link_key::{KeyKind, LinkKey, StatementKeys};
pub use linking::{Block, LinkPlan, Neighbourhood, NewContact, Outcome, Part, Resolution, decide, resolve};
pub use memory::MemoryStore;
pub use phone::{InvalidPhone, PhoneNumber, Region};
pub use policy::{BlockRule, InvalidPolicy, LinkPolicy, SHIPPED_POLICY};
pub use store::{
    ContactRepository, CustomerRepository, LinkDraft, LinkRepository, Source, Store, StoreError, Transaction,
};
