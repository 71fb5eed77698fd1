//! What differs between the endpoints of one system and those of another: the system, and the names of members.

use onefold_service::system::SyncSystem;
use onefold_sync::mapping::Mapping;
use serde::Serialize;
use serde_json::Value;
use utoipa::ToSchema;

/// Another system, as its endpoints name things.
pub(super) trait Naming: 'static {
    const SYSTEM: SyncSystem;
    /// The member, and the parameter, with the id of a record there.
    const ID: &'static str;
    /// The member with a list of them.
    const IDS: &'static str;
    /// The id in an answer: a text, null without a record, or as the caller wrote it.
    type Id: Serialize + ToSchema + From<Value>;
    /// The id and the type of a record in an answer.
    type Record: Serialize + ToSchema + for<'a> From<&'a Mapping>;
}

/// What is to be done about a record's id that is none.
pub(super) fn advice<N: Naming>() -> String {
    format!("Send {}'s id of the {}.", N::SYSTEM.title(), N::SYSTEM.record_type())
}

/// The id of a mapping's record.
pub(super) fn id_of(mapping: &Mapping) -> Value {
    mapping.external.as_ref().map_or(Value::Null, |id| id.as_str().into())
}
