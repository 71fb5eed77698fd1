//! Everything that a way back needs: contacts with their origins, and between them the joins that left none.

use std::collections::{HashMap, HashSet};

use chrono::{DateTime, Utc};

use super::{Contacts, PageRequest};
use crate::error::RecordError;
use crate::page::Page;
use crate::store::{ContactFilter, StoreError, StoredJoin};
use crate::user::ExternalId;
use onefold_domain::contact::{ContactRecord, Statement};
use onefold_domain::id::{ContactId, LinkId, UserId};
use onefold_domain::origin::{HubId, Origin};
use onefold_domain::source::ContactSource;

/// A part of an export, and where it goes on.
pub type ExportPage = Page<ExportRow, ExportPlace>;

/// Where an export goes on.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct ExportPlace {
    contact: ContactId,
    join: Option<(ContactId, LinkId)>,
}

/// A row of an export. Imported in their order, rows come to the customers that they came from.
#[derive(Clone, PartialEq, Debug)]
pub enum ExportRow {
    Contact(Box<ExportedContact>),
    Join(ExportedJoin),
}

#[derive(Clone, PartialEq, Debug)]
pub struct ExportedContact {
    pub record: ContactRecord,
    /// Where it was made: elsewhere, or here under its own number.
    pub origin: Origin,
    pub user_external_id: Option<ExternalId>,
}

/// Two values, or three, that a request joined without leaving a contact.
#[derive(Clone, PartialEq, Debug)]
pub struct ExportedJoin {
    pub id: LinkId,
    pub statement: Statement,
    /// As in [`onefold_domain::linking::JoinRecord`].
    pub beside: Option<Statement>,
    /// Who said so; `None` for a request.
    pub source: Option<ContactSource>,
    pub origin: Origin,
    pub user_external_id: Option<ExternalId>,
    pub at: DateTime<Utc>,
}

/// How many joins are read at a time.
const JOINS_AT_ONCE: usize = 1_000;

impl Contacts {
    /// Contacts that pass the filter, oldest first, at most `limit` of them, and the joins that stand between them.
    /// Joins belong to whole customers: there are none in a part that is chosen in any other way.
    ///
    /// # Errors
    /// A store that does not answer.
    pub async fn export(
        &self,
        filter: &ContactFilter,
        from: Option<ExportPlace>,
        limit: u16,
    ) -> Result<ExportPage, RecordError> {
        let hub = self.env.hub().await?;
        let after = from.map(|place| place.contact);
        let page = self.contacts(filter, PageRequest { after, limit }).await?;
        let whole = ContactFilter { customer: filter.customer, ..ContactFilter::default() } == *filter;
        let joined = from.and_then(|place| place.join);
        let joins = match whole {
            true => self.joins(filter, joined, page.next).await?,
            false => Vec::new(),
        };
        let last = joins.last().map(|join| (join.after, join.id)).or(joined);
        let next = page.next.map(|contact| ExportPlace { contact, join: last });
        let names = self.external_ids(&page.entries, &joins).await?;
        Ok(Page { entries: rows(hub, page.entries, joins, &names), next })
    }

    /// The joins that stand before the last contact of a page, or all that are left behind the last page.
    async fn joins(
        &self,
        filter: &ContactFilter,
        mut from: Option<(ContactId, LinkId)>,
        last: Option<ContactId>,
    ) -> Result<Vec<StoredJoin>, StoreError> {
        let mut joins: Vec<StoredJoin> = Vec::new();
        loop {
            let read = self.env.store.origins().joins(filter.customer, from, JOINS_AT_ONCE).await?;
            let is_last = read.len() < JOINS_AT_ONCE;
            let (count, before) = (read.len(), joins.len());
            joins.extend(read.into_iter().take_while(|join| last.is_none_or(|last| join.after < last)));
            if is_last || joins.len() - before < count {
                return Ok(joins);
            }
            from = joins.last().map(|join| (join.after, join.id));
        }
    }

    /// How other systems call the users of these.
    async fn external_ids(
        &self,
        contacts: &[ContactRecord],
        joins: &[StoredJoin],
    ) -> Result<HashMap<UserId, ExternalId>, StoreError> {
        let of_joins = joins.iter().filter_map(|join| join.statement.user());
        let users: HashSet<UserId> =
            contacts.iter().filter_map(ContactRecord::user).chain(of_joins).collect();
        let users: Vec<UserId> = users.into_iter().collect();
        let users = self.env.store.users().get_many(&users).await?;
        Ok(users.into_iter().filter_map(|user| Some((user.id, user.external_id?))).collect())
    }
}

/// Contacts and joins in their order: a join comes behind the contact that it stands behind, and so before the
/// next one, also if that contact is not there any more.
fn rows(
    hub: HubId,
    contacts: Vec<ContactRecord>,
    joins: Vec<StoredJoin>,
    names: &HashMap<UserId, ExternalId>,
) -> Vec<ExportRow> {
    let name = |user: Option<UserId>| user.and_then(|user| names.get(&user)).cloned();
    let mut rows = Vec::with_capacity(contacts.len() + joins.len());
    let mut joins = joins.into_iter().peekable();
    let exported = |join: StoredJoin| {
        ExportRow::Join(ExportedJoin {
            id: join.id,
            origin: join.origin.unwrap_or(Origin { hub, number: join.id.0 }),
            user_external_id: name(join.statement.user()),
            statement: join.statement,
            beside: join.beside,
            source: join.source,
            at: join.at,
        })
    };
    for record in contacts {
        while let Some(join) = joins.next_if(|join| join.after < record.id) {
            rows.push(exported(join));
        }
        rows.push(ExportRow::Contact(Box::new(ExportedContact {
            origin: record.origin.unwrap_or(Origin { hub, number: record.id.0 }),
            user_external_id: name(record.user()),
            record,
        })));
    }
    rows.extend(joins.map(exported));
    rows
}
