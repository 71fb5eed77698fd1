//! Mappings as rows: how they are selected with the customer that has them now, and how a row becomes a mapping and
//! back.

use onefold_domain::id::{ContactId, CustomerId};
use onefold_service::store::StoreError;
use onefold_service::system::SyncSystem;
use onefold_sync::mapping::{DetachReason, Mapping, MappingId, MappingStatus, PlacedMapping};
use onefold_sync::partner::{PartnerAddressId, PartnerContactId, PartnerId, PartnerParts};
use onefold_sync::view::{SyncView, agreed_at_from_json, base_to_json, view_from_json, view_to_json};
use sea_orm::sea_query::{Alias, Expr, ExprTrait, Order, Query, SelectStatement, UnionType};
use sea_orm::{ActiveValue::Set, ConnectionTrait, DbErr, FromQueryResult, Iterable, JoinType, QueryResult};

use crate::entities::sync_mapping::{ActiveModel, Column, Entity, Model};
use crate::entities::{contact, customer};
use crate::error::store_error;
use crate::families::members;
use crate::records::{FILED, ROOT, known};
use crate::sync_rows::{external, fault, fault_columns, system};

/// The mappings of these records.
pub(crate) fn of_these(system: SyncSystem, externals: &[PartnerId]) -> SelectStatement {
    let ids = externals.iter().map(PartnerId::as_str);
    select(system).and_where(col(Column::ExternalId).is_in(ids)).to_owned()
}

pub(crate) fn listed(system: SyncSystem, after: Option<MappingId>, limit: usize) -> SelectStatement {
    let mut list = select(system);
    if let Some(after) = after {
        list.and_where(col(Column::Id).gt(after.0));
    }
    list.order_by((Entity, Column::Id), Order::Asc).limit(limit as u64).to_owned()
}

/// The ids of the mappings on contacts of this customer, and of those filed under it whose contact was withdrawn.
/// Two parts, each of which starts from an index; as one condition over both tables it would start from none. Of
/// all systems: a customer has few, and a condition on the system, which nearly all mappings pass, would be taken
/// for a selective one by a database without statistics.
pub(crate) fn hanging_on(id: CustomerId) -> SelectStatement {
    let contact = |column| Expr::col((contact::Entity, column));
    let with_contact = || {
        let here = contact(contact::Column::Id).equals((Entity, Column::ContactId));
        let mut ids = Query::select();
        ids.column((Entity, Column::Id)).from(Entity).inner_join(contact::Entity, here);
        ids
    };
    let filed = contact(contact::Column::CustomerId).equals((customer::Entity, customer::Column::Id));
    let now = with_contact()
        .inner_join(customer::Entity, filed)
        .and_where(contact(contact::Column::CustomerId).in_subquery(members(id)))
        // One that was absorbed has no contacts any more, though some were born into it.
        .and_where(Expr::col((customer::Entity, customer::Column::RootId)).eq(id.0))
        .and_where(contact(contact::Column::WithdrawnAt).is_null())
        .to_owned();
    with_contact()
        .and_where(col(Column::CustomerId).eq(id.0))
        .and_where(contact(contact::Column::WithdrawnAt).is_not_null())
        .union(UnionType::All, now)
        .to_owned()
}

/// The mappings of a system with the customer of their contact, if that was not withdrawn.
fn select(system: SyncSystem) -> SelectStatement {
    let mut select = Query::select();
    for column in Column::iter() {
        select.column((Entity, column));
    }
    let (filed, root) = (Alias::new(FILED), Alias::new(ROOT));
    let contact = |column| Expr::col((contact::Entity, column));
    let there = contact(contact::Column::Id)
        .equals((Entity, Column::ContactId))
        .and(contact(contact::Column::WithdrawnAt).is_null());
    select
        .expr_as(Expr::col((root.clone(), customer::Column::Id)), Alias::new("root_id"))
        .expr_as(Expr::col((root.clone(), customer::Column::Version)), Alias::new("root_version"))
        .from(Entity)
        .left_join(contact::Entity, there)
        .join_as(
            JoinType::LeftJoin,
            customer::Entity,
            filed.clone(),
            Expr::col((filed.clone(), customer::Column::Id))
                .equals((contact::Entity, contact::Column::CustomerId)),
        )
        .join_as(
            JoinType::LeftJoin,
            customer::Entity,
            root.clone(),
            Expr::col((root, customer::Column::Id)).equals((filed, customer::Column::RootId)),
        )
        .and_where(col(Column::System).eq(system.as_str()))
        .to_owned()
}

/// A column of the mapping.
fn col(column: Column) -> Expr {
    Expr::col((Entity, column))
}

pub(crate) async fn fetch(
    connection: &impl ConnectionTrait,
    select: &SelectStatement,
) -> Result<Vec<PlacedMapping>, StoreError> {
    let rows = connection.query_all(select).await.map_err(store_error)?;
    rows.iter().map(placed).collect::<Result<_, _>>().map_err(store_error)
}

fn placed(row: &QueryResult) -> Result<PlacedMapping, DbErr> {
    let root = row.try_get::<Option<uuid::Uuid>>("", "root_id")?.map(CustomerId);
    let version = row.try_get::<Option<i64>>("", "root_version")?;
    Ok(PlacedMapping { mapping: mapping(Model::from_query_result(row, "")?)?, now: root.zip(version) })
}

