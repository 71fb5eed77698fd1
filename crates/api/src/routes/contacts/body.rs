//! The bodies that change contacts, from JSON to what the use cases take.

use onefold_domain::contact::{Channel, ContactKind, Received, Statement};
use onefold_domain::email::EmailAddress;
use onefold_domain::id::UserId;
use onefold_domain::phone::{PhoneNumber, Region};
use onefold_domain::source::ContactSource;
use onefold_service::contacts::{ContactChange, ContactRequest, NewValue};
use utoipa::ToSchema;

use crate::error::ApiError;
use crate::fields::Fields;
use crate::members::Members;
use crate::profile_schema::ProfileMembers;

/// A contact to create or to update.
#[derive(ToSchema)]
#[schema(rename_all = "camelCase")]
#[expect(dead_code, reason = "the shape for the document: bodies are read member by member, see `fields`")]
pub(crate) struct ContactBody {
    /// `email` or `phone`.
    #[schema(example = "email")]
    kind: String,
    /// An email address, or a phone number, which may be a JSON number.
    #[schema(example = "maker@example.com", max_length = 254)]
    value: String,
    /// `order`, `auth`, `signup_form`, `manual` or `import`.
    #[schema(example = "order")]
    source: String,
    /// A user that exists, by its id or by its external id.
    #[schema(example = "user_456", max_length = 255)]
    user_id: Option<String>,
    /// The user's first choice among contacts of this kind; the one before is so no more.
    is_primary: Option<bool>,
    /// Whether the value is known to belong to the person.
    is_verified: Option<bool>,
    /// Anything, up to 16 KiB. An upsert merges it (RFC 7396): null removes a key.
    #[schema(value_type = Option<BTreeMap<String, Value>>, example = json!({"orderId": "order_123"}))]
    metadata: Option<()>,
    /// What the source knows of the person.
    #[schema(value_type = Option<ProfileMembers>)]
    profile: Option<()>,
    /// For phones: `telephone`, `whatsapp` or `telegram`.
    channel: Option<String>,
}

/// What to change of a contact, as a JSON merge patch (RFC 7396): what is left out stays.
#[derive(ToSchema)]
#[schema(rename_all = "camelCase")]
#[expect(dead_code, reason = "the shape for the document: bodies are read member by member, see `fields`")]
pub(crate) struct ContactPatch {
    /// Another value of the same kind. The contact is linked anew by it, and has yet to be verified.
    #[schema(example = "maker@example.org")]
    value: Option<String>,
    /// For contacts of kind `both`, instead of `value`.
    email: Option<String>,
    /// For contacts of kind `both`, instead of `value`.
    phone: Option<String>,
    source: Option<String>,
    is_primary: Option<bool>,
    is_verified: Option<bool>,
    /// Merged; null removes a key, or all of it.
    #[schema(value_type = Option<BTreeMap<String, Value>>)]
    metadata: Option<()>,
    /// Merged; null removes a field, or all of it.
    #[schema(value_type = Option<ProfileMembers>)]
    profile: Option<()>,
}

/// The kinds and sources that callers may name. What identify makes says so by itself.
const KINDS: [&str; 2] = ["email", "phone"];
const SOURCES: [&str; 5] = ["order", "auth", "signup_form", "manual", "import"];

