//! From the rows of a batch to what is to be done about each: whose they are, and which are here already.

use std::borrow::Cow;

use super::known::{Found, KnownHere};
use super::parse::{FileRow, ImportRow, JoinRow, Parsed, RowUser};
use super::step::Step;
use super::users::Accounts;
use super::write::Work;
use crate::store::{StoreError, Transaction};
use onefold_domain::id::UserId;

impl Work<'_> {
    /// What is to be done about each row that can be stored; the others are noted with what is wrong with them.
    pub(super) async fn sift<'r>(
        &mut self,
        transaction: &mut dyn Transaction,
        rows: &'r [Parsed],
    ) -> Result<Vec<Step<'r>>, StoreError> {
        let mut accounts = Accounts::read(transaction, rows).await?;
        let mut here = KnownHere::read(transaction, rows).await?;
        let mut steps = Vec::with_capacity(rows.len());
        for row in rows {
            match row {
                Ok(FileRow::Contact(row)) => {
                    let (user, exported) = (row.user.as_ref(), row.kept.is_some());
                    let user = self.user(transaction, &mut accounts, row.line, user, exported).await?;
                    steps.extend(user.and_then(|user| self.contact(&mut here, of_user(row, user))));
                }
                Ok(FileRow::Join(row)) => {
                    let user = row.user.as_ref();
                    let user = self.user(transaction, &mut accounts, row.line, user, true).await?;
                    steps.extend(user.and_then(|user| self.join(&mut here, row, user)));
                }
                Ok(FileRow::User(row)) => {
                    if let Err((field, advice)) = accounts.keep(transaction, row, &mut self.counts).await? {
                        self.fail(row.line, &field, advice.to_owned());
                    }
                }
                Err(failures) => {
                    self.counts.failed += 1;
                    self.failures.extend(failures.iter().cloned());
                }
            }
        }
        if !accounts.changes.is_empty() {
            self.env.record(transaction, self.env.clock.now(), accounts.changes).await?;
        }
        Ok(steps)
    }

    /// The user that a row names, if it names one; `None` after a failure.
    async fn user(
        &mut self,
        transaction: &mut dyn Transaction,
        accounts: &mut Accounts,
        line: u64,
        user: Option<&RowUser>,
        is_exported: bool,
    ) -> Result<Option<Option<UserId>>, StoreError> {
        let Some(user) = user else { return Ok(Some(None)) };
        match accounts.find(transaction, user, is_exported, self.env.clock.now()).await? {
            Ok(user) => Ok(Some(Some(user))),
            Err((field, advice)) => {
                self.fail(line, &field, advice.to_owned());
                Ok(None)
            }
        }
    }

    fn join<'r>(&mut self, here: &mut KnownHere, row: &'r JoinRow, user: Option<UserId>) -> Option<Step<'r>> {
        if here.has_join(row) {
            self.counts.unchanged += 1;
            return None;
        }
        let Some(user) = user.filter(|user| row.statement.user() != Some(*user)) else {
            return Some(Step::Join(Cow::Borrowed(row)));
        };
        let mut row = row.clone();
        row.statement = row.statement.of_user(user);
        Some(Step::Join(Cow::Owned(row)))
    }

    fn contact<'r>(&mut self, here: &mut KnownHere, row: Cow<'r, ImportRow>) -> Option<Step<'r>> {
        match here.contact(&row) {
            Found::New => Some(Step::Contact(row)),
            Found::Same(Some(id)) => Some(Step::Passed(id)),
            Found::Same(None) => {
                self.counts.unchanged += 1;
                None
            }
            Found::Older(id) => {
                self.older.push((id, row.into_owned()));
                None
            }
        }
    }
}

/// A row with its user, who may have been named in another way than by the id.
fn of_user(row: &ImportRow, user: Option<UserId>) -> Cow<'_, ImportRow> {
    let is_self_stated = row.kept.is_some_and(|kept| kept.is_self_stated);
    let Some(user) = user.filter(|user| is_self_stated || row.request.statement.user() != Some(*user)) else {
        return Cow::Borrowed(row);
    };
    let mut row = row.clone();
    let statement = row.request.statement;
    // What was only the user's word elsewhere is no more than that here.
    row.request.statement = if is_self_stated { statement.stated_by(user) } else { statement.of_user(user) };
    Cow::Owned(row)
}
