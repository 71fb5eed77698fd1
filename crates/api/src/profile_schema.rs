//! The profile in the document, so that generated clients know its members. Requests are not read by it but by
//! `Profile::parse`, which tells every fault at once; a test holds that both know the same members.

use utoipa::ToSchema;

/// What is known of a person. A member that is left out is not stated; null is a ruling that there is none, or takes a
/// value away.
#[derive(ToSchema)]
#[schema(as = Profile, rename_all = "camelCase")]
#[expect(dead_code, reason = "the shape for the document, see above")]
pub(crate) struct ProfileMembers {
    #[schema(example = "Ann", max_length = 200)]
    first_name: Option<String>,
    #[schema(example = "Lee", max_length = 200)]
    last_name: Option<String>,
    /// As it was given, if nobody knows the parts.
    #[schema(example = "Ann Lee", max_length = 200)]
    name: Option<String>,
    #[schema(max_length = 200)]
    company_name: Option<String>,
    #[schema(max_length = 200)]
    role: Option<String>,
    address: Option<AddressMembers>,
    /// ISO 3166-1 alpha-2.
    #[schema(example = "SI")]
    country: Option<String>,
    #[schema(max_length = 64)]
    tax_number: Option<String>,
    #[schema(max_length = 10_000)]
    notes: Option<String>,
    #[schema(example = "https://example.com", max_length = 2_048)]
    website: Option<String>,
    /// Without commas. One text with commas between them is read as well.
    #[schema(example = json!(["VIP"]), max_items = 50)]
    tags: Option<Vec<String>>,
}

#[derive(ToSchema)]
#[schema(as = Address, rename_all = "camelCase")]
#[expect(dead_code, reason = "the shape for the document, see above")]
struct AddressMembers {
    #[schema(max_length = 200)]
    street: Option<String>,
    #[schema(example = "Bled", max_length = 200)]
    city: Option<String>,
    #[schema(example = "4260", max_length = 32)]
    postal_code: Option<String>,
    #[schema(max_length = 200)]
    region: Option<String>,
}

#[cfg(test)]
mod tests {
    use onefold_domain::profile::{Profile, ProfileField};
    use serde_json::json;
    use utoipa::PartialSchema;

    use super::*;

    /// The names of the members of a schema.
    fn members<T: PartialSchema>() -> Vec<String> {
        let schema = serde_json::to_value(T::schema()).unwrap();
        schema["properties"].as_object().unwrap().keys().cloned().collect()
    }

    #[test]
    fn the_document_knows_the_members_that_are_read() {
        let mut fields = ProfileField::ALL.map(|field| field.as_str().to_owned()).to_vec();
        fields.sort();
        assert_eq!(members::<ProfileMembers>(), fields);
        let is_read = |part: &str| {
            let profile = json!({"address": {part: "Bled"}});
            Profile::parse(profile.as_object().unwrap()).is_ok()
        };
        for part in members::<AddressMembers>() {
            assert!(is_read(&part), "{part}");
        }
        assert!(!is_read("town"), "a part that is none");
    }
}
