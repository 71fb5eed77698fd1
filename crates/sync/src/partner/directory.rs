//! The port to a directory of partners: a CRM or an ERP.

use async_trait::async_trait;

use crate::partner::{
    PartnerError, PartnerField, PartnerFields, PartnerId, PartnerKind, PartnerParts, RemotePartner, TaxNumber,
};
use onefold_domain::email::EmailAddress;
use onefold_domain::id::CustomerId;
use onefold_domain::phone::PhoneNumber;

/// Another company's system that keeps partners. Its connector knows how to ask; it decides nothing, and
/// repeats nothing by itself.
#[async_trait]
pub trait PartnerDirectory: Send + Sync {
    fn abilities(&self) -> PartnerAbilities;

    /// Makes no call.
    ///
    /// # Errors
    /// [`PartnerError::NotConfigured`], with the settings that are missing.
    fn configured(&self) -> Result<(), PartnerError>;

    /// What a read would give after these fields were written: blanks, lines and the like as the other
    /// system keeps them. Whoever compares the two sides compares this, or spelling looks like a change.
    fn as_kept(&self, fields: &PartnerFields) -> PartnerFields;

    /// Whether a partner could be created from these fields. Makes no call, for a dry run.
    ///
    /// # Errors
    /// [`PartnerError::Invalid`] with all that is missing or too long.
    fn check(&self, fields: &PartnerFields) -> Result<(), PartnerError>;

    async fn get(&self, id: &PartnerId) -> Result<RemotePartner, PartnerError>;

    /// Creates a partner and reads it back. `identity` is whose partner it will be; a system that can keep
    /// a reference of ours keeps it.
    ///
    /// # Errors
    /// [`PartnerError::Uncertain`] when it may have been created: look it up before trying again. After
    /// every other error it was not.
    async fn add(&self, fields: &PartnerFields, identity: CustomerId)
    -> Result<PartnerWritten, PartnerError>;

    /// Makes the change, leaves the rest, and reads back. Doing it twice is harmless.
    async fn update(
        &self,
        id: &PartnerId,
        change: &PartnerChange,
        parts: &PartnerParts,
    ) -> Result<PartnerWritten, PartnerError>;

    /// The records that match exactly, oldest first; none is no error.
    async fn find_by(&self, lookup: &PartnerLookup) -> Result<Vec<RemotePartner>, PartnerError>;

    /// Everything there is, portion by portion. The first call is made by the first portion.
    fn list(&self) -> Box<dyn PartnerPull>;
}

/// What is to become of a partner.
#[derive(Clone, PartialEq, Eq, Default, Debug)]
pub struct PartnerChange {
    /// What it is to have. `None` leaves what is there.
    pub fields: PartnerFields,
    /// What is to be taken away; nothing if the directory's abilities do not have `clears`.
    pub cleared: Vec<PartnerField>,
    /// What is there and stays: where one place holds a person's name or a company's, the one tells what the other means.
    pub known: KnownNames,
}

/// What a partner is called there.
#[derive(Clone, PartialEq, Eq, Default)]
pub struct KnownNames {
    pub name: Option<String>,
    pub company_name: Option<String>,
    pub kind: Option<PartnerKind>,
    /// Whether the row of email and phone is known to be called by somebody else's name, which it keeps.
    pub contact_is_another: bool,
}

/// Personal data.
impl std::fmt::Debug for KnownNames {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("KnownNames").field("kind", &self.kind).finish_non_exhaustive()
    }
}

impl From<PartnerFields> for PartnerChange {
    fn from(fields: PartnerFields) -> Self {
        Self { fields, cleared: Vec::new(), known: KnownNames::default() }
    }
}

/// The whole directory on its way.
#[async_trait]
pub trait PartnerPull: Send {
    /// The next portion, no partner twice; `None` at the end. After an error the pull is over.
    async fn next(&mut self) -> Result<Option<Vec<RemotePartner>>, PartnerError>;

    /// Whether, at the end, everything was seen. If not, a partner that did not come may still be there.
    fn is_complete(&self) -> bool;
}

/// What a partner can be looked up by.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum PartnerLookup {
    /// Of any of its contact persons.
    Email(EmailAddress),
    /// Of any of its contact persons.
    Phone(PhoneNumber),
    TaxNumber(TaxNumber),
    Name(PartnerName),
}

/// The name of a person or a company; capitals and blanks make no difference.
#[derive(Clone, Eq)]
pub struct PartnerName(String);

impl PartnerName {
    #[must_use]
    pub fn new(name: &str) -> Self {
        Self(name.split_whitespace().collect::<Vec<_>>().join(" "))
    }

    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl PartialEq for PartnerName {
    fn eq(&self, other: &Self) -> bool {
        self.0.to_lowercase() == other.0.to_lowercase()
    }
}

impl std::fmt::Debug for PartnerName {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("PartnerName(…)")
    }
}

impl PartnerLookup {
    pub fn kind(&self) -> PartnerLookupKind {
        match self {
            Self::Email(_) => PartnerLookupKind::Email,
            Self::Phone(_) => PartnerLookupKind::Phone,
            Self::TaxNumber(_) => PartnerLookupKind::TaxNumber,
            Self::Name(_) => PartnerLookupKind::Name,
        }
    }

    /// Whether the partner is what was looked for. Directories find more than they are asked for.
    pub fn matches(&self, partner: &RemotePartner) -> bool {
        match self {
            Self::Email(email) => partner.emails.contains(email),
            Self::Phone(phone) => partner.phones.iter().any(|known| known.match_key() == phone.match_key()),
            Self::TaxNumber(number) => partner.fields.tax_number.as_ref() == Some(number),
            Self::Name(name) => {
                let names = [&partner.fields.company_name, &partner.fields.name];
                names.into_iter().flatten().any(|known| PartnerName::new(known) == *name)
            }
        }
    }
}

/// A kind of look-up.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum PartnerLookupKind {
    Email,
    Phone,
    TaxNumber,
    Name,
}

/// What a directory can do, as data: the engine asks this and not which directory it is.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct PartnerAbilities {
    /// The name of the system, for people and logs.
    pub system: &'static str,
    /// The fields that the system has a place for.
    pub fields: &'static [PartnerField],
    /// The look-ups that the system answers.
    pub lookups: &'static [PartnerLookupKind],
    /// Whether a value can be taken away again.
    pub clears: bool,
    pub deletes: bool,
    /// Whether it tells what changed since a moment; otherwise everything is pulled and compared.
    pub tells_changes: bool,
    /// Whether it calls us when a partner changes.
    pub calls_back: bool,
    /// The most calls at a time.
    pub concurrency: usize,
    /// The most calls in a second.
    pub calls_per_second: u32,
}

/// What a record is after it was written.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct PartnerWritten {
    pub id: PartnerId,
    /// To be stored with the mapping.
    pub parts: PartnerParts,
    /// The partner as it was read afterwards; `None` when the write succeeded but the read did not.
    pub partner: Option<RemotePartner>,
    /// Fields that were sent and read back otherwise: the other system did not take them over as they are.
    pub differing: Vec<PartnerField>,
}