/// Reads the body of a create or an upsert; `user` is whom it names, looked up.
pub(super) fn request(
    members: Members,
    region: Option<Region>,
    user: Option<UserId>,
) -> Result<ContactRequest, ApiError> {
    let mut fields = Fields::of(members);
    let kind = required(&mut fields, "kind", "Send email or phone.", |fields| {
        fields.one_of("kind", &KINDS, ContactKind::parse)
    });
    let value = required(&mut fields, "value", "Send the email address or the phone number.", |fields| {
        if kind == Some(ContactKind::Phone) { fields.text_or_number("value") } else { fields.text("value") }
    });
    let source = required(&mut fields, "source", "Say where the contact comes from.", |fields| {
        fields.one_of("source", &SOURCES, ContactSource::parse)
    });
    let user = fields.user("userId", user);
    let is_primary = fields.flag("isPrimary").flatten();
    let is_verified = fields.flag("isVerified").flatten();
    let metadata = fields.metadata("metadata").flatten().unwrap_or_default();
    let profile = fields.profile("profile");
    let channel = channel(&mut fields, kind);
    let stated = kind.zip(value).and_then(|(kind, value)| stated(&mut fields, kind, value, region));
    let (Some((statement, received)), Some(source)) = (stated, source) else {
        // One of the two is at fault, and so this refuses.
        return Err(fields.finish().err().unwrap_or(ApiError::NotAnObject));
    };
    fields.finish()?;
    let statement = match user {
        Some(user) => statement.of_user(user),
        None => statement,
    };
    Ok(ContactRequest {
        channel,
        is_primary,
        is_verified,
        metadata,
        profile,
        ..ContactRequest::new(statement, received, source)
    })
}

/// Reads the body of a change of a contact of this kind.
pub(super) fn change(
    members: Members,
    kind: ContactKind,
    region: Option<Region>,
) -> Result<ContactChange, ApiError> {
    let mut fields = Fields::of(members);
    for name in ["value", "email", "phone", "source"] {
        fields.refuse_null(name);
    }
    let value = new_value(&mut fields, kind, region);
    let change = ContactChange {
        made_at: None,
        channel: None,
        value,
        source: fields.one_of("source", &SOURCES, ContactSource::parse),
        // By the standard null removes a member, and an absent flag is false.
        is_primary: fields.flag("isPrimary").map(Option::unwrap_or_default),
        is_verified: fields.flag("isVerified").map(Option::unwrap_or_default),
        metadata: fields.metadata("metadata"),
        profile: fields.profile_members("profile"),
    };
    fields.finish()?;
    Ok(change)
}

fn required<T>(
    fields: &mut Fields,
    name: &'static str,
    advice: &str,
    read: impl FnOnce(&mut Fields) -> Option<T>,
) -> Option<T> {
    let given = fields.is_given(name);
    let value = read(fields);
    if !given {
        fields.faults.add(name, advice);
    }
    value
}

fn channel(fields: &mut Fields, kind: Option<ContactKind>) -> Option<Channel> {
    let choices: &[&str] = match kind {
        Some(ContactKind::Email) => &["email"],
        _ => &["telephone", "whatsapp", "telegram"],
    };
    fields.one_of("channel", choices, Channel::parse)
}

fn stated(
    fields: &mut Fields,
    kind: ContactKind,
    received: String,
    region: Option<Region>,
) -> Option<(Statement, Received)> {
    if kind == ContactKind::Phone {
        let phone = fields.faults.note("value", PhoneNumber::parse(&received, region))?;
        let received = Received { phone: Some(received), email: None };
        return Some((Statement::new(None, Some(phone))?, received));
    }
    let email = fields.faults.note("value", EmailAddress::parse(&received))?;
    Some((Statement::new(Some(email), None)?, Received { email: Some(received), phone: None }))
}

fn new_value(fields: &mut Fields, kind: ContactKind, region: Option<Region>) -> Option<NewValue> {
    let (email, phone) = match kind {
        ContactKind::Email => (fields.text("value"), None),
        ContactKind::Phone => (None, fields.text_or_number("value")),
        ContactKind::Both => (fields.text("email"), fields.text_or_number("phone")),
    };
    let (email_name, phone_name) =
        if kind == ContactKind::Both { ("email", "phone") } else { ("value", "value") };
    match (email, phone) {
        (Some(_), Some(_)) => {
            fields.faults.add("phone", "Change the email and the phone in two requests.");
            None
        }
        (Some(received), None) => {
            let value = fields.faults.note(email_name, EmailAddress::parse(&received))?;
            Some(NewValue::Email { value, received })
        }
        (None, Some(received)) => {
            let value = fields.faults.note(phone_name, PhoneNumber::parse(&received, region))?;
            Some(NewValue::Phone { value, received })
        }
        (None, None) => None,
    }
}
