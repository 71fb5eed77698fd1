//! What the parts that work by themselves, over and over, say of their failures: that they begin and that they end.
//! A line for each would fill the log, and often the disk that they fail on.

use std::sync::atomic::{AtomicBool, Ordering};

/// Failures in a row.
#[derive(Default, Debug)]
pub struct Streak {
    lasts: AtomicBool,
}

impl Streak {
    /// Notes a failure; says whether it is the first.
    pub fn failed(&self) -> bool {
        !self.lasts.swap(true, Ordering::Relaxed)
    }

    /// Notes a success; says whether it ends a row of failures.
    pub fn succeeded(&self) -> bool {
        self.lasts.swap(false, Ordering::Relaxed)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_changes_are_told() {
        let streak = Streak::default();
        assert!(!streak.succeeded());
        assert!(streak.failed());
        assert!(!streak.failed());
        assert!(streak.succeeded());
        assert!(!streak.succeeded());
        assert!(streak.failed());
    }
}