pub(crate) fn mapping(model: Model) -> Result<Mapping, DbErr> {
    let parsed = |name: &str| known(DetachReason::parse(name), "reason");
    let address = model.external_address_id.as_deref().map(PartnerAddressId::parse).transpose();
    let contact = model.external_contact_id.as_deref().map(PartnerContactId::parse).transpose();
    let base = stored_view(&model.base)?;
    Ok(Mapping {
        id: MappingId(model.id),
        system: system(&model.system)?,
        customer: CustomerId(model.customer_id),
        contact: ContactId(model.contact_id),
        external: external(model.external_id)?,
        parts: PartnerParts {
            address: known(address.ok(), "id of an address")?,
            contact: known(contact.ok(), "id of a contact")?,
        },
        status: known(MappingStatus::parse(&model.status), "status")?,
        detached: model.detach_reason.as_deref().map(parsed).transpose()?,
        base: view_from_json(&base),
        agreed_at: agreed_at_from_json(&base),
        sent: view(&model.sent)?,
        kept: view(&model.kept)?,
        customer_version: model.customer_version,
        missing_since: model.missing_since,
        last_synced_at: model.last_synced_at,
        error: fault(model.error_code, model.error_message),
        lease: model.lease_owner.zip(model.lease_until),
        created_by: model.created_by,
        updated_by: model.updated_by,
        created_at: model.created_at,
        updated_at: model.updated_at,
        version: model.version,
    })
}

fn view(text: &str) -> Result<SyncView, DbErr> {
    stored_view(text).map(|stored| view_from_json(&stored))
}

fn stored_view(text: &str) -> Result<serde_json::Value, DbErr> {
    known(serde_json::from_str(text).ok(), "view")
}

pub(crate) fn row(mapping: &Mapping) -> ActiveModel {
    let (error_code, error_message) = fault_columns(mapping.error.as_ref());
    let PartnerParts { address, contact } = &mapping.parts;
    ActiveModel {
        id: Set(mapping.id.0),
        system: Set(mapping.system.as_str().to_owned()),
        customer_id: Set(mapping.customer.0),
        contact_id: Set(mapping.contact.0),
        external_id: Set(mapping.external.as_ref().map(|id| id.as_str().to_owned())),
        external_address_id: Set(address.as_ref().map(|id| id.as_str().to_owned())),
        external_contact_id: Set(contact.as_ref().map(|id| id.as_str().to_owned())),
        status: Set(mapping.status.as_str().to_owned()),
        detach_reason: Set(mapping.detached.map(|reason| reason.as_str().to_owned())),
        base: Set(base_to_json(&mapping.base, &mapping.agreed_at).to_string()),
        sent: Set(view_to_json(&mapping.sent).to_string()),
        kept: Set(view_to_json(&mapping.kept).to_string()),
        customer_version: Set(mapping.customer_version),
        missing_since: Set(mapping.missing_since),
        last_synced_at: Set(mapping.last_synced_at),
        error_code: Set(error_code),
        error_message: Set(error_message),
        lease_owner: Set(mapping.lease.map(|(owner, _)| owner)),
        lease_until: Set(mapping.lease.map(|(_, until)| until)),
        created_by: Set(mapping.created_by.clone()),
        updated_by: Set(mapping.updated_by.clone()),
        created_at: Set(mapping.created_at),
        updated_at: Set(mapping.updated_at),
        version: Set(mapping.version),
    }
}

#[cfg(all(test, feature = "testing"))]
mod tests {
    use sea_orm::{ColumnTrait, EntityTrait, QueryFilter, QueryTrait};
    use uuid::Uuid;

    use super::*;
    use crate::SeaOrmStore;
    use crate::testing::TestDatabase;

    /// Each line of the database's plans for the selects of this file.
    async fn plans(store: &SeaOrmStore, explain: &str, column: usize) -> Vec<String> {
        let (system, id) = (SyncSystem::MetaKocka, Uuid::nil());
        let record = PartnerId::parse("1").expect("an id");
        let connection = store.reader();
        let backend = connection.get_database_backend();
        let hanging = Column::Id.in_subquery(hanging_on(CustomerId(id)));
        let mut lines = Vec::new();
        for mut statement in [
            Entity::find().filter(hanging).build(backend),
            backend.build(&of_these(system, &[record])),
            backend.build(&listed(system, Some(MappingId(id)), 10)),
            backend.build(&listed(system, None, 10)),
        ] {
            statement.sql.insert_str(0, explain);
            let rows = connection.query_all_raw(statement).await.expect("a plan");
            lines.extend(
                rows.iter().map(|row| row.try_get_by_index::<String>(column).expect("a line of text")),
            );
        }
        lines
    }

    #[tokio::test]
    async fn sqlite_finds_mappings_without_statistics() {
        let database = TestDatabase::sqlite();
        let lines = plans(&database.store().await, "EXPLAIN QUERY PLAN ", 3).await;
        assert!(lines.len() > 15, "{lines:#?}");
        let walks = |line: &&String| line.starts_with("SCAN") && !line.contains("CONSTANT");
        assert_eq!(lines.iter().find(walks), None, "{lines:#?}");
        // All of a system's, but in the order of the list.
        let of_system = lines.iter().filter(|line| line.contains("(system=?)"));
        assert!(of_system.clone().all(|line| line.contains("sync_mapping_list")), "{lines:#?}");
        assert_eq!(of_system.count(), 1, "{lines:#?}");
        assert!(!lines.iter().any(|line| line.contains("ORDER BY")), "{lines:#?}");
    }

    #[tokio::test]
    async fn postgres_finds_mappings_without_statistics() {
        let database = TestDatabase::postgres().await;
        let lines = plans(&database.store().await, "EXPLAIN ", 0).await;
        assert!(lines.len() > 15, "{lines:#?}");
        assert!(!lines.iter().any(|line| line.contains("Seq Scan")), "{lines:#?}");
    }
}
