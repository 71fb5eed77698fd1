//! How many keys are remembered. Whoever has many addresses must not fill the memory with them.

use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};

/// More keys than this are not kept apart.
const MOST: usize = 200_000;

/// After so many requests, what says no more than its absence would is forgotten.
const SWEEP_EVERY: u32 = 4_096;

/// So many places are shared by those who come when it is crowded.
const SHARED: u64 = 0xffff;

/// Beyond every token, and every address that is routed: IPv6 has not given out the upper half.
const SHARED_BIT: u64 = 1 << 63;

/// Counts requests for sweeping, and knows whether it is crowded.
#[derive(Default)]
pub(super) struct Keys {
    asked: AtomicU32,
    crowded: AtomicBool,
}

impl Keys {
    /// The key to count under: the caller's own, or when it is crowded one of few that many share. Refusing
    /// those who are new, or forgetting those who are known, would let a crowd do harm or go uncounted.
    pub(super) fn key(&self, key: u64, sweep: impl FnOnce() -> usize) -> u64 {
        if self.asked.fetch_add(1, Ordering::Relaxed) % SWEEP_EVERY == SWEEP_EVERY - 1 {
            self.crowded.store(sweep() > MOST, Ordering::Relaxed);
        }
        if self.crowded.load(Ordering::Relaxed) { SHARED_BIT | (mixed(key) & SHARED) } else { key }
    }
}

/// Neighbours in the same network differ in few bits.
fn mixed(key: u64) -> u64 {
    key.wrapping_mul(0x9E37_79B9_7F4A_7C15) >> 32
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    #[test]
    fn a_crowd_shares_few_keys_until_it_has_gone() {
        let keys = Keys::default();
        let ask = |number: u64, known: usize| keys.key(number, || known);
        let turn = u64::from(SWEEP_EVERY);
        assert!((0..turn - 1).all(|number| ask(number, MOST + 1) == number));
        let shared: HashSet<u64> = (0..turn).map(|number| ask(number, MOST + 1)).collect();
        assert!(shared.iter().all(|key| key & SHARED_BIT != 0));
        let many: HashSet<u64> = (0..500_000).map(|number| ask(number << 32, MOST + 1)).collect();
        assert!(many.len() as u64 <= SHARED + 1, "{}", many.len());
        assert!((0..turn).any(|number| ask(number, MOST) == number));
    }
}
