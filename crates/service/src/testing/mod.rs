//! What tests of stores and of programs need: time and randomness that repeat themselves, and what a store for `identify`
//! has to keep. Behind the feature `testing`, for `[dev-dependencies]` only.

mod clock;

pub use clock::{ManualClock, SeededRandomness, SteppingClock};
