//! Where contacts and joins were made, and the name of this database.

use std::collections::BTreeMap;

use async_trait::async_trait;
use onefold_domain::id::{ContactId, CustomerId, LinkId};
use onefold_domain::origin::{HubId, Origin};
use onefold_domain::source::ContactSource;
use onefold_service::store::{OriginReader, OriginRepository, Originated, StoreError, StoredJoin};
use sea_orm::sea_query::OnConflict;
use sea_orm::{
    ActiveValue::Set, ColumnTrait, Condition, ConnectionTrait, DbErr, EntityTrait, QueryFilter, QueryOrder,
    QuerySelect,
};

use crate::entities::{contact, hub, link};
use crate::error::store_error;
use crate::families::family_of;
use crate::records::{beside, known, origin, statement};
use crate::store::{SeaOrmStore, SeaOrmTransaction};

/// The number of the only row of its table.
const PLACE: i16 = 1;

#[async_trait]
impl OriginReader for SeaOrmStore {
    async fn hub(&self) -> Result<Option<HubId>, StoreError> {
        own(self.reader()).await
    }

    async fn joins(
        &self,
        customer: Option<CustomerId>,
        after: Option<(ContactId, LinkId)>,
        limit: usize,
    ) -> Result<Vec<StoredJoin>, StoreError> {
        use link::Column::{AfterContactId, CustomerId, Id};
        let mut joins = left_no_contact().filter(link::Column::RevokedAt.is_null());
        if let Some(customer) = customer {
            joins = joins.filter(CustomerId.is_in(family_of(self.reader(), customer).await?));
        }
        if let Some((ContactId(contact), LinkId(link))) = after {
            let same_place = Condition::all().add(AfterContactId.eq(contact)).add(Id.gt(link));
            joins = joins.filter(Condition::any().add(AfterContactId.gt(contact)).add(same_place));
        }
        let joins = joins.order_by_asc(AfterContactId).order_by_asc(Id).limit(limit as u64);
        let rows = joins.all(self.reader()).await.map_err(store_error)?;
        rows.into_iter().map(join).collect::<Result<_, _>>().map_err(store_error)
    }
}

fn left_no_contact() -> sea_orm::Select<link::Entity> {
    link::Entity::find().filter(link::Column::ContactId.is_null())
}

fn join(model: link::Model) -> Result<StoredJoin, DbErr> {
    Ok(StoredJoin {
        id: LinkId(model.id),
        origin: origin(model.origin_hub, model.origin_number),
        statement: statement(model.email, model.phone, model.user_id, false)?,
        beside: beside(model.beside_email, model.beside_phone),
        source: model.source.map(|name| known(ContactSource::parse(&name), "source")).transpose()?,
        after: ContactId(model.after_contact_id),
        at: model.created_at,
    })
}

async fn own(connection: &impl ConnectionTrait) -> Result<Option<HubId>, StoreError> {
    let found = hub::Entity::find_by_id(PLACE).one(connection).await.map_err(store_error)?;
    Ok(found.map(|hub| HubId(hub.id)))
}

/// The numbers that are asked for, by hub: a file has few hubs and many numbers.
fn by_hub(origins: &[Origin]) -> BTreeMap<HubId, Vec<i64>> {
    let mut numbers: BTreeMap<HubId, Vec<i64>> = BTreeMap::new();
    for origin in origins {
        numbers.entry(origin.hub).or_default().push(origin.number);
    }
    numbers
}

#[async_trait]
impl OriginRepository for SeaOrmTransaction {
    async fn hub(&mut self, proposed: HubId) -> Result<HubId, StoreError> {
        let row = hub::ActiveModel { place: Set(PLACE), id: Set(proposed.0) };
        hub::Entity::insert_many([row])
            .on_conflict(OnConflict::new().do_nothing().to_owned())
            .exec_without_returning(self.connection()?)
            .await
            .map_err(store_error)?;
        // Taken, but not to be seen: somebody else is naming it this moment.
        own(self.connection()?).await?.ok_or(StoreError::Conflict)
    }

    async fn contacts(&mut self, origins: &[Origin]) -> Result<Vec<Originated<ContactId>>, StoreError> {
        use contact::Column::{Id, OriginHub, OriginNumber};
        let connection = self.connection()?;
        let own = own(connection).await?;
        let mut known = Vec::new();
        for (hub, numbers) in by_hub(origins) {
            let came = Condition::all().add(OriginHub.eq(hub.0)).add(OriginNumber.is_in(numbers.clone()));
            let made = Condition::all().add(OriginHub.is_null()).add(Id.is_in(numbers));
            // One after the other: each is a walk along an index, which their union would not be.
            for wanted in std::iter::once(came).chain((own == Some(hub)).then_some(made)) {
                let rows =
                    contact::Entity::find().filter(wanted).all(connection).await.map_err(store_error)?;
                known.extend(rows.into_iter().map(|row| Originated {
                    origin:
                        origin(row.origin_hub, row.origin_number).unwrap_or(Origin { hub, number: row.id }),
                    id: ContactId(row.id),
                    created_at: row.created_at,
                    gone: row.withdrawn_at.is_some(),
                }));
            }
        }
        Ok(known)
    }

    async fn joins(&mut self, origins: &[Origin]) -> Result<Vec<Originated<LinkId>>, StoreError> {
        use link::Column::{Id, OriginHub, OriginNumber};
        let connection = self.connection()?;
        let own = own(connection).await?;
        let mut known = Vec::new();
        for (hub, numbers) in by_hub(origins) {
            let came = Condition::all().add(OriginHub.eq(hub.0)).add(OriginNumber.is_in(numbers.clone()));
            let made = Condition::all().add(OriginHub.is_null()).add(Id.is_in(numbers));
            for wanted in std::iter::once(came).chain((own == Some(hub)).then_some(made)) {
                let rows = left_no_contact().filter(wanted).all(connection).await.map_err(store_error)?;
                known.extend(rows.into_iter().map(|row| Originated {
                    origin:
                        origin(row.origin_hub, row.origin_number).unwrap_or(Origin { hub, number: row.id }),
                    id: LinkId(row.id),
                    created_at: row.created_at,
                    gone: row.revoked_at.is_some(),
                }));
            }
        }
        Ok(known)
    }
}
