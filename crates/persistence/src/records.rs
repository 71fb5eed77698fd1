//! Contact records as rows: how they are selected with the customer that they resolve to, and how a row
//! becomes a record and back.

use chrono::{DateTime, Utc};
use onefold_domain::block::BlockRule;
use onefold_domain::contact::{
    Channel, ClaimedBy, ContactDetails, ContactDraft, ContactRecord, EvidenceOrder, Received, Statement,
};
use onefold_domain::email::EmailAddress;
use onefold_domain::id::{ContactId, CustomerId, ImportId, UserId};
use onefold_domain::metadata::Metadata;
use onefold_domain::origin::{HubId, Origin};
use onefold_domain::phone::PhoneNumber;
use onefold_domain::profile::Profile;
use onefold_domain::source::ContactSource;
use onefold_service::search::search_text;
use onefold_service::store::StoreError;
use sea_orm::sea_query::{Alias, Expr, ExprTrait, Func, Order, Query, SelectStatement};
use sea_orm::{
    ActiveValue::NotSet, ActiveValue::Set, ConnectionTrait, DbErr, FromQueryResult, Iterable, QueryResult,
};

use crate::entities::{contact, customer};
use crate::error::store_error;

/// The customer that a contact is filed under.
pub(crate) const FILED: &str = "filed";
/// The customer that this one leads to.
pub(crate) const ROOT: &str = "root";

/// Contacts that were not withdrawn, with their customers, in ascending order.
pub(crate) fn select() -> SelectStatement {
    let mut select = Query::select();
    for column in contact::Column::iter() {
        select.column((contact::Entity, column));
    }
    let (filed, root) = (Alias::new(FILED), Alias::new(ROOT));
    select
        .expr_as(Expr::col((root.clone(), customer::Column::Id)), Alias::new("root_id"))
        .expr_as(Expr::col((root.clone(), customer::Column::Version)), Alias::new("root_version"))
        .expr_as(Expr::col((root.clone(), customer::Column::PrimaryContactId)), Alias::new("root_primary"))
        .from(contact::Entity)
        .join_as(
            sea_orm::JoinType::InnerJoin,
            customer::Entity,
            filed.clone(),
            Expr::col((filed.clone(), customer::Column::Id))
                .equals((contact::Entity, contact::Column::CustomerId)),
        )
        .join_as(
            sea_orm::JoinType::InnerJoin,
            customer::Entity,
            root.clone(),
            Expr::col((root, customer::Column::Id)).equals((filed, customer::Column::RootId)),
        )
        .and_where(Expr::col((contact::Entity, contact::Column::WithdrawnAt)).is_null())
        .order_by((contact::Entity, contact::Column::Id), Order::Asc)
        .to_owned()
}

/// A column of the contact.
pub(crate) fn col(column: contact::Column) -> Expr {
    Expr::col((contact::Entity, column))
}

pub(crate) async fn fetch(
    connection: &impl ConnectionTrait,
    select: &SelectStatement,
) -> Result<Vec<ContactRecord>, StoreError> {
    let rows = connection.query_all(select).await.map_err(store_error)?;
    rows.iter().map(record).collect::<Result<_, _>>().map_err(store_error)
}

pub(crate) async fn get(
    connection: &impl ConnectionTrait,
    id: ContactId,
) -> Result<Option<ContactRecord>, StoreError> {
    let mut one = select();
    one.and_where(col(contact::Column::Id).eq(id.0));
    Ok(fetch(connection, &one).await?.pop())
}

fn record(row: &QueryResult) -> Result<ContactRecord, DbErr> {
    let model = contact::Model::from_query_result(row, "")?;
    let statement = statement(model.email, model.phone, model.user_id, model.self_stated)?;
    Ok(ContactRecord {
        id: ContactId(model.id),
        customer: CustomerId(row.try_get("", "root_id")?),
        customer_version: row.try_get("", "root_version")?,
        primary: ContactId(row.try_get::<Option<i64>>("", "root_primary")?.unwrap_or(model.id)),
        order: order(model.id, model.evidence_order),
        statement,
        claimed_by: claimed_by(model.claimed_by.as_deref())?,
        email_blocked_by: rule(model.email_blocked_by.as_deref())?,
        phone_blocked_by: rule(model.phone_blocked_by.as_deref())?,
        source: known(ContactSource::parse(&model.source), "source")?,
        details: ContactDetails {
            channel: model.channel.map(|name| known(Channel::parse(&name), "channel")).transpose()?,
            is_primary: model.is_primary,
            verified_at: model.verified_at,
            metadata: stored_metadata(model.metadata.as_deref())?,
            profile: profile(model.profile.as_deref())?,
        },
        received: Received { email: model.received_email, phone: model.received_phone },
        import: model.import_id.map(ImportId),
        origin: origin(model.origin_hub, model.origin_number),
        created_at: model.created_at,
        updated_at: model.updated_at,
        version: model.version,
    })
}

pub(crate) fn statement(
    email: Option<String>,
    phone: Option<String>,
    user: Option<uuid::Uuid>,
    self_stated: bool,
) -> Result<Statement, DbErr> {
    let email = email.map(EmailAddress::from_canonical);
    let phone = phone.map(PhoneNumber::from_canonical);
    let statement = known(Statement::new(email, phone), "statement")?;
    Ok(match user {
        Some(user) if self_stated => statement.stated_by(UserId(user)),
        Some(user) => statement.of_user(UserId(user)),
        None => statement,
    })
}

