//! The linking rules: pure functions from statements to customers.
//!
//! `place` holds the rules themselves. `decide` applies them to one statement and what a store knows
//! about it, `resolve` to any number of statements from nothing. Because both ask `place`, they agree.

mod decide;
mod place;
mod resolve;
#[cfg(test)]
mod tests;

pub use decide::{Block, LinkPlan, Neighbourhood, NewContact, Outcome, Part, decide};
pub use resolve::{Resolution, resolve};
