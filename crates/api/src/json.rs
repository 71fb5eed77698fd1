//! JSON in: how large, of which type, and how its failures are told.

use std::collections::BTreeMap;
use std::fmt;
use std::marker::PhantomData;

use actix_web::web::{self, JsonConfig};
use actix_web::{Error as ActixError, Resource};
use serde::de::value::MapAccessDeserializer;
use serde::de::{Deserialize, Deserializer, Error, MapAccess, Visitor};
use serde_json::value::RawValue;

use crate::access::Family;
use crate::access::table::{OBJECT, body_limit};
use crate::envelope::Enveloped;
use crate::error::ApiError;

/// For every path, unless its resource has one of its own.
pub(crate) fn config() -> JsonConfig {
    config_up_to(OBJECT)
}

/// A resource that takes as large a body as its row in the table of routes says.
pub(crate) fn resource(path: &str) -> Resource {
    web::resource(path).app_data(config_up_to(body_limit(path)))
}

fn config_up_to(limit: usize) -> JsonConfig {
    JsonConfig::default().limit(limit).content_type_required(true).error_handler(|error, request| {
        let error = ApiError::from(error);
        match Family::of_path(request.path()) {
            Family::Enveloped => ActixError::from(Enveloped::from(error)),
            Family::Problem | Family::Laravel => error.into(),
        }
    })
}

/// A JSON object. Derived structs would take an array, too, and `[]` would be a request without fields.
pub(crate) struct Object<T>(pub(crate) T);

impl<'de, T: Deserialize<'de>> Deserialize<'de> for Object<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(ObjectVisitor(PhantomData))
    }
}

struct ObjectVisitor<T>(PhantomData<T>);

impl<'de, T: Deserialize<'de>> Visitor<'de> for ObjectVisitor<T> {
    type Value = Object<T>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<Self::Value, A::Error> {
        T::deserialize(MapAccessDeserializer::new(map)).map(Object)
    }
}

/// The members of a JSON object, unread, so that every one that is at fault can be reported at once. One
/// that stands twice is refused: which of the two was meant?
pub(crate) struct Members(pub(crate) BTreeMap<String, Box<RawValue>>);

impl<'de> Deserialize<'de> for Members {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(MembersVisitor)
    }
}

struct MembersVisitor;

impl<'de> Visitor<'de> for MembersVisitor {
    type Value = Members;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
        let mut members = BTreeMap::new();
        while let Some((name, value)) = map.next_entry()? {
            if members.insert(name, value).is_some() {
                return Err(A::Error::custom("a member stands twice"));
            }
        }
        Ok(Members(members))
    }
}
