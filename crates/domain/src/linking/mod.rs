//! The linking rules: pure functions from statements to customers.
//!
//! `place` holds the rules themselves. `decide` applies them to one statement and what a store knows
//! about it, `resolve` to any number of statements from nothing. Because both ask `place`, they agree.
//! `regroup` works out what is left of one customer when evidence is withdrawn.

mod decide;
mod place;
mod regroup;
mod resolve;
#[cfg(test)]
mod tests;

pub use decide::{Block, LinkPlan, Neighbourhood, NewContact, Outcome, Part, decide, decide_record};
pub(crate) use decide::{Keeping, Surroundings, decide_stored, judge};
pub use regroup::{CustomerPicture, DetailedContact, JoinRecord, RegroupedPart, Regrouping};
pub(crate) use regroup::{keys_of_picture, regroup};
pub use resolve::{Resolution, resolve};
