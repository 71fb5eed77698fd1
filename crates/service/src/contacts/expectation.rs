//! What a caller has seen of a record before it changes it.

/// What a caller expects to find before a change: any state, or one that it has seen.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub enum Expectation {
    #[default]
    Anything,
    /// One of these revisions.
    OneOf(Vec<String>),
}

impl Expectation {
    pub(crate) fn is_met(&self, revision: &str) -> bool {
        match self {
            Self::Anything => true,
            Self::OneOf(revisions) => revisions.iter().any(|expected| expected == revision),
        }
    }
}
