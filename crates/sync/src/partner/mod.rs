//! A partner as the other system has it, and the ids under which that system knows it and its parts.

mod directory;
mod error;
mod field;
mod indexed;
mod tax_number;

pub use directory::{
    KnownNames, PartnerAbilities, PartnerChange, PartnerDirectory, PartnerLookup, PartnerLookupKind,
    PartnerName, PartnerPull, PartnerWritten,
};
pub use error::{PartnerError, PartnerFault, PartnerFaultReason, RemoteMessage};
pub use field::{NameParts, PartnerField, PartnerFields, PartnerKind};
pub use indexed::IndexedPartner;
pub use tax_number::{InvalidTaxNumber, TaxNumber};

use std::borrow::Cow;
use std::fmt;

use chrono::{DateTime, Utc};

use onefold_domain::contact::Statement;
use onefold_domain::email::EmailAddress;
use onefold_domain::phone::PhoneNumber;
use onefold_domain::text::visible;

/// The text is no id that a system would give. The message never repeats it.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
#[error("An id of another system has 1 to {} visible ASCII characters.", LONGEST_ID)]
pub struct InvalidRemoteId;

const LONGEST_ID: usize = 64;

/// One type for each kind of id, so that an address cannot be taken for a contact. Ids are texts, even
/// where they look like numbers: theirs need not fit ours.
macro_rules! remote_id {
    ($(#[$meaning:meta])* $name:ident) => {
        $(#[$meaning])*
        #[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
        pub struct $name(Box<str>);

        impl $name {
            /// # Errors
            /// An empty text, one of more than 64 characters, or one with others than visible ASCII.
            pub fn parse(received: &str) -> Result<Self, InvalidRemoteId> {
                parse_id(received).map(Self)
            }

            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, "{}({})", stringify!($name), self.0)
            }
        }
    };
}

remote_id! {
    /// The other system's id of a partner.
    ///
    /// ```
    /// use onefold_sync::partner::PartnerId;
    ///
    /// assert_eq!(PartnerId::parse(" 310000000417 ")?.as_str(), "310000000417");
    /// assert!(PartnerId::parse("").is_err());
    /// # Ok::<(), onefold_sync::partner::InvalidRemoteId>(())
    /// ```
    PartnerId
}
remote_id! {
    /// The other system's id of an address of a partner.
    PartnerAddressId
}
remote_id! {
    /// The other system's id of a contact person of a partner.
    PartnerContactId
}

fn parse_id(received: &str) -> Result<Box<str>, InvalidRemoteId> {
    let id = visible(received);
    let is_id = (1..=LONGEST_ID).contains(&id.len()) && id.bytes().all(|byte| byte.is_ascii_graphic());
    if is_id { Ok(id.into()) } else { Err(InvalidRemoteId) }
}

/// The rows of a partner that our fields live in. Kept with the mapping: an update that does not name them
/// would add new rows in systems that take a row without an id for a new one.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct PartnerParts {
    /// The address that bills go to.
    pub address: Option<PartnerAddressId>,
    /// The contact person that name, email and phone are read from.
    pub contact: Option<PartnerContactId>,
}

/// A partner as it was read.
#[derive(Clone, PartialEq, Eq)]
pub struct RemotePartner {
    pub id: PartnerId,
    pub parts: PartnerParts,
    /// The number that people see there. Not a key: it can be changed, and may come twice.
    pub code: Option<String>,
    pub fields: PartnerFields,
    /// How the names read if the partner is of the other kind, where nothing there says for sure which it is.
    pub otherwise: Option<OtherReading>,
    /// What the row is called that email and phone are read from.
    pub contact_name: Option<String>,
    /// Fields that hold something there which is no value here. They are not empty.
    pub unreadable: Vec<PartnerField>,
    /// Whether nothing can be written to it: another program keeps it there.
    pub is_read_only: bool,
    /// When it was last changed there, if the other system tells.
    pub changed_at: Option<DateTime<Utc>>,
    /// The emails of all its contact persons, none twice.
    pub emails: Vec<EmailAddress>,
    /// The phones of all its contact persons, none twice.
    pub phones: Vec<PhoneNumber>,
}

/// The names of a partner of the kind that `fields` does not have.
#[derive(Clone, PartialEq, Eq)]
pub struct OtherReading {
    pub name: Option<String>,
    pub company_name: Option<String>,
}

impl RemotePartner {
    /// The partner as one that is known to be of this kind. What both sides agreed on says better what it is than any
    /// sign, unless the other system says it for sure.
    #[must_use]
    pub fn known_as(self, kind: Option<PartnerKind>) -> Self {
        let Some((kind, other)) = self.otherwise_read(kind) else { return self };
        let otherwise =
            OtherReading { name: self.fields.name.clone(), company_name: self.fields.company_name.clone() };
        let (name, company_name) = (other.name.clone(), other.company_name.clone());
        let fields = PartnerFields { name, company_name, kind: Some(kind), ..self.fields };
        Self { fields, otherwise: Some(otherwise), ..self }
    }

    /// The partner as one that is known to be of this kind (see [`Self::known_as`]), without a copy if it was read as one.
    pub(super) fn as_known(&self, kind: Option<PartnerKind>) -> Cow<'_, Self> {
        match self.otherwise_read(kind) {
            None => Cow::Borrowed(self),
            Some(_) => Cow::Owned(self.clone().known_as(kind)),
        }
    }

    /// Its names as those of this kind, if it was read as one of the other and may be this one.
    fn otherwise_read(&self, kind: Option<PartnerKind>) -> Option<(PartnerKind, &OtherReading)> {
        let kind = kind.filter(|kind| self.fields.kind.is_some_and(|read| read != *kind));
        kind.zip(self.otherwise.as_ref())
    }

    /// Whether the value stands in a row of another of its people, and only there: it is none of the partner's own.
    pub(super) fn is_others(&self, value: &Statement) -> bool {
        let email = value.email();
        let phone = value.phone().map(|phone| phone.match_key());
        let same = |known: &PhoneNumber| phone.as_ref().is_some_and(|phone| known.match_key() == *phone);
        match (email, &phone) {
            (Some(email), _) => self.emails.contains(email) && self.fields.email.as_ref() != Some(email),
            (None, Some(_)) => self.phones.iter().any(same) && !self.fields.phone.as_ref().is_some_and(same),
            (None, None) => false,
        }
    }
}

/// Personal data: ids, and which fields there are.
impl fmt::Debug for RemotePartner {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RemotePartner")
            .field("id", &self.id)
            .field("parts", &self.parts)
            .field("fields", &self.fields)
            .field("unreadable", &self.unreadable)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_are_short_visible_texts() {
        for text in ["", " ", "a b", "š", "\0", &"1".repeat(65)] {
            assert_eq!(PartnerId::parse(text), Err(InvalidRemoteId), "{text:?}");
        }
        let id = PartnerContactId::parse(&"1".repeat(64)).unwrap();
        assert_eq!(format!("{id:?}"), format!("PartnerContactId({id})"));
    }
}