/// What a join puts beside its value, if it does.
pub(crate) fn beside(email: Option<String>, phone: Option<String>) -> Option<Statement> {
    Statement::new(email.map(EmailAddress::from_canonical), phone.map(PhoneNumber::from_canonical))
}

/// A contact has the place of its number unless its values were changed.
pub(crate) fn order(id: i64, evidence_order: Option<i64>) -> EvidenceOrder {
    EvidenceOrder(evidence_order.unwrap_or(id))
}

pub(crate) fn claimed_by(name: Option<&str>) -> Result<Option<ClaimedBy>, DbErr> {
    name.map(|name| known(ClaimedBy::parse(name), "claim")).transpose()
}

/// Where something was made, if that was elsewhere.
pub(crate) fn origin(hub: Option<uuid::Uuid>, number: Option<i64>) -> Option<Origin> {
    Some(Origin { hub: HubId(hub?), number: number? })
}

pub(crate) fn rule(name: Option<&str>) -> Result<Option<BlockRule>, DbErr> {
    let Some(name) = name else { return Ok(None) };
    known(BlockRule::ALL.into_iter().find(|rule| rule.as_str() == name), "rule").map(Some)
}

pub(crate) fn stored_metadata(text: Option<&str>) -> Result<Metadata, DbErr> {
    let read = text.map(Metadata::from_stored).transpose();
    // What is wrong with it is told without its text.
    Ok(read.map_err(|error| DbErr::Json(format!("stored metadata is broken: {error}")))?.unwrap_or_default())
}

pub(crate) fn profile(text: Option<&str>) -> Result<Option<Profile>, DbErr> {
    text.map(Profile::from_stored).transpose().map_err(|error| unreadable(&error))
}

pub(crate) fn profile_text(profile: Option<&Profile>) -> Option<String> {
    profile.map(Profile::to_stored)
}

pub(crate) fn metadata_text(metadata: &Metadata) -> Option<String> {
    (!metadata.is_empty()).then(|| metadata.to_json())
}

/// A value that this crate wrote and cannot read: the row was changed by others.
pub(crate) fn known<T>(value: Option<T>, what: &str) -> Result<T, DbErr> {
    value.ok_or_else(|| DbErr::Type(format!("a stored {what} is none")))
}

fn unreadable(error: &serde_json::Error) -> DbErr {
    // Its text may quote what is stored.
    DbErr::Json(format!("stored JSON is broken at column {}", error.column()))
}

/// A new contact as a row.
pub(crate) fn row(draft: &ContactDraft, customer: CustomerId, at: DateTime<Utc>) -> contact::ActiveModel {
    let ContactDraft { statement, details, .. } = draft;
    let rule = |rule: Option<BlockRule>| rule.map(|rule| rule.as_str().to_owned());
    contact::ActiveModel {
        id: NotSet,
        customer_id: Set(customer.0),
        email: Set(statement.email().map(|email| email.as_str().to_owned())),
        phone: Set(statement.phone().map(|phone| phone.as_stored().to_owned())),
        email_blocked_by: Set(rule(draft.email_blocked_by)),
        phone_blocked_by: Set(rule(draft.phone_blocked_by)),
        user_id: Set(statement.user().map(|user| user.0)),
        source: Set(draft.source.as_str().to_owned()),
        received_email: Set(draft.received.email.clone()),
        received_phone: Set(draft.received.phone.clone()),
        created_at: Set(at),
        channel: Set(details.channel.map(|channel| channel.as_str().to_owned())),
        is_primary: Set(details.is_primary),
        verified_at: Set(details.verified_at),
        metadata: Set(metadata_text(&details.metadata)),
        profile: Set(profile_text(details.profile.as_ref())),
        search: Set(Some(search_text(statement, details.profile.as_ref(), &details.metadata))),
        import_id: Set(draft.import.map(|import| import.0)),
        updated_at: Set(at),
        withdrawn_at: Set(None),
        version: Set(1),
        origin_hub: Set(draft.origin.map(|origin| origin.hub.0)),
        origin_number: Set(draft.origin.map(|origin| origin.number)),
        evidence_order: NotSet,
        self_stated: Set(statement.is_self_stated()),
        claimed_by: Set(draft.claimed_by.map(|by| by.as_str().to_owned())),
    }
}

/// The moment of a change, for a column that holds the moment of the one before: never an earlier one, though the clock
/// went back or is another server's. SQLite compares the texts, which are all of one zone and so in the order of time.
pub(crate) fn later(column: impl sea_orm::sea_query::IntoColumnRef, at: DateTime<Utc>) -> Expr {
    Func::greatest([Expr::col(column), Expr::value(at)]).into()
}

/// What a change may touch, as a row; but for its time, which is set by [`later`].
pub(crate) fn changed_row(record: &ContactRecord) -> contact::ActiveModel {
    let draft = ContactDraft {
        statement: record.statement.clone(),
        claimed_by: record.claimed_by,
        email_blocked_by: record.email_blocked_by,
        phone_blocked_by: record.phone_blocked_by,
        source: record.source,
        details: record.details.clone(),
        received: record.received.clone(),
        import: record.import,
        origin: record.origin,
    };
    contact::ActiveModel {
        customer_id: NotSet,
        created_at: NotSet,
        withdrawn_at: NotSet,
        updated_at: NotSet,
        version: Set(record.version),
        origin_hub: NotSet,
        origin_number: NotSet,
        evidence_order: Set(Some(record.order.0).filter(|order| *order != record.id.0)),
        ..row(&draft, record.customer, record.updated_at)
    }
}
