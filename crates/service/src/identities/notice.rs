//! What an identity provider tells, once it is read: the account as it stands now, and what of it cannot
//! be meant. Reading a provider's own format is the business of its connector.

use std::fmt;

use onefold_domain::contact::{ContactKind, Received, Statement};
use onefold_domain::email::{EmailAddress, InvalidEmail};
use onefold_domain::id::UserId;
use onefold_domain::phone::{InvalidPhone, PhoneNumber};
use onefold_domain::profile::{Profile, ProfileFault};

/// Reads the calls of one identity provider, and words the answer that stops a person's form.
pub trait IdentityReader: Send + Sync {
    /// `trigger` is the provider's own name of the call, if it sent one.
    ///
    /// # Errors
    /// A body from which not even the account can be told.
    fn read(&self, body: &[u8], trigger: Option<&str>) -> Result<IdentityNotice, InvalidNotice>;

    /// The body, in JSON, that makes the provider show these faults beside its form.
    fn refusal(&self, faults: &[IdentityFault]) -> serde_json::Value;
}

/// Why a call cannot be read: a mistake in how the provider was configured, never a person's.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
pub enum InvalidNotice {
    #[error("The body is not valid JSON; give the hook a template that makes a JSON object.")]
    NotJson,
    /// Which of the two was meant? A person must not be known by the one that happens to stand last.
    #[error("The body has `{path}` twice; let the hook's template send it once.")]
    Doubled { path: String },
    #[error("The body has no object `identity`; let the hook's template send one.")]
    NoIdentity,
    #[error("The `identity` has no `id` that is a UUID; let the hook's template send `ctx.identity.id`.")]
    NoId,
}

/// A call of the identity provider, read.
#[derive(Clone, PartialEq, Debug)]
pub struct IdentityNotice {
    pub event: IdentityEvent,
    /// What could not be taken over.
    pub faults: Vec<IdentityFault>,
    /// The provider asks before it stores anything: so nothing is stored here either.
    pub check_only: bool,
    /// The provider may not have stored anything yet, and can be stopped.
    pub stoppable: bool,
}

/// An account as its provider has it now.
#[derive(Clone, PartialEq, Debug)]
pub struct IdentityEvent {
    /// What a repetition of the call has in common with it; without one every call counts.
    pub key: Option<String>,
    pub user: UserId,
    pub profile: Option<Profile>,
    /// In the provider's order; no value twice.
    pub addresses: Vec<IdentityAddress>,
    /// Whether the addresses are all that the account has, so that others are no longer its own.
    pub is_complete: bool,
}

/// An email or a phone of an account.
#[derive(Clone, PartialEq, Eq)]
pub struct IdentityAddress {
    pub value: IdentityValue,
    pub received: String,
    pub is_verified: bool,
    /// Where a person entered it, as a JSON pointer: `#/traits/email`.
    pub pointer: &'static str,
}

#[derive(Clone, PartialEq, Eq, Debug)]
pub enum IdentityValue {
    Email(EmailAddress),
    Phone(PhoneNumber),
}

/// A value that cannot be accepted, by the JSON pointer to where a person entered it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct IdentityFault {
    pub pointer: &'static str,
    pub reason: IdentityFaultReason,
}

/// What is wrong with a value. The messages never repeat it; people read them beside a form.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
pub enum IdentityFaultReason {
    #[error(transparent)]
    Email(#[from] InvalidEmail),
    #[error(transparent)]
    Phone(#[from] InvalidPhone),
    #[error(transparent)]
    Profile(#[from] ProfileFault),
    #[error("The value is no text.")]
    NotText,
    #[error("There are more than {most} addresses; remove some.")]
    TooMany { most: usize },
    #[error("This address belongs to another account.")]
    Taken,
}

impl IdentityAddress {
    pub fn kind(&self) -> ContactKind {
        match self.value {
            IdentityValue::Email(_) => ContactKind::Email,
            IdentityValue::Phone(_) => ContactKind::Phone,
        }
    }

    /// The statement that the account makes by this address.
    pub(super) fn statement(&self, user: UserId) -> Option<Statement> {
        let (email, phone) = match &self.value {
            IdentityValue::Email(email) => (Some(email.clone()), None),
            IdentityValue::Phone(phone) => (None, Some(phone.clone())),
        };
        Some(Statement::new(email, phone)?.of_user(user))
    }

    pub(super) fn received(&self) -> Received {
        let text = Some(self.received.clone());
        match self.value {
            IdentityValue::Email(_) => Received { email: text, phone: None },
            IdentityValue::Phone(_) => Received { email: None, phone: text },
        }
    }

    /// Whether a statement has this value.
    pub(super) fn is_in(&self, statement: &Statement) -> bool {
        match &self.value {
            IdentityValue::Email(email) => statement.email() == Some(email),
            IdentityValue::Phone(phone) => statement.phone() == Some(phone),
        }
    }
}

impl fmt::Debug for IdentityAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // The value masks itself; as received it is personal data.
        f.debug_struct("IdentityAddress")
            .field("value", &self.value)
            .field("is_verified", &self.is_verified)
            .field("pointer", &self.pointer)
            .finish_non_exhaustive()
    }
}
