//! What tests of stores and of programs need: time and randomness that repeat themselves, and what a store for `identify`
//! has to keep. Behind the feature `testing`, for `[dev-dependencies]` only.

#![expect(clippy::expect_used, reason = "a check that cannot go on should say why")]

mod clock;
mod identify;

pub use clock::{ManualClock, SeededRandomness, SteppingClock};
pub use identify::check_identify_store;
