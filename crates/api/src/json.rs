//! JSON in: how large, of which type, and how its failures are told.

use std::fmt;
use std::marker::PhantomData;

use actix_web::web::{self, JsonConfig};
use actix_web::{Error as ActixError, Resource};
use serde::de::value::MapAccessDeserializer;
use serde::de::{Deserialize, Deserializer, MapAccess, Visitor};

use crate::envelope::Enveloped;
use crate::error::ApiError;
use crate::operations::Family;
use crate::operations::{OBJECT, body_limit};

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
