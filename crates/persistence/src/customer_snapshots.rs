//! All that links one customer, for computing it anew.

use onefold_domain::contact::EvidenceOrder;
use onefold_domain::id::{ContactId, CustomerId, LinkId};
use onefold_domain::linking::{CustomerSnapshot, DetailedContact, JoinRecord};
use onefold_service::store::StoreError;
use sea_orm::sea_query::{Expr, ExprTrait};
use sea_orm::{ColumnTrait, ConnectionTrait, DbErr, EntityTrait, QueryFilter, QueryOrder};

use crate::entities::{contact, customer, link};
use crate::error::store_error;
use crate::families::members;
use crate::records::{beside, claimed_by, order, rule, statement};

pub(crate) async fn read(
    connection: &impl ConnectionTrait,
    id: CustomerId,
) -> Result<CustomerSnapshot, StoreError> {
    let root = customer::Entity::find_by_id(id.0).one(connection).await.map_err(store_error)?;
    let Some(root) = root.filter(|root| root.root_id == id.0) else { return Err(StoreError::Conflict) };
    let absorbed = customer::Entity::find()
        .filter(customer::Column::RootId.eq(id.0))
        .filter(Expr::col(customer::Column::RootId).ne(Expr::col(customer::Column::Id)))
        .all(connection)
        .await
        .map_err(store_error)?;
    let contacts = contact::Entity::find()
        .filter(contact::Column::CustomerId.in_subquery(members(id)))
        .filter(contact::Column::WithdrawnAt.is_null())
        .order_by_asc(contact::Column::Id)
        .all(connection)
        .await
        .map_err(store_error)?;
    let joins = link::Entity::find()
        .filter(link::Column::CustomerId.in_subquery(members(id)))
        .filter(link::Column::ContactId.is_null())
        .filter(link::Column::RevokedAt.is_null())
        .order_by_asc(link::Column::Id)
        .all(connection)
        .await
        .map_err(store_error)?;
    let contacts = contacts.into_iter().map(detailed).collect::<Result<_, _>>().map_err(store_error)?;
    let joins = joins.into_iter().map(join).collect::<Result<_, _>>().map_err(store_error)?;
    Ok(CustomerSnapshot {
        id,
        version: root.version,
        absorbed: absorbed.into_iter().map(|customer| CustomerId(customer.id)).collect(),
        contacts,
        joins,
    })
}

fn detailed(model: contact::Model) -> Result<DetailedContact, DbErr> {
    Ok(DetailedContact {
        id: ContactId(model.id),
        order: order(model.id, model.evidence_order),
        filed_under: CustomerId(model.customer_id),
        statement: statement(model.email, model.phone, model.user_id, model.self_stated)?,
        verified_at: model.verified_at,
        claimed_by: claimed_by(model.claimed_by.as_deref())?,
        email_blocked_by: rule(model.email_blocked_by.as_deref())?,
        phone_blocked_by: rule(model.phone_blocked_by.as_deref())?,
    })
}

fn join(model: link::Model) -> Result<JoinRecord, DbErr> {
    Ok(JoinRecord {
        id: LinkId(model.id),
        after: EvidenceOrder(model.after_contact_id),
        filed_under: CustomerId(model.customer_id),
        statement: statement(model.email, model.phone, model.user_id, false)?,
        beside: beside(model.beside_email, model.beside_phone),
    })
}
