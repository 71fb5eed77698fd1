//! The body of a Kratos webhook and of the answer that interrupts a flow. A body comes from the template in
//! `docs/kratos.md`, or is Kratos' whole context; what it has beyond that is passed over unread.

use chrono::{DateTime, Utc};
use onefold_domain::exact_json::{JsonFault, read_undoubled};
use onefold_service::identities::{IdentityFault, IdentityFaultReason, InvalidNotice};
use serde_json::{Map, Value, json};
use uuid::Uuid;

const EMAIL: &str = "#/traits/email";
const PHONE: &str = "#/traits/phone";
pub(super) const NAME: &str = "#/traits/name";
/// For what no single trait is to blame for.
pub(super) const TRAITS: &str = "#/traits";

/// The most objects and lists inside one another; Kratos has about five.
const MOST_LEVELS: usize = 127;

/// What happened, as far as the template says so.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Event {
    Registration,
    Verification,
    Settings,
    Other,
}

/// The way on which Kratos reaches an address. It knows no others.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Via {
    Email,
    Phone,
}

/// A trait that should be a text.
pub(super) enum Trait {
    Missing,
    Text(String),
    NoText,
}

pub(super) struct Address {
    pub(super) via: Via,
    pub(super) value: String,
    pub(super) verified: bool,
}

/// What a call says.
pub(super) struct Call {
    pub(super) event: Event,
    pub(super) flow: Option<Uuid>,
    /// Said by the template of a hook that runs before Kratos stores anything.
    pub(super) check_only: bool,
    /// Nil before Kratos stores a new identity.
    pub(super) id: Uuid,
    pub(super) updated_at: Option<DateTime<Utc>>,
    pub(super) email: Trait,
    pub(super) phone: Trait,
    pub(super) addresses: Vec<Address>,
    traits: Option<Map<String, Value>>,
}

impl Event {
    fn parse(name: Option<&str>) -> Self {
        match name {
            Some("registration") => Self::Registration,
            Some("verification") => Self::Verification,
            Some("settings") => Self::Settings,
            _ => Self::Other,
        }
    }

    pub(super) fn as_str(self) -> &'static str {
        match self {
            Self::Registration => "registration",
            Self::Verification => "verification",
            Self::Settings => "settings",
            Self::Other => "other",
        }
    }
}

impl Via {
    pub(super) fn pointer(self) -> &'static str {
        match self {
            Self::Email => EMAIL,
            Self::Phone => PHONE,
        }
    }
}

impl Trait {
    fn of(value: Option<&Value>) -> Self {
        match value {
            None | Some(Value::Null) => Self::Missing,
            Some(Value::String(text)) => Self::Text(text.clone()),
            Some(_) => Self::NoText,
        }
    }
}

impl Call {
    /// # Errors
    /// A body from which the identity cannot be told.
    pub(super) fn parse(body: &[u8]) -> Result<Self, InvalidNotice> {
        let body = std::str::from_utf8(body).map_err(|_| InvalidNotice::NotJson)?;
        // Kratos' whole context may hold numbers of any kind, none of which is read here.
        let body = read_undoubled(body, MOST_LEVELS).map_err(|error| match error.fault {
            JsonFault::Doubled => InvalidNotice::Doubled { path: error.path },
            _ => InvalidNotice::NotJson,
        })?;
        let identity = body.get("identity").and_then(Value::as_object).ok_or(InvalidNotice::NoIdentity)?;
        let id = identity.get("id").and_then(uuid).ok_or(InvalidNotice::NoId)?;
        let traits = identity.get("traits").and_then(Value::as_object);
        let of_traits = |name| Trait::of(traits.and_then(|traits| traits.get(name)));
        let addresses = identity.get("verifiable_addresses").and_then(Value::as_array);
        Ok(Self {
            event: Event::parse(body.get("event").and_then(Value::as_str)),
            flow: body.get("flow_id").or_else(|| body.get("flow")?.get("id")).and_then(uuid),
            check_only: body.get("check_only") == Some(&Value::Bool(true)),
            id,
            updated_at: identity.get("updated_at").and_then(Value::as_str).and_then(|at| at.parse().ok()),
            email: of_traits("email"),
            phone: of_traits("phone"),
            addresses: addresses.into_iter().flatten().filter_map(Address::of).collect(),
            traits: traits.cloned(),
        })
    }

    /// Kratos leaves an empty list of addresses out, so only the traits tell whether the identity is there as
    /// a whole.
    pub(super) fn has_traits(&self) -> bool {
        self.traits.is_some()
    }

    /// The trait `name`, a text or an object, by fields of the profile.
    pub(super) fn names(&self) -> Vec<(&'static str, Trait)> {
        let name = self.traits.as_ref().and_then(|traits| traits.get("name"));
        match name {
            Some(Value::Object(parts)) => [("firstName", "first"), ("lastName", "last")]
                .map(|(field, part)| (field, Trait::of(parts.get(part))))
                .into(),
            name => vec![("name", Trait::of(name))],
        }
    }
}

impl Address {
    /// `None` for a way that we do not know, and for what is no address at all.
    fn of(value: &Value) -> Option<Self> {
        let via = match value.get("via")?.as_str()? {
            "email" => Via::Email,
            "sms" => Via::Phone,
            _ => return None,
        };
        let verified = value.get("verified") == Some(&Value::Bool(true));
        Some(Self { via, value: value.get("value")?.as_str()?.to_owned(), verified })
    }
}

fn uuid(value: &Value) -> Option<Uuid> {
    Uuid::try_parse(value.as_str()?).ok()
}

/// The body that makes Kratos show faults beside its form: one entry for each pointer.
pub(super) fn refusal(faults: &[IdentityFault]) -> Value {
    let mut entries: Vec<(&str, Vec<Value>)> = Vec::new();
    for fault in faults {
        let message = json!({
            "id": number(&fault.reason), "text": fault.reason.to_string(), "type": "error", "context": {},
        });
        match entries.iter_mut().find(|(pointer, _)| *pointer == fault.pointer) {
            Some((_, messages)) => messages.push(message),
            None => entries.push((fault.pointer, vec![message])),
        }
    }
    let entries: Vec<_> = entries
        .into_iter()
        .map(|(pointer, messages)| json!({"instance_ptr": pointer, "messages": messages}))
        .collect();
    json!({"messages": entries})
}

/// A front end may translate messages by these numbers, so they stay. Kratos' own have seven digits and begin
/// with 1, 4 or 5.
fn number(reason: &IdentityFaultReason) -> u32 {
    match reason {
        IdentityFaultReason::Email(_) => 9_000_001,
        IdentityFaultReason::Phone(_) => 9_000_002,
        IdentityFaultReason::Profile(_) => 9_000_003,
        IdentityFaultReason::NotText => 9_000_004,
        IdentityFaultReason::TooMany { .. } => 9_000_005,
        IdentityFaultReason::Taken => 9_000_006,
    }
}
