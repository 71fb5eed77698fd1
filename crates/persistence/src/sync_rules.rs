//! The rules of sync that somebody has put. Those of a system are one row: they are read and put together.

use std::collections::BTreeMap;

use async_trait::async_trait;
use onefold_service::store::StoreError;
use onefold_service::system::SyncSystem;
use onefold_sync::rules::SyncRules;
use onefold_sync::store::{SyncRulesReader, SyncRulesRepository};
use sea_orm::sea_query::OnConflict;
use sea_orm::{ActiveValue::Set, ConnectionTrait, DbErr, EntityTrait};

use crate::entities::sync_rule::{ActiveModel, Column, Entity, Model};
use crate::error::store_error;
use crate::records::known;
use crate::store::{SeaOrmStore, SeaOrmTransaction};

#[async_trait]
impl SyncRulesReader for SeaOrmStore {
    async fn get(&self, system: SyncSystem) -> Result<Option<SyncRules>, StoreError> {
        get(self.reader(), system).await
    }
}

#[async_trait]
impl SyncRulesRepository for SeaOrmTransaction {
    async fn get(&mut self, system: SyncSystem) -> Result<Option<SyncRules>, StoreError> {
        get(self.connection()?, system).await
    }

    async fn put(&mut self, system: SyncSystem, rules: &SyncRules) -> Result<(), StoreError> {
        let instead = OnConflict::column(Column::System).update_column(Column::Rules).to_owned();
        Entity::insert(row(system, rules))
            .on_conflict(instead)
            .exec_without_returning(self.connection()?)
            .await
            .map_err(store_error)?;
        Ok(())
    }
}

async fn get(connection: &impl ConnectionTrait, system: SyncSystem) -> Result<Option<SyncRules>, StoreError> {
    let found = Entity::find_by_id(system.as_str()).one(connection).await.map_err(store_error)?;
    found.as_ref().map(rules).transpose().map_err(store_error)
}

/// Names that only a later version knows are left out, and their fields are asked about.
fn rules(model: &Model) -> Result<SyncRules, DbErr> {
    let names: Option<BTreeMap<String, String>> = serde_json::from_str(&model.rules).ok();
    let names = known(names, "list of rules")?;
    Ok(SyncRules::of(names.iter().filter_map(|(field, rule)| SyncRules::parse(field, rule).ok())))
}

fn row(system: SyncSystem, rules: &SyncRules) -> ActiveModel {
    let names: BTreeMap<_, _> = rules.iter().map(|(field, rule)| (field.as_str(), rule.as_str())).collect();
    ActiveModel { system: Set(system.as_str().to_owned()), rules: Set(serde_json::json!(names).to_string()) }
}
