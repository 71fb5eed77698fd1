//! The shapes of MetaKocka's requests and answers. Every scalar is a text there, whatever it means; a list
//! of one may come as its only element; what is empty is left out. Their spelling is the contract.

use std::fmt;
use std::marker::PhantomData;

use serde::de::value::MapAccessDeserializer;
use serde::de::{IgnoredAny, MapAccess, SeqAccess, Visitor};
use serde::{Deserialize, Deserializer, Serialize};
use serde_json::{Map, Value};

/// The type of an address that bills go to.
pub(super) const BILLING: &str = "Račun";

/// A scalar as text; `None` when it is empty, null or no scalar.
#[derive(Default, Clone)]
pub(super) struct Text(pub(super) Option<String>);

/// A list, its only element, or nothing.
pub(super) struct Many<T>(pub(super) Vec<T>);

/// How a call ended. The texts are for people.
#[derive(Deserialize)]
pub(super) struct Status {
    #[serde(default)]
    pub(super) opr_code: Text,
    #[serde(default)]
    pub(super) opr_desc: Text,
    #[serde(default)]
    pub(super) opr_desc_app: Text,
    #[serde(default)]
    pub(super) error_desc: Text,
}

/// The answer of `get_partner` and `update_partner`.
#[derive(Deserialize)]
pub(super) struct Partners {
    #[serde(default)]
    pub(super) partner_list_count: Text,
    #[serde(default)]
    pub(super) partner_list: Option<Many<Partner>>,
}

#[derive(Deserialize)]
pub(super) struct Partner {
    #[serde(default)]
    pub(super) mk_id: Text,
    #[serde(default)]
    pub(super) business_entity: Text,
    #[serde(default)]
    pub(super) foreign_county: Text,
    #[serde(default)]
    pub(super) customer: Text,
    #[serde(default)]
    pub(super) count_code: Text,
    #[serde(default)]
    pub(super) tax_id_number: Text,
    #[serde(default, rename = "partner_contact_list")]
    pub(super) contacts: Many<Contact>,
    #[serde(default, rename = "partner_delivery_address_list")]
    pub(super) addresses: Many<Address>,
}

#[derive(Deserialize)]
pub(super) struct Contact {
    #[serde(default)]
    pub(super) mk_id: Text,
    #[serde(default)]
    pub(super) mk_address_id: Text,
    #[serde(default)]
    pub(super) name: Text,
    #[serde(default)]
    pub(super) gsm: Text,
    #[serde(default)]
    pub(super) phone: Text,
    #[serde(default)]
    pub(super) email: Text,
}

#[derive(Deserialize)]
pub(super) struct Address {
    #[serde(default)]
    pub(super) mk_id: Text,
    #[serde(default)]
    pub(super) address_type: Text,
    #[serde(default)]
    pub(super) street: Text,
    #[serde(default)]
    pub(super) post_number: Text,
    #[serde(default)]
    pub(super) city: Text,
    #[serde(default)]
    pub(super) country: Text,
}

/// The answer of `add_partner`.
#[derive(Deserialize)]
pub(super) struct Added {
    #[serde(default)]
    pub(super) mk_id: Text,
    #[serde(default)]
    pub(super) mk_contact_id: Text,
    #[serde(default)]
    pub(super) mk_address_id_list: Many<AddedAddress>,
}

#[derive(Deserialize)]
pub(super) struct AddedAddress {
    #[serde(default)]
    pub(super) mk_id: Text,
}

