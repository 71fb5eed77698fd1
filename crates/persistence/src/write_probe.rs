//! Tries whether the database can be written to again. A single row that is written anew proves little: it finds room
//! where an ordinary request does not, in a page or a piece of the log that is there already.

use onefold_service::store::{StoreError, Transaction};
use sea_orm::ActiveValue::Set;
use sea_orm::EntityTrait;

use crate::entities::write_probe::{ActiveModel, Entity};
use crate::error::store_error;
use crate::transaction::SeaOrmTransaction;

/// More than a request of one of the largest customers writes.
const SIZE: usize = 64 * 1024;

/// Stores so much that it must find room of its own.
///
/// # Errors
/// The fault, if it lasts.
pub(crate) async fn fill(transaction: SeaOrmTransaction) -> Result<(), StoreError> {
    let probe = ActiveModel { filler: Set(filler()), ..ActiveModel::default() };
    Entity::insert(probe).exec(transaction.connection()?).await.map_err(store_error)?;
    Box::new(transaction).commit().await
}

/// Removes it, and what an earlier try may have left.
///
/// # Errors
/// A store that does not answer.
pub(crate) async fn clear(transaction: SeaOrmTransaction) -> Result<(), StoreError> {
    Entity::delete_many().exec(transaction.connection()?).await.map_err(store_error)?;
    Box::new(transaction).commit().await
}

/// Bytes that no database makes smaller: those of a linear congruential generator.
fn filler() -> Vec<u8> {
    let mut state = 1_u64;
    let step = || {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        state.to_be_bytes()[0]
    };
    std::iter::repeat_with(step).take(SIZE).collect()
}
