//! Imports.
mod model;
mod stub;
pub use model::{
    CustomerBatch, FiledDraft, Import, ImportCounts, ImportOptions, ImportReader, ImportRepository,
    ImportStatus, MatchBy, RowFailure,
};
pub use stub::*;
