//! What is done about one row, once its user and its origin have been looked up.

use std::borrow::Cow;

use super::parse::{ImportRow, JoinRow};
use onefold_domain::contact::Statement;
use onefold_domain::id::ContactId;

/// A row that can be judged.
pub(super) enum Step<'r> {
    Contact(Cow<'r, ImportRow>),
    Join(Cow<'r, JoinRow>),
    /// A contact of a file of ours that is here already.
    Passed(ContactId),
}

impl Step<'_> {
    /// What the row says belongs together.
    pub(super) fn statements(&self) -> impl Iterator<Item = &Statement> {
        let (statement, beside) = match self {
            Self::Contact(row) => (Some(&row.request.statement), None),
            Self::Join(row) => (Some(&row.statement), row.beside.as_ref()),
            Self::Passed(_) => (None, None),
        };
        statement.into_iter().chain(beside)
    }

    /// The contact that the row may turn out to mean. One that comes from elsewhere is its own.
    pub(super) fn sought(&self) -> Option<&Statement> {
        match self {
            Self::Contact(row) if row.kept.is_none() => Some(&row.request.statement),
            _ => None,
        }
    }
}
