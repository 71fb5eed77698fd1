//! The users that rows name: by their id, by the id that another system gave them, or both. A row of an export
//! makes its user if there is none.

use std::collections::{HashMap, HashSet};

use chrono::{DateTime, Utc};

use super::parse::{FileRow, Parsed, RowUser, UserRow};
use crate::import::ImportCounts;
use crate::store::{StoreError, Transaction};
use crate::trail::Change;
use crate::user::{ExternalId, User};
use onefold_domain::id::UserId;

/// What is known of the users of a batch.
#[derive(Default)]
pub(super) struct Accounts {
    ids: HashSet<UserId>,
    external: HashMap<ExternalId, UserId>,
    /// The users that were added or completed, for the audit trail.
    pub(super) changes: Vec<Change>,
}

/// Why a user cannot be had: the column, and what to do.
pub(super) type NoUser = (String, &'static str);

impl Accounts {
    /// Looks all users of these rows up, in as few questions as there are ways to name one.
    pub(super) async fn read(transaction: &mut dyn Transaction, rows: &[Parsed]) -> Result<Self, StoreError> {
        let named: Vec<&RowUser> = rows.iter().flatten().filter_map(user_of).collect();
        let own = || rows.iter().flatten().filter_map(own_row);
        let ids = named.iter().filter_map(|user| user.id()).chain(own().map(|row| row.id));
        let ids: HashSet<UserId> = ids.collect();
        let ids: Vec<UserId> = ids.into_iter().collect();
        let ids: HashSet<UserId> = transaction.users().existing(&ids).await?.into_iter().collect();
        let unknown = |user: &&&RowUser| user.id().is_none_or(|id| !ids.contains(&id));
        let external = named
            .iter()
            .filter(unknown)
            .flat_map(|user| user.external_id.iter().chain([&user.text]))
            .chain(own().filter_map(|row| row.external_id.as_ref()));
        let external: HashSet<&ExternalId> = external.collect();
        let external: Vec<ExternalId> = external.into_iter().cloned().collect();
        let external = transaction.users().by_external_ids(&external).await?.into_iter().collect();
        Ok(Self { ids, external, changes: Vec::new() })
    }

    /// The user that a row names. One that an export names is made if there is none: a contact belongs to
    /// somebody, whether or not this database has heard of them.
    pub(super) async fn find(
        &mut self,
        transaction: &mut dyn Transaction,
        user: &RowUser,
        is_exported: bool,
        at: DateTime<Utc>,
    ) -> Result<Result<UserId, NoUser>, StoreError> {
        if let Some(known) = self.known(user) {
            return Ok(Ok(known));
        }
        let Some(id) = user.id().filter(|_| is_exported) else {
            let advice = match user.id() {
                Some(_) => "There is no such user; create it first.",
                None => "The user id is no UUID, and no user has it as the external id.",
            };
            return Ok(Err((user.column.clone(), advice)));
        };
        let external_id = user.external_id.clone();
        let new = User { id, external_id, profile: None, created_at: at, updated_at: at };
        self.insert(transaction, new).await?;
        Ok(Ok(id))
    }

    /// Adds the user of a row, or completes the one that is there.
    pub(super) async fn keep(
        &mut self,
        transaction: &mut dyn Transaction,
        row: &UserRow,
        counts: &mut ImportCounts,
    ) -> Result<Result<(), NoUser>, StoreError> {
        let taken = row.external_id.as_ref().and_then(|external| self.external.get(external)).copied();
        let known = if self.ids.contains(&row.id) { Some(row.id) } else { taken };
        let Some(known) = known else {
            counts.created += 1;
            self.insert(transaction, user(row)).await?;
            return Ok(Ok(()));
        };
        let known = transaction.users().get(known).await?.ok_or(StoreError::Conflict)?;
        let differs =
            known.external_id.is_some() && row.external_id.is_some() && known.external_id != row.external_id;
        if differs || taken.is_some_and(|taken| taken != known.id) {
            let advice = "The user has another external id here, or another user has this one.";
            return Ok(Err(("externalId".to_owned(), advice)));
        }
        let after = completed(&known, row);
        if after == known {
            counts.unchanged += 1;
            return Ok(Ok(()));
        }
        counts.updated += 1;
        transaction.users().update(&after).await?;
        if let Some(external) = &after.external_id {
            self.external.insert(external.clone(), after.id);
        }
        self.changes.push(Change::user_updated(&known, &after));
        Ok(Ok(()))
    }

    fn known(&self, user: &RowUser) -> Option<UserId> {
        let by_id = user.id().filter(|id| self.ids.contains(id));
        let external = || user.external_id.iter().chain([&user.text]).find_map(|id| self.external.get(id));
        by_id.or_else(|| external().copied())
    }

    async fn insert(&mut self, transaction: &mut dyn Transaction, new: User) -> Result<(), StoreError> {
        if !transaction.users().insert(&new).await? {
            // Somebody has just added it.
            return Err(StoreError::Conflict);
        }
        self.ids.insert(new.id);
        if let Some(external) = &new.external_id {
            self.external.insert(external.clone(), new.id);
        }
        self.changes.push(Change::user_created(&new));
        Ok(())
    }
}

/// What is known of a user with what its row says. A user of whom nothing was said but the ids, such as a
/// contact's row makes, becomes what the row says; else the newer of both counts.
fn completed(known: &User, row: &UserRow) -> User {
    let external_id = known.external_id.clone().or_else(|| row.external_id.clone());
    let is_blank = known.profile.is_none() && known.created_at == known.updated_at;
    if is_blank {
        return User { id: known.id, external_id, ..user(row) };
    }
    if row.updated_at > known.updated_at {
        let profile = row.profile.clone();
        return User { external_id, profile, updated_at: row.updated_at, ..known.clone() };
    }
    User { external_id, ..known.clone() }
}

fn user(row: &UserRow) -> User {
    User {
        id: row.id,
        external_id: row.external_id.clone(),
        profile: row.profile.clone().filter(|profile| !profile.is_empty()),
        created_at: row.created_at,
        updated_at: row.updated_at,
    }
}

fn user_of(row: &FileRow) -> Option<&RowUser> {
    match row {
        FileRow::Contact(row) => row.user.as_ref(),
        FileRow::Join(row) => row.user.as_ref(),
        FileRow::User(_) => None,
    }
}

fn own_row(row: &FileRow) -> Option<&UserRow> {
    match row {
        FileRow::User(row) => Some(row),
        FileRow::Contact(_) | FileRow::Join(_) => None,
    }
}
