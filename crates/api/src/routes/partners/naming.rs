//! What differs between the endpoints of one system and those of another: the system, and the names of members.

use std::borrow::Cow;

use onefold_service::system::SyncSystem;
use onefold_sync::mapping::Mapping;
use onefold_sync::partner::PartnerId;
use serde::Serialize;
use serde_json::{Value, json};
use utoipa::openapi::RefOr;
use utoipa::openapi::schema::{ObjectBuilder, Schema, SchemaType, Type};
use utoipa::{PartialSchema, ToSchema};

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

/// The id of a record under the name of its system; null without a record.
pub(super) fn external<I: From<Value>>(id: Option<&PartnerId>) -> I {
    id.map_or(Value::Null, |id| id.as_str().into()).into()
}

/// In the document: how callers name a contact. Both kinds are told apart by how they are written, so a number may come as a text.
pub(crate) struct ContactKey;

impl PartialSchema for ContactKey {
    fn schema() -> RefOr<Schema> {
        ObjectBuilder::new()
            .schema_type(SchemaType::from_iter([Type::String, Type::Integer]))
            .description(Some("The customer's UUID, or the number of one of its contacts."))
            .examples([json!("0198f3a1-7c1e-7bd0-a9a4-0f5b6f3b6c11"), json!(7)])
            .into()
    }
}

impl ToSchema for ContactKey {
    fn name() -> Cow<'static, str> {
        "ContactKey".into()
    }
}
