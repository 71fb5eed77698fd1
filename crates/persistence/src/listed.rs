//! The list of all customers, in the order of their oldest contacts. It is read along the contacts, whose numbers are the
//! order: each that its customer calls the oldest stands for the customer. So a page costs the contacts that it passes, no
//! index has to be kept for it, and it needs no customers in memory but its own.

use onefold_domain::id::{ContactId, CustomerId};
use onefold_service::store::{ListedCustomer, StoreError};
use sea_orm::{ConnectionTrait, DbErr, QueryResult, Statement};

use crate::error::store_error;

/// A customer that was absorbed leads to its root, and only a root has a primary that counts.
const PAGE: &str = "SELECT c.id, r.id, r.version FROM contact c \
     JOIN customer m ON m.id = c.customer_id \
     JOIN customer r ON r.id = m.root_id AND r.primary_contact_id = c.id \
     WHERE c.id > $1 AND c.withdrawn_at IS NULL ORDER BY c.id LIMIT $2";

pub(crate) async fn page(
    connection: &impl ConnectionTrait,
    after: Option<ContactId>,
    limit: usize,
) -> Result<Vec<ListedCustomer>, StoreError> {
    let values = [after.map_or(0, |id| id.0).into(), (limit as i64).into()];
    let statement = Statement::from_sql_and_values(connection.get_database_backend(), PAGE, values);
    let rows = connection.query_all_raw(statement).await.map_err(store_error)?;
    rows.iter().map(listed).collect::<Result<_, _>>().map_err(store_error)
}

fn listed(row: &QueryResult) -> Result<ListedCustomer, DbErr> {
    Ok(ListedCustomer {
        oldest: ContactId(row.try_get_by_index(0)?),
        id: CustomerId(row.try_get_by_index(1)?),
        version: row.try_get_by_index(2)?,
    })
}
