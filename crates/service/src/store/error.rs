//! How a store fails.

/// A failure of a store.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// Somebody else was faster, or the database asks to start over. Nothing was stored: read again,
    /// decide again.
    #[error("the data changed in between")]
    Conflict,
    /// The database cannot be reached or gives no answer in time. It may do so later.
    #[error("the database is not available")]
    Unavailable(#[source] Source),
    /// The database is there, and what it keeps its data on fails it. Trying again at once is of no use:
    /// somebody has to see to it. Nothing counts as stored.
    #[error("{fault}")]
    Storage { fault: StorageFault, source: Source },
    /// Everything else: a defect, or a database that is not what it should be.
    #[error("the database failed")]
    Backend(#[source] Source),
}

/// What is wrong with the place where a database keeps its data.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, thiserror::Error)]
pub enum StorageFault {
    /// No space is left.
    #[error("the database's disk is full")]
    Full,
    /// It can be read and not written.
    #[error("the database is read-only")]
    ReadOnly,
    /// Reading or writing fails, or what is there is damaged.
    #[error("the database's storage fails or is damaged")]
    Broken,
}

/// The error beneath, for the log.
pub type Source = Box<dyn std::error::Error + Send + Sync>;
