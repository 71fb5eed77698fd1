//! The shapes of the admin contract, for the document. Bodies are read by `laravel`, which takes more than
//! a derived type would.

#![expect(dead_code, reason = "shapes for the document")]

use std::collections::BTreeMap;

use utoipa::ToSchema;
use uuid::Uuid;

/// A contact to add. Numbers need `country_code` and `number`, emails `email` or, in its place, `value`.
#[derive(ToSchema)]
pub(crate) struct AdminContactBody {
    /// The user.
    uuid: Uuid,
    /// `email`, `telephone`, `whatsapp` or `telegram`.
    #[schema(rename = "type", example = "whatsapp")]
    r#type: String,
    email: Option<String>,
    /// Stands in for `email`.
    value: Option<String>,
    /// Digits behind a `+`; everything else is left out.
    #[schema(example = "+55", max_length = 10)]
    country_code: Option<String>,
    /// Everything but digits is left out.
    #[schema(example = "11912345678", max_length = 20)]
    number: Option<String>,
}

/// What is to be different.
#[derive(ToSchema)]
pub(crate) struct AdminContactChange {
    /// `email`, `telephone`, `whatsapp` or `telegram`.
    #[schema(rename = "type", example = "telegram")]
    r#type: Option<String>,
    email: Option<String>,
    value: Option<String>,
    #[schema(example = "+55", max_length = 10)]
    country_code: Option<String>,
    #[schema(example = "11912345678", max_length = 20)]
    number: Option<String>,
}

/// Under the name of the channel: the address, or the parts of the number.
#[derive(ToSchema)]
#[schema(example = json!({"whatsapp": {"country_code": "+55", "number": "11912345678", "full": "+55 11912345678"}}))]
pub(crate) struct AdminContact {
    email: Option<String>,
    telephone: Option<AdminNumber>,
    whatsapp: Option<AdminNumber>,
    telegram: Option<AdminNumber>,
}

#[derive(ToSchema)]
pub(crate) struct AdminNumber {
    country_code: String,
    number: String,
    full: String,
}

#[derive(ToSchema)]
#[schema(example = json!({"message": "Not Found"}))]
pub(crate) struct AdminMessage {
    message: String,
}

#[derive(ToSchema)]
#[schema(example = json!({
    "message": "The given data was invalid.",
    "errors": {"email": ["The email must be a valid email address."]},
}))]
pub(crate) struct AdminErrors {
    message: String,
    errors: BTreeMap<String, Vec<String>>,
}
