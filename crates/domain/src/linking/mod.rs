//! The linking rules: pure functions from statements to customers.
//!
//! `find_match` holds the rules themselves. `decide` applies them to one statement and what a store knows
//! about it, `resolve` to any number of statements from nothing, `lay` to stored evidence with its verifications.
//! Because all ask `find_match`, they agree. `arrange` works out what a store has to write so that it holds what was laid.

mod arrange;
mod decide;
mod evidence;
mod lay;
mod matching;
mod resolve;
mod verified;

pub use arrange::{Arrangement, arrange};
pub use decide::{Candidates, LinkPlan, NewContact, Outcome, decide, decide_record};
pub use decide::{Keeping, Surroundings, decide_stored, judge, judge_join};
pub use evidence::{CustomerSnapshot, DetailedContact, JoinRecord};
pub use lay::lay_part;
pub use lay::{LaidGroup, Layout, lay};
pub use resolve::{Resolution, resolve};
pub use verified::Verified;
