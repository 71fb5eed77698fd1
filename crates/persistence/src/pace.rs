//! The pace of each other system: one row, which is locked, read and written as a whole.

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use onefold_service::store::StoreError;
use onefold_service::system::SyncSystem;
use onefold_sync::pace::{CallId, Kept, PaceState};
use onefold_sync::store::PaceRepository;
use sea_orm::sea_query::{LockType, OnConflict};
use sea_orm::{ActiveValue::Set, EntityTrait, QuerySelect};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::entities::call_pace::{ActiveModel, Column, Entity, Model};
use crate::error::store_error;
use crate::store::SeaOrmTransaction;

/// Moments in microseconds.
#[derive(Serialize, Deserialize, Default)]
struct Stored {
    next: i64,
    under_way: Vec<(Uuid, i64)>,
    waiting: Vec<(Uuid, i64)>,
}

#[async_trait]
impl PaceRepository for SeaOrmTransaction {
    async fn lock(&mut self, system: SyncSystem) -> Result<PaceState, StoreError> {
        if let Some(found) = self.locked(system).await? {
            return Ok(state(&found));
        }
        // There must be a row to lock. Whoever makes it meanwhile is waited for.
        Entity::insert_many([row(system, &PaceState::default())])
            .on_conflict(OnConflict::new().do_nothing().to_owned())
            .exec_without_returning(self.connection()?)
            .await
            .map_err(store_error)?;
        Ok(self.locked(system).await?.as_ref().map(state).unwrap_or_default())
    }

    async fn put(&mut self, system: SyncSystem, state: &PaceState) -> Result<(), StoreError> {
        let instead = OnConflict::column(Column::System).update_column(Column::State).to_owned();
        Entity::insert(row(system, state))
            .on_conflict(instead)
            .exec_without_returning(self.connection()?)
            .await
            .map_err(store_error)?;
        Ok(())
    }
}

impl SeaOrmTransaction {
    async fn locked(&self, system: SyncSystem) -> Result<Option<Model>, StoreError> {
        let mut row = Entity::find_by_id(system.as_str());
        if self.is_shared() {
            row = row.lock(LockType::Update);
        }
        row.one(self.connection()?).await.map_err(store_error)
    }
}

/// What cannot be read is as good as nothing: the next call is made at once, and all after it keep the pace.
fn state(model: &Model) -> PaceState {
    let stored: Stored = serde_json::from_str(&model.state).unwrap_or_default();
    let kept = |kept: Vec<(Uuid, i64)>| {
        kept.into_iter().map(|(call, until)| Kept { call: CallId(call), until: moment(until) }).collect()
    };
    PaceState { next: moment(stored.next), under_way: kept(stored.under_way), waiting: kept(stored.waiting) }
}

fn moment(micros: i64) -> DateTime<Utc> {
    DateTime::from_timestamp_micros(micros).unwrap_or_default()
}

fn row(system: SyncSystem, state: &PaceState) -> ActiveModel {
    let kept = |kept: &[Kept]| kept.iter().map(|kept| (kept.call.0, kept.until.timestamp_micros())).collect();
    let stored = Stored {
        next: state.next.timestamp_micros(),
        under_way: kept(&state.under_way),
        waiting: kept(&state.waiting),
    };
    ActiveModel { system: Set(system.as_str().to_owned()), state: Set(serde_json::json!(stored).to_string()) }
}
