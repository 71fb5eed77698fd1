//! A customer and those that it absorbed: whoever is named, all of them are meant.

use onefold_domain::id::CustomerId;
use onefold_service::store::StoreError;
use sea_orm::sea_query::{Expr, ExprTrait, Query, SelectStatement, UnionType};
use sea_orm::{ConnectionTrait, EntityTrait};
use uuid::Uuid;

use crate::entities::customer;
use crate::error::store_error;

/// The customer that this one leads to.
pub(crate) async fn root_of(
    connection: &impl ConnectionTrait,
    id: CustomerId,
) -> Result<Option<CustomerId>, StoreError> {
    let found = customer::Entity::find_by_id(id.0).one(connection).await.map_err(store_error)?;
    Ok(found.map(|customer| CustomerId(customer.root_id)))
}

/// A customer and all that are one with it, whichever of them is named; itself alone if there is no such customer.
pub(crate) async fn family_of(
    connection: &impl ConnectionTrait,
    id: CustomerId,
) -> Result<Vec<Uuid>, StoreError> {
    let root = root_of(connection, id).await?.unwrap_or(id);
    let members = connection.query_all(&members(root)).await.map_err(store_error)?;
    members.iter().map(|row| row.try_get_by_index(0)).collect::<Result<_, _>>().map_err(store_error)
}

/// A root and the customers that lead to it. The index of absorbed customers holds no roots.
pub(crate) fn members(root: CustomerId) -> SelectStatement {
    Query::select()
        .column(customer::Column::Id)
        .from(customer::Entity)
        .and_where(Expr::col(customer::Column::RootId).eq(root.0))
        .and_where(Expr::col(customer::Column::RootId).ne(Expr::col(customer::Column::Id)))
        .union(UnionType::All, Query::select().expr(Expr::value(root.0)).to_owned())
        .to_owned()
}
