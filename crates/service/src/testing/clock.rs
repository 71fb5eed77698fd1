//! Time and randomness that repeat themselves, so that a test gets the same answers every time.

use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};
use std::time::Duration;

use crate::clock::{Clock, NoRandomness, Randomness};
use chrono::{DateTime, TimeDelta, Utc};
use uuid::{Builder, Uuid};

/// 2026-01-01T00:00:00Z, where the clocks of tests start.
const START: i64 = 1_767_225_600;

/// A clock that moves on by the same step each time it is asked.
#[derive(Debug)]
pub struct SteppingClock {
    step: TimeDelta,
    asked: AtomicU64,
}

impl SteppingClock {
    /// Starts at 2026-01-01T00:00:00Z.
    #[must_use]
    pub fn new(step: TimeDelta) -> Self {
        Self { step, asked: AtomicU64::new(0) }
    }

    /// One that stands still.
    #[must_use]
    pub fn fixed() -> Self {
        Self::new(TimeDelta::zero())
    }
}

impl Clock for SteppingClock {
    fn now(&self) -> DateTime<Utc> {
        let asked = self.asked.fetch_add(1, Ordering::Relaxed);
        let steps = i32::try_from(asked).unwrap_or(i32::MAX);
        DateTime::from_timestamp(START, 0).unwrap_or_default() + self.step * steps
    }
}

/// A clock that stands still until a test moves it.
#[derive(Debug, Default)]
pub struct ManualClock {
    /// How much time has passed since the start, in microseconds.
    passed: AtomicI64,
    /// How much it moves by itself each time it is asked.
    tick: i64,
}

impl ManualClock {
    /// One that moves on by a microsecond each time it is asked, so that what came later has a later moment.
    #[must_use]
    pub fn ticking() -> Self {
        Self { tick: 1, ..Self::default() }
    }

    /// Lets time pass for everybody who has this clock.
    pub fn pass(&self, time: TimeDelta) {
        self.passed.fetch_add(time.num_microseconds().unwrap_or(i64::MAX), Ordering::SeqCst);
    }
}

impl Clock for ManualClock {
    /// Starts at 2026-01-01T00:00:00Z.
    fn now(&self) -> DateTime<Utc> {
        let passed = TimeDelta::microseconds(self.passed.fetch_add(self.tick, Ordering::SeqCst));
        DateTime::from_timestamp(START, 0).unwrap_or_default() + passed
    }
}

/// Numbers that look random and are the same in every run.
#[derive(Debug)]
pub struct SeededRandomness {
    seed: u64,
    drawn: AtomicU64,
}

impl SeededRandomness {
    /// Two of them that write to one database need different seeds, or their ids collide.
    #[must_use]
    pub fn new(seed: u64) -> Self {
        Self { seed, drawn: AtomicU64::new(0) }
    }

    /// `SplitMix64`: every number of the sequence can be computed by itself.
    fn draw(&self) -> (u64, u64) {
        let drawn = self.drawn.fetch_add(1, Ordering::Relaxed);
        let mut mixed = self
            .seed
            .wrapping_mul(0xD1B5_4A32_D192_ED03)
            .wrapping_add(drawn.wrapping_add(1).wrapping_mul(0x9E37_79B9_7F4A_7C15));
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        (drawn, mixed ^ (mixed >> 31))
    }
}

impl Randomness for SeededRandomness {
    /// Ascending as long as the clock does not go back.
    fn uuid(&self, at: DateTime<Utc>) -> Uuid {
        let (drawn, random) = self.draw();
        let mut tail = [0; 10];
        // The first 12 bits after the time that are ours to set; then 62 more.
        tail[..2].copy_from_slice(&u16::try_from(drawn & 0x0fff).unwrap_or_default().to_be_bytes());
        tail[2..].copy_from_slice(&random.to_be_bytes());
        let milliseconds = u64::try_from(at.timestamp_millis()).unwrap_or_default();
        Builder::from_unix_timestamp_millis(milliseconds, &tail).into_uuid()
    }

    fn fill(&self, bytes: &mut [u8]) -> Result<(), NoRandomness> {
        for chunk in bytes.chunks_mut(8) {
            let (_, random) = self.draw();
            chunk.copy_from_slice(&random.to_le_bytes()[..chunk.len()]);
        }
        Ok(())
    }

    fn up_to(&self, limit: Duration) -> Duration {
        let (_, random) = self.draw();
        // 53 bits are what a float holds exactly.
        let thousandths = u32::try_from(random >> 11 & 0x3ff).unwrap_or_default();
        limit * thousandths / 1024
    }
}
