//! Makes of the schemas as they are derived those that a generator of clients can name. A generic type comes with a copy of its
//! argument instead of a reference to it, so each use would become a type of its own and the named one be used by nobody.

use utoipa::openapi::schema::{AdditionalProperties, AnyOf, ArrayItems, OneOf, Ref, Schema};
use utoipa::openapi::{Components, RefOr};

type Named = (String, RefOr<Schema>);

/// Turns every copy of a named schema into a reference to it, and `oneOf` into `anyOf` where it lists named schemas: an answer
/// of the one may fit the other as well, which `oneOf` forbids.
pub(crate) fn refer(components: &mut Components) {
    let named: Vec<Named> = components
        .schemas
        .iter()
        .filter(|(_, schema)| is_worth_a_name(schema))
        .map(|(name, schema)| (name.clone(), schema.clone()))
        .collect();
    for schema in components.schemas.values_mut() {
        // What is inside of it, and not itself: it would refer to itself.
        inside(schema, &named);
    }
}

/// An object of some shape. Two texts without further words are equal by chance.
fn is_worth_a_name(schema: &RefOr<Schema>) -> bool {
    match schema {
        RefOr::T(Schema::Object(object)) => !object.properties.is_empty(),
        RefOr::T(Schema::AllOf(_)) => true,
        _ => false,
    }
}

fn visit(schema: &mut RefOr<Schema>, named: &[Named]) {
    match named.iter().find(|(_, known)| known == schema) {
        Some((name, _)) => *schema = RefOr::Ref(Ref::from_schema_name(name)),
        None => inside(schema, named),
    }
}

fn inside(schema: &mut RefOr<Schema>, named: &[Named]) {
    let RefOr::T(schema) = schema else { return };
    match schema {
        Schema::Object(object) => {
            object.properties.values_mut().for_each(|property| visit(property, named));
            if let Some(AdditionalProperties::RefOr(values)) = object.additional_properties.as_deref_mut() {
                visit(values, named);
            }
        }
        Schema::Array(array) => {
            if let ArrayItems::RefOrSchema(items) = &mut array.items {
                visit(items, named);
            }
        }
        Schema::AllOf(all) => all.items.iter_mut().for_each(|item| visit(item, named)),
        Schema::AnyOf(any) => any.items.iter_mut().for_each(|item| visit(item, named)),
        Schema::OneOf(one) => {
            one.items.iter_mut().for_each(|item| visit(item, named));
            if one.items.iter().all(|item| matches!(item, RefOr::Ref(_))) {
                *schema = Schema::AnyOf(any_of(one));
            }
        }
        _ => {}
    }
}

fn any_of(one: &mut OneOf) -> AnyOf {
    let mut any = AnyOf::new();
    any.items = std::mem::take(&mut one.items);
    any.schema_type = one.schema_type.clone();
    any.description = one.description.take();
    any
}