/// Only one of these is honoured in a call.
#[derive(Serialize, Clone, Copy)]
pub(super) enum Selector<'a> {
    #[serde(rename = "partner_id")]
    Id(&'a str),
    #[serde(rename = "partner_name")]
    Name(&'a str),
    #[serde(rename = "partner_tax_number")]
    TaxNumber(&'a str),
    #[serde(rename = "partner_email")]
    Email(&'a str),
    #[serde(rename = "partner_phone_number")]
    Phone(&'a str),
}

/// Members of an object to be sent. A member without a value is left out, and so stays as it is there.
#[derive(Serialize, Default)]
#[serde(transparent)]
pub(super) struct Members(Map<String, Value>);

impl Members {
    pub(super) fn with(mut self, name: &str, value: Option<&str>) -> Self {
        if let Some(value) = value {
            self.0.insert(name.to_owned(), value.into());
        }
        self
    }

    /// A truth value as the contract has it.
    pub(super) fn with_flag(self, name: &str, value: Option<bool>) -> Self {
        self.with(name, value.map(|value| if value { "true" } else { "false" }))
    }

    pub(super) fn with_object(mut self, name: &str, object: Self) -> Self {
        if !object.is_empty() {
            self.0.insert(name.to_owned(), Value::Object(object.0));
        }
        self
    }

    pub(super) fn with_list_of_one(mut self, name: &str, object: Option<Self>) -> Self {
        if let Some(object) = object {
            self.0.insert(name.to_owned(), Value::Array(vec![Value::Object(object.0)]));
        }
        self
    }

    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

impl Status {
    pub(super) fn said(&self) -> &str {
        let texts = [&self.opr_desc_app, &self.opr_desc, &self.error_desc];
        texts.into_iter().find_map(Text::get).unwrap_or_default()
    }
}

impl Text {
    pub(super) fn get(&self) -> Option<&str> {
        self.0.as_deref()
    }

    /// A truth value: a text as documented, or a real one, which some answers have.
    pub(super) fn flag(&self) -> Option<bool> {
        match self.get()?.to_ascii_lowercase().as_str() {
            "true" => Some(true),
            "false" => Some(false),
            _ => None,
        }
    }

    fn of(text: &str) -> Self {
        let text = text.trim();
        Self((!text.is_empty()).then(|| text.to_owned()))
    }
}

impl<T> Default for Many<T> {
    fn default() -> Self {
        Self(Vec::new())
    }
}

impl<'de> Deserialize<'de> for Text {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(TextVisitor)
    }
}

struct TextVisitor;

impl<'de> Visitor<'de> for TextVisitor {
    type Value = Text;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a scalar")
    }

    fn visit_str<E>(self, text: &str) -> Result<Text, E> {
        Ok(Text::of(text))
    }

    fn visit_bool<E>(self, value: bool) -> Result<Text, E> {
        Ok(Text(Some(value.to_string())))
    }

    fn visit_u64<E>(self, value: u64) -> Result<Text, E> {
        Ok(Text(Some(value.to_string())))
    }

    fn visit_i64<E>(self, value: i64) -> Result<Text, E> {
        Ok(Text(Some(value.to_string())))
    }

    fn visit_f64<E>(self, value: f64) -> Result<Text, E> {
        Ok(Text(Some(value.to_string())))
    }

    fn visit_unit<E>(self) -> Result<Text, E> {
        Ok(Text(None))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Text, A::Error> {
        while seq.next_element::<IgnoredAny>()?.is_some() {}
        Ok(Text(None))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Text, A::Error> {
        while map.next_entry::<IgnoredAny, IgnoredAny>()?.is_some() {}
        Ok(Text(None))
    }
}

impl<'de, T: Deserialize<'de>> Deserialize<'de> for Many<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(ManyVisitor(PhantomData))
    }
}

struct ManyVisitor<T>(PhantomData<T>);

impl<'de, T: Deserialize<'de>> Visitor<'de> for ManyVisitor<T> {
    type Value = Many<T>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a list, an object or nothing")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Many<T>, A::Error> {
        let mut items = Vec::new();
        while let Some(item) = seq.next_element()? {
            items.push(item);
        }
        Ok(Many(items))
    }

    fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<Many<T>, A::Error> {
        T::deserialize(MapAccessDeserializer::new(map)).map(|item| Many(vec![item]))
    }

    /// An empty list is an empty text at times, as everything is a text.
    fn visit_str<E>(self, _: &str) -> Result<Many<T>, E> {
        Ok(Many::default())
    }

    fn visit_unit<E>(self) -> Result<Many<T>, E> {
        Ok(Many::default())
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn any_scalar_is_a_text_and_nothing_else_is() {
        let read = |value: Value| serde_json::from_value::<Text>(value).unwrap().0;
        for (value, text) in [
            (json!("47"), Some("47")),
            (json!(47), Some("47")),
            (json!(-1), Some("-1")),
            (json!(true), Some("true")),
            (json!(" a "), Some("a")),
            (json!(""), None),
            (json!(null), None),
            (json!([1]), None),
            (json!({"a": 1}), None),
        ] {
            assert_eq!(read(value).as_deref(), text);
        }
        let flag = |value: Value| serde_json::from_value::<Text>(value).unwrap().flag();
        let flags = [flag(json!("true")), flag(json!(false)), flag(json!("FALSE")), flag(json!("da"))];
        assert_eq!(flags, [Some(true), Some(false), Some(false), None]);
    }

    #[test]
    fn one_or_many_or_none_is_a_list() {
        let read = |value: Value| serde_json::from_value::<Many<AddedAddress>>(value).unwrap().0;
        let ids = |value| read(value).iter().map(|item| item.mk_id.get().unwrap().to_owned()).collect();
        let of = |value| -> Vec<String> { ids(value) };
        assert_eq!(of(json!([{"mk_id": "1"}, {"mk_id": 2, "street": "x"}])), ["1", "2"]);
        assert_eq!(of(json!({"mk_id": "1"})), ["1"]);
        for nothing in [json!([]), json!(null), json!("")] {
            assert!(of(nothing).is_empty());
        }
    }
}
